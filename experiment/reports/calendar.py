"""A participant's own reminders for their phone's calendar (RFC 5545): an alarm and their link for each report.

The reminder that needs no server, no vendor and no address. Every event keeps its UID, so a file that is imported again
after course 2 has begun adds its days and doubles nothing.
"""

from __future__ import annotations

from datetime import timedelta, timezone

from icalendar import Alarm, Event

from experiment.reports.open_times import ReportWindow, windows
from experiment.reports.replies import Asker
from experiment.reports.words import said
from experiment.study.calendar import Appointment, calendar_event, calendar_file, event_uid

LASTS = timedelta(minutes=10)


def own_calendar(asker: Asker, link: str) -> bytes:
    """The calendar's file, with the reports of the courses that have begun; those after a withdrawal are left out."""
    days = windows(asker.one, asker.study, asker.daily)
    return calendar_file("-//Daily report//EN", (_event(asker, window, link) for window in days))


def _event(asker: Asker, window: ReportWindow, link: str) -> Event:
    title = f"{asker.daily.wording.title}: {said(asker.daily, 'about', on=window.date, day=window.day)}"
    uid = event_uid(asker.study, asker.one, f"{window.course}-own-report-{window.day}")
    one = Appointment(uid, title, window.reminder, LASTS, "CONFIRMED")
    event, alarm = calendar_event(one, asker.now.astimezone(timezone.utc), sequence=0), Alarm()
    for name in ("url", "description"):
        event.add(name, link)
    for name, value in (("action", "DISPLAY"), ("description", title), ("trigger", timedelta())):
        alarm.add(name, value)
    event.add_component(alarm)
    return event
