"""Which treatment each session was under: as unblinding wrote it, after the lock; or random labels, before it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiment.design.visit import Visit, session_name
from experiment.errors import BadInput
from experiment.record.tsv import read_records
from experiment.study.data_lock import check_locked
from experiment.study.events import Entry, Locked, Unblinded
from experiment.study.participant import Participant
from experiment.study.study_file import Study
from experiment.study.unblinding import COLUMNS, SESSIONS

Treatments = Mapping[tuple[str, int], str]
NOT_LOCKED = (
    "The study is not locked, and drug effects stay hidden until it is. Run `dayfour study lock` and `dayfour "
    "study unblind`, or try the analysis with --blinded."
)


def check_unblinded(entries: Sequence[Entry], data: Path, folder: Path) -> None:
    """BadInput unless the study is locked, unblinded, and its data are as they were; `folder`: the register's."""
    locked = [entry.act for entry in entries if isinstance(entry.act, Locked)]
    if not locked:
        raise BadInput(NOT_LOCKED)
    if not any(isinstance(entry.act, Unblinded) and entry.act.subject is None for entry in entries):
        raise BadInput("The study has not been unblinded. Run `dayfour study unblind` first.")
    check_locked(data, folder, locked[0])


def read_treatments(path: Path, study: Study, people: Sequence[Participant]) -> Treatments:
    """The treatments as `study unblind` wrote them; BadInput unless they are those of all who are enrolled."""
    rows = read_records(path, *COLUMNS[:2])
    if not rows:
        raise BadInput(
            f"{path} cannot be read or is empty. Please give the table that `dayfour study unblind --out` wrote."
        )
    if missing := [name for name in COLUMNS if name not in rows[0]]:
        raise BadInput(
            f"{path} has no column {missing[0]!r}. Please give the table that `dayfour study unblind` wrote."
        )
    found = {(row["participant_id"], row["session_id"]): row for row in rows}
    known: dict[tuple[str, int], str] = {}
    for one in people:
        for session in SESSIONS:
            row = found.pop((one.name, session_name(session)), None)
            if row is None or row["treatment"] not in study.treatments:
                raise BadInput(
                    f"{path}: {Visit(one.subject, session)} has no treatment, or one that is not of this study."
                )
            if row["kit"] != one.kits[session - 1]:
                raise BadInput(f"{path} belongs to another study: {Visit(one.subject, session)} has another kit here.")
            known[one.name, session] = row["treatment"]
        if known[one.name, 1] == known[one.name, 2]:
            raise BadInput(f"{path}: {one.name} has the same treatment twice. Unblind again, and do not edit the file.")
    if found:
        raise BadInput(f"{path}: {min(found)[0]} is not enrolled in this study.")
    return known


def random_labels(study: Study, people: Sequence[Participant]) -> Treatments:
    """Labels that say nothing: half of each stratum in either order, drawn anew from the plan's seed."""
    known: dict[tuple[str, int], str] = {}
    for stratum in study.strata:
        names = [one.name for one in people if one.stratum == stratum]
        random.Random(f"{study.seed}/{stratum}/blinded").shuffle(names)
        for place, name in enumerate(names):
            both = study.treatments if place % 2 else study.treatments[::-1]
            known |= {(name, session): both[session - 1] for session in SESSIONS}
    return known
