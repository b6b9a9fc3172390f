"""What people wrote into the table of findings with a spreadsheet program: what each turned out to be, and who looked.

The next `qa` keeps it, and `study answer --table` records it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from experiment.design.visit import session_name, session_number, subject_label, subject_name
from experiment.errors import BadInput, EquipmentFailure
from experiment.messages.importing.encoding import decode_text
from experiment.qa.findings import KINDS, Answers
from experiment.record.finding import Finding
from experiment.record.tsv import MISSING

RESOLUTION, RESOLVED_BY = "resolution", "resolved_by"
PLACE = ("participant_id", "session_id", "finding")
COLUMNS = (*PLACE, "needs_person", "place", "title", "explanation", RESOLUTION, RESOLVED_BY)
NOTHING = ("", MISSING)
DELIMITERS = "\t;,"  # as spreadsheets write them

Key = tuple[str, str | None, int | None]
"""A finding by its kind, subject and session."""


class Resolution(Struct, frozen=True):
    """A row in which somebody wrote what a finding was: on which line of the file, and who, "" if they left it out.

    `needs_person`: whether the table says that the finding needs anybody.
    """

    line: int
    key: Key
    reason: str
    who: str
    needs_person: bool = True

    def is_recorded(self, answers: Answers) -> bool:
        """Whether it is among what was recorded of findings, which the table's explanation then tells."""
        return answers.get(self.key, "").endswith(f": {self.reason}")


def read_resolutions(path: Path) -> list[Resolution]:
    """The rows with a resolution, of a table with tabs, semicolons or commas in any usual encoding.

    BadInput names the line that cannot be understood.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EquipmentFailure(f"{path} cannot be read: {error.strerror}. Close it in other programs.") from error
    if data.startswith(b"PK"):
        raise BadInput(f"{path} is a workbook. Save it as text with tabs, or as CSV, and name that file.")
    text, _ = decode_text(data, path.name)
    return list(_resolutions(path, text))


def table_rows(findings: list[Finding], written: list[Resolution]) -> Iterator[tuple[object, ...]]:
    """The rows of the table, with what was written into it before; also of findings that are no more."""
    by_key = {one.key: one for one in written}
    for found in findings:
        needs_person = "yes" if found.needs_person else "no"
        told = (needs_person, found.place, KINDS[found.kind], found.text)
        yield *_place(found.key), *told, *_said(by_key.pop(found.key, None))
    for one in by_key.values():
        yield *_place(one.key), "no", None, KINDS[one.key[0]], "This finding no longer exists.", *_said(one)


def _place(key: Key) -> tuple[str | None, str | None, str]:
    kind, subject, session = key
    return (
        None if subject is None else subject_name(subject),
        None if session is None else session_name(session),
        kind,
    )


def _said(one: Resolution | None) -> tuple[str | None, str | None]:
    return (one.reason, one.who or None) if one else (None, None)


def _resolutions(path: Path, text: str) -> Iterator[Resolution]:
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=first.count))
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cells)]
    except csv.Error as error:
        raise BadInput(f"{path} is not a table ({error}). Save it as text with tabs, or as CSV.") from error
    columns = lines[0][1] if lines else []
    if RESOLUTION not in columns and set(PLACE) <= set(columns):
        return  # as an earlier version wrote it
    if wrong := [name for name in (*PLACE, RESOLUTION) if columns.count(name) != 1]:
        raise BadInput(f"{path}: the column {wrong[0]!r} is missing or duplicated. Use the table that `qa` wrote.")
    for number, cells in lines[1:]:
        row = dict(zip(columns, cells, strict=False))
        if row.get(RESOLUTION, "") not in NOTHING:
            yield _resolution(path, number, row)


def _resolution(path: Path, line: int, row: dict[str, str]) -> Resolution:
    subject, session, kind = (row[name] for name in PLACE)
    label, number = subject_label(subject), session_number(session)
    if kind not in KINDS or (label is None) != (subject in NOTHING) or (number is None) != (session in NOTHING):
        raise BadInput(
            f"{path}, line {line}: {subject}, {session}, {kind} is not a finding. Use the table that `qa` wrote."
        )
    who = row.get(RESOLVED_BY, "")
    return Resolution(
        line, (kind, label, number), row[RESOLUTION], "" if who in NOTHING else who, row.get("needs_person") != "no"
    )
