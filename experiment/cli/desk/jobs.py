"""The commands that the desk runs: what each needs first, and its process, beside which the desk goes on answering."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from PyQt6.QtCore import QObject, QProcess, QProcessEnvironment
from PyQt6.QtWidgets import QFileDialog, QWidget

from experiment import system
from experiment.cli import form
from experiment.cli.desk.places import Command, process_of
from experiment.cli.desk.troubles import Trouble
from experiment.cli.form_window import FormPage, fill_in
from experiment.cli.terminal import DESK, FOR_DESK
from experiment.design.visit import Visit, visit_of_file
from experiment.record.transcript import has_begun

COULD_NOT_START = 4


@dataclass
class Outcome:
    """How a command ended: its exit status, what it printed, what it told the person, and the desk."""

    status: int = COULD_NOT_START
    printed: str = ""
    said: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    was_killed: bool = False
    was_stopped: bool = False

    @property
    def transcript(self) -> Path | None:
        """The log of the session that it ran; None if none began. A program that was killed told only where it was."""
        if "transcript" in self.told:
            return Path(self.told["transcript"])
        planned = Path(self.told["session"]) if "session" in self.told else None
        return planned if self.was_killed and planned and has_begun(planned) else None

    @property
    def visit(self) -> Visit | None:
        """Which session it was."""
        return visit_of_file(self.transcript) if self.transcript else None


class Job(QObject):
    """A running command. `progress` is called with how many are done, and of how many; `ended` once, with all of it."""

    def __init__(
        self, command: Command, progress: Callable[[int, int], None], ended: Callable[[Outcome], None]
    ) -> None:
        """Start it; it can be typed nothing."""
        super().__init__()
        self._outcome, self._progress, self._ended, self._rest = Outcome(), progress, ended, b""
        self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        name = f"{DESK}-{uuid4()}"
        environment.insert(DESK, name)
        self._stop = system.stop_switch(name) or self._process.terminate
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardError.connect(self._hear)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)
        program, *arguments = process_of(command)
        self._process.start(program, arguments)
        self._process.closeWriteChannel()

    @property
    def form(self) -> int:
        """The window in which it asks something now, by the system's number; 0 for none."""
        return int(self._outcome.told.get("form", 0))

    def stop(self) -> None:
        """Ask it to end, as Ctrl+C at a terminal does."""
        self._outcome.was_stopped = True
        self._stop()

    def _hear(self) -> None:
        *lines, self._rest = (self._rest + self._process.readAllStandardError().data()).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace").rstrip("\r"))

    def _take(self, line: str) -> None:
        if not line.startswith(FOR_DESK):
            self._outcome.said += f"{line}\n"
            return
        told = json.loads(line.removeprefix(FOR_DESK))
        self._outcome.told |= told
        if "progress" in told:
            self._progress(*told["progress"])

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        self._hear()
        if self._rest:
            self._take(self._rest.decode(errors="replace"))
        self._outcome.printed = self._process.readAllStandardOutput().data().decode(errors="replace")
        self._outcome.status = status if how is QProcess.ExitStatus.NormalExit else COULD_NOT_START
        if how is not QProcess.ExitStatus.NormalExit:
            self._outcome.was_killed = True
            self._outcome.said += "The program was stopped from outside, or crashed.\n"
        self._ended(self._outcome)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._outcome.said = "The program could not be started. Restart the computer, then try again.\n"
            self._ended(self._outcome)


def command_of(trouble: Trouble, desk: QWidget) -> Command | None:
    """The command with all that it needs; None if choosing or answering was cancelled."""
    command = trouble.command
    if trouble.files:
        chosen, _ = QFileDialog.getOpenFileNames(desk, trouble.button.rstrip(" ."), "", trouble.files)
        command = (*command, *chosen) if chosen else ()
    if trouble.asks:
        filled = fill_in(_page(trouble))
        given = filled.given if filled else {}
        command = (*command, *(f"--{name}={answer.strip()}" for name, answer in given.items())) if filled else ()
    return command if command or not trouble.command else None


def _page(trouble: Trouble) -> FormPage:
    title = trouble.button.rstrip(" .")
    return FormPage(
        title, trouble.asks, title, lambda given, _: form.check_questions(trouble.asks, given), form.check_field,
        look=lambda _, __: trouble.text,
    )  # fmt: skip
