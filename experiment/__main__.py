"""The command line: wiring and nothing else. What takes time to import is imported by the command that needs it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from experiment import review
from experiment.errors import BadInput, DayFourError, EquipmentFailure
from experiment.messages import commands
from experiment.review import DATA, PARTICIPANTS, PROTOCOL, ROOT, ProtocolFile
from experiment.terminal import console, end_as_interrupted, say, unexpected

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiment.bids import DataSet
    from experiment.events import Ended
    from experiment.form import Answers
    from experiment.protocol import Protocol
    from experiment.questions import Funnel
    from experiment.sessions import Plan

ABORTED = 3

app = typer.Typer(
    name="dayfour", add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Six messages from loved ones, two ratings each. Exit status: 0 completed, 1 found wanting (replay "
    "--verify, qa), 2 bad input, 3 ended by the assistant, 4 equipment failure.",
)  # fmt: skip

DataFolder = Annotated[Path, typer.Option("--data", help="Where the data set lies.")]
MessagesFile = Annotated[Path, typer.Option("--messages", help="A CSV file of six messages.")]
MessagesFolder = Annotated[Path, typer.Option("--messages", help="The folder with sub-<ID>.csv of each participant.")]
Seed = Annotated[int, typer.Option("--seed", help="Decides, with subject and session, the order of the messages.")]
SyntheticName = Annotated[str, typer.Option("--participant", help="Which synthetic participant answers.")]
Photodiode = Annotated[
    bool, typer.Option("--photodiode", help="A square bottom right is white while a message or a scale is shown.")
]
EXAMPLE = ROOT / "stimuli" / "examples" / "english.csv"


@app.command()
def pilot(
    robot: Annotated[bool, typer.Option("--robot", help="A synthetic participant answers, in a real window.")] = False,
    participant: SyntheticName = "quick",
    protocol: ProtocolFile = PROTOCOL,
    messages: MessagesFile = EXAMPLE,
    data: DataFolder = DATA,
    seed: Seed = 1,
    session: Annotated[int, typer.Option("--session", help="The last one ends with the closing questions.")] = 1,
    photodiode: Photodiode = False,
) -> None:
    """The whole session in a window with the example messages; its data go to data/pilot/."""
    from experiment import sessions, system
    from experiment.bids import DataSet
    from experiment.design import read_messages
    from experiment.protocol import read_protocol

    with ExitStack() as stack:
        if not system.has_display():
            say("There is no display here: a virtual one is started, and the robot answers.")
            stack.enter_context(system.virtual_display())
            robot = True
        whole = DataSet(data)
        whole.prepare()
        whole.pilot.prepare()
        plan = sessions.planned(
            "pilot", read_protocol(protocol), read_messages(messages), whole.pilot,
            subject=whole.pilot.next_subject("pilot"), session=session, seed=seed, operator="pilot",
            participant=_habit(participant) if robot else sessions.PERSON,
        )  # fmt: skip
        _finish(sessions.held_in_window(plan, full_screen=False, photodiode=photodiode), plan)


@app.command()
def run(
    subject: Annotated[str, typer.Option(help="The participant's ID: letters and digits.")] = "",
    session: Annotated[str, typer.Option(help="1 or 2: which day four this is.")] = "",
    operator: Annotated[str, typer.Option(help="Your name or initials.")] = "",
    answer: Annotated[list[str] | None, typer.Option(help="ID=VALUE: answers a question of the form.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a session that was cut off.")] = False,
    close: Annotated[bool, typer.Option("--close", help="End a session that was cut off as incomplete.")] = False,
    windowed: Annotated[bool, typer.Option("--windowed", help="In a window: onsets are then less certain.")] = False,
    protocol: ProtocolFile = PROTOCOL,
    messages: MessagesFolder = PARTICIPANTS,
    data: DataFolder = DATA,
    seed: Seed = 1,
    photodiode: Photodiode = False,
) -> None:
    """A real session, full screen; a form asks for what is not given here."""
    from msgspec.structs import replace

    from experiment import sessions, system
    from experiment.bids import DataSet
    from experiment.design import check_subject
    from experiment.form import parse_answers
    from experiment.protocol import read_protocol

    read = read_protocol(protocol)
    known = {"subject": subject, "session": session, "operator": operator, **parse_answers(read, answer or [])}
    if not system.has_display():
        raise EquipmentFailure("A real session needs a display, and there is none. Start it from the desktop.")
    data_set = DataSet(data)
    data_set.prepare()
    if close:
        sessions.close_as_incomplete(data_set, check_subject(subject), session, read)
        say(f"sub-{check_subject(subject)} ses-{session} is closed as incomplete. What was rated is in its table.")
        return

    folder = commands.opened(messages)

    def plan_of(answers: Answers) -> Plan:
        return sessions.planned(
            "run", read, folder.read(answers.subject), data_set, subject=answers.subject,
            session=answers.session, seed=seed, operator=answers.operator, answers=answers.extra, resume=resume,
        )  # fmt: skip

    # A session that goes on keeps the answers that were given when it began.
    plan = _asked(replace(read, assistant=()) if resume else read, known, plan_of)
    if plan is None:
        say("Cancelled: nothing was saved.")
        raise typer.Exit(ABORTED)
    _finish(sessions.held_in_window(plan, full_screen=not windowed, photodiode=photodiode), plan)


@app.command()
def simulate(
    subjects: Annotated[int, typer.Option(min=1, max=99_999, help="How many participants, each with all sessions.")],
    out: Annotated[Path, typer.Option(help="The folder of the new data set.")],
    participant: SyntheticName = "mixed",
    protocol: ProtocolFile = PROTOCOL,
    messages: MessagesFile = EXAMPLE,
    seed: Seed = 1,
) -> None:
    """Whole synthetic data sets at full speed, without a window: the same task, another clock."""
    from rich.progress import track

    from experiment import sessions
    from experiment.bids import DataSet
    from experiment.design import read_messages
    from experiment.protocol import read_protocol

    read, shown, data_set = read_protocol(protocol), read_messages(messages), DataSet(out)
    data_set.prepare()
    habit = participant if participant == "mixed" else _habit(participant)
    for number in track(range(1, subjects + 1), "Simulating", console=console()):
        for session in range(1, read.sessions + 1):
            plan = sessions.planned(
                "simulate", read, shown, data_set, subject=f"sim{number:05}", session=session, seed=seed,
                operator="simulate", participant=sessions.some_habit(seed, number) if habit == "mixed" else habit,
            )  # fmt: skip
            sessions.simulated(plan)
    data_set.list_participants()
    say(f"{subjects * read.sessions} sessions in {out}")


app.add_typer(commands.app, name="messages")


@app.command()
def funnel(
    subject: Annotated[str, typer.Option(help="Who has completed the last session.")],
    protocol: ProtocolFile = PROTOCOL,
    data: DataFolder = DATA,
) -> None:
    """The closing questions alone, for a participant to whom they could not be put after the last session."""
    from experiment.bids import DataSet
    from experiment.design import check_subject
    from experiment.protocol import read_protocol

    label, read, data_set = check_subject(subject), read_protocol(protocol), DataSet(data)
    if read.funnel is None:
        raise BadInput(f"The protocol {protocol} has no section [funnel].")
    if not data_set.table(label, read.sessions, read.task).exists():
        raise BadInput(f"sub-{label} has not been in session {read.sessions} yet, which the questions follow.")
    _ask_funnel(read.funnel, label, data_set)


for command in (review.table, review.replay, review.qa):
    app.command()(command)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """The whole test suite: ruff, mypy, pytest. Further arguments go to pytest."""
    import subprocess

    commands = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["pytest", *context.args])
    for command in commands:
        say(" ".join(command), "bold")
        status = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode  # noqa: S603 - our own tools
        if status:
            raise typer.Exit(status)


def _habit(name: str) -> str:
    from experiment.screens.participants import HABITS

    if name not in HABITS:
        raise BadInput(f"Expected --participant as one of {', '.join(HABITS)}, found {name!r}.")
    return name


def _asked(protocol: Protocol, known: dict[str, str], plan_of: Callable[[Answers], Plan]) -> Plan | None:
    """The session that the options name, or the form if they leave something out; None if the form was cancelled."""
    from experiment import form

    if all(known.get(field.id) for field in form.fields(protocol) if field.required):
        return plan_of(form.check(protocol, known))
    from experiment import dialog

    def check_more(answers: Answers) -> None:
        plan_of(answers)

    answers = dialog.ask(protocol, known, check_more)
    return None if answers is None else plan_of(answers)


def _finish(ended: Ended, plan: Plan) -> None:
    """Say how it ended and where the data are; end with the status that goes with it."""
    saved = plan.data.table(plan.session.subject, plan.session.session, plan.protocol.task)
    if ended.status == "aborted":
        say(f"The session was ended early ({ended.reason}). What was rated until then is saved:\n  {saved}")
        raise typer.Exit(ABORTED)
    say(f"The session is complete. Its table:\n  {saved}")
    is_last = plan.session.session == plan.protocol.sessions
    if plan.protocol.funnel and is_last and not plan.is_synthetic:
        _ask_funnel(plan.protocol.funnel, plan.session.subject, plan.data)


def _ask_funnel(funnel: Funnel, subject: str, data: DataSet) -> None:
    """Put the closing questions to the participant and save the answers."""
    from experiment import dialog

    if data.has_funnel(subject):
        raise BadInput(f"sub-{subject} has answered the closing questions already: {data.funnel}")
    answers = dialog.ask_participant(funnel)
    if answers is None:
        say(f"The closing questions were not answered. `dayfour funnel --subject {subject}` asks them again.", "red")
        return
    data.save_funnel(subject, answers, funnel)
    say(f"The answers to the closing questions:\n  {data.funnel}")


def main() -> NoReturn:
    """Run a command; errors are told in words, and with `--debug` also with a traceback."""
    debug = "--debug" in sys.argv
    end_as_interrupted()
    try:
        app([argument for argument in sys.argv[1:] if argument != "--debug"])
    except DayFourError as error:
        say(str(error), "red")
        status = error.exit_status
    except Exception as error:  # noqa: BLE001 - whatever it is, an assistant is waiting and has to know what to do
        say(unexpected(error), "red")
        status = EquipmentFailure.exit_status
        if debug:
            sys.excepthook(type(error), error, error.__traceback__)
    sys.exit(status)


if __name__ == "__main__":
    main()
