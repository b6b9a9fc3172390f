"""When the screen was refreshed, and which refreshes passed without a flip: read from the transcript's `Refreshes`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from experiment.record.events import Event, Refreshes
from experiment.record.shown_scenes import WATCHED, ShownScene
from experiment.record.timeline import Attempt

Times = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Span = tuple[float, float]

KEPT = 50  # late flips of a session that are kept one by one


class LateFlip(Struct, frozen=True):
    """A flip that came late: when (the middle of the interval before it), after how long, and where in the session."""

    time_s: float
    length_s: float
    place: str
    watched: bool


class RefreshSummary(Struct, frozen=True):
    """The session's refreshes: how many were due and how many missed, in all and while a message or scale was there.

    `hz`: the rate at which they came. `late`: the longest waits, those at messages
    and scales before others, in the order of time. All zero, None and empty if no
    flips were recorded.
    """

    due: int = 0
    missed: int = 0
    due_watched: int = 0
    missed_watched: int = 0
    hz: float | None = None
    late: tuple[LateFlip, ...] = ()


def flips_s(events: Iterable[Event]) -> Times:
    """The time of every flip, in seconds since the clock zero of their attempt; empty if none was recorded."""
    flips = (
        event.first_s + np.cumsum((0, *event.intervals_us), dtype=np.int64) / 1e6
        for event in events
        if isinstance(event, Refreshes) and event.first_s is not None
    )
    return np.concatenate([np.empty(0), *flips])


def missed_refreshes(intervals_s: npt.ArrayLike, refresh_hz: float) -> Counts:
    """How many refreshes passed within each interval from flip to flip."""
    missed: Counts = np.maximum(np.rint(np.asarray(intervals_s) * refresh_hz) - 1, 0).astype(np.int64)
    return missed


def missed_within(flips: Times, refresh_hz: float, spans_s: Iterable[Span]) -> int:
    """How many refreshes passed without a flip in these spans of time.

    An interval is judged by its middle, since the flips' microseconds were rounded and the onsets were not.
    """
    middles_s, missed = (flips[1:] + flips[:-1]) / 2, missed_refreshes(np.diff(flips), refresh_hz)
    return int(sum(missed[(start_s < middles_s) & (middles_s < end_s)].sum() for start_s, end_s in spans_s))


def late_flips_s(attempt: Attempt) -> list[float]:
    """When a flip came after at least one missed refresh, on the clock of all attempts."""
    flips = flips_s(attempt.events)
    late = missed_refreshes(np.diff(flips), attempt.started.screen.refresh_hz) > 0
    return [float(one) for one in flips[1:][late] + attempt.later_s]


def summarise_refreshes(attempts: Iterable[Attempt], shown: Sequence[ShownScene]) -> RefreshSummary:
    """How well the screen kept pace over all attempts; `shown`: all that was on the screen in them."""
    parts = [_intervals(attempt) for attempt in attempts]
    middles_s, lengths_s, missed = (np.concatenate([part[index] for part in parts]) for index in range(3))
    if not lengths_s.size:
        return RefreshSummary()
    at = np.searchsorted([scene.start_s for scene in shown], middles_s, side="right") - 1
    is_watched = np.array([scene.kind in WATCHED for scene in shown])[at]
    late_ones = np.flatnonzero(missed)
    kept = late_ones[np.lexsort((lengths_s[late_ones], is_watched[late_ones]))[::-1][:KEPT]]
    late = [
        LateFlip(float(middles_s[one]), float(lengths_s[one]), shown[at[one]].place, bool(is_watched[one]))
        for one in sorted(kept)
    ]
    due = missed + 1
    return RefreshSummary(
        due=int(due.sum()),
        missed=int(missed.sum()),
        due_watched=int(due[is_watched].sum()),
        missed_watched=int(missed[is_watched].sum()),
        hz=round(1 / float(np.median(lengths_s)), 2),
        late=tuple(late),
    )


def _intervals(attempt: Attempt) -> tuple[Times, Times, Counts]:
    """From flip to flip: the middle of each interval, its length, and how many refreshes passed within."""
    flips = flips_s(attempt.events)
    lengths_s = np.diff(flips)
    middles_s = (flips[1:] + flips[:-1]) / 2 + attempt.later_s
    return middles_s, lengths_s, missed_refreshes(lengths_s, attempt.started.screen.refresh_hz)
