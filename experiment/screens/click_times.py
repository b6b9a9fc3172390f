"""Clicks: their place is the window's, their time that of the keyboard's source where it hears the mouse's button.

The two come by different ways. On X11 a window manager may look at each press first, and the window is told of it only
when that program has had its turn, on a busy computer tenths of a second later; the source hears it at once. They find
each other by the X server's own time of the press, and what was done after a press waits until its place is known.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from experiment.record.events import Click, Drag
from experiment.record.screen_info import TimedBy
from experiment.screens.clock import SessionClock
from experiment.screens.key_event import KeyEvent

LEFT_BUTTON, LEFT_STROKE = 1, "mouse_1"  # pyglet's and our own name
PATIENCE_S = 1.0  # a stroke of which the window has not told by then was made outside it
STROKE_WITHIN_S = 0.05  # one that was not heard by then is not heard at all: that of a touch screen
TOLERANCE_S = 0.02  # the server's clock counts in steps of up to 4 ms; nobody presses twice within this
ROUNDS, STRING = 5, 31  # XA_STRING, X11/Xatom.h


class Seen(NamedTuple):
    """A press or release in the window: pixels from its centre, and times on the session's clock."""

    x_px: float
    y_px: float
    down: bool
    at_s: float
    polled_s: float


class Clicks:
    """The left button over a window, as pyglet's `handle` tells of it at each dispatch of its events.

    `timed_by`: the source that hears the button too; None if none does, then a click has the time of its poll.
    """

    def __init__(self, handle: Any, clock: SessionClock, timed_by: TimedBy | None) -> None:
        """From now on."""
        self._handle, self._clock, self._timed_by = handle, clock, timed_by
        self._strokes: list[KeyEvent] = []
        self._seen: list[Seen] = []
        self._dragged: tuple[float, float] | None = None
        self._server_s = _tell_server_times(handle) if timed_by else None
        handle.push_handlers(on_mouse_press=self._press, on_mouse_release=self._release, on_mouse_drag=self._drag)

    def forget(self) -> None:
        """What came in up to now is nobody's answer."""
        self._seen.clear()
        self._dragged = None

    def taken(self, strokes: list[KeyEvent], polled_s: float) -> Iterator[Click]:
        """Those of which place and time are known now, in order; `strokes`: what was heard since the last call."""
        self._strokes += [stroke for stroke in strokes if stroke.key == LEFT_STROKE and self._timed_by]
        seen, self._seen = self._seen, []
        for one in seen:
            if (stroke := self._stroke_of(one)) and self._timed_by:
                yield Click(one.x_px, one.y_px, one.down, stroke.time_s, self._timed_by)
            elif self._timed_by and polled_s - one.polled_s < STROKE_WITHIN_S:
                self._seen.append(one)
            else:
                yield Click(one.x_px, one.y_px, one.down, one.polled_s, "poll")
        self._strokes = [stroke for stroke in self._strokes if stroke.time_s > polled_s - PATIENCE_S]

    def drag(self, polled_s: float) -> Drag | None:
        """Where the button was dragged to since the last call; that was before the window's next word of a stroke."""
        place, self._dragged = self._dragged, None
        return place and Drag(*place, min([polled_s, *(stroke.time_s for stroke in self._strokes)]), "poll")

    @property
    def unsure_s(self) -> float:
        """From when on a click may still become known."""
        return min([stroke.time_s for stroke in self._strokes] + [one.at_s for one in self._seen], default=math.inf)

    def _stroke_of(self, seen: Seen) -> KeyEvent | None:
        """Both come in order, so the first that was not heard before the press; those before it were made outside."""
        for at, stroke in enumerate(self._strokes):
            if stroke.down == seen.down and stroke.time_s > seen.at_s - TOLERANCE_S:
                self._strokes = self._strokes[at + 1 :]
                return stroke
        return None

    def _press(self, x_px: float, y_px: float, button: int, _modifiers: int) -> bool:
        return self._note(x_px, y_px, button, down=True)

    def _release(self, x_px: float, y_px: float, button: int, _modifiers: int) -> bool:
        return self._note(x_px, y_px, button, down=False)

    def _note(self, x_px: float, y_px: float, button: int, *, down: bool) -> bool:
        if button == LEFT_BUTTON:
            now_s = self._clock.now_s()
            at_s = self._clock.of_count(self._server_s()) if self._server_s else now_s
            self._seen.append(Seen(*self._from_centre(x_px, y_px), down, at_s, now_s))
            self._dragged = None  # where the button moved is where it was pressed or let go
        return True

    def _drag(self, x_px: float, y_px: float, _dx: float, _dy: float, buttons: int, _modifiers: int) -> bool:
        if buttons & LEFT_BUTTON:
            self._dragged = self._from_centre(x_px, y_px)
        return True

    def _from_centre(self, x_px: float, y_px: float) -> tuple[float, float]:
        return x_px - self._handle.width / 2, y_px - self._handle.height / 2


def _tell_server_times(handle: Any) -> Callable[[], float]:
    """When the press or release happened of which pyglet's X11 window tells just now, on `time.perf_counter`."""
    from pyglet.libs.x11 import xlib

    handlers = handle._view_event_handlers  # noqa: SLF001 - pyglet has no other way
    zero_s, last_ms = _server_zero_s(handle), [0]

    def noted(usual: Callable[[Any], None]) -> Callable[[Any], None]:
        def note(event: Any) -> None:
            last_ms[0] = event.xbutton.time
            usual(event)

        return note

    for kind in (xlib.ButtonPress, xlib.ButtonRelease):
        handlers[kind] = noted(handlers[kind])
    return lambda: zero_s + last_ms[0] / 1e3


def _server_zero_s(handle: Any) -> float:
    """When the X server's clock, which begins anew after 49 days, was at 0, on `time.perf_counter`.

    The server dates each change of a window's property: so one is made and waited for, and the quickest round counts.
    """
    from pyglet.libs.x11 import xlib

    display, window, event = handle._x_display, handle._window, xlib.XEvent()  # noqa: SLF001 - as above
    atom, zeros_s = xlib.XInternAtom(display, b"DAYFOUR_TIME", 0), list[float]()
    for _ in range(ROUNDS):
        xlib.XChangeProperty(display, window, atom, STRING, 8, xlib.PropModeReplace, (ctypes.c_ubyte * 1)(), 1)
        event.xproperty.atom = 0
        while event.xproperty.atom != atom:
            xlib.XWindowEvent(display, window, xlib.PropertyChangeMask, ctypes.byref(event))
        zeros_s.append(time.perf_counter() - event.xproperty.time / 1e3)
    return min(zeros_s)
