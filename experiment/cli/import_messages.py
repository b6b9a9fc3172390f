"""The command that imports messages: `messages import`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress as Bar
from rich.table import Table

from experiment.cli.options import FOUND_WANTING, PARTICIPANTS, PROTOCOL, ParticipantsFolder, ProtocolFile, Sheet
from experiment.cli.terminal import console, next_line, say, unlock_if_given
from experiment.design.protocol import read_protocol
from experiment.errors import BadInput
from experiment.messages.importing import run as importing
from experiment.messages.store import Folder
from experiment.system import no_core_dumps
from experiment.system.processes import Progress

STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


def import_messages(
    files: Annotated[list[Path], typer.Argument(help="Tables (CSV, TSV, XLSX), text files, or folders of them.")],
    subject: Annotated[str, typer.Option(help="Participant all messages are for, if there is no such column.")] = "",
    writer: Annotated[
        str,
        typer.Option(help="Write - if one person wrote all messages; you are then asked for the name."),
    ] = "",
    relationship: Annotated[str, typer.Option(help="The writer's relationship to the participant, e.g. mother.")] = "",
    language: Annotated[
        str, typer.Option(help="Language of all messages, e.g. en; guessed from the script if omitted.")
    ] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="NAME=COLUMN, e.g. text=Q3 or writer=2; # stands for a number: text=Q3_#.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of tables that are not Unicode, e.g. cp1252.")] = None,
    sheet: Sheet = None,
    messages: ParticipantsFolder = PARTICIPANTS,
    into: Annotated[Path | None, typer.Option("--into", hidden=True)] = None,  # its name before, in labs' scripts
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be imported.")] = False,
    corrected: Annotated[
        bool, typer.Option("--replace", help="Replace a writer's text that is no longer in the file by the new one.")
    ] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Import damaged texts too.")] = False,
    protocol: ProtocolFile = PROTOCOL,
) -> None:
    """Import messages unchanged. Damaged text is reported (exit status 1)."""
    tongue, folder = read_protocol(protocol).language, _folder(into or messages)
    same = {"subject": subject, "writer": _name_of(writer), "relationship": relationship, "language": language}
    with _bars() as progress:
        plan = importing.plan(
            files, folder, tongue, given=column or [], constants=same, encoding=encoding, sheet=sheet,
            ask=_ask if sys.stdin.isatty() else None, progress=progress, corrects=corrected,
        )  # fmt: skip
        is_right = importing.finish(plan, folder, _tell, despite_errors=anyway, dry_run=dry_run, progress=progress)
    if not is_right:
        raise typer.Exit(FOUND_WANTING)


def _name_of(writer: str) -> str:
    """The writer's name as typed; BadInput for one in the command, where other users of the computer see it."""
    if writer not in {"", "-"}:
        raise BadInput("Other users of this computer can see commands. Use `--writer -` and enter the name when asked.")
    if not writer:
        return ""
    return typer.prompt("Writer", err=True) if sys.stdin.isatty() else next_line().strip()


@contextmanager
def _bars() -> Iterator[Progress]:
    """A bar for each thing that takes long, gone as soon as that is done: questions may come between."""
    shown = console()
    bar = Bar(console=shown, transient=True, disable=not shown.is_terminal)
    task = bar.add_task("Messages", total=None)

    def progress(done: int, of: int) -> None:
        bar.update(task, completed=done, total=of)
        if done < of:
            bar.start()
        else:
            end()

    def end() -> None:
        if bar.live.is_started:  # else it would leave an empty line
            bar.stop()

    try:
        yield progress
    finally:
        end()


def _folder(path: Path) -> Folder:
    """The folder, with its key where somebody can be asked for the passphrase."""
    no_core_dumps()  # messages, and perhaps their passphrase, are in this process from here on
    folder = Folder(path)
    if not folder.is_encrypted or not folder.subjects():
        return folder
    prompt = "Passphrase of the messages (press Return if all participants are new)"
    return unlock_if_given(prompt, folder.unlocked) or folder


def _ask(table: str, field: str, listed: Sequence[str]) -> int | None:
    """Which column it is, by its number; nothing of the cells is shown."""
    say(f"{table}: which column is the {field}?", "bold")
    for number, line in enumerate(listed, start=1):
        say(f"  {number}. {line}")
    answer = -1
    while not 0 <= answer <= len(listed):
        answer = typer.prompt("Number (0: none of them)", type=int, err=True)
    return answer - 1 if answer else None


def _tell(what: str | Table) -> None:
    if isinstance(what, str):
        say(what, STYLES.get(what.partition(":")[0]))
    else:
        console().print(what)
