"""How the treatments become known: to the pharmacy, to everybody after the lock, or of one person in an emergency.

Only the key holders' keys open anything. An unblinding stands in the register before it is shown, for everybody to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from experiment.errors import BadInput
from experiment.record.tsv import tsv
from experiment.storage import encryption
from experiment.storage.atomic_file import write_whole
from experiment.study import participants
from experiment.study.allocation import Packed, Slot, treatments
from experiment.study.events import Enrolled, Entry, Locked, Unblinded
from experiment.study.recording import meaningful
from experiment.study.register import ALLOCATION, KITS, PACKING, Register
from experiment.study.setup import Allocation

SESSIONS = (1, 2)
MOST_NAMED = 10
COLUMNS = ("participant_id", "session_id", "stratum", "order", "kit", "treatment")
# What a data set's tables are; participants.tsv, which follows the register, is none of them.
TABLES = ("sub-*/**/*.tsv", "phenotype/*.tsv")

Issues = Callable[[], Sequence[str]]


def packing_list(register: Register, key: Any) -> tuple[Packed, ...]:
    """The pharmacy's list of all kits; WrongKey for another key than the pharmacy's."""
    return msgspec.json.decode(_opened(register, PACKING, key), type=tuple[Packed, ...])


def lock(register: Register, data: Path, who: str, open_issues: Issues) -> Entry:
    """Lock the study: nothing changes any more, and it may be unblinded.

    BadInput if a session of somebody who takes part was neither held nor closed, or if `open_issues` tells of any.
    """
    for name in (ALLOCATION, PACKING, KITS):
        register.beside(name)  # a study that could not be unblinded is not locked
    issues = tuple(open_issues())  # before the register is held, since it may take a while

    def decide(entries: Sequence[Entry]) -> Locked:
        people = participants.read_participants(participants.study_of(entries), entries).values()
        if any(isinstance(entry.act, Locked) for entry in entries):
            raise BadInput("The study is locked already.")
        if not people:
            raise BadInput("Nobody is enrolled, so there is nothing to lock.")
        to_do = [
            f"sub-{one.subject} ses-{session}: neither held nor closed"
            for one in people
            for session in SESSIONS
            if not (one.withdrawn or one.is_held(session))
        ]
        if to_do := [*to_do, *issues]:
            raise BadInput(
                "The study cannot be locked yet:\n" + _listed(to_do) + "\nHold the session or close it (`dayfour run "
                "--close` if it began, `dayfour study close` if not), or record the withdrawal (`dayfour study "
                "withdraw`); say of what QA found what it was (`dayfour study answer`)."
            )
        return Locked(sum(one.is_held(session) for one in people for session in SESSIONS), data_sha256(data))

    return register.act(who, decide)


def data_sha256(data: Path) -> str:
    """A digest over the data set's tables: their names and contents, the same on every computer."""
    paths = {path.relative_to(data).as_posix(): path for pattern in TABLES for path in data.glob(pattern)}
    lines = (f"{sha256(paths[name].read_bytes()).hexdigest()}  {name}\n" for name in sorted(paths))
    return sha256("".join(lines).encode()).hexdigest()


def unblind_all(register: Register, data: Path, key: Any, who: str, reason: str, out: Path) -> int:
    """Write the table that analysis joins by participant and session to `out`; how many participants stand in it.

    `out` must lie outside the data set, where nobody sees it by accident, and is for its owner only. BadInput before
    the lock, or if the data set's tables are not as they were then; WrongKey for another key. Nothing is recorded then.
    """
    _check_out(out, data)
    slots = _slots(register, key)

    def decide(entries: Sequence[Entry]) -> Unblinded:
        locked = [entry.act for entry in entries if isinstance(entry.act, Locked)]
        if not locked:
            raise BadInput(
                "The study is not locked, and before that nobody sees all treatments. Run `dayfour study lock`; in an "
                "emergency, `dayfour study unblind --subject ID --reason REASON` shows one participant's."
            )
        if locked[0].data_sha256 != data_sha256(data):
            raise BadInput(f"The tables in {data} are not those that were locked. Put them back from a copy.")
        return Unblinded(None, reason)

    register.act(who, decide)
    study, enrolled = register.begun().plan, list(_enrolled(register.entries()))
    rows = [
        (f"sub-{act.subject}", f"ses-{session}", act.stratum, slot.order, kit, treatment)
        for act in enrolled
        for slot in [slots[act.stratum, act.place]]
        for session, kit, treatment in zip(SESSIONS, slot.kits, treatments(study, slot.order), strict=True)
    ]
    write_whole(out, tsv(COLUMNS, rows), private=True)
    return len(enrolled)


def unblind_one(register: Register, key: Any, who: str, subject: str, reason: str) -> tuple[str, str]:
    """The treatments of one participant's courses 1 and 2, in an emergency: recorded first, for everybody to see.

    BadInput if nobody of this ID is enrolled, or without a reason in words; WrongKey for another key. Nothing is
    recorded then.
    """
    slots, why = _slots(register, key), meaningful(reason)
    one = register.participant(subject)
    register.act(who, lambda _: Unblinded(one.subject, why))
    return treatments(register.begun().plan, slots[one.stratum, one.place].order)


def _enrolled(entries: Sequence[Entry]) -> Iterator[Enrolled]:
    return (entry.act for entry in entries if isinstance(entry.act, Enrolled))


def _slots(register: Register, key: Any) -> dict[tuple[str, int], Slot]:
    """The sealed allocation by stratum and place."""
    allocation = msgspec.json.decode(_opened(register, ALLOCATION, key), type=Allocation)
    return {(slot.stratum, slot.place): slot for slot in allocation.slots}


def _opened(register: Register, name: str, key: Any) -> bytes:
    content = register.beside(name)
    try:
        return encryption.decrypt(content, key)
    except encryption.WrongKey:
        raise encryption.WrongKey(
            f"This is not the key for {register.folder / name}, and without it nobody can open that. Nothing was shown "
            "and nothing recorded. Ask whoever holds the key."
        ) from None


def _check_out(out: Path, data: Path) -> None:
    if out.exists():
        raise BadInput(f"{out} is there already, and is not overwritten. Choose another --out.")
    if out.resolve().is_relative_to(data.resolve()):
        raise BadInput(f"{out} lies in the data set, where everybody sees it. Choose --out outside of {data}.")
    if not out.parent.is_dir():
        raise BadInput(f"The folder {out.parent} is not there. Make it, or choose another --out.")


def _listed(lines: Sequence[str]) -> str:
    more = [f"... and {len(lines) - MOST_NAMED} more"] if len(lines) > MOST_NAMED else []
    return "\n".join(f"  {line}" for line in [*lines[:MOST_NAMED], *more])
