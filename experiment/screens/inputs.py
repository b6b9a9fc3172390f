"""What comes in at a window: a person's keys and clicks, or a synthetic participant's, and what happens to the window.

`handle` is pyglet's window. Times leave here as seconds since clock zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol, cast

from msgspec import UNSET
from msgspec.structs import replace

from experiment.record import events
from experiment.record.events import Click, Drag, Focus, Input, Key, PauseAsked, Pulse, ScaleScene, Scene, StorageCause
from experiment.record.events_beside import OutputState
from experiment.record.screen_info import TimedBy
from experiment.screens.clock import SessionClock
from experiment.screens.key_event import KeyEvent, KeySource
from experiment.screens.personas import Persona
from experiment.signals.serial_pulses import SerialPulses

LEFT_BUTTON, LEFT_STROKE = 1, "mouse_1"  # pyglet's and our own name
# A stroke of the mouse button that its window event has not followed by now was made outside the window.
PATIENCE_S = 0.25


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
        ...

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
        self._strokes: list[KeyEvent] = []
        self._seen: list[tuple[float, float, bool]] = []
        self._dragged: tuple[float, float] | None = None
        self._is_line = False
        if mouse:
            handle.push_handlers(on_mouse_press=self._press, on_mouse_release=self._release, on_mouse_drag=self._drag)
        handle.dispatch_events()
        keys.strokes()
        if pulse_line:
            pulse_line.taken()
        self._seen.clear()

    def see(self, scene: Scene, onset_s: float) -> None:  # noqa: ARG002 - a person sees by herself when
        """A person sees by herself; but only a line is there to drag something along."""
        self._is_line = isinstance(scene, ScaleScene) and scene.scale.is_line

    def taken(self, *, attending: bool) -> list[Input]:
        """All since the last call; a release only if its press was."""
        strokes = [replace(stroke, time_s=self._clock.of_stamp(stroke.time_s)) for stroke in self._heard()]
        polled_s = self._clock.now_s()
        self._strokes += [stroke for stroke in strokes if stroke.key == LEFT_STROKE]
        keys = [self._key(stroke) for stroke in strokes if self._is_ours(stroke, attending=attending)]
        clicks = [*self._clicks(polled_s, down=True), *self._clicks(polled_s, down=False)]
        drags = [Drag(*self._dragged, polled_s, "poll")] if self._dragged and self._is_line else []
        self._seen.clear()
        self._dragged = None
        return sorted([*keys, *clicks, *drags, *self._pulsed(strokes)], key=lambda given: given.time_s)

    def close(self) -> None:
        """Stop listening."""
        self._keys.close()

    def _heard(self) -> list[KeyEvent]:
        strokes = self._keys.strokes()
        self._clock.poll()
        return [replace(stroke, key=_digit(stroke.key)) for stroke in strokes]

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

    def _key(self, stroke: KeyEvent) -> Key:
        return Key(stroke.key, stroke.down, stroke.time_s, self.timed_by)

    def _clicks(self, polled_s: float, *, down: bool) -> Iterator[Click]:
        """What the window saw of the button, at the time of its newest strokes; without such, at that of the poll.

        Older strokes were made outside the window; one that the window has not told of yet waits for the next poll.
        """
        places = [(x_px, y_px) for x_px, y_px, was_down in self._seen if was_down == down]
        strokes = [stroke for stroke in self._strokes if stroke.down == down]
        newest = strokes[max(0, len(strokes) - len(places)) :] if places else []
        for index, (x_px, y_px) in enumerate(reversed(places), start=1):
            if index <= len(newest):
                yield Click(x_px, y_px, down, newest[-index].time_s, self.timed_by)
            else:
                yield Click(x_px, y_px, down, polled_s, "poll")
        oldest_s = polled_s - PATIENCE_S
        self._strokes = [stroke for stroke in self._strokes if stroke not in newest and stroke.time_s > oldest_s]

    def _press(self, x_px: float, y_px: float, button: int, _modifiers: int) -> bool:
        return self._note(x_px, y_px, button, down=True)

    def _release(self, x_px: float, y_px: float, button: int, _modifiers: int) -> bool:
        return self._note(x_px, y_px, button, down=False)

    def _note(self, x_px: float, y_px: float, button: int, *, down: bool) -> bool:
        if button == LEFT_BUTTON:
            self._seen.append((*self._from_centre(x_px, y_px), down))
            self._dragged = None  # where the button moved is where it was pressed or let go
        return True

    def _drag(self, x_px: float, y_px: float, _dx: float, _dy: float, buttons: int, _modifiers: int) -> bool:
        if buttons & LEFT_BUTTON:
            self._dragged = self._from_centre(x_px, y_px)
        return True

    def _from_centre(self, x_px: float, y_px: float) -> tuple[float, float]:
        return x_px - self._handle.width / 2, y_px - self._handle.height / 2


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
