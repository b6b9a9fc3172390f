"""The study's register as it was read at one moment, and where each participant stands: a fold over its acts.

What may follow what are the rules of `participant`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from msgspec.structs import replace

from experiment.design.visit import Visit, bare_label, subject_name
from experiment.errors import BadInput
from experiment.storage.anchor import anchor_of
from experiment.study import dates
from experiment.study.clock import moment_of
from experiment.study.events import (
    Act,
    Answered,
    Begun,
    BegunAgain,
    ClockConfirmed,
    Consented,
    Corrected,
    Enrolled,
    Entry,
    Locked,
    Recovered,
    Screened,
    SessionHeld,
    Unblinded,
)
from experiment.study.participant import Participant, apply
from experiment.study.study_file import Study

MOST_NAMED = 3
LEAST_ALIKE = 60.0  # of 100, as rapidfuzz's ratio: DF01 and DF001 have 89, DF010 and DF001 80
LOOK_ALIKES = str.maketrans("oil", "011")
NOT_SET_UP = "The study has not been set up here. Start with `dayfour study init`, or check --data."
AFTER_LOCK = (Answered, ClockConfirmed, Recovered, Unblinded)


@dataclass(frozen=True)
class Snapshot:
    """All acts, oldest first, each with the digest of its line; `size_bytes`: of the file then."""

    entries: Sequence[Entry]
    digests: tuple[str, ...] = ()
    size_bytes: int = 0

    @cached_property
    def study(self) -> Study:
        """The study as it was set up; BadInput if it was not."""
        if not self.entries or not isinstance(self.entries[0].act, Begun):
            raise BadInput(NOT_SET_UP)
        return self.entries[0].act.plan

    @cached_property
    def taken_back(self) -> Mapping[int, int]:
        """By the number of each entry (from 1) that counts no more, the number of the one that says so."""
        return {one.act.entry: number for number, one in enumerate(self.entries, 1) if isinstance(one.act, Corrected)}

    @cached_property
    def acts(self) -> Sequence[Act]:
        """All acts but those that were taken back."""
        return [entry.act for number, entry in enumerate(self.entries, start=1) if number not in self.taken_back]

    @cached_property
    def people(self) -> Mapping[str, Participant]:
        """Everybody by subject, in the order of enrolment; BadInput names the first entry that cannot be there.

        An entry that was corrected later counts as if it had never been there.
        """
        if not self.entries:
            raise BadInput(NOT_SET_UP)
        people: dict[str, Participant] = {}
        consents: dict[str, list[Entry]] = {}  # of those who are not enrolled yet
        given: set[str] = set()
        locked = False
        for number, entry in enumerate(self.entries, start=1):
            act = entry.act
            if number in self.taken_back:
                continue
            try:
                _check_order(act, number, locked=locked)
                if isinstance(act, Consented) and act.subject not in people:
                    dates.parse_day(act.day)
                    consents.setdefault(act.subject, []).append(entry)
                elif isinstance(act, Enrolled):
                    one = _enrolled(self.study, people, given, entry, act)
                    for consent in consents.pop(act.subject, ()):
                        one = apply(self.study, one, consent)
                    people[act.subject] = one
                elif (subject := getattr(act, "subject", None)) and not isinstance(act, Answered | Screened):
                    people[subject] = apply(self.study, _known(people, subject), entry)
                locked |= isinstance(act, Locked)
            except (BadInput, ValueError) as error:
                raise BadInput(
                    f"Entry {number} of the study's register is not possible: {error}\nThe register was changed by "
                    "another program or version. Restore it from a copy."
                ) from error
        return {name: replace(one, locked=True) for name, one in people.items()} if locked else people

    def participant(self, subject: str) -> Participant:
        """The participant; BadInput suggests similar IDs if nobody of this one is enrolled."""
        label = bare_label(subject)
        if label in self.people:
            return self.people[label]
        near = near_ids(label, self.people)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise BadInput(
            f"{label!r} is not enrolled in this study.{meant} Check the ID, or enrol with `dayfour study enrol`."
        )

    @cached_property
    def awaiting_enrolment(self) -> list[str]:
        """Who gave consent and is not enrolled, in the order of consent."""
        enrolled = {act.subject for act in self.acts if isinstance(act, Enrolled)}
        consented = dict.fromkeys(act.subject for act in self.acts if isinstance(act, Consented))
        return [subject for subject in consented if subject not in enrolled]

    @cached_property
    def sessions_held(self) -> Mapping[Visit, Entry]:
        """The last entry about each session that was not taken back; none about one that was begun again since."""
        held = dict[Visit, Entry]()
        for number, entry in enumerate(self.entries, start=1):
            if isinstance(entry.act, SessionHeld) and number not in self.taken_back:
                held[Visit(entry.act.subject, entry.act.session)] = entry
            elif isinstance(entry.act, BegunAgain):
                held.pop(Visit(entry.act.subject, entry.act.session), None)
        return held

    @cached_property
    def lock(self) -> Locked | None:
        """The study's lock."""
        return next((one.act for one in self.entries if isinstance(one.act, Locked)), None)

    @cached_property
    def locked_at(self) -> datetime | None:
        """When the study was locked: what was missing then is missing, and nothing changes any more."""
        return next((one.moment for one in self.entries if isinstance(one.act, Locked)), None)

    def as_of(self, now: datetime) -> datetime:
        """The moment for which the study is shown: now, or that of its lock; of a simulated one, its last entry's."""
        return self.locked_at or moment_of(self.entries, now)

    @property
    def anchor(self) -> str:
        """The anchor of the whole register, and by the digests in it of every session that it knows."""
        return anchor_of(self.digests[-1])

    def followed_by(self, moment: datetime, *acts: Act) -> Snapshot:
        """The register as it would be after these acts, with its participants; BadInput if they cannot follow."""
        after = Snapshot([*self.entries, *(Entry(moment.isoformat(), "", act) for act in acts)])
        _ = after.people
        return after


def similar_ids(label: str, others: Iterable[str]) -> list[str]:
    """IDs that are easily taken for this one: but for leading zeros, capital letters, O for 0 and l or I for 1."""
    return [other for other in others if other != label and _plain(other) == _plain(label)]


def near_ids(typed: str, known: Iterable[str]) -> list[str]:
    """The known IDs that are most like what was typed, the nearest first; at most three."""
    from rapidfuzz import fuzz, process

    label, names = bare_label(typed.strip()), list(known)
    found = process.extract(
        label, names, scorer=fuzz.ratio, processor=str.casefold, limit=MOST_NAMED, score_cutoff=LEAST_ALIKE
    )
    return [name for name, _, _ in found]


def _plain(label: str) -> str:
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", label.casefold().translate(LOOK_ALIKES))


def _check_order(act: Act, number: int, *, locked: bool) -> None:
    """A study is set up once, and before all else; after the lock it can only be unblinded."""
    if isinstance(act, Begun) != (number == 1):
        raise ValueError("Expected the study's beginning first, and once.")
    if locked and not isinstance(act, AFTER_LOCK):
        raise ValueError("Expected nothing after the lock but unblinding, and answers about it.")
    if isinstance(act, Unblinded) and act.subject is None and not locked:
        raise ValueError("Expected the lock before everybody is unblinded.")


def _known(people: Mapping[str, Participant], subject: str) -> Participant:
    if subject not in people:
        raise ValueError(f"{subject_name(subject)} has not been enrolled before.")
    return people[subject]


def _enrolled(
    study: Study, people: Mapping[str, Participant], given: set[str], entry: Entry, act: Enrolled
) -> Participant:
    """A new participant, with a place and kits that nobody else was `given`, which is added to."""
    if act.subject in people:
        raise ValueError(f"{subject_name(act.subject)} was enrolled before.")
    taken = {*act.kits, f"{act.stratum}/{act.place or act.subject}"}
    if len(taken) < 3 or taken & given:
        raise ValueError(f"{subject_name(act.subject)} was given a place or a kit that was given before.")
    given |= taken
    day = dates.parse_day(act.day) if act.day else dates.day_of(study.at(act.stratum), entry.utc)
    return Participant(act.subject, act.stratum, act.place, act.kits, day)
