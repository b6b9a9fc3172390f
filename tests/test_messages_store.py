"""Where the participants' messages lie: plain or encrypted, whole or not at all, and gone when they are forgotten."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pyrage
import pytest
from msgspec.structs import replace

from experiment.design.message import Message, messages_csv, read_messages
from experiment.errors import BadInput, EquipmentFailure
from experiment.messages.store import Folder
from experiment.storage import encryption
from experiment.storage.encryption import new_keys

PASSPHRASE = "correct horse battery"  # noqa: S105 - nothing but invented messages is kept with it
SIX = tuple(Message(f"m{number}", "Ada", "friend", "en", f"Sekret ❤️ {number}\n") for number in range(1, 7))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Two participants' messages in plain."""
    return filled(tmp_path / "plain")


def filled(path: Path) -> Folder:
    """A folder with two participants' messages."""
    folder = Folder(path)
    for subject in ("DF1", "DF2"):
        folder.write(subject, SIX)
    return folder


@pytest.fixture(scope="module")
def opened_once(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """An encrypted folder with its key: made once, since a passphrase takes a second on purpose."""
    folder = filled(tmp_path_factory.mktemp("sealed"))
    folder.encrypt(PASSPHRASE)
    return folder.unlocked(PASSPHRASE)


@pytest.fixture
def opened(opened_once: Folder, tmp_path: Path) -> Folder:
    """A copy of it."""
    return Folder(Path(shutil.copytree(opened_once.path, tmp_path / "sealed")), opened_once.key)


@pytest.fixture
def sealed(opened: Folder) -> Folder:
    """The same without its key."""
    return Folder(opened.path)


def test_what_is_written_is_read(folder: Folder) -> None:
    """A participant's messages come back equal, from a file that only its owner may read."""
    assert folder.read("DF1") == SIX
    assert folder.subjects() == ("DF1", "DF2")
    assert (folder.has("DF1"), folder.has("DF3")) == (True, False)
    if os.name == "posix":
        assert folder.file("DF1").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not shutil.which("git"), reason="needs git, which a laboratory's computer may not have")
def test_git_leaves_the_folder_alone_wherever_it_lies(tmp_path: Path) -> None:
    """In a repository of its own, git sees nothing of a folder that messages were written to or encrypted in."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)  # noqa: S607 - whichever git there is
    filled(tmp_path / "study" / "participants")
    (tmp_path / "by hand").mkdir()
    (tmp_path / "by hand" / "sub-DF1.csv").write_bytes(messages_csv(SIX))
    Folder(tmp_path / "by hand").encrypt(PASSPHRASE)
    seen = subprocess.run(["git", "-C", str(tmp_path), "status", "--porcelain"], capture_output=True, check=True)  # noqa: S607
    assert seen.stdout == b""


def test_no_text_is_on_the_disk_of_an_encrypted_folder(opened: Folder) -> None:
    """After encryption no file holds a word of a message, and the passphrase gives back every message."""
    assert not any(b"Sekret" in path.read_bytes() for path in opened.path.rglob("*") if path.is_file())
    assert sorted(path.name for path in opened.path.iterdir()) == [
        ".gitignore", "key.age", "recipient.txt", "sub-DF1.csv.age", "sub-DF2.csv.age",
    ]  # fmt: skip
    assert opened.read("DF2") == SIX


def test_messages_are_taken_in_without_the_passphrase(sealed: Folder, opened: Folder) -> None:
    """Who takes messages in needs no key, and cannot read what is there."""
    path = sealed.write("DF3", SIX)
    assert path.name == "sub-DF3.csv.age"
    with pytest.raises(BadInput, match="encrypted, and no passphrase was given"):
        sealed.read("DF3")
    assert opened.read("DF3") == SIX


def test_another_passphrase_opens_nothing(sealed: Folder) -> None:
    """A wrong passphrase is named as such."""
    with pytest.raises(BadInput, match="Wrong passphrase"):
        sealed.unlocked(PASSPHRASE + "!")


def test_a_plain_file_in_an_encrypted_folder_is_named_and_taken_in(sealed: Folder, opened: Folder) -> None:
    """A file that somebody copied into the folder is refused until it is encrypted, which needs no passphrase."""
    (sealed.path / "sub-DF9.csv").write_bytes(messages_csv(SIX))
    with pytest.raises(BadInput, match="is not encrypted"):
        opened.read("DF9")
    assert sealed.encrypt("") == ["DF9"]
    assert opened.read("DF9") == SIX
    assert not (sealed.path / "sub-DF9.csv").exists()


def test_two_files_of_one_participant_are_not_chosen_from(sealed: Folder, opened: Folder) -> None:
    """A plain file beside an encrypted one of the same participant stays, and so does that one."""
    other = tuple(replace(message, text="another") for message in SIX)
    (sealed.path / "sub-DF1.csv").write_bytes(messages_csv(other))
    with pytest.raises(BadInput, match="both exist"):
        sealed.encrypt("")
    assert read_messages(sealed.path / "sub-DF1.csv") == other
    (sealed.path / "sub-DF1.csv").unlink()
    assert opened.read("DF1") == SIX


def test_decryption_puts_everything_back(opened: Folder) -> None:
    """The files are byte for byte as they were, and no key is left."""
    assert opened.decrypt() == ["DF1", "DF2"]
    assert sorted(path.name for path in opened.path.iterdir()) == [".gitignore", "sub-DF1.csv", "sub-DF2.csv"]
    assert (opened.path / "sub-DF1.csv").read_bytes() == messages_csv(SIX)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("sub-DF1.csv.age", lambda folder: folder.read("DF1")),
        ("key.age", lambda folder: folder.unlocked(PASSPHRASE)),
        ("recipient.txt", lambda folder: folder.write("DF3", SIX)),
    ],
)
def test_damage_is_refused(opened: Folder, name: str, use: Callable[[Folder], object]) -> None:
    """A file that was cut short, the key and the public key are each refused when they cannot be used."""
    (opened.path / name).write_bytes((opened.path / name).read_bytes()[:-9])
    with pytest.raises(BadInput):
        use(opened)


def test_without_a_public_key_nothing_is_encrypted_anew(sealed: Folder) -> None:
    """A folder whose public key was lost makes no second key beside messages of the first."""
    (sealed.path / "recipient.txt").unlink()
    with pytest.raises(BadInput, match="Restore that file"):
        sealed.encrypt(PASSPHRASE)


def test_a_short_passphrase_is_refused(folder: Folder) -> None:
    """Nothing is encrypted with a passphrase that is quickly guessed."""
    with pytest.raises(BadInput, match="at least 8 characters"):
        folder.encrypt("secret")
    assert folder.read("DF1") == SIX


def test_forgetting_removes_the_messages_and_their_pictures(folder: Folder) -> None:
    """What is forgotten is nowhere in the folder, and others' messages stay."""
    (folder.path / "preview").mkdir()
    for name in ("sub-DF1.png", "sub-DF1.html", "sub-DF12.png"):
        (folder.path / "preview" / name).write_bytes(b"x")
    assert {path.name for path in folder.forget("DF1")} == {"sub-DF1.csv", "sub-DF1.png", "sub-DF1.html"}
    assert sorted(path.name for path in folder.path.rglob("sub-*")) == ["sub-DF12.png", "sub-DF2.csv"]
    assert folder.forget("DF1") == []


def test_a_missing_file_is_named(opened: Folder) -> None:
    """A participant without messages is named by the file that is not there, plain or encrypted."""
    with pytest.raises(BadInput, match=r"sub-DF7\.csv\.age do not exist"):
        opened.read("DF7")


def test_an_exchanged_public_key_is_noticed(sealed: Folder) -> None:
    """With another public key in the folder the passphrase opens nothing, and the right one is given to put back."""
    right = sealed.public_key()
    (sealed.path / "recipient.txt").write_text(f"{new_keys('another long passphrase').public}\n")
    with pytest.raises(BadInput, match=f"was replaced[^$]*{right}"):
        sealed.unlocked(PASSPHRASE)


@pytest.mark.parametrize("passphrase", [" " * 8, "a b c d e f g", "aaaaaaaaaaaa", "\u00a0" * 12])
def test_passphrases_of_blanks_or_of_one_letter_are_refused(passphrase: str) -> None:
    """Eight characters count only if they are no spaces and not all the same."""
    with pytest.raises(BadInput, match="at least 8 characters besides spaces, 4 of them different"):
        new_keys(passphrase)


def test_a_passphrase_opens_in_both_unicode_forms() -> None:
    """An accent typed as one character or as two gives the same passphrase; the closed key took many rounds."""
    pair = new_keys("mère café déjà")
    assert encryption.work_factor(pair.closed) >= encryption.LEAST_WORK
    for form in ("NFC", "NFD"):
        key = encryption.unlock(pair.closed, unicodedata.normalize(form, "mère café déjà"))
        assert encryption.public_key(key) == pair.public


def test_a_key_that_is_soon_guessed_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the computer is too busy for as many rounds of scrypt as a passphrase needs, there is no key."""
    monkeypatch.setattr(encryption, "TRIES", 1)
    monkeypatch.setattr(encryption, "LEAST_WORK", 40)
    with pytest.raises(EquipmentFailure, match="too busy"):
        new_keys(PASSPHRASE)


@pytest.mark.parametrize("refusals", [1, 2])
def test_a_busy_computer_is_no_wrong_passphrase(monkeypatch: pytest.MonkeyPatch, refusals: int) -> None:
    """What age refuses as too much work for now is tried again, and if need be told as what it is."""
    pair, really, asked = encryption.new_keys(PASSPHRASE), pyrage.passphrase.decrypt, list[str]()
    much = re.sub(rb"(scrypt [\w+/]+) \d+", rb"\1 40", pair.closed, count=1)

    def busy(closed: bytes, passphrase: str) -> bytes:
        asked.append(passphrase)
        return bytes(really(much if len(asked) <= refusals else closed, passphrase))

    monkeypatch.setattr(pyrage.passphrase, "decrypt", busy)
    monkeypatch.setattr(encryption, "TRIES", 2)
    with nullcontext() if refusals == 1 else pytest.raises(EquipmentFailure, match="too busy"):
        assert encryption.public_key(encryption.unlock(pair.closed, PASSPHRASE)) == pair.public


@pytest.mark.skipif(os.name != "posix", reason="Windows knows no such rights")
def test_files_that_others_can_read_are_named_and_mended(folder: Folder) -> None:
    """A file of messages with rights for all is named, and has them no longer once it was written again."""
    (folder.path / "sub-DF1.csv").chmod(0o644)
    assert [path.name for path in folder.open_to_others()] == ["sub-DF1.csv"]
    folder.write("DF1", SIX)
    assert folder.open_to_others() == ()
