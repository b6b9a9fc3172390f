"""A time zone's rules for a calendar file: VTIMEZONE (RFC 5545, section 3.6.5), as the system's zones have them.

The library's own way to make one dates the spring's change by the clock after it and not before it, as the standard
asks, and so has it an hour late (icalendar 7.3.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from icalendar import Timezone

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def vtimezone(name: str, first: datetime, last: datetime) -> Timezone:
    """The rules of the zone with this name (IANA) from one moment to another; both are aware."""
    from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

    zone = ZoneInfo(name)
    rules = Timezone()
    rules.add("tzid", name)
    for moment in (first, *_changes(zone, first, last)):
        before, after = (moment - MINUTE).astimezone(zone), moment.astimezone(zone)
        rule = TimezoneDaylight() if after.dst() else TimezoneStandard()
        rule.add("dtstart", moment.astimezone(timezone.utc).replace(tzinfo=None) + (before.utcoffset() or timedelta()))
        rule.add("tzoffsetfrom", before.utcoffset())
        rule.add("tzoffsetto", after.utcoffset())
        rule.add("tzname", after.tzname())
        rules.add_component(rule)
    return rules


def _changes(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """The moments, to the minute, from which other rules hold; no zone has two on one day."""
    early = first.astimezone(timezone.utc).replace(second=0, microsecond=0)
    while early < last:
        late = early + DAY
        if _rule(zone, early) != _rule(zone, late):
            yield _change(zone, early, late)
        early = late


def _change(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """The first minute with the rules of `late`, by halves."""
    was = _rule(zone, early)
    while late - early > MINUTE:
        middle = early + (late - early) // (2 * MINUTE) * MINUTE
        early, late = (middle, late) if _rule(zone, middle) == was else (early, middle)
    return late


def _rule(zone: ZoneInfo, moment: datetime) -> tuple[timedelta | None, str | None]:
    there = moment.astimezone(zone)
    return there.utcoffset(), there.tzname()
