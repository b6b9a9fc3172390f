"""Files that one process at a time has, among all computers that share the folder: the lock goes with the process."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".lock"
PATIENCE_S, PAUSE_S = 5.0, 0.01
_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0)


def is_written(path: Path) -> bool:
    """Whether a process that is alive writes to this file."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
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
    descriptor, until_s = None, time.monotonic() + PATIENCE_S
    while descriptor is None and time.monotonic() < until_s:
        try:
            descriptor = open_exclusive(folder / LOCK, create=True)
        except BlockingIOError:  # noqa: PERF203 - most often there is one round
            time.sleep(PAUSE_S)
        except OSError:
            break
    try:
        yield
    finally:
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)


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
