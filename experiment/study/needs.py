"""What a participant needs today, by the register: one answer for status, desk, and the coordinator's page. Pure.

`status.rows` gives it for everybody, in `StatusRow.needs`. Whether messages are ready is not the register's to know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Literal

from msgspec import Struct

from experiment.study import dates
from experiment.study.admission import objections, unrecorded_doses
from experiment.study.participant import Participant
from experiment.study.study_file import Study

Kind = Literal["consent", "start", "session", "dose", "report", "record_doses", "close_session"]
BY_THE_CLOCK: tuple[Kind, ...] = ("session", "dose", "report")


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
