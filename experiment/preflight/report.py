"""What was found, for the assistant: as a table, and as the reason why a session does not begin."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import indent

from rich.table import Table
from rich.text import Text

from experiment.errors import EquipmentFailure
from experiment.record.finding import Finding, Severity, worst

# Words besides colours: one man in twelve cannot tell red from green.
WORDS: dict[Severity, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "note": ("not known", "cyan"),
    "warning": ("LOOK", "bold yellow"),
    "error": ("NOT FIT", "bold white on red"),
}
VERDICTS: dict[Severity, str] = {
    "ok": "This computer is ready for a session.",
    "note": "No problems found, but some things could not be checked.",
    "warning": "A session can be run. Look at the lines marked LOOK first.",
    "error": "This computer is not ready yet. Fix the lines marked NOT FIT.",
}
OVERRIDE = (
    'To run the session anyway, give the reason: in the form, or as --override "REASON". It is recorded with the data.'
)


class NotFit(EquipmentFailure):
    """A session does not begin on this computer as it is, unless the assistant gives a reason to run it anyway."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"{why}\n{OVERRIDE}")


def table(items: Iterable[Finding]) -> Table:
    """A line for each, with what to do beneath whatever is not green."""
    grid = Table.grid(padding=(0, 2))
    for _ in range(2):
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for item in items:
        word, style = WORDS[item.severity]
        found = Text(item.text)
        if item.fix and item.severity != "ok":
            found.append(f"\n{item.fix}", style="dim" if item.severity == "note" else "italic")
        grid.add_row(Text(f" {word} ", style), item.kind, found)
    return grid


def verdict(items: Iterable[Finding]) -> str:
    """All of it in a sentence."""
    return VERDICTS[worst(items)]


def refuse(items: Iterable[Finding]) -> NotFit | None:
    """Why the session cannot begin: every red line with what to do, and how to begin nevertheless; None if it can."""
    red = [item for item in items if item.severity == "error"]
    if not red:
        return None
    lines = [f"- {item.kind}: {item.text}." + indent(f"\n{item.fix}" if item.fix else "", "  ") for item in red]
    return NotFit("\n".join(("This computer is not ready for a session:", *lines)))
