"""The icon on the desktop starts the desk with the folders that were named."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiment.system.shortcut import linux_entry, windows_link
from tests.places import ROOT

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="a desktop of Linux")


def words_of(entry: Path) -> list[str]:
    """What the entry starts, as the Desktop Entry Specification reads it: a string, then quoted arguments."""
    read = RawConfigParser()
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(entry, encoding="utf-8")
    line = read["Desktop Entry"]["Exec"].replace("\\\\", "\\")
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
    return [re.sub(r"\\(.)", r"\1", word).replace("%%", "%") for word in words]


@pytest.mark.parametrize("name", ["plain", 'a "b" c', "50 % of $HOME`x`", "back\\slash", "Größe 字"])
def test_an_entry_starts_what_it_should(tmp_path: Path, name: str) -> None:
    """Program and options come out of the entry as they were, whatever characters are in them."""
    entry = linux_entry(tmp_path / name / "dayfour", ["--data", name], tmp_path)
    assert words_of(entry) == [str(tmp_path / name / "dayfour"), "--data", name]
    assert entry.stat().st_mode & 0o111 == 0o111 or sys.platform == "win32"


@on_linux
def test_the_command_puts_the_icon_on_the_desktop(tmp_path: Path) -> None:
    """With a desktop folder it is there, with the data folder named in full; without one it says so and ends with 4."""
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "experiment", "shortcut", "--data", "elsewhere/data"]
    refused = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (refused.returncode, "no desktop folder" in refused.stderr) == (4, True), refused.stderr
    (home / "Desktop").mkdir()
    subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=True)
    (entry,) = (home / "Desktop").iterdir()
    assert words_of(entry) == [str(ROOT / "dayfour"), "--data", str(tmp_path / "elsewhere" / "data")]


def test_a_link_of_windows_names_program_and_options() -> None:
    """Windows' own shell is asked for a link to the launcher, whose console stays out of the way."""
    saved: list[str] = []
    link = SimpleNamespace(Save=lambda: saved.append("link"))
    shell = SimpleNamespace(SpecialFolders=lambda _: "D:/Desktop", CreateShortcut=lambda _: link)
    path = windows_link(Path("C:/day four/dayfour.cmd"), ["--data", "D:/my data"], shell)
    assert (path.name, saved, link.WindowStyle) == ("Day Four.lnk", ["link"], 7)
    assert (link.TargetPath, link.Arguments) == (str(Path("C:/day four/dayfour.cmd")), '--data "D:/my data"')
