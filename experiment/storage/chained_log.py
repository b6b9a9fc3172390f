"""A log of linked lines that several processes add to: whole whoever writes to it and dies, and no line ever lost.

Beside the log, `NAME.head.json` holds how far it had come: so a changed or lost last line is found too, which no other
line names. What is appended is decided under an exclusive lock, and outlives a power cut once `append` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from experiment.errors import BadInput, EquipmentFailure
from experiment.storage.atomic_file import write_whole
from experiment.storage.decoder import decoder
from experiment.storage.hash_chain import FIRST, chain_line, last_digest, read_chain
from experiment.storage.lock import lock_file
from experiment.storage.read_file import read_file

NEWLINE = b"\n"
Kind = TypeVar("Kind")


class LogHead(Struct, frozen=True):
    """The log had so many bytes, its last line this digest (`FIRST` if it was empty); it only grows."""

    size: int
    sha256: str


decode_head = decoder(msgspec.json.Decoder(LogHead).decode)
"""What the head's file says; msgspec.DecodeError if it is none."""


class ChainedLog(Generic[Kind]):
    """The log in a file, whose lines are events of a kind that msgspec can decode."""

    def __init__(self, path: Path, kind: type[Kind]) -> None:
        self.path = path
        self._decode = decoder(msgspec.json.Decoder(kind).decode)
        self._known: tuple[bytes, tuple[Kind, ...]] = (b"", ())  # what was read and checked before

    @property
    def head_path(self) -> Path:
        """The file that says how far the log had come."""
        return self.path.with_suffix(".head.json")

    @property
    def files(self) -> tuple[Path, ...]:
        """The log and its head, as far as they are there."""
        return tuple(path for path in (self.path, self.head_path) if path.exists())

    def events(self) -> tuple[Kind, ...]:
        """All events, oldest first; none if there is no log yet. BadInput names the line that was changed or lost.

        A last line that a crash cut off, or that is being written just now, is left out.
        """
        head = self._head()  # before the log, which may grow meanwhile
        return self._checked(self._content(), head)

    def append(self, decide: Callable[[tuple[Kind, ...]], Sequence[Kind]]) -> tuple[Kind, ...]:
        """Add the events that `decide` gives after a look at all; it may raise, and nothing is written. All then.

        EquipmentFailure if the folder cannot lock or write, or if somebody holds the log for long.
        """
        self._create()
        with lock_file(self.path) as file:
            content = file.read()
            before = self._checked(content, self._head())
            whole = content[: content.rfind(NEWLINE) + 1]
            last, added = whole[whole.rfind(NEWLINE, 0, -1) + 1 :], bytearray()
            for event in decide(before):
                last = chain_line(last, msgspec.json.encode(event))
                added += last
            if not added:
                return before
            file.write(len(whole), bytes(added))
            with suppress(EquipmentFailure):  # the events are recorded; the head only says less than it could
                self._note_head(whole + added)
            return self._checked(whole + added, LogHead(0, FIRST))

    @contextmanager
    def held(self, *, create: bool = False) -> Iterator[None]:
        """While the context lasts, nobody adds anything to a log that is there; whoever wants to waits for its end.

        `create`: nor to one that is not there yet, which is made, empty.
        """
        if create:
            self._create()
        if not self.path.exists():
            yield
            return
        with lock_file(self.path):
            yield

    def _create(self) -> None:
        """The head first: a log without one was tampered with."""
        if self.path.exists():
            return
        if self._head().size:
            raise BadInput(f"{self.path} is missing. Restore it from a copy.")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._note_head(b"")
            self.path.touch()
        except OSError as error:
            raise EquipmentFailure(
                f"{self.path} cannot be made: {error.strerror}. Check the folder's permissions."
            ) from error

    def _note_head(self, content: bytes) -> None:
        write_whole(self.head_path, msgspec.json.encode(LogHead(len(content), last_digest(content))))

    def _head(self) -> LogHead:
        try:
            return decode_head(read_file(self.head_path))
        except FileNotFoundError:
            if self.path.exists():
                raise BadInput(f"{self.head_path} is missing. Restore it from a copy of the same day.") from None
            return LogHead(0, FIRST)
        except (OSError, msgspec.DecodeError) as error:
            raise BadInput(f"{self.head_path} cannot be read, or was changed. Restore it from a copy.") from error

    def _content(self) -> bytes:
        try:
            return read_file(self.path)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise EquipmentFailure(f"{self.path} cannot be read: {error.strerror}. Check its permissions.") from error

    def _checked(self, content: bytes, head: LogHead) -> tuple[Kind, ...]:
        """The events of the log's whole lines, which are all that there were."""
        whole = content[: content.rfind(NEWLINE) + 1]
        known, events = self._known
        if not whole.startswith(known):
            known, events = b"", ()
        added = whole[len(known) :].split(NEWLINE)[:-1]
        events = (*events, *read_chain(self.path, added, self._decode, before=known))
        if len(whole) < head.size or last_digest(whole[: head.size]) != head.sha256:
            raise BadInput(f"{self.path}: its last lines were changed or are missing. Restore it from a copy.")
        self._known = whole, events
        return events
