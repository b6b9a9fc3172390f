"""How the treatments become known: to everybody after the lock, or of one person in an emergency.

Only the key holder's key opens the allocation. An unblinding is recorded in the register before it is shown,
for all to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from experiment.design.visit import Visit, session_name, subject_name
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.tsv import tsv
from experiment.storage.atomic_file import write_whole
from experiment.study import participants, queries
from experiment.study.allocation import Slot, treatments
from experiment.study.data_lock import check_locked, listed, lock_data
from experiment.study.events import Enrolled, Entry, Locked, Unblinded
from experiment.study.participants_tsv import update_participants_tsv
from experiment.study.recording import meaningful
from experiment.study.register import ALLOCATION, KITS, PACKING, Register
from experiment.study.seals import open_allocation
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Study

SESSIONS = (1, 2)
COLUMNS = ("participant_id", "session_id", "stratum", "order", "kit", "treatment")

Issues = Callable[[], Sequence[str]]
Held = AbstractContextManager[None]


def lock(
    register: Register, data: Path, who: str, open_issues: Issues, hold: Callable[[], Held] = nullcontext
) -> Entry:
    """Lock the study: nothing changes any more, and it may be unblinded.

    BadInput if a session of somebody who takes part was neither run nor closed, if register and data disagree, or if
    `open_issues` tells of any. `hold`: keeps everybody from the data while they are read and locked.
    """
    for name in (ALLOCATION, PACKING, KITS):
        register.beside(name)  # a study that could not be unblinded is not locked
    told = register.read()
    update_participants_tsv(DataSet(data), told.entries)
    # Before the register is held, since it may take a while.
    issues = dict.fromkeys((*map(queries.in_words, queries.open_disagreements(told, data)), *open_issues()))

    def decide(entries: Sequence[Entry]) -> Locked:
        people = participants.read_participants(participants.study_of(entries), entries).values()
        if any(isinstance(entry.act, Locked) for entry in entries):
            raise BadInput("The study is locked already.")
        if not people:
            raise BadInput("No participants are enrolled, so there is nothing to lock.")
        to_do = [
            f"{Visit(one.subject, session)}: not run and not closed"
            for one in people
            for session in SESSIONS
            if not (one.withdrawn or one.is_held(session))
        ]
        if to_do := [*to_do, *issues]:
            raise BadInput(
                "The study cannot be locked yet:\n" + listed(to_do) + "\nRun the session or close it (`dayfour run "
                "--close` if it began, `dayfour study close` if not), or record the withdrawal (`dayfour study "
                "withdraw`). Copy what other computers recorded into this data set. Resolve the QA findings (`dayfour "
                "study answer`)."
            )
        sessions = sum(one.is_held(session) for one in people for session in SESSIONS)
        return lock_data(data, register.folder, sessions)

    with hold():
        return register.act(who, decide)


def unblind_all(register: Register, data: Path, key: Any, who: str, reason: str, out: Path) -> int:
    """Write the table that analysis joins by participant and session to `out`; how many participants stand in it.

    `out` must lie outside the data set, where nobody sees it by accident, and is for its owner only. BadInput before
    the lock, or if the data are not as they were then; Forged if the allocation is not the study's; WrongKey for
    another key. Nothing is recorded then.
    """
    _check_out(out, data)
    told = register.read()
    slots = _slots(register, told, key)

    def decide(entries: Sequence[Entry]) -> Unblinded:
        locked = [entry.act for entry in entries if isinstance(entry.act, Locked)]
        if not locked:
            raise BadInput(
                "The study is not locked, and treatments stay hidden until it is. Run `dayfour study lock`; in an "
                "emergency, `dayfour study unblind --subject ID --reason REASON` shows one participant's."
            )
        check_locked(data, register.folder, locked[0])
        if found := queries.open_disagreements(told, data):
            raise BadInput("Register and data disagree:\n" + listed([one.text for one in found]))
        return Unblinded(None, reason)

    register.act(who, decide)
    study, enrolled = register.begun().plan, list(_enrolled(register.entries()))
    rows = [
        (subject_name(act.subject), session_name(session), act.stratum, order, kit, treatment)
        for act in enrolled
        for order, given in [_given(study, slots, act)]
        for session, kit, treatment in zip(SESSIONS, act.kits, given, strict=True)
    ]
    write_whole(out, tsv(COLUMNS, rows), private=True)
    return len(enrolled)


def unblind_one(register: Register, key: Any, who: str, subject: str, reason: str) -> tuple[str, str]:
    """The treatments of one participant's courses 1 and 2, in an emergency: recorded first, for everybody to see.

    BadInput if nobody of this ID is enrolled, or without a reason in words; WrongKey for another key. Nothing is
    recorded then.
    """
    told, why = register.read(), meaningful(reason)
    slots, one = _slots(register, told, key), told.participant(subject)
    if not one.place:
        raise BadInput(f"{one.name} was allocated elsewhere, before this study was set up here. Ask there. {_NOTHING}")
    register.act(who, lambda _: Unblinded(one.subject, why))
    return treatments(register.begun().plan, slots[one.stratum, one.place].order)


def _enrolled(entries: Sequence[Entry]) -> Iterator[Enrolled]:
    return (act for act in participants.counting_acts(entries) if isinstance(act, Enrolled))


_NOTHING = "Nothing was shown or recorded."


def _given(
    study: Study, slots: Mapping[tuple[str, int], Slot], act: Enrolled
) -> tuple[str | None, tuple[str | None, str | None]]:
    """Order and treatments; not known of who was allocated elsewhere: whoever knows them completes the table."""
    if not act.place:
        return None, (None, None)
    order = slots[act.stratum, act.place].order
    return order, treatments(study, order)


def _slots(register: Register, told: Snapshot, key: Any) -> dict[tuple[str, int], Slot]:
    """The sealed allocation by stratum and place."""
    return {(slot.stratum, slot.place): slot for slot in open_allocation(register, told, key).slots}


def _check_out(out: Path, data: Path) -> None:
    if out.exists():
        raise BadInput(f"{out} already exists and is not overwritten. Choose another --out.")
    if out.resolve().is_relative_to(data.resolve()):
        raise BadInput(f"{out} is in the data set, where everyone can see it. Choose --out outside {data}.")
    if not out.parent.is_dir():
        raise BadInput(f"The folder {out.parent} does not exist. Create it, or choose another --out.")
