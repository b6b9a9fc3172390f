"""The commands that run sessions: pilot and run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiment import system
from experiment.cli.after_run import ABORTED, ClosingScreen, accounting_for, finish, size_of
from experiment.cli.form import RESUME, RUN_ANYWAY, RUN_DESPITE, Decided, Given, Problem, parse_answers
from experiment.cli.lab import Lab
from experiment.cli.messages import needed_folder, with_key
from experiment.cli.options import DATA, PARTICIPANTS, PROTOCOL, ROOT, DataFolder, MessagesFolder, ProtocolFile
from experiment.cli.terminal import say
from experiment.design.message import Message, read_messages
from experiment.design.protocol import Protocol, read_protocol
from experiment.design.session import check_subject
from experiment.errors import BadInput, DayFourError, EquipmentFailure
from experiment.preflight import computer, devices
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Event, TrialBegan
from experiment.screens.personas import HABITS
from experiment.session import plan as plans
from experiment.session import run as sessions
from experiment.session.plan import Interrupted, Plan
from experiment.study.admission import Refused
from experiment.study.agreement import lost_register
from experiment.study.location import find_register
from experiment.task.layout import MINIMUM_SIZE_PX

if TYPE_CHECKING:
    from experiment.cli.form_window import Filled  # Qt is loaded where a form is shown

MessagesFile = Annotated[Path, typer.Option("--messages", help="A CSV file of six messages.")]
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
            "pilot", read, example_messages(read, messages), whole.pilot,
            subject=whole.pilot.next_subject("pilot"), session=session, seed=seed, operator="pilot",
            participant=habit_of(participant) if robot else plans.PERSON,
        )  # fmt: skip
        screen = stack.enter_context(closing(ClosingScreen(full_screen=full_screen)))
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


def example_messages(protocol: Protocol, named: Path) -> tuple[Message, ...]:
    """The messages of the file that was named; if none was, those of the example for the protocol's task, if any."""
    if not protocol.messages:
        return ()
    return read_messages(SCAN_EXAMPLE if protocol.scan and named == EXAMPLE else named)


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
    read, decided = read_protocol(protocol), _decided(resume, override, override_study)
    known = {"subject": subject, "session": session, "operator": operator, **parse_answers(read, answer or [])}
    if not (close or system.has_display()):
        raise EquipmentFailure("There is no display, and a real session needs one. Start it from the desktop.")
    data_set, register = DataSet(data), find_register(data)
    if register is None and (lost := lost_register(data_set)):
        raise BadInput(lost)
    data_set.prepare()
    # A session's number is asked for unless the register knows it.
    lab = Lab(read, data_set, None, register, None, seed, with_session=register is None or bool(session))
    asked = int(session) if session.isdecimal() else None
    if close:
        lab.close(subject, asked, operator)
        return
    if begin_again is not None:
        lab.set_aside(subject, asked, operator, begin_again)
    lab.folder, lab.told = needed_folder(messages, read), register.read() if register else None
    if register and subject:
        _look_ahead(lab, check_subject(subject), asked, decided, is_known=lab.is_known(known, decided))
    if lab.folder and lab.is_known(known, decided):
        lab.folder = with_key(lab.folder)

    def run_planned(plan: Plan, reason: str | None) -> Ended:
        check = sessions.Check(lambda: [*computer.items(data, ROOT), *devices.items(plan.protocol)], reason)
        return sessions.run_in_window(
            plan, full_screen=not windowed, photodiode=photodiode, check=check,
            cover=lambda ended: screen.cover(plan, ended),
        )  # fmt: skip

    with closing(ClosingScreen(full_screen=not windowed)) as screen:
        finish(*_run_once_fit(lab, known, decided, run_planned), screen)


def _decided(resume: bool, override: str | None, override_study: str | None) -> dict[str, str]:  # noqa: FBT001
    """What the command line says of problems that may come up."""
    decided = {RESUME.id: ""} if resume else {}
    for offer, reason in ((RUN_ANYWAY, override), (RUN_DESPITE, override_study)):
        if reason is not None:
            if not offer.takes(reason):
                raise BadInput(f"Please give the reason in words (you wrote {reason!r}); it is stored with the data.")
            decided[offer.id] = reason
    return decided


def _look_ahead(lab: Lab, subject: str, asked: int | None, decided: Decided, *, is_known: bool) -> None:
    """Say what the study's register has against this session before anybody fills in a form, which offers the rest."""
    try:
        if doses := lab.look_ahead(subject, asked, decided):
            say(doses, "yellow")
    except Interrupted:
        return
    except Refused as refused:
        if is_known or refused.session is None:
            raise


def _run_once_fit(
    lab: Lab, known: Given, decided: Decided, run_planned: Callable[[Plan, str | None], Ended]
) -> tuple[Ended, Plan]:
    """The session, and how it ended. What keeps it from beginning is shown in the form, which keeps its answers."""
    problem, was_asked = Problem(), not lab.is_known(known, decided)
    while True:
        if was_asked:
            known, decided, plan = _ask(lab, known, decided, problem)
        else:
            plan = lab.check(known, decided)
        before = size_of(plan.transcript)
        try:
            with accounting_for(plan, lab.register):
                return run_planned(plan, decided.get(RUN_ANYWAY.id)), plan
        except DayFourError as error:
            if not was_asked or size_of(plan.transcript) != before:
                raise  # the session has begun, or continued
            problem = lab.explain(error, known)


def _ask(lab: Lab, known: Given, decided: Decided, problem: Problem) -> Filled:
    """What was typed and decided in the form, and the session; ends here if that is cancelled."""
    from experiment.cli.form_window import FormPage, fill_in

    page = FormPage(
        "Before the session", lab.questions(), "Start", lab.check, lab.check_field, lab.look, lab.explain, known,
        decided, problem,
    )  # fmt: skip
    if (filled := fill_in(page)) is None:
        say("Cancelled: nothing was saved.")
        raise typer.Exit(ABORTED)
    return filled


def habit_of(name: str) -> str:
    """The synthetic participant of this name; BadInput names them all."""
    if name not in HABITS:
        raise BadInput(f"--participant is {name!r}. Please choose one of {', '.join(HABITS)}.")
    return name
