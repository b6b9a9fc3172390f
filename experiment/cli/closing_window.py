"""The participant's window after the task: closing questions, then the closing page, and never the desktop between.

It opens above the session's window before that closes, without a frame, and neither Alt+F4 nor another window's focus
ends it: the assistant's chord does. After a session in a window it is one of the same size. As with every form, Qt
needs a display and ends the process without one.
"""

from __future__ import annotations

import time

from PyQt6.QtCore import QEvent, QEventLoop, QObject, QRect, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QApplication, QVBoxLayout, QWidget

from experiment.cli import form
from experiment.cli.closing_pages import Look, Page, QuestionPage, TextPage
from experiment.cli.form_widgets import take_keyboard
from experiment.cli.form_window import TITLE, application, stopped_by
from experiment.design.form_questions import AskedQuestion, Funnel
from experiment.design.protocol import Protocol
from experiment.record.events import TextScene
from experiment.record.events_beside import Answers
from experiment.screens.keynames import read_key_names
from experiment.task.layout import MINIMUM_SIZE_PX

OPEN_S = 3.0  # the longest that the session's window waits for this one to be seen
LOOK_MS = 200  # how often a full screen looks whether it still has the keyboard
# Qt's names of keys, where they differ from the protocol's.
KEYS = {"pageup": "PgUp", "pagedown": "PgDown", "num_enter": "Enter", "num_add": "+", "num_subtract": "-"}


class ClosingWindow(QWidget):
    """An empty page in the session's colours, until something is asked in it."""

    def __init__(self, protocol: Protocol, *, full_screen: bool) -> None:
        """Not yet on the screen."""
        running = application()
        super().__init__()
        self._application = running  # which lives as long as somebody holds it
        self._protocol, self._full_screen = protocol, full_screen
        self._left, self._loop = False, QEventLoop()
        self._page: Page | None = None
        self._names = read_key_names()
        place = _place(full_screen=full_screen)
        self.setWindowTitle(TITLE)
        self.setGeometry(place)
        self.setFixedSize(place.size())
        if full_screen:
            self.setWindowFlags(Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
        self._look = Look(protocol, place.width(), place.height())
        self.setLayoutDirection(self._look.direction)
        self.setStyleSheet(self._look.style_sheet)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._guard = QTimer(self)
        # Python hears of signals only while it runs, which is here too; a window leaves the keyboard to others.
        self._guard.timeout.connect(self._stay_in_front if full_screen else lambda: None)

    def open(self) -> None:
        """Come on the screen, above every other window; back once it is seen there."""
        if self._full_screen:
            self.showFullScreen()
        else:
            self.show()
        deadline_s = time.monotonic() + OPEN_S
        while not self._is_seen() and time.monotonic() < deadline_s:
            self._keep_focus()
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        self._guard.start(LOOK_MS)

    def ask(self, funnel: Funnel) -> tuple[Answers, bool]:
        """The answers, one question after the other, by ids, None for nothing; and whether it was ended early.

        What was answered before stays.
        """
        answers: Answers = {question.id: None for question in funnel.questions}
        for number, question in enumerate(funnel.questions, start=1):
            self._ask(funnel, question, number, answers)
            if self._left:
                break
        return answers, self._left

    def _ask(self, funnel: Funnel, question: AskedQuestion, number: int, answers: Answers) -> None:
        words = self._protocol.form_words(funnel)
        count = len(funnel.questions)

        def confirm(given: str) -> None:
            try:
                answers.update(form.check_questions([question], {question.id: given}))
            except form.WrongAnswers:
                page.refuse()
            else:
                self._loop.quit()

        heading = f"{funnel.heading}   {number} / {count}" if count > 1 else funnel.heading
        button = funnel.finish_button if number == count else words.next_button
        minimum_s = self._protocol.timing.page_minimum_s
        page = QuestionPage(question, heading, button, words, self._look, minimum_s, confirm)
        self._run(page)

    def stay(self, page: TextScene) -> None:
        """A page without a button, until the assistant's chord."""
        ratio = self.devicePixelRatioF()
        self._run(TextPage(self._protocol, page, round(self.width() * ratio), round(self.height() * ratio)))

    def leave(self) -> None:
        """End what is on the screen, as the assistant's chord does."""
        self._left = True
        self._loop.quit()

    def _run(self, page: Page) -> None:
        """Show a page until it is confirmed or left."""
        self._left = False
        if self._page is not None:
            self._page.hide()
            self._page.deleteLater()
        self._page = page
        self._column.addWidget(page)
        page.begin()
        self._application.installEventFilter(self)
        try:
            with stopped_by(lambda *_: self.leave()):  # what was answered is saved, as at the chord
                self._loop.exec()
        finally:
            self._application.removeEventFilter(self)

    def eventFilter(self, _: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """The assistant's chord, and the keys of the page, wherever the cursor is."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress or self._page is None:
            return False
        is_repeat = self._application.held.is_repeat(event)
        if self._is_chord(event):
            if not is_repeat:  # of which each would leave one more page
                self.leave()
            return True
        return self._page.takes(event, is_repeat=is_repeat)

    def _is_chord(self, event: QKeyEvent) -> bool:
        """Whether that is the assistant's chord: by its letter, or by its place where a layout lacks that."""
        ignored = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.GroupSwitchModifier
        name = self._names.name_of_window(event.nativeScanCode(), event.nativeVirtualKey())
        modifiers, _, last = self._protocol.keys.pause.rpartition("+")
        chord = QKeySequence.fromString(f"{modifiers}+{KEYS.get(last, last)}")[0]
        is_key = event.key() == chord.key() or name == last
        return (event.modifiers() & ~ignored) == chord.keyboardModifiers() and is_key

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """On a full screen nobody closes it but the assistant; in a window it can be left like that."""
        if event is None or not self.isVisible():
            return
        event.ignore()
        if not self._full_screen:
            self.leave()

    def shut(self) -> None:
        """Off the screen."""
        self._guard.stop()
        self.hide()
        self.deleteLater()
        QApplication.processEvents()

    def _is_seen(self) -> bool:
        """Whether the screen shows it: the answer comes after all that was drawn before."""
        handle, screen = self.windowHandle(), QGuiApplication.primaryScreen()
        if handle is None or screen is None or not handle.isExposed():
            return False
        middle = self.mapToGlobal(self.rect().center())
        seen = screen.grabWindow(x=middle.x(), y=middle.y(), width=1, height=1).toImage()
        return seen.isNull() or seen.pixelColor(0, 0).name().upper() == self._protocol.display.background.upper()

    def _stay_in_front(self) -> None:
        """On the screen, also where all windows are taken off it at once to see the desktop; and with the keyboard."""
        handle = self.windowHandle()
        if handle is not None and not handle.isExposed():
            self.hide()
            self.showFullScreen()
        self._keep_focus()

    def _keep_focus(self) -> None:
        """The keyboard is for this page, also where no window manager gives it, or another window takes it."""
        if not self.isActiveWindow():
            take_keyboard(self)


def _place(*, full_screen: bool) -> QRect:
    """The whole screen, or a window in its middle, as the session's was."""
    screen = QGuiApplication.primaryScreen()
    whole = screen.geometry() if screen else QRect(0, 0, *MINIMUM_SIZE_PX)
    if full_screen:
        return whole
    ratio = screen.devicePixelRatio() if screen else 1.0
    place = QRect(0, 0, *(round(side / ratio) for side in MINIMUM_SIZE_PX))
    place.moveCenter(whole.center())
    return place
