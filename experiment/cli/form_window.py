"""Forms in a window, to an assistant before a session.

Import it only when a form is wanted, and only where there is a display: without one, or without the libraries of Qt's
xcb plugin, Qt ends the process with abort(), which no `except` can catch. So the caller looks for a display first.
A form is gone before PsychoPy opens a window; both live in one process.
"""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from experiment.cli import form
from experiment.cli.form import Decided, Given, Offer, Problem, Wrong
from experiment.cli.form_widgets import STYLE, Field, ProblemBox, label, push_button, question_label
from experiment.cli.held_keys import Application
from experiment.cli.terminal import tell_desk
from experiment.design.form_questions import AskedQuestion, FormWords
from experiment.errors import DayFourError
from experiment.system import this_computer

TITLE = "Day Four"
USUAL_PX = (1600, 900)  # a screen on which type of 12 points is well read
PAGE_WIDTH_PX = 800
SCROLL_BAR_PX = 16
WINDOW_FRAME_PX = 60  # for a title bar and some air


@dataclass(frozen=True)
class FormPage:
    """A form: its heading, its questions, the words of its button, and what is known already.

    `check` is called at the button with what was given and decided, by ids; what it returns is the form's result. A
    DayFourError that it raises is shown as `explain` has it, WrongAnswers beneath their fields, and the form stays;
    anything else that it raises closes the form. `check_field` judges one answer as soon as it was given. `look` may
    say or raise what can be told of the session before all is filled in. `problem`: why the form came back.
    """

    heading: str
    questions: Sequence[AskedQuestion]
    go_on: str
    check: Callable[[Given, Decided], Any]
    check_field: Callable[[AskedQuestion, str], Wrong | None]
    look: Callable[[Given, Decided], str] = lambda _, __: ""
    explain: Callable[[DayFourError, Given], Problem] = lambda error, _: Problem(str(error))
    known: Given = dataclasses.field(default_factory=dict)
    decided: Decided = dataclasses.field(default_factory=dict)
    problem: Problem = dataclasses.field(default_factory=Problem)


class Filled(NamedTuple):
    """What was typed and decided, and what the form's check made of it."""

    given: Given
    decided: Decided
    result: Any


def application() -> Application:
    """Qt, the only one of this process; large enough to be read on a screen of many pixels, which is not scaled."""
    if isinstance(running := QApplication.instance(), Application):
        return running
    if (mode := this_computer().screen()) is not None:
        factor = max(1.0, min(mode.width_px / USUAL_PX[0], mode.height_px / USUAL_PX[1])) / (mode.scaling or 1.0)
        os.environ.setdefault("QT_SCALE_FACTOR", f"{max(1.0, factor):.2f}")
    QApplication.setStyle("Fusion")  # the same on every desktop
    return Application(TITLE)


def fill_in(page: FormPage) -> Filled | None:
    """Show a form until what is given passes its check; None if it was cancelled or closed."""
    running = application()
    dialog = Dialog(page)
    with stopped_by(signal.SIG_DFL):  # at once: Qt calls no Python while a form is open, and nothing is unsaved
        if running.platformName() == "xcb":  # asked for its number on Windows (Wine), the form missed a Return
            tell_desk(form=int(dialog.winId()))
        dialog.exec()
        tell_desk(form=0)
    dialog.deleteLater()
    running.processEvents()  # the form is off the screen before a window opens
    if dialog.failure is not None:
        raise dialog.failure
    return dialog.filled


@contextmanager
def stopped_by(handler: Callable[..., object] | signal.Handlers) -> Iterator[None]:
    """Whoever stops the program meanwhile calls this handler."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)


class Dialog(QDialog):
    """A form in a window; after `exec`, `filled` holds what passed its check, None if cancelled."""

    def __init__(self, page: FormPage) -> None:
        """Ready to be shown, with the cursor in the first field that is still empty."""
        super().__init__()
        self.filled: Filled | None = None
        self.failure: BaseException | None = None
        self._form, self._decided = page, dict(page.decided)
        self._looked_at: tuple[str | None, ...] = ()
        self._fields = {
            question.id: Field(question, page.known.get(question.id, ""), FormWords(), self._check_field(question))
            for question in page.questions
        }
        self._problem, self._note = ProblemBox(self._decide), label("", "note")
        self._note.hide()
        self._start, self._cancel = push_button(page.go_on, self.start, "start"), push_button("Cancel", self.reject)
        self._page, self._area = self._questions_page(), QScrollArea()
        self._build()
        self._begin()
        self.activateWindow()

    def _begin(self) -> None:
        """Show why the form came back, or what can be told already; else the cursor is in the first empty field."""
        fields = list(self._fields.values())
        self._go_to(next((field for field in fields if not field.given), fields[0]))
        if self._form.problem.text:
            self._looked_at = self._who()
            self._show(self._form.problem)
        else:
            self._look(is_new=True)

    def start(self) -> None:
        """Check everything; close if it is right, else show what is wrong and put the cursor there."""
        if self._problem.take_reason():
            return
        given = self._given()
        try:
            self.filled = Filled(given, dict(self._decided), self._form.check(given, self._decided))
        except form.WrongAnswers as wrong:
            self._show_errors(wrong.errors)
        except DayFourError as error:
            self._show_errors({})
            self._show(self._form.explain(error, given))
        except BaseException as error:  # noqa: BLE001 - Qt aborts the process when an exception leaves a slot
            self.failure = error
        if self.filled is not None or self.failure:
            self.accept()

    def _decide(self, offer: Offer, reason: str) -> None:
        """Go on as the assistant decided."""
        self._decided[offer.id] = reason
        self._show(Problem())
        self.start()

    def _given(self) -> dict[str, str]:
        return {name: field.given for name, field in self._fields.items()}

    def _check_field(self, question: AskedQuestion) -> Callable[[str], Wrong | None]:
        """How this field's answer is judged when it is left; with it, what can be told of the session."""

        def check(given: str) -> Wrong | None:
            wrong = self._form.check_field(question, given)
            if wrong is None and question.id in {form.SUBJECT, form.SESSION}:
                QTimer.singleShot(0, self._look)
            QTimer.singleShot(0, self._fit)
            return wrong

        return check

    def _who(self) -> tuple[str | None, ...]:
        given = self._given()
        return tuple(given.get(name) for name in (form.SUBJECT, form.SESSION))

    def _look(self, *, is_new: bool = False) -> None:
        """Show what can be told of the session as far as it is known; what was decided of another one is forgotten."""
        if self._who() != self._looked_at:
            self._looked_at, self._decided, problem = self._who(), dict(self._form.decided), Problem()
            try:
                self._note.setText(self._form.look(self._given(), self._decided))
            except DayFourError as error:
                problem = self._form.explain(error, self._given())
            self._show(problem, go_there=is_new)
        self._note.setVisible(bool(self._note.text()))
        self._fit()

    def _show(self, problem: Problem, *, go_there: bool = True) -> None:
        """The problem above the questions, and the cursor where it is decided, unless somebody is typing."""
        self._problem.show_problem(problem)
        self._start.setText(problem.again or self._form.go_on)
        self._fit()
        if not (problem.text and go_there):
            return
        if problem.again:
            self._start.setFocus()
        elif any(offer.asks_reason for offer in problem.offers):
            self._problem.reason.setFocus()
        elif problem.offers:
            self._problem.buttons[0].setFocus()
        else:
            self._go_to(next(iter(self._fields.values())))

    def _show_errors(self, errors: Mapping[str, str]) -> None:
        for name, field in self._fields.items():
            field.show_error(Wrong(errors[name]) if name in errors else None)
        self._fit()
        if errors:
            self._go_to(self._fields[next(iter(errors))])

    def _go_to(self, field: Field) -> None:
        field.editor.setFocus()
        if isinstance(field.editor, QLineEdit):
            field.editor.selectAll()
        self._area.ensureWidgetVisible(field, 0, 30)

    def _build(self) -> None:
        self.setWindowTitle(TITLE)
        self.setStyleSheet(STYLE)
        self._area.setWidget(self._page)
        self._area.setFixedWidth(PAGE_WIDTH_PX + SCROLL_BAR_PX)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24 - SCROLL_BAR_PX, 24)
        column.setSpacing(16)
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)
        for part in (label(self._form.heading, "heading"), self._problem, self._note, self._area, self._buttons()):
            if part is not self._area:
                part.setFixedWidth(PAGE_WIDTH_PX)
            column.addWidget(part, alignment=Qt.AlignmentFlag.AlignLeft)
        self._start.setDefault(True)  # for Return in a field: Qt asks the dialog that the button is in by now

    def _questions_page(self) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        page.setFixedWidth(PAGE_WIDTH_PX)
        rows = QGridLayout(page)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setHorizontalSpacing(20)
        rows.setVerticalSpacing(12)
        for row, question in enumerate(self._form.questions):
            rows.addWidget(question_label(question, FormWords()), row, 0, Qt.AlignmentFlag.AlignTop)
            rows.addWidget(self._fields[question.id], row, 1, Qt.AlignmentFlag.AlignTop)
        return page

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox()
        buttons.addButton(self._start, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self._cancel, QDialogButtonBox.ButtonRole.RejectRole)
        return buttons

    def _order(self) -> None:
        """Tab goes from top to bottom, also through what came in between."""
        stops = [*self._problem.stops, *(stop for field in self._fields.values() for stop in field.stops)]
        for one, following in pairwise([*stops, self._start, self._cancel]):
            QWidget.setTabOrder(one, following)

    def _fit(self) -> None:
        """As high as the questions and their errors, as far as the screen allows; beyond that the page scrolls."""
        self._order()
        screen, layout, rows = QGuiApplication.primaryScreen(), self.layout(), self._page.layout()
        if screen is None or layout is None or rows is None:
            return
        free = screen.availableGeometry()
        needed_px = rows.totalHeightForWidth(PAGE_WIDTH_PX)
        self._page.setFixedHeight(needed_px)
        self._area.setFixedHeight(needed_px)
        others_px = layout.totalSizeHint().height() - needed_px
        self._area.setFixedHeight(min(needed_px, free.height() - WINDOW_FRAME_PX - others_px))
        layout.activate()
        below_px = self.frameGeometry().bottom() - free.bottom()
        if below_px > 0:  # it has grown past the bottom of the screen
            self.move(self.x(), max(free.top(), self.y() - below_px))
