"""Linux: the X server by python-xlib, the kernel by its files and calls."""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from experiment.errors import EquipmentFailure
from experiment.system.facts import Legends, Power, PressKey, ScreenMode, linked_zone, mounted_volume

NICE = (-10, -5)  # above every usual program, below the kernel's own threads
_DUMPABLE = 4  # prctl(2), PR_SET_DUMPABLE
# These drivers call "powersave" what others call "ondemand"; what they save by is the energy preference.
_DYNAMIC_DRIVERS = {"intel_pstate", "amd-pstate-epp", "amd_pstate_epp"}
_SAVING_PREFERENCES = {"power", "balance_power"}
_CORE_KEYBOARD, _FIRST_CODE, _LAST_CODE = 0x100, 9, 96  # XkbUseCoreKbd; the codes of the keys that type
_LEAST_ERROR_US = 16_000_000  # from this error on the kernel calls its clock unsynchronised; so does timedatectl
Answer = TypeVar("Answer")

RIGHTS_ADVICE = """\
Give the user the right to real-time priority (once, as an administrator), then log out and in again:
  sudo groupadd --force psychopy
  sudo usermod -a -G psychopy $USER
and write these lines to /etc/security/limits.d/99-psychopylimits.conf:
  @psychopy - nice -20
  @psychopy - rtprio 50
  @psychopy - memlock unlimited"""  # PsychoPy, platform_specific/linux.py


@dataclass(frozen=True)
class Linux:
    """`root` is where the kernel's files begin."""

    root: Path = Path("/")

    def screen(self) -> ScreenMode | None:
        """The primary output of the X server; None behind Wayland, which shows programs what it likes."""
        return None if os.environ.get("WAYLAND_DISPLAY") else _asked_x11(_screen_mode)

    def blanks_after_s(self) -> float | None:
        """The sooner of the X server's screen saver and the monitor's power saving (DPMS)."""
        return _asked_x11(_blanks_after_s)

    def power(self) -> Power | None:
        """The firmware's profile, and the governor of the first processor."""
        profile = self._read("sys/firmware/acpi/platform_profile")
        if profile == "low-power":
            return Power(saves=True, setting="platform profile low-power")
        cpu = "sys/devices/system/cpu/cpu0/cpufreq"
        governor, driver = self._read(f"{cpu}/scaling_governor"), self._read(f"{cpu}/scaling_driver")
        preference = self._read(f"{cpu}/energy_performance_preference")
        if governor is None:
            return None
        if driver in _DYNAMIC_DRIVERS and preference is not None:
            return Power(preference in _SAVING_PREFERENCES, f"energy preference {preference}")
        return Power(governor == "powersave" and driver not in _DYNAMIC_DRIVERS, f"processor governor {governor}")

    volume = staticmethod(mounted_volume)

    def zone(self) -> str | None:
        """Of TZ, else of /etc/localtime; None if neither is set, which means UTC."""
        return os.environ.get("TZ", "").lstrip(":") or linked_zone(self.root / "etc/localtime")

    def synchronised(self) -> bool | None:
        """The kernel's own estimate of its clock's error, adjtimex(2), as timedatectl reads it."""
        timex = (ctypes.c_long * 64)()  # modes, offset, freq, maxerror ...; more than enough room
        if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:
            return None
        return timex[3] < _LEAST_ERROR_US

    def _read(self, path: str) -> str | None:
        try:
            return (self.root / path).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return None


def driven(shown: tuple[int, int], mode: tuple[int, int], preferred: tuple[int, int] | None) -> ScreenMode:
    """How a screen is driven on which programs see `shown` pixels, in a mode that the monitor may not prefer.

    A screen that stands on its side shows the mode's width as its height.
    """
    return ScreenMode(*mode, preferred, max(mode) / max(shown))


def _asked_x11(ask: Callable[[Any], Answer | None]) -> Answer | None:
    from Xlib.display import Display
    from Xlib.error import DisplayError, XError
    from Xlib.ext import dpms, randr  # noqa: F401 - they teach Display to ask

    try:
        display = Display()
    except (DisplayError, OSError):
        return None
    try:
        return ask(display)
    except (XError, AttributeError, LookupError):  # an X server without that extension
        return None
    finally:
        display.close()


def _screen_mode(display: Any) -> ScreenMode | None:
    root = display.screen().root
    known = root.xrandr_get_screen_resources_current()
    sizes = {mode.id: (mode.width, mode.height) for mode in known.modes}
    primary = root.xrandr_get_output_primary().output
    for output in sorted(known.outputs, key=lambda output: output != primary):
        info = display.xrandr_get_output_info(output, known.config_timestamp)
        if info.crtc:
            crtc = display.xrandr_get_crtc_info(info.crtc, known.config_timestamp)
            preferred = sizes[info.modes[0]] if info.num_preferred else None
            return driven((crtc.width, crtc.height), sizes[crtc.mode], preferred)
    return None


def _blanks_after_s(display: Any) -> float:
    times_s = [display.get_screen_saver().timeout]
    if display.has_extension("DPMS") and display.dpms_info().state:
        timeouts = display.dpms_get_timeouts()
        times_s += [timeouts.standby_timeout, timeouts.suspend_timeout, timeouts.off_timeout]
    return min((float(time_s) for time_s in times_s if time_s), default=math.inf)


def give_keyboard(window: int) -> None:
    """Send the keys to this window, unless a window manager decides that.

    Qt asks for them with the time of the last event that it saw. The server does not listen where another program's
    window has had them since (ICCCM 4.1.7), as a command's has that the desk ran.
    """
    from Xlib import X
    from Xlib.error import CatchError

    def give(display: Any) -> None:
        if not is_managed(display):
            display.set_input_focus(window, X.RevertToParent, X.CurrentTime, onerror=CatchError())
            display.sync()

    _asked_x11(give)


def bring_forward(window: int) -> None:
    """Ask the window manager, as a pager does (EWMH, _NET_ACTIVE_WINDOW); without one, no click hides a window."""
    from Xlib import X
    from Xlib.protocol.event import ClientMessage

    def ask(display: Any) -> None:
        active, of_pager = display.intern_atom("_NET_ACTIVE_WINDOW"), 2
        message = ClientMessage(window=window, client_type=active, data=(32, [of_pager, X.CurrentTime, 0, 0, 0]))
        display.screen().root.send_event(message, X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        display.sync()

    _asked_x11(ask)


def is_managed(display: Any) -> bool:
    """Whether a window manager is at work: one that has ended may have left its name, but not the window it names."""
    from Xlib import Xatom
    from Xlib.error import BadWindow

    named = display.intern_atom("_NET_SUPPORTING_WM_CHECK")
    found = display.screen().root.get_full_property(named, Xatom.WINDOW)
    try:
        return bool(found and display.create_resource_object("window", found.value[0]).get_attributes())
    except BadWindow:
        return False


def raise_priority() -> tuple[str, Callable[[], None]] | None:
    """Raise the priority of this thread and of what it starts, and how to undo it; None without the right.

    A nice value and no real-time class: a loop of that class that never sleeps would starve the X server.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    for nice in NICE:
        if nice < before:
            try:
                os.setpriority(os.PRIO_PROCESS, 0, nice)
            except PermissionError:
                continue
            return f"nice {nice}", lambda: os.setpriority(os.PRIO_PROCESS, 0, before)
    return None


def forbid_core_dumps() -> None:
    """No picture of this process's memory on the disk, neither in a file nor handed to a program that collects such."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_DUMPABLE, 0, 0, 0, 0)  # a collector does not heed the limit, core(5)


def key_legends() -> Legends:
    """By the X server's keyboard map and the group in use (XkbGetState); empty without a display."""
    try:
        x11, xkb = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libxkbcommon.so.0")
    except OSError:
        return {}
    x11.XOpenDisplay.restype, x11.XkbKeycodeToKeysym.restype = ctypes.c_void_p, ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    if not display:
        return {}
    state = (ctypes.c_ubyte * 32)()  # XkbStateRec, whose first byte is the group
    x11.XkbGetState(display, _CORE_KEYBOARD, ctypes.byref(state))

    def typed(code: int, level: int) -> str:
        groups = dict.fromkeys((state[0], 0))  # a key may have fewer groups than the keyboard
        symbols = (x11.XkbKeycodeToKeysym(display, ctypes.c_ubyte(code), group, level) for group in groups)
        character = chr(xkb.xkb_keysym_to_utf32(ctypes.c_uint32(next(filter(None, symbols), 0))))
        return character if character.isprintable() and not character.isspace() else ""

    found = {code: typed(code, 0) + typed(code, 1) for code in range(_FIRST_CODE, _LAST_CODE + 1)}
    x11.XCloseDisplay(display)
    return found


@contextmanager
def key_presser(display: str | None = None) -> Iterator[PressKey]:
    """The X server's XTEST extension, as the presses of a keyboard go through the server."""
    from Xlib import XK, X
    from Xlib.display import Display
    from Xlib.ext import xtest

    server = Display(display)
    if not server.has_extension("XTEST"):
        raise EquipmentFailure("The X server has no XTEST extension, so no program can press keys.")

    def press(key: str, down: bool) -> None:  # noqa: FBT001 - as the other systems'
        code = server.keysym_to_keycode(XK.string_to_keysym(key))
        xtest.fake_input(server, X.KeyPress if down else X.KeyRelease, code)
        server.sync()

    with closing(server):
        yield press
