"""A growing file that a thread of its own brings to the disk, so that a slow, full or lost disk delays nobody."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

RETRY_S = 0.5
_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0)


class GrowingFile:
    """What is said is kept in memory, and the file is kept equal to it: at once if the disk allows, else once it does.

    What the operating system has taken outlives this process; what was synced outlives a power cut. `trouble` says in
    words why the file is behind, or is None.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        """Create the file, or (with `start`) go on after so many bytes of it and cut off the rest.

        Raises FileExistsError rather than write over a file, and other OSErrors if it cannot be made.
        """
        self.path, self._start = path, start
        if start == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, _FLAGS | (0 if start else os.O_CREAT | os.O_EXCL), 0o644)
        os.ftruncate(self._descriptor, start)
        os.lseek(self._descriptor, start, os.SEEK_SET)
        sync_folder(path.parent)
        self._said, self._taken, self._synced, self._to_sync = bytearray(), 0, 0, 0
        self.trouble: str | None = None
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._keep_equal, name="disk", daemon=True)
        self._thread.start()

    def say(self, text: bytes, *, sync: bool) -> None:
        """Add to the file; returns at once. `sync`: everything up to here has to outlive a power cut."""
        with self._changed:
            self._said += text
            if sync:
                self._to_sync = len(self._said)
            self._changed.notify_all()

    def settled(self, patience_s: float) -> bool:
        """Wait for the operating system to have taken all that was said; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._taken == len(self._said), patience_s)

    def close(self, patience_s: float) -> bytes | None:
        """Bring everything to the disk; if it takes longer than `patience_s`, what was said, to be saved elsewhere."""
        with self._changed:
            self._to_sync = len(self._said)
            self._changed.notify_all()
            saved = self._changed.wait_for(lambda: self._synced == len(self._said), patience_s)
            self._closing = True
            self._changed.notify_all()
        if not saved:
            return bytes(self._said)
        self._thread.join()
        os.close(self._descriptor)
        return None

    def _keep_equal(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._is_behind())
                if self._closing:
                    return
                text, to_sync = bytes(self._said[self._taken :]), self._to_sync
            try:
                if self.trouble is not None:
                    self._open_again()
                    self.trouble = None
                    continue
                self._take(text)
                self._sync(to_sync)
            except OSError as error:
                self.trouble = error.strerror or type(error).__name__
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, RETRY_S)

    def _is_behind(self) -> bool:
        return self._taken < len(self._said) or self._synced < self._to_sync

    def _take(self, text: bytes) -> None:
        while text:
            count = os.write(self._descriptor, text)
            text = text[count:]
            with self._changed:
                self._taken += count
                self._changed.notify_all()

    def _sync(self, to_sync: int) -> None:
        if to_sync <= self._synced:
            return
        os.fsync(self._descriptor)
        if not os.path.samestat(os.fstat(self._descriptor), self.path.stat()):
            raise OSError(errno.ENOENT, "the file was moved or deleted")
        with self._changed:
            self._synced = to_sync
            self._changed.notify_all()

    def _open_again(self) -> None:
        """Find out how much of what was said is in the file, and go on from there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, _FLAGS | (0 if self._start else os.O_CREAT), 0o644)
        os.lseek(descriptor, self._start, os.SEEK_SET)
        there = os.read(descriptor, len(self._said) + 1)
        if os.fstat(descriptor).st_size < self._start or not self._said.startswith(there):
            os.close(descriptor)
            raise OSError(errno.EEXIST, "another file is in its place")
        os.close(self._descriptor)
        self._descriptor, self._taken, self._synced = descriptor, len(there), 0


def sync_folder(folder: Path) -> None:
    """Let a new name outlive a power cut too; Windows opens no folders, and needs none opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
