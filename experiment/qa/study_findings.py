"""What only the sessions together show: computers, assistants, participants, missing sessions, another protocol.

Nothing here is told apart by drug, which no transcript knows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from experiment.design.thresholds import Thresholds
from experiment.design.visit import session_name
from experiment.qa.findings import KINDS, qa_finding, sort_findings
from experiment.qa.session_summary import SessionSummary, UnreadableSession
from experiment.record.events import parse_utc
from experiment.record.finding import Finding, name_first
from experiment.record.resume import WITHDREW

HABITS = ("alike", "skimmed", "unseen")
MAX_NAMED = 5
LATE = ("late", "standstill", "refresh", "unknown_frames", "unsynced")


class JudgedSession(Struct, frozen=True):
    """A session with what was found in it."""

    reading: SessionSummary | UnreadableSession
    findings: tuple[Finding, ...]

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to look at it."""
        return any(one.needs_person for one in self.findings)

    def has(self, *kinds: str) -> bool:
        """Whether a person has to look because of one of these."""
        return any(one.needs_person and one.kind in kinds for one in self.findings)


class SessionGroup(Struct, frozen=True):
    """The sessions on one computer or with one assistant, counted; `missed_share` of the refreshes at messages.

    `withdrew`: those of the aborted that ended because the participant wished it.
    """

    name: str
    sessions: int
    completed: int
    aborted: int
    withdrew: int
    died: int
    late_sessions: int
    missed_share: float | None
    keyboards: tuple[str, ...]


def group_findings(sessions: Iterable[JudgedSession], name_of: Callable[[SessionSummary], str]) -> list[SessionGroup]:
    """The groups by name, those with the most trouble first."""
    members: dict[str, list[JudgedSession]] = defaultdict(list)
    for one in sessions:
        if isinstance(one.reading, SessionSummary):
            members[name_of(one.reading)].append(one)
    groups = [_group(name, some) for name, some in members.items()]
    return sorted(groups, key=lambda group: (-(group.late_sessions + group.sessions - group.completed), group.name))


def _group(name: str, sessions: Sequence[JudgedSession]) -> SessionGroup:
    readings = [one.reading for one in sessions if isinstance(one.reading, SessionSummary)]
    endings = Counter(reading.ending for reading in readings)
    due = sum(reading.refreshes.due_watched for reading in readings)
    missed = sum(reading.refreshes.missed_watched for reading in readings)
    return SessionGroup(
        name=name,
        sessions=len(readings),
        completed=endings["completed"],
        aborted=endings["aborted"],
        withdrew=sum(reading.ending == "aborted" and reading.reason == WITHDREW for reading in readings),
        died=endings["died"] + endings["failed"],
        late_sessions=sum(one.has(*LATE) for one in sessions),
        missed_share=missed / due if due else None,
        keyboards=tuple(sorted({reading.screen.timed_by for reading in readings})),
    )


def study_findings(
    sessions: Sequence[JudgedSession], thresholds: Thresholds, today: datetime, answered: Collection[str] | None = None
) -> tuple[Finding, ...]:
    """What is wrong with more than one session, or with one that is not there.

    `answered`: who has answered the closing questions; None if the protocol has none.
    """
    readings = [one.reading for one in sessions if isinstance(one.reading, SessionSummary)]
    computers = group_findings(sessions, lambda reading: reading.computer)
    assistants = group_findings(sessions, lambda reading: reading.operator)
    by_subject: dict[str, list[JudgedSession]] = defaultdict(list)
    for one in sessions:
        by_subject[one.reading.subject].append(one)
    found = [
        *_computers(computers, thresholds),
        *_assistants(assistants, thresholds),
        *_protocols(readings),
        *_unjudged(readings),
    ]
    for subject, own in by_subject.items():
        found += [*_participant(subject, own), *_twice(subject, own)]
        if answered is not None and subject not in answered:
            found += _unasked(subject, [one.reading for one in own if isinstance(one.reading, SessionSummary)])
        found += _schedule(subject, [one.reading for one in own], thresholds, today)
    return sort_findings(found)


def _computers(groups: Iterable[SessionGroup], thresholds: Thresholds) -> Iterator[Finding]:
    for group in groups:
        if _is_affected(group.late_sessions, group.sessions, thresholds):
            text = f"{group.name}: screen problems in {group.late_sessions} of {group.sessions} sessions."
            yield qa_finding("computer", text, place=group.name)


def _assistants(groups: Iterable[SessionGroup], thresholds: Thresholds) -> Iterator[Finding]:
    for group in groups:
        lost = group.aborted - group.withdrew + group.died  # to withdraw is the participant's right
        if _is_affected(lost, group.sessions, thresholds):
            text = f"{group.name}: {lost} of {group.sessions} sessions were not completed."
            yield qa_finding("assistant", text, place=group.name)


def _is_affected(affected: int, sessions: int, thresholds: Thresholds) -> bool:
    return sessions >= thresholds.judged_sessions and affected / sessions > thresholds.affected_share


def _protocols(readings: Sequence[SessionSummary]) -> Iterator[Finding]:
    """Sessions with another protocol than most."""
    counts = Counter(reading.protocol_sha256 for reading in readings)
    usual = counts.most_common(1)[0][0] if counts else ""
    for reading in readings:
        if reading.protocol_sha256 != usual:
            text = f"Its digest begins {reading.protocol_sha256[:8]}; that of {counts[usual]} others {usual[:8]}."
            yield qa_finding("protocol", text, reading.subject, reading.session)


def _participant(subject: str, own: Sequence[JudgedSession]) -> Iterator[Finding]:
    """The same habit in every session of a participant who had several."""
    for kind in HABITS:
        if len(own) > 1 and all(one.has(kind) for one in own):
            yield qa_finding("participant", f"{KINDS[kind]}, in every one of {len(own)} sessions.", subject)


def _twice(subject: str, own: Iterable[JudgedSession]) -> Iterator[Finding]:
    """A session that was begun a second time, as under another task's name: only one of its logs can count."""
    logs = defaultdict[int, list[str]](list)
    for one in own:
        logs[one.reading.session].append(one.reading.path.name)
    for session, names in logs.items():
        if names[1:]:
            text = f"{' and '.join(names)}: decide which one counts and move the others out of the data folder."
            yield qa_finding("twice", text, subject, session)


def stray_findings(strays: Sequence[Path], root: Path) -> list[Finding]:
    """One for all that is named like data in the data set at `root` and is none."""
    if not strays:
        return []
    named = name_first([path.relative_to(root).as_posix() for path in strays], MAX_NAMED)
    text = f"Copies, hidden and misnamed files are not read: {named}. Delete them or correct their names."
    return [qa_finding("copies", text)]


def _unjudged(readings: Sequence[SessionSummary]) -> Iterator[Finding]:
    """Sessions of an earlier version, of which nobody knows how many words the messages have."""
    older = sum(bool(one.reading_times_s) and not one.has_words for one in readings)
    if older:
        text = f"{older} sessions were recorded by an earlier version, which did not count the messages' words."
        yield qa_finding("unjudged", text, needs_person=False)


def _unasked(subject: str, own: Iterable[SessionSummary]) -> Iterator[Finding]:
    """Whoever was in the last real session should have said which course they take for the drug's."""
    for one in own:
        if one.mode == "run" and one.session == one.sessions and one.ending == "completed":
            ask = f"Ask them soon: `dayfour funnel --subject {subject}`."
            yield qa_finding("unasked", f"{ask} If that is not possible, resolve this finding.", subject, one.session)


def _schedule(
    subject: str, own: Iterable[SessionSummary | UnreadableSession], thresholds: Thresholds, today: datetime
) -> Iterator[Finding]:
    """Missing sessions and the days between them; the dates of pilots and simulations mean nothing."""
    readings = sorted((one for one in own if isinstance(one, SessionSummary)), key=lambda one: one.session)
    there = {one.session for one in own}
    for missing in sorted(set(range(1, max(there))) - there):
        text = f"There is {session_name(max(there))} but not {session_name(missing)}."
        yield qa_finding("missing", text, subject, missing)
    real = [one for one in readings if one.mode == "run"]
    for before, after in pairwise(real):
        days = (start_of(after) - start_of(before)).days
        if days < thresholds.gap_minimum_days:
            text = (
                f"{days} days after {session_name(before.session)}; at least {thresholds.gap_minimum_days} are usual."
            )
            yield qa_finding("too_soon", text, subject, after.session)
    if (
        real
        and max(there) < real[-1].sessions
        and (days := (today - start_of(real[-1])).days) > thresholds.overdue_days
    ):
        text = f"{days} days since {session_name(real[-1].session)}, and no {session_name(real[-1].session + 1)}."
        yield qa_finding("missing", text, subject, real[-1].session + 1)


def start_of(reading: SessionSummary) -> datetime:
    """When the session began, with its time zone."""
    return parse_utc(reading.zero_utc)
