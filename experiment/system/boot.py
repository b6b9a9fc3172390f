"""Which computer this is, since when it runs, and how long by a clock that nobody can set."""

from __future__ import annotations

import platform
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from experiment.system.facts import command_output

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
LENGTH = 8  # characters of a boot's name: enough to tell a computer's starts apart


class Boot(NamedTuple):
    """A computer by its name in the network, and one of its starts; `uptime_s` ago, sleep included, if it is known."""

    computer: str = ""
    boot: str = ""
    uptime_s: float | None = None


def this_boot() -> Boot:
    """Of this computer. What the system does not tell is left empty."""
    return Boot(platform.node(), *_start())


def _start() -> tuple[str, float | None]:
    with suppress(OSError, AttributeError, ImportError):
        if sys.platform == "win32":
            import ctypes
            import winreg

            place = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                number = winreg.QueryValueEx(key, "BootId")[0]
            count = ctypes.windll.kernel32.GetTickCount64
            count.restype = ctypes.c_ulonglong
            return str(number), count() / 1000
        if sys.platform == "darwin":
            name = (command_output("sysctl", "-n", "kern.bootsessionuuid") or "").strip()
            return name[:LENGTH], round(time.clock_gettime(time.CLOCK_MONOTONIC), 3)
        return BOOT_ID.read_text(encoding="ascii")[:LENGTH], round(time.clock_gettime(time.CLOCK_BOOTTIME), 3)
    return "", None
