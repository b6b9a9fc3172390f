"""A window to look at changing pictures: nothing in it is timed, and nobody answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiment.design.colours import Rgb
from experiment.screens.canvas import Canvas
from experiment.task.layout import Layout


class Viewer:
    """An open window of this size, and the keys that are pressed in it."""

    def __init__(self, width_px: int, height_px: int, background: Rgb) -> None:
        """Open it; EquipmentFailure if the computer makes it of another size."""
        self._canvas = Canvas(Layout(width_px, height_px), background, full_screen=False)
        self._waiting: list[str] = []
        self._canvas.handle.push_handlers(on_key_press=self._press, on_close=self._close)

    def show(self, pixels: NDArray[np.uint8]) -> None:
        """Fill the window with pixels (height, width, 3), row 0 on top, at the next refresh."""
        from pyglet import gl

        height, width = pixels.shape[:2]
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 1)
        gl.glWindowPos2i(0, height)
        gl.glPixelZoom(1, -1)
        data = np.ascontiguousarray(pixels)
        gl.glDrawPixels(width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, data.ctypes.data)
        gl.glPixelZoom(1, 1)
        self._canvas.flip()

    def pressed(self) -> list[str]:
        """The keys since the last call, by PsychoPy's names; closing the window counts as escape."""
        self._canvas.handle.dispatch_events()
        waiting, self._waiting = self._waiting, []
        return waiting

    def close(self) -> None:
        """Close the window."""
        self._canvas.close()

    def _press(self, symbol: int, _modifiers: Any) -> bool:
        from pyglet.window import key

        name = key.symbol_string(symbol).lower().lstrip("_")
        digit = name.removeprefix("num_")
        self._waiting.append(digit if digit.isdecimal() else name)
        return True

    def _close(self) -> bool:
        self._waiting.append("escape")
        return True
