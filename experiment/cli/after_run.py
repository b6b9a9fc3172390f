"""What follows a session: its end is said and recorded, and the participant is asked what the protocol asks last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiment import system
from experiment.cli.options import DATA, PROTOCOL, DataFolder, ProtocolFile
from experiment.cli.terminal import describe_unexpected, has_desk, say, tell_desk
from experiment.design.form_questions import Funnel
from experiment.design.protocol import Protocol, read_protocol
from experiment.design.session import check_subject
from experiment.design.visit import Visit, subject_name
from experiment.errors import BadInput, DayFourError, EquipmentFailure
from experiment.qa.devices import count_pulses, sent_signals
from experiment.record import transcript as log
from experiment.record.closing import has_answered, record_closing, record_guess
from experiment.record.dataset import DataSet
from experiment.record.events import Ended
from experiment.record.remake import catch_up
from experiment.record.saved import describe_saved
from experiment.record.timeline import attempts
from experiment.record.transcript import has_begun
from experiment.session.plan import Plan
from experiment.storage.anchor import anchor_of
from experiment.storage.hash_chain import line_digests
from experiment.storage.read_file import read_file
from experiment.study.location import find_register
from experiment.study.register import Register, utc_now
from experiment.study.sessions import check_open, record_end
from experiment.study.snapshot import Snapshot
from experiment.task.scenes import participant_page

if TYPE_CHECKING:
    from experiment.cli.closing_window import ClosingWindow  # Qt is loaded where a page is shown

ABORTED = 3


@dataclass
class ClosingScreen:
    """What the participant sees after the task; it is not opened before something is to be seen."""

    full_screen: bool
    window: ClosingWindow | None = None

    def close(self) -> None:
        """Off the screen, if it was opened."""
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


@contextmanager
def accounting_for(plan: Plan, register: Register | None = None) -> Iterator[None]:
    """Whatever becomes of the session: say what the disk holds if it fails, tell the register, and give the anchor.

    Nothing is said or recorded of a session that another program began at the same moment.
    """
    before = size_of(plan.transcript)
    tell_desk(session=str(plan.transcript))
    try:
        yield
    except log.NotOurs:
        raise
    except BaseException as error:
        if isinstance(error, Exception) and _may_have_begun(plan.transcript):
            say(describe_saved(plan.transcript))
        _account(plan, register, before)
        raise
    _account(plan, register, before)


def _may_have_begun(transcript: Path) -> bool:
    """Whether there is something to say of it; what cannot be read may be a log too, and hides no other error."""
    with suppress(OSError):
        return has_begun(transcript)
    return True


def _account(plan: Plan, register: Register | None, before: int) -> None:
    if size_of(plan.transcript) > before:
        tell_desk(transcript=str(plan.transcript))
    told = record(register, plan.data, plan.transcript, plan.operator)
    if plan.mode == "run":
        say_anchor(plan.transcript, told)


def size_of(path: Path) -> int:
    """How many bytes there are of a file, which may not be there."""
    with suppress(OSError):
        return path.stat().st_size
    return 0


def finish(ended: Ended, plan: Plan, screen: ClosingScreen) -> None:
    """Say how it ended and where the data are, and ask what follows; end with the status that goes with it."""
    saved = describe_saved(plan.transcript)
    _say_devices(plan)
    table = plan.data.table(plan.session.visit, plan.protocol.task)
    if ended.status == "aborted":
        say(f"The session was ended early ({ended.reason}). {saved}\n  {table}")
        if plan.protocol.questions_after(plan.session.session)[1] and plan.mode == "run":
            say(f"The closing questions can still be asked: `dayfour funnel --subject {plan.session.subject}`.")
            tell_desk(ask_again=plan.session.subject)
        raise typer.Exit(ABORTED)
    say(f"The session is complete. {saved} Its table:\n  {table}")
    _ask_after(plan, screen)


def _say_devices(plan: Plan) -> None:
    """Say which signals did not reach their outputs, and what was wrong with a scanner's pulses."""
    if plan.protocol.signals or plan.protocol.pulses:
        held = attempts(log.read(plan.transcript, pilot=True).events)
        pulses = count_pulses(held)
        for wrong in (*(sent.wrong for sent in sent_signals(held)), pulses and pulses.wrong):
            if wrong:
                say(wrong, "yellow")


def record(register: Register | None, data: DataSet, transcript: Path, who: str) -> Snapshot | None:
    """Let the register know how a session ended, if it began; what hinders that hides no other error.

    The register with it; None if it does not know.
    """
    if register is not None:
        try:
            return record_end(register, data, transcript, who)
        except (DayFourError, OSError) as error:
            why = error if isinstance(error, DayFourError) else describe_unexpected(error)
            say(f"The end of the session may not be recorded in the study's register: {why}", "red")
            say("If it is missing, the next `dayfour run` of this participant records it.", "red")
    return None


def say_anchor(transcript: Path, told: Snapshot | None) -> None:
    """Give the assistant the anchor to write down: of the register with this session, or else of the session alone.

    A log that has not begun, or cannot be read, has none.
    """
    with suppress(DayFourError, OSError):  # which is told of where it matters
        log.read(transcript, pilot=True)
        anchor = told.anchor if told else anchor_of(line_digests(read_file(transcript))[-1])
        say(f"Anchor, for the paper form of this visit: {anchor}", "bold")
        tell_desk(anchor=anchor)


def say_remade(data: DataSet, subject: str) -> bool:
    """Put back what was rescued of this subject, make tables again that are behind, and say so; whether there were."""
    done = list(catch_up(data, subject))
    for one in done:
        say(str(one), "yellow")
    return bool(done)


def _ask_after(plan: Plan, screen: ClosingScreen) -> None:
    """Ask what follows this session, if anything does; then the closing page stays until the assistant's chord."""
    guess, funnel = plan.protocol.questions_after(plan.session.session)
    if screen.window is None:
        return
    if guess:
        _ask_guess(guess, plan.session.visit, plan.data, screen.window)
    if funnel:
        _ask_funnel(funnel, plan.session.subject, plan.data, screen.window)
    screen.window.stay(participant_page(plan.protocol, plan.protocol.wording.closing))


def _ask_funnel(funnel: Funnel, subject: str, data: DataSet, window: ClosingWindow) -> None:
    """Ask the participant the closing questions and save the answers."""
    _check_unanswered(data, subject)
    (answers, left), now = window.ask(funnel), utc_now().isoformat(timespec="seconds")
    record_closing(data, subject, now, funnel.questions, answers, left=left)
    if left:
        say("The closing questions were left before the last one, and are recorded as not answered.", "red")
        say(f"`dayfour funnel --subject {subject}` asks them again.", "red")
        tell_desk(ask_again=subject)
    else:
        say(f"The answers to the closing questions are saved, and are in the table:\n  {data.funnel}")


def _check_unanswered(data: DataSet, subject: str) -> None:
    """BadInput if the closing questions have been answered: they are asked once."""
    if has_answered(data, subject):
        raise BadInput(f"{subject_name(subject)} has already answered the closing questions: {data.funnel}")


def _ask_guess(guess: Funnel, visit: Visit, data: DataSet, window: ClosingWindow) -> None:
    """Ask what the participant takes the treatment for, right after the session; later it is no longer asked."""
    (answers, left), now = window.ask(guess), utc_now().isoformat(timespec="seconds")
    record_guess(data, visit, now, guess.questions, answers, left=left)
    if left:
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
    if register := find_register(data):
        check_open(register, label)
    _check_unanswered(data_set, label)
    if not system.has_display():
        raise EquipmentFailure("There is no display, and the questions need one. Start it from the desktop.")
    with closing(ClosingScreen(full_screen=True)) as screen:
        _ask_funnel(read.funnel, label, data_set, screen.open(read))
