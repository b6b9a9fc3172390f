"""Windows: user32, gdi32 and kernel32 by ctypes, and the tools powercfg and w32tm, read in any language.

Not tried on a real Windows.
"""

from __future__ import annotations

import ctypes
import math
import re
import signal
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from experiment.errors import EquipmentFailure
from experiment.system.facts import Legends, Power, PressKey, Said, ScreenMode, Volume, command_output

POWER_SAVER = "a1841308-3541-4fab-bc81-f71556f20b4a"  # the scheme's GUID; its name is translated
_HIGH_PRIORITY, _ABOVE_NORMAL_PRIORITY = 0x80, 0x8000  # SetPriorityClass
_REMOTE_DRIVE = 4  # GetDriveTypeW, DRIVE_REMOTE
_WIDTH, _HEIGHT, _WHOLE_WIDTH, _DPI = 8, 10, 118, 88  # GetDeviceCaps: HORZRES, VERTRES, DESKTOPHORZRES, LOGPIXELSX
_DEVMODE_BYTES, _DEVMODE_SIZE_AT, _DEVMODE_PIXELS_AT = 220, 68, 172  # DEVMODEW: dmSize, dmPelsWidth
_SAVER_TIMEOUT, _SAVER_ACTIVE = 0x0E, 0x10  # SystemParametersInfoW: SPI_GETSCREENSAVETIMEOUT, SPI_GETSCREENSAVEACTIVE
_KEYBOARD, _UP, _BY_SCAN_CODE = 1, 0x0002, 0x0008  # INPUT_KEYBOARD; KEYEVENTF_KEYUP, _SCANCODE
_SCAN_CODES = {"space": 0x39, **{str(digit): 1 + digit for digit in range(1, 10)}}
_VIRTUAL_KEYS = (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0xBA, 0xC1), *range(0xDB, 0xE0), 0xE2)
_SHIFT, _IS_DOWN, _TO_SCAN_CODE, _CHANGE_NO_STATE = 0x10, 0x80, 0, 0x04  # VK_SHIFT; MapVirtualKeyExW; ToUnicodeEx
# Microsoft, "Naming Files, Paths, and Namespaces": devices, with any ending, and what no name may hold or end in.
_NO_NAME = re.compile(r'(?:con|prn|aux|nul|(?:com|lpt)[1-9])(?:\.|\Z)|.*(?:[<>:"|?*\x00-\x1f]|[. ]\Z)', re.IGNORECASE)
_STAYS_SET, _IS_CLEAR = 1, 0  # CreateEventW
_SYNCHRONIZE, _NO_CHILD, _FOREVER, _IS_SET = 0x00100000, 0, -1, 0  # OpenEventW, WaitForSingleObject
_QUIET_ERRORS, _NO_HEAP = 0x0001 | 0x0002, 1  # SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX; WerSetFlags


def libraries() -> Any:
    """Windows' libraries; they exist nowhere else.

    Our own handles on them: `ctypes.windll` is one for all, and pyglet gives its functions the types that it needs.
    """
    return ctypes.LibraryLoader(vars(ctypes)["WinDLL"])


@dataclass(frozen=True)
class Windows:
    """`windll` are the system's libraries, `command_output` runs its tools."""

    windll: Any
    command_output: Said = command_output

    def screen(self) -> ScreenMode:
        """Native is the largest mode that the driver offers, as far as that can be told."""
        user32, gdi32 = self.windll.user32, self.windll.gdi32
        surface = user32.GetDC(None)
        width, whole, dpi = (gdi32.GetDeviceCaps(surface, what) for what in (_WIDTH, _WHOLE_WIDTH, _DPI))
        height = gdi32.GetDeviceCaps(surface, _HEIGHT)
        user32.ReleaseDC(None, surface)
        # A program that Windows scales sees fewer pixels, one that it does not sees more dots per inch.
        scaling = max(whole / width, dpi / 96)
        largest = max(self._modes(), key=math.prod, default=None)
        return ScreenMode(whole, round(height * whole / width), largest, scaling)

    def blanks_after_s(self) -> float | None:
        """The sooner of screen saver and dark screen, on mains power."""
        printed = self.command_output("powercfg", "/query", "SCHEME_CURRENT", "SUB_VIDEO", "VIDEOIDLE")
        active, timeout = ctypes.c_int(), ctypes.c_int()
        ask = self.windll.user32.SystemParametersInfoW
        ask(_SAVER_ACTIVE, 0, ctypes.byref(active), 0)
        ask(_SAVER_TIMEOUT, 0, ctypes.byref(timeout), 0)
        times_s = [dark_after_s(printed) if printed else None, float(timeout.value) if active.value else math.inf]
        known_s = [time_s or math.inf for time_s in times_s if time_s is not None]
        return min(known_s) if printed or active.value else None

    def power(self) -> Power | None:
        """The active power scheme, and battery saver."""
        status = (ctypes.c_ubyte * 12)()  # SYSTEM_POWER_STATUS; byte 3 is SystemStatusFlag
        if self.windll.kernel32.GetSystemPowerStatus(status) and status[3] == 1:
            return Power(saves=True, setting="battery saver")
        printed = self.command_output("powercfg", "/getactivescheme")
        return scheme(printed) if printed else None

    def volume(self, folder: Path) -> Volume:
        """By the drive."""
        drive = folder.resolve().drive or str(folder.resolve())[:2]
        far = drive.startswith("\\\\") or self.windll.kernel32.GetDriveTypeW(f"{drive}\\") == _REMOTE_DRIVE
        return Volume("a network drive" if far else "a local drive", far)

    def zone(self) -> str | None:
        """In Windows' words."""
        return time.tzname[0] or None

    def synchronised(self) -> bool | None:
        """As w32tm has it; without administrator's rights it may not tell."""
        printed = self.command_output("w32tm", "/query", "/status")
        return None if printed is None else is_synchronised(printed)

    def _modes(self) -> list[tuple[int, int]]:
        """Every size that the driver offers on the main screen."""
        found, buffer = list[tuple[int, int]](), ctypes.create_string_buffer(_DEVMODE_BYTES)
        struct.pack_into("<H", buffer, _DEVMODE_SIZE_AT, _DEVMODE_BYTES)
        while self.windll.user32.EnumDisplaySettingsW(None, len(found), buffer):
            width, height = struct.unpack_from("<II", buffer, _DEVMODE_PIXELS_AT)
            found.append((width, height))
        return found


def dark_after_s(printed: str) -> float | None:
    """From `powercfg /query ... VIDEOIDLE`: seconds on mains power, the last but one number; 0 is never."""
    numbers = re.findall(r"0x([0-9a-fA-F]{8})\s*$", printed, re.MULTILINE)
    if len(numbers) < 2:  # of mains and of battery
        return None
    return float(int(numbers[-2], 16)) or math.inf


def scheme(printed: str) -> Power | None:
    """From `powercfg /getactivescheme`: the scheme's name in brackets, and whether it is the one that saves."""
    found = re.search(r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\s*(?:\((.*)\))?", printed)
    return Power(found[1].lower() == POWER_SAVER, f"power scheme {found[2] or found[1]}") if found else None


def is_synchronised(printed: str) -> bool | None:
    """From `w32tm /query /status`: its first line ends in the leap indicator, of which 3 says unsynchronised."""
    found = re.match(r"[^\n]*?:\s*(\d)\s*\(", printed.lstrip())
    return found[1] != "3" if found else None


def raise_priority() -> tuple[str, Callable[[], None]] | None:
    """HIGH_PRIORITY_CLASS for this process, and how to undo it; never REALTIME, which starves the mouse."""
    kernel32 = libraries().kernel32
    kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel32.GetCurrentProcess())
    before = kernel32.GetPriorityClass(process)
    for wanted, name in ((_HIGH_PRIORITY, "high priority"), (_ABOVE_NORMAL_PRIORITY, "above normal priority")):
        if kernel32.SetPriorityClass(process, wanted) and kernel32.GetPriorityClass(process) == wanted:
            return name, lambda: kernel32.SetPriorityClass(process, before)
    return None


def key_legends(windll: Any = None) -> Legends:
    """By the keyboard layout of the window that has the keyboard; codes are virtual key codes."""
    user32 = (windll or libraries()).user32
    user32.GetForegroundWindow.restype = user32.GetKeyboardLayout.restype = ctypes.c_void_p
    window = ctypes.c_void_p(user32.GetForegroundWindow())
    layout = ctypes.c_void_p(user32.GetKeyboardLayout(user32.GetWindowThreadProcessId(window, None)))

    def typed(code: int, *, shifted: bool) -> str:
        state, buffer = (ctypes.c_ubyte * 256)(), ctypes.create_unicode_buffer(8)
        state[_SHIFT] = _IS_DOWN if shifted else 0
        scan_code = user32.MapVirtualKeyExW(code, _TO_SCAN_CODE, layout)
        count = user32.ToUnicodeEx(code, scan_code, state, buffer, len(buffer), _CHANGE_NO_STATE, layout)
        return buffer.value[:1] if count > 0 else ""

    return {code: typed(code, shifted=False) + typed(code, shifted=True) for code in _VIRTUAL_KEYS}


def unfit_name(path: PurePath) -> str | None:
    """The part of this path that Windows would drop letters of, take for a device, or refuse."""
    parts = (part for part in path.parts if part not in {path.anchor, ".."})
    return next((part for part in parts if _NO_NAME.match(part)), None)


def forbid_core_dumps() -> None:
    """No window and no report after a crash, and no heap in one that is made nevertheless."""
    kernel32 = libraries().kernel32
    kernel32.SetErrorMode(_QUIET_ERRORS)
    kernel32.WerSetFlags(_NO_HEAP)


def stop_switch(name: str) -> Callable[[], None]:
    """An event with this name, and what sets it."""
    kernel32 = libraries().kernel32
    kernel32.CreateEventW.restype = ctypes.c_void_p
    event = ctypes.c_void_p(kernel32.CreateEventW(None, _STAYS_SET, _IS_CLEAR, name))
    return lambda: kernel32.SetEvent(event)


def interrupt_at_stop(name: str) -> None:
    """Wait for the event with this name to be set, and then interrupt this process as Ctrl+C does."""
    kernel32 = libraries().kernel32
    kernel32.OpenEventW.restype = ctypes.c_void_p
    event = ctypes.c_void_p(kernel32.OpenEventW(_SYNCHRONIZE, _NO_CHILD, name))
    if kernel32.WaitForSingleObject(event, _FOREVER) == _IS_SET:
        signal.raise_signal(signal.SIGINT)


class _Mouse(ctypes.Structure):
    """MOUSEINPUT, the largest of what an INPUT can hold; never sent."""

    _fields_ = (("x", ctypes.c_int32), ("y", ctypes.c_int32), ("data", ctypes.c_uint32), ("flags", ctypes.c_uint32),
                ("time", ctypes.c_uint32), ("extra", ctypes.c_size_t))  # fmt: skip


class _Keyboard(ctypes.Structure):
    """KEYBDINPUT."""

    _fields_ = (("key", ctypes.c_uint16), ("scan", ctypes.c_uint16), ("flags", ctypes.c_uint32),
                ("time", ctypes.c_uint32), ("extra", ctypes.c_size_t))  # fmt: skip


class _Kind(ctypes.Union):
    _fields_ = (("mouse", _Mouse), ("keyboard", _Keyboard))


class _Input(ctypes.Structure):
    """INPUT (winuser.h)."""

    _fields_ = (("type", ctypes.c_uint32), ("of", _Kind))


@contextmanager
def key_presser(windll: Any = None) -> Iterator[PressKey]:
    """SendInput, by the keys' places on the keyboard: so readers of raw input hear them as those of a keyboard."""
    user32 = (windll or libraries()).user32

    def press(key: str, down: bool) -> None:  # noqa: FBT001 - as the other systems'
        keyboard = _Keyboard(scan=_SCAN_CODES[key], flags=_BY_SCAN_CODE | (0 if down else _UP))
        given = _Input(_KEYBOARD, _Kind(keyboard=keyboard))
        if user32.SendInput(1, ctypes.byref(given), ctypes.sizeof(given)) != 1:
            raise EquipmentFailure("Windows blocked the key press: another program or a locked screen prevents it.")

    yield press
