"""The real screen: shows scenes on a canvas, refresh by refresh, and hands out what comes in meanwhile."""

from __future__ import annotations

import platform
import time
from array import array
from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone
from importlib.metadata import version

import numpy as np
from msgspec import UNSET

from experiment.drawing.pictures import Pictures
from experiment.record.events import BlankScene, Input, Refreshes, ScaleScene, Scene
from experiment.record.screen_info import ScreenInfo
from experiment.record.writable import as_declared
from experiment.screens.canvas import Canvas
from experiment.screens.clock import SessionClock, Zero
from experiment.screens.inputs import Inputs, StorageState, WindowEvents
from experiment.screens.key_event import now_s
from experiment.screens.refresh import Pace
from experiment.task.scenes import AS_NAMED, Labels


class Window:
    """A session's window: the `Screen` port on a canvas that was loaded with the session's pictures."""

    def __init__(
        self,
        canvas: Canvas,
        pictures: Pictures,
        sit: Callable[[SessionClock], Inputs],
        storage: StorageState,
        pace: Pace,
        *,
        pointer: bool,
        labels: Labels = AS_NAMED,
        failing: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """Put the clock to zero, and let somebody `sit` down before the screen, whose `pace` was measured.

        `storage`: what keeps the transcript. `pointer`: whether the mouse's pointer is seen where the mouse can answer.
        `labels`: what is printed on keys, where it is not their name. `failing`: the outputs that take no signals.
        """
        self._canvas, self._pictures, self._storage, self._pointer = canvas, pictures, storage, pointer
        self._pace_s, self._due_s = None if pace.is_real else 1 / pace.paced_hz, 0.0
        self._scene: Scene = BlankScene()
        self._waiting: deque[Input] = deque()
        self._flips = array("d")
        self._clock = SessionClock(now_s)
        self.zero = Zero(datetime.now(timezone.utc).isoformat(timespec="milliseconds"), self._clock.zero_count_s)
        self._happenings = WindowEvents(canvas.handle, self._clock.now_s, storage, failing)
        self._inputs = sit(self._clock)
        self.info = as_declared(
            ScreenInfo(
                kind="window",
                computer=platform.node(),
                width_px=pictures.layout.width_px,
                height_px=pictures.layout.height_px,
                refresh_hz=pace.paced_hz,
                vsync=pace.is_real,
                full_screen=canvas.full_screen,
                timed_by=self._inputs.timed_by,
                versions=_versions(),
                pictures_sha256=pictures.message_sha256,
                photodiode=pictures.square is not None,
                key_labels=dict(labels) or UNSET,
            )
        )

    def show(self, scene: Scene) -> float:
        """Bring a scene on the screen at the next refresh; its onset is the stamp of the flip.

        It first waits a little for the answer that led here to outlive this process, which a sound disk takes at once.
        """
        self._storage.settle()
        self._scene = scene
        answerable = isinstance(scene, ScaleScene) or (not isinstance(scene, BlankScene) and scene.button is not None)
        self._canvas.show_pointer(visible=self._pointer and answerable)
        onset_s = self._refresh()
        self._inputs.see(scene, onset_s)
        return onset_s

    def wait(self, until_s: float) -> Input | None:
        """Refresh until an input or the time comes; all that an input holds is of the type it is declared to be."""
        while True:
            asked_s = self._clock.now_s()
            self._take()
            if self._waiting and self._waiting[0].time_s <= until_s:
                return self._waiting.popleft()
            if asked_s >= until_s:
                return None
            self._refresh()

    def refreshes(self) -> Refreshes:
        """The flips since the last call."""
        stamps, self._flips = np.asarray(self._flips), array("d")
        # Rounded since the first flip, not each by itself, so that rounding does not add up.
        intervals_us = tuple(int(interval) for interval in np.diff(np.rint((stamps - stamps[:1]) * 1e6)))
        return Refreshes(float(stamps[0]) if len(stamps) else None, intervals_us, round(self._clock.step_s, 6))

    def close(self) -> None:
        """Let go of the keyboard."""
        self._inputs.close()

    def _take(self) -> None:
        self._canvas.handle.dispatch_events()
        attending = self._happenings.attending
        taken = [*self._happenings.taken(), *self._inputs.taken(attending=attending)]
        self._waiting.extend(sorted(map(as_declared, taken), key=lambda given: given.time_s))

    def _refresh(self) -> float:
        """Draw the scene and flip; where no screen sets the pace, at the next due time."""
        self._canvas.draw(self._pictures.parts(self._scene), self._pictures.marker_at(self._scene))
        if self._pace_s is not None:
            now_s = self._clock.now_s()
            self._due_s = max(now_s, self._due_s + self._pace_s)
            time.sleep(self._due_s - now_s)
        self._flips.append(self._clock.of_count(self._canvas.flip()))
        return self._flips[-1]


def _versions() -> dict[str, str]:
    packages = ("psychopy", "psychtoolbox", "pyglet", "numpy", "typst", "uharfbuzz")
    system = {"python": platform.python_version(), "system": f"{platform.system()} {platform.release()}"}
    return system | {package: version(package) for package in packages}
