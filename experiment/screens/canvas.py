"""PsychoPy's window as a surface for prepared pictures: opened, filled, checked pixel by pixel, and flipped.

The only module that loads PsychoPy's window and pyglet's graphics.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiment.design.colours import Rgb
from experiment.drawing.pictures import Pictures, Placed
from experiment.errors import EquipmentFailure
from experiment.screens.settings_folder import provide_settings_folder
from experiment.task.layout import Layout


class Canvas:
    """An open window. `handle` is pyglet's window, whose events are for others to hear."""

    def __init__(self, layout: Layout, background: Rgb, *, full_screen: bool) -> None:
        """Open it, empty, without the mouse's pointer; EquipmentFailure if it has not the layout's size."""
        provide_settings_folder()
        from psychopy import logging, visual

        logging.console.setLevel(logging.ERROR)  # it warns of a monitor whose centimetres nobody told it
        self.full_screen = full_screen
        with _in_colour(background):
            self._window = visual.Window(
                [layout.width_px, layout.height_px], fullscr=full_screen, units="pix", color=background,
                colorSpace="rgb255", allowGUI=not full_screen, winType="pyglet", checkTiming=False, autoLog=False,
                gammaErrorPolicy="ignore", title="Day Four",
            )  # fmt: skip
        self.handle = self._window.winHandle
        self._swapped_s = 0.0
        if sys.platform == "linux":
            self._stamp_swaps()
        self._sprites: dict[int, _Sprite] = {}
        self._marker: Any = None
        self._window.recordFrameIntervals = False
        self._window.mouseVisible = False
        found = tuple(self._window.frameBufferSize)
        if found != (layout.width_px, layout.height_px):
            self.close()
            raise EquipmentFailure(
                f"The window has {found[0]} x {found[1]} pixels instead of {layout.width_px} x {layout.height_px}. "
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
        self._marker = self._marker_stim(pictures.marker)
        self._marker.draw()
        self._window.clearBuffer()

    def draw(self, parts: Iterable[Placed], marker_at: tuple[int, int] | None = None) -> None:
        """Draw pictures that were loaded, and the marker if it has a place, for the next flip."""
        for part in parts:
            self._sprites[id(part)].draw()
        if marker_at is not None:
            self._marker.pos = marker_at
            self._marker.draw()

    def flip(self) -> float:
        """Show what was drawn at the next refresh; when it was flipped, on `time.perf_counter`."""
        self._window.flip(clearBuffer=False)  # waits for the graphics card to finish
        flipped_s = self._swapped_s or time.perf_counter()
        self._window.clearBuffer()  # PsychoPy clears before its own stamp, which comes up to a millisecond too late
        return flipped_s

    def show_pointer(self, *, visible: bool) -> None:
        """Show or hide the mouse's pointer."""
        if self._window.mouseVisible != visible:
            self._window.mouseVisible = visible

    def close(self) -> None:
        """Close the window, and free what was loaded: pyglet's windows share their textures."""
        for sprite in self._sprites.values():
            sprite.free()
        self._sprites.clear()
        self._window.close()

    def _stamp_swaps(self) -> None:
        """On X11 take the stamp right behind the swap: when the card has finished and the server has the picture.

        Where the server copies it (software GL), that is later than the swap's return; and PsychoPy does more before it
        returns.
        """
        from pyglet import gl
        from pyglet.libs.x11 import xlib

        swap, display = self.handle.flip, self.handle._x_display  # noqa: SLF001 - pyglet has no other way

        def swap_and_stamp() -> None:
            swap()
            gl.glFinish()
            xlib.XSync(display, 0)
            self._swapped_s = time.perf_counter()

        self.handle.flip = swap_and_stamp

    def _load(self, part: Placed) -> None:
        pixels = part.picture.pixels
        self._sprites[id(part)] = _Sprite(pixels, *self._corner(part))
        self._sprites[id(part)].draw()
        if not np.array_equal(self._read_back(part), pixels):
            raise EquipmentFailure(
                "This screen does not show the prepared pixels exactly. Set the display's scaling to 100 % and its "
                "native resolution, update the graphics driver, and try again."
            )

    def _marker_stim(self, pixels: NDArray[np.uint8]) -> Any:
        """The marker is the one picture that is not opaque: PsychoPy blends it."""
        from PIL import Image
        from psychopy.visual import ImageStim

        size, image = pixels.shape[1::-1], Image.fromarray(pixels)
        return ImageStim(self._window, image=image, units="pix", size=size, interpolate=False, autoLog=False)

    def _corner(self, part: Placed) -> tuple[int, int]:
        """The lower left corner of a picture: pixels from that of the window."""
        columns, rows = self._window.size
        left_px = columns // 2 + part.x_px - part.width_px // 2
        return int(left_px), int(rows // 2 + part.y_px - part.height_px // 2)

    def _read_back(self, part: Placed) -> NDArray[np.uint8]:
        """The back buffer's pixels where a picture was drawn (height, width, 3)."""
        from pyglet import gl

        width, height = part.width_px, part.height_px
        pixels = np.empty((height, width, 3), np.uint8)
        gl.glReadBuffer(gl.GL_COLOR_ATTACHMENT0 if self._window.useFBO else gl.GL_BACK)
        gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
        gl.glReadPixels(*self._corner(part), width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, pixels.ctypes.data)
        return pixels[::-1]


@contextmanager
def _in_colour(background: Rgb) -> Iterator[None]:
    """On X11 a new window has this colour until something is drawn in it; as pyglet makes it, it flashes in black."""
    if sys.platform != "linux":
        yield
        return
    from pyglet.libs.x11 import xlib

    create = xlib.XCreateWindow

    def create_in_colour(*given: Any) -> Any:
        given[-1]._obj.background_pixel = int.from_bytes(bytes(background), "big")  # noqa: SLF001 - what byref refers to
        return create(*given)

    xlib.XCreateWindow = create_in_colour
    try:
        yield
    finally:
        xlib.XCreateWindow = create


class _Sprite:
    """An opaque picture in the graphics memory, copied from there to the window pixel by pixel, without any filter.

    PsychoPy's ImageStim takes twice the memory (it makes smaller copies), twice as long to make and twice to draw.
    """

    def __init__(self, pixels: NDArray[np.uint8], left_px: int, bottom_px: int) -> None:
        """Load it up; pixels (height, width, 3), row 0 on top, place in pixels from the window's lower left corner."""
        from pyglet import gl

        self._gl, (self._height_px, self._width_px) = gl, pixels.shape[:2]
        self._left_px, self._bottom_px, self._buffer, self._texture = left_px, bottom_px, gl.GLuint(), gl.GLuint()
        gl.glGenTextures(1, self._texture)
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._texture)
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MIN_FILTER, gl.GL_NEAREST)
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 1)
        # As the window's own pixels lie in memory: then software GL copies them, in a quarter of the time of drawing.
        size, kind = (self._width_px, self._height_px), (gl.GL_BGRA, gl.GL_UNSIGNED_INT_8_8_8_8_REV)
        opaque = np.insert(pixels[..., ::-1], 3, 255, axis=2)
        gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA, *size, 0, *kind, opaque.ctypes.data)
        gl.glBindTexture(gl.GL_TEXTURE_2D, 0)
        gl.glGenFramebuffersEXT(1, self._buffer)
        with self._as_source():
            gl.glFramebufferTexture2DEXT(
                gl.GL_READ_FRAMEBUFFER_EXT, gl.GL_COLOR_ATTACHMENT0_EXT, gl.GL_TEXTURE_2D, self._texture, 0
            )

    def draw(self) -> None:
        """Copy it to the back buffer, upside down: row 0 of the window is its lowest."""
        gl, right_px, top_px = self._gl, self._left_px + self._width_px, self._bottom_px + self._height_px
        source, target = (0, 0, self._width_px, self._height_px), (self._left_px, top_px, right_px, self._bottom_px)
        with self._as_source():
            gl.glBlitFramebufferEXT(*source, *target, gl.GL_COLOR_BUFFER_BIT, gl.GL_NEAREST)

    def free(self) -> None:
        """Give back its memory."""
        self._gl.glDeleteFramebuffersEXT(1, self._buffer)
        self._gl.glDeleteTextures(1, self._texture)

    @contextmanager
    def _as_source(self) -> Iterator[None]:
        """The picture as what is read from, in the window's place."""
        usual = self._gl.GLint()
        self._gl.glGetIntegerv(self._gl.GL_READ_FRAMEBUFFER_BINDING_EXT, usual)
        self._gl.glBindFramebufferEXT(self._gl.GL_READ_FRAMEBUFFER_EXT, self._buffer)
        yield
        self._gl.glBindFramebufferEXT(self._gl.GL_READ_FRAMEBUFFER_EXT, usual.value)


def screen_size_px() -> tuple[int, int]:
    """The size of the screen that a full-screen window will fill."""
    import pyglet

    screen = pyglet.canvas.get_display().get_default_screen()
    return int(screen.width), int(screen.height)
