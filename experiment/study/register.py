"""The study's register: every act in one append-only file of linked lines, whole whoever writes to it and dies.

Several computers may share its folder. An act is decided and written under an exclusive lock, and is on the disk before
anybody is told of it. `head.json` holds how far the register had come: so a changed or lost last line is found too,
which no other line names. The head is there before the first line, and never more than one line behind; a register
without its head is a loss, and never a fresh start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from experiment.errors import BadInput, EquipmentFailure
from experiment.record.tsv import FORMULA_SIGNS, looks_like_formula
from experiment.storage.atomic_file import write_whole
from experiment.storage.decoder import decoder
from experiment.storage.hash_chain import chain_line, decode_line, line_digests, read_chain
from experiment.storage.lock import LockedFile, lock_file
from experiment.storage.read_file import read_file
from experiment.study.clock import check_clock, check_times
from experiment.study.events import SCHEMA, Act, Begun, Entry, Locked, Recovered, decode, encode
from experiment.study.participant import Participant
from experiment.study.participants import AFTER_LOCK
from experiment.study.snapshot import Snapshot
from experiment.system.boot import Boot, this_boot

REGISTER, HEAD = "register.jsonl", "head.json"
ALLOCATION, PACKING, KITS = "allocation.age", "packing.age", "kits.json"
BESIDE = (HEAD, ALLOCATION, PACKING, KITS)
MOST_INITIALS = 40
NEWLINE = b"\n"


class AllocationSlot(Struct, frozen=True):
    """A place of a stratum, from 1, with the kits of course 1 and course 2: all that an assistant may know of it."""

    stratum: str
    place: int
    kits: tuple[str, str]


class Head(Struct, frozen=True):
    """The register had so many bytes with this digest, and it only grows; none before its first line."""

    size: int
    sha256: str


class _Schema(Struct, frozen=True):
    """As much of `Begun` as every version has."""

    schema: int


class _First(Struct, frozen=True):
    act: _Schema


_decode_head = decoder(msgspec.json.Decoder(Head).decode)
_decode_first = decoder(msgspec.json.Decoder(_First).decode)


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Register:
    """The register in a folder; `now` tells the moment of an act, with its time zone."""

    folder: Path
    now: Callable[[], datetime] = utc_now

    @property
    def path(self) -> Path:
        """The file of linked lines."""
        return self.folder / REGISTER

    def read(self) -> Snapshot:
        """The register as it is now, read once; BadInput as `entries`, or if an act stands in it that cannot be."""
        head = self._head()
        content = self._content()
        return _snapshot(self._checked(content, head), content)

    def refresh(self, told: Snapshot) -> Snapshot:
        """What was read, if nobody has added anything since; else the register as it is now."""
        is_same = self.path.exists() and self.path.stat().st_size == told.size_bytes
        return told if is_same else self.read()

    def entries(self) -> tuple[Entry, ...]:
        """All acts, oldest first; BadInput if no study has begun, or names the line that was changed, lost or moved.

        A last line that a crash cut off, or that is being written just now, is left out.
        """
        head = self._head()  # before the register, which may grow meanwhile
        return self._checked(self._content(), head)

    def participant(self, subject: str) -> Participant:
        """The participant as the register has them; BadInput suggests similar IDs if nobody of this one is enrolled."""
        return self.read().participant(subject)

    def begun(self) -> Begun:
        """How the study was set up; BadInput if it was not."""
        first, newline, _ = self._content().partition(NEWLINE)
        self._check_schema(first if newline else None)
        return self._first(read_chain(self.path, [first], decode))

    def kits(self) -> tuple[AllocationSlot, ...]:
        """All places of all strata, in order, with their kits."""
        return msgspec.json.decode(self.beside(KITS), type=tuple[AllocationSlot, ...])

    def beside(self, name: str) -> bytes:
        """What the file ALLOCATION, PACKING or KITS holds; BadInput unless it is as when the study was set up."""
        begun, path = self.begun(), self.folder / name
        digests = {ALLOCATION: begun.allocation_sha256, PACKING: begun.packing_sha256, KITS: begun.kits_sha256}
        try:
            content = read_file(path)
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}. Restore it from a copy.") from error
        if sha256(content).hexdigest() != digests[name]:
            raise BadInput(f"{path} was changed since the study was set up. Restore it from a copy.")
        return content

    def begin(self, who: str, prepare: Callable[[], Begun]) -> Entry:
        """The first act, after `prepare` has written what belongs beside it; BadInput if the study has begun.

        Whatever hinders it, nothing is left by which a study would seem to have begun.
        """
        check_initials(who)
        self._check_not_begun(self._content())
        try:
            self.path.touch()
        except OSError as error:
            raise EquipmentFailure(f"{self.path} cannot be made: {error.strerror}. Choose --folder.") from error
        with lock_file(self.path) as file:
            self._check_not_begun(file.read())
            try:
                act = prepare()
                self._write_head(b"")
                return self._written(file, b"", who, act)[-1]
            finally:
                if NEWLINE not in file.read():
                    for name in BESIDE:
                        (self.folder / name).unlink(missing_ok=True)

    def act(self, who: str, decide: Callable[[Sequence[Entry]], Act]) -> Entry:
        """Add the act that `decide` gives after a look at all entries; it may raise BadInput, and nothing is written.

        `who`: initials. While this goes on, nobody else can add anything. When it returns, the act outlives a power
        cut. BadInput if the computer's clock cannot be right. EquipmentFailure if the folder cannot lock or write, or
        if somebody holds it for long.
        """
        return self.act_and_read(who, decide).entries[-1]

    def act_and_read(self, who: str, decide: Callable[[Sequence[Entry]], Act]) -> Snapshot:
        """The same; the register with the act in it."""
        check_initials(who)
        with lock_file(self.path) as file:
            content, head = file.read(), self._head()
            entries = self._checked(content, head)
            whole = content[: content.rfind(NEWLINE) + 1]
            if head is None or head.size < len(whole):
                self._write_head(whole)
            if torn_bytes := len(content) - len(whole):
                entries = (*entries, *self._written(file, whole, who, Recovered(torn_bytes)))
                whole = file.read()
            act = decide(entries)
            _check_open(entries, act)
            check_clock(entries, act, self.now())
            entries = (*entries, *self._written(file, whole, who, act))
            return _snapshot(entries, file.read())

    def _checked(self, content: bytes, head: Head | None) -> tuple[Entry, ...]:
        """The entries of the register's whole lines, which are all that there were."""
        lines = content.split(NEWLINE)[:-1]
        self._check_schema(lines[0] if lines else None)
        entries = tuple(read_chain(self.path, lines, decode))
        check_times(self.path, entries)
        if head is None or (not head.size and len(entries) > 1):
            raise BadInput(
                f"{self.folder / HEAD} is missing. Restore it from a copy, with the register of the same day."
            )
        before = content[: head.size]
        if len(before) < head.size or sha256(before).hexdigest() != head.sha256:
            what = f"line {before.count(NEWLINE)}: this line was changed, or lines after it are missing"
            raise BadInput(f"{self.path}, {what}. Restore the register from a copy.")
        self._first(entries)
        return entries

    def _check_not_begun(self, content: bytes) -> None:
        there = [name for name in BESIDE if (self.folder / name).exists()]
        if NEWLINE in content or there:
            raise BadInput(
                f"There is already a study in {self.folder}, which is never overwritten. Choose another --data or "
                f"--folder. If {REGISTER} is missing there, restore it from a copy. Only if the computer crashed "
                f"during `dayfour study init`, so that nobody was ever given a kit, delete "
                f"{', '.join(there) or 'nothing'} there and repeat it."
            )

    def _check_schema(self, line: bytes | None) -> None:
        """Before anything else is decoded: another version's acts are no damage, and mean other things."""
        if line is None and (head := self._head()) and head.size:
            raise BadInput(
                f"{self.path}, line 1: it is missing, with all lines after it. Restore the register from a copy."
            )
        if line is None and any((self.folder / name).exists() for name in BESIDE):
            raise BadInput(
                f"{self.path} is empty or missing, but other files of a study are beside it. Restore the register "
                "from a copy. Do not begin a new study: the same kits would be given twice."
            )
        if line is None:
            raise BadInput(f"There is no study in {self.folder}. Run `dayfour study init`, or check --data.")
        with suppress(msgspec.DecodeError):  # of which `read_chain` tells more
            schema = _decode_first(decode_line(line).event).act.schema
            if schema != SCHEMA:
                how = f"{self.path} was written with schema {schema}; this version reads {SCHEMA}"
                raise BadInput(f"{how}. Use the version that wrote it.")

    def _first(self, entries: Sequence[Entry]) -> Begun:
        if not isinstance(entries[0].act, Begun):
            raise BadInput(f"{self.path}, line 1: a study does not start like this. Restore the register from a copy.")
        return entries[0].act

    def _content(self) -> bytes:
        try:
            return read_file(self.path)
        except FileNotFoundError:
            return b""
        except OSError as error:
            why = f"{error.strerror}. Check --data and its permissions"
            raise EquipmentFailure(f"{self.path} cannot be read: {why}.") from error

    def _head(self) -> Head | None:
        """How far the register had come at least; None if there is no head."""
        path = self.folder / HEAD
        try:
            return _decode_head(read_file(path))
        except FileNotFoundError:
            return None
        except OSError as error:
            why = f"{error.strerror}. Close it in other programs, and check its permissions"
            raise EquipmentFailure(f"{path} cannot be read: {why}.") from error
        except msgspec.DecodeError as error:
            raise BadInput(f"{path} was changed. Restore it from a copy.") from error

    def _write_head(self, content: bytes) -> None:
        write_whole(self.folder / HEAD, msgspec.json.encode(Head(len(content), sha256(content).hexdigest())))

    def _written(self, file: LockedFile, before: bytes, who: str, act: Act) -> tuple[Entry]:
        """The act's entry, on the disk."""
        moment = self.now().astimezone(timezone.utc).isoformat(timespec="milliseconds")
        # Another clock than the computer's has nothing to do with how long the computer runs.
        entry = Entry(moment, who.strip(), act, *(this_boot() if self.now is utc_now else Boot()))
        line = chain_line(before, encode(entry))
        file.write(len(before), line)
        with suppress(EquipmentFailure):  # the act is recorded; the head is one line behind until the next one
            self._write_head(before + line)
        return (entry,)


def _snapshot(entries: tuple[Entry, ...], content: bytes) -> Snapshot:
    return Snapshot(entries, line_digests(content), len(content))


def check_initials(who: str) -> None:
    """BadInput unless `who` can be initials."""
    if not who.strip() or len(who) > MOST_INITIALS or not who.isprintable() or looks_like_formula(who.strip()):
        raise BadInput(
            f"Please give your initials with --operator: at most {MOST_INITIALS} characters, and none of "
            f"{' '.join(FORMULA_SIGNS)} first (you wrote {who!r})."
        )


def _check_open(entries: Sequence[Entry], act: Act) -> None:
    """After the lock, the study can only be unblinded, and that be answered for."""
    locked = next((entry.utc[:10] for entry in entries if isinstance(entry.act, Locked)), None)
    if locked and not isinstance(act, AFTER_LOCK):
        raise BadInput(f"The study was locked on {locked}. It can no longer be changed.")
