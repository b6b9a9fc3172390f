"""An attacker with all the files of a study and this very program, but no keys; and all that may notice the attack.

The attacker changes what they like and makes digests, heads and tables anew, so that nothing is broken by clumsiness.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from experiment.design.message import practice_message
from experiment.design.session import draw_session
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Event, decode
from experiment.replay.verify import verify_all
from experiment.session.plan import Plan
from experiment.session.run import run_simulated
from experiment.storage import encryption
from experiment.storage.anchor import anchor_of
from experiment.storage.hash_chain import chain_line, line_digests
from experiment.study import queries
from experiment.study.anchors import find_record
from experiment.study.events import Locked, SessionHeld
from experiment.study.location import register_in
from experiment.study.register import HEAD, REGISTER, Register
from experiment.study.seals import open_allocation, open_packing
from experiment.study.setup import set_up
from experiment.study.simulated_study import simulate_study
from experiment.study.study_file import Study
from experiment.study.unblinding import check_locked
from tests.registers import ENGLISH, STUDY
from tests.strategies import PROTOCOL

Entry = dict[str, Any]
Lines = list[Entry]
SUBJECTS, SEED = 4, 2


class Keys(NamedTuple):
    """The private keys of the key holder and the pharmacy, and the public ones, which everybody has."""

    unblinder: Any
    pharmacy: Any
    publics: tuple[str, str]


def new_keys() -> Keys:
    """Two pairs without passphrases, which would take a second each."""
    import pyrage

    first, second = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    return Keys(first, second, (str(first.to_public()), str(second.to_public())))


@dataclass(frozen=True)
class Attacked:
    """A copy of a study, the anchors that were written down after each visit and at the end, and the keys."""

    data: Path
    anchors: tuple[str, ...]
    keys: Keys

    @property
    def study(self) -> Path:
        """The register's folder."""
        return self.data / "study"

    # --- What the attacker can do ---

    def entries(self) -> Lines:
        """The register's entries as they stand there."""
        return events_of(self.study / REGISTER)

    def write_register(self, entries: Sequence[Entry]) -> None:
        """A register of these entries, with all digests and the head made anew."""
        content = chained(entries)
        (self.study / REGISTER).write_bytes(content)
        self.write_head(content)

    def write_head(self, content: bytes) -> None:
        """The head of a register that holds this."""
        head = {"size": len(content), "sha256": sha256(content).hexdigest()}
        (self.study / HEAD).write_bytes(msgspec.json.encode(head))

    def edit(self, which: Callable[[Entry], bool], change: Callable[[Entry], object]) -> None:
        """Change every entry of which this is so."""
        entries = self.entries()
        for one in entries:
            if which(one):
                change(one)
        self.write_register(entries)

    def drop(self, which: Callable[[Entry], bool]) -> None:
        """Take away every entry of which this is so."""
        self.write_register([one for one in self.entries() if not which(one)])

    def transcript(self, visit: Visit) -> Path:
        """The transcript of a visit."""
        path = DataSet(self.data).transcript_of(visit)
        assert path is not None
        return path

    def visits(self) -> list[Visit]:
        """All that have a log."""
        return sorted(log.read_start(path).session.visit for path in DataSet(self.data).transcripts_of_all())

    def forge(self, visit: Visit, told: Sequence[Entry]) -> None:
        """Write a transcript of these events, linked, and make its tables anew; whatever was there is replaced."""
        data = DataSet(self.data)
        path = data.transcript(visit, PROTOCOL.task)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(chained(told))
        data.save(decoded(told))

    def relabel(self, told: Lines, visit: Visit) -> Lines:
        """The events as if they were of this visit."""
        for one in told:
            if one["event"] == "started":
                one["session"] |= {"subject": visit.subject, "session": visit.session}
        return told

    def exchange(self, one: Visit, other: Visit) -> None:
        """Two sessions take each other's place, relabelled, linked anew, each with the other's time and tables."""
        first, second = events_of(self.transcript(one)), events_of(self.transcript(other))
        first[0]["zero_utc"], second[0]["zero_utc"] = second[0]["zero_utc"], first[0]["zero_utc"]
        self.forge(other, self.relabel(first, other))
        self.forge(one, self.relabel(second, one))

    def hold(self, visit: Visit, habit: str = "quick", utc: str = "2000-01-20T13:00:00.000+00:00") -> None:
        """Run a session that never was, with the program itself."""
        drawn = draw_session(PROTOCOL, ENGLISH, subject=visit.subject, session=visit.session, seed=SEED)
        shown = (practice_message(PROTOCOL), *ENGLISH)
        run_simulated(Plan("simulate", drawn, shown, "RA1", {}, DataSet(self.data), participant=habit), utc)

    def record_digests(self) -> None:
        """Put the digests of the logs as they are now into the register."""
        for visit in self.visits():
            last = line_digests(self.transcript(visit).read_bytes())[-1]
            self.edit(is_held(visit), lambda one, last=last: one["act"].update(last_line_sha256=last))  # type: ignore[misc]

    # --- Who may notice ---

    def register(self) -> Register:
        """The register, a day after its last entry."""
        later = datetime.fromisoformat(self.last_utc) + timedelta(days=1)
        return Register(register_in(self.data).folder, lambda: later)

    @property
    def last_utc(self) -> str:
        """When the last act was recorded, as the register says."""
        return str(self.entries()[-1]["utc"])

    def noticed_by(self) -> set[str]:
        """Who notices that anything is wrong: `register`, `verify`, the kinds of `qa`, `lock`, `seals`, `anchor`."""
        try:
            told = register_in(self.data).read()
            _ = told.people
        except BadInput:
            return {"register", *self._verify(), "anchor"}
        return {*self._verify(), *self._qa(told), *self._lock(told), *self._seals(told), *self._anchor(told)}

    def _verify(self) -> set[str]:
        return {"verify"} if any(one.is_wanting for one in verify_all(self.data, pilot=True)) else set()

    def _qa(self, told: Any) -> set[str]:
        return {one.kind for one in queries.integrity_findings(told, self.data) if one.needs_person}

    def _lock(self, told: Any) -> set[str]:
        locked = [entry.act for entry in told.entries if isinstance(entry.act, Locked)]
        try:
            if locked:
                check_locked(self.data, self.study, locked[0])
        except BadInput:
            return {"lock"}
        return set()

    def _seals(self, told: Any) -> set[str]:
        try:
            open_allocation(register_in(self.data), told, self.keys.unblinder)
            open_packing(register_in(self.data), self.keys.pharmacy)
        except BadInput:
            return {"seals"}
        return set()

    def _anchor(self, told: Any) -> set[str]:
        found = [find_record(one, told, DataSet(self.data)) for one in self.anchors]
        return {"anchor"} if any(one is None or one.differing for one in found) else set()


def new_study(root: Path, keys: Keys, study: Study = STUDY) -> Attacked:
    """A simulated study that a person began; each visit's anchor is written down, and the last one."""

    def begun(now: Callable[[], datetime]) -> Register:
        register = Register(root / "study", now)
        set_up(register, study, *keys.publics, "PI")
        return register

    register = simulate_study(begun, DataSet(root), SUBJECTS, seed=SEED, protocol=PROTOCOL, messages=ENGLISH)
    told = register.read()
    ends = [at for at, entry in enumerate(told.entries) if isinstance(entry.act, SessionHeld)]
    anchors = [anchor_of(told.digests[at]) for at in (0, *ends, len(told.entries) - 1)]
    return Attacked(root, tuple(anchors), keys)


def copy_of(study: Attacked, to: Path) -> Attacked:
    """The study once more, for one attack."""
    shutil.copytree(study.data, to)
    return Attacked(to, study.anchors, study.keys)


def events_of(path: Path) -> Lines:
    """The events of a file of linked lines, as JSON has them."""
    return [msgspec.json.decode(line)["event"] for line in path.read_bytes().splitlines()]


def chained(events: Sequence[Entry]) -> bytes:
    """Linked lines of these events."""
    content = b""
    for event in events:
        content += chain_line(content, msgspec.json.encode(event))
    return content


def decoded(told: Sequence[Entry]) -> list[Event]:
    """The events of a session."""
    return [decode(msgspec.json.encode(one)) for one in told]


Attack = Callable[[Attacked], object]


def each(*attacks: Attack) -> Attack:
    """Several attacks, one after the other."""

    def all_of_them(one: Attacked) -> None:
        for attack in attacks:
            attack(one)

    return all_of_them


def is_act(*names: str, subject: str | None = None) -> Callable[[Entry], bool]:
    """Whether an entry is of one of these acts, and about this participant."""
    return lambda one: one["act"]["act"] in names and subject in {None, one["act"].get("subject")}


def is_about(subject: str) -> Callable[[Entry], bool]:
    """Whether an entry is about this participant."""
    return lambda one: one["act"].get("subject") == subject


def is_held(visit: Visit) -> Callable[[Entry], bool]:
    """Whether an entry says how this session ended."""
    act = {"act": "session_held", "subject": visit.subject, "session": visit.session}
    return lambda one: act.items() <= one["act"].items()


def seal(content: object, *publics: str) -> bytes:
    """Anything, sealed for somebody's public key as the program does."""
    plain = msgspec.json.encode(content)
    return encryption.encrypt(plain.ljust(-(-len(plain) // 4096) * 4096), publics)
