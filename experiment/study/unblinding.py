"""The study's lock, and how the treatments become known: to everybody after it, or of one person in an emergency.

The lock holds the digest of all data that unblinding and analysis read: what was changed, added or deleted since is
named. Beside the register, `locked_sha256.txt` lists every file with its digest, in the form that `sha256sum --check`
reads; the register holds the digest of that list. Whoever reads data of another kind after the lock adds their pattern
here. Only the key holder's key opens the allocation. An unblinding is recorded in the register before it is shown, for
all to see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any

from experiment.design.visit import Visit, session_name
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.finding import list_first
from experiment.record.tsv import tsv
from experiment.storage.atomic_file import write_whole
from experiment.storage.read_file import read_file
from experiment.study import queries
from experiment.study.allocation import Slot, treatments
from experiment.study.events import ALL_TABLES, Locked, Unblinded
from experiment.study.participant import Participant
from experiment.study.recording import meaningful
from experiment.study.register import ALLOCATION, KITS, PACKING, Register
from experiment.study.seals import open_allocation
from experiment.study.sessions import update_participants_tsv
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Study

SESSIONS = (1, 2)
COLUMNS = ("participant_id", "session_id", "stratum", "order", "kit", "treatment")
LISTED = "locked_sha256.txt"
PATTERNS = (
    "sourcedata/**/*.jsonl",  # transcripts, and the log of daily reports
    "sub-*/**/*.tsv",
    "sub-*/**/*.json",
    "phenotype/*.tsv",
    "phenotype/*.json",
    "participants.tsv",
)
MOST_NAMED = 10
_NOTHING = "Nothing was shown or recorded."

Issues = Callable[[], Sequence[str]]
Held = AbstractContextManager[None]


def lock(register: Register, data: Path, who: str, open_issues: Issues, hold: Callable[[], Held] = nullcontext) -> None:
    """Lock the study: nothing changes any more, and it may be unblinded.

    BadInput if a session of somebody who takes part was neither run nor closed, if register and data disagree, or if
    `open_issues` tells of any. `hold`: keeps everybody from the data while they are read and locked.
    """
    for name in (ALLOCATION, PACKING, KITS):
        register.beside(name)  # a study that could not be unblinded is not locked
    told = register.read()
    update_participants_tsv(DataSet(data), told)
    # Before the register is held, since it may take a while.
    issues = dict.fromkeys((*map(queries.in_words, queries.open_disagreements(told, data)), *open_issues()))

    def decide(told: Snapshot) -> Locked:
        people = told.people.values()
        if told.lock:
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
                f"The study cannot be locked yet:{list_first(to_do, MOST_NAMED)}\nRun the session or close it "
                "(`dayfour run --close` if it began, `dayfour study close` if not), or record the withdrawal (`dayfour "
                "study withdraw`). Copy what other computers recorded into this data set. Resolve the QA findings "
                "(`dayfour study answer`)."
            )
        sessions = sum(one.is_held(session) for one in people for session in SESSIONS)
        return lock_data(data, register.folder, sessions)

    with hold():
        register.act(who, decide)


def lock_data(data: Path, beside: Path, sessions: int) -> Locked:
    """The act that locks the data as they are; their list is written into the folder `beside`, that of the register."""
    text = _listing(data, PATTERNS)
    write_whole(beside / LISTED, text)
    return Locked(sessions, _digest(text), PATTERNS)


def check_locked(data: Path, beside: Path, locked: Locked) -> None:
    """BadInput names what is not as it was when it was locked, or if the lock leaves out what every lock covers."""
    if not set(ALL_TABLES) <= set(locked.patterns):
        raise BadInput("The study's lock does not cover all tables. Restore the register from a copy.")
    text = _listing(data, locked.patterns)
    if _digest(text) != locked.data_sha256:
        named = list_first(_changes(text, _listed(beside, locked)), MOST_NAMED)
        raise BadInput(f"The data in {data} differ from the locked data:{named}\nRestore them from a copy. {_NOTHING}")


def _listing(data: Path, patterns: Sequence[str]) -> str:
    """Names and digests of the files, the same on every computer."""
    found = {path.relative_to(data).as_posix(): path for pattern in patterns for path in data.glob(pattern)}
    files = {name: path for name, path in found.items() if path.is_file()}
    return "".join(f"{sha256(read_file(files[name])).hexdigest()}  {name}\n" for name in sorted(files))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _listed(beside: Path, locked: Locked) -> str | None:
    """The list as it was written at the lock; None if it is not there, or was changed."""
    path = beside / LISTED
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return text if _digest(text) == locked.data_sha256 else None


def _changes(now: str, then: str | None) -> list[str]:
    if then is None:
        return [f"(which files is unknown, because {LISTED} is missing or was changed too)"]
    lines = ([line.partition("  ") for line in text.splitlines()] for text in (now, then))
    present, before = ({name: digest for digest, _, name in each} for each in lines)
    words = {
        name: "deleted" if name not in present else "added" if name not in before else "changed"
        for name in sorted({*present, *before})
        if present.get(name) != before.get(name)
    }
    return [f"{name}: {word}" for name, word in words.items()]


def unblind_all(register: Register, data: Path, key: Any, who: str, reason: str, out: Path) -> int:
    """Write the table that analysis joins by participant and session to `out`; how many participants stand in it.

    `out` must lie outside the data set, where nobody sees it by accident, and is for its owner only. BadInput before
    the lock, or if the data are not as they were then; Forged if the allocation is not the study's; WrongKey for
    another key. Nothing is recorded then.
    """
    _check_out(out, data)
    told = register.read()
    slots = _slots(register, told, key)

    def decide(told: Snapshot) -> Unblinded:
        if not told.lock:
            raise BadInput(
                "The study is not locked, and treatments stay hidden until it is. Run `dayfour study lock`; in an "
                "emergency, `dayfour study unblind --subject ID --reason REASON` shows one participant's."
            )
        check_locked(data, register.folder, told.lock)
        if found := queries.open_disagreements(told, data):
            raise BadInput(f"Register and data disagree:{list_first([one.text for one in found], MOST_NAMED)}")
        return Unblinded(None, reason)

    told = register.act(who, decide)
    rows = [
        (one.name, session_name(session), one.stratum, order, kit, treatment)
        for one in told.people.values()
        for order, given in [_given(told.study, slots, one)]
        for session, kit, treatment in zip(SESSIONS, one.kits, given, strict=True)
    ]
    write_whole(out, tsv(COLUMNS, rows), private=True)
    return len(told.people)


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
    return treatments(told.study, slots[one.stratum, one.place].order)


def _given(
    study: Study, slots: Mapping[tuple[str, int], Slot], one: Participant
) -> tuple[str | None, tuple[str | None, str | None]]:
    """Order and treatments; not known of who was allocated elsewhere: whoever knows them completes the table."""
    if not one.place:
        return None, (None, None)
    order = slots[one.stratum, one.place].order
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
