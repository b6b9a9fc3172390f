"""A log of linked lines that several processes add to: whole whoever writes to it and dies, and no line ever lost.

Beside the log its head holds how far it had come: so a changed or lost last line is found too, which no other line
names. What is appended is decided under an exclusive lock, and outlives a power cut once `append` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from experiment.errors import BadInput, EquipmentFailure
from experiment.storage.atomic_file import write_whole
from experiment.storage.decoder import decoder
from experiment.storage.hash_chain import chain_line, last_digest, read_chain
from experiment.storage.lock import LockedFile, lock_file
from experiment.storage.read_file import read_file

NEWLINE = b"\n"
Kind = TypeVar("Kind")


class LogHead(Struct, frozen=True):
    """The log had so many bytes with this digest, and it only grows."""

    size: int
    sha256: str


_decode_head = decoder(msgspec.json.Decoder(LogHead).decode)


class ChainedLog(Generic[Kind]):
    """The log in a file, whose lines are entries of a kind that msgspec can decode."""

    def __init__(
        self,
        path: Path,
        kind: type[Kind],
        head_path: Path | None = None,
        digest_of: Callable[[bytes], str] = last_digest,
    ) -> None:
        """`head_path`: by default `NAME.head.json`. `digest_of`: of the log's bytes, as the head has it."""
        self.path, self.head_path = path, head_path or path.with_suffix(".head.json")
        self._digest_of = digest_of
        self._decode = decoder(msgspec.json.Decoder(kind).decode)
        self._known: tuple[bytes, tuple[Kind, ...]] = (b"", ())  # what was read and checked before

    @property
    def files(self) -> tuple[Path, ...]:
        """The log and its head, as far as they are there."""
        return tuple(path for path in (self.path, self.head_path) if path.exists())

    def entries(self) -> tuple[Kind, ...]:
        """All entries, oldest first; none if there is no log yet. BadInput names the line that was changed or lost.

        A last line that a crash cut off, or that is being written just now, is left out.
        """
        head = self._head()  # before the log, which may grow meanwhile
        return self._checked(self._content(), head)

    def append(self, decide: Callable[[tuple[Kind, ...]], Sequence[Kind]]) -> tuple[Kind, ...]:
        """Add the entries that `decide` gives after a look at all; it may raise, and nothing is written. All then.

        EquipmentFailure if the folder cannot lock or write, or if somebody holds the log for long.
        """
        self._create()
        with lock_file(self.path) as file:
            content = file.read()
            added = decide(self._checked(content, self._head()))
            return self._entries_of(self._add(file, whole_lines(content), added))

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
        if (head := self._head()) and head.size:
            raise BadInput(f"{self.path} is missing. Restore it from a copy.")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._note_head(b"")
            self.path.touch()
        except OSError as error:
            raise EquipmentFailure(
                f"{self.path} cannot be made: {error.strerror}. Check the folder's permissions."
            ) from error

    def _add(self, file: LockedFile, whole: bytes, added: Iterable[Kind]) -> bytes:
        """Put entries after the `whole` lines of the locked file, in place of a torn one; all lines then."""
        last, lines = whole[whole.rfind(NEWLINE, 0, -1) + 1 :], bytearray()
        for entry in added:
            last = chain_line(last, msgspec.json.encode(entry))
            lines += last
        if lines:
            file.write(len(whole), bytes(lines))
            with suppress(EquipmentFailure):  # the entries are recorded; the head only says less than it could
                self._note_head(whole + lines)
        return whole + lines

    def _note_head(self, whole: bytes) -> None:
        write_whole(self.head_path, msgspec.json.encode(LogHead(len(whole), self._digest_of(whole))))

    def _head(self) -> LogHead | None:
        """How far the log had come at least; None if the head of a log that is there is missing."""
        try:
            return _decode_head(read_file(self.head_path))
        except FileNotFoundError:
            return None if self.path.exists() else LogHead(0, self._digest_of(b""))
        except OSError as error:
            why = f"{error.strerror}. Close it in other programs, and check its permissions"
            raise EquipmentFailure(f"{self.head_path} cannot be read: {why}.") from error
        except msgspec.DecodeError as error:
            raise BadInput(f"{self.head_path} was changed. Restore it from a copy.") from error

    def _content(self) -> bytes:
        try:
            return read_file(self.path)
        except FileNotFoundError:
            return b""
        except OSError as error:
            why = f"{error.strerror}. Check --data and its permissions"
            raise EquipmentFailure(f"{self.path} cannot be read: {why}.") from error

    def _checked(self, content: bytes, head: LogHead | None) -> tuple[Kind, ...]:
        """The entries of the log's whole lines, which are all that there were."""
        entries = self._entries_of(whole_lines(content))
        if head is None:
            raise BadInput(
                f"{self.head_path} is missing. Restore it from a copy, with {self.path.name} of the same day."
            )
        before = content[: head.size]
        if len(before) < head.size or self._digest_of(before) != head.sha256:
            what = f"line {before.count(NEWLINE)}: this line was changed, or lines after it are missing"
            raise BadInput(f"{self.path}, {what}. Restore the file from a copy.")
        return entries

    def _entries_of(self, whole: bytes) -> tuple[Kind, ...]:
        known, entries = self._known
        if not whole.startswith(known):
            known, entries = b"", ()
        added = whole[len(known) :].split(NEWLINE)[:-1]
        entries = (*entries, *read_chain(self.path, added, self._decode, before=known))
        self._known = whole, entries
        return entries


def whole_lines(content: bytes) -> bytes:
    """All lines but a last one that a crash cut off."""
    return content[: content.rfind(NEWLINE) + 1]
