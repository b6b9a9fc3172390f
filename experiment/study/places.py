"""Enrolled against planned, and kits, for each stratum: what is left. No kit's number, no place. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from experiment.study.events import Enrolled
from experiment.study.snapshot import Snapshot


class StratumCounts(Struct, frozen=True):
    """Places and kits of a stratum; `kits_set_aside`: of those who take part, not handed out yet.

    Who was allocated elsewhere, before the study was brought in, is among the enrolled and has no place or kit here.
    The place and the kits of an enrolment that was taken back are not given again: they are in no count but `places`.
    """

    stratum: str
    places: int
    enrolled: int
    withdrawn: int
    completed: int
    places_left: int
    kits_given: int
    kits_set_aside: int
    kits_left: int


def stratum_counts(told: Snapshot) -> Iterator[StratumCounts]:
    """Enrolled against planned, and kits, for each stratum."""
    acts = [entry.act for entry in told.entries]
    used = Counter(act.stratum for act in acts if isinstance(act, Enrolled) and act.place)
    for stratum in told.study.strata:
        own = [one for one in told.people.values() if one.stratum == stratum]
        here = [one for one in own if one.place]
        staying = [one for one in own if not one.withdrawn]
        left = told.study.participants - used[stratum]
        yield StratumCounts(
            stratum,
            told.study.participants,
            len(own),
            len(own) - len(staying),
            sum(all(one.is_held(session) for session in (1, 2)) for one in staying),
            left,
            sum(len(one.starts) for one in here),
            sum(2 - len(one.starts) for one in here if not one.withdrawn),
            2 * left,
        )
