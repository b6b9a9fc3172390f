"""The desk: what it shows is read from register, data and messages, and its buttons run the commands."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from Xlib import X
from Xlib.display import Display
from Xlib.error import BadWindow

from experiment.cli.desk.computer import states
from experiment.cli.desk.facts import NO_REGISTER, Line, read_facts
from experiment.cli.desk.places import Places
from experiment.record.finding import Finding
from experiment.study.status import Urgency
from tests.lab import LIMIT_S, SUBJECT, Lab, screenshot
from tests.registers import consented, enrolled, started, story, write_register

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab import Sitting
    from tests.xtest import Hands

TODAY = datetime.now(timezone.utc).date()
ACCENT = (0x2F, 0x5D, 0x62)


def places(lab: Lab) -> Places:
    """Where the laboratory's files are."""
    return Places(lab.protocol, lab.folder / "participants", lab.data)


def on_day_four(lab: Lab, subject: str = SUBJECT) -> None:
    """A study in which this participant's first session is due today."""
    first = TODAY - timedelta(days=3)
    told = (enrolled(subject, day=first), consented(subject, first), started(1, first, subject))
    write_register(lab.data / "study", story(*told))


class Desk:
    """The open desk, as somebody in front of it sees and works it."""

    def __init__(self, lab: Lab, hands: Hands, **options: str) -> None:
        self.sitting: Sitting = lab.begins(*lab.places(), **options)
        self._hands, self._name = hands, str(lab.display)
        self._display = Display(self._name)
        self.waits_for("Day Four: the desk")

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self._display.close()
        end(self.sitting)

    def waits_for(self, title: str) -> None:
        """Until the window with this title has the keyboard."""
        self._until(lambda: self._has_focus(title))

    def shows(self, wanted: Callable[[np.ndarray], bool]) -> None:
        """Until what is on the screen is so."""
        self._until(lambda: wanted(screenshot(self._name)))

    def finds(self, subject: str) -> None:
        """Type an ID, once the desk has its participants."""
        self.waits_for("Day Four: the desk")
        self.shows(lambda screen: pixels_of(ACCENT)(screen) > 5000)
        self.type(*subject.lower())

    def child(self) -> int:
        """The process id of the command that runs."""
        return int(psutil.Process(self.sitting.process.pid).children()[0].pid)

    def type(self, *keys: str) -> None:
        """Press these keys, one after the other."""
        for key in keys:
            self._hands.tap(key, 0.005)
            time.sleep(0.02)

    def presses(self, letter: str) -> None:
        """The button with this letter underlined."""
        with self._hands.holding("lalt"):
            self._hands.tap(letter)

    def _has_focus(self, title: str) -> bool:
        focus = self._display.get_input_focus().focus
        try:
            return bool(getattr(focus, "id", X.NONE) > 1 and focus.get_wm_name() == title)
        except BadWindow:  # it has closed since
            return False

    def _until(self, happened: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + LIMIT_S
        while not happened():
            assert time.monotonic() < deadline_s, "it did not happen"
            time.sleep(0.02)


def end(sitting: Sitting) -> None:
    """Nothing that a program started goes on."""
    for one in [*psutil.Process(sitting.process.pid).children(recursive=True), sitting.process]:
        one.kill()
    sitting.process.communicate()


def pixels_of(colour: tuple[int, int, int]) -> Callable[[np.ndarray], int]:
    """How many pixels of a screenshot have this colour."""
    return lambda screen: int((screen == colour).all(axis=2).sum())


def test_with_a_register_the_desk_lists_what_today_needs(lab: Lab) -> None:
    """A participant on day four needs the session, dose and report, and is told to have no messages."""
    on_day_four(lab)
    (lab.folder / "participants").mkdir()
    facts = read_facts(places(lab))
    (line,) = facts.lines
    assert (line.subject, line.session, line.messages, line.is_today) == (SUBJECT, 1, "missing", True)
    assert "session 1" in line.needs
    assert "dose" in line.needs
    assert "report" in line.needs
    assert [one.text for one in facts.troubles if "no messages" in one.text]
    lab.messages()
    facts = read_facts(places(lab))
    assert (facts.lines[0].messages, facts.troubles) == ("imported", ())


def test_without_a_register_the_desk_lists_the_data_folder(lab: Lab) -> None:
    """Everybody with messages or data is there, with the session that comes next."""
    lab.messages()
    facts = read_facts(places(lab))
    assert facts.heading == NO_REGISTER
    assert [(line.subject, line.needs, line.session) for line in facts.lines] == [(SUBJECT, "session 1", 1)]


def test_what_cannot_be_read_is_said(lab: Lab) -> None:
    """A lost register is a trouble with a button, not an error."""
    (lab.data / "study").mkdir(parents=True)
    (lab.data / "study" / "head.json").write_text('{"size": 10, "sha256": "0"}', encoding="utf-8")
    (trouble,) = read_facts(places(lab)).troubles[-1:]
    assert "register" in trouble.text


def test_a_computer_is_judged_in_a_line(tmp_path: Path) -> None:
    """The worst of what was found is named, for the computer and for the data folder."""
    found = [
        Finding("power", "warning", "on battery"),
        Finding("clock", "ok", "right"),
        Finding("free disk", "ok", "3 GB"),
    ]
    of_computer, of_folder = states(found, tmp_path)
    assert (of_computer.severity, of_computer.text) == ("warning", "This computer: look at: power (on battery)")
    assert (of_folder.severity, of_folder.text) == ("ok", f"Data folder {tmp_path}, 3 GB free: no problems found")


def test_the_desk_opens_the_form_of_who_is_found(lab: Lab, hands: Hands) -> None:
    """An ID and Return at the desk open the form of that participant; cancelled, the desk is there again."""
    lab.messages()
    with Desk(lab, hands) as desk:
        desk.finds(SUBJECT)
        desk.type("return")
        desk.waits_for("Day Four")
        desk.type("escape")
        desk.waits_for("Day Four: the desk")


def test_without_a_display_the_desk_says_what_to_do(lab: Lab) -> None:
    """Without a display no window is opened, and the help is named."""
    bare = Lab(None, lab.folder)
    status, said = bare.begins().ends()
    assert (status, "./dayfour --help" in said) == (4, True), said


@pytest.mark.parametrize("urgency", [Urgency.overdue, Urgency.done])
def test_only_what_is_due_is_of_today(urgency: Urgency) -> None:
    """Who is done is not among those of today, who is overdue is."""
    assert Line("a", "", "", "", "", urgency).is_today == (urgency is Urgency.overdue)
