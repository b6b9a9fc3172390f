"""The form that a research assistant fills in before a session: the only module that imports PyQt6.

Import it only when a form is wanted, and only where there is a display: without one, or without the libraries of Qt's
xcb plugin, Qt ends the process with abort(), which no `except` can catch. So the caller looks for a display first.
The form is gone before PsychoPy opens a window; both live in one process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor, QGuiApplication, QPainter, QPen
from PyQt6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from experiment import form
from experiment.errors import DayFourError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PyQt6.QtGui import QPaintEvent, QWheelEvent

    from experiment.protocol import AssistantQuestion, Protocol

TITLE = "Day Four"
PAGE_WIDTH_PX = 800
LABEL_WIDTH_PX = 230
SCROLL_BAR_PX = 16
WINDOW_FRAME_PX = 60  # for a title bar and some air

# Colours of its own, whatever the desktop's theme: words and their background must not come from two different ones.
INK, PAPER, QUIET, LINE, ACCENT, ERROR = "#26231F", "#F7F5F1", "#8A8378", "#B9B2A6", "#2F5D62", "#B3261E"
STYLE = f"""
* {{ font-size: 12pt; color: {INK}; }}
QDialog, QScrollArea, #page {{ background: {PAPER}; }}
#heading {{ font-size: 19pt; }}
#problem {{ color: {ERROR}; background: #FBE9E7; border: 1px solid #E6B8B3; border-radius: 6px; padding: 10px 12px; }}
#error {{ color: {ERROR}; font-size: 11pt; }}
QLineEdit, QComboBox {{ background: white; border: 1px solid {LINE}; border-radius: 5px; min-height: 24px; }}
QLineEdit {{ padding: 6px 8px; placeholder-text-color: {QUIET}; }}
QLineEdit, QAbstractItemView {{ selection-background-color: {ACCENT}; selection-color: white; }}
QComboBox {{ padding: 6px 10px; combobox-popup: 0; }}
QComboBox::drop-down {{ border: none; width: 28px; }}
QLineEdit:focus, QComboBox:focus {{ border: 2px solid {ACCENT}; }}
QLineEdit:focus {{ padding: 5px 7px; }}
QComboBox:focus {{ padding: 5px 9px; }}
QComboBox[open="true"] {{ color: {QUIET}; }}
QComboBox QAbstractItemView {{ color: {INK}; background: white; border: 1px solid {LINE}; }}
QComboBox QAbstractItemView::item {{ min-height: 34px; }}
QLineEdit[wrong="true"], QComboBox[wrong="true"] {{ border-color: {ERROR}; }}
QPushButton {{ background: white; border: 1px solid {LINE}; border-radius: 5px; padding: 8px 26px; min-height: 22px; }}
QPushButton:focus {{ border: 2px solid {ACCENT}; padding: 7px 25px; }}
QPushButton#start {{ background: {ACCENT}; color: white; border-color: {ACCENT}; }}
QPushButton#start:hover {{ background: #3A6F75; }}
QPushButton#start:focus {{ border-color: #14292B; }}
"""
PLACEHOLDERS = {form.SUBJECT: "letters and digits, such as DF017", form.OPERATOR: "your name or initials"}

MoreChecks = Callable[[form.Answers], None]


def ask(protocol: Protocol, known: Mapping[str, str], check_more: MoreChecks) -> form.Answers | None:
    """Show the form until its answers are right; None if the assistant cancels or closes it.

    `known` fills fields in beforehand, by their ids. `check_more` is called at Start with checked answers; a
    DayFourError that it raises is shown above the fields, and the form stays. Anything else that it raises closes the
    form and is raised from here. Needs a display (see above).
    """
    application = QApplication.instance() or QApplication([TITLE])
    QApplication.setStyle("Fusion")  # the same form on every desktop
    dialog = Dialog(protocol, known, check_more)
    dialog.exec()
    dialog.deleteLater()
    application.processEvents()  # the form is off the screen before a window opens
    if dialog.failure is not None:
        raise dialog.failure
    return dialog.answers


class Field(QWidget):
    """One question's editor, with room for its error beneath."""

    def __init__(self, question: AssistantQuestion, known: str) -> None:
        """Filled in with what is known; a choice that is not offered stays open."""
        super().__init__()
        self.editor = Choice(question, known) if question.kind == "choice" else _line(question, known)
        self.editor.setAccessibleName(question.text)
        self._error = _label("", "error")
        self._error.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.editor)
        column.addWidget(self._error)

    @property
    def given(self) -> str:
        """The answer as it was typed or chosen."""
        return self.editor.given if isinstance(self.editor, Choice) else self.editor.text()

    def show_error(self, error: str) -> None:
        """Say what is wrong with the answer; "" for nothing."""
        self._error.setText(error)
        self._error.setVisible(bool(error))
        _set(self.editor, "wrong", on=bool(error))


class Choice(QComboBox):
    """A list to choose from in which nothing is chosen first: a default would be a wrong answer waiting to happen."""

    def __init__(self, question: AssistantQuestion, known: str) -> None:
        """The choices; an answer that may be left out can also be taken back."""
        super().__init__()
        for choice in question.choices:
            self.addItem(choice, choice)
        if not question.required:
            self.addItem("(no answer)", "")
        self.setPlaceholderText("choose")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.currentIndexChanged.connect(lambda: _set(self, "open", on=self.currentIndex() < 0))
        self.setCurrentIndex(self.findData(known) if known else -1)
        _set(self, "open", on=self.currentIndex() < 0)

    @property
    def given(self) -> str:
        """What is chosen, "" for nothing."""
        return str(self.currentData() or "")

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the page: scrolling past a list must not change its answer."""
        if event is not None:
            event.ignore()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """The list, and the arrow that a style sheet can only take from a file."""
        super().paintEvent(event)
        x_px, y_px = self.width() - 20, self.height() // 2
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(QUIET), 2))
            painter.drawPolyline([QPoint(x_px - 5, y_px - 2), QPoint(x_px, y_px + 3), QPoint(x_px + 5, y_px - 2)])


class Dialog(QDialog):
    """The form in a window; after `exec`, `answers` holds what was given, None if cancelled."""

    def __init__(self, protocol: Protocol, known: Mapping[str, str], check_more: MoreChecks) -> None:
        """Ready to be shown, with the cursor in the first field that is still empty."""
        super().__init__()
        self.answers: form.Answers | None = None
        self.failure: BaseException | None = None
        self._protocol, self._check_more = protocol, check_more
        self._questions = form.fields(protocol)
        self._fields = {question.id: Field(question, known.get(question.id, "")) for question in self._questions}
        self._problem = _label("", "problem")
        self._problem.hide()
        self._page = self._questions_page()
        self._area = QScrollArea()
        self._build()
        self._fit()
        unanswered = [field for field in self._fields.values() if not field.given]
        self._go_to(unanswered[0] if unanswered else self._fields[form.SUBJECT])
        self.activateWindow()

    def start(self) -> None:
        """Check everything; close if it is right, else show what is wrong and put the cursor there."""
        errors: dict[str, str] = {}
        problem = ""
        try:
            answers = form.check(self._protocol, {name: field.given for name, field in self._fields.items()})
            self._check_more(answers)
            self.answers = answers
        except form.WrongAnswers as wrong:
            errors = wrong.errors
        except DayFourError as error:
            problem = str(error)
        except BaseException as error:  # noqa: BLE001 - Qt aborts the process when an exception leaves a slot
            self.failure = error
        if self.answers or self.failure:
            self.accept()
        else:
            self._show(errors, problem)

    def _show(self, errors: Mapping[str, str], problem: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        for name, field in self._fields.items():
            field.show_error(errors.get(name, ""))
        self._fit()
        self._go_to(self._fields[next(iter(errors), form.SUBJECT)])

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
        for part in (_label("Before the session", "heading"), self._problem, self._area, self._buttons()):
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
        for row, question in enumerate(self._questions):
            rows.addWidget(_asked(question), row, 0, Qt.AlignmentFlag.AlignTop)
            rows.addWidget(self._fields[question.id], row, 1, Qt.AlignmentFlag.AlignTop)
        return page

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox()
        start, cancel = QPushButton("Start"), QPushButton("Cancel")
        start.setObjectName("start")
        start.setDefault(True)
        buttons.addButton(start, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.start)
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


def _asked(question: AssistantQuestion) -> QLabel:
    """What is asked, in which unit, and whether it may be left out."""
    units = f", {question.units}" if question.units else ""
    label = _label(question.text + units + ("" if question.required else " (optional)"), "question")
    label.setFixedWidth(LABEL_WIDTH_PX)
    label.setContentsMargins(0, 10, 0, 0)  # level with the words in the field beside it
    return label


def _line(question: AssistantQuestion, known: str) -> QLineEdit:
    line = QLineEdit(known)
    line.setPlaceholderText("HH:MM" if question.kind == "time" else PLACEHOLDERS.get(question.id, ""))
    return line


def _set(widget: QWidget, name: str, *, on: bool) -> None:
    """A property that the style sheet asks for, and the style sheet read again."""
    widget.setProperty(name, on)
    widget.setStyleSheet(widget.styleSheet())


def _label(text: str, name: str) -> QLabel:
    """A label whose text is shown as it is, never read as markup."""
    label = QLabel(text)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
