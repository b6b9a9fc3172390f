"""A growing file that a thread of its own brings to the disk, so that a slow, full or lost disk delays nobody."""

from __future__ import annotations

import errno
import math
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Generic, Literal, TypeVar, cast

from experiment.storage.atomic_file import sync_folder
from experiment.storage.lock import open_exclusive

LOOK_S = 0.1
RETRY_S = 0.5
ANSWER_S = 3.0  # a disk that takes longer for one write is in trouble, though it has not said so
Said = TypeVar("Said")
Cause = Literal["full", "lost", "silent", "refused"]
"""Why a file is behind: no room on the disk, file or folder gone, no answer yet, or anything else."""
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_LOST = {errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.EIO, getattr(errno, "ESTALE", errno.EIO)}


class GrowingFile(Generic[Said]):
    """What is said is kept in memory, and the file is kept equal to it: at once if the disk allows, else once it does.

    What the operating system has taken outlives this process; what was synced outlives a power cut. Until it is closed
    or this process dies, nobody else can have the same file. `said` is all that was said, with whether to sync it.
    """

    def __init__(self, path: Path, worded: Callable[[Said, bytearray], bytes], kept: int = 0, torn: int = 0) -> None:
        """Create the file, or go on after the `kept` bytes of it and cut off the `torn` ones that follow.

        `worded`: the bytes of something that was said, given all the bytes before it; asked in the other thread.
        Raises BlockingIOError while somebody else writes to it, FileExistsError rather than write over a file that
        holds more or less than these bytes, and other OSErrors if it cannot be made.
        """
        self.path = path
        if not kept + torn:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = open_exclusive(path, create=not kept + torn)
        try:
            self._text = _kept(self._descriptor, kept, torn)
            sync_folder(path.parent)
        except OSError:
            os.close(self._descriptor)
            raise
        self._worded, self._heard, self.said = worded, 0, list[tuple[Said, bool]]()
        self._taken = self._synced = self._to_sync = kept
        self._trouble: str | None = None
        self._cause: Cause = "refused"
        self._is_sure = True  # of what the file holds
        self._busy_since_s = math.inf
        self._sync: _Sync | None = None
        self._hearing = threading.Lock()
        self._finishing = self._closing = self._is_read_back = False
        # Each thread writes its own fields and wakes the other by a queue in C: unlike a lock or a condition, neither
        # can be left half done by the KeyboardInterrupt that a signal raises anywhere.
        self._asked, self._done = SimpleQueue[None](), SimpleQueue[None]()
        self._thread = threading.Thread(target=self._keep_equal, name="disk", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str | None:
        """Why the file is behind, in the system's words; None if it is not, or only by a moment."""
        return self._trouble or ("it does not answer" if self._hangs() else None)

    @property
    def cause(self) -> Cause | None:
        """The kind of the trouble; None if there is none."""
        if self._trouble:
            return self._cause
        return "silent" if self._hangs() else None

    def _hangs(self) -> bool:
        sync = self._sync
        since_s = min(self._busy_since_s, sync.since_s if sync else math.inf)
        return time.monotonic() - since_s > ANSWER_S

    def is_stuck(self, longer_than_s: float) -> bool:
        """Whether the disk refused, or has been busy with one write for longer."""
        return self._trouble is not None or time.monotonic() - self._busy_since_s > longer_than_s

    def say(self, said: Said, *, sync: bool) -> None:
        """Add to the file; returns at once. `sync`: everything up to here has to outlive a power cut.

        It is one step, which no signal can leave half done. It wakes nobody, since that would cost more: who needs it
        on the disk before LOOK_S waits for it to be `settled`.
        """
        self.said.append((said, sync))

    def settled(self, patience_s: float) -> bool:
        """Wait for the operating system to have taken all that was said until now; whether it has."""
        count = len(self.said)  # another thread may go on, and what it says wakes nobody
        return self._waited(lambda: self._heard >= count and self._taken == len(self._text), patience_s)

    def close(self, patience_s: float) -> bytes | None:
        """Bring everything to the disk; if it takes longer than `patience_s`, all bytes of it, to be saved elsewhere.

        Ctrl+C cuts the waiting short.
        """
        self._finishing = True
        with suppress(KeyboardInterrupt):
            self._waited(self.is_saved, patience_s)
        saved, self._closing = self.is_saved(), True
        self._asked.put(None)
        if not saved:
            return self.content()
        self._thread.join()
        with suppress(OSError):  # all of it was synced
            os.close(self._descriptor)
        return None

    def content(self) -> bytes:
        """All that the file holds once it is not behind any more."""
        self._hear()
        return bytes(self._text)

    def is_saved(self) -> bool:
        """Whether all that was said was synced to the disk, and at the end also read back from there."""
        is_synced = self._heard == len(self.said) and self._synced == len(self._text)
        return is_synced and self._finishing == self._is_read_back

    def _waited(self, happened: Callable[[], bool], patience_s: float) -> bool:
        until_s = time.monotonic() + patience_s
        self._asked.put(None)
        while not happened() and (left_s := until_s - time.monotonic()) > 0:
            with suppress(Empty):
                self._done.get(timeout=left_s)
        return happened()

    def _keep_equal(self) -> None:
        while self._has_more():
            try:
                self._hear()
                if not self._is_sure or self._is_elsewhere() or self._is_changed():
                    self._open_again()
                self._take()
                if self._has_synced():
                    self._read_back()
                    self._trouble = None
            except Exception as error:  # noqa: BLE001 - if this thread died, nobody would know
                self._cause = "lost" if _is_gone(self.path.parent) else cause_of(error)
                self._trouble = getattr(error, "strerror", None) or type(error).__name__
                self._is_sure = False
            self._busy_since_s = math.inf
            self._done.put(None)
            if not self._is_sure:
                time.sleep(RETRY_S)

    def _has_more(self) -> bool:
        """Wait until there is something to do; False once there never will be."""
        while not (self._closing or self._is_behind()):
            with suppress(Empty):
                self._asked.get(timeout=LOOK_S)
        self._busy_since_s = time.monotonic()
        return not self._closing

    def _is_behind(self) -> bool:
        to_sync = self._sync.done if self._sync else self._synced < self._to_sync
        unheard = self._heard < len(self.said) or (self._finishing and self._to_sync < len(self._text))
        return unheard or self._taken < len(self._text) or to_sync or self._finishing > self._is_read_back

    def _hear(self) -> None:
        """Put what was said into bytes."""
        with self._hearing:
            while self._heard < len(self.said):
                said, sync = self.said[self._heard]
                self._text += self._worded(said, self._text)
                self._heard += 1
                if sync:
                    self._to_sync = len(self._text)
            if self._finishing:
                self._to_sync = len(self._text)

    def _take(self) -> None:
        os.lseek(self._descriptor, self._taken, os.SEEK_SET)
        while self._taken < len(self._text):
            self._taken += os.write(self._descriptor, self._text[self._taken :])
        self._done.put(None)

    def _has_synced(self) -> bool:
        """Whether no sync is under way; OSError if the last one failed.

        It goes on in another thread, so that what is said meanwhile outlives this process however long it takes.
        """
        if self._sync is None and self._synced < self._to_sync:
            self._sync = _Sync(self._descriptor, self._taken, self._asked)
        if self._sync is None or not self._sync.done:
            return self._sync is None
        sync, self._sync = self._sync, None
        if sync.error is not None:
            raise sync.error
        if self._is_elsewhere():
            raise OSError(errno.ENOENT, "it was moved or deleted")
        if self._is_changed():
            raise FileExistsError(errno.EEXIST, "another program wrote to it")
        self._synced = sync.size
        return True

    def _is_elsewhere(self) -> bool:
        """Whether the file was moved or deleted, or the folder it is in."""
        try:
            return not os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except FileNotFoundError:
            return True

    def _is_changed(self) -> bool:
        """Whether another program made the file longer or shorter."""
        return os.fstat(self._descriptor).st_size != self._taken

    def _read_back(self) -> None:
        """At the end, look whether the file is what was said; FileExistsError if it is not."""
        if self._finishing and _read(self._descriptor, len(self._text) + 1) != self._text:
            raise FileExistsError(errno.EEXIST, "another program wrote to it")
        self._is_read_back = self._finishing

    def _open_again(self) -> None:
        """Go on after what is on the disk for certain; after a failed sync, nobody knows what became of the rest.

        A file that is gone is made anew with all that was said; another one in its place is never touched.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        elsewhere = self._is_elsewhere()
        descriptor = open_exclusive(self.path, create=True) if elsewhere else self._descriptor
        there = _read(descriptor, len(self._text) + 1)
        if not self._text.startswith(there):
            if elsewhere:
                os.close(descriptor)
            raise FileExistsError(errno.EEXIST, "another file is in its place")
        if elsewhere:
            os.close(self._descriptor)
            self._descriptor, self._synced = descriptor, 0
            sync_folder(self.path.parent)
        self._is_sure = True
        self._sync = None  # whatever comes of it is not about what is written now
        self._taken = self._synced = min(self._synced, len(there))


class _Sync:
    """One sync of a file's first `size` bytes, in a thread of its own that tells when it is done."""

    def __init__(self, descriptor: int, size: int, asked: SimpleQueue[None]) -> None:
        self.size, self.since_s = size, time.monotonic()
        self.done, self.error = False, cast("OSError | None", None)
        self._descriptor, self._asked = os.dup(descriptor), asked
        threading.Thread(target=self._run, name="sync", daemon=True).start()

    def _run(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self.error = error
        finally:
            os.close(self._descriptor)
        self.done = True
        self._asked.put(None)


def cause_of(error: Exception) -> Cause:
    """What kind of trouble an error of the system is."""
    number = getattr(error, "errno", None)
    return "full" if number in _FULL else "lost" if number in _LOST else "refused"


def _is_gone(folder: Path) -> bool:
    """Whether a folder is not there, whatever keeps it from being made again."""
    try:
        folder.stat()
    except OSError as error:
        return error.errno in _LOST
    return False


def _kept(descriptor: int, kept: int, torn: int) -> bytearray:
    """What stays of the file, the rest cut off; FileExistsError if it is of another size."""
    if os.fstat(descriptor).st_size != kept + torn:
        raise FileExistsError(errno.EEXIST, "it holds something else")
    os.ftruncate(descriptor, kept)
    return _read(descriptor, kept)


def _read(descriptor: int, size: int) -> bytearray:
    """The file's first bytes, at most so many; a network may give them in pieces."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    read = bytearray()
    while len(read) < size and (piece := os.read(descriptor, size - len(read))):
        read += piece
    return read
