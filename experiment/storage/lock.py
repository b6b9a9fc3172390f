"""Files that one process at a time has, among all computers that share the folder: the lock goes with the process.

A growing file and a table do without where a folder locks nothing. A file to which several processes add does not:
there a second lock is granted, as it would be to somebody else, and is refused here.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import uniform

from experiment.errors import BadInput, EquipmentFailure

LOCK = ".lock"
PATIENCE_S, WAIT_S, PAUSE_S = 5.0, 20.0, 0.01
_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0)


def is_written(path: Path) -> bool:
    """Whether a process that is alive writes to this file; not where it cannot be opened, which reading it tells."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False
    try:
        _lock(descriptor)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Nobody else is in such a context for this folder; without a lock where it cannot lock, or is held for too long.

    So it serves where two at once do no harm that the next one does not mend.
    """
    descriptor = None
    with suppress(OSError):
        descriptor = open_in_turn(folder / LOCK, PATIENCE_S, create=True)
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)


def open_in_turn(path: Path, patience_s: float, *, create: bool) -> int | None:
    """The file's descriptor, locked once nobody else has it; None if that takes longer."""
    until_s = time.monotonic() + patience_s
    while True:
        with suppress(BlockingIOError):
            return open_exclusive(path, create=create)
        if time.monotonic() >= until_s:
            return None
        time.sleep(uniform(PAUSE_S, 3 * PAUSE_S))


def open_exclusive(path: Path, *, create: bool) -> int:
    """The file's descriptor, locked; BlockingIOError if somebody else has it."""
    descriptor = os.open(path, _FLAGS | (os.O_CREAT if create else 0), 0o644)
    try:
        _lock(descriptor)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


# A lock belongs to whoever opened the file, and goes with the process, however it dies. A folder on a network that
# knows no locks has to do without.
if sys.platform == "win32":
    import msvcrt

    _FAR = 2**30  # nobody can read a locked byte, so it is one that no file has

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(errno.EAGAIN, "another program writes to it") from error
        except OSError:
            pass
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(errno.EAGAIN, "another program writes to it") from error
        except OSError:
            pass


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
    descriptor = _opened(path, WAIT_S)
    if descriptor is None:
        raise EquipmentFailure(
            f"{path} has been in use for {WAIT_S:.0f} s. Check which other computer uses it, and try again."
        )
    try:
        _check_locks(path)
        yield LockedFile(path, descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path, patience_s: float) -> int | None:
    """The descriptor, or None as long as somebody else has it."""
    try:
        return open_in_turn(path, patience_s, create=False)
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
    second = _opened(path, 0.0)
    if second is not None:
        os.close(second)
        raise EquipmentFailure(
            f"The folder {path.parent} cannot lock files, so two assistants could get the same place. Nothing was "
            "recorded. Move it to a disk of this computer or a network folder that supports file locks (ask your IT), "
            "then run `dayfour study join FOLDER`."
        )
