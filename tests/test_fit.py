"""A real session is held on a computer that is fit for it, or with a reason that stands in the data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from experiment.design.visit import Visit
from experiment.record import transcript
from experiment.record.dataset import DataSet
from experiment.record.events import TextScene
from tests.lab import LIMIT_S, SUBJECT, TASK, Lab, screenshot

if TYPE_CHECKING:
    from tests.lab import Eyes
    from tests.xtest import Hands


def test_without_a_real_screen_a_session_is_refused(lab: Lab) -> None:
    """A virtual screen has no vsync: status 4, in words with what to do, and nothing is saved or was shown."""
    lab.messages()
    status, said = lab.runs(override="").ends()
    assert status == 4
    assert [part for part in ("vsync", "Use a real screen", '--override "REASON"') if part not in said] == []
    assert not DataSet(lab.data).transcript(Visit(SUBJECT, 1), TASK).exists()


def test_an_override_stands_in_the_data(lab: Lab, hands: Hands) -> None:
    """The transcript's first event has every line of the check with its numbers, and the reason; QA asks to look."""
    lab.messages()
    sitting = lab.runs(override="No other computer is free")
    started = sitting.started()
    assert sitting.leaves(hands)[0] == 3
    items = {item.name: item for item in started.preflight}
    assert {"display", "keyboard", "refresh", "vsync", "data folder", "versions", "priority"} <= set(items)
    assert (items["vsync"].grade, started.override) == ("red", "No other computer is free")
    assert isinstance(items["vsync"].value, float)
    assert lab.begins("replay", lab.data, "--verify").ends()[0] == 0
    assert transcript.read(DataSet(lab.data).transcript(Visit(SUBJECT, 1), TASK)).events[0] == started
    status, _ = lab.begins("qa", lab.data, "--out", lab.folder / "qa").ends()
    findings = (lab.folder / "qa" / "qa_findings.tsv").read_text(encoding="utf-8")
    assert status == 1
    assert "Not fit: " in findings
    assert "No other computer is free" in findings


def test_a_reason_is_more_than_a_word(lab: Lab) -> None:
    """An override without a reason in words is refused before anything opens."""
    lab.messages()
    for reason in ("x", " "):
        status, said = lab.runs(override=reason).ends()
        assert (status, "give the reason in words" in said) == (2, True)


def test_the_form_comes_back_filled_when_the_computer_is_not_fit(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """What keeps the session from beginning is shown above the answers, which stay; a reason typed there runs it."""
    lab.messages(subject="df7")
    given = ("--session", 1, "--operator", "TA", "--answer", "symptoms=none")
    sitting = lab.begins("run", *given, *lab.places())
    eyes.waits_for_focus()
    for key in ("d", "f", "7", "tab", "tab", "tab", "0", "8", "3", "0", "return"):
        hands.tap(key, 0.005)
    assert lab.display
    shows_problem(lab.display)
    eyes.waits_for_focus()
    for key in ("tab", "tab", *"nothing", "space", *"else", "return"):
        hands.tap(key, 0.005)
    started = sitting.started()
    assert (started.session.subject, started.operator, started.override) == ("df7", "TA", "nothing else")
    sitting.shows(lambda scene: isinstance(scene, TextScene) and scene.button is not None)
    assert sitting.interrupts()[0] == 3
    assert "\t08:30\t" in DataSet(lab.data).sessions("df7").read_text()


def shows_problem(display: str) -> None:
    """Until a form shows what is wrong, on its ground of pale red."""
    deadline_s = time.monotonic() + LIMIT_S
    while not (screenshot(display) == (0xFB, 0xE9, 0xE7)).all(axis=2).any():
        assert time.monotonic() < deadline_s, "no problem was shown"
        time.sleep(0.05)
