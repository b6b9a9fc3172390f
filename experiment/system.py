"""What differs between computers, in one place: whether there is a display, and a virtual one where there is none.

What the keyboard sources need of a system stands with them, in `screens/`.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL, c_void_p

from experiment.errors import EquipmentFailure
from experiment.layout import MINIMUM_SIZE_PX


def has_display() -> bool:
    """Whether a window can be opened; Windows and macOS always have a display for who is logged in."""
    if sys.platform != "linux":
        return True
    try:
        x11 = CDLL("libX11.so.6")
    except OSError:
        return False
    x11.XOpenDisplay.restype = c_void_p
    display = c_void_p(x11.XOpenDisplay(None))
    if display:
        x11.XCloseDisplay(display)
    return bool(display)


@contextmanager
def virtual_display() -> Iterator[None]:
    """A display in memory, of the smallest supported size, for as long as the context lasts."""
    if shutil.which("Xvfb") is None:
        raise EquipmentFailure(
            "There is no display, and Xvfb is not installed to stand in. Start ./dayfour from a desktop."
        )
    from pyvirtualdisplay.display import Display

    has_xauth = shutil.which("xauth") is not None
    # Without -noreset it starts anew, and refuses windows for a moment, whenever the last window has closed.
    with Display(visible=False, size=MINIMUM_SIZE_PX, color_depth=24, use_xauth=has_xauth, extra_args=["-noreset"]):
        yield
