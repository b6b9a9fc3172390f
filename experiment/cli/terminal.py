"""What a person at the terminal is told, and what the terminal or the system can tell the program."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from experiment.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Where a person is spoken to; what other programs read goes to standard output."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def say(text: str, style: str | None = None) -> None:
    """Say something to the person."""
    console().print(text, style=style)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar while the context lasts; what it gives is called with how many are done, and of how many."""
    from rich.progress import Progress

    with Progress(console=console()) as bar:
        task = bar.add_task(title)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def ask_passphrase(prompt: str) -> str:
    """What is typed without being seen; where there is no terminal, the next line of standard input."""
    from getpass import getpass

    return getpass(f"{prompt}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def new_passphrase() -> str:
    """A new passphrase, at a terminal typed twice; BadInput if the two differ."""
    typed = ask_passphrase("New passphrase (several words)")
    if sys.stdin.isatty() and ask_passphrase("The same again") != typed:
        raise BadInput("The two passphrases differ. Nothing was done; start again.")
    return typed


def unexpected(error: Exception) -> str:
    """What to say of an error that nobody foresaw: kind and place only, since its text could hold a message."""
    import traceback

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
