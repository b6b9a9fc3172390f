"""What follows a session: the register is told, its end is said, and what was interrupted is closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import typer

from experiment.cli.closing import ClosingScreen, ask_after
from experiment.cli.terminal import describe_unexpected, say, tell_desk
from experiment.design.protocol import Protocol
from experiment.design.session import check_session, check_subject
from experiment.design.visit import Visit
from experiment.errors import BadInput, DayFourError
from experiment.qa.devices import count_pulses, sent_signals
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Ended
from experiment.record.remake import catch_up
from experiment.record.saved import describe_saved
from experiment.record.timeline import attempts
from experiment.record.transcript import has_begun
from experiment.session.again import check_unseen, set_aside
from experiment.session.plan import Plan, close_as_incomplete, read_interrupted
from experiment.storage.anchor import anchor_of
from experiment.storage.hash_chain import line_digests
from experiment.storage.read_file import read_file
from experiment.study import recording
from experiment.study.register import Register, utc_now
from experiment.study.sessions import record_end
from experiment.study.snapshot import Snapshot

ABORTED = 3


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
    ask_after(plan, screen)


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

    A log that cannot be read has none.
    """
    with suppress(DayFourError, OSError):  # which is told of where it matters
        if not has_begun(transcript):
            return
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


@dataclass(frozen=True)
class NamedSession:
    """A session that the command line names, with where it is recorded and who wants something of it."""

    data: DataSet
    subject: str
    session: str
    protocol: Protocol
    register: Register | None
    operator: str

    def visit(self, option: str) -> Visit:
        """Which visit it is; BadInput if that is not said."""
        if not self.session:
            raise BadInput(f"Please say with {option} which session is meant: --session 1 or --session 2.")
        number = int(self.session) if self.session.isdecimal() else 0
        return Visit(check_subject(self.subject), check_session(number, self.protocol))


def set_session_aside(named: NamedSession, reason: str) -> None:
    """Set the log of a session aside in which no message was seen, so that it can be begun again; say where it is."""
    visit, register, who = named.visit("--begin-again"), named.register, named.operator
    if not who:
        raise BadInput("Please add your initials with --operator. They are recorded with the reason.")
    why = recording.meaningful(reason)
    check_unseen(named.data, visit)
    if register:
        register.act(who, lambda told: recording.begin_again(told, visit, why, register.now()))
    kept = set_aside(named.data, visit, why, who, utc_now().isoformat(timespec="seconds"))
    say(f"{visit} is starting again. Its first log is kept:\n  {kept}")


def close_session(named: NamedSession) -> None:
    """End an interrupted session as incomplete; with a register, by these initials. BadInput if there is none."""
    visit, data = named.visit("--close"), named.data
    if named.register and not named.operator:
        raise BadInput("Please add your initials with --operator. They are recorded in the study's register.")
    made_again = say_remade(data, visit.subject)
    if made_again and read_interrupted(data, visit) is None:
        say(f"{visit} was not interrupted, so there is nothing to close.")
        return
    close_as_incomplete(data, visit)
    if transcript := data.transcript_of(visit):
        say_anchor(transcript, record(named.register, data, transcript, named.operator))
        say(f"{visit} has been closed as incomplete. {describe_saved(transcript)}")
