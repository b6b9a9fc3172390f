"""Shows each window of a visit in one language, and says what is where: `python -m tests.looks LANGUAGE FOLDER`.

Run on a display of its own. For each window it writes a picture of the screen (PNG) and what Qt knows of it (JSON): the
words of every label, button and field that is seen, their places in the screen's pixels, and whether the words have
room there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import ImageGrab
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QWidget,
)

from experiment.cli import form
from experiment.cli.closing_pages import QuestionPage, TextPage
from experiment.cli.closing_window import ClosingWindow
from experiment.cli.desk.facts import Facts, ParticipantLine, State
from experiment.cli.desk.places import Places
from experiment.cli.desk.troubles import Trouble
from experiment.cli.desk.window import Desk
from experiment.cli.form import CLOSE, RESUME, RUN_ANYWAY, Problem
from experiment.cli.form_window import Dialog, FormPage, application
from experiment.design.form_questions import FormWords
from experiment.design.protocol import read_protocol
from experiment.design.protocol_files import find_protocol
from experiment.study.status import Urgency
from experiment.task.scenes import participant_page

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol

STEADY_S = 0.3
WRAPPED = int(Qt.TextFlag.TextWordWrap)
KNOWN = {"subject": "DF017", "session": "2", "operator": "TA", "last_dose": "25:00"}
TROUBLES = (
    Trouble("Session 1 of sub-DF004 was interrupted. 2 of 6 messages have been rated, as the disk has them.", "Resume"),
    Trouble("There are no messages of sub-DF021 here, and session 2 is due today."),
)
LINES = tuple(
    ParticipantLine(f"DF{number:03}", needs, messages, where, notes, urgency, session)
    for number, needs, messages, where, notes, urgency, session in (
        (4, "session 1; dose; evening report", "imported", "course 1, day 4", "", Urgency.overdue, 1),
        (21, "session 2; dose; report", "missing", "course 2, day 4", "a note by the coordinator", Urgency.due, 2),
        (17, "dose; evening report", "imported", "course 1, day 2", "", Urgency.due, None),
    )
)  # fmt: skip


def show_desk(protocol: Path) -> QWidget:
    """The desk, with a morning of three participants and two problems."""
    desk = Desk(Places(protocol, Path("participants"), Path("data")))
    shown = Facts("Day 12 of the study: 3 of 80 participants need something today.", LINES, TROUBLES)
    for signal, given in ((desk.read, shown), (desk.measured, [])):
        signal.disconnect()
        del given
    front = desk._front
    front.show_facts(shown)
    front.show_states(
        State("This computer: look at: power (on battery)", "warning"),
        State("Data folder data, 3 GB free: no problems found", "ok"),
        (),
    )
    desk.setGeometry(QApplication.primaryScreen().geometry())  # type: ignore[union-attr]
    desk.showMaximized()
    return desk


def show_form(protocol: Protocol, problem: Problem) -> QWidget:
    """The form, with an answer that is wrong and an ID that nobody has."""
    questions = (*form.fields(protocol), form.PASSPHRASE)
    dialog = Dialog(FormPage(
        "Before the session", questions, "Start", lambda _, __: None,
        lambda field, given: form.check_field(field, given, protocol, {"DF071", "DF017B"}),
        known=KNOWN, problem=problem,
    ))  # fmt: skip
    dialog.show()
    for name in ("subject", "last_dose"):
        field = dialog._fields[name]
        field.show_error(field._check(field.given))
    dialog._fit()
    return dialog


def show_closing(protocol: Protocol, window: ClosingWindow, number: int) -> None:
    """A page after the task: a closing question, or the last page."""
    asked = protocol.funnel.questions if protocol.funnel else ()
    ratio = window.devicePixelRatioF()
    page: QWidget = TextPage(
        protocol, participant_page(protocol, protocol.wording.closing),
        round(window.width() * ratio), round(window.height() * ratio),
    )  # fmt: skip
    if number < len(asked):
        words = protocol.funnel.words if protocol.funnel and protocol.funnel.words else FormWords()
        heading = f"{protocol.funnel.heading}   {number + 1} / {len(asked)}" if protocol.funnel else ""
        page = QuestionPage(asked[number], heading, words.next_button, words, window._look, 0.0, lambda _: None)
    if (old := window._column.takeAt(0)) is not None and (widget := old.widget()) is not None:
        widget.hide()
    window._column.addWidget(page)
    if isinstance(page, QuestionPage):
        page.begin()
        if number:
            page.refuse()


def words_of(widget: QWidget) -> str:
    """What is written on it."""
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text()
    if isinstance(widget, QLineEdit):
        return widget.text() or widget.placeholderText()
    if isinstance(widget, QComboBox):
        return widget.currentText() or widget.placeholderText()
    return ""


def facts_of(window: QWidget) -> list[dict[str, Any]]:
    """Every widget with words that is seen, in the screen's pixels."""
    ratio, told = window.devicePixelRatioF(), []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or not isinstance(
            widget, QLabel | QAbstractButton | QLineEdit | QComboBox | QPlainTextEdit
        ):
            continue
        if (seen := widget.visibleRegion().boundingRect()).isEmpty():
            continue  # the page can be scrolled to it
        corner, below = widget.mapToGlobal(seen.topLeft()), widget.mapToGlobal(seen.bottomRight())
        room = widget.contentsRect()
        text = words_of(widget).replace("&", "") if isinstance(widget, QAbstractButton) else words_of(widget)
        if isinstance(widget, QPushButton):
            option = QStyleOptionButton()
            widget.initStyleOption(option)
            room = QApplication.style().subElementRect(  # type: ignore[union-attr]
                QStyle.SubElement.SE_PushButtonContents, option, widget
            )
        wrapped = isinstance(widget, QLabel) or type(widget).__name__ == "OptionButton"
        flags = WRAPPED if wrapped else 0
        needed = widget.fontMetrics().boundingRect(QRect(0, 0, room.width(), 10_000), flags, text)
        told.append({
            "kind": type(widget).__name__, "name": widget.objectName(), "text": text, "enabled": widget.isEnabled(),
            "place": [round(ratio * one) for one in (corner.x(), corner.y(), below.x() + 1, below.y() + 1)],
            "has_room": not text or (needed.width() <= room.width() and needed.height() <= room.height()),
            "is_across": seen.width() == widget.width(), "is_whole": seen.size() == widget.size(),
        })  # fmt: skip
    return told


def take(window: QWidget, folder: Path, name: str) -> None:
    """The picture and what Qt knows, once the window is painted."""
    deadline_s = time.monotonic() + STEADY_S
    while time.monotonic() < deadline_s:
        QApplication.processEvents()
        time.sleep(0.01)
    ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).convert("RGB").save(folder / f"{name}.png")
    (folder / f"{name}.json").write_text(json.dumps(facts_of(window), ensure_ascii=False, indent=1), encoding="utf-8")


def main(language: str, folder: Path) -> None:
    """All windows, one after the other."""
    path = find_protocol(Path(language)) if language != "en" else Path("stimuli/protocol.toml")
    protocol = read_protocol(path)
    running = application()
    desk = show_desk(path)
    take(desk, folder, "desk")
    for name, problem in (
        ("form", Problem()),
        ("unfit", Problem("vsync: flips do not wait for the screen. Use a real screen.", (RUN_ANYWAY,), "Check again")),
        ("interrupted", Problem("Session 2 of sub-DF017 was interrupted. 2 of 6 messages are rated.", (RESUME, CLOSE))),
    ):
        shown = show_form(protocol, problem)
        take(shown, folder, name)
        shown.hide()
    window = ClosingWindow(protocol, full_screen=True)
    window.open()
    for number in range(len(protocol.funnel.questions if protocol.funnel else ()) + 1):
        show_closing(protocol, window, number)
        take(window, folder, f"closing{number + 1}")
    del running
    os._exit(0)  # no window has to be closed


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
