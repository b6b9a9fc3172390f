"""The command line: wiring and nothing else. What takes time to import is imported by the command that needs it."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from experiment import afterwards, conduct, review
from experiment.errors import DayFourError, EquipmentFailure
from experiment.messages import commands, receiving, reviewing
from experiment.preflight import command as preflight_command
from experiment.review import ROOT
from experiment.study import commands as study_commands
from experiment.study import daily
from experiment.terminal import end_as_interrupted, say, unexpected
from experiment.timing import command as timing_command

app = typer.Typer(
    name="dayfour", add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Six messages from loved ones, two ratings each. Exit status: 0 completed, 1 found wanting (replay "
    "--verify, qa), 2 bad input, 3 ended by the assistant, 4 equipment failure.",
)  # fmt: skip

for hold in (conduct.pilot, conduct.run, conduct.simulate, afterwards.funnel):
    app.command()(hold)
for look in (preflight_command.check, timing_command.timing, review.table, review.replay, review.qa):
    app.command()(look)
commands.app.command("import")(receiving.import_messages)
commands.app.command()(reviewing.check)
commands.app.command()(reviewing.preview)
app.add_typer(commands.app, name="messages")

study = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The study: who takes part, which day it is; never which drug."
)
for begin in (study_commands.key, study_commands.init, study_commands.join, study_commands.packing):
    study.command()(begin)
for happen in (daily.enrol, daily.consent, daily.start, daily.dosed, daily.withdraw, daily.close, daily.correct):
    study.command()(happen)
for see in (daily.status, daily.calendar, daily.history):
    study.command()(see)
for end in (study_commands.answer, study_commands.lock, study_commands.unblind):
    study.command()(end)
app.add_typer(study, name="study")


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
