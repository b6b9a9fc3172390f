"""The closing questions: put after the last session only, answered in a form, kept as a table of their own."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from experiment.design.protocol import read_protocol
from experiment.design.visit import Visit
from experiment.errors import BadInput, EquipmentFailure
from experiment.record import transcript
from experiment.record.closing import (
    closing_log,
    find_answered,
    has_answered,
    list_closing,
    record_closing,
    record_guess,
)
from experiment.record.dataset import DataSet
from experiment.record.remake import remake
from experiment.record.tsv import read_records, read_rows, write_rows
from experiment.storage.exclusive import is_written
from tests.lab import ROOT, SUBJECT, Lab, by_keyboard, is_closing, participates, short_protocol
from tests.strategies import PROTOCOL

if TYPE_CHECKING:
    from pathlib import Path

    from experiment.record.events_beside import Answers
    from tests.lab import Eyes, Sitting
    from tests.xtest import Hands

FUNNEL = "closing questions"
UTC = "2026-03-01T11:00:00+00:00"


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
    assert (status, "has already answered the closing questions" in said) == (2, True), said


def test_each_session_ends_with_the_guess(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """After session 1 the participant is asked what the capsules were, and the answer is a row of that visit."""
    lab.messages()
    short_protocol(lab.protocol, guess=True)
    sitting = lab.runs(session=1)
    to_the_end(sitting, hands)
    eyes.waits_for_focus()
    for key in ("down", "down", "return"):
        hands.tap(key, 0.005)
        time.sleep(0.05)
    status, said = sitting.ends()
    assert (status, "about the treatment" in said) == (0, True), said
    data, visit = DataSet(lab.data), Visit(SUBJECT, 1)
    (row,) = read_records(data.guesses, "participant_id", "session_id")
    assert row == {"participant_id": f"sub-{SUBJECT}", "session_id": "ses-1", "treatment": "placebo (no drug)"}
    with pytest.raises(BadInput, match="already answered"):
        record_guess(data, visit, "2026-12-01T12:00:00+00:00", (), {})
    data.guesses.unlink()
    assert "guess.tsv: made again." in [str(one) for one in remake(data)]
    assert read_records(data.guesses, "participant_id", "session_id") == [row]


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
    assert has_answered(DataSet(lab.data), SUBJECT)


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
    given: Answers = {"purpose": None, "drug_course": "the first", "certainty": 5.0}
    for subject in ("DF2", "DF1"):
        record_closing(data, subject, UTC, funnel.questions, given)
    with pytest.raises(BadInput, match="already answered"):
        record_closing(data, "DF1", UTC, funnel.questions, given | {"certainty": 100.0})
    rows = read_rows(data.funnel, "participant_id")
    assert list(rows) == ["sub-DF1", "sub-DF2"]
    assert (rows["sub-DF1"]["purpose"], rows["sub-DF1"]["certainty"]) == ("n/a", "5.0")


GIVEN: Answers = {"purpose": "love", "drug_course": "the first", "certainty": 5.0}


def test_answers_outlive_a_table_that_cannot_be_written(tmp_path: Path) -> None:
    """They are in a log first, the message says where and what to do, and the table has them once it can be written."""
    data = DataSet(tmp_path)
    assert PROTOCOL.funnel
    data.funnel.mkdir(parents=True)  # nothing can be written there, as while a spreadsheet holds it
    with pytest.raises(EquipmentFailure) as error:
        record_closing(data, "DF1", UTC, PROTOCOL.funnel.questions, GIVEN)
    assert str(closing_log(data, "DF1")) in str(error.value)
    assert "table " in str(error.value)
    assert "--remake" in str(error.value)
    data.funnel.rmdir()
    assert find_answered(data) == {"DF1"}
    assert [str(one) for one in remake(data)] == ["funnel.tsv: made again."]
    assert read_rows(data.funnel, "participant_id")["sub-DF1"]["purpose"] == "love"


def test_answers_outlive_a_lost_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the data folder takes nothing a copy is named, and making tables again puts it back."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(transcript, "CLOSE_S", 0.3)
    data = DataSet(tmp_path / "data")
    assert PROTOCOL.funnel
    closing_log(data, "DF1").parent.mkdir(parents=True)
    with monkeypatch.context() as full:
        full.setattr(os, "write", no_room)
        with pytest.raises(EquipmentFailure, match="saved only here instead") as error:
            record_closing(data, "DF1", UTC, PROTOCOL.funnel.questions, GIVEN)
    (copy,) = home.rglob("*_closing.jsonl")
    assert str(copy) in str(error.value)
    assert not has_answered(data, "DF1")
    assert [one.what for one in remake(data)] == ["sub-DF1_closing.jsonl", "funnel.tsv"]
    assert has_answered(data, "DF1")
    assert list(home.rglob("*")) == []


def no_room(*_: object) -> int:
    """What a full disk says."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_two_computers_at_once_lose_no_answers(tmp_path: Path) -> None:
    """Twelve programs that save at one moment: the table has all twelve, and so has each log."""
    DataSet(tmp_path).prepare()
    code = (
        "import sys; from pathlib import Path; from experiment.record.dataset import DataSet;"
        "from experiment.record.closing import record_closing; from tests.strategies import PROTOCOL;"
        "\nwhile not Path(sys.argv[3]).exists(): pass\n"
        f"record_closing(DataSet(Path(sys.argv[1])), sys.argv[2], {UTC!r}, PROTOCOL.funnel.questions, {GIVEN!r})"
    )
    begin = tmp_path / "now"
    programs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), f"DF{n}", str(begin)], cwd=ROOT) for n in range(12)
    ]
    begin.touch()
    assert [one.wait() for one in programs] == [0] * 12
    assert len(read_rows(DataSet(tmp_path).funnel, "participant_id")) == 12


def test_what_people_wrote_into_the_table_stays(tmp_path: Path) -> None:
    """Rows of an earlier version, columns and corrections are kept when the table is made again."""
    data = DataSet(tmp_path)
    assert PROTOCOL.funnel
    record_closing(data, "DF2", UTC, PROTOCOL.funnel.questions, GIVEN)
    rows = [{"participant_id": "sub-DF1", "purpose": "x", "by": "TA"}, {"participant_id": "sub-DF2", "purpose": "care"}]
    write_rows(data.funnel, rows, first=["participant_id"])
    list_closing(data)
    kept = read_rows(data.funnel, "participant_id")
    assert (kept["sub-DF1"]["by"], kept["sub-DF2"]["purpose"], kept["sub-DF2"]["certainty"]) == ("TA", "care", "5.0")
