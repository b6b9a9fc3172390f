"""The study's register: every act in one append-only file of linked lines, whole whoever writes to it and dies.

Several computers may share its folder. An act is decided and written under an exclusive lock, and is on the disk before
anybody is told of it. The head is there before the first line, and never more than one line behind; a register without
its head is a loss, and never a fresh start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from experiment.errors import BadInput, EquipmentFailure
from experiment.record.tsv import FORMULA_SIGNS, looks_like_formula
from experiment.storage.chained_log import NEWLINE, ChainedLog, LogHead, whole_lines
from experiment.storage.decoder import decoder
from experiment.storage.hash_chain import decode_line, line_digests, read_chain
from experiment.storage.lock import lock_file
from experiment.storage.read_file import read_file
from experiment.study import dates
from experiment.study.clock import ALWAYS, clock_trouble
from experiment.study.events import SCHEMA, Act, Begun, Entry, Recovered
from experiment.study.participant import Participant
from experiment.study.snapshot import AFTER_LOCK, Snapshot
from experiment.system.boot import Boot, this_boot

REGISTER, HEAD = "register.jsonl", "head.json"
ALLOCATION, PACKING, KITS = "allocation.age", "packing.age", "kits.json"
BESIDE = (HEAD, ALLOCATION, PACKING, KITS)
MOST_INITIALS = 40


class AllocationSlot(Struct, frozen=True):
    """A place of a stratum, from 1, with the kits of course 1 and course 2: all that an assistant may know of it."""

    stratum: str
    place: int
    kits: tuple[str, str]


class _Schema(Struct, frozen=True):
    """As much of `Begun` as every version has."""

    schema: int


class _First(Struct, frozen=True):
    act: _Schema


_decode_first = decoder(msgspec.json.Decoder(_First).decode)


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(timezone.utc)


def digest_of_all(content: bytes) -> str:
    """What the register's head holds: the SHA-256 of all its bytes."""
    return sha256(content).hexdigest()


class Register(ChainedLog[Entry]):
    """The register in a folder; `now` tells the moment of an act, with its time zone."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = utc_now) -> None:
        super().__init__(folder / REGISTER, Entry, folder / HEAD, digest_of_all)
        self.folder, self.now = folder, now

    def read(self) -> Snapshot:
        """The register as it is now, read once; BadInput if no study has begun, or if it was changed (`entries`)."""
        head = self._head()
        content = self._content()
        self._checked(content, head)
        return self._snapshot(content)

    def refresh(self, told: Snapshot) -> Snapshot:
        """What was read, if nobody has added anything since; else the register as it is now."""
        is_same = self.path.exists() and self.path.stat().st_size == told.size_bytes
        return told if is_same else self.read()

    def participant(self, subject: str) -> Participant:
        """The participant as the register has them; BadInput suggests similar IDs if nobody of this one is enrolled."""
        return self.read().participant(subject)

    def begun(self) -> Begun:
        """How the study was set up; BadInput if it was not."""
        first, newline, _ = self._content().partition(NEWLINE)
        self._check_schema(first if newline else None)
        return self._first(read_chain(self.path, [first], self._decode))

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
        if digest_of_all(content) != digests[name]:
            raise BadInput(f"{path} was changed since the study was set up. Restore it from a copy.")
        return content

    def begin(self, who: str, prepare: Callable[[], Begun]) -> None:
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
                self._note_head(b"")
                self._add(file, b"", [self._entry(who, act)])
            finally:
                if NEWLINE not in file.read():
                    for name in BESIDE:
                        (self.folder / name).unlink(missing_ok=True)

    def act(self, who: str, decide: Callable[[Snapshot], Act]) -> Snapshot:
        """Add the act that `decide` gives after a look at the register; it may raise BadInput, and nothing is written.

        `who`: initials. While this goes on, nobody else can add anything. It returns the register with the act, which
        then outlives a power cut. BadInput if the computer's clock cannot be right. EquipmentFailure if the folder
        cannot lock or write, or if somebody holds it for long.
        """
        check_initials(who)
        with lock_file(self.path) as file:
            content, head = file.read(), self._head()
            self._checked(content, head)
            whole = whole_lines(content)
            if head is None or head.size < len(whole):
                self._note_head(whole)
            if torn_bytes := len(content) - len(whole):
                whole = self._add(file, whole, [self._entry(who, Recovered(torn_bytes))])
            told = Snapshot(self._entries_of(whole))
            act = decide(told)
            if told.locked_at and not isinstance(act, AFTER_LOCK):
                raise BadInput(f"The study was locked on {told.locked_at:%Y-%m-%d}. It can no longer be changed.")
            if not isinstance(act, ALWAYS) and (trouble := clock_trouble(told.entries, self.now())):
                raise BadInput(trouble)
            return self._snapshot(self._add(file, whole, [self._entry(who, act)]))

    def _checked(self, content: bytes, head: LogHead | None) -> tuple[Entry, ...]:
        first, newline, _ = content.partition(NEWLINE)
        self._check_schema(first if newline else None)
        is_behind = head and not head.size and content.count(NEWLINE) > 1  # one that was lost and made anew
        entries = super()._checked(content, None if is_behind else head)
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

    def _entry(self, who: str, act: Act) -> Entry:
        # Another clock than the computer's has nothing to do with how long the computer runs.
        return Entry(dates.utc(self.now()), who.strip(), act, *(this_boot() if self.now is utc_now else Boot()))

    def _snapshot(self, content: bytes) -> Snapshot:
        return Snapshot(self._entries_of(whole_lines(content)), line_digests(content), len(content))


def check_initials(who: str) -> None:
    """BadInput unless `who` can be initials."""
    if not who.strip() or len(who) > MOST_INITIALS or not who.isprintable() or looks_like_formula(who.strip()):
        raise BadInput(
            f"Please give your initials with --operator: at most {MOST_INITIALS} characters, and none of "
            f"{' '.join(FORMULA_SIGNS)} first (you wrote {who!r})."
        )
