"""Everybody on one screen: where each participant is, what comes next, and what is due or overdue.

Nothing here tells the drug: no kit, no place in a block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Literal

from msgspec import Struct
from rich.text import Text

from experiment.record.finding import count_in_words
from experiment.study import dates
from experiment.study.admission import objections, unrecorded_doses
from experiment.study.clock import clock_trouble
from experiment.study.events import Begun
from experiment.study.participant import Participant
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Study


class Urgency(IntEnum):
    """Who comes first on the screen."""

    overdue = 0
    due = 1
    waiting = 2  # for somebody to decide: consent, or the start of a course
    upcoming = 3
    done = 4
    withdrawn = 5


STYLES = {
    Urgency.overdue: "red",
    Urgency.due: "bold",
    Urgency.waiting: "yellow",
    Urgency.upcoming: "",
    Urgency.done: "green",
    Urgency.withdrawn: "dim",
}
DONE, WASHOUT = "done", "washout"
Kind = Literal["consent", "start", "session", "dose", "report", "record_doses", "close_session"]
BY_THE_CLOCK: tuple[Kind, ...] = ("session", "dose", "report")
HEADER = ("subject", "stratum", "urgency", "now", "next", "notes")


class Need(Struct, frozen=True):
    """Something to be done for a participant today; `text` says it in a table.

    `course`: 1 or 2, which is the session's number too; 0 before the first. `at`: the time of day by the clock of the
    participant's site (HH:MM); "" where there is none. `is_overdue`: it should have been done before today. `against`:
    why the gate asks for a reason before it lets this session begin; "" if it does not.

    By `kind`: `consent` and `start` (of a course) wait for somebody to decide. `session`, `dose` and `report` are
    today's; a `session` that is overdue needs an override. `record_doses`: of days before today. `close_session`: the
    course is over without it, so it is to be recorded as not run.
    """

    kind: Kind
    text: str
    course: int = 0
    at: str = ""
    is_overdue: bool = False
    against: str = ""


class ReportsIn(Struct, frozen=True):
    """Of which days a participant's daily reports came (`dates`), and how they stand in a few words.

    `due`: can be given now, and are not in; `missing`: can no more. Of those that came, `alike`: one answer
    throughout; `fast`: sent in less than the plausible time.
    """

    dates: frozenset[date] = frozenset()
    note: str = ""
    due: frozenset[date] = frozenset()
    missing: frozenset[date] = frozenset()
    alike: frozenset[date] = frozenset()
    fast: frozenset[date] = frozenset()


NO_REPORTS = ReportsIn()
NOBODY: Mapping[str, ReportsIn] = MappingProxyType({})


class StatusRow(Struct, frozen=True):
    """A participant's line. `upcoming`: the date of what comes next, if it has one; `needs`: all that is for today."""

    subject: str
    stratum: str
    urgency: Urgency
    now: str
    next: str
    notes: str
    upcoming: date | None = None
    needs: tuple[Need, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands under `HEADER`."""
        return (self.subject, self.stratum, self.urgency.name, self.now, self.next, self.notes)


def rows(
    people: Iterable[Participant], study: Study, moment: datetime, reports: Mapping[str, ReportsIn] = NOBODY
) -> list[StatusRow]:
    """Everybody's line at a moment of which the zone is known, the most urgent first; `reports`: by participant."""
    theirs = ((one, study.at(one.stratum)) for one in people)
    lines = [
        _row(one, there, dates.today(there, moment), reports.get(one.subject, NO_REPORTS)) for one, there in theirs
    ]
    return sorted(lines, key=lambda row: (row.urgency, row.upcoming or date.max, row.subject))


def only_due(lines: Iterable[StatusRow]) -> list[StatusRow]:
    """Those for whom there is something to do today, or to decide."""
    return [row for row in lines if row.urgency <= Urgency.waiting]


def summary(lines: Sequence[StatusRow], study: Study, moment: datetime) -> str:
    """How many there are of each, and which day it is by the study's clock."""
    counts = Counter(row.urgency for row in lines)
    day = f"{dates.in_words(dates.today(study, moment))} ({study.clock.zone})"
    people = count_in_words(len(lines), "participant")
    return f"{day}: " + ", ".join([people, *(f"{counts[one]} {one.name}" for one in Urgency if counts[one])])


def seals(told: Snapshot, moment: datetime, problems: int) -> Iterator[str]:
    """Whose keys the study has, its anchor, and what does not fit: `problems` between register and data, the clock."""
    begun = told.entries[0].act
    if isinstance(begun, Begun):
        yield f"Sealed for the key holder {begun.unblinder} and the pharmacy {begun.pharmacy}."
    yield f"Anchor of all {len(told.entries)} entries: {told.anchor}"
    if problems:
        yield f"Register and data: {count_in_words(problems, 'problem')} found. See `dayfour study verify`."
    if not told.locked_at and (trouble := clock_trouble(told.entries, moment)):
        yield trouble


def table(lines: Sequence[StatusRow]) -> Text:
    """The lines in columns, coloured by urgency. Rich's own tables take seconds for thousands of lines."""
    widths = [max(map(len, column)) for column in zip(HEADER, *(row.cells for row in lines), strict=True)]
    text = Text(_columns(HEADER, widths), "underline")
    text.stylize("not underline", 0, 0)
    for row in lines:
        text.append(f"\n{_columns(row.cells, widths)}", STYLES[row.urgency])
    return text


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _row(one: Participant, study: Study, today: date, reports: ReportsIn) -> StatusRow:
    needs = needs_today(one, study, today, reports.dates)
    now, upcoming = _standing(one, study, today)
    notes = ", ".join(filter(None, [*_notes(one), reports.note]))
    urgency = _urgency(one, needs, now)
    if urgency is Urgency.due:
        upcoming = today
    return StatusRow(one.subject, one.stratum, urgency, now, _next(needs, now, upcoming), notes, upcoming, needs)


def needs_today(one: Participant, study: Study, today: date, reported: Collection[date] = ()) -> tuple[Need, ...]:
    """All of it, overdue first and then in the order of a day's importance; nothing once the participant left.

    `study`: as the participant's site has it (`Study.at`), `today`: the date there. `reported`: dates of which the
    daily report is in.
    """
    if one.is_over:
        return ()
    return (*_overdue(one, study, today), *_now(one, study, today, reported))


def _overdue(one: Participant, study: Study, today: date) -> Iterator[Need]:
    for course, start in enumerate(one.starts, start=1):
        _, latest = dates.session_days(study.courses, start)
        if today > latest and not one.is_held(course):
            text = f"session {course} was due {dates.short(latest)}"
            if today > dates.last(study.courses, start):
                yield Need("close_session", f"{text}: record that it did not take place", course, is_overdue=True)
            else:
                yield Need(
                    "session", text, course, study.clock.session, is_overdue=True,
                    against=objections(one, study, course, today),
                )  # fmt: skip
    if unrecorded := unrecorded_doses(one, study, today):
        text = f"record doses of {', '.join(dates.short(day) for day in unrecorded)}"
        yield Need("record_doses", text, len(one.starts), is_overdue=True)


def _now(one: Participant, study: Study, today: date, reported: Collection[date]) -> Iterator[Need]:
    course = len(one.starts)
    if not course:
        yield Need("start", "start of course 1", 1) if one.consented else Need("consent", "informed consent")
    elif today <= dates.last(study.courses, one.starts[-1]):
        yield from _in_course(one, study, today, reported)
    elif course == 1 and today >= (earliest := dates.earliest_second(study.courses, one.starts[0])):
        yield Need("start", f"start of course 2, since {dates.short(earliest)}", 2)


def _in_course(one: Participant, study: Study, today: date, reported: Collection[date]) -> Iterator[Need]:
    clock, course = study.clock, len(one.starts)
    first, latest = dates.session_days(study.courses, one.starts[-1])
    if first <= today <= latest and not one.is_held(course):
        until = f", until {dates.short(latest)}" if latest > today else ""
        against = objections(one, study, course, today)
        yield Need("session", f"session {course} {clock.session}{until}", course, clock.session, against=against)
    if today >= one.starts[-1]:
        if today not in one.doses:
            yield Need("dose", f"dose {clock.dose}", course, clock.dose)
        if today not in reported:
            yield Need("report", f"report {clock.report}", course, clock.report)


def _urgency(one: Participant, needs: Sequence[Need], now: str) -> Urgency:
    if one.withdrawn:
        return Urgency.withdrawn
    if any(need.is_overdue for need in needs):
        return Urgency.overdue
    if needs:
        return Urgency.due if any(need.kind in BY_THE_CLOCK for need in needs) else Urgency.waiting
    return Urgency.done if now == DONE else Urgency.upcoming


def _standing(one: Participant, study: Study, today: date) -> tuple[str, date | None]:
    """Where the participant is now, and the date by which they stand among others of the same urgency."""
    course = len(one.starts)
    if one.withdrawn:
        return f"withdrew {dates.short(one.withdrawn)}", None
    if course == 0:
        return ("consented" if one.consented else "enrolled"), None
    day = dates.number(one.starts[-1], today)
    if day <= study.courses.days:
        return f"course {course}, day {day}", one.starts[-1]
    if course == 2:
        return DONE, None
    earliest = dates.earliest_second(study.courses, one.starts[0])
    return (WASHOUT if today < earliest else "washout over"), earliest


def _next(needs: Sequence[Need], now: str, upcoming: date | None) -> str:
    """What is needed in a line: overdue, then today's; else when course 2 may begin."""
    due = [need.text for need in needs if not need.is_overdue and need.kind in BY_THE_CLOCK]
    parts = [need.text for need in needs if need.is_overdue or need.kind not in BY_THE_CLOCK]
    parts += ["today " + ", ".join(due)] if due else []
    if now == WASHOUT and upcoming:
        parts.append(f"start of course 2, {dates.short(upcoming)} or later")
    return "; ".join(parts)


def _notes(one: Participant) -> Iterator[str]:
    """What somebody should know beforehand."""
    if one.unblinded:
        yield f"UNBLINDED ({one.unblinded})"
    for course, held in sorted(one.sessions.items()):
        if held.status != "completed":
            yield f"session {course} {held.status.replace('_', ' ')}"
    if missed := sum(not taken for taken in one.doses.values()):
        yield f"{count_in_words(missed, 'dose')} missed"
    if count := len(one.overrides):
        yield count_in_words(count, "override")
