"""A file that one process at a time adds to, among all computers that share its folder.

The lock is the one of `exclusive`. What is refused here and not there is a folder that locks nothing: there a second
lock is granted, as it would be to somebody else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import uniform

from experiment.errors import BadInput, EquipmentFailure
from experiment.storage.exclusive import open_exclusive

WAIT_S, PAUSE_S = 20.0, 0.01


class LockedFile:
    """The file while it is held, by its descriptor."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def read(self) -> bytes:
        """All of it."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return b"".join(iter(lambda: os.read(self._descriptor, 1 << 20), b""))

    def write(self, size: int, line: bytes) -> None:
        """Put the line in place of whatever follows the first `size` bytes; afterwards it outlives a power cut.

        EquipmentFailure if it cannot be: it says whether nothing follows them now.
        """
        try:
            os.ftruncate(self._descriptor, size)
            os.lseek(self._descriptor, size, os.SEEK_SET)
            while line:
                line = line[os.write(self._descriptor, line) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise EquipmentFailure(
                f"{self._path} cannot be written: {error.strerror}. {self._undo(size)} Free the disk, or connect the "
                "folder again, and repeat."
            ) from error

    def _undo(self, size: int) -> str:
        """Take away what follows the first `size` bytes; what is so then, in words."""
        try:
            os.ftruncate(self._descriptor, size)
            os.fsync(self._descriptor)
        except OSError:
            return "It may not have been recorded. Check with `dayfour study history`."
        return "Nothing was recorded."


@contextmanager
def lock_file(path: Path) -> Iterator[LockedFile]:
    """The file, which is there already, locked: nobody else writes to it as long as the context lasts.

    BadInput if it is not there, EquipmentFailure if somebody holds it for WAIT_S, or if its folder cannot lock.
    """
    descriptor = _waited_for(path)
    try:
        _check_locks(path)
        yield LockedFile(path, descriptor)
    finally:
        os.close(descriptor)


def _waited_for(path: Path) -> int:
    """The descriptor, once it is ours."""
    until_s = time.monotonic() + WAIT_S
    while (descriptor := _locked(path)) is None:
        if time.monotonic() > until_s:
            raise EquipmentFailure(
                f"{path} has been in use for {WAIT_S:.0f} s. Check which other computer uses it, and try again."
            )
        time.sleep(uniform(PAUSE_S, 3 * PAUSE_S))
    return descriptor


def _locked(path: Path) -> int | None:
    """The descriptor, or None while somebody else has it."""
    try:
        return open_exclusive(path, create=False)
    except BlockingIOError:
        return None
    except FileNotFoundError as error:
        raise BadInput(
            f"{path} does not exist. Reconnect its folder, or restore it from a copy. Only if the study has not begun "
            "yet, run `dayfour study init`; or check --data."
        ) from error
    except OSError as error:
        raise EquipmentFailure(
            f"{path} cannot be written: {error.strerror}. Check the folder's permissions."
        ) from error


def _check_locks(path: Path) -> None:
    """A second lock is refused, as another computer's would be."""
    second = _locked(path)
    if second is not None:
        os.close(second)
        raise EquipmentFailure(
            f"The folder {path.parent} cannot lock files, so two assistants could get the same place. Nothing was "
            "recorded. Move it to a disk of this computer or a network folder that supports file locks (ask your IT), "
            "then run `dayfour study join FOLDER`."
        )
