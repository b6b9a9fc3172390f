"""Every command: its name, the function behind it, and what it does in one line.

A command's module, and all that it imports, is loaded when the command is used, so that help answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from experiment.cli.options import HELP_OPTIONS
from experiment.errors import BadInput
from experiment.system import unfit_name


class Command(NamedTuple):
    """`place`: module and function (or typer's application), within the room of commands."""

    place: str
    help: str


class Group(NamedTuple):
    """Commands under one word, such as `study`."""

    help: str
    commands: Mapping[str, Command | Group]


COMMANDS = Group(
    "Without a command: the desk, a window for the assistant. Exit status: 0 completed, 1 problems found (check, "
    "replay --verify, qa ...), 2 bad input, 3 ended by the assistant, 4 equipment failure.",
    {
        "pilot": Command("run.pilot", "Run a session in a window, with example messages."),
        "run": Command("run.run", "Run a real session, full screen."),
        "simulate": Command("simulate.simulate", "Make synthetic data, at full speed."),
        "funnel": Command("after_run.funnel", "Ask the closing questions later."),
        "check": Command("check.check", "Check whether this computer is ready."),
        "timing": Command("timing.timing", "Measure onsets and responses of this computer."),
        "table": Command("review.table", "Print the trials of a session, or of all."),
        "replay": Command("review.replay", "Show a session again, or verify it."),
        "qa": Command("qa.qa", "Write one page about all sessions."),
        "shortcut": Command("desk.commands.shortcut", "Put an icon of the desk on the desktop."),
        "test": Command("run_tests.app", "Run the whole test suite."),
        "messages": Group(
            "Participants' messages.",
            {
                "encrypt": Command("messages.encrypt", "Encrypt all messages, and all imported later."),
                "decrypt": Command("messages.decrypt", "Decrypt all messages."),
                "accept": Command("messages.accept", "Record that a text is as its writer wrote it."),
                "forget": Command("messages.forget", "Remove the messages of a participant."),
                "import": Command("messages.import_messages", "Import messages from tables and files."),
                "check": Command("check_messages.check", "Check all messages before a session."),
                "preview": Command("check_messages.preview", "Draw messages as participants will see them."),
            },
        ),
        "analyse": Command("analyse.app", "Analyse connection and pleasure, drug against placebo."),
        "study": Group(
            "Who takes part and which day it is; never which drug.",
            {
                "key": Command("study_setup.key", "Make or try the key of a holder or the pharmacy."),
                "init": Command("study_setup.init", "Start a study: draw and seal the allocation."),
                "join": Command("study_setup.join", "Let this computer use a shared register."),
                "packing": Command("study_setup.packing", "Print which kit holds what, for the pharmacy."),
                "screen": Command("study_daily.screen", "Record that somebody was assessed for the study."),
                "screening": Command("study_lists.screening", "List who was assessed, with counts."),
                "import": Command("study_daily.import_study", "Import a study that is under way, from a table."),
                "enrol": Command("study_daily.enrol", "Enrol a participant."),
                "consent": Command("study_daily.consent", "Record informed consent."),
                "start": Command("study_daily.start", "Record that a course began."),
                "dosed": Command("study_daily.dosed", "Record a dose as taken or missed."),
                "withdraw": Command("study_daily.withdraw", "Record that a participant leaves the study."),
                "close": Command("study_daily.close", "Record that a session never took place."),
                "correct": Command("study_daily.correct", "Cancel an entry that was a mistake."),
                "clock": Command("study_daily.clock", "Record that this computer's clock is right."),
                "status": Command("study_lists.status", "Show all participants, and what is due today."),
                "overview": Command("study_lists.overview", "Write the coordinator's page, or today's list."),
                "calendar": Command("study_lists.calendar", "Write all appointments to a calendar file."),
                "history": Command("study_lists.history", "List all that was recorded, by whom and when."),
                "answer": Command("qa.answer", "Resolve findings of `dayfour qa`."),
                "verify": Command("review.verify", "Check register, sessions and data, or an anchor."),
                "lock": Command("study_setup.lock", "Lock the study before it is unblinded."),
                "unblind": Command("study_setup.unblind", "Reveal the treatments: all, or one in an emergency."),
            },
        ),
        "reports": Group(
            "Daily reports of connection and mood, on participants' phones.",
            {
                "serve": Command("reports.serve", "Serve the pages."),
                "links": Command("reports.links", "Make participants' links, cards and calendars."),
                "remind": Command("reports.remind", "List or mail who still owes today's report."),
                "import": Command("reports.import_reports", "Import reports from other survey programs."),
                "table": Command("reports.table", "Make the table of all reports again."),
                "methods": Command("reports.methods", "Print the paragraph for a methods section."),
            },
        ),
    },
)


def build(group: Group, alone: Callable[..., None] | None = None) -> typer.Typer:
    """The group as typer's application; `alone`: what it does without a command, if not to show its help."""
    app = typer.Typer(
        cls=_lazy(group.commands), add_completion=False, no_args_is_help=alone is None, pretty_exceptions_enable=False,
        rich_markup_mode=None, context_settings=HELP_OPTIONS, help=group.help, invoke_without_command=alone is not None,
    )  # fmt: skip
    app.callback(help=group.help)(alone or (lambda: None))
    return app


def _lazy(commands: Mapping[str, Command | Group]) -> type[TyperGroup]:
    """Typer's group, for commands that are loaded when they are used."""

    class LazyGroup(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
            return list(commands)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
            if cmd_name not in self.commands and cmd_name in commands:
                self.commands[cmd_name] = get_command(_load(cmd_name, commands[cmd_name]))
            return self.commands.get(cmd_name)

        def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
            with formatter.section("Commands"):
                formatter.write_dl([(name, one.help) for name, one in commands.items()])

    return LazyGroup


def _with_fit_names(command: Callable[..., None]) -> Callable[..., None]:
    """The command, to which nobody can give a path of which this system would make another one."""

    @wraps(command)
    def run(**given: Any) -> None:
        lists = (value if isinstance(value, list) else [value] for value in given.values())
        for path in (one for values in lists for one in values if isinstance(one, Path)):
            if part := unfit_name(path):
                raise BadInput(f"Windows cannot have a file or folder named {part!r}. Please choose another name.")
        command(**given)

    return run


def _load(name: str, one: Command | Group) -> typer.Typer:
    if isinstance(one, Group):
        return build(one)
    module, attribute = one.place.rsplit(".", 1)
    found = getattr(import_module(f"experiment.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return found
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command(name, context_settings=HELP_OPTIONS)(_with_fit_names(found))
    return app
