"""The desk's window: its first page, what the commands said, and the commands that run meanwhile.

Import it only where there is a display (see `cli/form_window.py`).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QUrl, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QDesktopServices, QKeySequence, QShortcut
from PyQt6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from experiment.cli.closing_window import ClosingWindow
from experiment.cli.desk.afterwards import acts_after, is_interrupted, page_after
from experiment.cli.desk.computer import states
from experiment.cli.desk.facts import Facts, Line, Trouble, read_facts
from experiment.cli.desk.front import Front
from experiment.cli.desk.jobs import Job, Outcome
from experiment.cli.desk.places import Command, Places
from experiment.cli.desk.result import Act, Result, checked, findings_of, page_of, said
from experiment.cli.desk.widgets import DESK_STYLE
from experiment.cli.form_widgets import PAPER
from experiment.cli.form_window import application
from experiment.cli.options import ROOT
from experiment.cli.terminal import describe_unexpected
from experiment.design.protocol import read_protocol
from experiment.errors import DayFourError
from experiment.preflight import computer
from experiment.record.dataset import DataSet
from experiment.task.scenes import calling_page


class Desk(QWidget):
    """All of it."""

    read = pyqtSignal(object)
    measured = pyqtSignal(object)

    def __init__(self, places: Places) -> None:
        """Ready to be shown; what there is to show is read beside."""
        super().__init__()
        self._places, self._job = places, None  # type: Places, Job | None
        self._pool = ThreadPoolExecutor(2)
        self._pages = QStackedWidget()
        self._front = Front(self._start, self._mend, self._acts(), self._stop)
        self._cover = QWidget()
        self._build()
        self.read.connect(self._front.show_facts)
        self.measured.connect(lambda found: self._front.show_states(*states(found, places.data)))
        self.look()

    def look(self) -> None:
        """Read everything anew."""
        self._pool.submit(lambda: self.read.emit(_read(self._places)))
        self._pool.submit(lambda: self.measured.emit(computer.items(self._places.data, ROOT)))

    def run(self, title: str, command: Command, then: Callable[[Outcome], None]) -> None:
        """Run a command, and then this with its outcome."""
        if self._job is not None:
            return

        def ended(outcome: Outcome) -> None:
            self._job = None
            self._front.working("")
            self.activateWindow()  # the command's windows had the keyboard
            then(outcome)
            self.look()

        self._front.working(title)
        self._job = Job(command, self._front.progress, ended)

    def closeEvent(self, a0: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Not while a command runs: a session would lose whoever looks after it."""
        if self._job is not None and a0 is not None:
            a0.ignore()
            return
        self._pool.shutdown(wait=False, cancel_futures=True)

    def tell(self, heading: str, text: str) -> None:
        """Say something on a page of its own."""
        self._show(heading, said(text))

    def _acts(self) -> list[Act]:
        places = self._places
        return [
            ("&Pilot in a window", lambda: self.run("Pilot", places.pilot(full_screen=False), self._tell)),
            ("Pilot &full screen", lambda: self._run_covered("Pilot", places.pilot(full_screen=True))),
            ("&Check this computer", lambda: self.run("Checking this computer", places.check, self._tell_check)),
            ("&QA page", lambda: self.run("Making the QA page", places.qa, self._tell_qa)),
            ("&Replay the last session", self._replay),
            ("&Look again", self.look),
        ]

    def _start(self, line: Line | None) -> None:
        subject, session = (line.subject, line.session) if line else ("", None)
        self._run_covered("A session", self._places.run(subject, session))

    def _run_covered(self, title: str, command: Command) -> None:
        """Run a session, with nothing else to be seen on the screen until the assistant is back."""
        if self._job is None:
            self._pages.setCurrentWidget(self._cover)
            self._cover.setStyleSheet(f"background: {self._background()}")
            self.showFullScreen()
            self.run(title, command, self._after_session)

    def _after_session(self, outcome: Outcome) -> None:
        """The assistant's page; where nobody ended the session, not before the assistant takes over."""
        if outcome.transcript is None:
            self._back()
            self._tell(outcome)
            return
        if is_interrupted(outcome):
            self._call_assistant()
        heading, body = page_after(outcome, _read(self._places))
        self._show(heading, body, acts_after(outcome, self._places, partial(self._run_covered, "A session")))

    def _call_assistant(self) -> None:
        """Ask the participant to call the assistant, until the chord."""
        with suppress(DayFourError):
            protocol = read_protocol(self._places.protocol)
            window = ClosingWindow(protocol, full_screen=True)
            window.open()
            window.stay(calling_page(protocol))
            window.shut()
        self.activateWindow()  # which had the keyboard

    def _background(self) -> str:
        try:
            return read_protocol(self._places.protocol).display.background
        except DayFourError:
            return PAPER

    def _mend(self, trouble: Trouble) -> None:
        if trouble.command:
            self._run_covered(trouble.button, trouble.command)
        else:
            self.look()

    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    def _replay(self) -> None:
        logs = DataSet(self._places.data).transcripts_of_all()
        if not logs:
            self.tell("There is no session yet", "The last session can be replayed once there is one.")
            return
        last = max(logs, key=lambda path: path.stat().st_mtime)
        self.run("Replay", self._places.replay(last), self._tell)

    def _tell(self, outcome: Outcome) -> None:
        """What a pilot or a replay said, if it did not do what it should."""
        if outcome.status not in {0, 3}:
            self._show("This did not work", said(outcome.said + outcome.printed))

    def _tell_check(self, outcome: Outcome) -> None:
        found = findings_of(outcome.printed)
        body = checked(found) if found else said(outcome.said)
        self._show("This computer", body)

    def _tell_qa(self, outcome: Outcome) -> None:
        page = page_of(self._places.data)
        opened: list[Act] = [("&Open the page", lambda: _open(page))] if outcome.status in {0, 1} else []
        self._show("All sessions", said(outcome.said + outcome.printed), opened)

    def _show(self, heading: str, body: list[QWidget], acts: list[Act] | None = None) -> None:
        page = Result(heading, body, acts or [], self._back)
        self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)
        page.back.setFocus()

    def _back(self) -> None:
        page = self._pages.currentWidget()
        if self._job is not None and page is self._cover:
            return
        self._pages.setCurrentWidget(self._front)
        if page is not None and page not in {self._front, self._cover}:
            self._pages.removeWidget(page)
            page.deleteLater()
        if self.isFullScreen():
            self.showMaximized()
        self._front.come_back()

    def _build(self) -> None:
        self.setObjectName("desk")
        self.setWindowTitle("Day Four: the desk")
        self.setStyleSheet(DESK_STYLE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        for page in (self._front, self._cover):
            self._pages.addWidget(page)
        for keys, act in (("F5", self.look), ("Escape", self._back)):
            QShortcut(QKeySequence(keys), self).activated.connect(act)
        self._front.come_back()


def _read(places: Places) -> Facts:
    try:
        return read_facts(places)
    except Exception as error:  # noqa: BLE001 - an assistant has to know what to do, whatever it is
        return Facts("", (), (Trouble(describe_unexpected(error)),))


def _open(page: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(page)))


def open_desk(places: Places) -> int:
    """Show the desk until it is closed; the exit status."""
    running = application()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    desk = Desk(places)
    sys.excepthook = lambda _, error, __: desk.tell("Something went wrong", describe_unexpected(error))
    if (screen := running.primaryScreen()) is not None:
        desk.setGeometry(screen.availableGeometry())  # where no window manager makes it so
    desk.showMaximized()
    desk.activateWindow()
    return running.exec()
