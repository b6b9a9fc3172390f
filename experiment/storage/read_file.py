"""Files are read only if they are files, and not larger than they may be."""

from __future__ import annotations

import codecs
import errno
import os
import stat
from pathlib import Path

from experiment.storage.limits import FILE_BYTES, MEBIBYTE

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def read_file(path: Path, most: int = FILE_BYTES) -> bytes:
    """All bytes of a file; OSError, in words for a person, for one of more than `most` bytes.

    Also for a pipe, a socket or a device, which might never end. A link is followed: data sets may consist of links.
    """
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(descriptor, path)
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {max(1, most // MEBIBYTE)} MiB", str(path))
    return data


def read_text(path: Path, most: int = FILE_BYTES) -> str:
    """The text of a file in UTF-8, or in UTF-16 with the byte order mark that Windows editors write.

    OSError as above, UnicodeDecodeError for another encoding.
    """
    data = read_file(path, most)
    return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")


def read_first_line(path: Path) -> bytes:
    """The first line of a file, with its newline; OSError as above."""
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(descriptor, path)
        return file.readline(FILE_BYTES)


def _check_regular(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def is_open_to_others(path: Path) -> bool:
    """Whether other users of this computer may read a file, where the system knows owners (not Windows)."""
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
