"""What Qualtrics and REDCap add to a table: rows of questions, tests and unfinished answers, repeated forms. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec.structs import replace

from experiment.messages.importing.table import Mark, Table
from experiment.record.finding import Finding

IMPORT_ID = re.compile(r'\s*\{\s*"ImportId"')
RESPONSE_ID = re.compile(r"(?:R|FS)_\w+")
RESPONSE, STATUS, CHANNEL, FINISHED = "responseid", "status", "distributionchannel", "finished"
# Qualtrics, "Understanding your dataset": 1 and 2 are previews and tests, 8 spam, 16 offline, in sums.
PREVIEWS = frozenset({"1", "2", "9", "17", "survey preview", "survey test", "offline preview", "preview", "test"})
UNFINISHED = frozenset({"0", "false"})
STATUS_OF_FORM = re.compile(r".*_complete|complete\?(?:_\d+)?")
NOT_COMPLETED, INCOMPLETE = "[not completed]", frozenset({"0", "incomplete"})
OF_REDCAP = frozenset(
    {"redcap_event_name", "redcap_repeat_instrument", "repeat_instrument", "redcap_repeat_instance", "repeat_instance"}
)
RECORD = ("record_id", "study_id")


def recognise_export(table: Table) -> Table:
    """The table with only answers in its rows, in the layout of the program that exported it."""
    names = _plain(table.header)
    if any(IMPORT_ID.match(cell) for row in table.rows[:2] for cell in row) or RESPONSE in names:
        return _qualtrics(replace(table, kind="qualtrics", is_headed=True))
    if OF_REDCAP & {*names} or names[:1] == ["record_id"]:
        return _redcap(replace(table, kind="redcap", is_headed=True))
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
    is_json = [any(map(IMPORT_ID.match, row)) for row in table.rows[:2]]
    heads = is_json.index(True) + 1 if any(is_json) else int(_has_questions(table))
    titles = table.rows[0] if heads and not is_json[0] else table.titles
    answers = _kept(table, range(heads, len(table.rows)))
    return _without_tests(replace(answers, titles=titles))


def _has_questions(table: Table) -> bool:
    """Whether the first row alone has no answer's ID: without IDs, it may be an answer."""
    at = _column(table, RESPONSE)
    first, *rest = [row[at].strip() for row in table.rows] if at is not None and table.rows else [""]
    return bool(first) and not RESPONSE_ID.fullmatch(first) and all(map(RESPONSE_ID.fullmatch, rest))


def _without_tests(table: Table) -> Table:
    """Previews by the researchers and unfinished answers are left out, each named."""
    reasons = [_left_out(table, index) for index in range(len(table.rows))]
    found = [
        Finding(
            "", "warning", f"{table.row(at)}: left out, {why}. If it counts, change that cell in a copy of the file."
        )
        for at, why in enumerate(reasons)
        if why
    ]
    kept = [at for at, why in enumerate(reasons) if not why]
    return replace(_kept(table, kept), findings=(*table.findings, *found))


def _left_out(table: Table, index: int) -> str | None:
    def cell(name: str) -> str:
        column = _column(table, name)
        return "" if column is None else table.rows[index][column].strip().casefold()

    if cell(STATUS) in PREVIEWS or cell(CHANNEL) in PREVIEWS:
        return "because its Status or DistributionChannel says that it is a preview or test"
    if cell(FINISHED) in UNFINISHED:
        return "because its column Finished says that the answer was not submitted"
    return None


def _redcap(table: Table) -> Table:
    """The cells of forms that were not sent off are marked: a form's columns end with that of its status."""
    ends = [at + 1 for at, name in enumerate(_plain(table.header)) if STATUS_OF_FORM.fullmatch(name)]
    forms = [range(start, end) for start, end in pairwise([0, *ends])]
    unfinished: dict[tuple[int, int], Mark] = {
        (number, at): "unfinished"
        for number, row in zip(table.numbers, table.rows, strict=True)
        for form in forms
        if _is_unfinished([row[at].strip().casefold() for at in form])
        for at in form
    }
    return replace(table, marks={**table.marks, **unfinished})


def _is_unfinished(form: Sequence[str]) -> bool:
    return NOT_COMPLETED in form or form[-1] in INCOMPLETE


def fill_from_record(table: Table, places: Mapping[str, set[int]]) -> Table:
    """REDCap's rows of a record tell one thing: those with a text get what only other rows of their record say.

    That is the participant's ID, and of the other fields, whose columns are `places`, those that no row with a text
    fills, such as the language. Rows that hold only what was carried over go.
    """
    if table.kind != "redcap":
        return table
    others = {at for field, of in places.items() if field not in {"subject", "text"} for at in of}
    has_text = [any(row[at].strip() for at in places["text"]) for row in table.rows]
    with_text = [row for row, has in zip(table.rows, has_text, strict=True) if has]
    moved = {at for at in others if not any(row[at].strip() for row in with_text)}
    said = _said_once(table, moved | places.get("subject", set()))
    record = _column(table, *RECORD) or 0
    rows = tuple(
        tuple(cell if cell.strip() else said.get((row[record], at), cell) for at, cell in enumerate(row))
        for row in table.rows
    )
    kept = [
        index
        for index, row in enumerate(table.rows)
        if has_text[index] or any(row[at].strip() for at in others - moved)
    ]
    return _kept(replace(table, rows=rows), kept)


def _said_once(table: Table, columns: set[int]) -> dict[tuple[str, int], str]:
    """By record and column, the cell that its rows have, where they do not contradict each other."""
    record = _column(table, *RECORD) or 0
    cells: dict[tuple[str, int], set[str]] = defaultdict(set)
    for row in table.rows:
        for at in columns:
            if row[at].strip():
                cells[row[record], at].add(row[at])
    return {key: found.pop() for key, found in cells.items() if len(found) == 1}
