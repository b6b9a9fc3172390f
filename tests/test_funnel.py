"""The closing questions: put after the last session only, answered in a form, kept as a table of their own."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from experiment.design.protocol import read_protocol
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.tsv import read_rows
from experiment.storage.exclusive import is_written
from tests.lab import SUBJECT, Lab, by_keyboard, is_closing, participates, short_protocol

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab import Eyes, Sitting
    from tests.xtest import Hands

FUNNEL = "closing questions"


def answers(hands: Hands, eyes: Eyes) -> None:
    """A participant who writes, chooses the second course, and is quite sure."""
    eyes.waits_for_focus()
    for key in ("l", "o", "v", "e", "tab", "down", "down", "tab", "8", "0", "return"):
        hands.tap(key, 0.005)
        time.sleep(0.05)


def to_the_end(sitting: Sitting, hands: Hands) -> None:
    """The session up to its closing page, and past it: its window is gone, and then its transcript is closed."""
    answer = by_keyboard(hands)
    answer(participates(sitting, answer, is_closing).scene)
    assert sitting.transcript
    while is_written(sitting.transcript):
        time.sleep(0.02)


def test_the_last_session_ends_with_the_closing_questions(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """Session 1 ends without them; after session 2 the form asks, and its answers stand in the phenotype table."""
    lab.messages()
    short_protocol(lab.protocol, funnel=True)
    first = lab.runs(session=1)
    to_the_end(first, hands)
    assert (first.ends()[0], DataSet(lab.data).funnel.exists()) == (0, False)
    last = lab.runs(session=2)
    to_the_end(last, hands)
    answers(hands, eyes)
    status, said = last.ends()
    assert (status, FUNNEL in said) == (0, True), said
    row = read_rows(DataSet(lab.data).funnel, "participant_id")[f"sub-{SUBJECT}"]
    assert (row["purpose"], row["drug_course"], float(row["certainty"])) == ("love", "the second", 80.0)
    described = json.loads(DataSet(lab.data).funnel.with_suffix(".json").read_text(encoding="utf-8"))
    assert set(described) == set(row)
    status, said = lab.begins("funnel", "--subject", SUBJECT, *lab.places()[:4]).ends()
    assert (status, "has answered the closing questions already" in said) == (2, True), said


def test_a_form_that_was_closed_can_be_asked_again(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """Closed without answers nothing is saved and the way to ask again is told; asked again, the answers are saved."""
    lab.messages()
    short_protocol(lab.protocol, funnel=True)
    sitting = lab.runs(session=2, anyway="session 1 was elsewhere")
    to_the_end(sitting, hands)
    eyes.waits_for_focus()
    hands.tap("escape")
    status, said = sitting.ends()
    assert (status, f"dayfour funnel --subject {SUBJECT}" in said) == (0, True), said
    again = lab.begins("funnel", "--subject", SUBJECT, *lab.places()[:4])
    answers(hands, eyes)
    assert again.ends()[0] == 0
    assert DataSet(lab.data).has_funnel(SUBJECT)


def test_the_questions_follow_the_last_session(lab: Lab) -> None:
    """Before the last session, and with a protocol that has none, there are no closing questions."""
    status, said = lab.begins("funnel", "--subject", SUBJECT, *lab.places()[:4]).ends()
    assert (status, "has no section [funnel]" in said) == (2, True), said
    short_protocol(lab.protocol, funnel=True)
    status, said = lab.begins("funnel", "--subject", SUBJECT, *lab.places()[:4]).ends()
    assert (status, "not been in session 2" in said) == (2, True), said


def test_answers_are_never_overwritten(tmp_path: Path, lab: Lab) -> None:
    """A second set of answers is refused, and other participants' rows stay, sorted."""
    data, funnel = DataSet(tmp_path), read_protocol(short_protocol(lab.protocol, funnel=True)).funnel
    assert funnel
    given = {"purpose": None, "drug_course": "the first", "certainty": 5.0}
    for subject in ("DF2", "DF1"):
        data.save_funnel(subject, given, funnel)
    with pytest.raises(BadInput, match="never overwritten"):
        data.save_funnel("DF1", given | {"certainty": 100.0}, funnel)
    rows = read_rows(data.funnel, "participant_id")
    assert list(rows) == ["sub-DF1", "sub-DF2"]
    assert (rows["sub-DF1"]["purpose"], rows["sub-DF1"]["certainty"]) == ("n/a", "5.0")
