"""The real screen: a PsychoPy window that shows prepared pictures pixel by pixel, and tells when.

The only module that loads PsychoPy's window. One clock, psychtoolbox's GetSecs, read less its value at clock zero.
"""

from __future__ import annotations

import gc
import platform
import random
import time
from array import array
from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from experiment.errors import EquipmentFailure
from experiment.events import Blank, Frame, Input, Refreshes, Scale, ScreenInfo
from experiment.pictures import Pictures, Placed
from experiment.screens.inputs import Happenings, Inputs
from experiment.screens.strokes import now_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOMINAL_HZ = 60.0  # the pace of a pilot where no screen sets one
FASTEST_HZ = 400.0  # flips that come faster wait for no screen
VSYNC_FLIPS = 24
CORRELATED = 0.5  # measured: 0.997 without vsync, -0.08 with


class Window:
    """A window in a session: the `Screen` port, on PsychoPy.

    Once it is made, every stimulus has been drawn off screen and its pixels read back equal, the refresh is measured,
    and the clock stands at zero. As a context it collects no garbage: a collection can take a few frames.
    """

    def __init__(
        self, pictures: Pictures, sit: Callable[[Any, float], Inputs], *, full_screen: bool, mouse: bool
    ) -> None:
        """Open the window; `sit` puts somebody in front of pyglet's window at clock zero.

        Raises EquipmentFailure where the screen is not what the pictures were made for, or shows other pixels.
        """
        self._win = _opened(pictures, full_screen=full_screen)
        self._pictures, self._mouse = pictures, mouse
        self._stims: dict[int, Any] = {}
        self._marker = _image(self._win, pictures.marker)
        self._load()
        vsync, hz = _measured(self._win)
        self._pace_s = None if vsync else 1 / hz
        self._frame: Frame = Blank()
        self._waiting: deque[Input] = deque()
        self._flips = array("d")
        self._zero_s, self._offset_s = now_s(), now_s() - time.perf_counter()
        self.zero_utc = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        self._happenings = Happenings(self._win.winHandle, self._now_s)
        self._inputs = sit(self._win.winHandle, self._zero_s)
        self.info = ScreenInfo(
            kind="window",
            width_px=pictures.layout.width_px,
            height_px=pictures.layout.height_px,
            refresh_hz=hz,
            vsync=vsync,
            full_screen=full_screen,
            timed_by=self._inputs.timed_by,
            versions=_versions(),
            pictures_sha256=pictures.message_sha256,
        )

    def show(self, frame: Frame) -> float:
        """Bring a frame on the screen at the next refresh; its onset is the stamp of the flip."""
        self._frame = frame
        pointer = self._mouse and (isinstance(frame, Scale) or getattr(frame, "button", None) is not None)
        if self._win.mouseVisible != pointer:
            self._win.mouseVisible = pointer
        onset_s = self._refresh()
        self._inputs.see(frame, onset_s)
        return onset_s

    def wait(self, until_s: float) -> Input | None:
        """Refresh until an input or the time comes."""
        while True:
            asked_s = self._now_s()
            self._take()
            if self._waiting and self._waiting[0].time_s <= until_s:
                return self._waiting.popleft()
            if asked_s >= until_s:
                return None
            self._refresh()

    def refreshes(self) -> Refreshes:
        """The flips since the last call."""
        stamps, self._flips = np.asarray(self._flips), array("d")
        intervals_us = tuple(int(interval) for interval in np.rint(np.diff(stamps) * 1e6))
        offset_s = now_s() - time.perf_counter() - self._offset_s
        return Refreshes(float(stamps[0]) if len(stamps) else None, intervals_us, round(offset_s, 6))

    def pixels(self) -> NDArray[np.uint8]:
        """What stands on the screen now (height, width, 3)."""
        return np.asarray(self._win._getFrame(buffer="front"))  # noqa: SLF001 - PsychoPy has no other way

    def __enter__(self) -> Window:
        """Free the loop of garbage collection."""
        gc.collect()
        gc.freeze()
        gc.disable()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Close the window and let go of the keyboard."""
        gc.enable()
        gc.unfreeze()
        self._inputs.close()
        self._win.close()

    def _now_s(self) -> float:
        return now_s() - self._zero_s

    def _take(self) -> None:
        self._win.winHandle.dispatch_events()
        taken = [*self._happenings.taken(), *self._inputs.taken()]
        self._waiting.extend(sorted(taken, key=lambda given: given.time_s))

    def _refresh(self) -> float:
        """Draw the frame and flip; without a screen that sets the pace, at the next due time."""
        for part in self._pictures.parts(self._frame):
            self._stims[id(part)].draw()
        if (place := self._pictures.marker_at(self._frame)) is not None:
            self._marker.pos = place
            self._marker.draw()
        if self._pace_s is not None and self._flips:
            time.sleep(max(0.0, self._flips[-1] + self._pace_s - self._now_s()))
        stamp_s = _flipped(self._win) - self._zero_s
        self._flips.append(stamp_s)
        return stamp_s

    def _load(self) -> None:
        """Make and draw every stimulus once on the back buffer, which nobody sees, and read it back."""
        shown = [*self._pictures.frames.values(), *self._pictures.buttons.values()]
        for part in [*shown, *([self._pictures.mark] if self._pictures.mark else [])]:
            stim = _image(self._win, part.picture.pixels, (part.x_px, part.y_px))
            stim.draw()
            if not np.array_equal(_read_back(self._win, part), part.picture.pixels):
                self._win.close()
                raise EquipmentFailure(
                    "This screen does not show the prepared pixels exactly. Set the display's scaling to 100 % and its "
                    "native resolution, update the graphics driver, and try again."
                )
            self._stims[id(part)] = stim
        self._marker.draw()
        self._win.clearBuffer()


def screen_size_px() -> tuple[int, int]:
    """The size of the screen that a full-screen window will fill."""
    import pyglet

    screen = pyglet.canvas.get_display().get_default_screen()
    return int(screen.width), int(screen.height)


def _opened(pictures: Pictures, *, full_screen: bool) -> Any:
    """PsychoPy's window in the size that the pictures were made for."""
    from psychopy import visual

    size = [pictures.layout.width_px, pictures.layout.height_px]
    window = visual.Window(
        size, fullscr=full_screen, units="pix", color=pictures.background, colorSpace="rgb255",
        allowGUI=not full_screen, winType="pyglet", checkTiming=False, autoLog=False, gammaErrorPolicy="ignore",
        title="Day Four",
    )  # fmt: skip
    if list(window.size) != size or list(window.frameBufferSize) != size:
        found = "{} x {}".format(*window.frameBufferSize)
        window.close()
        raise EquipmentFailure(
            f"Expected a window of {size[0]} x {size[1]} pixels, found {found}. Set scaling to 100 %."
        )
    window.recordFrameIntervals = False
    window.mouseVisible = False
    return window


def _image(window: Any, pixels: NDArray[np.uint8], place: tuple[int, int] = (0, 0)) -> Any:
    """A stimulus that shows these pixels one to one."""
    from PIL import Image
    from psychopy.visual import ImageStim

    size = pixels.shape[1::-1]
    return ImageStim(
        window, image=Image.fromarray(pixels), units="pix", size=size, pos=place, interpolate=False, autoLog=False
    )


def _read_back(window: Any, part: Placed) -> NDArray[np.uint8]:
    """The back buffer's pixels where a picture was drawn (height, width, 3)."""
    from pyglet import gl

    width, height = part.picture.width_px, part.picture.height_px
    left, bottom = window.size[0] // 2 + part.x_px - width // 2, window.size[1] // 2 + part.y_px - height // 2
    pixels = np.empty((height, width, 3), np.uint8)
    gl.glReadBuffer(gl.GL_COLOR_ATTACHMENT0 if window.useFBO else gl.GL_BACK)
    gl.glPixelStorei(gl.GL_PACK_ALIGNMENT, 1)
    gl.glReadPixels(int(left), int(bottom), width, height, gl.GL_RGB, gl.GL_UNSIGNED_BYTE, pixels.ctypes.data)
    return pixels[::-1]


def _flipped(window: Any) -> float:
    """Flip; PsychoPy's stamp of it on GetSecs."""
    from psychopy import core

    return float(window.flip() + core.monotonicClock.getLastResetTime())


def _measured(window: Any) -> tuple[bool, float]:
    """Whether flips wait for a real screen, and its refresh rate; the nominal rate where they do not.

    A flip that waits comes at the same time however long the program dawdled before it, so dawdling and interval do not
    correlate; the driver's own word for vsync is not to be trusted.
    """
    for _ in range(3):
        _flipped(window)
    hz = 1 / float(np.median(np.diff([_flipped(window) for _ in range(10)])))
    if hz > FASTEST_HZ:
        return False, NOMINAL_HZ
    pauses_s = [random.uniform(0, 0.6) / hz for _ in range(VSYNC_FLIPS)]
    stamps = [_flipped(window)]
    for pause_s in pauses_s:
        time.sleep(pause_s)
        stamps.append(_flipped(window))
    intervals_s = np.diff(stamps)
    vsync = bool(np.corrcoef(pauses_s, intervals_s)[0, 1] < CORRELATED)
    return vsync, 1 / float(np.median(intervals_s)) if vsync else NOMINAL_HZ


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    packages = ("psychopy", "psychtoolbox", "pyglet", "numpy", "typst", "uharfbuzz")
    system = {"python": platform.python_version(), "system": f"{platform.system()} {platform.release()}"}
    return system | {package: version(package) for package in packages}
