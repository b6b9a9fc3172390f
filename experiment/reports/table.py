"""The table of daily reports, `phenotype/daily.tsv`, and what its columns mean: made from the log and the register.

A row for each report that came or should have come: one that did not is a row with `n/a`. It can always be made anew:
so it is held against the log. Layout: the Brain Imaging Data Structure 1.10, "Phenotypic and assessment data".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from msgspec import Struct

from experiment.design.daily import COLUMNS, DailyItem
from experiment.design.visit import session_name, subject_name
from experiment.errors import DayFourError
from experiment.record.tsv import json_text, tsv
from experiment.reports.log import Answers, Key, LogLine, Questions, Report, Source, journal, questions, sendings
from experiment.reports.open_times import ReportWindow, Status, among, windows
from experiment.storage.atomic_file import write_whole
from experiment.storage.read_file import read_file
from experiment.study.participant import Participant
from experiment.study.register import Register
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Study

NO_ANSWERS: Answers = {}
_REMAKE = "`dayfour reports table` makes it anew from the log."


class ReportRow(Struct, frozen=True):
    """A report as it counts: the last that was sent, or none that could still come. Moments are aware.

    `lag_s`: from the study's reminder to the sending. `corrections`: how many sendings there were before the last.
    """

    subject: str
    course: int
    day: int
    date: date
    opened: datetime | None
    submitted: datetime | None
    lag_s: float | None
    status: Status
    source: Source | None
    corrections: int
    answers: Answers

    @property
    def took_s(self) -> float | None:
        """From the page to the sending."""
        return (self.submitted - self.opened).total_seconds() if self.submitted and self.opened else None

    def cells(self, items: Sequence[DailyItem]) -> Iterator[object]:
        """What stands in the table's columns."""
        yield from (subject_name(self.subject), session_name(self.course), self.day, self.date.isoformat())
        yield from (_utc(self.opened), _utc(self.submitted))
        yield None if self.lag_s is None else int(self.lag_s // 1)  # as the moments are, cut to the second
        yield from (self.status, self.source, None if self.submitted is None else self.corrections)
        yield from (self.answers.get(item.id) for item in items)


def table_path(data: Path) -> Path:
    """Where the table is; its dictionary beside it ends in `.json`."""
    return data / "phenotype" / "daily.tsv"


def rows(told: Snapshot, entries: Sequence[LogLine], now: datetime) -> list[ReportRow]:
    """Everybody's reports that came, or whose time is over, by participant and date."""
    asked, sent = questions(entries), sendings(entries)
    by_subject = sorted(told.people.values(), key=lambda one: one.subject)
    return [row for one in by_subject for row in _rows(one, told.study, asked, sent, now)]


def refresh_table(data: Path, told: Snapshot, now: datetime) -> None:
    """The table and its dictionary as log and register have them, if there are daily reports; after the lock, nothing.

    EquipmentFailure if they cannot be written.
    """
    entries = journal(data).entries()
    if entries and not told.locked_at:
        path, items = table_path(data), questions(entries).items
        write_whole(path.with_suffix(".json"), json_text(dictionary(items)))
        write_whole(path, text(rows(told, entries, now), items))


@contextmanager
def closed_to_reports(data: Path, register: Register) -> Iterator[None]:
    """While the study is locked, no report comes in; who is missing by now is a row of the table that is locked.

    Nor does anybody begin with reports meanwhile, or add the file of a log to the data that are locked.
    """
    with journal(data).held(create=True):
        refresh_table(data, register.read(), register.now())
        yield


def text(of: Iterable[ReportRow], items: Sequence[DailyItem]) -> str:
    """The table as it stands on the disk."""
    return tsv((*COLUMNS, *(item.id for item in items)), (tuple(row.cells(items)) for row in of))


def dictionary(items: Iterable[DailyItem]) -> dict[str, Any]:
    """What each column means. Of an item, `Block` and `Reversed` say how an analysis takes the mean of a block."""
    return _COLUMNS | {item.id: _described(item) for item in items}


def _described(item: DailyItem) -> dict[str, Any]:
    return {
        "Description": f'The answer to "{item.text}", from 1 to {item.points}; n/a if it was left out.',
        "Block": item.block,
        "Reversed": item.reversed,
        "Minimum": 1,
        "Maximum": item.points,
        "Levels": {str(point): label for point, label in item.levels.items()},
    }


def _rows(
    one: Participant, study: Study, asked: Questions, sent: Mapping[Key, Sequence[Report]], now: datetime
) -> Iterator[ReportRow]:
    # A report of the day on which somebody withdrew was given before that, and counts.
    always = windows(one, study, asked.latest, also_withdrawn=True)
    # Of whoever was brought in later, days before reports were recorded here are not known to be missing.
    since = None if one.place else asked.sections[0][0]
    due = {window.date for window in windows(one, study, asked.latest) if since is None or window.ends > since}
    for window in always:
        reports = sent.get((one.subject, window.date), ())
        if reports:
            yield _given(one, study, asked, reports, window)
        elif window.date in due and window.is_over(now):
            yield ReportRow(
                one.subject, window.course, window.day, window.date,
                None, None, None, "missing", None, 0, NO_ANSWERS,
            )  # fmt: skip


def _given(
    one: Participant, study: Study, asked: Questions, reports: Sequence[Report], window: ReportWindow
) -> ReportRow:
    """By the hours that held when it was sent."""
    last = reports[-1]
    if (daily := asked.at(last.submitted)) is not asked.latest:
        window = among(windows(one, study, daily, also_withdrawn=True), window.date) or window
    lag_s = (last.submitted - window.reminder).total_seconds()
    status = window.status(last.submitted, last.opened)
    return ReportRow(
        one.subject, window.course, window.day, window.date, last.opened, last.submitted, lag_s, status, last.source,
        len(reports) - 1, last.answers,
    )  # fmt: skip


def _utc(moment: datetime | None) -> str | None:
    return f"{moment.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}" if moment else None


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
        if entries := journal(data).entries():
            return list(_differences(data, entries, told, told.locked_at or now))
    except DayFourError as error:
        return [str(error)]
    # The lock of a study without reports makes a log without lines.
    lost = f"{journal(data).path} is missing or empty, but {table_path(data).name} exists. Restore it from a copy."
    return [lost] if table_path(data).exists() else []


def _differences(data: Path, entries: tuple[LogLine, ...], told: Snapshot, now: datetime) -> Iterator[str]:
    derived, items = rows(told, entries, now), questions(entries).items
    path, described = table_path(data), table_path(data).with_suffix(".json")
    is_described = described.exists() and read_file(described) == json_text(dictionary(items)).encode()
    header, *wanted, _ = text(derived, items).split("\n")
    first, *found = read_file(path).decode("utf-8", "replace").split("\n") if path.exists() else [""]
    if first != header or not is_described:
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
    placed = {(row.subject, row.date) for row in derived}
    for subject, day in sorted(sendings(entries).keys() - placed):
        whose = f"The report of {subject_name(subject)} about {day}"
        yield f"{whose} lies in no course, as the register has them. Check the start."


_COLUMNS: dict[str, Any] = {
    "participant_id": {"Description": "The participant's ID, with the prefix sub-."},
    "session_id": {"Description": "The course in whose days the report lies; ses-1 is the first. It tells no drug."},
    "run": {"Description": "The day of the course that the report is about; 1 is the day of the first dose."},
    "date": {"Description": "The date that the report is about, where the participant is: YYYY-MM-DD."},
    "opened": {"Description": "When its page was opened, UTC, by the server's clock; n/a if not known."},
    "submitted": {"Description": "When it was sent, UTC, by the server's clock; n/a if there is none."},
    "lag": {
        "Description": "From the study's reminder to the sending; negative if it was sent before.",
        "Units": "s",
    },
    "status": {
        "Description": "Whether the report came in time, by the hours of the protocol's section [daily].",
        "Levels": {
            "in_time": "Sent before the report of the day closed",
            "grace": "Begun before the report of the day closed, and sent shortly after",
            "late": "Sent later, while the report could still be given",
            "missing": "No report, and its time is over",
        },
    },
    "source": {
        "Description": "How the report came.",
        "Levels": {"page": "From the study's own page", "import": "From a file of another program"},
    },
    "corrections": {"Description": "How often it was sent before; the last sending counts, all are in the log."},
}
