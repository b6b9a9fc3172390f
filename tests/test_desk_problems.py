"""What the desk does besides sessions: missing messages are imported, and it answers while a command runs."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from experiment.messages.store import Folder
from experiment.study.events import SessionHeld
from experiment.study.register import Register
from tests.assistant import ACCENT, PROBLEM, Desk, pixels_of
from tests.lab import SUBJECT, Lab
from tests.registers import consented, enrolled, started, story, today, write_register
from tests.test_desk import takes_the_problems_button

if TYPE_CHECKING:
    from tests.xtest import Hands

INK = (0x26, 0x23, 0x1F)
NAMES = {"/": "slash", ".": "period"}
TEXT = "I have always been very glad that you are my friend number"
ROWS = [f"{SUBJECT},Writer{n},friend,{TEXT} {n}.\n" for n in (1, 2)]


def test_missing_messages_are_imported_by_keyboard(lab: Lab, hands: Hands) -> None:
    """The button of missing messages opens a window for files, and the file that is named there is imported."""
    table = Path(f"/tmp/df{os.getpid()}.csv")  # noqa: S108 - a name of keys that need no shift
    table.write_text(f"subject,writer,relationship,text\n{''.join(ROWS)}", encoding="utf-8")
    try:
        with Desk(lab, hands) as desk:
            takes_the_problems_button(desk, hands)
            desk.waits_for("Import messages")
            desk.type(*(NAMES.get(letter, letter) for letter in str(table)), "return")
            desk.waits_for("Day Four: the desk")
            desk.shows(lambda screen: pixels_of(PROBLEM)(screen) == 0)
            assert Folder(lab.folder / "participants").subjects() == (SUBJECT,)
    finally:
        table.unlink()


def test_all_of_many_problems_are_shown_and_mended(lab: Lab, hands: Hands) -> None:
    """Of three sessions that did not take place, the last one is recorded so, by keyboard, from the page of all."""
    lab.messages()
    first, subjects = today() - timedelta(days=6), ("DF1", "DF2", "DF3")
    told = [act for place, one in enumerate(subjects, start=1) for act in (
        enrolled(one, place, first), consented(one, first), started(1, first, one, place))]  # fmt: skip
    write_register(lab.data / "study", story(*told))
    with Desk(lab, hands) as desk:
        desk.sees(PROBLEM, (300, 30), 2)
        takes_the_problems_button(desk, hands)
        desk.sees(PROBLEM, (300, 30), 3)
        takes_the_problems_button(desk, hands)
        desk.waits_for("Day Four")
        desk.type("t", "a", "return")
        desk.waits_for("Day Four: the desk")
        desk.shows(lambda screen: pixels_of(PROBLEM)(screen) == 0)
    *_, last = Register(lab.data / "study").entries()
    assert isinstance(last.act, SessionHeld)
    assert (last.act.subject, last.act.status, last.who) == ("DF3", "never_held", "ta")


def test_the_desk_answers_while_a_check_runs(lab: Lab, hands: Hands) -> None:
    """While the computer is checked, an ID that is typed filters the list at once; then the check's page comes."""
    lab.messages()
    first_row = slice(178, 208), slice(35, 350)
    with Desk(lab, hands) as desk:
        desk.shows(lambda screen: pixels_of(INK)(screen[first_row]) > 0)
        with hands.holding("lalt"):
            hands.tap("c")
        check = desk.command("check")
        check.suspend()  # however slow this computer is, it is not over before the list is seen
        desk.type("z", "z")
        desk.shows(lambda screen: pixels_of(INK)(screen[first_row]) == 0)
        check.resume()
        desk.sees(ACCENT, (150, 30))


def stops_a_check(lab: Lab, hands: Hands) -> None:
    """A check is begun and stopped, all by keyboard; then the desk finds a participant again."""
    lab.messages()
    with Desk(lab, hands) as desk:
        desk.finds(SUBJECT)
        with hands.holding("lalt"):
            hands.tap("c")
        check = desk.command("check")
        with hands.holding("lalt"):
            hands.tap("o")
        desk.shows(lambda _: not check.is_running())


def test_a_command_is_stopped(lab: Lab, hands: Hands) -> None:
    """Stop ends the command that runs, and leads back to the desk."""
    stops_a_check(lab, hands)
