"""The register told in words: every act with its number, when it was recorded and by whom; never which drug."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import UnsetType
from rich.table import Table

from experiment.design.visit import Visit, subject_name
from experiment.study import events
from experiment.study.snapshot import Snapshot


class HistoryRow(NamedTuple):
    """An entry as it is listed: its number, when it was recorded (in the study's zone), by whom, and what."""

    entry: int
    recorded: str
    by: str
    what: str
    taken_back_by: int | None


def rows(told: Snapshot, subject: str | None = None) -> Iterator[HistoryRow]:
    """A row for each entry, or for those about one participant."""
    zone, numbered = ZoneInfo(told.study.clock.zone), list(enumerate(told.entries, start=1))
    own = {number for number, entry in numbered if subject in {None, getattr(entry.act, "subject", None)}}
    for number, entry in numbered:
        if number in own or (isinstance(entry.act, events.Corrected) and entry.act.entry in own):
            at, mended = entry.moment.astimezone(zone), told.taken_back.get(number)
            yield HistoryRow(number, f"{at:%Y-%m-%d %H:%M}", entry.who, describe(entry.act), mended)


def table(listed: Iterable[HistoryRow]) -> Table:
    """The rows in columns; what was taken back is struck through."""
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Entry", "Recorded", "By"):
        shown.add_column(column, no_wrap=True)
    shown.add_column("What")
    for row in listed:
        by = f" (taken back by entry {row.taken_back_by})" if row.taken_back_by else ""
        shown.add_row(
            str(row.entry), row.recorded, row.by, row.what + by, style="strike dim" if row.taken_back_by else ""
        )
    return shown


def describe(act: events.Act) -> str:  # noqa: PLR0911 - one line for each kind of act
    """An act in a sentence."""
    match act:
        case events.Begun(plan=plan, unblinder=unblinder, pharmacy=pharmacy):
            return f"The study began: {plan.name}. Sealed for the key holder {unblinder} and the pharmacy {pharmacy}."
        case events.Screened(subject=subject, day=day, outcome=outcome, reason=reason):
            why = f": {reason}" if reason else ""
            return f"{subject_name(subject)} was screened on {day}: {outcome.replace('_', ' ')}{why}."
        case events.Enrolled(subject=subject, stratum=stratum, kits=kits, day=day, elsewhere=why):
            given = f"kit {kits[0]} in course 1, kit {kits[1]} in course 2"
            there = f" elsewhere on {day}" if day else ""
            return f"{subject_name(subject)} was enrolled{there} in {stratum}: {given}.{_because(why)}"
        case events.Consented(subject=subject, day=day, version=version, dated_back=why):
            return f"{subject_name(subject)} consented on {day} to version {version}.{_because(why)}"
        case events.CourseStarted(subject=subject, course=course, day=day, kit=kit, dated_back=why):
            return f"{subject_name(subject)} began course {course} on {day} with kit {kit}.{_because(why)}"
        case events.Dosed(subject=subject, day=day, taken=taken):
            return f"{subject_name(subject)} {'took' if taken else 'missed'} the dose of {day}."
        case events.SessionHeld(subject=subject, session=session, status="never_held"):
            return f"{subject_name(subject)}: session {session} did not take place."
        case events.SessionHeld(subject=subject, session=session, day=day, status=status, elsewhere=why):
            where = " elsewhere" if why else ""
            return f"{subject_name(subject)}: session {session} took place{where} on {day} ({status})."
        case _:
            return _told_of_rules(act)


def _because(why: str | UnsetType) -> str:
    return f" Dated back: {why}" if why else ""


def _told_of_rules(act: events.Act) -> str:  # noqa: PLR0911 - the same
    """The same for acts that are no turn of a course."""
    match act:
        case events.Overridden(subject=subject, session=session, refused=refused, reason=reason):
            return f"{subject_name(subject)}: session {session} was run despite: {refused} Reason: {reason}"
        case events.BegunAgain(subject=subject, session=session, reason=reason):
            return f"{Visit(subject, session)} was started again, since no message was shown. Reason: {reason}"
        case events.Withdrew(subject=subject, reason=reason, day=day):
            return f"{subject_name(subject)} left the study{f' on {day}' if day else ''}. Reason: {reason}"
        case events.Corrected(entry=entry, reason=reason):
            return f"Entry {entry} was taken back. Reason: {reason}"
        case events.Answered(kind=kind, subject=subject, reason=reason):
            return f"{subject_name(subject) if subject else 'The study'}: the finding {kind} was resolved: {reason}"
        case events.Locked(sessions=sessions):
            return f"The study was locked, with {sessions} sessions."
        case events.Unblinded(subject=subject, reason=reason):
            return f"{subject_name(subject) + ' was' if subject else 'All were'} unblinded. Reason: {reason}"
        case events.ClockConfirmed(found=found, reason=reason):
            return f"The clock was confirmed, {found}. Reason: {reason}"
        case events.Recovered(torn_bytes=torn_bytes):
            return f"An incomplete line from a crash was removed ({torn_bytes} bytes)."
        case _:
            raise ValueError(f"Expected an act, found {type(act).__name__}.")
