"""The desk's window: its first page, what the commands said, and the commands that run meanwhile.

Import it only where there is a display (see `cli/form_window.py`).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from PyQt6.QtCore import QUrl, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QDesktopServices, QKeySequence, QShortcut
from PyQt6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from experiment.cli.desk.facts import Facts, ParticipantLine, read_facts, states, with_troubles
from experiment.cli.desk.front import Front
from experiment.cli.desk.jobs import Job, Outcome, command_of
from experiment.cli.desk.places import SESSIONS, Command, Places
from experiment.cli.desk.result import Result, acts_after, checked, findings_of, heading_after, said, told_after
from experiment.cli.desk.troubles import Trouble, of_computer
from experiment.cli.desk.widgets import DESK_STYLE, Act, Cover, TroubleBox
from experiment.cli.form_widgets import PAPER, take_keyboard
from experiment.cli.form_window import application
from experiment.cli.options import ROOT
from experiment.cli.terminal import describe_unexpected
from experiment.design.protocol import read_protocol
from experiment.errors import DayFourError
from experiment.preflight import computer
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding
from experiment.system import bring_forward
from experiment.task.scenes import calling_page

BY_ASSISTANT = (0, 3)  # exit status of a session that the assistant led to its end


class Desk(QWidget):
    """All of it."""

    read = pyqtSignal(object)
    measured = pyqtSignal(object)

    def __init__(self, places: Places) -> None:
        """Ready to be shown; what there is to show is read beside."""
        super().__init__()
        self._places, self._job = places, None  # type: Places, Job | None
        self._pool = ThreadPoolExecutor(2)
        self._next: Future[None] | None = None
        self._pages = QStackedWidget()
        self._front = Front(self._start, self._mend, self._show_all, self._acts(), self._stop)
        self._cover = Cover(self._make_way)
        self._build()
        self.read.connect(self._front.show_facts)
        self.measured.connect(self._show_measured)
        self.look()

    def look(self) -> None:
        """Read everything anew, unless that is about to happen."""
        if self._next is None or self._next.running() or self._next.done():
            self._next = self._pool.submit(self._read)

    def _read(self) -> None:
        """First who needs what; then how the computer is, and what is wrong, for which more files are read."""
        facts = self._read_facts()
        self.read.emit(facts)
        self._pool.submit(lambda: self.measured.emit(computer.items(self._places.data, ROOT)))
        self.read.emit(_read_safely(lambda: with_troubles(facts, self._places), facts))

    def _read_facts(self) -> Facts:
        return _read_safely(lambda: read_facts(self._places), Facts(""))

    def _show_measured(self, found: list[Finding]) -> None:
        self._front.show_states(*states(found, self._places.data), of_computer(found, self._places))

    def run(self, title: str, command: Command, then: Callable[[Outcome], None]) -> None:
        """Run a command, and then this with its outcome."""
        if self._job is not None:
            return

        def ended(outcome: Outcome) -> None:
            self._job = None
            self._front.working("")
            (self._tell_stopped if outcome.was_stopped else then)(outcome)
            take_keyboard(self)  # the command's windows had it
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
            ("&Check this computer", self._check),
            ("&QA page", lambda: self._make_page("All sessions", places.qa)),
            ("Study over&view", lambda: self._make_page("The study", places.overview)),
            ("&Replay the last session", self._replay),
            ("&Look again", self.look),
        ]

    def _start(self, line: ParticipantLine | None) -> None:
        subject, session = (line.subject, line.session) if line else ("", None)
        self._run_covered("A session", self._places.run(subject, session))

    def _run_covered(self, title: str, command: Command) -> None:
        """Run a session, with nothing else to be seen on the screen until the assistant is back."""
        if self._job is None:
            self._pages.setCurrentWidget(self._cover)
            self._cover.setStyleSheet(f"background: {self._background()}")
            self.showFullScreen()
            self.run(title, command, self._after_session)

    def _make_way(self) -> None:
        """The command's form comes back above the cover, which a click beside it brought to the front."""
        if self._job is not None and self._job.form:
            bring_forward(self._job.form)

    def _after_session(self, outcome: Outcome) -> None:
        """The assistant's page; where nobody ended the session, not before the assistant takes over."""
        if outcome.transcript is None:
            self._back()
            self._tell(outcome)
            return
        if outcome.status not in BY_ASSISTANT:  # the program died, or failed
            self._call_assistant()
        heading, run = heading_after(outcome.transcript), partial(self._run_covered, "A session")
        self._show(heading, told_after(outcome, self._read_facts()), acts_after(outcome, heading, self._places, run))

    def _call_assistant(self) -> None:
        """Ask the participant to call the assistant, until the chord."""
        from experiment.cli.closing_window import ClosingWindow  # with all that draws: only a lost session needs it

        with suppress(DayFourError):
            protocol = read_protocol(self._places.protocol)
            window = ClosingWindow(protocol, full_screen=True)
            window.open()
            window.stay(calling_page(protocol))
            window.shut()

    def _background(self) -> str:
        try:
            return read_protocol(self._places.protocol).display.background
        except DayFourError:
            return PAPER

    def _mend(self, trouble: Trouble) -> None:
        """Run the command that mends it, with what is asked for it; nothing if that is cancelled."""
        command = command_of(trouble, self)
        if command is None:
            return
        if not command:
            self.look()
        elif command[0] in SESSIONS:
            self._run_covered(trouble.button, command)
        elif command == self._places.check:
            self._check()
        else:
            self.run(trouble.button.rstrip(" ."), command, self._tell_done)

    def _show_all(self, troubles: Sequence[Trouble]) -> None:
        def mend(trouble: Trouble) -> None:
            self._back()  # where it is seen how far the command is
            self._mend(trouble)

        self._show("All problems", [TroubleBox(one, mend) for one in troubles])

    def _check(self) -> None:
        self.run("Checking this computer", self._places.check, self._tell_check)

    def _tell_done(self, outcome: Outcome) -> None:
        """What a command said that mends something, whether it did or not."""
        heading = {0: "Done", 1: "Please look at this"}.get(outcome.status, "This did not work")
        self._show(heading, said(outcome.said + outcome.printed))

    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    def _tell_stopped(self, outcome: Outcome) -> None:
        """Whatever a command is that was stopped, what it said until then."""
        self.tell("Stopped", f"It was ended before it was done.\n{outcome.said}{outcome.printed}")

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

    def _make_page(self, heading: str, command: Command) -> None:
        """Run a command that writes a page, which can be opened then."""
        page = self._places.page_of(command)

        def tell(outcome: Outcome) -> None:
            opened: list[Act] = [("&Open the page", lambda: _open(page))] if outcome.status in {0, 1} else []
            self._show(heading, said(outcome.said + outcome.printed), opened)

        self.run("Making the page", command, tell)

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


def _read_safely(read: Callable[[], Facts], before: Facts) -> Facts:
    """What is read; where that fails, what was known before, with the failure among the troubles."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - an assistant has to know what to do, whatever it is
        return replace(before, troubles=(*before.troubles, Trouble(describe_unexpected(error))))


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
    take_keyboard(desk)
    return running.exec()
