"""The command line: wiring and nothing else. What takes time to import is imported by the command that needs it."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

from experiment.cli import (
    after_run,
    analyse,
    check,
    check_messages,
    import_messages,
    messages,
    reports,
    review,
    run,
    study_daily,
    study_seals,
    study_setup,
    timing,
)
from experiment.cli.options import ROOT
from experiment.cli.terminal import describe_unexpected, end_as_interrupted, say
from experiment.errors import DayFourError, EquipmentFailure

app = typer.Typer(
    name="dayfour", add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Six messages from loved ones, two ratings each. Exit status: 0 completed, 1 problems found (check, replay "
    "--verify, qa ...), 2 bad input, 3 ended by the assistant, 4 equipment failure.",
)  # fmt: skip

for command in (
    run.pilot, run.run, run.simulate, after_run.funnel,
    check.check, timing.timing, review.table, review.replay, review.qa,
):  # fmt: skip
    app.command()(command)
messages.app.command("import")(import_messages.import_messages)
messages.app.command()(check_messages.check)
messages.app.command()(check_messages.preview)
app.add_typer(messages.app, name="messages")
app.add_typer(analyse.app, name="analyse")

study = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The study: who takes part, which day it is; never which drug."
)
for act in (
    study_seals.key, study_setup.init, study_setup.join, study_seals.packing,
    study_daily.enrol, study_daily.consent, study_daily.start, study_daily.dosed, study_daily.withdraw,
    study_daily.close, study_daily.correct, study_daily.clock, study_daily.status, study_daily.calendar,
    study_daily.history, study_setup.answer, study_seals.verify, study_seals.lock, study_seals.unblind,
):  # fmt: skip
    study.command()(act)
app.add_typer(study, name="study")
app.add_typer(reports.app, name="reports")


@app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run_tests(
    context: typer.Context,
    windows: Annotated[  # noqa: FBT002 - typer makes --windows of it
        bool, typer.Option("--windows", help="The tests of the Windows bench (Wine), which is made first.")
    ] = False,
) -> None:
    """The whole test suite: ruff, mypy, pytest. With arguments (`-k NAME`, a file) only pytest, which gets them."""
    import subprocess

    checks = [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]]
    # Two files at a time, and then, one after the other, those that measure times.
    side_by_side = ["pytest", "-n", "2", "--dist", "loadfile", "-m", "not bench and not alone and not windows"]
    commands = [["pytest", *context.args]] if context.args else [*checks, side_by_side, ["pytest", "-m", "alone"]]
    if windows:
        subprocess.run([ROOT / "tests" / "windows" / "set-up", ROOT / ".venv-windows"], check=True)  # noqa: S603 - ours
        commands = [["pytest", "-m", "windows", "tests/windows", *context.args]]
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
        app([argument for argument in sys.argv[1:] if argument != "--debug"], prog_name="dayfour")
    except DayFourError as error:
        say(str(error), "red")
        status = error.exit_status
    except Exception as error:  # noqa: BLE001 - whatever it is, an assistant is waiting and has to know what to do
        say(describe_unexpected(error), "red")
        status = EquipmentFailure.exit_status
        if debug:
            sys.excepthook(type(error), error, error.__traceback__)
    sys.exit(status)


if __name__ == "__main__":
    main()
