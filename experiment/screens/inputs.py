"""What comes in at a window: a person's keys and clicks, or a synthetic participant's, and what happens to the window.

`handle` is pyglet's window. Times leave here as seconds since clock zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol, cast

from msgspec import UNSET
from msgspec.structs import replace

from experiment.record import events
from experiment.record.events import Focus, Input, Key, PauseAsked, Pulse, ScaleScene, Scene, StorageCause
from experiment.record.events_beside import OutputState
from experiment.record.screen_info import TimedBy
from experiment.screens.click_times import Clicks
from experiment.screens.clock import SessionClock
from experiment.screens.key_event import KeyEvent, KeySource
from experiment.screens.personas import Persona
from experiment.signals.serial_port import SerialPulses


class StorageState(Protocol):
    """What keeps the transcript, as far as a window has to do with it."""

    @property
    def cause(self) -> StorageCause | None:
        """Why the disk does not hold all of it at the moment, or None."""

    def settle(self) -> bool:
        """Wait a little for what was told to outlive this process; whether it does."""


class Inputs(Protocol):
    """Who sits in front of the window."""

    timed_by: TimedBy

    def see(self, scene: Scene, onset_s: float) -> None:
        """Told of each scene that came on the screen."""

    def taken(self, *, attending: bool) -> list[Input]:
        """What came in since the last call, in order of time; the window's events have been dispatched just before.

        `attending`: the window has the keyboard. Without it, what is typed goes to another program and is not ours.
        """

    def close(self) -> None:
        """Let go of the devices."""


class PersonInputs:
    """Keys from this computer's best source; clicks where the window saw them, timed by that source if it can.

    A scanner's pulses come as a key, which then is no person's, or on a serial line.
    """

    def __init__(
        self,
        handle: Any,
        keys: KeySource,
        clock: SessionClock,
        *,
        mouse: bool,
        pulse_key: str | None = None,
        pulse_line: SerialPulses | None = None,
    ) -> None:
        """Everything that was typed before this moment is forgotten."""
        self._handle, self._keys, self._clock = handle, keys, clock
        self._pulse_key, self._pulse_line, self._pulses = pulse_key, pulse_line, 0
        self.timed_by = keys.timed_by
        self._down: set[str] = set()
        self._held: list[Input] = []
        self._is_line = False
        self._clicks = Clicks(handle, clock, keys.timed_by if keys.hears_buttons else None) if mouse else None
        handle.dispatch_events()
        keys.strokes()
        if pulse_line:
            pulse_line.taken()
        if self._clicks:
            self._clicks.forget()

    def see(self, scene: Scene, onset_s: float) -> None:  # noqa: ARG002 - a person sees by herself when
        """A person sees by herself; but only a line is there to drag something along."""
        self._is_line = isinstance(scene, ScaleScene) and scene.scale.is_line

    def taken(self, *, attending: bool) -> list[Input]:
        """All since the last call; a release only if its press was.

        What was done after a click waits until the window has told of it, so that all stays in order.
        """
        heard = self._keys.strokes()
        self._clock.poll()
        strokes = [replace(one, key=_digit(one.key), time_s=self._clock.of_stamp(one.time_s)) for one in heard]
        ours = [stroke for stroke in strokes if self._is_ours(stroke, attending=attending)]
        keys = [Key(stroke.key, stroke.down, stroke.time_s, self.timed_by) for stroke in ours]
        self._held = sorted([*self._held, *self._pointed(strokes), *keys], key=lambda given: given.time_s)
        unsure_s = self._clicks.unsure_s if self._clicks else math.inf
        known = [given for given in self._held if given.time_s <= unsure_s]
        self._held = self._held[len(known) :]
        return sorted([*known, *self._pulsed(strokes)], key=lambda given: given.time_s)

    def close(self) -> None:
        """Stop listening."""
        self._keys.close()

    def _pulsed(self, strokes: Sequence[KeyEvent]) -> Iterator[Pulse]:
        """Whatever window has the keyboard: the scanner does not stop for it."""
        by: TimedBy | Literal["serial"] = "serial" if self._pulse_line else self.timed_by
        counts = self._pulse_line.taken() if self._pulse_line else []
        times_s = [stroke.time_s for stroke in strokes if stroke.down and stroke.key == self._pulse_key]
        for time_s in [*times_s, *map(self._clock.of_count, counts)]:
            self._pulses += 1
            yield Pulse(self._pulses, time_s, by)

    def _is_ours(self, stroke: KeyEvent, *, attending: bool) -> bool:
        if stroke.key.startswith("mouse_") or stroke.key == self._pulse_key:
            return False
        known = stroke.key in self._down
        if stroke.down and attending:
            self._down.add(stroke.key)
            return True
        self._down.discard(stroke.key)
        return known and not stroke.down

    def _pointed(self, strokes: list[KeyEvent]) -> Iterator[Input]:
        """Clicks, and where a line's marker was dragged to."""
        if self._clicks:
            polled_s = self._clock.now_s()
            clicks = list(self._clicks.taken(strokes, polled_s))
            if (drag := self._clicks.drag(polled_s)) and self._is_line:
                yield drag
            yield from clicks


class Robot:
    """A synthetic participant in front of a real window."""

    timed_by: TimedBy = "robot"

    def __init__(self, participant: Persona, clock: SessionClock) -> None:
        """The participant sees the scenes and answers when due."""
        self._participant, self._clock = participant, clock

    def see(self, scene: Scene, onset_s: float) -> None:
        """Let the participant plan."""
        self._participant.see(scene, onset_s)

    def taken(self, *, attending: bool) -> list[Input]:  # noqa: ARG002 - a robot sees no other window
        """What the participant does up to now."""
        due: list[Input] = []
        while (given := self._participant.due(self._clock.now_s())) is not None:
            due.append(given)
        return due

    def close(self) -> None:
        """Nothing to let go of."""


class WindowEvents:
    """What happens to the session itself: its window has to close or loses the keyboard, disk or outputs fail."""

    def __init__(
        self, handle: Any, session_s: Callable[[], float], storage: StorageState, failing: Callable[[], frozenset[str]]
    ) -> None:
        """From now on pyglet closes nothing by itself, and PsychoPy keeps no keys."""
        self.attending = True
        self._failing, self._failed = failing, frozenset[str]()
        self._storage, self._cause = storage, cast("StorageCause | None", None)
        self._session_s = session_s
        self._happened: list[Input] = []
        handle.push_handlers(
            on_close=self._close, on_activate=self._activate, on_deactivate=self._deactivate, on_key_press=_swallow,
            on_text=_swallow, on_text_motion=_swallow, on_mouse_press=_swallow, on_mouse_release=_swallow,
        )  # fmt: skip

    def taken(self) -> list[Input]:
        """What happened since the last call."""
        if (cause := self._storage.cause) != self._cause:
            self._cause = cause
            self._note(events.Storage(saved=cause is None, time_s=self._session_s(), cause=cause or UNSET))
        if (failing := self._failing()) != self._failed:
            changed, self._failed = failing ^ self._failed, failing
            for output in sorted(changed):
                self._note(OutputState(output, works=output not in failing, time_s=self._session_s()))
        happened, self._happened = self._happened, []
        return happened

    def _close(self) -> bool:
        return self._note(PauseAsked(self._session_s()))

    def _activate(self) -> bool:
        self.attending = True
        return self._note(Focus(gained=True, time_s=self._session_s()))

    def _deactivate(self) -> bool:
        self.attending = False
        return self._note(Focus(gained=False, time_s=self._session_s()))

    def _note(self, happened: Input) -> bool:
        self._happened.append(happened)
        return True


def _digit(key: str) -> str:
    """The number pad's digits are digits."""
    digit = key.removeprefix("num_")
    return digit if digit.isdigit() else key


def _swallow(*_: object) -> bool:
    return True
