"""Whether the daily reports are as they were given: the log's chain, and the table held against it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.record.tsv import json_text
from experiment.reports.events import LogLine, journal
from experiment.reports.record import questions
from experiment.reports.table import dictionary, rows, table_path, text, unplaced
from experiment.storage.read_file import read_file
from experiment.study.snapshot import Snapshot


def files(data: Path) -> tuple[Path, ...]:
    """The files of a data set's daily reports that are there: log, its head, table and dictionary."""
    table = table_path(data)
    return (*journal(data).files, *(path for path in (table, table.with_suffix(".json")) if path.exists()))


def verify(data: Path, told: Snapshot, now: datetime) -> list[str]:
    """What of the daily reports was changed, or is lost, a sentence each; nothing if there never were any.

    A row of the table that the log does not give is a change; so is a report of the log without a row. That a report
    is missing by now, and was not when the table was written, is none.
    """
    if not files(data):
        return []
    try:
        entries = journal(data).events()
        if entries:
            return list(_differences(data, entries, told, told.locked_at or now))
        return [_lost(data)] if table_path(data).exists() else []  # the lock of a study without reports makes a log
    except BadInput as error:
        return [str(error)]


def _lost(data: Path) -> str:
    return f"{journal(data).path} is missing or empty, but {table_path(data).name} exists. Restore it from a copy."


def _differences(data: Path, entries: tuple[LogLine, ...], told: Snapshot, now: datetime) -> Iterator[str]:
    people, study = told.people.values(), told.study
    derived, items = rows(people, study, entries, now), questions(entries).items
    path = table_path(data)
    header, *wanted, _ = text(derived, items).split("\n")
    first, *found = read_file(path).decode("utf-8", "replace").split("\n") if path.exists() else [""]
    if first != header or not _holds(path.with_suffix(".json"), json_text(dictionary(items))):
        yield f"{path} or its dictionary is not there, or is not as the log has it. {_REMAKE}"
    lines = dict(zip(wanted, derived, strict=True))
    changed = [line for line in found if line and line not in lines]
    absent = [row for line, row in lines.items() if line not in found and row.status != "missing"]
    for line in changed:
        yield f"{path}: the row of {' '.join(line.split(chr(9))[:3])} is not as the log has it. {_REMAKE}"
    for row in absent:
        whose = f"the report of {subject_name(row.subject)} about {row.date}"
        yield f"{path}: {whose} has no row, or a changed one. {_REMAKE}"
    if not (changed or absent) and found != [*(line for line in wanted if line in found), ""]:
        yield f"{path}: rows were moved or doubled, or its end is lost. {_REMAKE}"
    for subject, day in unplaced(people, study, entries, now):
        whose = f"The report of {subject_name(subject)} about {day}"
        yield f"{whose} lies in no course, as the register has them. Check the start."


def _holds(path: Path, content: str) -> bool:
    return path.exists() and read_file(path) == content.encode()


_REMAKE = "`dayfour reports table` makes it anew from the log."
