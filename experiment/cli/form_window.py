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

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from experiment.cli import form
from experiment.cli.form_widgets import STYLE, Field, label, question_label
from experiment.design.form_questions import AskedQuestion, FormWords
from experiment.design.protocol import Protocol
from experiment.errors import DayFourError
from experiment.system import this_computer

TITLE = "Day Four"
USUAL_PX = (1600, 900)  # a screen on which type of 12 points is well read
PAGE_WIDTH_PX = 800
SCROLL_BAR_PX = 16
WINDOW_FRAME_PX = 60  # for a title bar and some air

Given = Mapping[str, str]
Answers = dict[str, str | float | None]


@dataclass(frozen=True)
class Page:
    """A form: its heading, questions, what is known already, and the words of its button.

    `check` is called at the button with what was given, by the questions' ids. A DayFourError that it raises is shown,
    WrongAnswers beneath their fields, and the form stays; anything else that it raises closes the form. `may_leave`:
    whether there is a button to cancel with. `problem`: why the form came back, to be shown above the questions.
    """

    heading: str
    questions: Sequence[AskedQuestion]
    go_on: str
    check: Callable[[Given], None]
    known: Given = dataclasses.field(default_factory=dict)
    may_leave: bool = True
    problem: str = ""
    words: FormWords = dataclasses.field(default_factory=FormWords)


def ask(
    protocol: Protocol, known: Given, check_more: Callable[[form.Answers], object], *, with_session: bool = True
) -> form.Answers | None:
    """The answers of the assistant's form, checked; None if the assistant cancels or closes it."""
    given = fill(protocol, known, check_more, with_session=with_session)
    return None if given is None else form.check(protocol, given, with_session=with_session)


def fill(
    protocol: Protocol,
    known: Given,
    check_more: Callable[[form.Answers], object],
    *,
    with_session: bool = True,
    problem: str = "",
    besides: Sequence[AskedQuestion] = (),
) -> dict[str, str] | None:
    """Show the assistant's form until its answers are right: as they were typed, by field; None if it was cancelled.

    `known` fills fields in beforehand. `check_more` is called at Start with checked answers, and may raise a
    DayFourError: the form then stays. `with_session`: whether it is asked which session this is. `problem`: why the
    form came back. `besides`: questions of the program's own. Needs a display (see above).
    """

    def check(given: Given) -> None:
        form.check_questions(besides, given)
        check_more(form.check(protocol, given, with_session=with_session))

    asked = (*form.fields(protocol, with_session=with_session), *besides)
    return fill_in(Page("Before the session", asked, "Start", check, known, problem=problem))


def application() -> QApplication:
    """Qt, the only one of this process; large enough to be read on a screen of many pixels, which is not scaled."""
    if isinstance(running := QApplication.instance(), QApplication):
        return running
    if (mode := this_computer().screen()) is not None:
        factor = max(1.0, min(mode.width_px / USUAL_PX[0], mode.height_px / USUAL_PX[1])) / (mode.scaling or 1.0)
        os.environ.setdefault("QT_SCALE_FACTOR", f"{max(1.0, factor):.2f}")
    QApplication.setStyle("Fusion")  # the same on every desktop
    return QApplication([TITLE])


def fill_in(page: Page) -> dict[str, str] | None:
    """Show a form until what is given passes its check; None if it was cancelled or closed."""
    running = application()
    dialog = Dialog(page)
    with _ended_at_once():
        dialog.exec()
    dialog.deleteLater()
    running.processEvents()  # the form is off the screen before a window opens
    if dialog.failure is not None:
        raise dialog.failure
    return dialog.given


@contextmanager
def _ended_at_once() -> Iterator[None]:
    """Let whoever stops the program stop it while a form is open: Qt calls no Python then, and nothing is unsaved."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Dialog(QDialog):
    """A form in a window; after `exec`, `given` holds what passed its check, None if cancelled."""

    def __init__(self, page: Page) -> None:
        """Ready to be shown, with the cursor in the first field that is still empty."""
        super().__init__()
        self.given: dict[str, str] | None = None
        self.failure: BaseException | None = None
        self._form = page
        self._fields = {
            question.id: Field(question, page.known.get(question.id, ""), page.words) for question in page.questions
        }
        self._problem = label("", "problem")
        self._problem.hide()
        self._page = self._questions_page()
        self._area = QScrollArea()
        self._build()
        self._fit()
        fields = list(self._fields.values())
        if page.problem:
            self._show({}, page.problem)
        else:
            self._go_to(next((field for field in fields if not field.given), fields[0]))
        self.activateWindow()

    def start(self) -> None:
        """Check everything; close if it is right, else show what is wrong and put the cursor there."""
        errors: dict[str, str] = {}
        problem = ""
        given = {name: field.given for name, field in self._fields.items()}
        try:
            self._form.check(given)
            self.given = given
        except form.WrongAnswers as wrong:
            errors = wrong.errors
        except DayFourError as error:
            problem = str(error)
        except BaseException as error:  # noqa: BLE001 - Qt aborts the process when an exception leaves a slot
            self.failure = error
        if self.given is not None or self.failure:
            self.accept()
        else:
            self._show(errors, problem)

    def _show(self, errors: Mapping[str, str], problem: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        for name, field in self._fields.items():
            field.show_error(errors.get(name, ""))
        self._fit()
        self._go_to(self._fields[next(iter(errors), next(iter(self._fields)))])

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
        for part in (label(self._form.heading, "heading"), self._problem, self._area, self._buttons()):
            if part is not self._area:
                part.setFixedWidth(PAGE_WIDTH_PX)
            column.addWidget(part, alignment=Qt.AlignmentFlag.AlignLeft)

    def _questions_page(self) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        page.setFixedWidth(PAGE_WIDTH_PX)
        rows = QGridLayout(page)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setHorizontalSpacing(20)
        rows.setVerticalSpacing(12)
        for row, question in enumerate(self._form.questions):
            rows.addWidget(question_label(question, self._form.words), row, 0, Qt.AlignmentFlag.AlignTop)
            rows.addWidget(self._fields[question.id], row, 1, Qt.AlignmentFlag.AlignTop)
        return page

    def _buttons(self) -> QDialogButtonBox:
        buttons, start = QDialogButtonBox(), QPushButton(self._form.go_on)
        start.setObjectName("start")
        start.setDefault(True)
        buttons.addButton(start, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.start)
        if self._form.may_leave:
            buttons.addButton(QPushButton("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
            buttons.rejected.connect(self.reject)
        return buttons

    def _fit(self) -> None:
        """As high as the questions and their errors, as far as the screen allows; beyond that the page scrolls."""
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
