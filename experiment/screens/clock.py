"""A session's one clock: seconds since clock zero, on a counter that nobody can set."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

STEP_S = 0.001  # GetSecs and the counter drift apart by less between two polls, unless somebody sets the wall clock


class Zero(NamedTuple):
    """Clock zero on the wall clock (ISO 8601), and on `time.perf_counter` unless the session was simulated."""

    utc: str
    count_s: float | None


class SessionClock:
    """Counts on `time.perf_counter`, and reads psychtoolbox's stamps on it.

    Those stamps are GetSecs, which on Linux is the wall clock (CLOCK_REALTIME): when that is set, by a person or by the
    network, GetSecs jumps and the counter does not. So the difference between the two is read again at each poll.
    """

    def __init__(self, get_secs: Callable[[], float], count_s: Callable[[], float] = time.perf_counter) -> None:
        """Clock zero is now."""
        self._get_secs, self._count_s = get_secs, count_s
        self._zero_s = self._polled_s = count_s()
        self._first_ahead_s = self._ahead_s = self._earlier_ahead_s = self._read_ahead()

    @property
    def zero_count_s(self) -> float:
        """The counter's reading at clock zero."""
        return self._zero_s

    @property
    def step_s(self) -> float:
        """How far the wall clock has been set since clock zero, forwards if positive."""
        return self._ahead_s - self._first_ahead_s

    def now_s(self) -> float:
        """The time."""
        return self._count_s() - self._zero_s

    def of_count(self, count_s: float) -> float:
        """The time of a reading of the counter."""
        return count_s - self._zero_s

    def poll(self) -> float:
        """The time, from which on `of_stamp` reads the stamps of what came in since the last poll."""
        self._earlier_ahead_s, self._ahead_s = self._ahead_s, self._read_ahead()
        self._polled_s = self._count_s()
        return self._polled_s - self._zero_s

    def of_stamp(self, stamp_s: float) -> float:
        """The time of a GetSecs stamp that came in since the last poll.

        If the wall clock was set in between, the stamp was taken before or after: only one of the two fits in there.
        """
        time_s = stamp_s - self._ahead_s
        before_s = stamp_s - self._earlier_ahead_s
        if abs(before_s - time_s) > STEP_S and abs(before_s - self._polled_s) < abs(time_s - self._polled_s):
            time_s = before_s
        return time_s - self._zero_s

    def _read_ahead(self) -> float:
        """GetSecs minus the counter; the reading between two counts that are closest together."""
        readings = []
        for _ in range(3):
            before_s, get_secs, after_s = self._count_s(), self._get_secs(), self._count_s()
            readings.append((after_s - before_s, get_secs - (before_s + after_s) / 2))
        return min(readings)[1]
