"""What was seen and done from outside, and what a session says of the same moments: frozen, and saved with the report.

Times of an `Observation` are seconds on this computer's counter (`time.perf_counter`; on Linux CLOCK_MONOTONIC), those
of a `Log` seconds since its session's clock zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from msgspec import Struct

from experiment.record.events import BlankScene, Event, Key, MessageScene, Read, Refreshes, Shown, Started, TrialBegan

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
    """A session's trials, every flip it made, and where its clock zero lies on this computer's counter, if known."""

    trials: tuple[LoggedTrial, ...]
    flips_s: tuple[float, ...]
    refresh_hz: float
    zero_count_s: float | None

    @property
    def intervals_s(self) -> list[float]:
        """From flip to flip."""
        return [later_s - earlier_s for earlier_s, later_s in pairwise(self.flips_s)]

    @property
    def missed(self) -> int:
        """How many refreshes passed without a flip."""
        return sum(missed_refreshes(interval_s, self.refresh_hz) for interval_s in self.intervals_s)


def missed_refreshes(interval_s: float, refresh_hz: float) -> int:
    """How many refreshes passed between two flips in a row."""
    return max(0, round(interval_s * refresh_hz) - 1)


def read_log(events: Sequence[Event]) -> Log:
    """A session's trials by its transcript, practice and all; of one that went on after a crash, the last part."""
    start = max(number for number, event in enumerate(events) if isinstance(event, Started))
    started, story = events[start], events[start + 1 :]
    assert isinstance(started, Started)  # noqa: S101 - so it was chosen
    flips_s = tuple(flip_s for event in story if isinstance(event, Refreshes) for flip_s in flips(event))
    hz = started.screen.refresh_hz
    trials = tuple(one for number, part in _parts(story) if (one := _trial(number, part, flips_s, hz)) is not None)
    return Log(trials, flips_s, hz, started.zero_count_s)


def flips(record: Refreshes) -> list[float]:
    """The times of its flips."""
    if record.first_s is None:
        return []
    return [record.first_s + after_us / 1e6 for after_us in accumulate((0, *record.intervals_us))]


def _parts(story: Sequence[Event]) -> Iterator[tuple[int, Sequence[Event]]]:
    """Each trial's number, and its events."""
    begins = [number for number, event in enumerate(story) if isinstance(event, TrialBegan)]
    for begin, end in zip(begins, (*begins[1:], len(story)), strict=True):
        began = story[begin]
        assert isinstance(began, TrialBegan)  # noqa: S101 - so it was chosen
        yield began.trial, story[begin:end]


def _trial(number: int, part: Sequence[Event], flips_s: Sequence[float], hz: float) -> LoggedTrial | None:
    shown = [event for event in part if isinstance(event, Shown)]
    onset_s = next((event.onset_s for event in shown if isinstance(event.scene, MessageScene)), None)
    if onset_s is None:
        return None
    offset_s = next((event.onset_s for event in shown if isinstance(event.scene, BlankScene)), None)
    end_s = math.inf if offset_s is None else offset_s
    presses = [event for event in part if isinstance(event, Key) and event.down]
    near = [flip_s for flip_s in flips_s if onset_s - NEAR_S <= flip_s <= end_s]
    waits_s = [later_s - earlier_s for earlier_s, later_s in pairwise(near)]
    return LoggedTrial(
        trial=number,
        onset_s=onset_s,
        offset_s=offset_s,
        response_s=next((event.time_s for event in part if isinstance(event, Read)), None),
        presses=tuple((event.key, event.time_s) for event in presses if onset_s <= event.time_s <= end_s),
        missed=sum(missed_refreshes(wait_s, hz) for wait_s in waits_s),
    )
