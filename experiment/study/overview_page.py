"""The coordinator's page, today's list and the table: what stands where, for the template beside it. Pure.

The page is HTML with its style in it and no script; it loads nothing. Each state has a colour, a sign and a word, so
that it can be read in grey, and by people who see no red.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

from msgspec import Struct

from experiment.design.visit import subject_name
from experiment.qa.findings import KINDS
from experiment.storage.html import fill_template
from experiment.study import dates
from experiment.study.anchors import session_anchors
from experiment.study.overview import Cell, CourseCells, Overview, State
from experiment.study.queries import place_of
from experiment.study.screening import excluded_in_words, screening_counts
from experiment.study.status import Kind, Need, StatusRow, summary

SIGNS: Mapping[State, tuple[str, str]] = {
    "done": ("✓", "done"),
    "due": ("●", "due today"),
    "overdue": ("!", "overdue"),
    "waiting": ("?", "to decide"),
    "planned": ("○", "planned"),
    "missed": ("×", "missed"),  # noqa: RUF001 - the sign, which is no letter
    "stopped": ("◐", "ended early"),
    "doubtful": ("≈", "doubtful"),
    "none": ("–", "none"),  # noqa: RUF001 - the same
}
"""Of each state, the sign and the word."""
MOST_DAYS = 8  # of a course that are shown one by one
OF_COURSE = (
    *("start", "start_date", "doses_taken", "doses_missed", "doses_unrecorded"),
    *("reports_in", "reports_due", "reports_missing", "reports_doubtful", "session", "session_date"),
)
ERRANDS: Mapping[str, tuple[Kind, ...]] = {
    "Sessions": ("session",),
    "Doses to record": ("dose",),
    "Daily reports that are not in": ("report",),
    "To be decided": ("consent", "start"),
}
COLUMNS = (
    *("participant_id", "stratum", "urgency", "now", "next", "notes", "findings", "consent", "consent_date"),
    *(f"{name}_{course}" for course in (1, 2) for name in OF_COURSE),
)


class Errand(Struct, frozen=True):
    """What somebody does for a participant: `at` a time of day (HH:MM), or "" whenever it suits."""

    at: str
    subject: str
    stratum: str
    now: str
    text: str


class ErrandList(Struct, frozen=True):
    """Errands of a kind, in order, under their title."""

    title: str
    errands: tuple[Errand, ...]


def render(shown: Overview, qa_page: str = "", *, only_today: bool = False) -> str:
    """The page's HTML, or (`only_today`) that of today's list; `qa_page`: the way to the quality assurance's."""
    lines, told, zone = [row.status for row in shown.rows], shown.told, shown.told.study.clock.zone
    screening = screening_counts(told)
    return fill_template(
        Path(__file__).with_name("overview.html.jinja"),
        {"told": tell, "told_day": tell_day, "place": place_of, "share": share},
        shown=shown,
        only_today=only_today,
        qa_page=qa_page,
        heading=dates.in_words(dates.today(told.study, shown.moment)),
        made=f"{shown.moment.astimezone(ZoneInfo(zone)):%H:%M} ({zone})",
        summary=summary(lines, told.study, shown.moment).partition(": ")[2],
        locked=dates.today(told.study, told.locked_at) if told.locked_at else None,
        awaiting=[*map(subject_name, told.awaiting_enrolment)],
        sessions=session_anchors(told),
        screening=screening,
        lists=todays_list(lines),
        excluded=excluded_in_words(screening) if screening else [],
        signs=SIGNS,
        titles=KINDS,
        is_long=told.study.courses.days > MOST_DAYS,
    )


def tell(cell: Cell) -> str:
    """What stands in a visit's cell beside its sign, such as `done 26 Nov`."""
    word = "due" if cell.state == "due" else cell.words or SIGNS[cell.state][1]
    when = cell.words if cell.state == "due" else _short(cell.day)
    return f"{word} {when}".strip()


def tell_day(cell: Cell) -> str:
    """What a day's sign means, such as `Tue 24 Nov: taken`."""
    return f"{dates.short(cell.day) if cell.day else ''}: {cell.words or SIGNS[cell.state][1]}"


def _short(day: date | None) -> str:
    return dates.short(day).partition(" ")[2] if day else ""


def share(cells: Sequence[Cell], *states: State) -> int:
    """How many of the cells are in one of these states."""
    return sum(cell.state in states for cell in cells)


def table_rows(shown: Overview) -> Iterator[tuple[object, ...]]:
    """The rows of the table for a spreadsheet, below `COLUMNS`."""
    for row in shown.rows:
        line = row.status
        yield (
            subject_name(line.subject), *line.cells[1:], row.findings, row.consent.state, _iso(row.consent.day),
            *(cell for course in row.courses for cell in _of_course(course)),
        )  # fmt: skip


def _of_course(course: CourseCells) -> Iterator[object]:
    yield from (course.start.state, _iso(course.start.day))
    yield from (share(course.doses, state) for state in ("done", "missed", "overdue"))
    reports = course.reports
    yield share(reports, "done", "doubtful")
    yield from (share(reports, state) for state in ("due", "missed", "doubtful"))
    yield from (course.session.state, _iso(course.session.day))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def todays_list(lines: Sequence[StatusRow]) -> list[ErrandList]:
    """The lists that are not empty: what is overdue first, then by the hours of the day, then what is to be decided."""
    overdue = ErrandList("Overdue", _errands(lines, get_args(Kind), is_overdue=True))
    by_kind = (ErrandList(title, _errands(lines, kinds)) for title, kinds in ERRANDS.items())
    return [one for one in (overdue, *by_kind) if one.errands]


def _errands(lines: Sequence[StatusRow], kinds: Sequence[Kind], *, is_overdue: bool = False) -> tuple[Errand, ...]:
    found = [
        Errand("" if is_overdue else need.at, line.subject, line.stratum, line.now, _text(need))
        for line in lines
        for need in line.needs
        if need.is_overdue == is_overdue and need.kind in kinds
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.subject)))


def _text(need: Need) -> str:
    """Less the time, which stands apart; with what the gate says against it."""
    text = need.text.replace(f" {need.at}", "", 1) if need.at and not need.is_overdue else need.text
    return f"{text}. Needs a reason: {need.against.replace(chr(10), ' ')}" if need.against else text
