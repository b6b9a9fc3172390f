"""A participant's messages are read on the screen, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiment.design.message import read_messages
from experiment.messages.store import Folder
from tests.lab import SUBJECT, Lab, by_keyboard, finishes, is_closing, is_message, participates, short_protocol

if TYPE_CHECKING:
    from experiment.record.events import Scene
    from tests.xtest import Hands

PASSPHRASE = "correct horse battery"  # noqa: S105 - nothing but invented messages is kept with it
FOUR = [("english", 0), ("english", 1), ("emoji", 1), ("scripts", 1)]


def words(messages: Path) -> set[str]:
    """Every four words that follow each other on a line of a message."""
    lines = [line.split() for message in read_messages(messages) for line in message.text.splitlines()]
    return {" ".join(line[at : at + 4]) for line in lines for at in range(len(line) - 3)}


def sealed(lab: Lab) -> set[str]:
    """Encrypt four messages for two sessions, by the command; the words that nobody should find afterwards."""
    short_protocol(lab.protocol, {"messages = 6": "messages = 2", 'message_sets = "same"': 'message_sets = "split"'})
    secret = words(lab.messages(*FOUR))
    assert len(secret) > 50
    status, said = lab.begins("messages", "encrypt", *lab.places()[-2:], typed=f"{PASSPHRASE}\n").ends()
    assert status == 0, said
    return secret


def tells(secret: set[str], *texts: str) -> set[str]:
    """Those of the words that stand in a text."""
    return {word for word in secret for text in texts if word in text}


def files_of(lab: Lab) -> list[str]:
    """The content of every file that the lab has, but for the protocol."""
    found = [path for path in lab.folder.rglob("*") if path.is_file() and path != lab.protocol]
    return [path.read_bytes().decode("utf-8", "replace") for path in found]


def test_two_sessions_with_encrypted_messages_show_each_once(lab: Lab, hands: Hands) -> None:
    """With the passphrase both sessions show their own two of four messages; no file and no word said holds a text."""
    secret, read = sealed(lab), list[str]()
    for session in (1, 2):
        sitting, answer = lab.runs(session=session, typed=f"{PASSPHRASE}\n"), by_keyboard(hands)

        def notes(scene: Scene) -> None:
            if is_message(scene):
                read.append(getattr(scene, "message_id", ""))
            answer(scene)  # noqa: B023 - it is used up within the loop

        status, said = finishes(sitting, notes)
        assert (status, tells(secret, said, *files_of(lab))) == (0, set()), said
    assert sorted(read) == ["m1", "m2", "m3", "m4"]
    status, said = lab.begins("messages", "forget", "--subject", SUBJECT, "--yes", *lab.places()[-2:]).ends()
    assert (status, Folder(lab.folder / "participants").subjects()) == (0, ())
    status, said = lab.begins("replay", lab.data, "--verify").ends()
    assert status == 0, said


@pytest.mark.parametrize("typed", ["wrong horse battery\n", "\n"])
def test_without_the_passphrase_nothing_begins(lab: Lab, typed: str) -> None:
    """Another passphrase, or none, ends the program with status 2 before any window, and nothing is saved."""
    sealed(lab)
    status, said = lab.runs(typed=typed).ends()
    assert (status, "Wrong passphrase" in said) == (2, True), said
    assert not lab.table().exists()


def test_a_session_that_dies_leaves_no_text(lab: Lab, hands: Hands) -> None:
    """After SIGKILL while a message is on the screen, no file of the lab holds a word of it."""
    secret = sealed(lab)
    sitting = lab.runs(typed=f"{PASSPHRASE}\n")
    participates(sitting, by_keyboard(hands), lambda scene: is_message(scene) or is_closing(scene))
    sitting.process.kill()
    sitting.process.wait()
    assert tells(secret, *files_of(lab)) == set()
