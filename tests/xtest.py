"""Real keys and a real mouse, moved from outside through the X server's XTEST extension.

The presses take the same way as those of a keyboard: X server, event, whatever listens. Each call returns the time just
before the request leaves, in seconds on psychtoolbox's GetSecs clock (on Linux that is the wall clock, as `time.time`),
so a measured error holds all that comes after, the sending too.
"""

import contextlib
import time
from collections.abc import Iterator

from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

from experiment.screens.keynames import BUTTON_NAMES, X11_NAMES

_KEYS = {name: code for code, name in X11_NAMES.items()}
_BUTTONS = {name: number for number, name in BUTTON_NAMES.items()}


class Hands:
    """Hands at the keyboard and mouse of one X display (":7"; by default that of DISPLAY).

    Keys and buttons have the names of `experiment.screens.keynames`. A connection of its own; one thread at a time.
    """

    def __init__(self, display: str | None = None) -> None:
        self._display = Display(display)

    def __enter__(self) -> "Hands":
        return self

    def __exit__(self, *_: object) -> None:
        self._display.close()

    def press(self, key: str) -> float:
        """Press a key or mouse button and hold it; the time."""
        return self._send(*((X.ButtonPress, _BUTTONS[key]) if key in _BUTTONS else (X.KeyPress, _KEYS[key])))

    def release(self, key: str) -> float:
        """Let it go; the time."""
        return self._send(*((X.ButtonRelease, _BUTTONS[key]) if key in _BUTTONS else (X.KeyRelease, _KEYS[key])))

    def tap(self, key: str, hold_s: float = 0.03) -> tuple[float, float]:
        """Press and release; both times."""
        down_s = self.press(key)
        time.sleep(max(0.0, down_s + hold_s - time.time()))
        return down_s, self.release(key)

    @contextlib.contextmanager
    def holding(self, *keys: str) -> Iterator[None]:
        """Hold keys down meanwhile: `with hands.holding("lctrl", "lshift"): hands.tap("p")`."""
        for key in keys:
            self.press(key)
        yield
        for key in reversed(keys):
            self.release(key)

    def point(self, x_px: int, y_px: int) -> float:
        """Move the pointer to a place on the display, in pixels from its top left corner; the time."""
        return self._send(X.MotionNotify, 0, x=x_px, y=y_px)

    def click(self, x_px: int, y_px: int, hold_s: float = 0.03) -> tuple[float, float]:
        """Move the pointer there and press and release the left button; both times."""
        self.point(x_px, y_px)
        return self.tap("mouse_1", hold_s)

    def _send(self, kind: int, detail: int, x: int = 0, y: int = 0) -> float:
        now_s = time.time()
        xtest.fake_input(self._display, kind, detail, x=x, y=y)
        self._display.sync()
        return now_s
