"""What Windows' own libraries answer on the Windows bench: what `system/` asks of them, once without a double."""

from __future__ import annotations

import json
import os
import tty
from typing import TYPE_CHECKING

import pytest

from tests.windows.bench import FOLDER, ROOT, Bench, on_windows

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.windows

DARK = """
from experiment.system.windows import Windows, libraries
computer, set_saver = Windows(libraries()), libraries().user32.SystemParametersInfoW
for is_active in (1, 0):
    set_saver(0x0F, 240, None, 0), set_saver(0x11, is_active, None, 0)
    print(computer.blanks_after_s())
"""
VOLUMES = """
import sys
from pathlib import Path
from experiment.system.windows import Windows, libraries
for folder in ("C:/", sys.argv[1], "//server/share/study"):
    print(Windows(libraries()).volume(Path(folder)).far)
"""
PRIORITY = """
from experiment.system import raised_priority
from experiment.system.windows import libraries
import ctypes
kernel32 = libraries().kernel32
kernel32.GetCurrentProcess.restype = ctypes.c_void_p
level = lambda: hex(kernel32.GetPriorityClass(ctypes.c_void_p(kernel32.GetCurrentProcess())))
before = level()
with raised_priority() as got:
    print(got, level())
print(level() == before)
"""
CRASHES = """
from experiment.system import no_core_dumps
from experiment.system.windows import libraries
no_core_dumps()
print(libraries().kernel32.GetErrorMode())
"""
KEYS = """
from experiment.system import key_legends
from experiment.system.windows import _Input
import ctypes
legends = key_legends()
print(legends[0x31], legends[0x50], ctypes.sizeof(_Input))
"""
BOOTS = r"""
import winreg
from experiment.system.boot import this_boot
place = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
key = winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, place)
winreg.SetValueEx(key, "BootId", 0, winreg.REG_DWORD, 57)
boots = [this_boot() for _ in range(2)]
winreg.DeleteValue(key, "BootId")
print(boots[0].boot, 0 < boots[0].uptime_s <= boots[1].uptime_s < 1e7, this_boot().boot == "")
"""
PORTS = """
from experiment.errors import EquipmentFailure
from experiment.signals.serial_port import open_serial
try:
    open_serial("COM77", 115200, 1.0)
except EquipmentFailure as error:
    print(error)
"""
CODES = """
from experiment.signals.serial_port import open_serial
open_serial("COM9", 115200, 1.0).write(b"AB")
"""
CORES = """
from experiment.system.processes import map_on_all_cores
print(map_on_all_cores(abs, range(-20, 0), few=1, chunk=5) == list(range(20, 0, -1)))
"""
ANSWERS = {
    "the screen saver": (DARK, ["240.0", "None"]),
    "this program's priority": (PRIORITY, ["high priority 0x80", "True"]),
    "no window after a crash": (CRASHES, ["3"]),
    "what keys type": (KEYS, ["1! pP 40"]),  # 40: sizeof(INPUT) on 64 bits
    "the start of the computer": (BOOTS, ["57 True True"]),
    "work on all cores": (CORES, ["True"]),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_windows_answers(what: str) -> None:
    """The answer of Windows' own function is read as it is meant."""
    code, expected = ANSWERS[what]
    status, out, told = Bench().python(code)
    assert (status, out.splitlines()) == (0, expected), told


def test_drives_and_shares_are_told_apart(tmp_path: Path) -> None:
    """A disk's drive letter is near, a share by its name is far."""
    status, out, told = Bench().python(VOLUMES, tmp_path)
    assert (status, out.split()) == (0, ["False", "False", "True"]), told


def test_a_serial_port_that_is_not_there_is_named() -> None:
    """Whoever set up the protocol hears which port, and which there are."""
    status, out, told = Bench().python(PORTS)
    assert (status, "COM77 cannot be opened" in out, "no serial port" in out) == (0, True, True), told


def test_the_icon_is_put_on_the_desktop() -> None:
    """`shortcut` makes a link that starts the launcher with the options that were given."""
    desktop = FOLDER / "prefix" / "drive_c" / "users"
    try:
        status, _, told = Bench().dayfour("shortcut", "--data", ROOT / "Läb Süd")
        assert status == 0, told
        (link,) = desktop.glob("*/Desktop/Day Four.lnk")
        content = link.read_bytes()
    finally:
        for one in desktop.glob("*/Desktop/Day Four.lnk"):
            one.unlink()
    assert on_windows(ROOT / "dayfour.cmd").encode() in content
    assert f'--data "{on_windows(ROOT / "Läb Süd")}"'.encode("utf-16-le") in content


def test_a_code_goes_out_on_a_serial_port() -> None:
    """A port that is there is opened, and takes bytes."""
    port = FOLDER / "prefix" / "dosdevices" / "com9"
    ours, theirs = os.openpty()
    tty.setraw(ours)
    port.symlink_to(os.ttyname(theirs))
    try:
        status, _, told = Bench().python(CODES)
    finally:
        port.unlink()
    assert (status, os.read(ours, 10)) == (0, b"AB"), told


def test_the_computer_is_checked(small_display: str, tmp_path: Path) -> None:
    """`check` answers what it can know on the bench, and no answer is an error of the program."""
    status, out, told = Bench(display=small_display).dayfour(
        "check", "--no-press", "--json", "--data", tmp_path / "data"
    )
    assert out, (status, told)
    found = {one["name"]: one for one in json.loads(out)}
    assert not [one["found"] for one in found.values() if "Error" in one["found"]], told
    known = {name: found[name]["value"] for name in ("resolution", "scaling", "priority", "file locks", "data place")}
    assert [*known.values()] == ["1280 x 720", 100.0, "high priority", True, "a local drive"]
    assert [found[name]["severity"] for name in ("versions", "pictures", "size")] == ["ok"] * 3
