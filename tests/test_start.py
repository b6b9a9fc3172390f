"""What keeps a session from beginning is shown in the form, with buttons that decide about it; nothing is lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from experiment.design.visit import Visit
from experiment.messages.store import Folder
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Started
from tests.lab import ASSISTANT, LIMIT_S, SUBJECT, Lab, by_keyboard, is_message, participates, screenshot

if TYPE_CHECKING:
    from tests.lab import Eyes, Sitting
    from tests.xtest import Hands

PROBLEM = (0xFB, 0xE9, 0xE7)
PASSPHRASE = "several words"  # noqa: S105 - of invented messages


def asks(lab: Lab, *more: str) -> Sitting:
    """A real session of which all but the assistant's initials is given."""
    answers = [part for name, value in ASSISTANT.items() for part in ("--answer", f"{name}={value}")]
    return lab.begins("run", "--subject", SUBJECT, "--session", 1, *answers, *lab.places(), *more)


def types(hands: Hands, text: str) -> None:
    """Type a text and the keys in angle brackets, after a moment to look."""
    time.sleep(0.3)
    for part in text.replace("<", "|<").replace(">", "|").split("|"):
        for key in [part[1:]] if part.startswith("<") else part:
            hands.tap({" ": "space"}.get(key, key), 0.003)
            time.sleep(0.01)


def sees_problem(lab: Lab) -> None:
    """Until a problem stands above the form's fields; a whole start of a session may come before."""
    deadline_s = time.monotonic() + 2 * LIMIT_S
    while (screenshot(str(lab.display)) == PROBLEM).all(axis=2).sum() < 10_000:
        assert time.monotonic() < deadline_s, "no problem was shown"
        time.sleep(0.05)


def starts(lab: Lab, sitting: Sitting, count: int) -> list[Started]:
    """The starts of the session, once there are so many."""
    deadline_s = time.monotonic() + LIMIT_S
    while True:
        assert sitting.process.poll() is None, sitting.ends()
        assert time.monotonic() < deadline_s, "it did not begin"
        path = DataSet(lab.data).transcript_of(Visit(SUBJECT, 1))
        events = log.read(path).events if path and log.has_begun(path) else ()
        if len(found := [event for event in events if isinstance(event, Started)]) == count:
            return found
        time.sleep(0.05)


def interrupted(lab: Lab, hands: Hands) -> None:
    """A session that a power cut ended at its first message."""
    sitting = lab.runs()
    participates(sitting, by_keyboard(hands), is_message)
    sitting.process.kill()
    sitting.process.communicate()


def test_a_computer_that_is_not_fit_is_told_in_the_form(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """The form comes back with everything filled in, and a reason there starts the session and is recorded."""
    lab.messages()
    sitting = asks(lab)
    eyes.waits_for_focus()
    types(hands, "ta<return>")
    sees_problem(lab)
    eyes.waits_for_focus()
    types(hands, "<tab><tab>too few<return>")
    started = sitting.started()
    assert (started.operator, started.override, started.answers) == ("ta", "too few", ASSISTANT)


def test_an_interrupted_session_is_resumed_by_a_button(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """The form of an interrupted session says so at once, and its first button resumes it."""
    lab.messages()
    interrupted(lab, hands)
    sitting = asks(lab, "--override", "a virtual screen")
    sees_problem(lab)
    eyes.waits_for_focus()
    types(hands, "<space>")
    types(hands, "ta<return>")
    first, second = starts(lab, sitting, 2)
    assert (first.resumes, bool(second.resumes)) == (None, True)


def test_an_interrupted_session_is_closed_by_a_button(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """Its second button ends it as incomplete, and the program ends with what the disk has."""
    lab.messages()
    interrupted(lab, hands)
    sitting = asks(lab)
    sees_problem(lab)
    eyes.waits_for_focus()
    types(hands, "<tab><space>")
    status, said = sitting.ends()
    assert (status, "closed as incomplete" in said) == (0, True), said


def test_a_session_without_a_message_is_begun_again(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """A session that ended before a message was shown can be begun again in the form, with a reason that is kept."""
    lab.messages()
    first = lab.runs()
    first.started()
    assert first.leaves(hands)[0] == 3
    sitting = asks(lab, "--override", "a virtual screen")
    eyes.waits_for_focus()
    types(hands, "ta<return>")
    sees_problem(lab)
    types(hands, "wrong person<return>")
    deadline_s = time.monotonic() + LIMIT_S
    while not DataSet(lab.data).logs_set_aside(Visit(SUBJECT, 1)):
        assert time.monotonic() < deadline_s, "it was not set aside"
        time.sleep(0.05)
    (again,) = starts(lab, sitting, 1)
    assert again.begun_before


@pytest.mark.parametrize("typed", ["<tab>several words<return>", "<tab>wrong<return>several words<return>"])
def test_the_passphrase_is_a_field_of_the_form(lab: Lab, hands: Hands, eyes: Eyes, typed: str) -> None:
    """Encrypted messages open with the form's passphrase, and a wrong one is said beneath its field."""
    lab.messages()
    Folder(lab.folder / "participants").encrypt(PASSPHRASE)
    sitting = asks(lab, "--override", "a virtual screen")
    eyes.waits_for_focus()
    types(hands, f"ta<tab><tab><tab>{typed}")
    assert sitting.started().operator == "ta"
