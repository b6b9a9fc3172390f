"""A participant's own reminders for their phone's calendar (RFC 5545): an alarm and their link for each report.

The reminder that needs no server, no vendor and no address. Every event keeps its UID, so a file that is imported again
after course 2 has begun adds its days and doubles nothing.
"""

from __future__ import annotations

from datetime import timedelta, timezone

from icalendar import Alarm, Calendar, Event

from experiment.reports.open_times import windows
from experiment.reports.replies import Asker
from experiment.reports.words import said
from experiment.study.calendar import event_uid

LASTS = timedelta(minutes=10)


def own_calendar(asker: Asker, link: str) -> bytes:
    """The calendar's file, with the reports of the courses that have begun; those after a withdrawal are left out."""
    calendar, days = Calendar(), windows(asker.one, asker.study, asker.daily)
    for name, value in (("prodid", "-//Daily report//EN"), ("version", "2.0"), ("method", "PUBLISH")):
        calendar.add(name, value)
    for window in days:
        event, alarm = Event(), Alarm()
        title = f"{asker.daily.wording.title}: {said(asker.daily, 'about', on=window.date, day=window.day)}"
        event.add("uid", event_uid(asker.study, asker.one, f"{window.course}-own-report-{window.day}"))
        event.add("dtstamp", asker.now.astimezone(timezone.utc))
        event.add("summary", title)
        event.add("dtstart", window.reminder.astimezone(timezone.utc))
        event.add("duration", LASTS)
        event.add("url", link)
        event.add("description", link)
        alarm.add("action", "DISPLAY")
        alarm.add("description", title)
        alarm.add("trigger", timedelta())
        event.add_component(alarm)
        calendar.add_component(event)
    return bytes(calendar.to_ical())
