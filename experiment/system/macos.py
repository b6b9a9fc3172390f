"""macOS: CoreGraphics by ctypes, and the tool pmset. Not tried on a real Mac."""

from __future__ import annotations

import ctypes
import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiment.system.facts import (
    Legends,
    Power,
    PressKey,
    Said,
    ScreenMode,
    command_output,
    linked_zone,
    mounted_volume,
)

_GRAPHICS = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"
_CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
_FOUNDATION = "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation"
_NATIVE = 0x02000000  # IOGraphicsTypes.h, kDisplayModeNativeFlag
_INTERACTIVE, _DEFAULT = 0x21, 0x15  # sys/qos.h, QOS_CLASS_USER_INTERACTIVE and _DEFAULT
_NICE = -10
# HIToolbox/Events.h, kVK_ANSI_1 and so on: where the keys lie, whatever stands on them
_KEY_CODES = {"space": 49, **dict(zip("123456789", (18, 19, 20, 21, 23, 22, 26, 28, 25), strict=True))}
# By usage of the USB keyboard page: the key's code in HIToolbox/Events.h.
_CODES_OF_USAGES = {
    **dict(
        enumerate((0, 11, 8, 2, 14, 3, 5, 4, 34, 38, 40, 37, 46, 45, 31, 35, 12, 15, 1, 17, 32, 9, 13, 7, 16, 6), 4)
    ),
    **dict(enumerate((18, 19, 20, 21, 23, 22, 26, 28, 25, 29), 30)),
    **dict(enumerate((27, 24, 33, 30, 42, 42, 41, 39, 50, 43, 47, 44), 45)),
    100: 10,
}
_DISPLAY, _SHIFT, _NO_DEAD_KEYS = 3, 2, 1  # kUCKeyActionDisplay; shiftKey >> 8; kUCKeyTranslateNoDeadKeysMask


def libraries() -> tuple[Any, Any]:
    """CoreGraphics and CoreFoundation."""
    return ctypes.CDLL(_GRAPHICS), ctypes.CDLL(_FOUNDATION)


@dataclass(frozen=True)
class Mac:
    """`graphics` and `foundation` are the system's libraries, `command_output` runs its tools."""

    graphics: Any
    foundation: Any
    command_output: Said = command_output

    def screen(self) -> ScreenMode | None:
        """The main display; scaling 2 is a Retina display's usual one."""
        graphics = self.graphics
        graphics.CGDisplayCopyDisplayMode.restype = ctypes.c_void_p
        mode = graphics.CGDisplayCopyDisplayMode(graphics.CGMainDisplayID())
        if not mode:
            return None
        pixels, points = self._size("Pixel", mode), self._size("", mode)
        return ScreenMode(*pixels, self._native(), pixels[0] / points[0])

    def blanks_after_s(self) -> float | None:
        """The display's sleep."""
        minutes = settings(self.command_output("pmset", "-g") or "").get("displaysleep")
        return None if minutes is None else minutes * 60.0 or math.inf

    def power(self) -> Power | None:
        """Low power mode; Macs that know none do not list it."""
        known = settings(self.command_output("pmset", "-g") or "")
        if not known:
            return None
        low = known.get("lowpowermode", 0) == 1
        return Power(low, "low power mode" if low else "no low power mode")

    volume = staticmethod(mounted_volume)

    def zone(self) -> str | None:
        """Of /etc/localtime."""
        return linked_zone(Path("/etc/localtime"))

    def synchronised(self) -> bool | None:
        """Only an administrator may ask (systemsetup -getusingnetworktime)."""
        return None

    def _size(self, kind: str, mode: int) -> tuple[int, int]:
        sizes = []
        for side in ("Width", "Height"):
            ask = getattr(self.graphics, f"CGDisplayModeGet{kind}{side}")
            ask.restype = ctypes.c_size_t
            sizes.append(int(ask(ctypes.c_void_p(mode))))
        return sizes[0], sizes[1]

    def _native(self) -> tuple[int, int] | None:
        """The size of the mode that the panel was built for, in pixels."""
        graphics, foundation = self.graphics, self.foundation
        graphics.CGDisplayCopyAllDisplayModes.restype = foundation.CFArrayGetValueAtIndex.restype = ctypes.c_void_p
        foundation.CFArrayGetCount.restype = ctypes.c_long
        modes = ctypes.c_void_p(graphics.CGDisplayCopyAllDisplayModes(graphics.CGMainDisplayID(), None))
        for index in range(foundation.CFArrayGetCount(modes) if modes else 0):
            mode = foundation.CFArrayGetValueAtIndex(modes, ctypes.c_long(index))
            if graphics.CGDisplayModeGetIOFlags(ctypes.c_void_p(mode)) & _NATIVE:
                return self._size("Pixel", mode)
        return None


def settings(printed: str) -> dict[str, int]:
    """From `pmset -g`: each setting that is a number, by its name."""
    return {name: int(number) for name, number in re.findall(r"^\s*(\w+)\s+(\d+)\b", printed, re.MULTILINE)}


def key_legends(carbon: Any = None, foundation: Any = None, layout_data: Any = None) -> Legends:
    """By the current keyboard layout (UCKeyTranslate); codes are usages. To be called on the main thread."""
    if carbon is None:
        carbon, foundation = ctypes.CDLL(_CARBON), ctypes.CDLL(_FOUNDATION)
        layout_data = ctypes.c_void_p.in_dll(carbon, "kTISPropertyUnicodeKeyLayoutData")
    carbon.TISCopyCurrentKeyboardLayoutInputSource.restype = ctypes.c_void_p
    carbon.TISGetInputSourceProperty.restype = foundation.CFDataGetBytePtr.restype = ctypes.c_void_p
    source = ctypes.c_void_p(carbon.TISCopyCurrentKeyboardLayoutInputSource())
    data = carbon.TISGetInputSourceProperty(source, layout_data)
    if not data:
        return {}
    layout, kind = ctypes.c_void_p(foundation.CFDataGetBytePtr(ctypes.c_void_p(data))), carbon.LMGetKbdType()

    def typed(code: int, modifiers: int) -> str:
        dead, count, buffer = ctypes.c_uint32(), ctypes.c_ulong(), (ctypes.c_uint16 * 4)()
        carbon.UCKeyTranslate(
            layout, ctypes.c_uint16(code), ctypes.c_uint16(_DISPLAY), ctypes.c_uint32(modifiers), kind, _NO_DEAD_KEYS,
            ctypes.byref(dead), ctypes.c_ulong(len(buffer)), ctypes.byref(count), buffer,
        )  # fmt: skip
        return chr(buffer[0]) if count.value else ""

    return {usage: typed(code, 0) + typed(code, _SHIFT) for usage, code in _CODES_OF_USAGES.items()}


def raise_priority() -> tuple[str, Callable[[], None]] | None:
    """The quality of service of what a user waits for, for this thread; root gets a nice value besides."""
    system = ctypes.CDLL(None)
    if system.pthread_set_qos_class_self_np(_INTERACTIVE, 0) != 0:
        return None
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except PermissionError:
        return "user-interactive", lambda: system.pthread_set_qos_class_self_np(_DEFAULT, 0)

    def undo() -> None:
        os.setpriority(os.PRIO_PROCESS, 0, before)
        system.pthread_set_qos_class_self_np(_DEFAULT, 0)

    return f"user-interactive, nice {_NICE}", undo


def forbid_core_dumps() -> None:
    """No picture of this process's memory on the disk."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def key_presser(graphics: Any = None, foundation: Any = None) -> Iterator[PressKey]:
    """CGEventPost at the HID event tap. Without the right (Privacy, Accessibility) macOS drops presses silently."""
    if graphics is None:
        graphics, foundation = libraries()
    graphics.CGEventCreateKeyboardEvent.restype = ctypes.c_void_p

    def press(key: str, down: bool) -> None:  # noqa: FBT001 - as the other systems'
        event = ctypes.c_void_p(graphics.CGEventCreateKeyboardEvent(None, _KEY_CODES[key], down))
        graphics.CGEventPost(0, event)  # kCGHIDEventTap
        foundation.CFRelease(event)

    yield press
