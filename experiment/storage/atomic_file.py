"""Files that are there whole or as they were before, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from experiment.errors import EquipmentFailure
from experiment.storage.read_file import read_file

OWNER_ONLY, EVERYBODY = 0o600, 0o666  # less what the user's umask takes away
OWNER_FOLDER, ANY_FOLDER = 0o700, 0o777
PATIENCE_S, PAUSE_S = 1.0 if os.name == "nt" else 0.0, 0.005
# A new file of a name that nobody can foresee, in no case one that is there or that a link leads to.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def write_whole(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """The file with this content (a text in UTF-8), or as it was before; EquipmentFailure if it cannot be.

    `private`: only its owner may read it, where the system knows owners (not Windows). A link in its place is replaced,
    and what the link led to stays as it was.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if _is_already(path, data, private=private):
            return
        path.parent.mkdir(OWNER_FOLDER if private else ANY_FOLDER, parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(temporary, _NEW, OWNER_ONLY if private else EVERYBODY)
        try:
            _write(descriptor, data)
            _replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(path.parent)
    except OSError as error:
        why = f"{error.strerror}. Close it in other programs, or free the disk"
        raise EquipmentFailure(f"{path} cannot be saved: {why}.") from error


def _replace(temporary: Path, path: Path) -> None:
    """Windows replaces no file that somebody has open, be it for a moment's look: so it is tried for a moment."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        with suppress(PermissionError):
            temporary.replace(path)
            return
        time.sleep(PAUSE_S)
    temporary.replace(path)


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _is_already(path: Path, data: bytes, *, private: bool) -> bool:
    """Whether a file with just this content is there; a private one also with its rights, and not by a link."""
    try:
        there = path.lstat() if private else path.stat()
    except FileNotFoundError:
        return False
    is_private = os.name != "posix" or not stat.S_IMODE(there.st_mode) & 0o077
    is_same_size = stat.S_ISREG(there.st_mode) and there.st_size == len(data)
    return is_same_size and (is_private or not private) and read_file(path) == data


def sync_folder(folder: Path) -> None:
    """Let a new name outlive a power cut too, where folders can be synced: not on Windows, nor on every network."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
