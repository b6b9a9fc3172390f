"""The log of daily reports: a frozen type for each kind of event, a line of it; and what all of them say. Pure.

A report is about a `date` where the participant is (ISO 8601); which course and day that is stands in the register and
is never stored here. Answers are points from 1, by the item's id; null for an item that was left out. No event has a
name, an address, a drug or a link.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import Literal

from msgspec import Struct

from experiment.design.daily import Daily, DailyItem
from experiment.errors import BadInput
from experiment.storage.chained_log import ChainedLog
from experiment.study import dates

SCHEMA = 1
Answers = Mapping[str, int | None]
Source = Literal["page", "import"]
Key = tuple[str, date]
"""The participant, and the date that a report is about."""


class Asked(Struct, frozen=True, tag_field="event", tag="asked"):
    """From now on, these questions are asked at these hours."""

    schema: int
    daily: Daily


class Linked(Struct, frozen=True, tag_field="event", tag="linked"):
    """A participant got a secret link, which replaces an earlier one; kept is only the digest of its secret."""

    subject: str
    token_sha256: str


class Revoked(Struct, frozen=True, tag_field="event", tag="revoked"):
    """A participant's link is valid no more."""

    subject: str


class Opened(Struct, frozen=True, tag_field="event", tag="opened"):
    """The page of a report was shown; `form` is its random name."""

    subject: str
    date: str
    form: str


class Sent(Struct, frozen=True, tag_field="event", tag="sent"):
    """A report was sent from the page `form`; one that was sent before is corrected by it.

    `phone_offset_min`: of the phone's clock to UTC, as it says itself; null without JavaScript.
    """

    subject: str
    date: str
    form: str
    answers: Answers
    phone_offset_min: int | None


class Imported(Struct, frozen=True, tag_field="event", tag="imported"):
    """A report came from another program's file; `opened` (null if it is not there) and `submitted` are UTC."""

    subject: str
    date: str
    opened: str | None
    submitted: str
    answers: Answers
    file: str


class Reminded(Struct, frozen=True, tag_field="event", tag="reminded"):
    """A reminder of the report about this date was mailed, or (`failed`) could not be."""

    subject: str
    date: str
    failed: bool = False


Event = Asked | Linked | Revoked | Opened | Sent | Imported | Reminded


class LogLine(Struct, frozen=True):
    """An event with its moment (ISO 8601, UTC, by the server's clock)."""

    utc: str
    event: Event

    @property
    def moment(self) -> datetime:
        """When it was."""
        return datetime.fromisoformat(self.utc)


Journal = ChainedLog[LogLine]


def journal(data: Path) -> Journal:
    """The log of a data set's daily reports."""
    return ChainedLog(data / "sourcedata" / "daily" / "reports.jsonl", LogLine)


def entry(moment: datetime, event: Event) -> LogLine:
    """The event at this moment, of which the zone is known."""
    return LogLine(dates.utc(moment), event)


class Report(Struct, frozen=True):
    """One sending. `opened`: when its page was shown, if that is known; both moments are aware."""

    subject: str
    date: date
    opened: datetime | None
    submitted: datetime
    answers: Answers
    source: Source
    form: str = ""


class Questions(Struct, frozen=True):
    """All `[daily]` sections that were in force, each with its first moment; the first holds for all before it too."""

    sections: tuple[tuple[datetime, Daily], ...]

    def at(self, moment: datetime) -> Daily:
        """The one in force at a moment."""
        return ([daily for since, daily in self.sections if since <= moment] or [self.sections[0][1]])[-1]

    @property
    def latest(self) -> Daily:
        """The one in force now."""
        return self.sections[-1][1]

    @property
    def items(self) -> tuple[DailyItem, ...]:
        """Every item that was ever asked, as it was asked last: those of today first."""
        every = [item for _, daily in reversed(self.sections) for item in daily.items]
        return tuple(
            {item.id: item for item in reversed(every)}[name] for name in dict.fromkeys(one.id for one in every)
        )


def asked_last(entries: Sequence[LogLine]) -> Daily | None:
    """The questions in force; None if reports have not begun."""
    return next((one.event.daily for one in reversed(entries) if isinstance(one.event, Asked)), None)


def asked(entries: Sequence[LogLine], daily: Daily, moment: datetime) -> list[LogLine]:
    """The line that says which questions are asked from now on, unless the log says so already."""
    return [] if asked_last(entries) == daily else [entry(moment, Asked(SCHEMA, daily))]


def questions(entries: Sequence[LogLine]) -> Questions:
    """All that was asked; BadInput if nothing was, or if another version of the program wrote the log."""
    told = [(one.moment, one.event) for one in entries if isinstance(one.event, Asked)]
    if not told:
        raise BadInput("No daily reports here yet: `dayfour reports serve` or `dayfour reports import` begins them.")
    if other := {event.schema for _, event in told} - {SCHEMA}:
        raise BadInput(f"The log of the daily reports has schema {min(other)}, and this version reads {SCHEMA}.")
    return Questions(tuple((since, event.daily) for since, event in told))


def digest(token: str) -> str:
    """What is kept of a link's secret."""
    return sha256(token.encode()).hexdigest()


def links(entries: Sequence[LogLine]) -> dict[str, str]:
    """The participant of each valid link, by the digest of its secret."""
    valid: dict[str, str] = {}
    for one in entries:
        match one.event:
            case Linked(subject=subject, token_sha256=token):
                valid[subject] = token
            case Revoked(subject=subject):
                valid.pop(subject, None)
            case _:
                pass
    return {token: subject for subject, token in valid.items()}


def opened_at(entries: Sequence[LogLine], subject: str, day: date, form: str) -> datetime | None:
    """When this page was shown; None if it never was."""
    page = Opened(subject, day.isoformat(), form)
    return next((one.moment for one in entries if one.event == page), None)


def sendings(entries: Sequence[LogLine]) -> dict[Key, list[Report]]:
    """All that was sent and imported about each day, in time; the last one counts."""
    shown: dict[Opened, datetime] = {}
    found: dict[Key, list[tuple[datetime, Report]]] = defaultdict(list)
    latest = datetime.min.replace(tzinfo=timezone.utc)
    for one in entries:
        latest = max(latest, one.moment)  # what was sent later is later, even if the clock was set back meanwhile
        match one.event:
            case Opened() as page:
                shown.setdefault(page, one.moment)
            case Sent() as sent:
                opened = shown.get(Opened(sent.subject, sent.date, sent.form))
                day = date.fromisoformat(sent.date)
                report = Report(sent.subject, day, opened, one.moment, sent.answers, "page", sent.form)
                found[sent.subject, day].append((latest, report))
            case Imported() as taken:
                opened = datetime.fromisoformat(taken.opened) if taken.opened else None
                submitted, day = datetime.fromisoformat(taken.submitted), date.fromisoformat(taken.date)
                report = Report(taken.subject, day, opened, submitted, taken.answers, "import")
                found[taken.subject, day].append((submitted, report))
            case _:
                pass
    return {key: [report for _, report in sorted(of, key=itemgetter(0))] for key, of in found.items()}


def reports_of(entries: Sequence[LogLine], subject: str) -> dict[date, list[Report]]:
    """The sendings about each day of one participant."""
    own = [one for one in entries if getattr(one.event, "subject", None) == subject]
    return {day: of for (_, day), of in sendings(own).items()}


def reminded(entries: Sequence[LogLine]) -> set[Key]:
    """Whom a reminder of which day was mailed."""
    last: Mapping[Key, bool] = {
        (one.event.subject, date.fromisoformat(one.event.date)): one.event.failed
        for one in entries
        if isinstance(one.event, Reminded)
    }
    return {key for key, failed in last.items() if not failed}
