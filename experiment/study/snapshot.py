"""The study's register as it was read at one moment: read once, then handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from experiment.storage.anchor import anchor_of
from experiment.study.clock import moment_of
from experiment.study.events import Entry, Locked
from experiment.study.participant import Participant
from experiment.study.participants import get_participant, read_participants, study_of
from experiment.study.study_file import Study


@dataclass(frozen=True)
class Snapshot:
    """All acts, oldest first, each with the digest of its line; `size_bytes`: of the file then."""

    entries: tuple[Entry, ...]
    digests: tuple[str, ...] = ()
    size_bytes: int = 0

    @cached_property
    def study(self) -> Study:
        """The study as it was set up."""
        return study_of(self.entries)

    @cached_property
    def people(self) -> Mapping[str, Participant]:
        """Everybody by subject; BadInput names the first entry that cannot stand where it does."""
        return read_participants(self.study, self.entries)

    @property
    def locked_at(self) -> datetime | None:
        """When the study was locked: what was missing then is missing, and nothing changes any more."""
        return next((datetime.fromisoformat(one.utc) for one in self.entries if isinstance(one.act, Locked)), None)

    def as_of(self, now: datetime) -> datetime:
        """The moment for which the study is shown: now, or that of its lock; of a simulated one, its last entry's."""
        return self.locked_at or moment_of(self.entries, now)

    @property
    def anchor(self) -> str:
        """The anchor of the whole register, and by the digests in it of every session that it knows."""
        return anchor_of(self.digests[-1])

    def participant(self, subject: str) -> Participant:
        """The participant; BadInput suggests similar IDs if nobody of this one is enrolled."""
        return get_participant(self.people, subject)
