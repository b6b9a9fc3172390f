"""What can happen to daily reports: a frozen type for each kind of event, a line of the log.

A report is about a `date` where the participant is (ISO 8601); which course and day that is stands in the register and
is never stored here. Answers are points from 1, by the item's id; null for an item that was left out. No event has a
name, an address, a drug or a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from msgspec import Struct

from experiment.design.daily import Daily
from experiment.storage.chained_log import ChainedLog

SCHEMA = 1
Answers = Mapping[str, int | None]


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
    return LogLine(moment.astimezone(timezone.utc).isoformat(timespec="milliseconds"), event)
