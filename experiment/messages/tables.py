"""A table as it was sent: its cells to the code point, but for line ends, which are all one newline. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from experiment.messages.findings import Finding

Kind = Literal["plain", "qualtrics", "redcap", "text files"]
Numbered = tuple[int, Sequence[str]]
"""A row and its number in the file, counted as a spreadsheet does: from 1, with the header."""


class Table(Struct, frozen=True):
    """`name`: of the file or sheet. `header`: names that differ. `titles`: what a form asked, a column each, or "".

    `numbers`: each row's number in the file. `findings`: what a person should know of how it was read.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Kind
    titles: tuple[str, ...]
    numbers: tuple[int, ...]
    findings: tuple[Finding, ...] = ()

    def row(self, index: int) -> str:
        """Where a row is, for a person."""
        if self.kind == "text files":
            return f"{self.name}, file {self.numbers[index]}"
        return f"{self.name}, row {self.numbers[index]}"


def table(name: str, records: Sequence[Numbered], findings: Sequence[Finding] = (), kind: Kind = "plain") -> Table:
    """The table of these records, of which the first with anything in it is the header; blank ones are left out.

    Short rows are filled with empty cells, and named.
    """
    filled = [(number, _trimmed(cells)) for number, cells in records]
    filled = [(number, cells) for number, cells in filled if cells]
    first = list(filled[0][1]) if filled else []
    width = max((len(cells) for _, cells in filled), default=0)
    header = _distinct([*first, *[""] * (width - len(first))])
    rows = tuple((*cells, *[""] * (width - len(cells))) for _, cells in filled[1:])
    return Table(name, header, rows, kind, ("",) * width, tuple(number for number, _ in filled[1:]), tuple(findings))


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    """The cells up to the last with anything in it, line ends unified."""
    unified = [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells]
    while unified and not unified[-1]:
        unified.pop()
    return tuple(unified)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names by which columns can be told apart: those that occur again are numbered, so they make a wide layout."""
    cleaned = [" ".join(name.split()) for name in names]
    counts, used, distinct = Counter(cleaned), Counter[str](), list[str]()
    for position, name in enumerate(cleaned, start=1):
        used[name] += 1
        if not name:
            distinct.append(f"column {position}")
        else:
            distinct.append(name if counts[name] == 1 else f"{name}_{used[name]}")
    return tuple(distinct)
