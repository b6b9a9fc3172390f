"""The appointments of a participant as calendar events (iCalendar, RFC 5545): for the lab, and for themselves.

Every event keeps its UID for good, so that a file which is imported again moves what it brought before: course 2 stands
in it first on the earliest days that the washout allows, as tentative, and moves when it starts; what will not take
place any more after a withdrawal is cancelled. No event tells the drug, the kit or what the study is about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Literal

from icalendar import Calendar, Event
from msgspec import Struct

from experiment.errors import BadInput
from experiment.storage.atomic_file import write_whole
from experiment.study import dates
from experiment.study.events import Entry
from experiment.study.participant import Participant
from experiment.study.study_file import Study

SHORT, SESSION = timedelta(minutes=15), timedelta(hours=1)  # how long an event is shown; nobody is held to it


Status = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]


class Appointment(Struct, frozen=True):
    """Something at a moment of the study's zone, or (`lasts` None) on a whole day."""

    uid: str
    summary: str
    begins: datetime | date
    lasts: timedelta | None
    status: Status


def appointments(one: Participant, study: Study, today: date) -> list[Appointment]:
    """The first day, every dose, daily report and session of the courses that run or are planned, in time."""
    study, courses = study.at(one.stratum), list(one.starts)
    if len(courses) == 1:  # not in the past, where it can no longer start
        courses.append(max(dates.earliest_second(study.courses, courses[0]), today))
    return [
        appointment
        for course, start in enumerate(courses, start=1)
        for appointment in _course(one, study, course, start)
    ]


def _course(one: Participant, study: Study, course: int, start: date) -> Iterator[Appointment]:
    clock, is_planned = study.clock, course > len(one.starts)

    def appointment(kind: str, text: str, begins: date, lasts: timedelta | None) -> Appointment:
        day = begins.date() if isinstance(begins, datetime) else begins
        is_cancelled = one.withdrawn is not None and day >= one.withdrawn
        status: Status = "CANCELLED" if is_cancelled else "TENTATIVE" if is_planned else "CONFIRMED"
        return Appointment(event_uid(study, one, f"{course}-{kind}"), f"{one.subject}: {text}", begins, lasts, status)

    yield appointment("start", f"course {course} begins" + " at the earliest" * is_planned, start, None)
    for number, day in enumerate(dates.all_days(study.courses, start), start=1):
        where = f"day {number} of course {course}"
        yield appointment(f"dose-{number}", f"dose, {where}", dates.at(study, day, clock.dose), SHORT)
        if number == study.courses.session_day:
            yield appointment("session", f"session {course}, {where}", dates.at(study, day, clock.session), SESSION)
        yield appointment(f"report-{number}", f"daily report, {where}", dates.at(study, day, clock.report), SHORT)


def event_uid(study: Study, one: Participant, what: str) -> str:
    """The same for good; the study only as a digest, since its name may tell what it is about."""
    return f"{sha256(study.name.encode()).hexdigest()[:16]}-{one.subject}-{what}@dayfour"


def ics(people: Iterable[Participant], study: Study, entries: Sequence[Entry], today: date) -> bytes:
    """The calendar file; as long as the register and the plan of course 2 stay the same, so does every byte.

    The number of entries is each event's SEQUENCE: calendars take the higher one for the newer.
    """
    shown = [one for participant in people for one in appointments(participant, study, today)]
    events = (calendar_event(one, entries[-1].moment, len(entries)) for one in shown)
    return calendar_file("-//Day Four//EN", events)


def calendar_file(product: str, events: Iterable[Event]) -> bytes:
    """The file of these events, which `product` made."""
    calendar = Calendar()
    for name, value in (("prodid", product), ("version", "2.0"), ("method", "PUBLISH")):
        calendar.add(name, value)
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def calendar_event(one: Appointment, written: datetime, sequence: int) -> Event:
    """The appointment as it was `written` at a moment in UTC; of two, the one with the higher `sequence` is newer."""
    event = Event()
    event.add("uid", one.uid)
    event.add("sequence", sequence)
    event.add("dtstamp", written)
    event.add("summary", one.summary)
    # An instant in UTC: no event recurs, so that no rules of a time zone are needed to find its time of day.
    event.add("dtstart", one.begins.astimezone(timezone.utc) if isinstance(one.begins, datetime) else one.begins)
    event.add("status", one.status)
    if one.lasts:
        event.add("duration", one.lasts)
    else:
        event.add("transp", "TRANSPARENT")  # a day on which something begins is not busy from end to end
    return event


def save(path: Path, people: Collection[Participant], entries: Sequence[Entry], study: Study, today: date) -> None:
    """The calendar file, whole; EquipmentFailure if it cannot be, BadInput if it would be empty or no calendar's."""
    if path.suffix.lower() != ".ics":
        raise BadInput(f"--out must end in .ics, so that no other file is overwritten (you wrote {path.name!r}).")
    if not any(one.starts for one in people):
        raise BadInput("There are no appointments yet: no course has started (`dayfour study start`).")
    write_whole(path, ics(people, study, entries, today))
