"""A study that is under way is brought in from a table: one row for each participant, with past dates.

All of it is recorded as such: nobody gets a place of the allocation here, since theirs was drawn elsewhere; each date
is marked as dated back, with the reason, and each session as run elsewhere. Nothing is recorded of a table in which a
row is wrong; one that has grown adds what is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from msgspec import UNSET
from msgspec.structs import replace

from experiment.errors import BadInput
from experiment.record.finding import list_first
from experiment.study import dates, rules, setup
from experiment.study.events import Act, Consented, CourseStarted, Enrolled, Entry, Screened, SessionHeld
from experiment.study.participant import Participant
from experiment.study.participants import awaiting_enrolment, counting_acts, read_participants, study_of
from experiment.study.past_rows import PastRow, acts_of
from experiment.study.recording import meaningful
from experiment.study.register import AllocationSlot, Register
from experiment.study.study_file import Study

MOST_NAMED = 20


def plan_past(
    path: Path, rows: Sequence[PastRow], entries: Sequence[Entry], kits: Sequence[AllocationSlot], reason: str,
    moment: datetime,
) -> list[Act]:  # fmt: skip
    """What is to be recorded of these rows, in order; what was recorded of them before is left out.

    BadInput names every row that cannot be so, and what to do.
    """
    why, acts, wrong = meaningful(reason), list[Act](), list[str]()
    there = _There(study_of(entries), entries, kits, moment)
    for row in rows:
        found = "it is there twice. Delete one." if _is_twice(row, rows) else _planned(there, row, why)
        if isinstance(found, str):
            wrong.append(f"row {row.number}: {found}")
        else:
            acts += found
    if wrong:
        listed = list_first(wrong, MOST_NAMED)
        raise BadInput(f"{path}: nothing was recorded. Please correct these rows:{listed}")
    read_participants(there.study, [*entries, *(Entry(moment.isoformat(), "", act) for act in acts)])
    return acts


def record_past(register: Register, who: str, acts: Sequence[Act]) -> None:
    """Add them to the register, one after the other; what was recorded before an error is left out next time."""
    for act in acts:
        register.act(who, partial(_possible, act, register.now()))


def _possible(act: Act, moment: datetime, entries: Sequence[Entry]) -> Act:
    read_participants(study_of(entries), [*entries, Entry(moment.isoformat(), "", act)])
    return act


def _is_twice(row: PastRow, rows: Sequence[PastRow]) -> bool:
    return sum(one.cells["participant_id"] == row.cells["participant_id"] for one in rows) > 1


@dataclass(frozen=True)
class _There:
    """The register into which somebody is brought; `kits`: those of its own allocation."""

    study: Study
    entries: Sequence[Entry]
    kits: Sequence[AllocationSlot]
    moment: datetime

    @cached_property
    def people(self) -> Mapping[str, Participant]:
        return read_participants(self.study, self.entries)

    @cached_property
    def known(self) -> list[Act]:
        """What is recorded already, whatever the reason was."""
        return [_plain(act) for act in counting_acts(self.entries)]

    @cached_property
    def own_kits(self) -> set[str]:
        return {kit for slot in self.kits for kit in slot.kits}


def _plain(act: Act) -> Act:
    """The act without the reason for its date, which may be worded differently next time."""
    if isinstance(act, Enrolled | SessionHeld):
        return replace(act, elsewhere=UNSET)
    return replace(act, dated_back=UNSET) if isinstance(act, Consented | CourseStarted) else act


def _planned(there: _There, row: PastRow, why: str) -> list[Act] | str:
    """What of a row is new, or why it cannot be."""
    try:
        told = acts_of(there.study, row, why, there.moment)
        new = [act for act in told if _plain(act) not in there.known]
        _check(there, row.subject, new)
    except (BadInput, ValueError) as error:
        return str(error)
    return new


def _check(there: _There, subject: str, new: Sequence[Act]) -> None:
    """BadInput if these acts cannot follow one another, or what is there."""
    one = there.people.get(subject)
    if one and one.place and new:
        raise BadInput(f"{one.name} is enrolled here, with a place of this study's allocation. Delete the row.")
    for act in new:
        if isinstance(act, Screened | Enrolled):
            setup.check_similar(subject, there.entries, is_new=False)
        if isinstance(act, Enrolled):
            if taken := there.own_kits.intersection(act.kits):
                raise BadInput(f"Kit {min(taken)} belongs to this study's own allocation. Check the number.")
            if subject in awaiting_enrolment(there.entries):
                raise BadInput("Consent is recorded here already. Enrol here, or cancel it (`dayfour study correct`).")
            one = Participant(subject, act.stratum, 0, act.kits, dates.parse_day(str(act.day)))
        elif one:
            one = rules.apply(there.study.at(one.stratum), one, Entry(there.moment.isoformat(), "", act))
