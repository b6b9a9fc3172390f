"""The calendar file: every appointment at its time on the study's clocks, and moved when it is read again."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from icalendar import Calendar
from msgspec.structs import replace

from experiment.study import calendar
from experiment.study import dates as days
from experiment.study import events as acts
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Study
from tests.registers import (
    DAY,
    MONDAY,
    STUDY,
    consented,
    dates,
    enrolled,
    kits,
    one,
    running,
    started,
    story,
    studies,
)

SECOND = MONDAY + 14 * DAY
Events = dict[str, Any]


def events(entries: list[acts.Entry], today: date) -> Events:
    """The file's events by what comes after the participant in their UID, as another program reads them."""
    study = Snapshot(entries).study
    read = Calendar.from_ical(calendar.ics(Snapshot(entries).people.values(), study, entries, today))
    assert read.errors == []
    found = list(read.walk("VEVENT"))
    by_uid = {str(event["uid"]).partition("-")[2]: event for event in found}
    assert len(by_uid) == len(found)
    return by_uid


def test_a_whole_study_is_in_the_file() -> None:
    """Both courses have a first day, four doses, four reports and a session on day 4, at the study's times."""
    found = events(story(*running(), started(2, SECOND)), SECOND)
    assert len(found) == 2 * (1 + 4 + 4 + 1)
    assert found["DF001-1-session@dayfour"].start.isoformat() == "2026-11-26T13:00:00+00:00"
    assert found["DF001-1-dose-2@dayfour"].start.isoformat() == "2026-11-24T07:00:00+00:00"
    assert found["DF001-2-report-4@dayfour"].start.isoformat() == "2026-12-10T19:00:00+00:00"
    assert found["DF001-2-start@dayfour"].start == SECOND
    assert {str(event["status"]) for event in found.values()} == {"CONFIRMED"}
    assert str(found["DF001-1-session@dayfour"]["summary"]) == "DF001: session 1, day 4 of course 1"


def test_a_site_elsewhere_has_appointments_by_its_own_clock() -> None:
    """Its doses are at its own time of day in its own zone."""
    there = replace(STUDY.clock, zone="America/New_York", dose="07:00")
    entries = story(*running(), study=replace(STUDY, sites={"north": there}))
    assert events(entries, MONDAY)["DF001-1-dose-2@dayfour"].start.isoformat() == "2026-11-24T12:00:00+00:00"


def test_who_has_not_started_has_no_appointments() -> None:
    """Before course 1 starts there is nothing to plan from, and the file is a calendar without events."""
    assert events(story(enrolled(), consented()), MONDAY) == {}


def test_course_two_is_planned_and_then_moves() -> None:
    """Course 2 stands tentatively on its earliest days, not in the past, and its start moves the same events."""
    before = events(story(*running()), MONDAY)
    later = events(story(*running()), SECOND + 2 * DAY)
    after = events(story(*running(), started(2, SECOND + 5 * DAY)), SECOND + 5 * DAY)
    assert set(before) == set(later) == set(after)
    session = "DF001-2-session@dayfour"
    assert [str(one[session]["status"]) for one in (before, later, after)] == ["TENTATIVE", "TENTATIVE", "CONFIRMED"]
    begins = [one[session].start.date() for one in (before, later, after)]
    assert begins == [SECOND + 3 * DAY, SECOND + 5 * DAY, SECOND + 8 * DAY]
    assert "at the earliest" in str(before["DF001-2-start@dayfour"]["summary"])
    assert after[session]["sequence"] > before[session]["sequence"]


def test_what_will_not_take_place_is_cancelled() -> None:
    """From the day of a withdrawal on, all events are cancelled, with the same UIDs, so that calendars drop them."""
    before = events(story(*running()), MONDAY)
    after = events(story(*running(), (MONDAY + 2 * DAY, acts.Withdrew("DF001", "moved"))), MONDAY + 2 * DAY)
    assert set(before) == set(after)
    kept = {uid for uid, event in after.items() if str(event["status"]) == "CONFIRMED"}
    begun = ("1-start", "1-dose-1", "1-report-1", "1-dose-2", "1-report-2")
    assert kept == {f"DF001-{what}@dayfour" for what in begun}
    assert {str(event["status"]) for uid, event in after.items() if uid not in kept} == {"CANCELLED"}


def test_everybody_can_be_in_one_file() -> None:
    """The events of several participants stand beside each other, by their IDs."""
    told = (*running(), enrolled("DF002", 2), consented("DF002"), started(1, MONDAY, "DF002", 2))
    found = events(story(*told), MONDAY)
    assert len(found) == 2 * 20
    assert {uid.partition("-")[0] for uid in found} == {"DF001", "DF002"}


def test_the_file_tells_nothing_that_unblinds(tmp_path: Path) -> None:
    """No kit, treatment, place or name of the study stands in the file, which lands on phones."""
    entries = story(*running(), started(2, SECOND))
    path = tmp_path / "calendars" / "DF001.ics"
    calendar.save(path, [one(entries)], entries, STUDY, SECOND)
    text = path.read_text(encoding="utf-8").replace("\r\n ", "")
    assert "SUMMARY:DF001: dose\\, day 1 of course 1" in text
    words = (*kits(), *STUDY.treatments, *STUDY.name.split(), STUDY.strata[0])
    assert [word for word in words if word != "and" and word.casefold() in text.casefold()] == []


def test_the_same_register_gives_the_same_bytes() -> None:
    """Written again, the file is the same to the byte; lines end and fold as the standard wants."""
    entries = story(*running())
    first, again = (calendar.ics([one(entries)], STUDY, entries, MONDAY) for _ in range(2))
    assert first == again
    assert all(len(line) <= 75 and b"\n" not in line for line in first.split(b"\r\n"))


@pytest.mark.parametrize(
    ("day", "clock_time", "there"),
    [
        (date(2026, 3, 29), "02:30", "2026-03-29T03:30:00+02:00"),
        (date(2026, 3, 28), "08:00", "2026-03-28T08:00:00+01:00"),
        (date(2026, 3, 29), "08:00", "2026-03-29T08:00:00+02:00"),
        (date(2026, 10, 25), "02:30", "2026-10-25T02:30:00+02:00"),
        (date(2026, 10, 25), "08:00", "2026-10-25T08:00:00+01:00"),
    ],
)
def test_changes_of_the_clocks(day: date, clock_time: str, there: str) -> None:
    """Eight is eight on both sides; a skipped time is as much later, a doubled one is the first (RFC 5545, 3.3.5)."""
    assert days.at(STUDY, day, clock_time).isoformat() == there


@given(studies(), dates)
def test_every_dose_is_at_its_time_on_the_wall(study: Study, start: date) -> None:
    """In every zone, on every day, what another program reads is the study's time of day, unless the clocks skip it."""
    entries = story(enrolled(day=start), consented(day=start), started(1, start), study=study)
    found = events(entries, start)
    zone = ZoneInfo(study.clock.zone)
    for day_number in range(1, study.courses.days + 1):
        day = start + timedelta(days=day_number - 1)
        hours, minutes = map(int, study.clock.dose.split(":"))
        read = found[f"DF001-1-dose-{day_number}@dayfour"].start.astimezone(zone)
        if _exists(zone, datetime(day.year, day.month, day.day, hours, minutes)):  # noqa: DTZ001 - the wall's clock
            assert (read.date(), read.hour, read.minute) == (day, hours, minutes)
        else:
            assert read.date() == day
            assert (read.hour, read.minute) > (hours, minutes)
    session = found["DF001-1-session@dayfour"].start.astimezone(zone)
    assert session.date() == start + timedelta(days=study.courses.session_day - 1)


def _exists(zone: ZoneInfo, wall: datetime) -> bool:
    """Whether the clocks of the zone ever show this."""
    return any(
        instant.astimezone(zone).replace(tzinfo=None) == wall
        for quarter in range(-14 * 4, 14 * 4 + 1)
        for instant in [wall.replace(tzinfo=timezone.utc) + timedelta(minutes=15 * quarter)]
    )


def test_a_study_renamed_is_another_calendar() -> None:
    """The UIDs of two studies differ, also for participants of the same ID."""
    other = replace(STUDY, name="Another one")
    first, second = (story(*running(), study=study) for study in (STUDY, other))
    uids = [
        {appointment.uid for appointment in calendar.appointments(one(entries), study, MONDAY)}
        for entries, study in ((first, STUDY), (second, other))
    ]
    assert not uids[0] & uids[1]
