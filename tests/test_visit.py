"""A whole visit from the desk and back: no terminal is needed, and between first and last page no desktop is seen."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from experiment.design.visit import Visit
from experiment.messages.store import Folder
from experiment.record.dataset import DataSet
from experiment.record.tsv import read_records
from tests.lab import SUBJECT, Lab, by_keyboard, is_closing, is_message, managed, participates, short_protocol
from tests.test_desk import Desk
from tests.test_funnel import coloured_desktop, filmed, takes_over
from tests.test_start import PASSPHRASE, sees_problem, types

if TYPE_CHECKING:
    from tests.lab import Eyes
    from tests.xtest import Hands


@pytest.mark.parametrize("manager", [None, "openbox"])
def test_a_whole_visit_by_keyboard(lab: Lab, hands: Hands, eyes: Eyes, manager: str | None) -> None:
    """Participant, passphrase, form, a computer that is not fit, session, guess, closing page, and back at the desk."""
    lab.messages()
    Folder(lab.folder / "participants").encrypt(PASSPHRASE)
    short_protocol(lab.protocol, guess=True)
    with managed(str(lab.display), manager), coloured_desktop(str(lab.display)), Desk(lab, hands) as desk:
        desk.finds(SUBJECT)
        desk.type("return")
        desk.waits_for("Day Four")
        types(hands, f"ta<tab>0830<tab>no<tab><tab>{PASSPHRASE}<return>")
        sees_problem(lab)
        desk.waits_for("Day Four")
        types(hands, "<tab><tab>a virtual screen<return>")
        sitting, answer = desk.sitting, by_keyboard(hands)
        answer(participates(sitting, answer, is_message).scene)
        with filmed(str(lab.display)) as seen:
            answer(participates(sitting, answer, is_closing).scene)
            eyes.waits_for_focus()
            time.sleep(1.0)
            types(hands, "<down><down><return>")
            takes_over(hands, eyes)
            desk.waits_for("Day Four: the desk")
            time.sleep(0.5)
        assert seen == []
        desk.type("return")
        desk.finds(SUBJECT)
    assert read_records(DataSet(lab.data).guesses, "participant_id", "session_id")
    assert DataSet(lab.data).table_of(Visit(SUBJECT, 1))


def test_a_program_that_dies_leaves_a_page_that_calls_the_assistant(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """Killed in the middle of a session, it leaves no desktop; the chord leads to the assistant's page."""
    lab.messages()
    with coloured_desktop(str(lab.display)), Desk(lab, hands) as desk:
        desk.finds(SUBJECT)
        desk.type("return")
        desk.waits_for("Day Four")
        types(hands, "ta<tab>0830<tab>no<return>")
        sees_problem(lab)
        types(hands, "<tab><tab>a virtual screen<return>")
        answer = by_keyboard(hands)
        participates(desk.sitting, answer, is_message)
        with filmed(str(lab.display)) as seen:
            os.kill(desk.child(), signal.SIGKILL)
            takes_over(hands, eyes)
            desk.waits_for("Day Four: the desk")
            time.sleep(0.5)
        assert seen == []
