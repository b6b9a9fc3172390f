"""Eyes and hands outside the program: looks at a pixel of an X11 screen, and presses keys at known delays.

What it watches is any program that shows a white square while there is something to answer. The X server tells by its
DAMAGE extension when a window's pixels have changed (X Damage Extension, version 1.1: reported after drawing); then one
pixel of the root window is asked for, which is what the server sends to the monitor (Xvfb: what it holds). Between two
such messages nobody asks for anything, so the program has processor and server to itself. A press goes through the
XTEST extension, as the presses of a keyboard go through the server. Each moment is kept with the times between which it
lies. X11 alone has all that; python-xlib is there on Linux only, and imported where used.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from experiment.errors import EquipmentFailure
from experiment.screens.keynames import X11_NAMES
from experiment.system import no_garbage_collection
from experiment.task.layout import PHOTODIODE_PX
from experiment.timing.observations import Glow, Observation, OutsidePress, Span
from experiment.timing.presser import GO_ON, IDLE_PRESSES, PATIENCE_S, Schedule, Script

WINDOW_S = 30.0
HALF = 3 * 255 // 2
QUIET_S = 0.1  # without news for so long, somebody looks whether the program has ended
REHEARSALS = 200
_CODES = {name: code for code, name in X11_NAMES.items()}


class Watcher:
    """One X display's onlooker, who watches the square in the lower right corner of the window with this title."""

    def __init__(self, display: str | None, title: str) -> None:
        """Find the window; EquipmentFailure if it does not come."""
        from Xlib.display import Display

        self._display = Display(display)
        self._root = self._display.screen().root
        self._place = self._square(title)
        self.latency_s = self._rehearsed()
        self._white, self._changed_s, self._asked_s = False, time.perf_counter(), time.perf_counter()
        self._agenda = Schedule()
        self._glows: list[tuple[Span, Span | None, list[OutsidePress]]] = []

    def watch(self, scripts: Sequence[Script], *, lives: Callable[[], bool]) -> Observation:
        """Answer one white stay after the other with a script each, until the program has ended.

        Where nothing changes for long, `space` goes on (from a page), or the script is tried once more (in the white).
        EquipmentFailure if even that does nothing.
        """
        changes, idle, began_s = 0, 0, time.perf_counter()
        with no_garbage_collection():
            while lives():
                span = self._next_change()
                changes += span is not None
                if self._look(span):
                    self._agenda.add(scripts[(len(self._glows) - 1) % len(scripts)], self._changed_s)
                self._act()
                now_s = time.perf_counter()
                if self._agenda.is_empty and now_s - self._changed_s > PATIENCE_S:
                    idle, self._changed_s = idle + 1, now_s
                    self._check_idle(idle)
                    script = scripts[(len(self._glows) - 1) % len(scripts)] if self._white else GO_ON
                    self._agenda.add(script, now_s)
        self._display.close()
        glows = tuple(Glow(on, off, tuple(presses)) for on, off, presses in self._glows)
        return Observation(glows, changes, time.perf_counter() - began_s, self.latency_s, idle)

    def _next_change(self) -> Span | None:
        """Wait until the window's pixels have changed, a press is due, or long enough; when they changed."""
        earliest_s = self._asked_s  # the server may have told while something else was asked
        if not self._display.pending_events():
            wait_s = min(QUIET_S, max(0.0, self._agenda.next_s - time.perf_counter()))
            select.select([self._display], [], [], wait_s)
            earliest_s = time.perf_counter()
        heard_s = time.perf_counter()
        if not self._told():
            return None
        return Span(earliest_s - self.latency_s, heard_s)

    def _told(self) -> bool:
        """Whether the server told of changed pixels since the last call."""
        told = False
        while self._display.pending_events():
            told = self._display.next_event().type == self._display.extension_event.DamageNotify or told
        return told

    def _look(self, changed: Span | None) -> bool:
        """One look after a change, or once in a while; whether the square turned white."""
        before_s, self._asked_s = self._asked_s, time.perf_counter()
        white = self._sees_white()
        if white == self._white:
            return False
        change = changed or Span(before_s, time.perf_counter())
        self._white, self._changed_s = white, change.latest_s
        if white:
            self._glows.append((change, None, []))
        else:
            on, _, presses = self._glows[-1]
            self._glows[-1] = (on, change, presses)
        return white

    def _sees_white(self) -> bool:
        from Xlib import X

        data = self._root.get_image(*self._place, 1, 1, X.ZPixmap, 0xFFFFFFFF).data
        return bool(sum(data[:3]) > HALF)

    def _rehearsed(self) -> float:
        """How long after something was drawn the server's word is here, in the slowest of a hundred: 99th percentile.

        Measured on a picture of its own that nobody sees, from before the drawing is asked for: an upper bound.
        """
        from Xlib.ext import damage

        picture = self._root.create_pixmap(1, 1, self._display.screen().root_depth)
        pen, watched = picture.create_gc(), picture.damage_create(damage.DamageReportRawRectangles)
        self._display.sync()
        took_s = []
        for _ in range(REHEARSALS):
            asked_s = time.perf_counter()
            picture.fill_rectangle(pen, 0, 0, 1, 1)
            self._display.flush()
            select.select([self._display], [], [])
            took_s.append(time.perf_counter() - asked_s)
            self._told()
        self._display.damage_destroy(watched)
        picture.free()
        return sorted(took_s)[int(0.99 * REHEARSALS)]

    def _act(self) -> None:
        """Press and release what is due."""
        from Xlib import X
        from Xlib.ext import xtest

        self._asked_s = time.perf_counter()
        for key, down in self._agenda.take(time.perf_counter()):
            before_s = time.perf_counter()
            xtest.fake_input(self._display, X.KeyPress if down else X.KeyRelease, _CODES[key])
            self._display.sync()
            if down and self._white and self._glows:
                self._glows[-1][2].append(OutsidePress(key, Span(before_s, time.perf_counter())))

    def _check_idle(self, idle: int) -> None:
        if idle > IDLE_PRESSES:
            raise EquipmentFailure(
                f"The session's window does not respond: nothing changed on the screen after {idle} presses of the "
                "space bar. Close other programs, do not touch keyboard and mouse, and try again."
            )

    def _square(self, title: str) -> tuple[int, int]:
        """The middle of the square: pixels from the screen's top left corner. Its window's changes are told now."""
        from Xlib import X
        from Xlib.ext import damage

        self._display.damage_query_version()
        deadline_s = time.monotonic() + WINDOW_S
        while time.monotonic() < deadline_s:
            for window in _windows(self._root):
                if window.get_wm_name() == title and window.get_attributes().map_state == X.IsViewable:
                    window.damage_create(damage.DamageReportRawRectangles)
                    size, corner = window.get_geometry(), self._root.translate_coords(window, 0, 0)
                    x_px, y_px = abs(corner.x), abs(corner.y)
                    return x_px + size.width - PHOTODIODE_PX // 2, y_px + size.height - PHOTODIODE_PX // 2
            time.sleep(0.05)
        raise EquipmentFailure(f"The window {title!r} did not open within {WINDOW_S:.0f} s. Try again.")


def _windows(window: Any) -> Iterator[Any]:
    """This window's children, and theirs: a window manager puts a program's window into one of its own."""
    for child in window.query_tree().children:
        yield child
        yield from _windows(child)
