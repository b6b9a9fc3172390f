"""The commands that run sessions: pilot and run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from experiment import system
from experiment.cli.after_run import (
    NamedSession,
    accounting_for,
    close_session,
    finish,
    say_remade,
    set_session_aside,
)
from experiment.cli.begin import check_reason, run_once_fit
from experiment.cli.closing import ClosingScreen
from experiment.cli.form import Answers, parse_answers
from experiment.cli.messages import open_folder
from experiment.cli.options import DATA, PARTICIPANTS, PROTOCOL, ROOT, DataFolder, ProtocolFile
from experiment.cli.terminal import say
from experiment.design.message import read_messages
from experiment.design.protocol import Protocol, read_protocol
from experiment.design.session import check_subject
from experiment.errors import BadInput, EquipmentFailure
from experiment.messages.check import check_set, refuse_errors
from experiment.messages.store import Folder
from experiment.preflight import computer, devices
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Event, TrialBegan
from experiment.screens.personas import HABITS
from experiment.session import plan as plans
from experiment.session import run as sessions
from experiment.session.doubts import find_doubts, waive_doubts
from experiment.session.plan import Plan, plan_session
from experiment.study import sessions as holding
from experiment.study.agreement import lost_register
from experiment.study.location import find_register
from experiment.study.register import Register, utc_now
from experiment.study.sessions import admit, catch_up, session_today
from experiment.study.snapshot import Snapshot
from experiment.task.layout import MINIMUM_SIZE_PX, Layout

MessagesFile = Annotated[Path, typer.Option("--messages", help="A CSV file of six messages.")]
MessagesFolder = Annotated[Path, typer.Option("--messages", help="The folder with sub-<ID>.csv of each participant.")]
Seed = Annotated[int, typer.Option("--seed", help="With subject and session, sets the order of the messages.")]
SyntheticName = Annotated[str, typer.Option("--participant", help="Which synthetic participant answers.")]
Photodiode = Annotated[
    bool, typer.Option("--photodiode", help="Show a white square at the bottom right with each message and scale.")
]
BeginAgain = Annotated[
    str | None, typer.Option(help="Reason for starting a session again in which no message was shown.")
]
Override = Annotated[
    str | None, typer.Option(help="Reason for running the session on a computer that failed the check.")
]
OverrideStudy = Annotated[
    str | None, typer.Option(help="Reason for running a session that the study rules do not allow.")
]
CAUGHT_UP = "the log"  # who tells the register of a session that it had missed
EXAMPLE, SCAN_EXAMPLE = (ROOT / "stimuli" / "examples" / name for name in ("english.csv", "scan.csv"))


def pilot(
    robot: Annotated[bool, typer.Option("--robot", help="A synthetic participant answers, in a real window.")] = False,
    participant: SyntheticName = "quick",
    protocol: ProtocolFile = PROTOCOL,
    messages: MessagesFile = EXAMPLE,
    data: DataFolder = DATA,
    seed: Seed = 1,
    session: Annotated[
        int, typer.Option("--session", help="Which session it is; the last one ends with the closing questions.")
    ] = 1,
    photodiode: Photodiode = False,
    full_screen: Annotated[bool, typer.Option("--full-screen", help="Full screen, as a real session.")] = False,
) -> None:
    """Run a whole session in a window with example messages; its data go to data/pilot/."""
    with ExitStack() as stack:
        if not system.has_display():
            say("There is no display: a virtual one is used, and the robot answers.")
            stack.enter_context(system.virtual_display(MINIMUM_SIZE_PX))
            robot = True
        whole = DataSet(data)
        whole.prepare()
        whole.pilot.prepare()
        read = read_protocol(protocol)
        plan = plans.plan_session(
            "pilot", read, read_messages(example_messages(read, messages)), whole.pilot,
            subject=whole.pilot.next_subject("pilot"), session=session, seed=seed, operator="pilot",
            participant=habit_of(participant) if robot else plans.PERSON,
        )  # fmt: skip
        screen = stack.enter_context(ClosingScreen(full_screen=full_screen))
        with accounting_for(plan):
            ended = sessions.run_in_window(
                plan,
                full_screen=full_screen,
                photodiode=photodiode,
                cover=lambda ended: screen.cover(plan, ended),
                tell=_robot_progress(plan) if robot else None,
            )
        finish(ended, plan, screen)


def _robot_progress(plan: Plan) -> Callable[[Event], None]:
    """Says at each message, or object, how far the robot is."""
    thing = "object" if plan.session.holdings else "message"

    def tell(event: Event) -> None:
        if isinstance(event, TrialBegan) and event.trial:
            sys.stderr.write(f"The robot is at {thing} {event.trial} of {len(plan.session.steps)}.\n")

    return tell


def example_messages(protocol: Protocol, named: Path) -> Path:
    """The file that was named; if none was, the example for the protocol's task."""
    return SCAN_EXAMPLE if protocol.scan and named == EXAMPLE else named


def run(
    subject: Annotated[str, typer.Option(help="The participant's ID: letters and digits.")] = "",
    session: Annotated[str, typer.Option(help="Which session this is: 1 or 2.")] = "",
    operator: Annotated[str, typer.Option(help="Your name or initials.")] = "",
    answer: Annotated[list[str] | None, typer.Option(help="ID=VALUE: answers a question of the form.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a session that was interrupted.")] = False,
    close: Annotated[bool, typer.Option("--close", help="End an interrupted session as incomplete.")] = False,
    begin_again: BeginAgain = None,
    windowed: Annotated[
        bool, typer.Option("--windowed", help="Run in a window; onsets are then less certain.")
    ] = False,
    override: Override = None,
    override_study: OverrideStudy = None,
    protocol: ProtocolFile = PROTOCOL,
    messages: MessagesFolder = PARTICIPANTS,
    data: DataFolder = DATA,
    seed: Seed = 1,
    photodiode: Photodiode = False,
) -> None:
    """Run a real session, full screen. A form asks for what is not given here."""
    read, why, why_now = read_protocol(protocol), check_reason(override), check_reason(override_study)
    known = {"subject": subject, "session": session, "operator": operator, **parse_answers(read, answer or [])}
    if not (close or system.has_display()):
        raise EquipmentFailure("There is no display, and a real session needs one. Start it from the desktop.")
    data_set, register = DataSet(data), find_register(data)
    if register is None and (lost := lost_register(data_set)):
        raise BadInput(lost)
    data_set.prepare()
    named = NamedSession(data_set, subject, session, read, register, operator)
    if close:
        close_session(named)
        return
    if begin_again is not None:
        set_session_aside(named, begin_again)
    told = register.read() if register else None
    if register and told and subject:
        told = _look_ahead(register, told, data_set, check_subject(subject), session, why_now)
    system.no_core_dumps()  # messages are in this process from here on
    folder = open_folder(messages) if read.messages else Folder(messages)
    lab = _Lab(read, data_set, folder, register, told, seed=seed, resume=resume, override=why_now)
    # A session that goes on keeps the answers that were given when it began.
    asked = replace(read, assistant=()) if resume else read
    with_session = register is None or bool(session)  # else the register knows which it is

    def run_planned(plan: Plan, reason: str | None) -> Ended:
        check = sessions.Check(lambda: [*computer.items(data, ROOT), *devices.items(plan.protocol)], reason)
        return sessions.run_in_window(
            plan, full_screen=not windowed, photodiode=photodiode, check=check,
            cover=lambda ended: screen.cover(plan, ended),
        )  # fmt: skip

    with ClosingScreen(full_screen=not windowed) as screen:
        finish(*run_once_fit(asked, known, lab.plan, register, run_planned, why, with_session=with_session), screen)


@dataclass(frozen=True)
class _Lab:
    """What a real session is planned with: the files, and what was said of it on the command line.

    `told`: the register as it was read for this start. `override`: the reason to run it against the study's rules.
    """

    protocol: Protocol
    data: DataSet
    messages: Folder
    register: Register | None
    told: Snapshot | None
    seed: int
    resume: bool
    override: str | None

    def plan(self, answers: Answers) -> Plan:
        """The session that the answers name; an error says why it cannot be run now."""
        who, subject, asked = answers.operator, answers.subject, answers.session
        say_remade(self.data, subject)
        session = asked or 0  # only where a register knows better it is not asked
        told = None
        if self.register and self.told:
            told, _ = catch_up(self.register, self.register.refresh(self.told), self.data, subject, CAUGHT_UP)
            session = session_today(told, subject, self.register.now(), asked=asked, override=self.override)
        shown = self.messages.read(subject) if self.protocol.messages else ()
        plan = plan_session(
            "run", self.protocol, shown, self.data, subject=subject, session=session, seed=self.seed, operator=who,
            answers=answers.extra, resume=self.resume,
        )  # fmt: skip
        doubts = find_doubts(plan, utc_now(), has_register=self.register is not None)
        plan = waive_doubts(plan, doubts, self.override)
        refuse_errors(check_set(subject, shown, self.protocol, Layout(*MINIMUM_SIZE_PX)))
        if self.register:
            admit(self.register, subject, who, asked=asked, override=self.override, told=told)
        return plan


def _look_ahead(
    register: Register, told: Snapshot, data: DataSet, subject: str, session: str, override: str | None
) -> Snapshot:
    """Say what the study's register has against this session before anybody fills in a form; the register by then."""
    told, _ = holding.catch_up(register, told, data, subject, CAUGHT_UP)
    asked = int(session) if session.isdecimal() else None
    holding.session_today(told, subject, register.now(), asked=asked, override=override)
    if doses := holding.unknown_doses(told, subject, register.now()):
        say(doses, "yellow")
    return told


def habit_of(name: str) -> str:
    """The synthetic participant of this name; BadInput names them all."""
    if name not in HABITS:
        raise BadInput(f"--participant is {name!r}. Please choose one of {', '.join(HABITS)}.")
    return name
