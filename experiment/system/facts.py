"""What can be asked of a computer, whichever system it runs: the answers, and who gives them.

None is "this system does not tell". `Linux`, `Windows` and `Mac` ask the real ones.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PATIENCE_S = 3.0  # a tool of the system answers within a moment

PressKey = Callable[[str, bool], None]
"""Presses a key (`space`, or a digit from 1), or lets it go (False)."""

Legends = dict[int, str]
"""What keys type in the layout in use, alone and with shift ("aA", "&1"), by their codes in `screens/keynames`. A dead
key types nothing by itself, and has no character here.
"""


@dataclass(frozen=True)
class ScreenMode:
    """The pixels that the main screen is driven with, those of its panel, and how programs are scaled (1: not)."""

    width_px: int
    height_px: int
    native_px: tuple[int, int] | None
    scaling: float | None


@dataclass(frozen=True)
class Power:
    """Whether the processor is kept slow to save power, and which setting says so."""

    saves: bool
    setting: str


@dataclass(frozen=True)
class Volume:
    """The file system that a folder is on ("ext4"), and whether it lies on another computer."""

    kind: str
    far: bool


class Computer(Protocol):
    """Who answers."""

    def screen(self) -> ScreenMode | None:
        """How the main screen is driven."""

    def blanks_after_s(self) -> float | None:
        """After how long without a key the screen goes dark; infinity if it never does."""

    def power(self) -> Power | None:
        """Whether power is saved."""

    def volume(self, folder: Path) -> Volume | None:
        """What an existing folder is on."""

    def zone(self) -> str | None:
        """The time zone's name ("Europe/Berlin")."""

    def synchronised(self) -> bool | None:
        """Whether the clock is kept right over the network."""


Said = Callable[..., str | None]


def command_output(*command: str) -> str | None:
    """What a tool of the system prints; None if it is missing, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


FAR = ("nfs", "cifs", "smb", "9p", "sshfs", "afs", "webdav", "davfs", "ncpfs", "ceph", "glusterfs", "lustre", "vboxsf")
"""Beginnings of the names of file systems that lie on other computers ("nfs4", "smbfs", "fuse.sshfs", "smb3")."""


def mounted_volume(folder: Path) -> Volume | None:
    """What a folder is on, by the system's list of mounts (Linux, macOS)."""
    import psutil

    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    for parent in (folder.resolve(), *folder.resolve().parents):
        if kind := mounts.get(parent):
            return Volume(kind, kind.lower().removeprefix("fuse.").startswith(FAR))
    return None


def linked_zone(localtime: Path) -> str | None:
    """The zone that a link such as /etc/localtime names by where it points to; None if it is none."""
    parts = localtime.resolve().parts if localtime.is_symlink() else ()
    return "/".join(parts[parts.index("zoneinfo") + 1 :]) or None if "zoneinfo" in parts else None
