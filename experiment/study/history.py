"""The register told in words: every act with its number, when it was recorded and by whom; never which drug."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from experiment.study import acts, state

if TYPE_CHECKING:
    from rich.table import Table


def table(entries: Sequence[acts.Entry], subject: str | None = None) -> Table:
    """A line for each entry, or for those about one participant; what was taken back is struck through."""
    from rich.table import Table

    zone, taken_back = ZoneInfo(state.study_of(entries).clock.zone), state.corrected(entries)
    own = {number for number, entry in enumerate(entries, 1) if subject in {None, getattr(entry.act, "subject", None)}}
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Entry", "Recorded", "By"):
        shown.add_column(column, no_wrap=True)
    shown.add_column("What")
    for number, entry in enumerate(entries, start=1):
        if number in own or (isinstance(entry.act, acts.Corrected) and entry.act.entry in own):
            at = datetime.fromisoformat(entry.utc).astimezone(zone)
            style = "strike dim" if number in taken_back else ""
            by = f" (taken back by entry {taken_back[number]})" if number in taken_back else ""
            shown.add_row(str(number), f"{at:%Y-%m-%d %H:%M}", entry.who, told(entry.act) + by, style=style)
    return shown


def told(act: acts.Act) -> str:  # noqa: PLR0911 - one line for each kind of act
    """An act in a sentence."""
    match act:
        case acts.Begun(plan=plan):
            return f"The study began: {plan.name}."
        case acts.Enrolled(subject=subject, stratum=stratum, kits=kits):
            return f"sub-{subject} was enrolled in {stratum}: kit {kits[0]} in course 1, kit {kits[1]} in course 2."
        case acts.Consented(subject=subject, day=day, version=version):
            return f"sub-{subject} consented on {day} to version {version}."
        case acts.Started(subject=subject, course=course, day=day, kit=kit):
            return f"sub-{subject} began course {course} on {day} with kit {kit}."
        case acts.Dosed(subject=subject, day=day, taken=taken):
            return f"sub-{subject} {'took' if taken else 'missed'} the dose of {day}."
        case acts.SessionHeld(subject=subject, session=session, status="never_held"):
            return f"sub-{subject}: session {session} was never held."
        case acts.SessionHeld(subject=subject, session=session, day=day, status=status):
            return f"sub-{subject}: session {session} was held on {day} ({status})."
        case _:
            return _told_of_rules(act)


def _told_of_rules(act: acts.Act) -> str:  # noqa: PLR0911 - the same
    """The same for acts that are no turn of a course."""
    match act:
        case acts.Overridden(subject=subject, session=session, refused=refused, reason=reason):
            return f"sub-{subject}: session {session} was let in against: {refused} Reason: {reason}"
        case acts.Withdrew(subject=subject, reason=reason):
            return f"sub-{subject} left the study. Reason: {reason}"
        case acts.Corrected(entry=entry, reason=reason):
            return f"Entry {entry} was taken back. Reason: {reason}"
        case acts.Answered(kind=kind, subject=subject, reason=reason):
            return f"{f'sub-{subject}' if subject else 'The study'}: the finding {kind} was answered: {reason}"
        case acts.Locked(sessions=sessions):
            return f"The study was locked, with {sessions} sessions."
        case acts.Unblinded(subject=subject, reason=reason):
            return f"{f'sub-{subject} was' if subject else 'All were'} unblinded. Reason: {reason}"
        case acts.Recovered(torn_bytes=torn_bytes):
            return f"A line that a crash cut off was taken away ({torn_bytes} bytes)."
        case _:
            raise ValueError(f"Expected an act, found {type(act).__name__}.")
