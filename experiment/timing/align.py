"""Which edge that was seen outside belongs to which onset that was logged: by time, or by the pattern of times alone.

A device with a clock of its own counts from another moment and a little faster or slower. Reading times differ from
trial to trial, so the intervals between onsets are a pattern that fits at one place only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from statistics import linear_regression

from msgspec import Struct

from experiment.errors import BadInput

NEAR_S = 0.25  # of a shared clock: an edge so far from an onset is another one's
LEAST = 6  # a session of six messages has seven onsets; irregular as they are, six that fit by chance are unheard of
LEAST_SHARE = 0.8
ROUGH_S, FINE_S = 0.06, 0.03
DRIFT = 5e-4  # cheap quartz keeps 1e-4
FIRST = 12


class Match(Struct, frozen=True):
    """Pairs of an onset's and an edge's number; an onset lies at `offset_s + rate * onset` on the edges' clock."""

    pairs: tuple[tuple[int, int], ...]
    offset_s: float
    rate: float
    onsets_alone: tuple[int, ...]
    edges_alone: tuple[int, ...]

    def of_onset(self, time_s: float) -> float:
        """A logged time on the edges' clock."""
        return self.offset_s + self.rate * time_s


def by_time(onsets_s: Sequence[float], edges_s: Sequence[float], zero_s: float) -> Match:
    """Where both are on one clock, on which the onsets' zero is `zero_s`."""
    return _checked(_paired(onsets_s, edges_s, zero_s, 1.0, NEAR_S), onsets_s, edges_s)


def by_pattern(onsets_s: Sequence[float], edges_s: Sequence[float]) -> Match:
    """Where the edges' clock is another one: the offset and rate under which most onsets have an edge.

    BadInput where too few have, or where another offset fits nearly as well.
    """
    if len(onsets_s) < LEAST or len(edges_s) < LEAST:
        raise BadInput(
            f"Too few to compare: {len(onsets_s)} onsets in the transcript and {len(edges_s)} edges in the file; "
            f"{LEAST} of each are needed. Check the sensor's place and threshold."
        )
    drift_s = ROUGH_S / 2 + DRIFT * (onsets_s[-1] - onsets_s[0])
    tries = sorted({round(edge_s - onset_s, 3) for onset_s in _some(onsets_s) for edge_s in edges_s})
    counts = {offset_s: _count(onsets_s, edges_s, offset_s, min(drift_s, ROUGH_S * 2)) for offset_s in tries}
    best_s = max(counts, key=lambda offset_s: counts[offset_s])
    rivals = [count for offset_s, count in counts.items() if abs(offset_s - best_s) > NEAR_S]
    match = _paired(onsets_s, edges_s, best_s, 1.0, ROUGH_S * 2)
    for near_s in (ROUGH_S, FINE_S):
        match = _paired(onsets_s, edges_s, *_fitted(match, onsets_s, edges_s), near_s)
    _checked(match, onsets_s, edges_s)
    if max(rivals, default=0) > 0.9 * len(match.pairs):
        raise BadInput(
            "The file fits the transcript in more than one place, so trials cannot be matched. Measure "
            "again with --photodiode-run, whose times are irregular."
        )
    return match


def _some(onsets_s: Sequence[float]) -> Sequence[float]:
    """A few onsets over the whole session: one of them has an edge, even if the capture began late."""
    step = max(1, len(onsets_s) // FIRST)
    return onsets_s[::step]


def _count(onsets_s: Sequence[float], edges_s: Sequence[float], offset_s: float, near_s: float) -> int:
    return sum(_nearest(edges_s, onset_s + offset_s, near_s) is not None for onset_s in onsets_s)


def _nearest(edges_s: Sequence[float], at_s: float, near_s: float) -> int | None:
    """The number of the edge that is nearest to a time, if it is near; edges are in the order of time."""
    place = bisect_left(edges_s, at_s)
    near = [one for one in (place - 1, place) if 0 <= one < len(edges_s)]
    best = min(near, key=lambda one: abs(edges_s[one] - at_s), default=None)
    return best if best is not None and abs(edges_s[best] - at_s) <= near_s else None


def _paired(onsets_s: Sequence[float], edges_s: Sequence[float], offset_s: float, rate: float, near_s: float) -> Match:
    """Each onset with its nearest edge; an edge belongs to the nearest onset only."""
    pairs: dict[int, int] = {}
    for onset, onset_s in enumerate(onsets_s):
        at_s = offset_s + rate * onset_s
        edge = _nearest(edges_s, at_s, near_s)
        if edge is None:
            continue
        rival = next((one for one, taken in pairs.items() if taken == edge), None) if edge in pairs.values() else None
        if rival is not None:
            if abs(offset_s + rate * onsets_s[rival] - edges_s[edge]) <= abs(at_s - edges_s[edge]):
                continue
            del pairs[rival]
        pairs[onset] = edge
    taken = set(pairs.values())
    return Match(
        tuple(pairs.items()),
        offset_s,
        rate,
        tuple(one for one in range(len(onsets_s)) if one not in pairs),
        tuple(one for one in range(len(edges_s)) if one not in taken),
    )


def _fitted(match: Match, onsets_s: Sequence[float], edges_s: Sequence[float]) -> tuple[float, float]:
    """Offset and rate by least squares."""
    xs, ys = [onsets_s[one] for one, _ in match.pairs], [edges_s[one] for _, one in match.pairs]
    if len(xs) < 2:
        return match.offset_s, match.rate
    rate, offset_s = linear_regression(xs, ys)
    return offset_s, rate


def _checked(match: Match, onsets_s: Sequence[float], edges_s: Sequence[float]) -> Match:
    if abs(match.rate - 1) > DRIFT or len(match.pairs) < max(1, LEAST_SHARE * len(onsets_s)):
        raise BadInput(
            f"The two records do not belong together: {len(match.pairs)} of {len(onsets_s)} onsets of the transcript "
            f"have an edge among {len(edges_s)}. Check that both are of the same session, that the sensor stayed on "
            "the square, and its threshold."
        )
    return match
