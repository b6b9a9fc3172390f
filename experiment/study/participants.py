"""Where each participant stands: a fold over the register's acts by the rules (`rules`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from experiment.design.visit import bare_label, subject_name
from experiment.errors import BadInput
from experiment.study import dates
from experiment.study.events import (
    Act,
    Answered,
    Begun,
    ClockConfirmed,
    Consented,
    Corrected,
    Enrolled,
    Entry,
    Locked,
    Recovered,
    Screened,
    Unblinded,
)
from experiment.study.participant import Participant
from experiment.study.rules import apply
from experiment.study.study_file import Study

MOST_NAMED = 3
LEAST_ALIKE = 60.0  # of 100, as rapidfuzz's ratio: DF01 and DF001 have 89, DF010 and DF001 80
LOOK_ALIKES = str.maketrans("oil", "011")
AFTER_LOCK = (Answered, ClockConfirmed, Recovered, Unblinded)


def read_participants(study: Study, entries: Sequence[Entry]) -> dict[str, Participant]:
    """Each participant by subject, in the order of enrolment; BadInput names the first entry that cannot be there.

    An entry that was corrected later counts as if it had never been there.
    """
    people: dict[str, Participant] = {}
    consents: dict[str, list[Entry]] = {}  # of those who are not enrolled yet
    given: set[str] = set()
    locked = False
    mistaken = corrected_entries(entries)
    for number, entry in enumerate(entries, start=1):
        act = entry.act
        if number in mistaken:
            continue
        try:
            _check_order(act, number, locked=locked)
            if isinstance(act, Consented) and act.subject not in people:
                dates.parse_day(act.day)
                consents.setdefault(act.subject, []).append(entry)
            elif isinstance(act, Enrolled):
                one = _enrolled(study, people, given, entry, act)
                for consent in consents.pop(act.subject, ()):
                    one = apply(study, one, consent)
                people[act.subject] = one
            elif (subject := getattr(act, "subject", None)) and not isinstance(act, Answered | Screened):
                people[subject] = apply(study, _known(people, subject), entry)
            locked |= isinstance(act, Locked)
        except (BadInput, ValueError) as error:
            raise BadInput(
                f"Entry {number} of the study's register is not possible: {error}\nThe register was changed by "
                "another program or version. Restore it from a copy."
            ) from error
    return {name: replace(one, locked=True) for name, one in people.items()} if locked else people


def awaiting_enrolment(entries: Sequence[Entry]) -> list[str]:
    """Who gave consent and is not enrolled, in the order of consent."""
    acts = counting_acts(entries)
    enrolled = {act.subject for act in acts if isinstance(act, Enrolled)}
    consented = dict.fromkeys(act.subject for act in acts if isinstance(act, Consented))
    return [subject for subject in consented if subject not in enrolled]


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


def counting_acts(entries: Sequence[Entry]) -> list[Act]:
    """All acts but those that were taken back."""
    mistaken = corrected_entries(entries)
    return [entry.act for number, entry in enumerate(entries, start=1) if number not in mistaken]


def corrected_entries(entries: Sequence[Entry]) -> dict[int, int]:
    """By the number of each entry that counts no more, the number of the one that says so."""
    return {entry.act.entry: number for number, entry in enumerate(entries, 1) if isinstance(entry.act, Corrected)}


def study_of(entries: Sequence[Entry]) -> Study:
    """The study as it was set up; BadInput if it was not."""
    if not entries or not isinstance(entries[0].act, Begun):
        raise BadInput("The study has not been set up here. Start with `dayfour study init`, or check --data.")
    return entries[0].act.plan


def get_participant(people: Mapping[str, Participant], subject: str) -> Participant:
    """The participant; BadInput suggests those with a similar ID."""
    label = bare_label(subject)
    if label in people:
        return people[label]
    near = near_ids(label, people)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    raise BadInput(
        f"{label!r} is not enrolled in this study.{meant} Check the ID, or enrol with `dayfour study enrol`."
    )


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
