"""What a participant is asked after a session, in a window that follows the task's own, and where it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from experiment import system
from experiment.cli.options import DATA, PROTOCOL, DataFolder, ProtocolFile
from experiment.cli.terminal import has_desk, say, tell_desk
from experiment.design.form_questions import Funnel
from experiment.design.protocol import Protocol, read_protocol
from experiment.design.session import check_subject
from experiment.design.visit import Visit, subject_name
from experiment.errors import BadInput, EquipmentFailure
from experiment.record.closing import has_answered, record_closing, record_guess
from experiment.record.dataset import DataSet
from experiment.record.events import Ended
from experiment.session.plan import Plan
from experiment.study import location, sessions
from experiment.study.register import utc_now
from experiment.task.scenes import participant_page

if TYPE_CHECKING:
    from experiment.cli.closing_window import ClosingWindow  # Qt is loaded where a page is shown


@dataclass
class ClosingScreen:
    """What the participant sees after the task; as a context it leaves the screen at the end, if it was opened."""

    full_screen: bool
    window: ClosingWindow | None = None

    def __enter__(self) -> ClosingScreen:
        """Itself, not opened yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Off the screen."""
        if self.window:
            self.window.shut()

    def cover(self, plan: Plan, ended: Ended) -> None:
        """Open above the session's window, which then closes unseen, if something is asked or the desk lies below."""
        stays = any(plan.protocol.questions_after(plan.session.session)) or has_desk()
        if stays and ended.status == "completed" and not plan.is_synthetic:
            self.open(plan.protocol)

    def open(self, protocol: Protocol) -> ClosingWindow:
        """Open with an empty page; Qt is loaded only now."""
        from experiment.cli.closing_window import ClosingWindow

        self.window = self.window or ClosingWindow(protocol, full_screen=self.full_screen)
        self.window.open()
        return self.window


def ask_after(plan: Plan, screen: ClosingScreen) -> None:
    """Ask what follows this session, if anything does; then the closing page stays until the assistant's chord."""
    guess, funnel = plan.protocol.questions_after(plan.session.session)
    if screen.window is None:
        return
    if guess:
        ask_guess(guess, plan.session.visit, plan.data, screen.window)
    if funnel:
        ask_funnel(funnel, plan.session.subject, plan.data, screen.window)
    screen.window.stay(participant_page(plan.protocol, plan.protocol.wording.closing))


def ask_funnel(funnel: Funnel, subject: str, data: DataSet, window: ClosingWindow) -> None:
    """Ask the participant the closing questions and save the answers."""
    if has_answered(data, subject):
        raise BadInput(f"{subject_name(subject)} has already answered the closing questions: {data.funnel}")
    given, now = window.ask(funnel), utc_now().isoformat(timespec="seconds")
    record_closing(data, subject, now, funnel.questions, given.answers, left=given.left)
    if given.left:
        say("The closing questions were left before the last one, and are recorded as not answered.", "red")
        say(f"`dayfour funnel --subject {subject}` asks them again.", "red")
        tell_desk(ask_again=subject)
    else:
        say(f"The answers to the closing questions are saved, and are in the table:\n  {data.funnel}")


def ask_guess(guess: Funnel, visit: Visit, data: DataSet, window: ClosingWindow) -> None:
    """Ask what the participant takes the treatment for, right after the session; later it is no longer asked."""
    given, now = window.ask(guess), utc_now().isoformat(timespec="seconds")
    record_guess(data, visit, now, guess.questions, given.answers, left=given.left)
    if given.left:
        say("The question about the treatment is recorded as not answered. It is not asked again.", "red")
    else:
        say(f"The answer about the treatment is saved:\n  {data.guesses}")


def funnel(
    subject: Annotated[str, typer.Option(help="Who has completed the last session.")],
    protocol: ProtocolFile = PROTOCOL,
    data: DataFolder = DATA,
) -> None:
    """Ask the closing questions alone, if they could not be asked after the last session."""
    label, read, data_set = check_subject(subject), read_protocol(protocol), DataSet(data)
    if read.funnel is None:
        raise BadInput(f"The protocol {protocol} has no section [funnel].")
    visit = Visit(label, read.sessions)
    if not (data_set.table_of(visit) or data_set.transcript_of(visit)):
        name = subject_name(label)
        raise BadInput(f"{name} has not been in session {read.sessions} yet. The closing questions come after it.")
    if register := location.find_register(data):
        sessions.check_open(register, label)
    if has_answered(data_set, label):
        raise BadInput(f"{subject_name(label)} has already answered the closing questions: {data_set.funnel}")
    if not system.has_display():
        raise EquipmentFailure("There is no display, and the questions need one. Start it from the desktop.")
    with ClosingScreen(full_screen=True) as screen:
        ask_funnel(read.funnel, label, data_set, screen.open(read))
