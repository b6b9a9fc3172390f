"""The closing questions: asked after a session on pages of their own, and kept as a table of their own."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import subprocess
import sys
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from experiment.analysis.observed import read_guesses
from experiment.design.colours import rgb
from experiment.design.form_questions import AskedQuestion, FormWords
from experiment.design.protocol import read_protocol
from experiment.design.visit import Visit
from experiment.drawing.stimuli import check_wording_fits
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
from experiment.storage.limits import LETTERS
from experiment.storage.lock import is_written
from experiment.task.layout import MINIMUM_SIZE_PX, Layout
from tests.film import DESKTOP, Film
from tests.lab import FEW, LIMIT_S, SUBJECT, Lab, by_keyboard, chord, is_closing, managed, participates, short_protocol
from tests.places import ROOT
from tests.registers import run_session
from tests.strategies import PROTOCOL
from tests.test_keyboard import keyboard

if TYPE_CHECKING:
    from pathlib import Path

    from experiment.record.events_beside import Answers
    from tests.lab import Eyes, Sitting
    from tests.xtest import Hands

FUNNEL = "closing questions"
UTC = "2026-03-01T11:00:00+00:00"
BUTTON, CENTRE_PX = Layout(1280, 720).button, (640, 360)
WHITE, CHOICE, FIELD = (255, 255, 255), (190, 1000), (226, 1000)  # FIELD, of words, lies in the gap between choices
SURE_PX, LINE_Y_PX = 880, 269  # 80 on the line from 0 to 100
BUTTON_PX = (CENTRE_PX[0] + BUTTON.x_px, CENTRE_PX[1] - BUTTON.y_px)
READY = (BUTTON_PX[1] - 20, BUTTON_PX[0] - 120)  # row and column of a pixel that the button fills once it is ready


def answers(hands: Hands, eyes: Eyes) -> None:
    """By keyboard alone: words, nobody had told, the second course, quite sure."""
    eyes.sees(FIELD, WHITE)
    eyes.sees(READY, rgb(PROTOCOL.display.accent))
    eyes.waits_for_focus()
    taps(hands, *"love", "return")
    for *keys, confirm in (("down", "return"), ("2", "space"), ("8", "0", "return")):
        eyes.sees(READY, rgb(PROTOCOL.display.background))
        taps(hands, *keys)
        eyes.sees(READY, rgb(PROTOCOL.display.accent))
        taps(hands, confirm)


def answers_by_mouse(hands: Hands, eyes: Eyes) -> None:
    """By mouse alone: no words, nobody had told, the second course, quite sure."""
    eyes.sees(FIELD, WHITE)
    eyes.sees(READY, rgb(PROTOCOL.display.accent))
    hands.click(*BUTTON_PX)
    for place_px in ((700, 190), (700, 250), (SURE_PX, LINE_Y_PX)):
        eyes.sees(READY, rgb(PROTOCOL.display.background))
        hands.click(*place_px)
        eyes.sees(READY, rgb(PROTOCOL.display.accent))
        hands.click(*BUTTON_PX)


def taps(hands: Hands, *keys: str) -> None:
    """One key after the other."""
    for key in keys:
        hands.tap(key, 0.005)
        time.sleep(0.05)


def to_the_end(sitting: Sitting, hands: Hands) -> None:
    """The session up to its closing page, and past it: its window is gone, and then its transcript is closed."""
    answer = by_keyboard(hands)
    answer(participates(sitting, answer, is_closing).scene)
    assert sitting.transcript
    while is_written(sitting.transcript):
        time.sleep(0.02)


def takes_over(hands: Hands, eyes: Eyes) -> None:
    """The assistant's chord on the closing page, which has no button."""
    eyes.sees(READY, rgb(PROTOCOL.display.background))
    time.sleep(0.3)
    chord(hands)


@pytest.mark.parametrize("manager", [None, "openbox"])
def test_the_last_session_ends_with_the_closing_questions(
    lab: Lab, hands: Hands, eyes: Eyes, manager: str | None
) -> None:
    """Between the task and the assistant's chord nobody sees the desktop, with and without a window manager."""
    lab.messages()
    short_protocol(lab.protocol, funnel=True)
    assert lab.display
    with managed(lab.display, manager), Film(lab.display) as film:
        last = lab.runs(session=2, anyway="session 1 was elsewhere")
        answer = by_keyboard(hands)
        page = participates(last, answer, is_closing).scene
        begin_s = time.monotonic()
        answer(page)
        (answers if manager else answers_by_mouse)(hands, eyes)
        eyes.sees(READY, rgb(PROTOCOL.display.background))
        hands.tap("escape")
        eyes.asks_to_close()
        time.sleep(0.3)
        assert last.process.poll() is None
        assert film.desktop_since(begin_s) == []
        chord(hands)
        status, said = last.ends()
        eyes.sees((2, 0), DESKTOP)
    assert (status, FUNNEL in said) == (0, True), said
    row = read_rows(DataSet(lab.data).funnel, "participant_id")[f"sub-{SUBJECT}"]
    assert (row["purpose"], row["told"], row["drug_course"]) == ("love" if manager else "n/a", "no", "the second")
    assert float(row["certainty"]) == 80.0
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
    eyes.sees(CHOICE, WHITE)
    eyes.waits_for_focus()
    taps(hands, "return", "down", "down", "return")
    takes_over(hands, eyes)
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


def test_a_slip_of_the_hand_answers_no_question(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """A key that is held and a double click confirm one question each, also where the next one may be left out."""
    path = short_protocol(lab.protocol, FEW | {"page_minimum_s = 0.1": "page_minimum_s = 0.6"}, funnel=True)
    asked = "".join(f'[[funnel.questions]]\nid = "{name}"\ntext = "{name}?"\nkind = "text"\n' for name in "abc")
    text = re.sub(r"\[\[funnel.questions.*(?=\n# What )", asked, path.read_text(encoding="utf-8"), flags=re.DOTALL)
    path.write_text(text, encoding="utf-8")
    run_session(DataSet(lab.data), Visit(SUBJECT, 2), datetime.now(timezone.utc))
    sitting = lab.begins("funnel", "--subject", SUBJECT, *lab.places()[:4])
    eyes.waits_for_focus()
    for name in "abc":
        eyes.sees(READY, rgb(PROTOCOL.display.accent))
        taps(hands, name)
        if name == "a":
            with hands.holding("return"):
                time.sleep(2.0)  # repeats begin after 0.7 s
        elif name == "b":
            hands.click(*BUTTON_PX)
            time.sleep(0.15)
            hands.click(*BUTTON_PX)
            eyes.sees(READY, rgb(PROTOCOL.display.background))
        else:
            hands.tap("return")
    assert sitting.ends()[0] == 0
    row = read_rows(DataSet(lab.data).funnel, "participant_id")[f"sub-{SUBJECT}"]
    assert [row[name] for name in "abc"] == ["a", "b", "c"]


def test_who_looks_at_the_desktop_is_led_back(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """Where a window manager takes all windows off the screen at once, the question comes back, with the keyboard."""
    short_protocol(lab.protocol, funnel=True)
    run_session(DataSet(lab.data), Visit(SUBJECT, 2), datetime.now(timezone.utc))
    with managed(str(lab.display), "openbox"), Film(str(lab.display)) as film:
        sitting = lab.begins("funnel", "--subject", SUBJECT, *lab.places()[:4])
        eyes.sees(FIELD, WHITE)
        eyes.waits_for_focus()
        begin_s = time.monotonic()
        with hands.holding("lwindows"):
            hands.tap("d")
        while not film.desktop_since(begin_s):
            assert time.monotonic() < begin_s + LIMIT_S, "no desktop was shown"
            time.sleep(0.01)
        answers(hands, eyes)
        assert sitting.ends()[0] == 0
    assert read_rows(DataSet(lab.data).funnel, "participant_id")[f"sub-{SUBJECT}"]["purpose"] == "love"


def test_what_was_left_can_be_asked_again(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """The chord, on a Russian keyboard too, ends the questions: answers are kept, and they can be asked again."""
    lab.messages()
    short_protocol(lab.protocol, funnel=True)
    sitting = lab.runs(session=2, anyway="session 1 was elsewhere")
    to_the_end(sitting, hands)
    eyes.sees(FIELD, WHITE)
    taps(hands, "h", "m", "return")
    assert lab.display
    with keyboard(lab.display, "ru"):
        with hands.holding("lctrl", "lshift"):
            hands.tap("p", 1.0)  # so long that it repeats; it leaves the questions, and not the page after them
        assert sitting.process.poll() is None
        takes_over(hands, eyes)
    status, said = sitting.ends()
    assert (status, f"dayfour funnel --subject {SUBJECT}" in said) == (0, True), said
    data = DataSet(lab.data)
    assert not has_answered(data, SUBJECT)
    assert read_rows(data.funnel, "participant_id")[f"sub-{SUBJECT}"]["told"] == "n/a"
    again = lab.begins("funnel", "--subject", SUBJECT, *lab.places()[:4])
    answers(hands, eyes)
    assert again.ends()[0] == 0
    assert has_answered(data, SUBJECT)
    assert read_rows(data.funnel, "participant_id")[f"sub-{SUBJECT}"]["told"] == "no"


def test_what_was_left_is_followed_by_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Left questions are a line of the log, and the answers the next one, also where the disk takes them only later."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setattr(transcript, "CLOSE_S", 0.3)
    data = DataSet(tmp_path / "data")
    assert PROTOCOL.funnel
    asked = PROTOCOL.funnel.questions
    record_closing(data, "DF1", UTC, asked, dict.fromkeys(GIVEN), left=True)
    assert (has_answered(data, "DF1"), find_answered(data)) == (False, set())
    record_closing(data, "DF1", UTC, asked, {"purpose": "x"}, left=True)
    with monkeypatch.context() as full:
        full.setattr(os, "write", no_room)
        with pytest.raises(EquipmentFailure, match="saved only here instead"):
            record_closing(data, "DF1", UTC, asked, GIVEN)
    assert [one.what for one in remake(data)] == ["sub-DF1_closing.jsonl", "funnel.tsv"]
    assert (has_answered(data, "DF1"), find_answered(data)) == (True, {"DF1"})
    with pytest.raises(BadInput, match="already answered"):
        record_closing(data, "DF1", UTC, asked, GIVEN)
    assert len(closing_log(data, "DF1").read_bytes().splitlines()) == 3
    assert read_rows(data.funnel, "participant_id")["sub-DF1"]["drug_course"] == "the first"


@pytest.mark.parametrize("first", ["DF1", "DF2"])
def test_a_guess_in_another_language_means_the_same(tmp_path: Path, first: str) -> None:
    """Choices in two languages are one question's: each counts by its place, whoever was asked first."""
    guess, data = PROTOCOL.guess, DataSet(tmp_path)
    assert guess
    (english,) = guess.questions
    german = replace(english, choices=("der Wirkstoff", "ein Placebo", "unklar"))
    asked = {"DF1": (english, 0), "DF2": (german, 1)}
    for subject in sorted(asked, key=lambda one: one != first):
        question, chosen = asked[subject]
        record_guess(data, Visit(subject, 1), UTC, (question,), {"treatment": question.choices[chosen]})
    record_guess(data, Visit("DF3", 1), UTC, (german,), {"treatment": "unklar"})
    assert read_guesses(data) == {"after session 1": {"sub-DF1": 1, "sub-DF2": 2, "sub-DF3": None}}


@pytest.mark.parametrize(
    "asked",
    [
        {"finish_button": "Finish all of the questions now and call the assistant"},
        {"heading": 20 * "a few last questions "},
        {"words": FormWords(next_button="Continue with the question that comes after this one")},
        {"questions": (AskedQuestion("why", 60 * "What do you think? ", "text"),)},
    ],
    ids=lambda asked: str(*asked),
)
def test_closing_words_that_have_no_room_are_told_before_a_session(asked: dict[str, Any]) -> None:
    """A button, heading or question of the closing questions that is too long is named; those of the lab fit."""
    layout = Layout(*MINIMUM_SIZE_PX)
    check_wording_fits(PROTOCOL, layout)
    assert PROTOCOL.funnel
    with pytest.raises(BadInput, match="is too long"):
        check_wording_fits(replace(PROTOCOL, funnel=replace(PROTOCOL.funnel, **asked)), layout)


def test_the_protocol_says_after_which_sessions_a_question_is_asked() -> None:
    """Each question of the guess comes after each session, the last, or those listed; the funnel at the end."""
    guess = PROTOCOL.guess
    assert guess
    (one,) = guess.questions
    asked = {
        after: [
            bool(replace(guess, questions=(replace(one, after=after),)).asked_after(session, 3))
            for session in (1, 2, 3)
        ]
        for after in (UNSET, "each", "last", (1, 2))
    }
    assert list(asked.values()) == [[True] * 3, [True] * 3, [False, False, True], [True, True, False]]
    assert PROTOCOL.questions_after(1) == (guess, None)
    assert PROTOCOL.questions_after(2) == (guess, PROTOCOL.funnel)


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


def test_answers_that_were_replaced_leave_the_tables(tmp_path: Path) -> None:
    """The tables say what the last line of each log says, but for what people wrote, and are mended if they do not."""
    data, visit = DataSet(tmp_path), Visit("DF1", 1)
    assert PROTOCOL.funnel
    assert PROTOCOL.guess
    asked, guessed = PROTOCOL.funnel.questions, PROTOCOL.guess.questions
    record_closing(data, "DF1", UTC, asked, {"purpose": "love", "told": "no", "certainty": 5.0}, left=True)
    record_guess(data, visit, UTC, guessed, {"treatment": "the drug"}, left=True)
    written = {"participant_id": "sub-DF1", "purpose": "love", "told": "no, or so", "certainty": "5.0", "by": "TA"}
    write_rows(data.funnel, [written], first=["participant_id"])
    earlier = {path: path.read_bytes() for path in (data.funnel, data.guesses)}
    record_closing(data, "DF1", UTC, asked, {"purpose": "drugs", "told": "yes", "certainty": None})
    record_guess(data, visit, UTC, guessed, {"treatment": "a placebo"})
    for _ in range(2):
        row = read_rows(data.funnel, "participant_id")["sub-DF1"]
        assert [row[name] for name in ("purpose", "told", "certainty", "by")] == ["drugs", "no, or so", "n/a", "TA"]
        assert [one["treatment"] for one in read_records(data.guesses, "participant_id", "session_id")] == ["a placebo"]
        for path, content in earlier.items():
            path.write_bytes(content)
        assert [str(one) for one in remake(data)] == ["funnel.tsv: made again.", "guess.tsv: made again."]


def test_an_answer_of_any_length_leaves_the_tables_readable(tmp_path: Path) -> None:
    """A table with a cell that is longer than Python reads by itself takes further rows, and is made again."""
    data = DataSet(tmp_path)
    assert PROTOCOL.funnel
    csv.field_size_limit(2**17)  # as in a new process
    for subject, purpose in (("DF1", 2**18 * "x"), ("DF2", "love")):
        record_closing(data, subject, UTC, PROTOCOL.funnel.questions, GIVEN | {"purpose": purpose})
    assert [len(row["purpose"]) for row in read_rows(data.funnel, "participant_id").values()] == [2**18, 4]
    data.funnel.unlink()
    assert [str(one) for one in remake(data)] == ["funnel.tsv: made again."]


def test_what_is_pasted_over_and_over_is_cut() -> None:
    """Doubling an answer by select all, copy, paste and paste ends at the length of a cell; less is pasted whole."""
    code = """
from PyQt6.QtWidgets import QApplication, QPlainTextEdit
from experiment.cli.closing_answers import Words
from experiment.cli.closing_pages import Look
from tests.strategies import PROTOCOL

running = QApplication([])
words = Words(Look(PROTOCOL, 1280, 720), is_time=False)
field = words.findChild(QPlainTextEdit)
running.clipboard().setText("two\\nlines" + 1000 * "x")
field.paste()
print(len(words.given))
for _ in range(8):
    field.selectAll()
    field.copy()
    field.paste()
    field.paste()
field.insertPlainText("typed")
field.paste()
print(len(words.given))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == ["1009", str(LETTERS + len("typed"))]
