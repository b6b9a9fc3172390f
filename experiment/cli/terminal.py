"""What a person at the terminal is told, asked and shown: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from experiment import system
from experiment.errors import BadInput
from experiment.record.tsv import for_spreadsheet, tsv
from experiment.storage.encryption import WrongKey

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

TRIES = 3  # for a passphrase
# Of a terminal, and of directions.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
UNFOLDED = 10_000  # columns, of a file or another program
DESK = "DAYFOUR_DESK"  # in the environment of commands that the desk runs: the name of the switch that stops them
FOR_DESK = "\x1e"  # begins a line of JSON for it (RFC 7464)
Key = TypeVar("Key")


def console() -> Console:
    """Where a person is told of progress and errors; results go to standard output."""
    from rich.console import Console

    return _without_escapes(Console(stderr=True, highlight=False, markup=False, soft_wrap=True))


def _without_escapes(console: Console) -> Console:
    """The console, on which nothing that was read from a file can steer the terminal, or turn lines round."""
    from rich.console import ConsoleOptions, ConsoleRenderable, RenderResult
    from rich.segment import Segment

    class Plain:
        def __init__(self, shown: ConsoleRenderable) -> None:
            self.shown = shown

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            for one in console.render(self.shown, options):
                yield one if one.control else Segment(STEERING.sub("\ufffd", one.text), one.style)

    class Hook:
        def process_renderables(self, shown: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
            return [Plain(one) for one in shown]

    console.push_render_hook(Hook())  # type: ignore[arg-type]  # rich asks for a subclass, and needs only this method
    return console


def say(text: str, style: str | None = None) -> None:
    """Tell the person something that is no result."""
    console().print(text, style=style)


def has_desk() -> bool:
    """Whether the desk started this command."""
    return bool(os.environ.get(DESK))


def tell_desk(**told: object) -> None:
    """A line for the desk, if that started this command."""
    if has_desk():
        sys.stderr.write(f"{FOR_DESK}{json.dumps(told)}\n")
        sys.stderr.flush()


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for each thing that takes long, gone as soon as that is done: questions may come between.

    What it gives is called with how many are done, and of how many.
    """
    from rich.progress import Progress

    if has_desk():
        yield lambda done, of: tell_desk(progress=(done, of))
        return
    shown = console()
    bar = Progress(console=shown, transient=True, disable=not shown.is_terminal)
    task = bar.add_task(title)

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


def show(result: str | Text | Table) -> None:
    """Print what a command was asked for; lines are folded at a terminal only."""
    from rich.console import Console
    from rich.table import Table

    at_terminal = sys.stdout.isatty()
    printed = _without_escapes(Console(highlight=False, markup=False, width=None if at_terminal else UNFOLDED))
    if at_terminal:
        printed.print(result, soft_wrap=not isinstance(result, Table))
        return
    with printed.capture() as captured:
        printed.print(result, soft_wrap=not isinstance(result, Table))
    hand_over("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def hand_over(result: str) -> None:
    """Give another program or a file what a command was asked for; who reads no further (`| head`) changes nothing."""
    try:
        sys.stdout.write(result)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes the rest once more at its end
        if not isinstance(error, BrokenPipeError):
            raise


def show_rows(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, as_json: bool = False, as_tsv: bool = False
) -> bool:
    """Print a table for a program, if it is to be read by one; whether it was. What is missing is null or n/a."""
    if as_json:
        listed = [dict(zip(columns, row, strict=True)) for row in rows]
        hand_over(json.dumps(listed, ensure_ascii=False, indent=1, default=str) + "\n")
    elif as_tsv:
        text = tsv(columns, ([for_spreadsheet(cell) for cell in row] for row in rows))
        hand_over(re.sub("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]", "\ufffd", text))
    return as_json or as_tsv


def ask_passphrase(prompt: str) -> str:
    """What is typed without being seen; where there is no terminal, the next line of standard input."""
    from getpass import getpass

    return getpass(f"{prompt}: ") if sys.stdin.isatty() else next_line()


def next_line() -> str:
    """Of standard input where it is no terminal, without its end."""
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInput("Standard input is not in UTF-8. Type it at the keyboard, or let it be in UTF-8.") from None


def speak_utf8() -> None:
    """To and from files and other programs, text is in UTF-8, whatever the language of the system (Windows has others).

    A mark at the beginning, as Windows' programs write it, is no part of the text.
    """
    for stream, encoding in ((sys.stdin, "utf-8-sig"), (sys.stdout, "utf-8"), (sys.stderr, "utf-8")):
        if isinstance(stream, TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding=encoding)


def unlock(prompt: str, open_with: Callable[[str], Key]) -> Key:
    """What a passphrase opens. At a terminal it may be wrong twice: the next try must not be typed into the shell."""
    return cast("Key", _unlocked(prompt, open_with, optional=False))


def unlock_if_given(prompt: str, open_with: Callable[[str], Key]) -> Key | None:
    """The same; None if nothing was typed."""
    return _unlocked(prompt, open_with, optional=True)


def _unlocked(prompt: str, open_with: Callable[[str], Key], *, optional: bool) -> Key | None:
    tries_left = TRIES if sys.stdin.isatty() else 1
    while True:
        typed, tries_left = ask_passphrase(prompt), tries_left - 1
        if optional and not typed:
            return None
        try:
            return open_with(typed)
        except WrongKey:
            if not tries_left:
                raise
        say("Wrong passphrase. Please enter it again.", "yellow")


def new_passphrase() -> str:
    """A new passphrase, at a terminal typed twice; BadInput if the two differ."""
    typed = ask_passphrase("New passphrase (several words)")
    if sys.stdin.isatty() and ask_passphrase("Repeat the passphrase") != typed:
        raise BadInput("The passphrases differ. Nothing was done. Please start again.")
    return typed


def describe_unexpected(error: BaseException) -> str:
    """What to say of an unexpected error: kind and place only, since its text could hold a message.

    For a file that cannot be used, which file and why.
    """
    import traceback

    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename} cannot be read or written" if error.filename else "A file cannot be read or written"
        return (
            f"{place}: {error.strerror}. Free the disk, connect the folder again or close other programs; then repeat."
        )
    at = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"An unexpected error occurred: {type(error).__name__} at {Path(at.filename).name}:{at.lineno}.\n"
        "Write down this line and contact the person who maintains the software."
    )


def end_as_interrupted() -> None:
    """Let being told to stop, or losing the terminal, end a session as Ctrl+C does: with a last line that says so."""
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    if has_desk():
        system.heed_stop(os.environ[DESK])
