"""What was seen and done from outside, and what a session says of the same moments: frozen, and saved with the report.

Times of an `Observation` are seconds on this computer's counter (`time.perf_counter`; on Linux CLOCK_MONOTONIC), those
of a `Log` seconds since its session's clock zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct

from experiment.design.rating import Rating
from experiment.record.events import BlankScene, Event
from experiment.record.refreshes import Times, flips_s, missed_refreshes
from experiment.record.timeline import TrialRun, attempts, presses, trial_runs

NEAR_S = 0.1  # a refresh missed so long before a message may have delayed it


class Span(Struct, frozen=True):
    """A moment that is known to lie between two times."""

    earliest_s: float
    latest_s: float

    @property
    def middle_s(self) -> float:
        """The best guess."""
        return (self.earliest_s + self.latest_s) / 2

    @property
    def doubt_s(self) -> float:
        """By how much the guess can be wrong at most."""
        return (self.latest_s - self.earliest_s) / 2


class OutsidePress(Struct, frozen=True):
    """A key that was pressed from outside: between the request's leaving and the X server's answer."""

    key: str
    down: Span


class Glow(Struct, frozen=True):
    """One stay of the white square, and the presses made since it came; `on` is None where nobody could see it."""

    on: Span | None
    off: Span | None
    presses: tuple[OutsidePress, ...] = ()


class Observation(Struct, frozen=True):
    """All that was seen and pressed: `changes` of the window's pixels that the X server told of in `length_s`.

    `latency_s`: how long its word is under way at most (`Watcher`).

    `idle_presses`: made where nothing had happened for long, to go on from a page.
    """

    glows: tuple[Glow, ...]
    changes: int
    length_s: float
    latency_s: float
    idle_presses: int = 0


class LoggedTrial(Struct, frozen=True):
    """What a session logged of a trial; `missed`: the refreshes it says were missed in it or right before.

    `response_s`: when the press came that went on from the message.
    """

    trial: int
    onset_s: float
    offset_s: float | None
    response_s: float | None
    presses: tuple[tuple[str, float], ...]
    missed: int


class Log(Struct, frozen=True):
    """A session's trials, every flip it made, and where its clock zero lies on this computer's counter, if known.

    `screens`: on which screen each press of a trial is made, in order: "message", then the scales by their questions.
    """

    trials: tuple[LoggedTrial, ...]
    flips_s: tuple[float, ...]
    refresh_hz: float
    zero_count_s: float | None
    screens: tuple[str, ...] = ()

    @property
    def intervals_s(self) -> list[float]:
        """From flip to flip."""
        return [later_s - earlier_s for earlier_s, later_s in pairwise(self.flips_s)]

    @property
    def missed(self) -> int:
        """How many refreshes passed without a flip."""
        return int(missed_refreshes(self.intervals_s, self.refresh_hz).sum())


def read_log(events: Sequence[Event]) -> Log:
    """A session's trials by its transcript, practice and all; of one that went on after a crash, the last part."""
    attempt = attempts(events)[-1]
    flips, hz = flips_s(attempt.events), attempt.started.screen.refresh_hz
    trials = tuple(_trial(run, flips, hz) for run in trial_runs(attempt) if run.message_onset_s is not None)
    screens = _screens(attempt.started.session.protocol.rating)
    return Log(trials, tuple(map(float, flips)), hz, attempt.started.zero_count_s, screens)


def _screens(rating: Rating) -> tuple[str, ...]:
    times = 1 if rating.first_press_is_final else 2
    return ("message", *(f"scale {number}" for number, _ in enumerate(rating.questions, start=1) for _ in range(times)))


def _trial(run: TrialRun, flips: Times, hz: float) -> LoggedTrial:
    message, *_ = run.responses
    onset_s = message.onset_s or 0.0
    offset_s = next((start_s for start_s, _ in run.spans_s(BlankScene)), None)
    end_s = math.inf if offset_s is None else offset_s
    near = flips[(flips >= onset_s - NEAR_S) & (flips <= end_s)]
    return LoggedTrial(
        trial=run.trial,
        onset_s=onset_s,
        offset_s=offset_s,
        response_s=message.answered_s,
        presses=tuple(
            (one.name, one.time_s) for one in presses(run.events) if not one.place_px and onset_s <= one.time_s <= end_s
        ),
        missed=int(missed_refreshes(np.diff(near), hz).sum()),
    )
