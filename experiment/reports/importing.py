"""Daily reports that a lab collected with REDCap, Qualtrics or in any table, put to participant and day.

Files are read as messages are. Which column is what is told by its name or question, or by the person. A report belongs
to the day whose window it was sent in, by the rules of the page; what fits no day is named by its row. No answer is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from experiment.design.daily import Daily, DailyItem
from experiment.design.visit import bare_label
from experiment.errors import BadInput
from experiment.messages.importing.columns import Column, find_column, groups, list_columns, singles
from experiment.messages.importing.exports import fill_from_record
from experiment.messages.importing.files import read_tables
from experiment.messages.importing.headers import says, strip_number
from experiment.messages.importing.table import Table
from experiment.messages.names import plain
from experiment.record.events import parse_utc
from experiment.reports.log import Answers, Imported, LogLine, asked, entry
from experiment.reports.open_times import ReportWindow, among, windows
from experiment.reports.service import Service

# What columns are called: in Qualtrics, in REDCap (whose forms have `daily_timestamp`), and in our own table.
NAMES = {
    "submitted": {"submitted", "end date", "completed", "timestamp"},
    "opened": {"opened", "start date", "started", "start"},
    "date": {"date", "report date"},
}
NEEDED = ("subject", "submitted")
OPTIONAL = ("opened", "date")
NO_TIME = {"", "n/a", "[not completed]"}
NO_ANSWER = {"", "n/a", "na", "-99"}
NUMBERED = re.compile(r"(\d{1,2})(?:\.0)?(?:\s*[-\u2013=:.)]\s*(.+)|\s+(.+))?", re.DOTALL)  # 3, or with a label


class FoundReport(Struct, frozen=True):
    """A report in a file: where it is there, whose, when, and the answers. Moments are aware."""

    place: str
    subject: str
    opened: datetime | None
    submitted: datetime
    date: date | None
    answers: Answers


class Import(Struct, frozen=True):
    """What importing these files would add. `known`: what is there already; `problems`: rows left out, and why."""

    new: tuple[Imported, ...]
    known: int
    problems: tuple[str, ...]


def plan_import(
    service: Service, paths: Sequence[Path], zone: str, given: Mapping[str, str], encoding: str | None = None,
    sheet: str | None = None,
) -> Import:  # fmt: skip
    """The reports in the files. `zone`: of their times (IANA). `given`: columns by field or item, where names differ.

    BadInput if a column cannot be told, with those that are there. Nothing is written.
    """
    there, new, problems = _zone(zone), list[Imported](), list[str]()
    for table in read_tables(paths, encoding, sheet):
        problems += [finding.text for finding in table.findings if finding.severity != "note"]
        for found in _rows(table, _columns(table, service.daily, given), service.daily, there):
            placed = _placed(service, found, table.name) if isinstance(found, FoundReport) else found
            if isinstance(placed, str):
                problems.append(placed)
            else:
                new.append(placed)
    there_already = {_same(one.event) for one in service.journal.entries() if isinstance(one.event, Imported)}
    distinct = {_same(one): one for one in sorted(new, key=lambda one: one.submitted)}
    added = tuple(one for same, one in distinct.items() if same not in there_already)
    return Import(added, len(distinct) - len(added), tuple(problems))


def write_import(service: Service, planned: Import) -> None:
    """Add what is new to the log, and make the table anew."""

    def decide(entries: Sequence[LogLine]) -> list[LogLine]:
        there = {_same(one.event) for one in entries if isinstance(one.event, Imported)}
        now = service.now()
        new = [entry(now, one) for one in planned.new if _same(one) not in there]
        return [*asked(entries, service.daily, now), *new]

    service.append(decide)
    service.update_table()


def _same(one: Imported) -> tuple[object, ...]:
    """What makes it the same report, whichever file it is in."""
    return one.subject, one.date, one.opened, one.submitted, tuple(sorted(one.answers.items()))


# Columns


def _columns(table: Table, daily: Daily, given: Mapping[str, str]) -> dict[str, Column]:
    """The column, or numbered columns, of each field and item."""
    items = [item.id for item in daily.items]
    if unknown := sorted(given.keys() - {*NEEDED, *OPTIONAL, *items}):
        raise BadInput(
            f"--column: {unknown[0]!r} is not known. Please write one of {', '.join((*NEEDED, *OPTIONAL, *items))} "
            "before the =."
        )
    chosen = {name: find_column(table, name, column) for name, column in given.items()}
    texts = {item.id: item.text for item in daily.items}
    for name in (*NEEDED, *OPTIONAL, *items):
        if name not in chosen and (fitting := _fitting(table, name, texts.get(name))):
            chosen[name] = fitting
    if missing := [name for name in (*NEEDED, *items) if name not in chosen]:
        options = " ".join(f'--column {name}="NAME"' for name in missing)
        raise BadInput(
            f"{table.name}: no column clearly matches {', '.join(missing)}. The columns are:"
            f"{list_columns(table)}\n"
            f"Repeat the command with {options} (# stands for the number of columns that are a day each)."
        )
    numbers = {tuple(sorted(chosen[name].at)) for name in chosen if chosen[name].is_group}
    if len(numbers) > 1 or (numbers and not chosen["submitted"].is_group):
        raise BadInput(f"{table.name}: the numbered columns do not match: each day needs its own time and items.")
    return chosen


def _fitting(table: Table, name: str, text: str | None) -> Column | None:
    """The only column that is called so, or else that asks this; numbered ones first, which single ones make up."""
    for is_it in (_is_called, _asks):
        for every in (groups(table), singles(table)):
            if len(fitting := [one for one in every if is_it(one, name, text)]) == 1:
                return fitting[0]
    first = singles(table)[0] if table.header else None
    return first if name == "subject" and table.kind == "redcap" else None


def _is_called(column: Column, name: str, _text: str | None) -> bool:
    called = plain(strip_number(column.name.replace("#", "")))
    if name == "subject":
        return not column.is_group and says(column.name, "subject", alone=True)
    if name == "submitted" and called.endswith(" timestamp"):
        return True
    return called in NAMES.get(name, {plain(name)})


def _asks(column: Column, name: str, text: str | None) -> bool:
    if name == "subject":
        return not column.is_group and any(says(one, "subject", alone=False) for one in (column.title, column.name))
    return text is not None and plain(column.title) == plain(text)


# Rows


def _rows(table: Table, columns: Mapping[str, Column], daily: Daily, zone: ZoneInfo) -> Iterator[FoundReport | str]:
    """Each report, or why a row is none; rows without a time and without an answer say nothing."""
    own = {at for name, one in columns.items() if name != "subject" for at in one.at.values()}
    table = fill_from_record(table, {"subject": {*columns["subject"].at.values()}, "text": own})
    numbers = sorted({number for one in columns.values() if one.is_group for number in one.at}) or [0]
    for index, row in enumerate(table.rows):
        for number in numbers:
            cells = {name: row[column.place(number)].strip() for name, column in columns.items()}
            place = table.row(index) + (f", number {number}" if number else "")
            if any(cell not in NO_TIME for name, cell in cells.items() if name != "subject"):
                yield _found(place, cells, daily, zone)


def _found(place: str, cells: Mapping[str, str], daily: Daily, zone: ZoneInfo) -> FoundReport | str:
    if cells["submitted"] in NO_TIME:
        return f"{place}: left out, because it was not submitted (it has no time)."
    try:
        answers = {item.id: read_answer(item, cells[item.id]) for item in daily.items}
    except ValueError as error:
        return f"{place}: left out. {error}"
    try:
        opened, submitted = (_moment(cells.get(name, ""), zone) for name in ("opened", "submitted"))
        day = date.fromisoformat(cells["date"]) if cells.get("date", "") not in NO_TIME else None
    except ValueError:
        return f"{place}: left out, a time is not in the form 2026-11-24 20:15:31. Export it in that form."
    assert submitted is not None  # noqa: S101 - it has a time
    return FoundReport(place, bare_label(cells["subject"]), opened, submitted, day, answers)


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    """The moment, in the file's zone unless it has its own; None if there is none. ValueError if it is no time."""
    if text in NO_TIME:
        return None
    told = parse_utc(text)
    return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(timezone.utc).replace(microsecond=0)


def _placed(service: Service, found: FoundReport, file: str) -> Imported | str:
    """The report with its day, or why it fits none."""
    roster = service.roster()
    try:
        one = roster.participant(found.subject)
    except BadInput as error:
        return f"{found.place}: left out. {error}"
    every = windows(one, roster.study, service.daily)
    if found.date is not None:
        fitting = [window for window in [among(every, found.date)] if window and window.opens <= found.submitted]
    else:
        fitting = [window for window in every if window.accepts(found.submitted, found.opened)]
    if len(fitting) == 1:
        opened = found.opened.isoformat() if found.opened else None
        return Imported(
            one.subject, fitting[0].date.isoformat(), opened, found.submitted.isoformat(), found.answers, file
        )
    return (
        f"{found.place}: left out, {one.name}: {_why(roster.study.at(one.stratum).clock.zone, every, fitting, found)}"
    )


def _why(zone: str, every: Iterable[ReportWindow], fitting: Sequence[ReportWindow], found: FoundReport) -> str:
    sent = f"sent on {found.submitted.astimezone(ZoneInfo(zone)):%Y-%m-%d at %H:%M} ({zone})"
    if fitting:
        return f"{sent}, when the reports of two days were open. Give the column of the day: --column date=NAME."
    days = ", ".join(f"{window.date}" for window in every)
    return f"{sent}, when no report was open. Its days are {days or 'not known, because no course has started'}."


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(f"--zone {name!r} is not a time zone. Please write e.g. Europe/Berlin.") from error


def read_answer(item: DailyItem, cell: str) -> int | None:
    """The point of the item's scale, or None if there is no answer; ValueError if the cell is neither."""
    text = cell.strip()
    if text.casefold() in NO_ANSWER:
        return None
    by_label = {label.casefold(): point for point, label in item.levels.items()}
    if (point := by_label.get(text.casefold())) is not None:
        return point
    numbered = NUMBERED.fullmatch(text)
    if numbered and 1 <= int(numbered[1]) <= item.points:
        return int(numbered[1])
    raise ValueError(f"The answer to {item.id} (not shown) is no point of its scale.")
