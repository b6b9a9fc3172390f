"""Eyes and hands outside the program: looks at a pixel of an X11 screen, and presses keys at known delays.

What it watches is any program that shows a white square while there is something to answer. A look is a request to the
X server for one pixel of the root window, so it sees what the server would send to the monitor (Xvfb: what it holds);
a press goes through the XTEST extension, as the presses of a keyboard go through the server. Each moment is kept with
the times between which it lies. X11 alone has both; python-xlib is there on Linux only, and imported where used.
"""

from __future__ import annotations

import gc
import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from msgspec import Struct

from experiment.errors import EquipmentFailure
from experiment.layout import PHOTODIODE_PX
from experiment.screens.keynames import X11_NAMES
from experiment.timing.records import Glow, Press, Span, Watch

PATIENCE_S = 1.0  # without a change for longer, the program stands on a page that wants a key
IDLE_PRESSES = 20
WINDOW_S = 30.0
HALF = 3 * 255 // 2
POLLS_A_CHECK = 64
BREATH_S = 1e-5  # leaves the X server, and the processor, to the program that is watched
_CODES = {name: code for code, name in X11_NAMES.items()}


class Stroke(Struct, frozen=True):
    """A press to be made: so long after the white came or after the press before, and for how long."""

    key: str
    delay_s: float
    hold_s: float


Script = tuple[Stroke, ...]
"""What is pressed in one stay of the white square, each key released before the next is pressed."""

GO_ON: Script = (Stroke("space", 0.0, 0.04),)


def drawn_scripts(count: int, seed: str, points: int) -> list[Script]:
    """A reading time, then a digit from 1 to `points`, then a confirmation, for each trial."""
    random = Random(seed)

    def stroke(key: str, least_s: float, most_s: float) -> Stroke:
        return Stroke(key, random.uniform(least_s, most_s), random.uniform(0.03, 0.08))

    return [
        (
            stroke("space", 0.08, 0.4),
            stroke(str(random.randint(1, points)), 0.12, 0.2),
            stroke("space", 0.12, 0.2),
        )
        for _ in range(count)
    ]


class Watcher:
    """One X display's onlooker, who watches the square in the lower right corner of the window with this title."""

    def __init__(self, display: str | None, title: str) -> None:
        """Find the window; EquipmentFailure if it does not come."""
        from Xlib.display import Display

        self._display = Display(display)
        self._root = self._display.screen().root
        self._place = self._square(title)
        self._white, self._asked_s, self._changed_s = False, time.perf_counter(), time.perf_counter()
        self._due: list[tuple[float, str, bool]] = []
        self._glows: list[tuple[Span, Span | None, list[Press]]] = []

    def watch(self, scripts: Sequence[Script], *, lives: Callable[[], bool]) -> Watch:
        """Answer one white stay after the other with a script each, until the program has ended.

        Where nothing changes for long, `space` goes on (from a page), or the script is tried once more (in the white).
        EquipmentFailure if even that does nothing.
        """
        polls, idle, longest_s, began_s = 0, 0, 0.0, time.perf_counter()
        with _undisturbed():
            while polls % POLLS_A_CHECK or lives():
                before_s = self._asked_s
                if self._look():
                    self._script(scripts[(len(self._glows) - 1) % len(scripts)])
                polls, longest_s = polls + 1, max(longest_s, self._asked_s - before_s)
                self._act()
                time.sleep(BREATH_S)
                if not self._due and self._asked_s - self._changed_s > PATIENCE_S:
                    idle, self._changed_s = idle + 1, self._asked_s
                    self._check_idle(idle)
                    self._script(scripts[(len(self._glows) - 1) % len(scripts)] if self._white else GO_ON)
        self._display.close()
        glows = tuple(Glow(on, off, tuple(presses)) for on, off, presses in self._glows)
        return Watch(glows, polls, time.perf_counter() - began_s, longest_s, idle)

    def _look(self) -> bool:
        """One look; whether the square turned white."""
        from Xlib import X

        before_s, self._asked_s = self._asked_s, time.perf_counter()
        data = self._root.get_image(*self._place, 1, 1, X.ZPixmap, 0xFFFFFFFF).data
        white = sum(data[:3]) > HALF
        if white == self._white:
            return False
        self._white, self._changed_s = white, time.perf_counter()
        change = Span(before_s, self._changed_s)
        if white:
            self._glows.append((change, None, []))
        else:
            on, _, presses = self._glows[-1]
            self._glows[-1] = (on, change, presses)
        return bool(white)

    def _script(self, script: Script) -> None:
        at_s = self._changed_s
        for stroke in script:
            at_s += stroke.delay_s
            heapq.heappush(self._due, (at_s, stroke.key, True))
            heapq.heappush(self._due, (at_s + stroke.hold_s, stroke.key, False))

    def _act(self) -> None:
        """Press and release what is due."""
        from Xlib import X
        from Xlib.ext import xtest

        while self._due and self._due[0][0] <= time.perf_counter():
            _, key, down = heapq.heappop(self._due)
            before_s = time.perf_counter()
            xtest.fake_input(self._display, X.KeyPress if down else X.KeyRelease, _CODES[key])
            self._display.sync()
            if down and self._white and self._glows:
                self._glows[-1][2].append(Press(key, Span(before_s, time.perf_counter())))

    def _check_idle(self, idle: int) -> None:
        if idle > IDLE_PRESSES:
            raise EquipmentFailure(
                f"The session's window does not answer: expected a change on the screen, found none after {idle} "
                "presses of the space bar. Close other programs, leave keyboard and mouse alone, and try again."
            )

    def _square(self, title: str) -> tuple[int, int]:
        """The middle of the square: pixels from the screen's top left corner."""
        from Xlib import X

        deadline_s = time.monotonic() + WINDOW_S
        while time.monotonic() < deadline_s:
            for window in _windows(self._root):
                if window.get_wm_name() == title and window.get_attributes().map_state == X.IsViewable:
                    size, corner = window.get_geometry(), self._root.translate_coords(window, 0, 0)
                    x_px, y_px = abs(corner.x), abs(corner.y)
                    return x_px + size.width - PHOTODIODE_PX // 2, y_px + size.height - PHOTODIODE_PX // 2
            time.sleep(0.05)
        raise EquipmentFailure(f"The window {title!r} did not come within {WINDOW_S:.0f} s. Try again.")


def _windows(window: Any) -> Iterator[Any]:
    """This window's children, and theirs: a window manager puts a program's window into one of its own."""
    for child in window.query_tree().children:
        yield child
        yield from _windows(child)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No garbage collection, which takes some milliseconds."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
