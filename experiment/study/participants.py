"""Where each participant stands: a fold over the register's acts, and the rules of what may follow what.

All that the rules know is in `apply`: it gives the participant after an act, or says why there can be no such act now
and what to do. Who records an act asks it beforehand, so a register in which something impossible stands was changed
from outside. What the rules leave out on purpose are dates that make no sense today (`recording`) and whether a session
may be held (`gate`): a session that was held is a fact, whatever it was held against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches

from msgspec import Struct
from msgspec.structs import replace

from experiment.errors import BadInput
from experiment.study import dates
from experiment.study.events import (
    Act,
    Answered,
    Begun,
    BegunAgain,
    ClockConfirmed,
    Consented,
    Corrected,
    CourseStarted,
    Dosed,
    Enrolled,
    Entry,
    Locked,
    Overridden,
    Recovered,
    SessionHeld,
    Unblinded,
    Withdrew,
)
from experiment.study.plan import Study

MOST_NAMED = 3
AFTER_LOCK = (Answered, ClockConfirmed, Recovered, Unblinded)


class Override(Struct, frozen=True):
    """What was allowed against the rules, on which day, by whom and why."""

    day: date
    who: str
    refused: str
    reason: str


class Participant(Struct, frozen=True):
    """All that the register says about one participant. Never which drug.

    `starts`: day 1 of each course begun. `doses`: whether it was taken, as recorded last for a day. `sessions`: how
    each ended. `unblinded`: why the order was shown to somebody. `locked`: nothing can change any more.
    """

    subject: str
    stratum: str
    place: int
    kits: tuple[str, str]
    enrolled: date
    consented: date | None = None
    consent_version: str | None = None
    starts: tuple[date, ...] = ()
    doses: Mapping[date, bool] = {}
    sessions: Mapping[int, SessionHeld] = {}
    overrides: tuple[Override, ...] = ()
    withdrawn: date | None = None
    unblinded: str | None = None
    locked: bool = False

    @property
    def name(self) -> str:
        """How a message calls the participant."""
        return f"sub-{self.subject}"

    def is_held(self, session: int) -> bool:
        """Whether a session was held that cannot go on: one that failed can be resumed."""
        return session in self.sessions and self.sessions[session].status != "failed"

    def past(self, session: int) -> str:
        """How a session that is over came to its end, in a sentence."""
        held = self.sessions[session]
        day = dates.in_words(dates.parse_day(held.day))
        if held.status == "never_held":
            return f"Session {session} of {self.name} was never held; that was recorded on {day}."
        return f"Session {session} of {self.name} was held on {day} ({held.status})."


def read_participants(study: Study, entries: Sequence[Entry]) -> dict[str, Participant]:
    """Each participant by subject, in the order of enrolment; BadInput names the first entry that cannot be there.

    An entry that was corrected later counts as if it had never been there.
    """
    people: dict[str, Participant] = {}
    given: set[str] = set()
    locked = False
    mistaken = corrected_entries(entries)
    for number, entry in enumerate(entries, start=1):
        act = entry.act
        if number in mistaken:
            continue
        try:
            _check_order(act, number, locked=locked)
            if isinstance(act, Enrolled):
                people[act.subject] = _enrolled(study, people, given, entry, act)
            elif (subject := getattr(act, "subject", None)) and not isinstance(act, Answered):
                people[subject] = apply(study, _known(people, subject), entry)
            locked |= isinstance(act, Locked)
        except (BadInput, ValueError) as error:
            raise BadInput(
                f"Entry {number} of the study's register cannot stand there: {error}\nThe register was changed by "
                "something else than this program, or by another version of it. Put back a copy of it."
            ) from error
    return {name: replace(one, locked=True) for name, one in people.items()} if locked else people


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
    label = subject.removeprefix("sub-")
    if label in people:
        return people[label]
    by_small = {name.casefold(): name for name in people}
    near = get_close_matches(label.casefold(), by_small, n=MOST_NAMED)
    meant = f" Did you mean {' or '.join(by_small[one] for one in near)}?" if near else ""
    raise BadInput(
        f"{label!r} is not enrolled in this study.{meant} Check the ID, or enrol with `dayfour study enrol`."
    )


def apply(study: Study, participant: Participant, entry: Entry) -> Participant:
    """The participant after an act; BadInput says why it cannot be, and what to do."""
    if participant.locked and not isinstance(entry.act, Unblinded):
        raise BadInput("The study is locked: nothing about its participants can change any more.")
    match entry.act:
        case Consented() as act:
            return _consented(participant, act)
        case CourseStarted() as act:
            return _started(study, participant, act)
        case Dosed() as act:
            return _dosed(study, participant, act)
        case SessionHeld() as act:
            return _held(participant, act)
        case _:
            return _noted(participant, entry, dates.day_of(study.at(participant.stratum), entry.utc))


def _noted(one: Participant, entry: Entry, day: date) -> Participant:
    """After an act that takes no turn in a course."""
    match entry.act:
        case Overridden(refused=refused, reason=reason):
            return replace(one, overrides=(*one.overrides, Override(day, entry.who, refused, reason)))
        case BegunAgain(session=session):
            return replace(one, sessions={number: held for number, held in one.sessions.items() if number != session})
        case Withdrew():
            _check_takes_part(one)
            return replace(one, withdrawn=day)
        case Unblinded(reason=reason):
            return replace(one, unblinded=reason)
        case other:
            raise ValueError(f"Expected an act about one participant, found {type(other).__name__}.")


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
        raise ValueError(f"sub-{subject} has not been enrolled before.")
    return people[subject]


def _enrolled(
    study: Study, people: Mapping[str, Participant], given: set[str], entry: Entry, act: Enrolled
) -> Participant:
    """A new participant, with a place and kits that nobody else was `given`, which is added to."""
    if act.subject in people:
        raise ValueError(f"sub-{act.subject} was enrolled before.")
    taken = {*act.kits, f"{act.stratum}/{act.place}"}
    if len(taken) < 3 or taken & given:
        raise ValueError(f"sub-{act.subject} was given a place or a kit that was given before.")
    given |= taken
    return Participant(act.subject, act.stratum, act.place, act.kits, dates.day_of(study.at(act.stratum), entry.utc))


def _check_takes_part(one: Participant) -> None:
    if one.withdrawn:
        raise BadInput(f"{one.name} left the study on {dates.in_words(one.withdrawn)}. Check the ID.")


def _consented(one: Participant, act: Consented) -> Participant:
    _check_takes_part(one)
    day = dates.parse_day(act.day)
    if one.consented and act.version == one.consent_version:
        raise BadInput(
            f"{one.name} consented to version {act.version} on {dates.in_words(one.consented)}: it is recorded already."
        )
    # Who consents to a new version of the form has given consent since the first one.
    return replace(one, consented=min(day, one.consented or day), consent_version=act.version)


def _started(study: Study, one: Participant, act: CourseStarted) -> Participant:
    _check_takes_part(one)
    day, course = dates.parse_day(act.day), act.course
    if one.consented is None:
        raise BadInput(
            f"Informed consent of {one.name} is not recorded, and no course starts without it. When the form is "
            f"signed: `dayfour study consent --subject {one.subject}`."
        )
    if day < one.enrolled:
        raise BadInput(
            f"{one.name} was enrolled on {dates.in_words(one.enrolled)} and had no kit before that. Check the day."
        )
    if day < one.consented:
        raise BadInput(
            f"{one.name} consented on {dates.in_words(one.consented)}, and no course starts before that. Check the day."
        )
    if course <= len(one.starts):
        raise BadInput(
            f"Course {course} of {one.name} started on {dates.in_words(one.starts[course - 1])} already. Check the ID "
            "and the course."
        )
    if course > len(one.starts) + 1:
        raise BadInput(f"Course 1 of {one.name} has not started yet. It comes first: --course 1.")
    if course == 2 and day < (earliest := dates.earliest_second(study.courses, one.starts[0])):
        raise BadInput(
            f"Course 2 of {one.name} cannot start on {dates.in_words(day)}: the washout lasts "
            f"{study.courses.washout_days} days. Start it on {dates.in_words(earliest)} or later."
        )
    _check_kit(one, course, act.kit)
    return replace(one, starts=(*one.starts, day), doses={**one.doses, day: True})


def _check_kit(one: Participant, course: int, kit: str) -> None:
    own = one.kits[course - 1]
    if kit == own:
        return
    if kit in one.kits:
        raise BadInput(f"Kit {kit} is for course {3 - course} of {one.name}. Put it back, and take kit {own}.")
    raise BadInput(f"Kit {kit} is not for {one.name}. Put it back, and take kit {own}; if it is lost, start nothing.")


def _dosed(study: Study, one: Participant, act: Dosed) -> Participant:
    day = dates.parse_day(act.day)
    if one.withdrawn and day > one.withdrawn:
        _check_takes_part(one)
    if not any(day in dates.all_days(study.courses, start) for start in one.starts):
        spans = " and ".join(
            f"{dates.in_words(start)} to {dates.in_words(dates.last(study.courses, start))}" for start in one.starts
        )
        when = f"are from {spans}" if spans else "have not started"
        raise BadInput(f"{dates.in_words(day)} is in no course of {one.name}: the courses {when}. Check the day.")
    if day in one.starts and not act.taken:
        raise BadInput(
            f"Day 1 is the day of the first dose, and {dates.in_words(day)} is a day 1 of {one.name}. If it did "
            "not begin then, take its start back (`dayfour study correct`)."
        )
    if day in one.doses and one.doses[day] == act.taken:
        word = "taken" if act.taken else "missed"
        raise BadInput(f"The dose of {one.name} on {dates.in_words(day)} is recorded as {word} already.")
    return replace(one, doses={**one.doses, day: act.taken})


def _held(one: Participant, act: SessionHeld) -> Participant:
    if not 1 <= act.session <= len(one.starts):
        raise BadInput(f"Session {act.session} of {one.name} cannot have been held: that course has not started.")
    if one.is_held(act.session):
        raise BadInput(one.past(act.session))
    dates.parse_day(act.day)
    return replace(one, sessions={**one.sessions, act.session: act})
