"""Everybody on one screen: where each participant is, what comes next, and what is due or overdue.

Nothing here tells the drug: no kit, no place in a block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import IntEnum
from types import MappingProxyType

from msgspec import Struct
from rich.text import Text

from experiment.record.finding import count_in_words
from experiment.study import dates
from experiment.study.clock import clock_trouble
from experiment.study.events import Begun
from experiment.study.needs import BY_THE_CLOCK, Need, needs_today
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
HEADER = ("subject", "stratum", "urgency", "now", "next", "notes")


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
        yield f"{missed} doses missed" if missed > 1 else "1 dose missed"
    if count := len(one.overrides):
        yield count_in_words(count, "override")
