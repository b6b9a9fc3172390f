"""Which column is what: told by its name or question, or by the person, who is never shown a cell. Pure.

A wide table has a row a participant and numbered columns (`writer_1 ... message_6`). Those count as one column, whose
name has # for the number: `message_#`. The number may stand anywhere in the name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from experiment.design.sources import is_source
from experiment.errors import BadInput
from experiment.messages.importing.headers import FIELDS, NEEDED, NUMBER, is_name, says, strip_number
from experiment.messages.importing.table import Table
from experiment.record.finding import count_in_words

LONGEST_TITLE = 70  # characters of a question that are shown
LONGER = 3  # times: texts against all other columns
UNNAMED = re.compile(r"column \d+|\d+")  # what is said of a column without a name: it names none
LEAST_LENGTH = 40  # characters: the median of texts, where no name tells
OF_MESSAGE = ("writer", "relationship", "text")  # what a participant's messages have each of their own

Given = Mapping[str, str]
Ask = Callable[[str, str, Sequence[str]], int | None]
"""Told a table's name, a field and what each column is like; the column that the person chose, from 0, or None."""


class Column(Struct, frozen=True):
    """A column, or several that differ by their number: `at` has the place of each by its number, of the one by 0."""

    name: str
    title: str
    at: dict[int, int]

    @property
    def is_group(self) -> bool:
        """Whether it is several columns, a message each."""
        return len(self.at) > 1

    def place(self, number: int) -> int:
        """The place of the column with this number, or of the only one."""
        return self.at[number if self.is_group else 0]


# What there is


def singles(table: Table) -> tuple[Column, ...]:
    """All columns as they stand in the file."""
    return tuple(Column(name, table.titles[at], {0: at}) for at, name in enumerate(table.header))


def groups(table: Table) -> tuple[Column, ...]:
    """The columns whose names, or questions, differ by a number only."""
    together: dict[str, dict[int, int]] = defaultdict(dict)
    for names in (table.header, table.titles):  # a form's question may have the number that its name lacks
        for at, name in enumerate(names):
            for found in NUMBER.finditer(name):
                together[f"{name[: found.start()]}#{name[found.end() :]}"].setdefault(int(found[0]), at)
    several = {name: at for name, at in together.items() if len(at) > 1}
    unlike = {tuple(at.items()): Column(name, _title(table, at), at) for name, at in reversed(several.items())}
    return tuple(reversed(unlike.values()))


def offer_columns(table: Table) -> tuple[Column, ...]:
    """What a person can choose from: first the groups of columns that ask for the same, then each column."""
    every = groups(table)
    return (*(one for one in every if _asks_the_same(table, one, every)), *singles(table))


def _asks_the_same(table: Table, group: Column, every: Sequence[Column]) -> bool:
    """Whether columns are of one kind, unlike the questions Q1 to Q4: by what they ask, else by name or company."""
    if len({at for at in group.at.values() if any(row[at].strip() for row in table.rows)}) < 2:
        return False
    titles = {strip_number(table.titles[at]) for at in group.at.values()}
    if titles != {""}:
        return len(titles) == 1
    return any(_says(group, field) for field in FIELDS) or any(
        one.at.keys() == group.at.keys() for one in every if one is not group
    )


def _title(table: Table, at: Mapping[int, int]) -> str:
    """What was asked, if it was the same in all of these columns."""
    titles = {table.titles[one] for one in at.values()}
    return titles.pop() if len(titles) == 1 else ""


def lengths(table: Table, column: Column) -> list[int]:
    """The characters of each cell that has any."""
    return [len(cell) for row in table.rows for at in column.at.values() if (cell := row[at].strip())]


def typical(table: Table, column: Column) -> float:
    """The median of a column's lengths."""
    return median(lengths(table, column) or [0])


# What is obvious


def guess(table: Table, given: Mapping[str, Column] | None = None) -> dict[str, Column]:
    """The columns that are `given`, and those that are obvious, by field.

    Obvious is one that alone has such a name, then one that alone has such a word in its name or question.
    """
    found = dict(given or {})
    for way in (_is_named, _says, _asks):
        for field in FIELDS:
            fitting = _fitting(table, [*found.values()], partial(way, field=field))
            if field not in found and len(fitting) == 1:
                found[field] = fitting[0]
    if table.kind == "redcap" and not any(_says(one, "subject") for one in singles(table)[1:]):
        found.setdefault("subject", singles(table)[0])
    if longest := _longest(table, [*found.values()]):
        found.setdefault("text", longest)
    certain = [field for field in FIELDS if field in found and _is_certain(table, field, found)]
    return {field: found[field] for field in FIELDS if field in {*certain, *(given or {})}}


def _fitting(table: Table, taken: Sequence[Column], is_it: Callable[[Column], bool]) -> list[Column]:
    """The columns that it could be; of several, those with anything in them."""
    free = [one for one in offer_columns(table) if one not in taken and is_name(one.name)]
    fitting = [one for one in free if is_it(one)]
    # Of `message_1 ... message_6` and `message_#` the latter says all.
    parts = {at for one in fitting if one.is_group for at in one.at.values()}
    fitting = [one for one in fitting if one.is_group or not parts & {*one.at.values()}]
    return [one for one in fitting if lengths(table, one)] or fitting


def _is_named(column: Column, field: str) -> bool:
    return says(strip_number(column.name), field, alone=True)


def _says(column: Column, field: str) -> bool:
    """Whether a word in the name says it, or the question is nothing else."""
    name = strip_number(column.name)
    return says(name, field, alone=True) or says(column.title, field, alone=True) or says(name, field, alone=False)


def _asks(column: Column, field: str) -> bool:
    return says(column.title, field, alone=False)


def _longest(table: Table, taken: Sequence[Column]) -> Column | None:
    """The column whose texts are clearly the longest."""
    free = sorted((one for one in singles(table) if one not in taken), key=lambda one: -typical(table, one))
    if not free or typical(table, free[0]) < LEAST_LENGTH:
        return None
    return free[0] if len(free) == 1 or typical(table, free[0]) >= LONGER * typical(table, free[1]) else None


def _is_certain(table: Table, field: str, found: Mapping[str, Column]) -> bool:
    """Not where another column's texts are much longer, nor where it is numbered otherwise than text and writer."""
    column = found[field]
    if field == "source" and not all(is_source(row[at]) for row in table.rows for at in column.at.values()):
        return False  # a column of that name that is about something else
    if field == "text" and any(_is_longer(table, one, column) for one in singles(table)):
        return False
    numbers = [{*found[name].at} if name in found else {0} for name in ("text", "writer")]
    return not (column.is_group or field in OF_MESSAGE) or all(one == {*column.at} for one in numbers)


def _is_longer(table: Table, other: Column, text: Column) -> bool:
    length = typical(table, other)
    is_part = bool({*other.at.values()} & {*text.at.values()})
    return not is_part and length >= max(LEAST_LENGTH, LONGER * typical(table, text))


# What it is


def with_header(table: Table, given: Given) -> Table:
    """The table with its header, which is certain or was named to the letter; BadInput shows nothing of another one."""
    named = {one.name for one in (*groups(table), *singles(table)) if not UNNAMED.fullmatch(one.name)}
    if table.is_headed or named & {*given.values()}:
        return replace(table, is_headed=True)
    lines = "".join(f"\n  {describe_columns(table, one)}" for one in singles(table))
    raise BadInput(
        f"{table.name}: the first row does not look like column names (it is not shown, as it may be part of a "
        "message). "
        "If there are none, add a first row such as subject, writer, relationship, text. If there is a title above "
        "them, delete it. If the first row has them, write one exactly as it is there, e.g. --column "
        f'text="NAME". The columns are:{lines}'
    )


def resolve(table: Table, given: Given, ask: Ask | None = None, known: Sequence[str] = ()) -> dict[str, Column]:
    """The column of each field: as given, else if it is obvious, else as the person says; `known` need none.

    `given`: column names, or their numbers from 1, by field. BadInput lists the columns and what to type.
    """
    if unknown := next((field for field in given if field not in FIELDS), None):
        raise BadInput(f"--column: {unknown!r} is not known. Please write one of {', '.join(FIELDS)} before the =.")
    chosen = guess(table, {field: find_column(table, field, name) for field, name in given.items()})
    while missing := [field for field in NEEDED if field not in {*chosen, *known}]:
        offers = offer_columns(table)
        answer = ask(table.name, missing[0], [describe_columns(table, one) for one in offers]) if ask else None
        if answer is None:
            raise _missing(table, missing)
        chosen = guess(table, {**chosen, missing[0]: offers[answer]})
    _check_layout(table, chosen)
    return chosen


def _check_layout(table: Table, chosen: Mapping[str, Column]) -> None:
    """BadInput unless every numbered field has the numbers of the text: which belongs to which is not guessed."""
    numbers = {field: sorted(one.at) for field, one in chosen.items() if one.is_group}
    for field, of in numbers.items():
        if of != numbers.get("text"):
            text = chosen["text"]
            raise BadInput(
                f"{table.name}: a row has several messages, so each column for {field} needs its own column for text. "
                f"Now {field} = {_name(table, chosen[field])} and text = {_name(table, text)}. Name the "
                f'columns that belong together, with # for the number, such as --column text="message_#" --column '
                f'{field}="{field}_#"; or one column, such as --column {field}="{field}_1".'
            )


def describe_columns(table: Table, column: Column) -> str:
    """What a person needs to tell a column from others: name, question, how many cells hold how much."""
    count = lengths(table, column)
    filled = f"{len(count)} filled, median {count_in_words(round(median(count)), 'character')}" if count else "empty"
    title = f" ({column.title[:LONGEST_TITLE]})" if column.title else ""
    return f"{_name(table, column)}{title}: {filled}"


def _name(table: Table, column: Column) -> str:
    """A column's name; its number where that is no name but perhaps a text."""
    if column.is_group:
        return f'"{column.name}" ({min(column.at)} to {max(column.at)})'
    return f'"{column.name}"' if table.is_headed and is_name(column.name) else f"column {column.at[0] + 1}"


def list_columns(table: Table) -> str:
    """All columns, a line each: groups, then single ones by their number."""
    together = [f"\n  {describe_columns(table, one)}" for one in offer_columns(table) if one.is_group]
    return "".join(
        [*together, *(f"\n  {at}. {describe_columns(table, one)}" for at, one in enumerate(singles(table), 1))]
    )


def find_unused(table: Table, used: Mapping[str, Column]) -> Iterator[Column]:
    """Columns that are not taken in and long enough to be texts."""
    places = {at for one in used.values() for at in one.at.values()}
    yield from (one for one in singles(table) if one.at[0] not in places and typical(table, one) >= LEAST_LENGTH)


def find_column(table: Table, field: str, name: str) -> Column:
    """The column that somebody named, by its name, its question or its number; BadInput if there is none."""
    every = (*groups(table), *singles(table))
    for is_it in (
        lambda one: one.name == name,
        lambda one: name.casefold() in {one.name.casefold(), one.title.casefold()},
    ):
        matching = [one for one in every if is_it(one)]
        if len(matching) == 1:
            return matching[0]
    if name.isdigit() and 1 <= int(name) <= len(table.header):
        return singles(table)[int(name) - 1]
    raise BadInput(f"{table.name}: there is no column {name!r} for {field}. The columns are:{list_columns(table)}")


def _missing(table: Table, fields: Sequence[str]) -> BadInput:
    options = " ".join(f'--column {field}="NAME OR NUMBER"' for field in fields)
    same = [f"--{field}" for field in fields if field in {"subject", "writer", "relationship"}]
    instead = f" If all are the same, use {' or '.join(same)}." if same else ""
    several = "\n# stands for the number, if each column is a message." if "#" in list_columns(table) else ""
    return BadInput(
        f"{table.name}: expected a column for {' and one for '.join(fields)}; none is obvious. The columns are:"
        f"{list_columns(table)}{several}\nRepeat the command with {options}.{instead}"
    )
