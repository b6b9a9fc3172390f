"""What Qualtrics and REDCap add to a table: rows of questions, tests and unfinished answers, repeated forms. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from experiment.messages.findings import Finding
from experiment.messages.tables import Table

IMPORT_ID = re.compile(r'\s*\{\s*"ImportId"')
RESPONSE_ID = re.compile(r"(?:R|FS)_\w+")
RESPONSE, STATUS, CHANNEL, FINISHED = "responseid", "status", "distributionchannel", "finished"
# Qualtrics, "Understanding your dataset": 1 and 2 are previews and tests, 8 spam, 16 offline, in sums.
PREVIEWS = frozenset({"1", "2", "9", "17", "survey preview", "survey test", "offline preview", "preview", "test"})
UNFINISHED = frozenset({"0", "false"})
REPEAT = ("redcap_repeat_instrument", "repeat_instrument")
INSTANCE = ("redcap_repeat_instance", "repeat_instance")
RECORD = ("record_id", "study_id")


def recognised(table: Table) -> Table:
    """The table with only answers in its rows, in the layout of the program that exported it."""
    names = _plain(table.header)
    if any(IMPORT_ID.match(cell) for row in table.rows[:2] for cell in row) or RESPONSE in names:
        return _qualtrics(table)
    if any(name in names for name in REPEAT) or names[:1] == ["record_id"]:
        return _redcap(table)
    return table


def _plain(header: Sequence[str]) -> list[str]:
    """Names as in a raw export: a label 'Repeat Instrument' is `repeat_instrument`."""
    return [name.strip().casefold().replace(" ", "_") for name in header]


def _column(table: Table, *names: str) -> int | None:
    plain = _plain(table.header)
    return next((plain.index(name) for name in names if name in plain), None)


def _kept(table: Table, kept: Sequence[int]) -> Table:
    """The table with only these of its rows."""
    return replace(table, rows=tuple(table.rows[at] for at in kept), numbers=tuple(table.numbers[at] for at in kept))


def _qualtrics(table: Table) -> Table:
    """Below the names stand the questions' texts, and mostly a row of JSON; they are the titles of the columns."""
    response = _column(table, RESPONSE)
    heads = 0
    for row in table.rows[:2]:
        is_json = any(IMPORT_ID.match(cell) for cell in row)
        has_no_id = response is not None and not RESPONSE_ID.fullmatch(row[response].strip())
        is_above_json = heads == 0 and len(table.rows) > 1 and any(IMPORT_ID.match(cell) for cell in table.rows[1])
        if not (is_json or has_no_id or is_above_json):
            break
        heads += 1
    titles = table.rows[0] if heads and not any(map(IMPORT_ID.match, table.rows[0])) else table.titles
    answers = _kept(table, range(heads, len(table.rows)))
    return _without_tests(replace(answers, kind="qualtrics", titles=titles))


def _without_tests(table: Table) -> Table:
    """Previews by the researchers and unfinished answers are left out, each named."""
    kept, found = [], list(table.findings)
    for index in range(len(table.rows)):
        why = _left_out(table, index)
        if why is None:
            kept.append(index)
        else:
            text = f"{table.row(index)}: left out, {why}. If it counts, change that cell in a copy of the file."
            found.append(Finding("warning", None, None, text))
    return replace(_kept(table, kept), findings=tuple(found))


def _left_out(table: Table, index: int) -> str | None:
    def cell(name: str) -> str:
        column = _column(table, name)
        return "" if column is None else table.rows[index][column].strip().casefold()

    if cell(STATUS) in PREVIEWS or cell(CHANNEL) in PREVIEWS:
        return "as its Status or DistributionChannel says that it is a preview or test"
    if cell(FINISHED) in UNFINISHED:
        return "as its column Finished says that the answer was not sent off"
    return None


def _redcap(table: Table) -> Table:
    """Rows of repeated forms get what their record's row without repetition says, such as the participant's ID.

    Only columns that no repeated form fills are carried over. A record's own row goes if it has repeated ones and
    holds nothing else.
    """
    repeat, instance = _column(table, *REPEAT), _column(table, *INSTANCE)
    table = replace(table, kind="redcap")
    if repeat is None and instance is None:
        return table

    def repeats(row: Sequence[str]) -> bool:
        return any(column is not None and row[column].strip() for column in (repeat, instance))

    repeated = [row for row in table.rows if repeats(row)]
    width = range(len(table.header))
    carried = {column for column in width if not any(row[column].strip() for row in repeated)}
    record = _column(table, *RECORD) or 0
    own: dict[str, dict[int, str]] = defaultdict(dict)
    for row in table.rows:
        if not repeats(row):
            own[row[record]] |= {column: row[column] for column in carried if row[column].strip()}
    records = {row[record] for row in repeated}
    filled = tuple(
        tuple(own[row[record]].get(column, row[column]) for column in width) if repeats(row) else row
        for row in table.rows
    )
    kept = [
        index
        for index, row in enumerate(table.rows)
        if repeats(row) or row[record] not in records or _has_more(row, carried, record)
    ]
    return _kept(replace(table, rows=filled), kept)


def _has_more(row: Sequence[str], carried: set[int], record: int) -> bool:
    """Whether a record's own row fills a column of the repeated form."""
    return any(cell.strip() for column, cell in enumerate(row) if column not in carried and column != record)
