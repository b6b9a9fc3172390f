"""All that the register says about one participant, and what may follow what: `apply` gives them after an act.

Who records an act asks `apply` beforehand, so a register in which something impossible stands was changed from outside.
What the rules leave out on purpose are dates that make no sense today (`recording`) and whether a session may be held
(`admission`): a session that was held is a fact, whatever it was held against.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import UNSET, Struct
from msgspec.structs import replace

from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.study import dates
from experiment.study.events import (
    BegunAgain,
    Consented,
    CourseStarted,
    Dosed,
    Entry,
    Overridden,
    SessionHeld,
    Unblinded,
    Withdrew,
)
from experiment.study.study_file import Study


class Override(Struct, frozen=True):
    """What was allowed against the rules, on which day, by whom and why."""

    day: date
    who: str
    refused: str
    reason: str


class Participant(Struct, frozen=True):
    """All that the register says about one participant. Never which drug.

    `place`: of the stratum's allocation, from 1; 0 for who was allocated elsewhere, before the study was brought in.
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
        return subject_name(self.subject)

    @property
    def is_over(self) -> bool:
        """Whether nothing is due or open any more: after a withdrawal, or the study's lock."""
        return self.withdrawn is not None or self.locked

    def is_held(self, session: int) -> bool:
        """Whether a session was held that cannot go on: one that failed can be resumed."""
        return session in self.sessions and self.sessions[session].status != "failed"

    def past(self, session: int) -> str:
        """How a session that is over came to its end, in a sentence."""
        held = self.sessions[session]
        day = dates.in_words(dates.parse_day(held.day))
        if held.status == "never_held":
            return f"Session {session} of {self.name} was recorded as not run on {day}."
        return f"Session {session} of {self.name} was held on {day} ({held.status})."


def apply(study: Study, participant: Participant, entry: Entry) -> Participant:
    """The participant after an act; BadInput says why it cannot be, and what to do."""
    if participant.locked and not isinstance(entry.act, Unblinded):
        raise BadInput("The study is locked. Its participants' data can no longer be changed.")
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
        case Withdrew(day=left):
            _check_takes_part(one)
            return replace(one, withdrawn=dates.parse_day(left) if left else day)
        case Unblinded(reason=reason):
            return replace(one, unblinded=reason)
        case other:
            raise ValueError(f"Expected an act about one participant, found {type(other).__name__}.")


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
            f"Informed consent of {one.name} is not recorded. A course cannot start without it. When the form is "
            f"signed, run `dayfour study consent --subject {one.subject}`."
        )
    if day < one.enrolled and act.dated_back is UNSET:
        raise BadInput(
            f"{one.name} was enrolled on {dates.in_words(one.enrolled)} and had no kit before. Check the day. If the "
            "course really started earlier, give the reason: --dated-back 'REASON'."
        )
    if day < one.consented:
        raise BadInput(
            f"{one.name} consented on {dates.in_words(one.consented)}. A course cannot start before that. Check the "
            "day."
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
        raise BadInput(f"Kit {kit} is for course {3 - course} of {one.name}. Return it and take kit {own}.")
    raise BadInput(f"Kit {kit} is not for {one.name}. Return it and take kit {own}. If that is lost, do not start.")


def _dosed(study: Study, one: Participant, act: Dosed) -> Participant:
    day = dates.parse_day(act.day)
    if one.withdrawn and day > one.withdrawn:
        _check_takes_part(one)
    if not any(day in dates.all_days(study.courses, start) for start in one.starts):
        spans = " and ".join(
            f"{dates.in_words(start)} to {dates.in_words(dates.last(study.courses, start))}" for start in one.starts
        )
        when = f"are from {spans}" if spans else "have not started"
        raise BadInput(f"{dates.in_words(day)} is outside the courses of {one.name}, which {when}. Check the day.")
    if day in one.starts and not act.taken:
        raise BadInput(
            f"Day 1 is the day of the first dose, and {dates.in_words(day)} is day 1 of {one.name}. If the course "
            "started on another day, cancel its start (`dayfour study correct`)."
        )
    if day in one.doses and one.doses[day] == act.taken:
        word = "taken" if act.taken else "missed"
        raise BadInput(f"The dose of {one.name} on {dates.in_words(day)} is already recorded as {word}.")
    return replace(one, doses={**one.doses, day: act.taken})


def _held(one: Participant, act: SessionHeld) -> Participant:
    if not 1 <= act.session <= len(one.starts):
        raise BadInput(f"Session {act.session} of {one.name} cannot have been run: that course has not started.")
    if one.is_held(act.session):
        raise BadInput(one.past(act.session))
    dates.parse_day(act.day)
    return replace(one, sessions={**one.sessions, act.session: act})
