"""A whole visit from the desk and back: by one hand, without a terminal, and with no desktop to be seen on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from experiment.design.colours import rgb
from experiment.design.visit import Visit
from experiment.messages.store import Folder
from experiment.record.dataset import DataSet
from experiment.record.tsv import read_records, read_rows
from tests.assistant import ACCENT, PROBLEM, WHITE, Desk, areas, pixels_of
from tests.film import Film
from tests.lab import (
    FEW,
    SUBJECT,
    Lab,
    by_keyboard,
    by_mouse,
    is_closing,
    is_message,
    managed,
    participates,
    short_protocol,
)
from tests.strategies import PROTOCOL
from tests.test_funnel import READY, answers, answers_by_mouse, takes_over
from tests.test_start import PASSPHRASE, sees_problem, types

if TYPE_CHECKING:
    from tests.lab import Eyes, Pixels
    from tests.xtest import Hands

FIELD, BUTTON, ROW = (400, 18), (60, 18), (300, 20)  # the least sizes, in pixels
SELECTED, INK = (0xDC, 0xE8, 0xE9), (0x26, 0x23, 0x1F)
X_PX, TO_ROW_PX = 35, 58  # of the list: its left side, and how far below its top the first row is
OPERATOR, DOSE, SYMPTOMS, SECRET = 2, 3, 4, 6  # places of fields in the form


def has_rows(screen: Pixels) -> bool:
    """Whether somebody is in the first row of the desk's list, which begins level with the button of a session."""
    places = [one.top + TO_ROW_PX for one in areas(screen, ACCENT, BUTTON)]
    return any(pixels_of(INK)(screen[y_px - 15 : y_px + 15, X_PX : 10 * X_PX]) for y_px in places)


class Keyboard:
    """An assistant and a participant who never touch the mouse."""

    def __init__(self, desk: Desk, hands: Hands, eyes: Eyes) -> None:
        self.desk, self.hands, self.eyes = desk, hands, eyes
        self.answer = by_keyboard(hands)

    def chooses(self) -> None:
        """The participant at the desk."""
        self.desk.finds(SUBJECT)
        self.desk.type("return")

    def fills_in(self) -> None:
        """The form, to its start."""
        types(self.hands, f"ta<tab>0830<tab>no<tab><tab>{PASSPHRASE}<return>")

    def overrides(self) -> None:
        """What is not fit, with a reason."""
        types(self.hands, "<tab><tab>a virtual screen<return>")

    def guesses(self) -> None:
        """What the capsules were."""
        types(self.hands, "<down><down><return>")

    def answers(self) -> None:
        """The closing questions."""
        answers(self.hands, self.eyes)

    def goes_back(self) -> None:
        """To the desk."""
        self.desk.type("return")


class Mouse(Keyboard):
    """An assistant and a participant who use the keyboard for nothing but words."""

    def __init__(self, desk: Desk, hands: Hands, eyes: Eyes) -> None:
        super().__init__(desk, hands, eyes)
        self.answer = by_mouse(hands)

    def chooses(self) -> None:
        """The participant's row at the desk, and the button."""
        self.desk.waits_for("Day Four: the desk")
        self.desk.shows(has_rows)
        (start,) = self.desk.sees(ACCENT, BUTTON)
        self.desk.clicks((2 * X_PX, start.top + TO_ROW_PX))
        self.desk.sees(SELECTED, ROW)
        self.desk.clicks(start.middle)

    def fills_in(self) -> None:
        """Each field is clicked, and a choice is made in its list."""
        fields = self.desk.sees(WHITE, FIELD, SECRET + 1)
        for place, words in ((OPERATOR, "ta"), (DOSE, "0830"), (SECRET, PASSPHRASE)):
            self.desk.clicks(fields[place].middle)
            types(self.hands, words)
        self.desk.clicks(fields[SYMPTOMS].middle)
        below_px = fields[SYMPTOMS].middle[0], fields[SYMPTOMS].bottom + 30
        time.sleep(0.5)
        self.desk.clicks(below_px)
        self._starts()

    def overrides(self) -> None:
        """The reason is typed, and a button starts."""
        (problem,) = self.desk.sees(PROBLEM, FIELD)
        reason, anyway = (one for one in self.desk.sees(WHITE, BUTTON, 3) if problem.holds(one))
        self.desk.clicks(reason.middle)
        types(self.hands, "a virtual screen")
        self.desk.clicks(anyway.middle)

    def guesses(self) -> None:
        """The second choice, and the button."""
        self.desk.clicks(self.desk.sees(WHITE, FIELD, 3)[1].middle)
        self._starts()

    def answers(self) -> None:
        """The closing questions."""
        answers_by_mouse(self.hands, self.eyes)

    def goes_back(self) -> None:
        """By its button."""
        self._starts()

    def _starts(self) -> None:
        self.desk.clicks(self.desk.sees(ACCENT, BUTTON)[-1].middle)


@pytest.mark.parametrize("hand", [Keyboard, Mouse])
@pytest.mark.parametrize("manager", [None, "openbox"])
def test_a_whole_visit(lab: Lab, hands: Hands, eyes: Eyes, manager: str | None, hand: type[Keyboard]) -> None:
    """Participant, passphrase, form, a computer that is not fit, session, questions, closing page, desk: by one hand.

    From the form to the assistant's chord nothing of the desktop is uncovered at any moment; and from when the form has
    gone, before the first page, the screen's edges have no colour but the session's own.
    """
    lab.messages()
    Folder(lab.folder / "participants").encrypt(PASSPHRASE)
    short_protocol(lab.protocol, FEW | {"sessions = 2": "sessions = 1"}, guess=True, funnel=True)
    name = str(lab.display)
    with managed(name, manager), Film(name) as film, Desk(lab, hands) as desk:
        one = hand(desk, hands, eyes)
        one.chooses()
        desk.waits_for("Day Four")
        begin_s = time.monotonic()
        one.fills_in()
        sees_problem(lab)
        desk.waits_for("Day Four")
        one.overrides()
        desk.shows(lambda screen: pixels_of(PROBLEM)(screen) == 0)
        alone_s = time.monotonic()
        one.answer(participates(desk.sitting, one.answer, is_closing).scene)
        eyes.waits_for_focus()
        time.sleep(1.0)
        one.guesses()
        one.answers()
        time.sleep(0.5)
        assert film.edges_since(alone_s) == {rgb(PROTOCOL.display.background)}
        takes_over(hands, eyes)
        desk.waits_for("Day Four: the desk")
        assert film.desktop_since(begin_s) == []
        one.goes_back()
        desk.finds(SUBJECT)
    data = DataSet(lab.data)
    assert read_records(data.guesses, "participant_id", "session_id")
    assert read_rows(data.funnel, "participant_id")
    assert data.table_of(Visit(SUBJECT, 1))


def test_a_program_that_dies_leaves_a_page_that_calls_the_assistant(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """Killed in the middle of a session, it leaves no desktop; the chord leads to the assistant's page."""
    lab.messages()
    with Film(str(lab.display)) as film, Desk(lab, hands) as desk:
        desk.finds(SUBJECT)
        desk.type("return")
        desk.waits_for("Day Four")
        types(hands, "ta<tab>0830<tab>no<return>")
        sees_problem(lab)
        types(hands, "<tab><tab>a virtual screen<return>")
        answer = by_keyboard(hands)
        participates(desk.sitting, answer, is_message)
        begin_s = time.monotonic()
        desk.command("run").kill()
        eyes.sees(READY, rgb(PROTOCOL.display.background))  # its window is gone
        desk.shows(lambda screen: pixels_of(INK)(screen) > 0)
        takes_over(hands, eyes)
        desk.waits_for("Day Four: the desk")
        assert film.desktop_since(begin_s) == []


def test_a_film_sees_the_desktop(lab: Lab, hands: Hands) -> None:
    """What the tests above rely on: a window that closes for a moment is in the film, and so is its colour."""
    with Film(str(lab.display)) as film:
        begin_s = time.monotonic()
        lab.messages()
        with Desk(lab, hands) as desk:
            desk.sees(ACCENT, (150, 30))
            covered_s = time.monotonic()
            assert film.desktop_since(covered_s) == []
        time.sleep(0.2)
        assert film.desktop_since(covered_s) != []
        assert film.edges_since(begin_s) > {(0xFF, 0x00, 0xFF)}
