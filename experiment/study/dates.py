"""The study's days: which date it is there, when a course's appointments are, and how a date is said. Pure.

A time of day is meant as the clock on the wall has it, on both sides of a change to summer or winter time. A time that
the clocks skip is taken with the offset from before the change, and so lies as much later as they skip; one that they
show twice is its first occurrence. Source: RFC 5545, section 3.3.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from babel.dates import format_date

from experiment.errors import BadInput
from experiment.record.events import parse_utc
from experiment.study.study_file import Courses, Study

DAY = timedelta(days=1)


def today(study: Study, moment: datetime) -> date:
    """The date where the study is, at a moment of which the zone is known; ValueError if it is not."""
    if moment.tzinfo is None:
        raise ValueError("Expected a moment with its time zone")
    return moment.astimezone(ZoneInfo(study.clock.zone)).date()


def day_of(study: Study, utc: str) -> date:
    """The date where the study is, at a moment as the register has it (ISO 8601)."""
    moment = parse_utc(utc)
    return today(study, moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))


def utc(moment: datetime) -> str:
    """The moment as the register and logs have it: ISO 8601, in UTC, to the millisecond."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def at(study: Study, day: date, clock_time: str) -> datetime:
    """The moment at which the study's clocks show this day and time (HH:MM), in the study's zone."""
    zone = ZoneInfo(study.clock.zone)
    meant = datetime.combine(day, time.fromisoformat(clock_time), zone)
    return meant.astimezone(timezone.utc).astimezone(zone)  # out of the hour that the clocks skip, if it was in there


def number(start: date, day: date) -> int:
    """Which day of the course it is that began on `start`: 1 is the day of the first dose."""
    return (day - start).days + 1


def nth(start: date, day_number: int) -> date:
    """The date of a day of the course."""
    return start + (day_number - 1) * DAY


def all_days(courses: Courses, start: date) -> Iterator[date]:
    """The dates of a course."""
    return (nth(start, day_number) for day_number in range(1, courses.days + 1))


def last(courses: Courses, start: date) -> date:
    """The course's last date."""
    return nth(start, courses.days)


def session_days(courses: Courses, start: date) -> tuple[date, date]:
    """The date of the course's session, and the last one on which it may be held."""
    day = nth(start, courses.session_day)
    return day, day + courses.tolerance_days * DAY


def earliest_second(courses: Courses, first_start: date) -> date:
    """The first date on which course 2 may begin: there are `washout_days` whole days between the courses."""
    return last(courses, first_start) + (courses.washout_days + 1) * DAY


def in_words(day: date) -> str:
    """Such as `Wednesday 26 November 2025`: whatever language the computer speaks."""
    return format_date(day, "EEEE d MMMM y", locale="en")


def short(day: date) -> str:
    """Such as `Wed 26 Nov`."""
    return format_date(day, "EEE d MMM", locale="en")


def parse_day(text: str) -> date:
    """The date that somebody typed; BadInput unless it is YYYY-MM-DD."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # newer versions of Python read other forms too
        raise BadInput(f"Please write the day as YYYY-MM-DD, e.g. 2025-11-26 (you wrote {text!r}).")
    return day
