"""How flips come: the refresh rate, and whether a flip waits for the screen.

The driver's own word is not asked: without a real screen `get_vsync` still says True, and the measured rate of flips is
that of the processor. What tells is the delay test. If flips wait for a screen, one that was asked for later comes at
the same refresh; if they do not, it comes as much later as the program dawdled. On a busy computer that is blurred:
other waits drown the correlation of interval and delay. They can only scatter the intervals more, though, and those of
a screen lie at whole refreshes, also where one was missed: so both have to speak for a screen.
"""

from __future__ import annotations

import random
import time
from typing import Any, Protocol

import numpy as np
from msgspec import Struct

from experiment.record.refreshes import Times

NOMINAL_HZ = 60.0  # the pace of a pilot where no screen sets one
FASTEST_HZ = 400.0  # flips that come faster wait for no screen
CORRELATED = 0.7  # measured: 0.997 without vsync; with it -0.08, and up to 0.5 where one refresh in ten is missed
# Of a refresh: evenly scattered intervals are 0.25 off at the median, a screen's some thousandths. Between the two (of
# 300 runs without a screen, on a very busy computer, one was 0.14) it dawdles once more.
OFF_BEAT, SURE_OFF_BEAT = 0.15, 0.05
WARM_FLIPS = 10
THOROUGH, BRIEF = (60, 100), (12, 40)  # flips one after another, and flips that dawdle
DAWDLED = 0.6  # of a frame, at most


class Flipping(Protocol):
    """What is measured: a canvas, or a double of it."""

    full_screen: bool
    handle: Any

    def flip(self) -> float:
        """Flip; when that was, in seconds."""


class Pace(Struct, frozen=True):
    """How flips came: their rate, refreshes missed among so many intervals, the others' sd, and the delay test.

    `correlation`: of the intervals with how long the program dawdled. `off_beat`: how far from a whole number of
    refreshes those intervals were at the median, as a share of one: 0 to 0.5.
    """

    hz: float
    missed: int
    intervals: int
    spread_s: float
    correlation: float
    off_beat: float

    @property
    def is_real(self) -> bool:
        """Whether a screen sets the pace."""
        return self.hz <= FASTEST_HZ and self.correlation < CORRELATED and self.off_beat < OFF_BEAT

    @property
    def paced_hz(self) -> float:
        """At what rate frames come: the screen's, or the nominal one where none sets it."""
        return self.hz if self.is_real else NOMINAL_HZ


def measure_refresh(canvas: Flipping, flips: tuple[int, int] = THOROUGH) -> Pace:
    """The pace of an idle window, then of one that dawdles before each flip: three seconds at 60 Hz, if thorough."""
    steady, delayed = flips
    for _ in range(WARM_FLIPS):
        canvas.flip()
    intervals_s = np.diff([canvas.flip() for _ in range(steady + 1)])
    period_s = float(np.median(intervals_s))
    skipped = np.rint(intervals_s / period_s) - 1
    on_time_s = intervals_s[skipped == 0]
    # Before flips that wait for nothing it dawdles as at the usual rate; in brief, their own rate tells enough.
    is_paced = period_s >= 1 / FASTEST_HZ or flips == BRIEF
    longest_s = DAWDLED * (period_s if is_paced else 1 / NOMINAL_HZ)
    pauses_s, delayed_s = _dawdled(canvas, delayed, longest_s)
    if SURE_OFF_BEAT < _off_beat(delayed_s, period_s) < OFF_BEAT:
        more_s, later_s = _dawdled(canvas, delayed, longest_s)
        pauses_s, delayed_s = np.append(pauses_s, more_s), np.append(delayed_s, later_s)
    return Pace(
        hz=1 / period_s,
        missed=int(skipped.clip(0).sum()),
        intervals=len(intervals_s),
        spread_s=float(on_time_s.std()),
        correlation=float(np.corrcoef(pauses_s, delayed_s)[0, 1]),
        off_beat=_off_beat(delayed_s, period_s),
    )


def _dawdled(canvas: Flipping, flips: int, longest_s: float) -> tuple[Times, Times]:
    """How long the program dawdled before each flip, and how long that came after the flip before."""
    pauses_s = np.array([random.uniform(0, longest_s) for _ in range(flips)])
    return pauses_s, np.diff([canvas.flip(), *(_flip_after(canvas, float(pause_s)) for pause_s in pauses_s)])


def _off_beat(intervals_s: Times, period_s: float) -> float:
    return float(np.median(np.abs(intervals_s / period_s - np.rint(intervals_s / period_s))))


def _flip_after(canvas: Flipping, pause_s: float) -> float:
    time.sleep(pause_s)
    return canvas.flip()
