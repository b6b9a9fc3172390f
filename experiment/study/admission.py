"""The gate: which session may be run today, so that the calendar, the pills and the person agree.

Some refusals nobody at the door can lift: without consent, after withdrawal, under lock, with a wrong clock, or where
there is no course or session left. Others are the study's rules about days, doses and blindness; a session that is run
against them needs a reason and initials, and the register keeps both. Such an override is valid until its day ends, for
a session that is interrupted and resumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from experiment.errors import BadInput
from experiment.study import dates as days
from experiment.study.clock import clock_trouble
from experiment.study.participant import Participant
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Study


class Refused(BadInput):
    """No session now: `why`, with the right date. `session`: the one that an override would allow; None if none can."""

    def __init__(self, why: str, session: int | None = None) -> None:
        self.why, self.session = why, session
        advice = (
            "Ask the person who leads the study. To run it anyway, give your initials and --override-study 'REASON'."
        )
        super().__init__(why if session is None else f"{why}\n{advice}")


def session_now(told: Snapshot, subject: str, moment: datetime, asked: int | None = None) -> int:
    """The session to run at this moment by the computer's clock, as the register has it; Refused as below.

    Nobody at the door can lift what is said against the clock, since the day decides which session it is.
    """
    if trouble := clock_trouble(told.entries, moment):
        raise Refused(trouble)
    one = told.participant(subject)
    there = told.study.at(one.stratum)
    return session_of(one, there, days.today(there, moment), asked)


def session_of(participant: Participant, study: Study, today: date, asked: int | None = None) -> int:
    """The session to run today, 1 or 2; Refused with the reason and the right date.

    `today`: the date where the study is (`days.today`). `asked`: the session that the assistant named, if any.
    """
    _check_takes_part(participant, today)
    session = _next_session(participant, study, asked)
    why = objections(participant, study, session, today)
    if why and not any(one.day == today and one.refused == why for one in participant.overrides):
        raise Refused(why, session)
    return session


def objections(participant: Participant, study: Study, session: int, today: date) -> str:
    """What the rules about days, doses and blindness say against this session today, a line each; "" if nothing."""
    return "\n".join(_objections(participant, study, session, today))


def unrecorded_doses(participant: Participant, study: Study, before: date) -> tuple[date, ...]:
    """The days before this one of which the register does not know whether the dose was taken."""
    return tuple(
        day
        for start in participant.starts
        for day in days.all_days(study.courses, start)
        if day < before and day not in participant.doses
    )


def _check_takes_part(one: Participant, today: date) -> None:
    if one.locked:
        raise Refused("The study is locked. No more sessions can be run.")
    if one.withdrawn:
        raise Refused(f"{one.name} left the study on {days.in_words(one.withdrawn)}. Check the ID.")
    if one.consented is None or one.consented > today:
        raise Refused(
            f"Informed consent of {one.name} is not recorded. A session cannot run without it. When the form is "
            f"signed, run `dayfour study consent --subject {one.subject}`."
        )


def _next_session(one: Participant, study: Study, asked: int | None) -> int:
    """The session of the course that started last; Refused if there is none, or it is not the one that is meant."""
    course, session_day = len(one.starts), study.courses.session_day
    if course == 0:
        raise Refused(
            f"Course 1 of {one.name} has not started; the session is on its day {session_day}. After the first dose, "
            f"run `dayfour study start --subject {one.subject} --course 1`."
        )
    if one.is_held(course):
        raise Refused(f"{one.past(course)} {_what_follows(one, study, course)}")
    if asked not in (None, course):
        day, _ = days.session_days(study.courses, one.starts[course - 1])
        raise Refused(
            f"{one.name} is in course {course}, and its session is session {course}, on {days.in_words(day)}, not "
            f"session {asked}. {_what_follows(one, study, course)}"
        )
    return course


def _what_follows(one: Participant, study: Study, course: int) -> str:
    if course == 2:
        return "It is the last session."
    earliest = days.earliest_second(study.courses, one.starts[0])
    return (
        f"Session 2 is on day {study.courses.session_day} of course 2, which has not started: the washout lets it "
        f"start on {days.in_words(earliest)} or later."
    )


def _objections(one: Participant, study: Study, session: int, today: date) -> Iterator[str]:
    """What speaks against the day, with the right one; then what the doses and the blindness say."""
    courses, start = study.courses, one.starts[session - 1]
    first, latest = days.session_days(courses, start)
    its_day = f"day {courses.session_day}, {days.in_words(first)}"
    now = f"Today, {days.in_words(today)}, is {_place(study, session, start, today)} of {one.name}"
    if today < first:
        yield f"{now}; the session is on {its_day}."
    elif today > latest:
        until = f", or until {days.in_words(latest)}" if latest > first else ""
        follows = f" {_what_follows(one, study, session)}" if session == 1 else ""
        yield f"{now}, too late for session {session}: that was on {its_day}{until}.{follows}"
    dates = days.all_days(courses, start)
    if missed := [str(days.number(start, day)) for day in dates if one.doses.get(day) is False]:
        yield f"{one.name} missed the dose of day {' and '.join(missed)} of course {session}."
    if one.unblinded:
        yield f"{one.name} was unblinded in an emergency ({one.unblinded})."


def _place(study: Study, course: int, start: date, today: date) -> str:
    if today < start:
        return f"before course {course}"
    if today <= days.last(study.courses, start):
        return f"day {days.number(start, today)} of course {course}"
    return "in the washout after course 1" if course == 1 else f"after course {course}"
