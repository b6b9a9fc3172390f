"""When a daily report may be given: what a page shows as open is what is accepted, on every hour, in every zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from experiment.design.daily import DailyWording
from experiment.errors import BadInput
from experiment.reports.log import reports_of
from experiment.reports.open_times import check_hours, open_windows, windows
from experiment.reports.replies import Asker, SentForm, home, received, send, show
from experiment.study.participant import Participant
from tests.daily_reports import DAILY, in_zone
from tests.registers import DAY, MONDAY, STUDY, noon, one, running, started, story

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiment.reports.log import LogLine

HOUR = timedelta(hours=1)
ANSWERS = {item.id: 1 for item in DAILY.items}
# Each with a day 1 from which the clocks change within course 1 or 2.
ZONES = {
    "Europe/Berlin": date(2026, 10, 23), "America/New_York": date(2026, 10, 30), "America/Santiago": date(2026, 9, 4),
    "Australia/Lord_Howe": date(2026, 10, 2), "Africa/Casablanca": date(2026, 2, 13), "Asia/Kolkata": MONDAY,
    "America/St_Johns": date(2026, 3, 6), "Pacific/Kiritimati": MONDAY, "Pacific/Pago_Pago": MONDAY,
    "Asia/Kathmandu": MONDAY, "Europe/London": date(2026, 3, 27), "UTC": MONDAY,
}  # fmt: skip


def person(zone: str, start: date) -> Participant:
    """Somebody with two courses, the second as early as the washout allows."""
    study = in_zone(zone)
    entries = story(*running(start), started(2, start + 14 * DAY), study=study)
    return one(entries)


def asker(who: Participant, zone: str, now: datetime) -> Asker:
    """The participant asks now."""
    return Asker(who, in_zone(zone), DAILY, now)


def expected(local: datetime, starts: tuple[date, ...], left: date | None) -> set[date]:
    """Which days are open, by the clock on the wall: from 18:00 to noon of the next day."""
    days = {start + number * DAY for start in starts for number in range(4)}
    candidates = {local.date()} if local.hour >= 18 else {local.date() - DAY} if local.hour < 12 else set()
    return {day for day in candidates & days if left is None}


def hours(start: date, zone: str) -> Iterator[datetime]:
    """Every hour from the day before course 1 to two days after course 2."""
    first = datetime.combine(start - DAY, datetime.min.time(), ZoneInfo(zone)).astimezone(timezone.utc)
    return (first + number * HOUR for number in range(21 * 24))


def is_taken(who: Participant, zone: str, day: date, now: datetime) -> bool:
    """Whether a report about this day, whose page nobody saw open, is accepted now."""
    reply = send(asker(who, zone, now), (), day, SentForm("none", ANSWERS, was_asked=True, phone_offset_min=None))
    return bool(reply.events)


def check_grid(zone: str, start: date) -> int:
    """Every hour of every day: expected, shown, offered and accepted are the same; how many hours were looked at."""
    who, count = person(zone, start), 0
    gone = replace(who, withdrawn=start + 2 * DAY)
    for now in hours(start, zone):
        local = now.astimezone(ZoneInfo(zone))
        for somebody in (who, gone):
            asks, days = asker(somebody, zone, now), {local.date() - number * DAY for number in range(3)}
            open_days = {window.date for window in asks.open()}
            assert open_days == expected(local, who.starts, somebody.withdrawn), (zone, local)
            assert {day for day in days if is_taken(somebody, zone, day, now)} == open_days
            assert {day for day in days if show(asks, (), day, "f", is_read=True).name == "form"} == open_days
            count += 1
    return count


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago"])
def test_what_is_shown_as_open_is_what_is_accepted(zone: str) -> None:
    """On every hour of two courses with a clock change and a washout, and after a withdrawal, page and answer agree."""
    assert check_grid(zone, ZONES[zone]) == 2 * 21 * 24


def test_what_was_begun_in_time_is_accepted_and_marked() -> None:
    """A page opened before the end may be sent 20 minutes after it; not after the grace, nor one never opened."""
    who, zone = person("UTC", MONDAY), "UTC"
    end = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
    shown = show(asker(who, zone, end - timedelta(minutes=1)), (), MONDAY, "f", is_read=True).events
    form = SentForm("f", ANSWERS, was_asked=True, phone_offset_min=None)
    after = {
        minutes: send(asker(who, zone, end + timedelta(minutes=minutes)), shown, MONDAY, form) for minutes in (20, 31)
    }
    assert [len(after[20].events), after[20].status, after[31].events, after[31].status] == [1, 303, (), 410]
    stranger = replace(form, form="g")
    assert send(asker(who, zone, end + timedelta(minutes=20)), shown, MONDAY, stranger).status == 410


@pytest.mark.parametrize(
    ("opened", "sent", "status"),
    [
        ("01:50", "01:59", "in_time"),
        ("01:59", "02:10", "grace"),
        ("02:01", "02:10", "late"),
        ("01:50", "02:31", "late"),
    ],
)
def test_a_report_counts_by_when_it_was_begun_and_sent(opened: str, sent: str, status: str) -> None:
    """In time before the close, within the grace if it was begun before, else late."""
    window = windows(person("UTC", MONDAY), in_zone("UTC"), DAILY)[0]
    moments = [
        datetime.combine(MONDAY + DAY, datetime.strptime(one, "%H:%M").time(), timezone.utc)  # noqa: DTZ007
        for one in (sent, opened)
    ]
    assert window.status(*moments) == status


def test_every_reports_deadline_is_what_the_page_says() -> None:
    """In every zone, the page names noon of the next day, and a second later nothing is offered."""
    for zone, start in ZONES.items():
        who, study = person(zone, start), in_zone(zone)
        for window in windows(who, study, DAILY):
            last = window.ends.astimezone(timezone.utc)
            (shown,) = open_windows(who, study, DAILY, last - timedelta(seconds=1))
            assert shown == window
            assert open_windows(who, study, DAILY, last) == ()
            words = show(asker(who, zone, window.opens), (), window.date, "f", is_read=True).values["until"]
            assert "12:00" in words
            assert f" {(window.date + DAY).day} " in words


def test_two_open_days_are_listed_apart() -> None:
    """Where yesterday's is open beyond the hour at which today's opens, the page offers both and guesses none."""
    daily = replace(DAILY, yesterday_until="20:00")
    who = person("UTC", MONDAY)
    asks = Asker(who, in_zone("UTC"), daily, datetime(2026, 11, 24, 19, tzinfo=timezone.utc))
    offered = home(asks, ()).values["offered"]
    assert [(one["heading"], one["date"]) for one in offered] == [
        ("Today \N{EN DASH} Tuesday 24 November, day 2", "2026-11-24"),
        ("Yesterday \N{EN DASH} Monday 23 November, day 1", "2026-11-23"),
    ]
    alone = replace(asks, now=datetime(2026, 11, 24, 21, tzinfo=timezone.utc))
    assert home(alone, ()).location == "2026-11-24"


def test_the_address_of_an_earlier_day_leads_to_what_is_open() -> None:
    """A phone that kept yesterday's page is told so, and offered today's report."""
    asks = asker(person("UTC", MONDAY), "UTC", datetime(2026, 11, 24, 20, tzinfo=timezone.utc))
    form = SentForm("f", ANSWERS, was_asked=True, phone_offset_min=None)
    for reply in (show(asks, (), MONDAY, "f", is_read=True), send(asks, (), MONDAY, form)):
        assert (reply.status, reply.values["text"]) == (410, DAILY.wording.too_late)
        assert [one["date"] for one in reply.values["offered"]] == ["2026-11-24"]


def test_the_morning_after_the_form_says_yesterday() -> None:
    """Once a report has closed, and may still be given late, its page says whose day it is."""
    who = person("UTC", MONDAY)
    headings = [
        show(asker(who, "UTC", datetime(2026, 11, 24, hour, tzinfo=timezone.utc)), (), MONDAY, "f", is_read=True)
        for hour in (1, 9)
    ]
    assert [reply.values["heading"] for reply in headings] == [
        "Today \N{EN DASH} Monday 23 November, day 1",
        "Yesterday \N{EN DASH} Monday 23 November, day 1",
    ]


def test_after_a_withdrawal_and_a_lock_nothing_is_open() -> None:
    """Who left, and whose study is locked, is offered nothing and no next day."""
    who, now = person("UTC", MONDAY), datetime(2026, 11, 23, 20, tzinfo=timezone.utc)
    for gone in (replace(who, withdrawn=MONDAY), replace(who, locked=True)):
        reply = home(asker(gone, "UTC", now), ())
        assert (reply.values["offered"], reply.values["coming"], reply.values["takes_part"]) == ([], None, False)


def sent(asks: Asker, entries: tuple[LogLine, ...], form: SentForm) -> tuple[LogLine, ...]:
    """The log after this sending."""
    return (*entries, *send(asks, entries, MONDAY, form).events)


def test_the_same_form_twice_is_one_report_and_another_corrects_it() -> None:
    """A retry adds no line; a changed answer, from this page or another one, is a correction, and all are kept."""
    asks = asker(person("UTC", MONDAY), "UTC", datetime(2026, 11, 23, 20, tzinfo=timezone.utc))
    form = SentForm("f", ANSWERS, was_asked=True, phone_offset_min=60)
    other = replace(form, answers=ANSWERS | {"calm": 5})
    entries = sent(asks, sent(asks, (), form), form)
    assert len(entries) == 1
    entries = sent(asks, sent(asks, entries, other), replace(form, form="g"))
    reports = reports_of(entries, "DF001")[MONDAY]
    assert [one.answers["calm"] for one in reports] == [1, 5, 1]


def test_a_clock_that_is_set_back_lets_no_earlier_report_count() -> None:
    """A correction is the last one, though the server's clock was an hour ahead when the first was sent."""
    early, right = (
        asker(person("UTC", MONDAY), "UTC", datetime(2026, 11, 23, hour, tzinfo=timezone.utc)) for hour in (21, 20)
    )
    form = SentForm("f", ANSWERS, was_asked=True, phone_offset_min=60)
    entries = sent(right, sent(early, (), form), replace(form, answers=ANSWERS | {"calm": 5}))
    assert [one.answers["calm"] for one in reports_of(entries, "DF001")[MONDAY]] == [1, 5]


def test_thanks_are_said_only_for_what_is_in_the_log() -> None:
    """The page of thanks sends back whoever has sent nothing."""
    asks = asker(person("UTC", MONDAY), "UTC", datetime(2026, 11, 23, 20, tzinfo=timezone.utc))
    form = SentForm("f", ANSWERS, was_asked=True, phone_offset_min=None)
    assert received(asks, (), MONDAY).location == ""
    assert received(asks, sent(asks, (), form), MONDAY).name == "received"


def test_a_reminder_lies_within_the_hours() -> None:
    """A study that reminds before the report opens is refused with the hours."""
    check_hours(STUDY, DAILY)
    early = replace(STUDY, clock=replace(STUDY.clock, report="17:00"))
    with pytest.raises(BadInput, match="from 18:00 to 02:00"):
        check_hours(early, DAILY)


def test_wrong_words_and_hours_are_found_when_the_protocol_is_read() -> None:
    """Braces that cannot be filled, doubled or taken ids, and an end before the close are refused."""
    with pytest.raises(ValueError, match="nothing_open"):
        replace(DAILY.wording, nothing_open="{date}")
    with pytest.raises(ValueError, match="practice"):
        replace(DAILY.wording, practice="{day}")
    dated = replace(DAILY, wording=replace(DAILY.wording, today="Today, {date}"))
    assert Asker(person("UTC", MONDAY), STUDY, dated, noon(MONDAY)).heading(
        windows(person("UTC", MONDAY), STUDY, dated)[0]
    )
    with pytest.raises(ValueError, match="another column"):
        replace(DAILY, items=(replace(DAILY.items[0], id="lag"),))
    with pytest.raises(ValueError, match="not after 02:00"):
        replace(DAILY, yesterday_until="01:00")
    with pytest.raises(ValueError, match="give 2"):
        replace(DAILY.items[0], labels=("a", "b", "c"))
    assert isinstance(DAILY.wording, DailyWording)
    assert noon(MONDAY)
