"""A session again, in time: what was on the screen at any moment, what was pressed, and how to move about in it. Pure.

A session that was cut off and went on has several sittings, each with a clock of its own; here they follow each other
on one, with a short gap.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from msgspec import Struct, structs

from experiment.errors import BadInput
from experiment.record.events import (
    BlankScene,
    Click,
    Elapsed,
    Ended,
    Event,
    Key,
    MessageScene,
    Paused,
    Refreshes,
    Resumed,
    ScaleScene,
    Scene,
    Shown,
    Started,
    TextScene,
    TrialBegan,
    TrialEnded,
)

Timed = Sequence[tuple[float, Event]]

GAP_S = 1.0  # between two sittings
LATE = 1.5  # refreshes from flip to flip: nearer to two than to one
AGAIN_S = 0.5  # sooner after a screen's onset, a step back leads to the screen before it
SPEEDS = (0.1, 100.0)


def check_speed(speed: float) -> float:
    """The speed; BadInput unless a session can be watched with it."""
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise BadInput(f"Expected --speed from {SPEEDS[0]:g} to {SPEEDS[1]:g}, found {speed:g}.")
    return speed


class ShownPress(Struct, frozen=True):
    """A key or the mouse button went down; `place_px` from the screen's centre, y up, for the mouse."""

    time_s: float
    name: str
    place_px: tuple[float, float] | None = None


class ShownSpan(Struct, frozen=True):
    """From when to when; `trial` is that of a trial."""

    start_s: float
    end_s: float
    trial: int = -1


class Moment(Struct, frozen=True):
    """What there was at a time: the scene, the trial if one was on, and the presses of the last seconds."""

    time_s: float
    scene: Scene
    trial: int | None
    presses: tuple[ShownPress, ...]


class Player:
    """A transcript as a function of time, in seconds from its beginning."""

    def __init__(self, events: Sequence[Event]) -> None:
        """Read all there is to show."""
        timed = list(_on_one_clock(events))
        self.shown = [(time_s, event.scene) for time_s, event in timed if isinstance(event, Shown)] or [
            (0.0, BlankScene())
        ]
        self.presses = [press for time_s, event in timed if (press := _press(time_s, event))]
        self.screens = _screens(self.shown)
        self.end_s = max(time_s for time_s, _ in timed)
        self._onsets_s = [time_s for time_s, _ in self.shown]
        trials = _spans(timed, TrialBegan, TrialEnded, self.end_s)
        self.trials = [structs.replace(span, start_s=self._onset_s(span.start_s)) for span in trials]
        self.pauses = list(_spans(timed, Paused, Resumed, self.end_s))
        self.late_s = list(_late(timed))

    def at(self, time_s: float, memory_s: float = 5.0) -> Moment:
        """What was there; `memory_s`: how long a press is remembered."""
        at = max(0, bisect_right(self._onsets_s, time_s) - 1)
        trial = next((span.trial for span in self.trials if span.start_s <= time_s < span.end_s), None)
        presses = tuple(press for press in self.presses if time_s - memory_s < press.time_s <= time_s)
        return Moment(time_s, self.shown[at][1], trial, presses)

    def next_screen_s(self, time_s: float) -> float:
        """When the next screen came; at the last one, the end."""
        return next((onset_s for onset_s in self.screens if onset_s > time_s), self.end_s)

    def previous_screen_s(self, time_s: float) -> float:
        """When this screen came, or the one before if it came just now."""
        return next((onset_s for onset_s in reversed(self.screens) if onset_s < time_s - AGAIN_S), self.screens[0])

    def trial_s(self, trial: int) -> float | None:
        """When a trial began, for the last time; None if it did not."""
        return next((span.start_s for span in reversed(self.trials) if span.trial == trial), None)

    def _onset_s(self, time_s: float) -> float:
        """When the next scene came."""
        return self._onsets_s[min(bisect_left(self._onsets_s, time_s), len(self._onsets_s) - 1)]


@dataclass
class Playhead:
    """Where in a session one is, and how it goes on: what the keys of a replay do."""

    player: Player
    speed: float = 1.0
    time_s: float = 0.0
    playing: bool = True
    left: bool = False

    def pass_time(self, passed_s: float) -> None:
        """So much time passed in the room."""
        if self.playing:
            self.time_s = min(self.time_s + passed_s * self.speed, self.player.end_s)

    def press(self, key: str) -> None:
        """A key of the person who looks at it, by PsychoPy's name."""
        player = self.player
        match key:
            case "escape":
                self.left = True
            case "space":
                self.playing = not self.playing
            case "right":
                self.time_s = player.next_screen_s(self.time_s)
            case "left":
                self.time_s = player.previous_screen_s(self.time_s)
            case "up" | "down":
                self.speed = min(max(self.speed * (2 if key == "up" else 0.5), SPEEDS[0]), SPEEDS[1])
            case "pagedown":
                self.time_s = next((one.start_s for one in player.trials if one.start_s > self.time_s), player.end_s)
            case "pageup":
                began = [one.start_s for one in player.trials if one.start_s < self.time_s - AGAIN_S]
                self.time_s = began[-1] if began else 0.0
            case "home" | "end":
                self.time_s = 0.0 if key == "home" else player.end_s
            case _ if key.isdecimal() and (began_s := player.trial_s(int(key))) is not None:
                self.time_s = began_s


def _on_one_clock(events: Iterable[Event]) -> Iterator[tuple[float, Event]]:
    """Each event with its time from the first sitting's clock zero; without a time of its own, the latest before it."""
    zero_s = latest_s = 0.0
    for event in events:
        if isinstance(event, Started) and event.resumes:
            zero_s = latest_s = latest_s + GAP_S
        own_s = _time_s(event)
        latest_s = max(latest_s, zero_s + own_s) if own_s is not None else latest_s
        yield latest_s if own_s is None else zero_s + own_s, event


def _time_s(event: Event) -> float | None:
    match event:
        case Shown(onset_s=time_s) | Elapsed(until_s=time_s) | Paused(time_s=time_s) | Resumed(time_s=time_s):
            return time_s
        case Key(time_s=time_s) | Click(time_s=time_s) | Refreshes(first_s=time_s):
            return time_s
    return None


def _press(time_s: float, event: Event) -> ShownPress | None:
    match event:
        case Key(key=key, down=True):
            return ShownPress(time_s, key)
        case Click(x_px=x_px, y_px=y_px, down=True):
            return ShownPress(time_s, "mouse", (x_px, y_px))
    return None


def _screens(shown: Sequence[tuple[float, Scene]]) -> list[float]:
    """When another screen came, and not only a button or the marker on it."""
    bare = [structs.replace(scene, **_BARE.get(type(scene), {})) for _, scene in shown]
    changed = [True, *(one != other for one, other in pairwise(bare))]
    return [time_s for (time_s, _), change in zip(shown, changed, strict=True) if change]


_BARE: dict[type, dict[str, None]] = {
    TextScene: {"button": None},
    MessageScene: {"button": None},
    ScaleScene: {"button": None, "marker": None},
}


def _spans(timed: Timed, begin: type[Event], end: type[Event], last_s: float) -> Iterator[ShownSpan]:
    """Pieces that begin and end with these events; what was cut off lasts until the next sitting, or the end."""
    began: tuple[float, Event] | None = None
    for time_s, event in [*timed, (last_s, Ended("completed", None))]:
        if began and isinstance(event, (begin, end, Started, Ended)):
            yield ShownSpan(began[0], time_s, getattr(began[1], "trial", -1))
            began = None
        if isinstance(event, begin):
            began = time_s, event


def _late(timed: Timed) -> Iterator[float]:
    """When a flip came after at least one refresh was missed."""
    before_s, hz = math.inf, 60.0
    for time_s, event in timed:
        if isinstance(event, Started):
            before_s, hz = math.inf, event.screen.refresh_hz
        elif isinstance(event, Refreshes) and event.first_s is not None:
            for flip_s in accumulate((interval / 1e6 for interval in event.intervals_us), initial=time_s):
                if (flip_s - before_s) * hz >= LATE:
                    yield flip_s
                before_s = flip_s
