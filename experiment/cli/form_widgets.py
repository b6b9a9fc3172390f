"""What a form consists of: its look, labels, an editor for each kind of question, and a box for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QEvent, QObject, QPoint, Qt
from PyQt6.QtGui import QColor, QFocusEvent, QGuiApplication, QPainter, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from experiment.cli import form
from experiment.cli.form import Offer, Problem, Wrong
from experiment.design.form_questions import AskedQuestion, FormWords
from experiment.system import give_keyboard

LABEL_WIDTH_PX = 230

# Colours of its own, whatever the desktop's theme: words and their background must not come from two different ones.
INK, PAPER, QUIET, LINE, ACCENT, ERROR = "#26231F", "#F7F5F1", "#6E675D", "#B9B2A6", "#2F5D62", "#B3261E"
STYLE = f"""
* {{ font-size: 12pt; color: {INK}; }}
QDialog, QScrollArea, #page {{ background: {PAPER}; }}
#heading {{ font-size: 19pt; }}
#problem {{ background: #FBE9E7; border: 1px solid #E6B8B3; border-radius: 6px; }}
#problem QLabel {{ color: {ERROR}; background: transparent; }}
#note {{ color: #8A5A00; }}
#meant {{ padding: 3px 10px; min-height: 18px; min-width: 0; }}
#meant:focus {{ padding: 2px 9px; }}
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
QPushButton {{ outline: none; }}
QPushButton:focus {{ border: 2px solid {ACCENT}; padding: 7px 25px; }}
QPushButton#start {{ background: {ACCENT}; color: white; border-color: {ACCENT}; }}
QPushButton#start:hover {{ background: #3A6F75; }}
QPushButton#start:focus {{ border-color: #14292B; }}
"""
# Of the focus, when another field is chosen: not when another window, or a list, comes in front.
LEAVING = {
    Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.MouseFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
}  # fmt: skip
PLACEHOLDERS = {form.SUBJECT: "letters and digits, such as DF017", form.OPERATOR: "your name or initials"}
NO_REASON = "Please give the reason in words. It is recorded with the data and your initials."


class Field(QWidget):
    """One question's editor, with room for its error beneath."""

    def __init__(
        self, question: AskedQuestion, known: str, words: FormWords, check: Callable[[str], Wrong | None]
    ) -> None:
        """Filled in with what is known; a choice that is not offered stays open. `check` judges what was given."""
        super().__init__()
        self._check, self._marked, self._meant = check, False, list[QPushButton]()
        self._wrong: Wrong | None = Wrong("")
        self.editor = Choice(question, known, words) if question.kind == "choice" else _line(question, known)
        self.editor.setAccessibleName(question.text)
        self._error = label("", "error")
        self._instead = QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.editor)
        column.addWidget(self._error)
        column.addLayout(self._instead)
        self.show_error(None)
        self.editor.installEventFilter(self)
        changed = self.editor.currentIndexChanged if isinstance(self.editor, Choice) else self.editor.textChanged
        changed.connect(self._check_marked)

    @property
    def given(self) -> str:
        """The answer as it was typed or chosen."""
        return self.editor.given if isinstance(self.editor, Choice) else self.editor.text()

    @property
    def stops(self) -> list[QWidget]:
        """Where Tab goes in it, one after the other."""
        return [self.editor, *self._meant]

    def show_error(self, wrong: Wrong | None) -> None:
        """Say what is wrong with the answer, with a button for each that may have been meant."""
        if wrong == self._wrong:
            return  # Tab may be on its way to what is there
        self._wrong, self._marked = wrong, wrong is not None
        self._error.setText(wrong.text if wrong else "")
        self._error.setVisible(self._marked)
        _set(self.editor, "wrong", on=self._marked)
        clear(self._instead)
        self._meant = [
            push_button(meant, partial(self._take, meant), "meant") for meant in (wrong.instead if wrong else ())
        ]
        for button in self._meant:
            self._instead.addWidget(button)
        if self._meant:
            self._instead.addStretch(1)

    def eventFilter(self, _: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Check the answer when the field is left for another one."""
        if isinstance(event, QFocusEvent) and event.lostFocus() and event.reason() in LEAVING:
            self.show_error(self._check(self.given))
        return False

    def _check_marked(self) -> None:
        """A field that is marked is checked again while it is corrected."""
        if self._marked:
            self.show_error(self._check(self.given))

    def _take(self, meant: str) -> None:
        """The answer that was meant."""
        if isinstance(self.editor, QLineEdit):
            self.editor.setText(meant)
            self.editor.setFocus()
        self.show_error(self._check(self.given))


class Choice(QComboBox):
    """A list to choose from in which nothing is chosen first: a default would be a wrong answer waiting to happen."""

    def __init__(self, question: AskedQuestion, known: str, words: FormWords) -> None:
        """The choices; an answer that may be left out can also be taken back."""
        super().__init__()
        for choice in question.choices:
            self.addItem(choice, choice)
        if not question.required:
            self.addItem(words.no_answer, "")
        self.setPlaceholderText(words.choose)
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


def question_label(question: AskedQuestion, words: FormWords) -> QLabel:
    """What is asked, in which unit, and whether it may be left out."""
    units = f", {question.units}" if question.units else ""
    shown = label(question.text + units + ("" if question.required else f" {words.optional}"), "question")
    shown.setFixedWidth(LABEL_WIDTH_PX)
    shown.setContentsMargins(0, 10, 0, 0)  # level with the words in the field beside it
    return shown


def push_button(text: str, act: Callable[[], object], name: str = "") -> QPushButton:
    """A button; Return presses it where it has the focus, as space does.

    A click does not take the cursor from a field: what is checked then could move the button away.
    """
    made = QPushButton(text)
    made.setObjectName(name)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setAutoDefault(True)
    made.clicked.connect(act)
    return made


def clear(layout: QLayout) -> None:
    """Take all widgets out of a layout, and off the screen at once."""
    while (item := layout.takeAt(0)) is not None:
        if (old := item.widget()) is not None:
            old.hide()
            old.deleteLater()


def take_keyboard(window: QWidget) -> None:
    """This window comes to the front and hears the keys, also after another program's window did."""
    window.raise_()
    window.activateWindow()
    if QGuiApplication.platformName() == "xcb":
        give_keyboard(int(window.winId()))


def _line(question: AskedQuestion, known: str) -> QLineEdit:
    line = QLineEdit(known)
    if question.id == form.PASSPHRASE.id:
        line.setEchoMode(QLineEdit.EchoMode.Password)
    line.setPlaceholderText("HH:MM" if question.kind == "time" else PLACEHOLDERS.get(question.id, ""))
    return line


def _set(widget: QWidget, name: str, *, on: bool) -> None:
    """A property that the style sheet asks for, and the style sheet read again."""
    widget.setProperty(name, on)
    widget.setStyleSheet(widget.styleSheet())


def label(text: str, name: str) -> QLabel:
    """A label whose text is shown as it is, never read as markup."""
    shown = QLabel(text)
    shown.setObjectName(name)
    shown.setTextFormat(Qt.TextFormat.PlainText)
    shown.setWordWrap(True)
    return shown


class ProblemBox(QFrame):
    """`decide` is called with the offer that is taken and its reason."""

    def __init__(self, decide: Callable[[Offer, str], None]) -> None:
        """Hidden, while there is no problem."""
        super().__init__()
        self.setObjectName("problem")
        self._decide, self._offers = decide, tuple[Offer, ...]()
        self._text, self._wrong = label("", "problem-text"), label(NO_REASON, "error")
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, in words")
        self.reason.setAccessibleName("Reason")
        self.buttons = list[QPushButton]()
        self._row = QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        for part in (self._text, self.reason, self._wrong):
            column.addWidget(part)
        column.addLayout(self._row)
        self.show_problem(Problem())

    def show_problem(self, problem: Problem) -> None:
        """This from now on; a reason that was typed stays."""
        self._offers = problem.offers
        self._text.setText(problem.text)
        self.reason.setVisible(any(offer.asks_reason for offer in problem.offers))
        self._wrong.hide()
        clear(self._row)
        self.buttons = [self._button(offer) for offer in problem.offers]
        for button in self.buttons:
            self._row.addWidget(button)
        self._row.addStretch(1)
        self.setVisible(bool(problem.text))

    @property
    def stops(self) -> list[QWidget]:
        """Where Tab goes in it, one after the other."""
        return [self.reason, *self.buttons]

    def take_reason(self) -> bool:
        """Return in the reason takes the only offer that asks for one; whether there was such an offer."""
        asking = [offer for offer in self._offers if offer.asks_reason]
        if not (self.reason.hasFocus() and len(asking) == 1):
            return False
        self._take(asking[0])
        return True

    def _button(self, offer: Offer) -> QPushButton:
        return push_button(offer.button, lambda: self._take(offer))

    def _take(self, offer: Offer) -> None:
        reason = self.reason.text().strip() if offer.asks_reason else ""
        if not offer.takes(reason):
            self._wrong.show()
            self.reason.setFocus()
            return
        self._decide(offer, reason)
