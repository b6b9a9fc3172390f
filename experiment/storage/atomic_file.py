"""Files that are there whole or as they were before, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from experiment.errors import EquipmentFailure

OWNER_ONLY, EVERYBODY = 0o600, 0o666  # less what the user's umask takes away


def write_whole(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """The file with this content (a text in UTF-8), or as it was before; EquipmentFailure if it cannot be.

    `private`: only its owner may read it, where the system knows owners (not Windows).
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(OWNER_ONLY if private else EVERYBODY)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        why = f"{error.strerror}. Close it in other programs, or free the disk"
        raise EquipmentFailure(f"{path} cannot be saved: {why}.") from error


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
