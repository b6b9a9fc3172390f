"""Which column is what: told by its name or question, or by the person, who is never shown a cell. Pure.

A wide table has a row a participant and numbered columns (`writer_1 ... message_6`). Those count as one column, whose
name has # for the number: `message_#`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from msgspec import Struct

from experiment.errors import BadInput
from experiment.messages.headings import FIELDS, NEEDED, says
from experiment.messages.tables import Table

NUMBERED = (re.compile(r"(?P<number>\d{1,2})(?P<base>[ _.-]+.+)"), re.compile(r"(?P<base>.*\D)(?P<number>\d{1,2})"))
LONGEST_TITLE = 70  # characters of a question that are shown
LONGEST_NAME = 60  # a longer one is no column's name but somebody's text
LONGER = 3  # times: the texts' column against any other, where no name tells
LEAST_LENGTH = 40  # characters: the median of texts, where no name tells

Given = Mapping[str, str]
Ask = Callable[[str, Sequence[str]], int | None]
"""Told a field and what each column is like; the number of the column that the person chose, from 0, or None."""


class Column(Struct, frozen=True):
    """A column, or several that differ by their number: `at` has the place of each by its number, else by 0."""

    name: str
    title: str
    at: dict[int, int]


def columns(table: Table) -> tuple[Column, ...]:
    """All columns, and after them the numbered ones taken together."""
    single = [Column(name, table.titles[at], {0: at}) for at, name in enumerate(table.header)]
    together: dict[str, dict[int, int]] = defaultdict(dict)
    for names in (table.header, table.titles):  # a form's question may have the number that its name lacks
        for at, name in enumerate(names):
            if found := next(filter(None, (pattern.fullmatch(name) for pattern in NUMBERED)), None):
                together[name[: found.start("number")] + "#" + name[found.end("number") :]][int(found["number"])] = at
    return (*single, *(Column(name, _title(table, at), at) for name, at in together.items() if len(at) > 1))


def _title(table: Table, at: Mapping[int, int]) -> str:
    """What was asked, if it was the same in all of these columns."""
    titles = {table.titles[one] for one in at.values()}
    return titles.pop() if len(titles) == 1 else ""


def guess(table: Table) -> dict[str, str]:
    """The columns that are obvious, by field: only one has such a name, then such a word in its name or question."""
    found: dict[str, str] = {}
    every = columns(table)
    ways: tuple[Callable[[Column, str], bool], ...] = (
        lambda one, field: says(_base(one.name), field, alone=True),
        lambda one, field: says(one.title, field, alone=True) or says(_base(one.name), field, alone=False),
        lambda one, field: says(one.title, field, alone=False),
    )
    for way in ways:
        for field in FIELDS:
            free = [one for one in every if one.name not in found.values()]
            fitting = [one for one in free if field not in found and _is_field(one) and way(one, field)]
            wide = [one for one in fitting if "#" in one.name]
            # Of `message_1 ... message_6` and `message_#` the latter says all.
            parts = {at for one in wide for at in one.at.values()}
            fitting = [one for one in fitting if one in wide or not parts & {*one.at.values()}]
            if len(fitting) == 1:
                found[field] = fitting[0].name
    if "subject" not in found and table.kind == "redcap":
        found["subject"] = table.header[0]
    if "text" not in found and (longest := _longest(table, found)):
        found["text"] = longest
    return found


def resolve(table: Table, given: Given, ask: Ask | None = None, known: Sequence[str] = ()) -> dict[str, Column]:
    """The column of each field: as given, else if it is obvious, else as the person says; `known` need none.

    `given`: column names, or their numbers from 1, by field. BadInput lists the columns and what to type.
    """
    every = {one.name: one for one in columns(table)}
    chosen = {field: _named(table, every, field, name) for field, name in given.items()}
    guessed = {field: name for field, name in guess(table).items() if field not in {*chosen, *known}}
    taken = {one.name for one in chosen.values()}
    chosen |= {field: every[name] for field, name in guessed.items() if name not in taken}
    for field in NEEDED:
        if field not in {*chosen, *known}:
            answer = ask(field, choices(table)) if ask else None
            if answer is None:
                raise _missing(table, [name for name in NEEDED if name not in {*chosen, *known}])
            chosen[field] = columns(table)[answer]
    return chosen


def choices(table: Table) -> list[str]:
    """What a person needs to tell the columns apart, a line each: name, question, how many cells hold how much."""
    return [_described(table, one, number) for number, one in enumerate(columns(table), start=1)]


def _described(table: Table, column: Column, number: int) -> str:
    lengths = _lengths(table, column)
    filled = f"{len(lengths)} filled, median {median(lengths):.0f} characters" if lengths else "empty"
    name = f'"{column.name}"' if _has_header(table) else f"column {number}"
    title = f" ({column.title[:LONGEST_TITLE]})" if column.title else ""
    many = f" ({min(column.at)} to {max(column.at)})" if len(column.at) > 1 else ""
    return f"{name}{many}{title}: {filled}"


def _lengths(table: Table, column: Column) -> list[int]:
    return [len(cell) for row in table.rows for at in column.at.values() if (cell := row[at].strip())]


def _is_field(column: Column) -> bool:
    return len(column.name) <= LONGEST_NAME


def _has_header(table: Table) -> bool:
    """Whether the first row looks like names. If not it may hold a text, so nothing of it is shown."""
    if table.kind != "plain":
        return True
    known = any(
        says(_base(one.name), field, alone=way) for one in columns(table) for field in FIELDS for way in (True, False)
    )
    return known and all(map(_is_field, columns(table)))


def _base(name: str) -> str:
    """The name without its number."""
    for pattern in NUMBERED:
        if found := pattern.fullmatch(name.replace("#", "1")):
            return found["base"]
    return name


def _longest(table: Table, found: Mapping[str, str]) -> str | None:
    """The column whose texts are clearly the longest."""
    free = [one for one in columns(table) if one.name not in found.values() and "#" not in one.name]
    lengths = sorted(((median(_lengths(table, one) or [0]), one.name) for one in free), reverse=True)
    if not lengths or lengths[0][0] < LEAST_LENGTH:
        return None
    return lengths[0][1] if len(lengths) == 1 or lengths[0][0] >= LONGER * lengths[1][0] else None


def _named(table: Table, every: Mapping[str, Column], field: str, name: str) -> Column:
    if field not in FIELDS:
        raise BadInput(f"--column: expected one of {', '.join(FIELDS)} before the =, found {field!r}.")
    if name in every:
        return every[name]
    matching = [one for one in every.values() if name in {one.title, *_small(one.name, name)}]
    if len(matching) == 1:
        return matching[0]
    if name.isdigit() and 1 <= int(name) <= len(table.header):
        return columns(table)[int(name) - 1]
    listed = "".join(f"\n  {line}" for line in choices(table))
    raise BadInput(f"{table.name}: expected a column for {field}, found none called {name!r}. The columns are:{listed}")


def _small(one: str, other: str) -> Iterator[str]:
    """The other name, if they differ only by capitals."""
    if one.casefold() == other.casefold():
        yield other


def _missing(table: Table, fields: Sequence[str]) -> BadInput:
    listed = "".join(f"\n  {number}. {line}" for number, line in enumerate(choices(table), start=1))
    options = " ".join(f'--column {field}="NAME OR NUMBER"' for field in fields)
    same = [f"--{field}" for field in fields if field in {"subject", "writer", "relationship"}]
    instead = f" Where all are the same, {' or '.join(same)} says it for all." if same else ""
    first = "" if _has_header(table) else "\nIts first row seems to be no header: add one with the columns' names."
    return BadInput(
        f"{table.name}: expected a column for {' and one for '.join(fields)}; none is obvious. The columns are:"
        f"{listed}{first}\nRepeat the command with {options}.{instead}"
    )
