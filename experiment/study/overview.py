"""Participants by visits: what was done, is due, was missed or is to come, in cells that a page colours. Pure.

Nothing here tells the drug: no kit's number, no place in a block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from experiment.record.finding import Finding
from experiment.study import dates
from experiment.study.events import Enrolled
from experiment.study.participant import Participant
from experiment.study.snapshot import Snapshot
from experiment.study.status import NO_REPORTS, NOBODY, Need, ReportsIn, StatusRow, rows
from experiment.study.study_file import Study

State = Literal["done", "due", "overdue", "waiting", "planned", "missed", "stopped", "doubtful", "none"]


class Cell(Struct, frozen=True):
    """One visit, dose or report: its state, the day it was or will be (None if nobody knows), and more in words."""

    state: State
    day: date | None = None
    words: str = ""


class CourseCells(Struct, frozen=True):
    """A course: its start, a cell for each day's dose and report, and the session."""

    start: Cell
    doses: tuple[Cell, ...]
    reports: tuple[Cell, ...]
    session: Cell


class OverviewRow(Struct, frozen=True):
    """A participant's line; `findings`: how many of the quality assurance are open."""

    status: StatusRow
    consent: Cell
    courses: tuple[CourseCells, CourseCells]
    findings: int


class StratumCounts(Struct, frozen=True):
    """Places and kits of a stratum; `kits_set_aside`: of those who take part, not handed out yet.

    Who was allocated elsewhere, before the study was brought in, is among the enrolled and has no place or kit here.
    The place and the kits of an enrolment that was taken back are not given again: they are in no count but `places`.
    """

    stratum: str
    places: int
    enrolled: int
    withdrawn: int
    completed: int
    places_left: int
    kits_given: int
    kits_set_aside: int
    kits_left: int


class Overview(Struct, frozen=True):
    """What the coordinator's page shows beside the register (`told`) itself; `moment`: with its time zone.

    `findings`: the open ones. `reports`: how many daily reports are in, due, missing and so on; empty where none are
    recorded. `problems`: sentences that somebody must read first.
    """

    told: Snapshot
    moment: datetime
    rows: tuple[OverviewRow, ...]
    strata: tuple[StratumCounts, ...]
    findings: tuple[Finding, ...]
    reports: Mapping[str, int] = {}
    problems: tuple[str, ...] = ()


def overview(
    told: Snapshot,
    moment: datetime,
    reports: Mapping[str, ReportsIn] = NOBODY,
    counts: Mapping[str, int] = MappingProxyType({}),
    findings: Iterable[Finding] = (),
    problems: Sequence[str] = (),
) -> Overview:
    """Everybody, the most urgent first, as `study status` has them.

    `reports`: by participant; `counts`: over all of them; `findings`: of the quality assurance.
    """
    wanted = tuple(one for one in findings if one.needs_person)
    of_each = Counter(one.subject for one in wanted)
    lines = rows(told.people.values(), told.study, moment, reports)
    each = tuple(
        _row(line, told, moment, reports.get(line.subject, NO_REPORTS), of_each[line.subject]) for line in lines
    )
    return Overview(told, moment, each, tuple(_stratum_counts(told)), wanted, counts, tuple(problems))


def _stratum_counts(told: Snapshot) -> Iterator[StratumCounts]:
    """Enrolled against planned, and kits, for each stratum."""
    enrolled = (one.act for one in told.entries if isinstance(one.act, Enrolled))
    used = Counter(act.stratum for act in enrolled if act.place)
    for stratum in told.study.strata:
        own = [one for one in told.people.values() if one.stratum == stratum]
        here = [one for one in own if one.place]
        staying = [one for one in own if not one.withdrawn]
        left = told.study.participants - used[stratum]
        yield StratumCounts(
            stratum,
            told.study.participants,
            len(own),
            len(own) - len(staying),
            sum(all(one.is_held(session) for session in (1, 2)) for one in staying),
            left,
            sum(len(one.starts) for one in here),
            sum(2 - len(one.starts) for one in here if not one.withdrawn),
            2 * left,
        )


def _row(line: StatusRow, told: Snapshot, moment: datetime, reports: ReportsIn, findings: int) -> OverviewRow:
    one = told.people[line.subject]
    there = told.study.at(one.stratum)
    today = dates.today(there, moment)
    first, second = (_course(one, there, course, line.needs, today, reports) for course in (1, 2))
    return OverviewRow(line, _consent(one, line.needs), (first, second), findings)


def _consent(one: Participant, needs: Sequence[Need]) -> Cell:
    if one.consented:
        return Cell("done", one.consented)
    return Cell("waiting" if _find(needs, "consent", 0) else "none")


def _course(
    one: Participant, study: Study, course: int, needs: Sequence[Need], today: date, reports: ReportsIn
) -> CourseCells:
    if course > len(one.starts):
        return CourseCells(_start(one, study, course, needs), (), (), Cell("none" if one.withdrawn else "planned"))
    start = one.starts[course - 1]
    days = list(dates.all_days(study.courses, start))
    return CourseCells(
        Cell("done", start),
        tuple(_dose(one, day, today) for day in days),
        tuple(_report(one, day, today, reports) for day in days),
        _session(one, study, course, needs),
    )


def _start(one: Participant, study: Study, course: int, needs: Sequence[Need]) -> Cell:
    """Of a course that has not begun."""
    if one.is_over:
        return Cell("none")
    earliest = dates.earliest_second(study.courses, one.starts[0]) if course == 2 and one.starts else None
    if _find(needs, "start", course):
        return Cell("waiting", earliest, "since" if earliest else "")
    return Cell("planned", earliest, "from" if earliest else "")


def _dose(one: Participant, day: date, today: date) -> Cell:
    if day in one.doses:
        return Cell("done" if one.doses[day] else "missed", day, "taken" if one.doses[day] else "missed")
    if (one.withdrawn and day >= one.withdrawn) or one.locked:
        return Cell("none", day)
    if day < today:
        return Cell("overdue", day, "not recorded")
    return Cell("due", day, "today") if day == today else Cell("planned", day)


def _report(one: Participant, day: date, today: date, reports: ReportsIn) -> Cell:
    for days, state, words in (
        (reports.alike, "doubtful", "the same answer throughout"),
        (reports.fast, "doubtful", "too fast"),
        (reports.dates, "done", "in"),
        (reports.due, "due", "open now"),
        (reports.missing, "missed", "missing"),
    ):
        if day in days:
            return Cell(state, day, words)  # type: ignore[arg-type]  # each is a state
    if (one.withdrawn and day >= one.withdrawn) or one.locked:
        return Cell("none", day)
    return Cell("planned" if day >= today else "none", day, "opens today" if day == today else "")


def _session(one: Participant, study: Study, course: int, needs: Sequence[Need]) -> Cell:
    """Of a course that has begun."""
    held, (day, _) = one.sessions.get(course), dates.session_days(study.courses, one.starts[course - 1])
    need = _find(needs, "session", course) or _find(needs, "close_session", course)
    if need:
        words = "interrupted" if held else "not run" if need.kind == "close_session" else ""
        if need.is_overdue:
            return Cell("overdue", day, words)
        return Cell("due", day, ", ".join(filter(None, [words, need.at])))
    if held is None:
        return Cell("none") if one.is_over else Cell("planned", day)
    if held.status == "never_held":
        return Cell("missed", dates.parse_day(held.day), "not run")
    words = {"completed": "", "aborted": "ended early", "failed": "interrupted"}[held.status]
    return Cell("stopped" if words else "done", dates.parse_day(held.day), words)


def _find(needs: Sequence[Need], kind: str, course: int) -> Need | None:
    return next((need for need in needs if need.kind == kind and need.course == course), None)
