"""Small disks of their own, for tests of full ones; only root can mount them."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system in memory with so much room, mounted on a new folder; skips the test where that is not allowed."""
    folder.mkdir()
    if not _done("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)):
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        _done("umount", "--lazy", str(folder))


def resize(folder: Path, kilobytes: int, access: str = "rw") -> None:
    """The small disk gets another size, as when somebody frees it; `access` "ro": it can only be read from now on."""
    assert _done("mount", "-o", f"remount,{access},size={kilobytes}k", str(folder))


def _done(*command: str) -> bool:
    return (
        shutil.which(command[0]) is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )
