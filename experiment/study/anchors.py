"""The anchors of sessions, and whether the records still lead to one that somebody wrote down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from experiment.design.visit import Visit, visit_of_file
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.storage.anchor import anchor_of, find_anchor
from experiment.storage.hash_chain import line_digests
from experiment.storage.read_file import read_file
from experiment.study.events import SessionHeld
from experiment.study.snapshot import Snapshot


class SessionAnchor(Struct, frozen=True):
    """A session's anchors: of the register with it, as on the paper form, and of its own log (None: not known)."""

    subject: str
    session: int
    day: str
    status: str
    register: str
    log: str | None


class AnchoredRecord(NamedTuple):
    """What an anchor stands for, in words; and the sessions before it whose logs are not those that were recorded."""

    words: str
    differing: tuple[Visit, ...] = ()


def find_record(anchor: str, told: Snapshot | None, data: DataSet, *, is_shared: bool = False) -> AnchoredRecord | None:
    """The record that leads to the anchor; None if none does any more. BadInput if somebody mistyped it.

    An anchor of the register holds for all its entries up to one, and for the logs of the sessions in them, whatever
    was said of these since. `is_shared`: sessions of other computers need not be in this data set.
    """
    if told and (number := find_anchor(anchor, told.digests)):
        entry = told.entries[number - 1]
        at = entry.moment.astimezone(ZoneInfo(told.study.clock.zone))
        words = f"the register up to entry {number}, recorded by {entry.who} on {at:%Y-%m-%d at %H:%M}"
        before = Snapshot(told.entries[:number])
        return AnchoredRecord(words, tuple(_differing(before, data, is_shared=is_shared)))
    for path in data.transcripts_of_all():
        if number := find_anchor(anchor, line_digests(read_file(path))):
            return AnchoredRecord(f"{visit_of_file(path) or path.name} up to line {number} of its log")
    find_anchor(anchor, ())
    return None


def _differing(told: Snapshot, data: DataSet, *, is_shared: bool) -> Iterator[Visit]:
    for visit, entry in told.sessions_held.items():
        digest = entry.act.last_line_sha256 if isinstance(entry.act, SessionHeld) else None
        if digest and not _has(data, visit, digest, is_shared=is_shared):
            yield visit


def _has(data: DataSet, visit: Visit, digest: str, *, is_shared: bool) -> bool:
    """Whether the visit's log has the line with this digest, also one that was set aside; or may be elsewhere."""
    try:
        own = data.transcript_of(visit)
        paths = [*([own] if own else []), *data.logs_set_aside(visit)]
        return any(digest in line_digests(read_file(path)) for path in paths) or (is_shared and not paths)
    except (BadInput, OSError):
        return False


def session_anchors(told: Snapshot) -> list[SessionAnchor]:
    """Of every session that took place, by participant and session."""
    numbers = {id(entry): number for number, entry in enumerate(told.entries)}
    return [
        SessionAnchor(
            visit.subject,
            visit.session,
            act.day,
            act.status,
            anchor_of(told.digests[numbers[id(entry)]]),
            anchor_of(act.last_line_sha256) if act.last_line_sha256 else None,
        )
        for visit, entry in sorted(told.sessions_held.items())
        if isinstance(act := entry.act, SessionHeld) and act.status != "never_held" and not act.elsewhere
    ]
