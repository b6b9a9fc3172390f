"""Whether the records still lead to an anchor that somebody wrote down: those of the register, or of one session."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from experiment.design.visit import visit_of_file
from experiment.storage.anchor import find_anchor
from experiment.storage.hash_chain import line_digests
from experiment.study.snapshot import Snapshot


def find_record(anchor: str, told: Snapshot | None, transcripts: Iterable[Path]) -> str | None:
    """What the anchor stands for, in a sentence; None if no record leads to it. BadInput if somebody mistyped it.

    An anchor of the register holds for all its entries up to one, and through their digests for the sessions in them.
    """
    if told and (number := find_anchor(anchor, told.digests)):
        entry = told.entries[number - 1]
        at = datetime.fromisoformat(entry.utc).astimezone(ZoneInfo(told.study.clock.zone))
        return f"the register up to entry {number}, recorded by {entry.who} on {at:%Y-%m-%d at %H:%M}"
    for path in transcripts:
        if number := find_anchor(anchor, line_digests(path.read_bytes())):
            return f"{visit_of_file(path) or path.name} up to line {number} of its log"
    find_anchor(anchor, ())
    return None
