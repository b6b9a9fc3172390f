"""The coordinator's page, today's list and the table: what stands where, for the template beside it. Pure.

The page is HTML with its style in it and no script; it loads nothing. Each state has a colour, a sign and a word, so
that it can be read in grey, and by people who see no red.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from experiment.design.visit import subject_name
from experiment.qa.findings import KINDS
from experiment.storage.html import fill_template
from experiment.study import dates
from experiment.study.overview import Cell, CourseCells, Overview, State
from experiment.study.queries import place_of
from experiment.study.screening import excluded_in_words
from experiment.study.status import summary
from experiment.study.today import todays_list

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
COLUMNS = (
    *("participant_id", "stratum", "urgency", "now", "next", "notes", "findings", "consent", "consent_date"),
    *(f"{name}_{course}" for course in (1, 2) for name in OF_COURSE),
)


def render(shown: Overview, qa_page: str = "", *, only_today: bool = False) -> str:
    """The page's HTML, or (`only_today`) that of today's list; `qa_page`: the way to the quality assurance's."""
    lines = [row.status for row in shown.rows]
    return fill_template(
        Path(__file__).with_name("overview.html.jinja"),
        {"told": tell, "told_day": tell_day, "place": place_of, "share": share},
        shown=shown,
        only_today=only_today,
        qa_page=qa_page,
        heading=dates.in_words(shown.today),
        made=f"{shown.moment.astimezone(ZoneInfo(shown.study.clock.zone)):%H:%M} ({shown.study.clock.zone})",
        summary=summary(lines, shown.study, shown.moment).partition(": ")[2],
        lists=todays_list(lines),
        excluded=excluded_in_words(shown.screening) if shown.screening else [],
        signs=SIGNS,
        titles=KINDS,
        is_long=shown.study.courses.days > MOST_DAYS,
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
