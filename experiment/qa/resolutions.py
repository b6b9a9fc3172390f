"""What people wrote into the table of findings with a spreadsheet program: what each turned out to be, and who looked.

The next `qa` keeps it, and `study answer --table` records it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from experiment.design.visit import session_name, session_number, subject_label, subject_name
from experiment.errors import BadInput
from experiment.messages.importing.files import read_tables
from experiment.qa.findings import KINDS, Answers
from experiment.record.finding import Finding
from experiment.record.tsv import MISSING, for_spreadsheet, from_spreadsheet

RESOLUTION, RESOLVED_BY = "resolution", "resolved_by"
PLACE = ("participant_id", "session_id", "finding")
COLUMNS = (*PLACE, "needs_person", "place", "title", "explanation", RESOLUTION, RESOLVED_BY)
NOTHING = ("", MISSING)

Key = tuple[str, str | None, int | None]
"""A finding by its kind, subject and session."""


class Resolution(Struct, frozen=True):
    """A row in which somebody wrote what a finding was: in which row of the file, and who, "" if they left it out.

    `needs_person`: whether the table says that the finding needs anybody.
    """

    row: int
    key: Key
    reason: str
    who: str
    needs_person: bool = True

    def is_recorded(self, answers: Answers) -> bool:
        """Whether it is among what was recorded of findings, which the table's explanation then tells."""
        return answers.get(self.key, "").endswith(f": {self.reason}")


def read_resolutions(path: Path, sheet: str | None = None) -> list[Resolution]:
    """The rows with a resolution, of a table as messages are imported from: text in any usual form, or a workbook.

    BadInput names the row that cannot be understood.
    """
    (table,) = read_tables([path], sheet=sheet)
    columns = list(table.header)
    if RESOLUTION not in columns and set(PLACE) <= set(columns):
        return []  # as an earlier version wrote it
    if wrong := [name for name in (*PLACE, RESOLUTION) if name not in columns]:
        raise BadInput(f"{path}: the column {wrong[0]!r} is missing or duplicated. Use the table that `qa` wrote.")
    rows = [dict(zip(columns, (from_spreadsheet(cell.strip()) for cell in cells), strict=True)) for cells in table.rows]
    return [
        _resolution(path, number, row)
        for number, row in zip(table.numbers, rows, strict=True)
        if row[RESOLUTION] not in NOTHING
    ]


def table_rows(findings: list[Finding], written: list[Resolution]) -> Iterator[tuple[object, ...]]:
    """The rows of the table, with what was written into it before; also of findings that are no more."""
    by_key = {one.key: one for one in written}
    for found in findings:
        told = ("yes" if found.needs_person else "no", found.place, KINDS[found.kind], found.text)
        yield *_place(found.key), *map(for_spreadsheet, (*told, *_said(by_key.pop(found.key, None))))
    for one in by_key.values():
        gone = ("no", None, KINDS[one.key[0]], "This finding no longer exists.")
        yield *_place(one.key), *map(for_spreadsheet, (*gone, *_said(one)))


def _place(key: Key) -> tuple[str | None, str | None, str]:
    kind, subject, session = key
    return (
        None if subject is None else subject_name(subject),
        None if session is None else session_name(session),
        kind,
    )


def _said(one: Resolution | None) -> tuple[str | None, str | None]:
    return (one.reason, one.who or None) if one else (None, None)


def _resolution(path: Path, at: int, row: dict[str, str]) -> Resolution:
    subject, session, kind = (row[name] for name in PLACE)
    label, number = subject_label(subject), session_number(session)
    if kind not in KINDS or (label is None) != (subject in NOTHING) or (number is None) != (session in NOTHING):
        raise BadInput(
            f"{path}, row {at}: {subject}, {session}, {kind} is not a finding. Use the table that `qa` wrote."
        )
    who = row.get(RESOLVED_BY, "")
    return Resolution(
        at, (kind, label, number), row[RESOLUTION], "" if who in NOTHING else who, row.get("needs_person") != "no"
    )
