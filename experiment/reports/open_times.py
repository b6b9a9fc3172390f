"""When a report may be given: one rule says what is shown as open and what is accepted. Pure.

Days and hours are those of the participant's site, on both sides of a change to summer or winter time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from experiment.design.daily import Daily
from experiment.errors import BadInput
from experiment.study import dates
from experiment.study.participant import Participant
from experiment.study.study_file import Study

Status = Literal["in_time", "grace", "late", "missing"]


class ReportWindow(Struct, frozen=True):
    """When the report about a day of a course may be given.

    In time from `opens` to before `closes`; late before `ends`; what was begun before an end, for `grace` after it.
    `reminder`: when the study reminds of it. All moments have the zone of the participant's site.
    """

    course: int
    day: int
    date: date
    reminder: datetime
    opens: datetime
    closes: datetime
    ends: datetime
    grace: timedelta

    def is_open(self, now: datetime) -> bool:
        """Whether the page is offered."""
        return self.opens <= now < self.ends

    def accepts(self, now: datetime, opened: datetime | None) -> bool:
        """Whether a report is taken whose page was shown at `opened` (None if nobody knows)."""
        begun = opened is not None and self.opens <= opened < self.ends
        return self.is_open(now) or (begun and self.ends <= now < self.ends + self.grace)

    def is_over(self, now: datetime) -> bool:
        """Whether no report can come any more."""
        return now >= self.ends + self.grace

    def status(self, submitted: datetime, opened: datetime | None) -> Status:
        """How a report that was accepted counts."""
        if submitted < self.closes:
            return "in_time"
        begun = opened is not None and opened < self.closes
        return "grace" if begun and submitted < self.closes + self.grace else "late"


def windows(one: Participant, study: Study, daily: Daily, *, also_withdrawn: bool = False) -> tuple[ReportWindow, ...]:
    """Of all days of the courses that have begun, in time; none from a withdrawal on, unless `also_withdrawn`."""
    there = study.at(one.stratum)
    return tuple(
        _window(there, daily, course, number, day)
        for course, start in enumerate(one.starts, start=1)
        for number, day in enumerate(dates.all_days(there.courses, start), start=1)
        if also_withdrawn or one.withdrawn is None or day < one.withdrawn
    )


def open_windows(one: Participant, study: Study, daily: Daily, now: datetime) -> tuple[ReportWindow, ...]:
    """Whose reports are offered now, the latest day first; none after a withdrawal or the study's lock."""
    found = () if one.is_over else reversed(windows(one, study, daily))
    return tuple(window for window in found if window.is_open(now))


def next_window(one: Participant, study: Study, daily: Daily, now: datetime) -> ReportWindow | None:
    """The one that opens next, if any does."""
    found = () if one.is_over else windows(one, study, daily)
    return next((window for window in found if now < window.opens), None)


def check_hours(study: Study, daily: Daily) -> None:
    """BadInput unless each site reminds of a report while it is open."""
    for stratum in study.strata:
        report = study.at(stratum).clock.report
        after = report >= daily.opens
        if not (after and (daily.closes_next_day or report < daily.closes)):
            hours = f"from {daily.opens} to {daily.closes}"
            raise BadInput(
                f"The study reminds of the daily report at {report} ({stratum}), but the protocol's [daily] opens it "
                f"{hours}. Change `opens` or `closes` there."
            )


def _window(there: Study, daily: Daily, course: int, number: int, day: date) -> ReportWindow:
    following = day + dates.DAY
    closes = dates.at(there, following if daily.closes_next_day else day, daily.closes)
    ends = closes if daily.yesterday_until is None else dates.at(there, following, daily.yesterday_until)
    return ReportWindow(
        course,
        number,
        day,
        dates.at(there, day, there.clock.report),
        dates.at(there, day, daily.opens),
        closes,
        ends,
        timedelta(minutes=daily.grace_min),
    )


def among(found: Sequence[ReportWindow], day: date) -> ReportWindow | None:
    """The one about this day."""
    return next((window for window in found if window.date == day), None)
