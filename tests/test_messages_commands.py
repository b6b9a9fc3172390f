"""The commands about messages say what they did, and no word of a message."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.design.message import read_messages
from experiment.messages.store import Folder

ENGLISH = read_messages(Path(__file__).resolve().parents[1] / "stimuli" / "examples" / "english.csv")
PASSPHRASE = "correct horse battery"  # noqa: S105 - nothing but invented messages is kept with it
DAMAGED = replace(ENGLISH[0], text=f"{ENGLISH[0].text} caf\u00c3\u00a9")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A participant's six messages, of which the first seems damaged."""
    folder = Folder(tmp_path / "participants")
    folder.write("DF1", (DAMAGED, *ENGLISH[1:]))
    return folder


def says(folder: Folder, command: str, *arguments: str, typed: str = "") -> tuple[int, str]:
    """Exit status of `messages COMMAND`, and all that it said, on one line."""
    done = CliRunner().invoke(app, ["messages", command, *arguments, "--messages", str(folder.path)], typed)
    error = "" if done.exception is None or isinstance(done.exception, SystemExit) else str(done.exception)
    return done.exit_code, " ".join(f"{done.output} {error}".split())


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "encrypted"])
def test_a_person_accepts_what_seems_damaged(folder: Folder, *, sealed: bool) -> None:
    """Once somebody says that a message is as it was written, the check passes it, and its text is as before."""
    if sealed:
        folder.encrypt(PASSPHRASE)
    passphrase = f"{PASSPHRASE}\n" if sealed else ""
    status, said = says(folder, "check", typed=passphrase)
    assert (status, "messages accept" in said) == (1, True), said
    accepting = ("--subject", "sub-DF1", "--message", "mother")
    assert "Nothing was recorded" in says(folder, "accept", *accepting, typed=f"{passphrase}n\n")[1]
    assert says(folder, "accept", *accepting, typed=f"{passphrase}y\n")[0] == 0
    assert says(folder, "check", typed=passphrase)[0] == 0
    read = (folder.unlocked(PASSPHRASE) if sealed else folder).read("DF1")
    assert read == (replace(DAMAGED, as_written="yes"), *ENGLISH[1:])


def test_what_was_accepted_is_no_error_when_the_export_comes_again(folder: Folder, tmp_path: Path) -> None:
    """Taking the same file in once more passes the accepted message, and keeps that it was accepted."""
    export = tmp_path / "sub-DF1.csv"
    export.write_bytes(folder.file("DF1").read_bytes())
    again = ("messages", "import", str(export), "--messages", str(folder.path))
    assert CliRunner().invoke(app, again).exit_code == 1
    assert says(folder, "accept", "--subject", "DF1", "--message", ENGLISH[0].message_id, "--yes")[0] == 0
    assert CliRunner().invoke(app, again).exit_code == 0
    assert [message.is_as_written for message in folder.read("DF1")] == [True] + [False] * 5


def test_a_message_that_is_not_there_cannot_be_accepted(folder: Folder) -> None:
    """Another id is refused by name, and nothing changes."""
    status, said = says(folder, "accept", "--subject", "DF1", "--message", "m07", "--yes")
    assert (status, "no message 'm07'" in said) == (1, True), said
    assert not any(one.as_written for one in folder.read("DF1"))


def test_files_that_nobody_reads_are_named(folder: Folder) -> None:
    """Names that are not quite right are warnings; where nothing is left to check, the status is 1."""
    strays = ["sub-DF-017.csv", "DF018.csv", "sub-DF019.CSV", "sub-DF020.xlsx"]
    for name in strays:
        (folder.path / name).write_bytes(b"x")
    said = says(folder, "check")[1]
    assert [name for name in strays if f"The file {name} is not used" not in said] == []
    folder.forget("DF1")
    status, said = says(folder, "check")
    assert (status, "There are no messages to check" in said) == (1, True), said
    assert [name for name in strays if name not in said] == []


def test_notes_are_shown_where_one_participant_is_checked(folder: Folder) -> None:
    """Of one participant all is shown, also notes; of a folder how many there are, and how to see them."""
    assert "All messages will be shown at" in says(folder, "check", "--subject", "DF1")[1]
    said = says(folder, "check")[1]
    assert "All messages will be shown at" not in said
    assert "1 error, 0 warnings, 1 note." in said
    assert "`dayfour messages check --subject ID` also shows the notes." in said


def test_encrypting_leaves_no_picture_in_plain(folder: Folder) -> None:
    """What a preview left is removed when the messages are encrypted, and the person is told."""
    picture = folder.path / "preview" / "sub-DF1.png"
    picture.parent.mkdir()
    picture.write_bytes(b"x")
    status, said = says(folder, "encrypt", typed=f"{PASSPHRASE}\n")
    assert (status, picture.exists()) == (0, False)
    assert "1 file was encrypted; the messages of 1 participant are encrypted" in said
    assert "preview/sub-DF1.png" in said
    assert "1 file was decrypted" in says(folder, "decrypt", typed=f"{PASSPHRASE}\n")[1]


def test_a_participant_is_forgotten_with_or_without_the_prefix(folder: Folder) -> None:
    """`sub-DF1` is DF1."""
    assert says(folder, "forget", "--subject", "sub-DF1", "--yes")[0] == 0
    assert folder.subjects() == ()


def test_messages_that_a_session_showed_are_held_against_it(tmp_path: Path) -> None:
    """With the data set, a text that is another one than a session showed is an error; as they were, all is well."""
    data, folder = tmp_path / "data", Folder(tmp_path / "participants")
    folder.path.mkdir()
    made = CliRunner().invoke(app, ["simulate", "--subjects", "1", "--out", str(data)])
    assert made.exit_code == 0
    for shown, said in ((ENGLISH, "0 errors"), ((replace(ENGLISH[0], text="Another one."), *ENGLISH[1:]), "1 error,")):
        folder.write("sim00001", shown)
        for who in ((), ("--subject", "sim00001")):
            _, found = says(folder, "check", "--data", str(data), *who)
            assert said in found
            assert (f"Message {ENGLISH[0].message_id} has another text than in session 1" in found) == (
                shown is not ENGLISH
            )
