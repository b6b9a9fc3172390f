"""A copy of a transcript in the user's own folder, for as long as the data folder does not take it.

It outlives this process as soon as it is there, and whoever starts the session again finds it and has it put back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Any

from experiment.errors import EquipmentFailure
from experiment.storage.append_file import GrowingFile
from experiment.storage.atomic_file import write_whole
from experiment.storage.read_file import read_file

LOOK_S = 0.5
PREFIX, PLACE = "dayfour-rescued-", "place.txt"


class Rescue:
    """Looks after a growing file in a thread of its own: copies it while it is in trouble, then drops the copy."""

    def __init__(self, file: GrowingFile[Any]) -> None:
        self._file, self._copy, self._size = file, RescueCopy(file.path), 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="rescue", daemon=True)
        self._thread.start()

    def close(self, unsaved: bytes | None) -> Path | None:
        """End: the copy goes if nothing is `unsaved`, else holds all of that; where it is, None if there is none."""
        self._over.set()
        self._thread.join()
        if unsaved is None:
            self._copy.remove()
            return None
        return self._copy.write(unsaved)

    def _look_after(self) -> None:
        while not self._over.wait(LOOK_S):
            with suppress(MemoryError):
                if self._file.trouble:
                    self._follow(self._file.content())
                elif self._file.is_saved():
                    self._copy.remove()
                    self._size = 0

    def _follow(self, content: bytes) -> None:
        if len(content) != self._size and self._copy.write(content):
            self._size = len(content)


class RescueCopy:
    """The copy of one file: in the user's own folder, else among the temporary files."""

    def __init__(self, original: Path) -> None:
        self._original, self._path = original, Path()

    def write(self, content: bytes) -> Path | None:
        """The copy with this content, where it outlives a power cut; None if it cannot be written anywhere."""
        for folder in () if self._path.name else _folders():
            with suppress(OSError):
                self._path = Path(mkdtemp(prefix=PREFIX, dir=folder)) / self._original.name
                if self._is_written(str(self._original.absolute()).encode(), PLACE) and self._is_written(content):
                    return self._path
                self.remove()
        return self._path if self._path.name and self._is_written(content) else None

    def remove(self) -> None:
        """Not needed any more."""
        if self._path.name:
            with suppress(OSError):
                _remove(self._path)
            self._path = Path()

    def _is_written(self, content: bytes, name: str = "") -> bool:
        path = self._path.with_name(name) if name else self._path
        with suppress(OSError, EquipmentFailure):
            write_whole(path, content, private=True)
            return read_file(path) == content
        return False


def find_rescued(original: Path) -> Path | None:
    """A copy that goes on where this file, which may be gone, ends; the longest one, None if there is none."""
    here = b""
    with suppress(FileNotFoundError):
        here = read_file(original)
    return _longest(_longer(original, here))


def put_back(original: Path) -> Path | None:
    """Let the file be what a copy of it holds that goes on where it ends; that copy's place, None if there is none."""
    copy = find_rescued(original)
    if copy is not None:
        content = read_file(copy)
        write_whole(original, content)
        if read_file(original) == content:
            with suppress(OSError):
                _remove(copy)
    return copy


def find_originals(folder: Path) -> list[Path]:
    """The files within a folder of which a copy holds what they do not."""
    originals = {original for _, original in _copies() if folder.absolute() in original.parents}
    return sorted(filter(_lacks, originals))


def find_copy(original: Path) -> Path | None:
    """The copy to tell of: that goes on where the file ends, or else any, also of a file that cannot be read."""
    with suppress(OSError):
        if copy := find_rescued(original) or next(iter(find_unlike(original)), None):
            return copy
        read_file(original)
        return None  # the file has all that its copies have
    return _longest(_copies_of(original))


def find_unlike(original: Path) -> list[Path]:
    """Copies with which a file has only its beginning in common, so that nobody knows which of them is right."""
    with suppress(FileNotFoundError):
        here = read_file(original)
        others = ((copy, read_file(copy)) for copy in _copies_of(original))
        whole = here[: here.rfind(b"\n") + 1]
        return [copy for copy, there in others if not here.startswith(there) and not there.startswith(whole)]
    return []


def _lacks(original: Path) -> bool:
    """Whether a file lacks something that a copy holds, or cannot be read, as whoever restores it is told."""
    with suppress(OSError):
        return bool(find_rescued(original) or find_unlike(original))
    return True


def _longest(copies: Iterable[Path]) -> Path | None:
    return max(copies, key=lambda copy: copy.stat().st_size, default=None)


def _longer(original: Path, here: bytes) -> Iterator[Path]:
    """Copies that this user made, and that hold all of the file's whole lines and more."""
    whole = here[: here.rfind(b"\n") + 1]
    for copy in _copies_of(original):
        with suppress(OSError):
            if copy.stat().st_size > len(whole) and read_file(copy).startswith(whole):
                yield copy


def _copies_of(original: Path) -> Iterator[Path]:
    return (copy for copy, place in _copies() if place == original.absolute())


def _copies() -> Iterator[tuple[Path, Path]]:
    """All copies of this user, each with the place of its original."""
    for folder in _folders():
        for place in Path(folder).glob(f"{PREFIX}*/{PLACE}"):
            with suppress(OSError, ValueError):
                if os.name != "posix" or place.stat().st_uid == os.getuid():
                    original = Path(place.read_text(encoding="utf-8"))
                    yield place.with_name(original.name), original


def _remove(copy: Path) -> None:
    for path in (copy, copy.with_name(PLACE)):
        path.unlink(missing_ok=True)
    copy.parent.rmdir()


def _folders() -> tuple[str, str]:
    return os.path.expanduser("~"), gettempdir()  # noqa: PTH111 - Path.home fails where there is none
