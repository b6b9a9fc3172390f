"""What a request is answered: which page, and which lines of the log come with it. Pure.

The same windows decide what is shown as open and what is accepted. No page holds an answer that was given before, but
for the one that was sent just now with some items left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from experiment.design.daily import Daily
from experiment.reports.log import Answers, LogLine, Opened, Sent, entry, opened_at, reports_of
from experiment.reports.open_times import ReportWindow, among, next_window, open_windows, windows
from experiment.reports.words import said
from experiment.study.participant import Participant
from experiment.study.study_file import Study

MAX_OFFSET_MIN = 24 * 60


class Reply(Struct, frozen=True):
    """A page of the template with its values; or the way to another, behind the link; or a calendar's `file`."""

    name: str = ""
    status: int = 200
    values: Mapping[str, Any] = {}
    location: str | None = None
    file: bytes | None = None
    events: tuple[LogLine, ...] = ()


class Asker(Struct, frozen=True):
    """Who asks and when: the participant of the link, the study, what is asked, and the server's moment."""

    one: Participant
    study: Study
    daily: Daily
    now: datetime

    def open(self) -> tuple[ReportWindow, ...]:
        """What is open now, the latest day first."""
        return open_windows(self.one, self.study, self.daily, self.now)

    def heading(self, window: ReportWindow) -> str:
        """Which day a report is about, in words. Until its close a report is today's, also after midnight."""
        which = "today" if self.now < window.closes else "yesterday"
        about = said(self.daily, "about", on=window.date, day=window.day)
        return f"{said(self.daily, which, on=window.date)} \N{EN DASH} {about}"

    def until(self, window: ReportWindow) -> str:
        """The end of a report's time, in words."""
        return said(self.daily, "open_until", at=window.ends)


class SentForm(Struct, frozen=True):
    """What a page sent: answers by item, and whether it had asked for those that are left out."""

    form: str
    answers: Answers
    was_asked: bool
    phone_offset_min: int | None


def read_form(daily: Daily, fields: Mapping[str, str]) -> SentForm:
    """The form in the fields of a request; what is no point of an item's scale is left out."""
    answers = {item.id: _point(fields.get(f"item_{item.id}", ""), item.points) for item in daily.items}
    offset = fields.get("offset", "")
    minutes = int(offset) if offset.removeprefix("-").isdecimal() and len(offset) < 6 else None
    known = minutes if minutes is not None and abs(minutes) <= MAX_OFFSET_MIN else None
    return SentForm(fields.get("form", "")[:32], answers, "asked" in fields, known)


def home(asker: Asker, entries: Sequence[LogLine]) -> Reply:
    """What is open: the form of a day that stands alone, else each day apart, so that nobody guesses which it is."""
    given, opened = reports_of(entries, asker.one.subject), asker.open()
    if len(opened) == 1 and opened[0].date not in given:
        return Reply(status=303, location=opened[0].date.isoformat())
    return _offer(asker, entries, None if opened else asker.daily.wording.nothing_open)


def show(asker: Asker, entries: Sequence[LogLine], day: date, form: str, *, is_read: bool) -> Reply:
    """The form of a day that is open; that it was shown is recorded, if somebody reads it (no mere HEAD request)."""
    window = among(asker.open(), day)
    if window is None:
        return _closed(asker, entries)
    event = entry(asker.now, Opened(asker.one.subject, day.isoformat(), form))
    return _form(asker, window, form, events=(event,) if is_read else ())


def send(asker: Asker, entries: Sequence[LogLine], day: date, form: SentForm) -> Reply:
    """Thanks for a report that was accepted and is among `events`, or was sent in the same words before."""
    subject = asker.one.subject
    opened = opened_at(entries, subject, day, form.form)
    window = among(windows(asker.one, asker.study, asker.daily), day)
    if window is None or asker.one.is_over or not window.accepts(asker.now, opened):
        return _closed(asker, entries)
    if not form.was_asked and None in form.answers.values():
        return _form(asker, window, form.form, form.answers, status=422)
    location = f"{day.isoformat()}/received"
    before = [one for one in reports_of(entries, subject).get(day, ()) if one.form == form.form]
    if before and before[-1].answers == form.answers:
        return Reply(status=303, location=location)
    sent = Sent(subject, day.isoformat(), form.form, form.answers, form.phone_offset_min)
    return Reply(status=303, location=location, events=(entry(asker.now, sent),))


def received(asker: Asker, entries: Sequence[LogLine], day: date) -> Reply:
    """That the report of a day is there, as the log says; else the way to what is open."""
    window = among(windows(asker.one, asker.study, asker.daily), day)
    if window is None or day not in reports_of(entries, asker.one.subject):
        return Reply(status=303, location="")
    values = {
        "received": said(asker.daily, "received", on=day),
        "date": day.isoformat() if window.is_open(asker.now) else None,
        "coming": _coming(asker),
    }
    return Reply("received", values=values)


def practice(asker: Asker, form: SentForm | None = None) -> Reply:
    """The form as it will be, of which nothing is kept."""
    if form is None or (not form.was_asked and None in form.answers.values()):
        answers = form.answers if form else None
        text = said(asker.daily, "practice")
        return Reply(
            "form", 422 if form else 200, _items(asker.daily, answers) | {"heading": text, "until": "", "form": ""}
        )
    return Reply("message", values={"text": said(asker.daily, "practice_done")})


def _point(text: str, points: int) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= points else None


def _form(
    asker: Asker,
    window: ReportWindow,
    form: str,
    answers: Answers | None = None,
    status: int = 200,
    events: tuple[LogLine, ...] = (),
) -> Reply:
    values = _items(asker.daily, answers) | {
        "heading": asker.heading(window),
        "until": asker.until(window),
        "form": form,
    }
    return Reply("form", status, values, events=events)


def _items(daily: Daily, answers: Answers | None) -> dict[str, Any]:
    """The questions, with what was answered; `asked`: whether those left out are marked."""
    return {"items": daily.items, "answers": answers or {}, "asked": answers is not None}


def _closed(asker: Asker, entries: Sequence[LogLine]) -> Reply:
    """Too late, or too early, with what is open instead: a phone may have kept the address of an earlier day."""
    return _offer(asker, entries, asker.daily.wording.too_late, status=410)


def _offer(asker: Asker, entries: Sequence[LogLine], text: str | None, status: int = 200) -> Reply:
    given = reports_of(entries, asker.one.subject)
    offered = [
        {
            "date": window.date.isoformat(),
            "heading": asker.heading(window),
            "until": asker.until(window),
            "received": said(asker.daily, "received", on=window.date) if window.date in given else None,
        }
        for window in asker.open()
    ]
    values = {"text": text, "offered": offered, "coming": _coming(asker), "takes_part": not asker.one.is_over}
    return Reply("home", status, values)


def _coming(asker: Asker) -> str | None:
    """When the next report opens, in words."""
    window = next_window(asker.one, asker.study, asker.daily, asker.now)
    return said(asker.daily, "next_opens", at=window.opens) if window else None
