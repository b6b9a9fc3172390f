"""A session again, in time: what was on the screen at any moment, what was pressed, and how to move about in it. Pure.

A session that was interrupted and resumed has several attempts, each with its own clock; here they follow each other
on one, with a short gap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec import Struct, structs

from experiment.errors import BadInput
from experiment.record.events import BlankScene, Event, Scene
from experiment.record.refreshes import late_flips_s
from experiment.record.shown_scenes import shown_scenes
from experiment.record.timeline import Attempt, Press, attempts, last_s, onsets, pauses, presses, trial_runs

GAP_S = 1.0  # between two attempts
AGAIN_S = 0.5  # sooner after a screen's onset, a step back leads to the screen before it
SPEEDS = (0.1, 100.0)


def check_speed(speed: float) -> float:
    """The speed; BadInput unless a session can be watched with it."""
    if not SPEEDS[0] <= speed <= SPEEDS[1]:
        raise BadInput(f"--speed must be from {SPEEDS[0]:g} to {SPEEDS[1]:g} (you wrote {speed:g}).")
    return speed


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
    presses: tuple[Press, ...]


class Player:
    """A transcript as a function of time, in seconds from its beginning."""

    def __init__(self, events: Sequence[Event]) -> None:
        several = attempts(events, GAP_S)
        shown = [(time_s + one.later_s, scene) for one in several for time_s, scene in onsets(one.events)]
        self.shown: list[tuple[float, Scene]] = shown or [(0.0, BlankScene())]
        self.presses = [
            structs.replace(press, time_s=press.time_s + one.later_s)
            for one in several
            for press in presses(one.events)
        ]
        self.screens = [scene.start_s for one in several for scene in shown_scenes(one)] or [0.0]
        self.end_s = several[-1].later_s + last_s(several[-1].events)
        self._onsets_s = [time_s for time_s, _ in self.shown]
        self.trials = [
            ShownSpan(run.start_s + one.later_s, run.end_s + one.later_s, run.trial)
            for one in several
            for run in trial_runs(one)
        ]
        self.pauses = [span for one in several for span in _pauses(one)]
        self.late_s = [late_s for one in several for late_s in late_flips_s(one)]

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


def _pauses(attempt: Attempt) -> Iterator[ShownSpan]:
    """The pauses; one in which an attempt ended lasts until its end."""
    for pause in pauses(attempt.events):
        end_s = last_s(attempt.events) if pause.end_s is None else pause.end_s
        yield ShownSpan(pause.start_s + attempt.later_s, end_s + attempt.later_s)
