"""What a participant answers a question with, after the task: choices, a number on a line, words."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from PyQt6.QtCore import QMimeData, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QAbstractButton, QButtonGroup, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from experiment.cli.closing_line import AnalogueLine
from experiment.design.form_questions import AskedQuestion, FormWords
from experiment.storage.limits import LETTERS

if TYPE_CHECKING:
    from experiment.cli.closing_pages import Look

ANSWER_SIZE = 24
STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
WRAPPED = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter
DIGITS = 12  # of a number, as far as any is accepted


class Editor(QWidget):
    """What all of them have in common: an answer as it was given, and that it is told when it changed."""

    has_no_words = False  # so that the space bar may confirm, as in the task
    changed = pyqtSignal()

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)

    @property
    def given(self) -> str:
        """The answer as it was given, "" for none."""
        raise NotImplementedError

    def begin(self) -> None:
        """With the cursor in it."""
        self.setFocus()

    def takes(self, event: QKeyEvent) -> bool:  # noqa: ARG002 - what others need
        """Whether a key means something here, which is then done."""
        return False


def editor_of(question: AskedQuestion, words: FormWords, look: Look) -> Editor:
    """What this kind of question is answered with."""
    if question.kind == "choice":
        return Choices(question, words, look)
    if question.kind == "number":
        return Number(question, look)
    return Words(look, is_time=question.kind == "time")


class Choices(Editor):
    """One of several; arrow keys and numbers choose, and so does a click."""

    has_no_words = True

    def __init__(self, question: AskedQuestion, words: FormWords, look: Look) -> None:
        """Nothing is chosen first; an answer that may be left out can also be taken back."""
        super().__init__()
        self._group = QButtonGroup(self)
        self.column.setSpacing(look.size(10))
        offered = [*question.choices, *([] if question.required else [words.no_answer])]
        self._values = [*question.choices, ""]
        for number, text in enumerate(offered):
            choice = OptionButton(text, look)
            self._group.addButton(choice, number)
            self.column.addWidget(choice)
        self.column.addStretch()
        self._group.idClicked.connect(self.changed)

    @property
    def given(self) -> str:
        """What is chosen."""
        return self._values[self._group.checkedId()] if self._group.checkedId() >= 0 else ""

    def takes(self, event: QKeyEvent) -> bool:
        """Up and down go through the choices, and a digit names one."""
        count, chosen, key = len(self._group.buttons()), self._group.checkedId(), Qt.Key(event.key())
        if key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            wanted = chosen + (1 if key == Qt.Key.Key_Down else -1) if chosen >= 0 else 0
        elif (digit := _latin(event.text())).isdecimal() and len(digit) == 1:
            wanted = int(digit) - 1
        else:
            return key == Qt.Key.Key_Tab
        if 0 <= wanted < count and (button := self._group.button(wanted)):
            button.setChecked(True)
            self.changed.emit()
        return True


class OptionButton(QAbstractButton):
    """A line with a ring that is filled when it is chosen; its words wrap."""

    def __init__(self, text: str, look: Look) -> None:
        """Not chosen."""
        super().__init__()
        self._look, self._colours = look, look.display
        self.setText(text)
        self.setCheckable(True)
        self.setFont(look.font(ANSWER_SIZE))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(self._height_px())

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as the page."""
        return QSize(self._look.layout.reading.width_px, self._height_px())

    def _height_px(self) -> int:
        size = self._look.size
        room = self.fontMetrics().boundingRect(
            0, 0, self._look.layout.reading.width_px - size(84), size(400), WRAPPED, self.text()
        )
        return max(size(52), room.height() + size(20))

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """The ring is where lines begin."""
        size, is_rtl = self._look.size, self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        accent, quiet = QColor(self._colours.accent), QColor(self._colours.quiet)
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        ring_x = frame.right() - size(32) if is_rtl else frame.left() + size(32)
        text = frame.adjusted(size(16 if is_rtl else 64), 0, -size(64 if is_rtl else 16), 0)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setLayoutDirection(self.layoutDirection())
            painter.setPen(QPen(accent if self.isChecked() else quiet, size(2)))
            painter.setBrush(QColor("white"))
            painter.drawRoundedRect(frame, size(8), size(8))
            painter.drawEllipse(QPointF(ring_x, frame.center().y()), size(12), size(12))
            if self.isChecked():
                painter.setBrush(accent)
                painter.drawEllipse(QPointF(ring_x, frame.center().y()), size(6), size(6))
            painter.setPen(QColor(self._colours.ink))
            painter.setFont(self.font())
            side = Qt.AlignmentFlag.AlignRight if is_rtl else Qt.AlignmentFlag.AlignLeft
            painter.drawText(text, int(WRAPPED | side | Qt.AlignmentFlag.AlignAbsolute), self.text())


class Number(Editor):
    """A number that is typed, or set on a line where both its limits are known; nothing is set first."""

    has_no_words = True

    def __init__(self, question: AskedQuestion, look: Look) -> None:
        """Steps are whole where the limits are far enough apart."""
        super().__init__()
        self._edit = QLineEdit()
        self._edit.setFont(look.font(ANSWER_SIZE))
        self._edit.setMaxLength(DIGITS)
        self._edit.setFixedWidth(look.size(180))
        self._edit.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._edit.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._edit.textChanged.connect(self._changed)
        self.column.setSpacing(look.size(20))
        self.column.addWidget(self._edit, alignment=Qt.AlignmentFlag.AlignHCenter)
        self._line: AnalogueLine | None = None
        if question.minimum is not None and question.maximum is not None and question.minimum < question.maximum:
            self._line = AnalogueLine(question.minimum, question.maximum, look, self._set)
            self.column.addWidget(self._line)
        self.column.addStretch()

    @property
    def given(self) -> str:
        """What was typed or set, in Latin digits."""
        return _latin(self._edit.text()).strip()

    def begin(self) -> None:
        """With the cursor in the field."""
        self._edit.setFocus()

    def takes(self, event: QKeyEvent) -> bool:
        """Up and down go by a step, the page keys by ten."""
        steps = STEPS.get(Qt.Key(event.key()))
        if steps is None or self._line is None:
            return event.key() == Qt.Key.Key_Tab
        self._set(self._line.after(steps))
        return True

    def _set(self, value: float) -> None:
        self._edit.setText(f"{value:.12g}")

    def _changed(self) -> None:
        if self._line:
            self._line.show_value(self.given)
        self.changed.emit()


class Words(Editor):
    """What is typed: an answer in words, or a time of day."""

    def __init__(self, look: Look, *, is_time: bool) -> None:
        """Empty."""
        super().__init__()
        self._is_time = is_time
        self._edit = _OneLine()
        self._edit.setFont(look.font(ANSWER_SIZE))
        self._edit.begin_lines(look.direction)
        self._edit.setFixedHeight(look.size(60 if is_time else 190))
        self._edit.setTabChangesFocus(True)
        self._edit.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._edit.textChanged.connect(self.changed)
        self.column.addWidget(self._edit)
        self.column.addStretch()

    @property
    def given(self) -> str:
        """The words, without white space around them; digits of a time in Latin ones."""
        text = self._edit.toPlainText().strip()
        return _latin(text) if self._is_time else text

    def begin(self) -> None:
        """With the cursor in the field."""
        self._edit.setFocus()


class _OneLine(QPlainTextEdit):
    """A field whose words wrap, but are one line of a cell's length: what is pasted loses line breaks, and is cut."""

    def begin_lines(self, direction: Qt.LayoutDirection) -> None:
        """Where the protocol's language begins its lines."""
        if document := self.document():
            option = document.defaultTextOption()
            option.setTextDirection(direction)
            if direction == Qt.LayoutDirection.RightToLeft:
                option.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute)
            document.setDefaultTextOption(option)

    def insertFromMimeData(self, source: QMimeData | None) -> None:  # noqa: N802 - Qt's name
        """Spaces for line breaks, in place of what is selected."""
        if source is not None:
            room = LETTERS - len(self.toPlainText()) + len(self.textCursor().selectedText())
            self.insertPlainText(" ".join(source.text().split())[: max(0, room)])


def _latin(text: str) -> str:
    """Digits of any script as those that a number is recorded with, and the Arabic decimal mark as a point."""
    digits = (str(unicodedata.decimal(one, one)) for one in text)
    return "".join(digits).replace("\N{ARABIC DECIMAL SEPARATOR}", ".")
