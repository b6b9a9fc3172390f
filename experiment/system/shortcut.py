"""An icon on the desktop that starts the program, in the form that the system has for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import list2cmdline
from typing import Any

from experiment.errors import EquipmentFailure
from experiment.storage.atomic_file import write_whole
from experiment.system.facts import command_output

NAME = "Day Four"
NOT_HERE = "{} has no icons that this command can make. Start the program from its folder: ./dayfour"
_MINIMISED = 7  # WshShortcut.WindowStyle
_IN_QUOTES = str.maketrans({one: f"\\{one}" for one in '"`$\\'} | {"%": "%%"})


def make_shortcut(root: Path, options: Sequence[str]) -> Path:
    """Put the icon on this user's desktop; its file. `root`: the project's folder, `options`: for the program.

    EquipmentFailure if the system or the user has no desktop.
    """
    if sys.platform == "win32":
        return windows_link(root / "dayfour.cmd", options, _windows_shell())
    if sys.platform == "darwin":
        raise EquipmentFailure(NOT_HERE.format("macOS"))
    return linux_entry(root / "dayfour", options, _linux_desktop())


def linux_entry(program: Path, options: Sequence[str], desktop: Path) -> Path:
    """A desktop entry there. Source: the Desktop Entry Specification 1.5, "The Exec key"."""
    started = " ".join(f'"{word.translate(_IN_QUOTES)}"' for word in (str(program), *options))
    lines = (
        "[Desktop Entry]", "Type=Application", f"Name={NAME}", "Comment=Sessions of the study",
        f"Exec={started.replace(chr(92), 2 * chr(92))}", f"Path={program.parent}", "Icon=applications-science",
        "Terminal=false", "",
    )  # fmt: skip
    path = desktop / "dayfour.desktop"
    write_whole(path, "\n".join(lines))
    path.chmod(0o755)
    command_output("gio", "set", str(path), "metadata::trusted", "true")  # GNOME asks for it; others have no gio
    return path


def _linux_desktop() -> Path:
    named = (command_output("xdg-user-dir", "DESKTOP") or "").strip()
    found = Path(named) if named else Path.home() / "Desktop"
    if not found.is_dir() or found == Path.home():  # which xdg-user-dir says where there is none
        raise EquipmentFailure(f"This user has no desktop folder ({found}). {NOT_HERE.format('This desktop')}")
    return found


def windows_link(program: Path, options: Sequence[str], shell: Any) -> Path:
    """A link there, whose console window stays minimised. `shell`: Windows' own WScript.Shell."""
    path = Path(shell.SpecialFolders("Desktop")) / f"{NAME}.lnk"
    link = shell.CreateShortcut(str(path))
    link.TargetPath, link.Arguments = str(program), list2cmdline(options)
    link.WorkingDirectory, link.WindowStyle, link.Description = str(program.parent), _MINIMISED, NAME
    link.Save()
    return path


def _windows_shell() -> Any:
    try:
        from win32com.client import Dispatch

        return Dispatch("WScript.Shell")
    except Exception as error:  # a COM error of its own, or no pywin32
        raise EquipmentFailure(NOT_HERE.format("This Windows")) from error
