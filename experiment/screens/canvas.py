"""PsychoPy's window as a surface for prepared pictures: opened, filled, checked pixel by pixel, and flipped.

The only module that loads PsychoPy's window and pyglet's graphics. Stamps are psychtoolbox's GetSecs in seconds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiment.errors import EquipmentFailure
from experiment.layout import Layout
from experiment.pictures import Pictures, Placed
from experiment.protocol import Rgb

NOMINAL_HZ = 60.0  # the pace of a pilot where no screen sets one
FASTEST_HZ = 400.0  # flips that come faster wait for no screen
VSYNC_FLIPS = 24
CORRELATED = 0.5  # measured: 0.997 without vsync, -0.08 with


class Canvas:
    """An open window. `handle` is pyglet's window, whose events are for others to hear."""

    def __init__(self, layout: Layout, background: Rgb, *, full_screen: bool) -> None:
        """Open it, empty, without the mouse's pointer; EquipmentFailure if it has not the layout's size."""
        from psychopy import core, visual

        self.full_screen = full_screen
        self._clock_zero_s = core.monotonicClock.getLastResetTime()
        self._window = visual.Window(
            [layout.width_px, layout.height_px], fullscr=full_screen, units="pix", color=background,
            colorSpace="rgb255", allowGUI=not full_screen, winType="pyglet", checkTiming=False, autoLog=False,
            gammaErrorPolicy="ignore", title="Day Four",
        )  # fmt: skip
        self.handle = self._window.winHandle
        self._stims: dict[int, Any] = {}
        self._marker: Any = None
        self._window.recordFrameIntervals = False
        self._window.mouseVisible = False
        found = tuple(self._window.frameBufferSize)
        if found != (layout.width_px, layout.height_px):
            self.close()
            raise EquipmentFailure(
                f"Expected a window of {layout.width_px} x {layout.height_px} pixels, found {found[0]} x {found[1]}. "
                "Set the display's scaling to 100 % and its native resolution, and try again."
            )

    def load(self, pictures: Pictures) -> None:
        """Make every stimulus, draw it once where nobody sees it, and read its pixels back; first, show the notice.

        Raises EquipmentFailure where the screen would show other pixels than the prepared ones.
        """
        self._load(pictures.notice)
        self.draw([pictures.notice])
        self.flip()
        for part in pictures.parts_of_all():
            self._load(part)
        self._marker = self._stim(pictures.marker)
        self._marker.draw()
        self._window.clearBuffer()

    def draw(self, parts: Iterable[Placed], marker_at: tuple[int, int] | None = None) -> None:
        """Draw pictures that were loaded, and the marker if it has a place, for the next flip."""
        for part in parts:
            self._stims[id(part)].draw()
        if marker_at is not None:
            self._marker.pos = marker_at
            self._marker.draw()

    def flip(self) -> float:
        """Show what was drawn at the next refresh; PsychoPy's stamp of the flip."""
        return float(self._window.flip() + self._clock_zero_s)

    def show_pointer(self, *, visible: bool) -> None:
        """Show or hide the mouse's pointer."""
        if self._window.mouseVisible != visible:
            self._window.mouseVisible = visible

    def pixels(self) -> NDArray[np.uint8]:
        """What stands on the screen (height, width, 3)."""
        return np.asarray(self._window._getFrame(buffer="front"))  # noqa: SLF001 - PsychoPy has no other way

    def refresh(self) -> tuple[bool, float]:
        """Whether flips wait for a real screen, and its refresh rate in Hz; the nominal rate where they do not.

        A flip that waits comes at the same time however long the program dawdled before it, so dawdling and interval
        do not correlate. The driver's own word for vsync is not to be trusted.
        """
        stamps = [self.flip() for _ in range(14)]
        hz = 1 / float(np.median(np.diff(stamps)))
        if hz > FASTEST_HZ:
            return False, NOMINAL_HZ
        pauses_s = [random.uniform(0, 0.6) / hz for _ in range(VSYNC_FLIPS)]
        intervals_s = np.diff([self.flip(), *(self._flip_after(pause_s) for pause_s in pauses_s)])
        vsync = bool(np.corrcoef(pauses_s, intervals_s)[0, 1] < CORRELATED)
        return vsync, 1 / float(np.median(intervals_s)) if vsync else NOMINAL_HZ

    def close(self) -> None:
        """Close the window."""
        self._window.close()

    def _flip_after(self, pause_s: float) -> float:
        time.sleep(pause_s)
        return self.flip()

    def _load(self, part: Placed) -> None:
        self._stims[id(part)] = self._stim(part.picture.pixels, (part.x_px, part.y_px))
        self._stims[id(part)].draw()
        if not np.array_equal(self._read_back(part), part.picture.pixels):
            raise EquipmentFailure(
                "This screen does not show the prepared pixels exactly. Set the display's scaling to 100 % and its "
                "native resolution, update the graphics driver, and try again."
            )

    def _stim(self, pixels: NDArray[np.uint8], place: tuple[int, int] = (0, 0)) -> Any:
        """A stimulus that shows these pixels one to one."""
        from PIL import Image
        from psychopy.visual import ImageStim

        size, image = pixels.shape[1::-1], Image.fromarray(pixels)
        return ImageStim(self._window, image=image, units="pix", size=size, pos=place, interpolate=False, autoLog=False)

    def _read_back(self, part: Placed) -> NDArray[np.uint8]:
        """The back buffer's pixels where a picture was drawn (height, width, 3)."""
        from pyglet import gl

        width, height = part.picture.width_px, part.picture.height_px
        columns, rows = self._window.size
        pixels = np.empty((height, width, 3), np.uint8)
        gl.glReadBuffer(gl.GL_COLOR_ATTACHMENT0 if self._window.useFBO else gl.GL_BACK)
        gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
        left, bottom = columns // 2 + part.x_px - width // 2, rows // 2 + part.y_px - height // 2
        gl.glReadPixels(int(left), int(bottom), width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, pixels.ctypes.data)
        return pixels[::-1]


def screen_size_px() -> tuple[int, int]:
    """The size of the screen that a full-screen window will fill."""
    import pyglet

    screen = pyglet.canvas.get_display().get_default_screen()
    return int(screen.width), int(screen.height)
