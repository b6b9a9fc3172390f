"""What differs between computers, in one place: displays, priority, core dumps, and what a computer tells of itself.

`facts` has the questions and the answers, `linux`, `windows` and `macos` ask. What the keyboard sources need of a
system stands with them, in `screens/`.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ctypes import CDLL, c_void_p
from functools import lru_cache
from pathlib import PurePath
from threading import Thread
from types import ModuleType

from experiment.errors import EquipmentFailure
from experiment.system.facts import Computer, Legends, PressKey

SWITCH_S = 0.0005  # Python's own is ten times as long


def this_computer() -> Computer:
    """Who answers questions about this computer."""
    if sys.platform == "win32":
        from experiment.system.windows import Windows, libraries

        return Windows(libraries())
    if sys.platform == "darwin":
        from experiment.system import macos

        return macos.Mac(*macos.libraries())
    from experiment.system.linux import Linux

    return Linux()


@contextmanager
def raised_priority() -> Iterator[str | None]:
    """A higher priority for this program while the context lasts, in words; None where the user has no right to it.

    On Linux and macOS it is this thread's and that of all threads and processes it starts meanwhile.
    """
    raised = _of_this_system().raise_priority()
    try:
        yield raised[0] if raised else None
    finally:
        if raised:
            raised[1]()


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Nothing is collected while the context lasts, since that takes some milliseconds, at times some frames."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def make_thread_urgent() -> None:
    """Let this thread come before usual ones, where a user may do so on Linux; for one that hardly ever does anything.

    Elsewhere the program's own priority has to do. Python's other threads hand over to it within SWITCH_S.
    """
    sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
    if sys.platform == "linux":
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def give_keyboard(window: int) -> None:
    """Send the keys to this window of ours where nothing else does so: on X11 without a window manager."""
    if sys.platform == "linux":
        from experiment.system import linux

        linux.give_keyboard(window)


def bring_forward(window: int) -> None:
    """Bring a window of a program that we started to the front, by its number: on X11."""
    if sys.platform == "linux":
        from experiment.system import linux

        linux.bring_forward(window)


def key_legends() -> Legends:
    """What the keys of this computer type in the layout in use now."""
    legends: Legends = _of_this_system().key_legends()
    return legends


def unfit_name(path: PurePath) -> str | None:
    """The part of this path that this system cannot name a file or folder; None if there is none."""
    from experiment.system import windows

    return windows.unfit_name(path) if sys.platform == "win32" else None


def no_core_dumps() -> None:
    """From now on no crash writes this process's memory to the disk, where messages would be readable.

    What this process starts inherits it on Linux and macOS, unless it asks for the opposite; there is no way back.
    """
    _of_this_system().forbid_core_dumps()


def stop_switch(name: str) -> Callable[[], None] | None:
    """What interrupts the process that heeds this name; None where a signal does so for any process."""
    if sys.platform == "win32":
        from experiment.system import windows

        return windows.stop_switch(name)
    return None


def heed_stop(name: str) -> None:
    """From now on the switch with this name interrupts this process; where a signal does so, nothing has to be done.

    Windows has no such signal for a process without a window, or only for all that share a console.
    """
    if sys.platform == "win32":
        from experiment.system import windows

        Thread(target=windows.interrupt_at_stop, args=(name,), name="stop", daemon=True).start()


def _of_this_system() -> ModuleType:
    from importlib import import_module

    return import_module(f"experiment.system.{ {'win32': 'windows', 'darwin': 'macos'}.get(sys.platform, 'linux') }")


@contextmanager
def key_presser(display: str | None = None) -> Iterator[PressKey]:
    """What presses keys as the system lets programs do, for as long as the context lasts; returns when one is taken in.

    `display`: of X11, if it is not the usual one. EquipmentFailure if the system lets no program press keys.
    """
    with _of_this_system().key_presser(*([display] if display else [])) as press:
        yield press


def has_display() -> bool:
    """Whether a window can be opened; Windows and macOS always have a display for who is logged in."""
    if sys.platform != "linux" or _has_x11(os.environ.get("DISPLAY", "")):
        return True
    _has_x11.cache_clear()  # it may answer the next time
    return False


@lru_cache
def _has_x11(_name: str) -> bool:
    """Whether this X server answers. The connection stays open until this process ends.

    Some virtual servers start anew, and refuse others for a moment, whenever the last program has left.
    """
    try:
        x11 = CDLL("libX11.so.6")
    except OSError:
        return False
    x11.XOpenDisplay.restype = c_void_p
    return bool(x11.XOpenDisplay(None))


def is_wayland() -> bool:
    """Whether a compositor stands between the programs and the screen, and shows their windows when it likes."""
    return sys.platform == "linux" and bool(os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def virtual_display(size_px: tuple[int, int]) -> Iterator[None]:
    """A display in memory, `size_px` wide and high, for as long as the context lasts."""
    if shutil.which("Xvfb") is None:
        raise EquipmentFailure(
            "There is no display, and Xvfb (a virtual one) is not installed. Start ./dayfour from a desktop."
        )
    from pyvirtualdisplay.display import Display

    has_xauth = shutil.which("xauth") is not None
    # Without -noreset it starts anew, and refuses windows for a moment, whenever the last window has closed.
    with Display(visible=False, size=size_px, color_depth=24, use_xauth=has_xauth, extra_args=["-noreset"]):
        yield
