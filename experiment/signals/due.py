"""Which signals the events of a session call for: pure, so that they can be told again from its transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import UNSET, Struct
from msgspec.structs import replace

from experiment.design.signals import SignalName, Signals
from experiment.record.events import (
    Ended,
    Event,
    Marked,
    MessageScene,
    Paused,
    Rated,
    Resumed,
    ScaleScene,
    Scene,
    Shown,
)
from experiment.record.events_of_tasks import Handed, RunBegan, RunEnded, TakenBack
from experiment.record.timeline import time_of

NAMES: dict[type[Event], SignalName] = {
    Marked: "choice", Rated: "confirmation", RunBegan: "run_begin", RunEnded: "run_end", Handed: "handed",
    TakenBack: "taken_back", Paused: "pause", Resumed: "resume", Ended: "end",
}  # fmt: skip


class DueSignal(Struct, frozen=True):
    """The `number`-th signal since clock zero, from 1.

    `time_s`: of the flip, press or pulse that it tells; of an end, which has no time, the last one before.
    """

    number: int
    name: SignalName
    code: int
    time_s: float


class DueSignals:
    """Follows the events since clock zero, and says what is to be sent."""

    def __init__(self, signals: Signals) -> None:
        """Nothing was shown yet."""
        self._signals, self._number = signals, 0
        self._scene: Scene | None = None
        self._paused, self._latest_s = False, 0.0

    def of(self, event: Event) -> DueSignal | None:
        """What the next event calls for, if anything."""
        named = self._named(event)
        self._follow(event)
        code = self._signals.code(named) if named else None
        if named is None or code is None:
            return None
        self._number += 1
        time_s = time_of(event)
        return DueSignal(self._number, named, code, self._latest_s if time_s is None else time_s)

    def _named(self, event: Event) -> SignalName | None:
        match event:
            case Shown(scene=MessageScene() as scene) if self._is_new(scene):
                return "message_onset"
            case Shown(scene=ScaleScene() as scene) if self._is_new(scene):
                return "scale_onset"
            case Rated(time_s=None):
                return None
        return NAMES.get(type(event))

    def _is_new(self, scene: MessageScene | ScaleScene) -> bool:
        """Whether it is neither the same with a button or marker, nor back after a pause."""
        return not self._paused and _bare(scene) != self._scene

    def _follow(self, event: Event) -> None:
        match event:
            case Shown(scene=scene):
                self._scene = _bare(scene)
            case Paused() | Resumed():
                self._paused = isinstance(event, Paused)
        self._latest_s = max(self._latest_s, time_of(event) or 0.0)


def due_signals(signals: Signals, events: Iterable[Event]) -> Iterator[DueSignal]:
    """All of a run's."""
    follower = DueSignals(signals)
    return (due for event in events if (due := follower.of(event)))


def _bare(scene: Scene) -> Scene:
    """The scene without what changes while it stays."""
    if isinstance(scene, ScaleScene):
        return replace(scene, button=None, unready=UNSET, hint=UNSET, marker=None)
    return replace(scene, button=None, unready=UNSET) if isinstance(scene, MessageScene) else scene
