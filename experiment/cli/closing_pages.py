"""The participant's pages after the task, in the task's own look: one question each, as a funnel asks.

Each works by keyboard alone and by mouse alone, except that words have to be typed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from PyQt6.QtCore import QPointF, Qt, QTimer
from PyQt6.QtGui import QFont, QFontDatabase, QImage, QKeyEvent, QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from experiment.cli.closing_answers import editor_of
from experiment.cli.form_widgets import ERROR, label, push_button
from experiment.cli.held_keys import RETURN
from experiment.design.form_questions import AskedQuestion, FormWords
from experiment.design.language import is_right_to_left
from experiment.design.protocol import Protocol
from experiment.drawing.fonts import CJK_FAMILY, LATIN_FAMILY, SCRIPTS, font_file
from experiment.drawing.stimuli import BUTTON_SIZE, PAGE_SIZE, draw_text_page
from experiment.record.events import TextScene
from experiment.task.layout import Layout

QUIET_SIZE = 20
AIR_SIZE = 30  # between the parts of a page


class Look:
    """The session's colours, type and sizes, for a window of so many pixels."""

    def __init__(self, protocol: Protocol, width_px: int, height_px: int) -> None:
        """Sizes are in the task's units."""
        self.display, self.layout = protocol.display, Layout(width_px, height_px)
        is_rtl, directions = is_right_to_left(protocol.language), Qt.LayoutDirection
        self.direction = directions.RightToLeft if is_rtl else directions.LeftToRight
        self.size = self.layout.even

    def font(self, units: float) -> QFont:
        """The task's typeface in this size."""
        font = QFont()
        font.setFamilies(self._families)
        font.setPixelSize(self.size(units))
        return font

    @cached_property
    def _families(self) -> list[str]:
        """The fonts of the messages, which Qt gets from their files."""
        families = [LATIN_FAMILY, *(f"{LATIN_FAMILY} {script}" for script in SCRIPTS), CJK_FAMILY]
        for family in families:
            QFontDatabase.addApplicationFont(str(font_file(family)[0]))
        return families

    @property
    def style_sheet(self) -> str:
        """Of the window and all that is in it."""
        show, size = self.display, self.size
        return f"""
            ClosingWindow, QScrollArea, #room {{ background: {show.background}; }}
            QLabel {{ color: {show.ink}; }}
            #heading {{ color: {show.quiet}; }}
            #error {{ color: {ERROR}; }}
            QPlainTextEdit, QLineEdit {{
                background: white; color: {show.ink}; border: {size(2)}px solid {show.quiet};
                border-radius: {size(8)}px; padding: {size(8)}px;
                selection-background-color: {show.accent}; selection-color: white;
            }}
            QPlainTextEdit:focus, QLineEdit:focus {{ border-color: {show.accent}; }}
            QPushButton {{
                background: {show.accent}; color: {show.background}; border: {size(2)}px solid {show.accent};
                border-radius: {size(16)}px;
            }}
            QPushButton:disabled {{ background: transparent; color: {show.quiet}; border-color: {show.quiet}; }}
        """


class Page(QWidget):
    """A page after the task."""

    def begin(self) -> None:
        """With the cursor where the answer goes."""

    def takes(self, event: QKeyEvent, *, is_repeat: bool) -> bool:  # noqa: ARG002 - of a page with a question
        """Whether a key means something on this page, which is then done; `is_repeat`: it is held."""
        return False


class TextPage(Page):
    """A page of words: the very picture that the task would show, pixel by pixel and in its place."""

    def __init__(self, protocol: Protocol, page: TextScene, width_px: int, height_px: int) -> None:
        """For a screen of so many of its own pixels, however many of them are one of Qt's."""
        super().__init__()
        self._layout = Layout(width_px, height_px)
        self._placed = draw_text_page(protocol, page, self._layout)

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """The picture, whose place counts from the middle of the screen, y up."""
        shown, ratio = self._placed.picture, self.devicePixelRatioF()
        rows = QImage(
            shown.pixels.tobytes(), shown.width_px, shown.height_px, 3 * shown.width_px, QImage.Format.Format_RGB888
        )
        rows.setDevicePixelRatio(ratio)
        left_px = self._layout.width_px // 2 + self._placed.x_px - shown.width_px // 2
        top_px = self._layout.height_px // 2 - self._placed.y_px - shown.height_px // 2
        with QPainter(self) as painter:
            painter.drawPixmap(QPointF(left_px / ratio, top_px / ratio), QPixmap.fromImage(rows))


class QuestionPage(Page):
    """One question in the room of the task's pages, with a button in the place of the task's own.

    `confirm` is called when the participant has answered, with what was given.
    """

    def __init__(
        self, question: AskedQuestion, heading: str, button: str, words: FormWords, look: Look, minimum_s: float,
        confirm: Callable[[str], None],
    ) -> None:  # fmt: skip
        """The button is not ready before there is an answer that is needed, nor before the page was up for `minimum_s`.

        So a double click on the button of the page before, or a key still held, leaves no question unanswered.
        """
        super().__init__()
        self._minimum_ms, self._can_be_left = round(1000 * minimum_s), False
        self._question, self._words, self._confirm = question, words, confirm
        self._editor = editor_of(question, words, look)
        self._error = _label("", "error", look, QUIET_SIZE)
        self._button = push_button(button, self.answer)
        self._button.setFont(look.font(BUTTON_SIZE))
        self._button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        units = f", {question.units}" if question.units else ""
        asked = question.text + units + ("" if question.required else f"  {words.optional}")
        heads = _label(heading, "heading", look, QUIET_SIZE), _label(asked, "question", look, PAGE_SIZE)
        self._build(look, [*heads, _scrolling(self._editor), self._error])
        self._editor.changed.connect(self._changed)
        self._changed()

    def _build(self, look: Look, parts: list[QWidget]) -> None:
        """The parts stand below each other, and the button in its place."""
        layout, box, place = look.layout, look.layout.reading, look.layout.button
        side_px, middle_px = (layout.width_px - box.width_px) // 2, layout.height_px // 2
        column = QVBoxLayout(self)
        below_px = middle_px + place.y_px - place.height_px // 2
        column.setContentsMargins(side_px, middle_px - box.y_px - box.height_px // 2, side_px, below_px)
        column.setSpacing(look.size(AIR_SIZE))
        for part in parts:
            column.addWidget(part)
        self._button.setFixedSize(place.width_px, place.height_px)
        column.addWidget(self._button, alignment=Qt.AlignmentFlag.AlignHCenter)

    def begin(self) -> None:
        """With the cursor in the answer."""
        self._editor.begin()
        QTimer.singleShot(self._minimum_ms, self._let_leave)

    def takes(self, event: QKeyEvent, *, is_repeat: bool) -> bool:
        """Return answers wherever the cursor is, once; the other keys are the answer's."""
        if event.key() in RETURN or (event.key() == Qt.Key.Key_Space and self._editor.has_no_words):
            if not is_repeat:
                self.answer()
            return True
        return self._editor.takes(event)

    def answer(self) -> None:
        """Hand on what was given, once the page can be left; what is needed and missing is said."""
        if not self._can_be_left:
            return
        if self._question.required and not self._editor.given:
            self.refuse()
        else:
            self._confirm(self._editor.given)

    def refuse(self) -> None:
        """Say why the answer cannot be used."""
        self._error.setText(self._words.of_error(self._question, self._editor.given))

    def _let_leave(self) -> None:
        self._can_be_left = True
        self._show_button()

    def _changed(self) -> None:
        self._error.setText("")
        self._show_button()

    def _show_button(self) -> None:
        is_complete = bool(self._editor.given) or not self._question.required
        self._button.setEnabled(self._can_be_left and is_complete)


def _scrolling(editor: QWidget) -> QScrollArea:
    area = QScrollArea()
    editor.setObjectName("room")
    area.setWidget(editor)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def _label(text: str, name: str, look: Look, units: float) -> QLabel:
    shown = label(text, name)
    shown.setFont(look.font(units))
    return shown
