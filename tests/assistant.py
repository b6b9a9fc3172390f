"""An assistant at the desk: reads the screen, types and clicks, as the tests of whole visits do it."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psutil
from scipy.ndimage import find_objects, label
from Xlib import X
from Xlib.display import Display
from Xlib.error import BadWindow

from tests.lab import LIMIT_S, Lab, screenshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Pixels, Place, Sitting
    from tests.xtest import Hands

ACCENT, WHITE, PROBLEM = (0x2F, 0x5D, 0x62), (0xFF, 0xFF, 0xFF), (0xFB, 0xE9, 0xE7)


class Area(NamedTuple):
    """A rectangle of a picture, in pixels from its top left corner; the last row and column are within."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size_px(self) -> Place:
        """Width and height."""
        return self.right - self.left + 1, self.bottom - self.top + 1

    @property
    def middle(self) -> Place:
        """The place of its middle."""
        return (self.left + self.right) // 2, (self.top + self.bottom) // 2

    def holds(self, other: Area) -> bool:
        """Whether the other one lies within."""
        left, top, right, bottom = self
        return left <= other.left and top <= other.top and right >= other.right and bottom >= other.bottom


def areas(screen: Pixels, colour: tuple[int, int, int], least_px: Place = (60, 16)) -> list[Area]:
    """Where a colour fills most of connected areas at least so wide and high, from top to bottom."""
    numbered, _ = label((screen == colour).all(axis=2))
    filled_px, found = np.bincount(numbered.ravel()), list[Area]()
    for number, (rows, columns) in enumerate(find_objects(numbered), start=1):
        area = Area(columns.start, rows.start, columns.stop - 1, rows.stop - 1)
        (width_px, height_px), (least_width_px, least_height_px) = area.size_px, least_px
        is_large = width_px >= least_width_px and height_px >= least_height_px
        if is_large and filled_px[number] > width_px * height_px / 2:
            found.append(area)
    return sorted(found, key=lambda one: (one.top, one.left))


class Desk:
    """The open desk, as somebody in front of it sees and works it."""

    def __init__(self, lab: Lab, hands: Hands, **options: str) -> None:
        told = ("env", "PYTHONFAULTHANDLER=1")  # whoever crashes says where
        self.sitting: Sitting = lab.begins(*lab.places(), prefix=told, **options)
        self._hands, self._name = hands, str(lab.display)
        self._display, self._data = Display(self._name), str(lab.data)
        self.waits_for("Day Four: the desk")

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self._display.close()
        end(self.sitting)

    def waits_for(self, title: str) -> None:
        """Until the window with this title has the keyboard."""
        self._until(lambda: self._has_focus(title))

    def shows(self, wanted: Callable[[np.ndarray], bool]) -> None:
        """Until what is on the screen is so."""
        self._until(lambda: wanted(screenshot(self._name)))

    def finds(self, subject: str) -> None:
        """Type an ID, once the desk has its participants."""
        self.waits_for("Day Four: the desk")
        self.sees(ACCENT, (150, 30))
        self.type(*subject.lower())

    def command(self, name: str) -> psutil.Process:
        """The process of this command, once the desk has started it, here or on the Windows bench."""
        found = list[psutil.Process]()

        def is_of_it(one: psutil.Process) -> bool:
            line = " ".join(one.info["cmdline"] or ()).replace("\\", "/")
            return f"-m experiment {name} " in line and self._data in line

        def has_started() -> bool:
            found.extend(filter(is_of_it, psutil.process_iter(["cmdline"])))
            return bool(found)

        self._until(has_started)
        return found[0]

    def type(self, *keys: str) -> None:
        """Press these keys, one after the other."""
        for key in keys:
            self._hands.tap(key, 0.005)
            time.sleep(0.02)

    def sees(self, colour: tuple[int, int, int], least_px: Place, count: int = 1) -> list[Area]:
        """Where this colour fills areas of such a size, once there are so many and they have come to rest."""
        before = list[Area]()

        def is_at_rest() -> bool:
            nonlocal before
            earlier, before = before, areas(screenshot(self._name), colour, least_px)
            return len(before) >= count and earlier == before

        self._hands.point(1, 1)  # a button under the pointer has another colour
        self._until(is_at_rest)
        return before

    def clicks(self, place: Place) -> None:
        """Click there."""
        self._hands.click(*place)

    def _has_focus(self, title: str) -> bool:
        focus = self._display.get_input_focus().focus
        try:
            return bool(getattr(focus, "id", X.NONE) > 1 and focus.get_wm_name() == title)
        except BadWindow:  # it has closed since
            return False

    def _until(self, happened: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + LIMIT_S
        while not happened():
            if self.sitting.process.poll() is not None or time.monotonic() > deadline_s:
                self.sitting.process.send_signal(signal.SIGABRT)
                raise AssertionError(f"it did not happen; the desk says {self.sitting.ends()}")
            time.sleep(0.02)


def end(sitting: Sitting) -> None:
    """Nothing that a program started goes on."""
    with suppress(psutil.NoSuchProcess):  # it has ended, and has been waited for
        for one in psutil.Process(sitting.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # of one that has ended the others go on
                one.kill()
    sitting.process.kill()
    sitting.process.communicate()


def pixels_of(colour: tuple[int, int, int]) -> Callable[[np.ndarray], int]:
    """How many pixels of a screenshot have this colour."""
    return lambda screen: int((screen == colour).all(axis=2).sum())
