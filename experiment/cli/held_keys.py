"""Qt for all windows of the assistant and after the task, in which a key that is held confirms once."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QGuiApplication, QKeyEvent
from PyQt6.QtWidgets import QAbstractButton, QApplication

RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Application(QApplication):
    """Qt, with the keys of all its windows watched."""

    def __init__(self, title: str) -> None:
        """The only one of this process."""
        super().__init__([title])
        self.held = HeldKeys(self)
        if self.platformName() == "xcb":
            self.installEventFilter(self.held)


class HeldKeys(QObject):
    """Lets no window have the repeats of Return, and no button those of the space bar."""

    _released = (0, 0)  # which key was let go last, and when (ms, on the clock of Qt's events)

    def is_repeat(self, event: QKeyEvent) -> bool:
        """Whether a press is of a held key: X lets it go and presses it at one moment, which Qt does not always see.

        Not on Windows, where Qt takes a press for a repeat too if the last release was lost with a window that closed.
        """
        if QGuiApplication.platformName() != "xcb":
            return False
        return event.isAutoRepeat() or (event.key(), event.timestamp()) == self._released

    def eventFilter(self, receiver: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Whether the event ends here."""
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.KeyRelease:
            self._released = event.key(), event.timestamp()
        keys = (*RETURN, Qt.Key.Key_Space) if isinstance(receiver, QAbstractButton) else RETURN
        return event.type() == QEvent.Type.KeyPress and event.key() in keys and self.is_repeat(event)
