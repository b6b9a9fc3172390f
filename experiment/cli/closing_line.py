"""A line between two limits on which a participant sets a number, after the task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

if TYPE_CHECKING:
    from experiment.cli.closing_pages import Look

NUMBER_SIZE = 20
WHOLE_FROM = 10  # a range at least as long has whole steps, a shorter one hundredths of itself


class AnalogueLine(QWidget):
    """A line between two limits, on which a click or a pull sets the marker; where lines begin, it is lowest."""

    def __init__(self, low: float, high: float, look: Look, say: Callable[[float], None]) -> None:
        """Without a marker."""
        super().__init__()
        self._low, self._high, self._look, self._say = low, high, look, say
        self._step = 1.0 if high - low >= WHOLE_FROM else (high - low) / 100
        self._value: float | None = None
        self.setFont(look.font(NUMBER_SIZE))
        self.setFixedHeight(look.size(96))

    def show_value(self, given: str) -> None:
        """The marker at what was typed, if it is on the line."""
        try:
            value = float(given.replace(",", "."))
        except ValueError:
            value = float("nan")
        self._value = value if self._low <= value <= self._high else None
        self.update()

    def after(self, steps: int) -> float:
        """Where the marker is after so many steps; from nowhere, it is in the middle first."""
        middle = (self._low + self._high) / 2
        moved = middle if self._value is None else self._value + steps * self._step
        return min(max(self._rounded(moved), self._low), self._high)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Set the marker where the line was clicked."""
        if event is not None:
            self._say(self._value_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move it along while the button is down."""
        self.mousePressEvent(event)

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """The line, its two ends with their numbers, and the marker."""
        size, colours, y = self._look.size, self._look.display, self._look.size(28)
        first, last = self._x_of(self._low), self._x_of(self._high)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(colours.quiet), size(2)))
            painter.drawLine(QPointF(first, y), QPointF(last, y))
            for x, limit in ((first, self._low), (last, self._high)):
                painter.setPen(QPen(QColor(colours.quiet), size(2)))
                painter.drawLine(QPointF(x, y - size(10)), QPointF(x, y + size(10)))
                painter.setPen(QColor(colours.ink))
                room = QRectF(x - size(60), y + size(18), size(120), size(40))
                painter.drawText(room, int(Qt.AlignmentFlag.AlignHCenter), f"{limit:g}")
            if self._value is not None:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colours.accent))
                painter.drawEllipse(QPointF(self._x_of(self._value), y), size(16), size(16))

    def _x_of(self, value: float) -> float:
        margin, share = self._look.size(60), (value - self._low) / (self._high - self._low)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            share = 1 - share
        return margin + share * (self.width() - 2 * margin)

    def _value_at(self, x_px: float) -> float:
        margin = self._look.size(60)
        share = min(max((x_px - margin) / max(self.width() - 2 * margin, 1), 0.0), 1.0)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            share = 1 - share
        return self._rounded(self._low + share * (self._high - self._low))

    def _rounded(self, value: float) -> float:
        return self._low + round((value - self._low) / self._step) * self._step
