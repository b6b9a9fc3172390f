"""A table as it was sent: its cells to the code point, but for line ends, which are all one newline. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from experiment.messages.importing.headers import header_at
from experiment.record.finding import Finding

Kind = Literal["plain", "qualtrics", "redcap", "text files"]
Numbered = tuple[int, Sequence[str]]
"""A row and its number in the file, counted as a spreadsheet does: from 1, with the header."""

Mark = Literal["merged", "number format", "unfinished", "formula", "missing", "hidden"]
"""What is peculiar about a cell: merged with others; a number that the sheet shows in a form of its own, such as
DF017 for 17; an answer that was not sent off; a formula that was never calculated; none at all, in a row that is
shorter than the header."""

TITLE = "read as a title, because it is above the column names."
Marks = Mapping[tuple[int, int], Mark]
"""By the row's number in the file, and the column from 0."""


class Table(Struct, frozen=True):
    """`name`: of the file or sheet. `header`: names that differ. `titles`: what a form asked, a column each, or "".

    `numbers`: each row's number in the file; `files`: where each row is a file, its name. `findings`: what a person
    should know of how it was read. `is_headed`: whether the first row certainly has names; if not, those in `header`
    may be somebody's words, and are never shown.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Kind
    titles: tuple[str, ...]
    numbers: tuple[int, ...]
    is_headed: bool
    findings: tuple[Finding, ...] = ()
    marks: Marks = {}
    files: tuple[str, ...] = ()

    def row(self, index: int) -> str:
        """Where a row is, for a person."""
        return self.files[index] if self.files else f"{self.name}, row {self.numbers[index]}"


def table(
    name: str, records: Sequence[Numbered], findings: Sequence[Finding] = (), marks: Marks | None = None
) -> Table:
    """The table of these records, of which the first is the header, but for titles above it; blank ones are left out.

    Short rows are filled with empty cells.
    """
    filled = [(number, _trimmed(cells)) for number, cells in records]
    filled = [(number, cells) for number, cells in filled if cells]
    at = header_at([cells for _, cells in filled])
    above, filled = filled[: at or 0], filled[at or 0 :]
    first = list(filled[0][1]) if filled else []
    width = max((len(cells) for _, cells in filled), default=0)
    return Table(
        name,
        _distinct([*first, *[""] * (width - len(first))]),
        tuple((*cells, *[""] * (width - len(cells))) for _, cells in filled[1:]),
        "plain",
        ("",) * width,
        tuple(number for number, _ in filled[1:]),
        is_headed=at is not None,
        findings=(*findings, *(Finding("", "note", f"{name}, row {number}: {TITLE}") for number, _ in above)),
        marks=marks or {},
    )


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    """The cells up to the last with anything in it, line ends unified."""
    unified = [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells]
    while unified and not unified[-1]:
        unified.pop()
    return tuple(unified)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names by which columns can be told apart: those that occur again are numbered, so they may be a wide layout."""
    cleaned = [" ".join(name.split()) for name in names]
    counts, used, distinct = Counter(cleaned), Counter[str](), list[str]()
    for position, name in enumerate(cleaned, start=1):
        used[name] += 1
        number = f"_{used[name]}" if counts[name] > 1 else ""
        distinct.append(f"{name}{number}" if name else f"column {position}")
    return tuple(distinct)
