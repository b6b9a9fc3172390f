"""A whole synthetic study, for piloting QA and analysis: courses, sessions, drop-outs, late visits, an emergency.

Everything goes through the register and the gate as it does in a real study; only the clock is another one. The seed
decides who does what and when, and every rating; kits and orders come from the register, which draws them from a secret
of its own. Unless it is given effects, no rating knows the drug, and an analysis which finds an effect is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from random import Random
from types import MappingProxyType
from typing import Literal

from experiment.design.message import Message
from experiment.design.protocol import Protocol
from experiment.design.synthetic import Ratings
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.session import plan as plans
from experiment.session import run as sessions
from experiment.study import dates, recording, setup
from experiment.study.dates import DAY
from experiment.study.events import Act, Unblinded
from experiment.study.participant import Participant
from experiment.study.register import Register
from experiment.study.sessions import admit, record, update_participants_tsv
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Study

FIRST_DAY = date(2000, 1, 3)  # long ago, so that nobody takes it for a real one
A_WEEK = 7
ASSISTANTS = ("RA1", "RA2")
ARRIVAL, EVENING = "10:00", "23:00"
OVERRIDE = "could not come on another day"
EMERGENCY = "an emergency of the simulation"
NONE: Mapping[str, float] = MappingProxyType({})

Fate = Literal["plain", "late", "forgets", "absent", "quits", "unblinded"]
# What happens to ten participants; in which order, the seed decides.
FATES: tuple[Fate, ...] = (
    *("late", "forgets", "absent", "quits", "unblinded"),
    *("plain", "plain", "plain", "plain", "plain"),
)


class SettableClock:
    """A wall clock that somebody sets; the register asks it for the time."""

    def __init__(self) -> None:
        self.moment = datetime.combine(FIRST_DAY, time(), timezone.utc)

    def __call__(self) -> datetime:
        """The moment."""
        return self.moment


@dataclass(frozen=True)
class SyntheticLab:
    """Where the synthetic study takes place; `effects` of the drug by outcome, in scale points, and the kits of it."""

    study: Study
    register: Register
    data: DataSet
    protocol: Protocol
    messages: Sequence[Message]
    seed: int
    effects: Mapping[str, float]
    drug_kits: Collection[str]


@dataclass(frozen=True)
class SyntheticParticipant:
    """A synthetic participant; the number decides, with the seed, everything about them."""

    lab: SyntheticLab
    number: int

    @property
    def subject(self) -> str:
        """The ID, as other simulated data sets have it."""
        return f"sim{self.number:05}"

    @property
    def assistant(self) -> str:
        """Who looks after them."""
        return ASSISTANTS[self.number % len(ASSISTANTS)]

    @property
    def stratum(self) -> str:
        """One after the other."""
        return self.lab.study.strata[self.number % len(self.lab.study.strata)]

    @property
    def draw(self) -> Random:
        """What chance brings them."""
        return Random(f"{self.lab.seed}/{self.number}/life")

    @property
    def fate(self) -> Fate:
        """What happens to them: each kind to one of ten, or to five."""
        tens, one = divmod(self.number - 1, len(FATES))
        return Random(f"{self.lab.seed}/{tens}/fates").sample(FATES, len(FATES))[one]


Step = tuple[datetime, Callable[[], object]]
Decide = Callable[[Snapshot, datetime], Act]


def simulate_study(
    register_of: Callable[[Callable[[], datetime]], Register],
    data: DataSet,
    subjects: int,
    *,
    seed: int,
    protocol: Protocol,
    messages: Sequence[Message],
    effects: Mapping[str, float] = NONE,
    drug_kits: Callable[[Register], Collection[str]] = lambda _: (),
    until: date = date.max,
    watched: Callable[[Sequence[Step]], Iterable[Step]] = iter,
) -> Register:
    """The register of a study that so many participants were in, whose sessions are saved in the data set.

    `register_of`: gives a register in which a study has begun, that asks this clock for the time. `messages`: read by
    everybody. `effects`: what the drug adds to each outcome, in scale points, where a kit is one of the `drug_kits`.
    `until`: the last day; what would happen later does not.
    `watched`: whoever shows the progress. BadInput if the study has fewer places, or the protocol has not
    two sessions.
    """
    clock = SettableClock()
    register = register_of(clock)
    study = register.begun().plan
    _check(study, protocol, subjects)
    data.prepare()
    kits = drug_kits(register) if effects else ()
    lab = SyntheticLab(study, register, data, protocol, messages, seed, effects, kits)
    lives = (step for number in range(1, subjects + 1) for step in _life(SyntheticParticipant(lab, number)))
    steps = sorted((step for step in lives if step[0].date() <= until), key=lambda step: step[0])
    for moment, happens in watched(steps):
        clock.moment = moment
        happens()
    update_participants_tsv(data, register.read())
    return register


def _check(study: Study, protocol: Protocol, subjects: int) -> None:
    strata = len(study.strata)
    if -(-subjects // strata) > study.participants:
        places = f"{study.participants} places in each of {strata} strata"
        raise BadInput(f"The study has {places}, and {subjects} participants cannot be simulated. Choose fewer.")
    if protocol.sessions != 2:
        raise BadInput(f"The protocol has {protocol.sessions} sessions; a study needs 2, one for each course.")


def _life(person: SyntheticParticipant) -> Iterator[Step]:
    """Everything that happens to somebody, not in order."""
    study, subject, draw = person.lab.study.at(person.stratum), person.subject, person.draw
    came = FIRST_DAY + (person.number + draw.randrange(A_WEEK)) * DAY
    arrival = dates.at(study, came, ARRIVAL) + timedelta(seconds=person.number)
    yield arrival, lambda: setup.enrol(person.lab.register, subject, person.stratum, person.assistant)
    yield arrival, _act(person, lambda told, now: recording.consent(told, subject, None, "1.0", now))
    first = came + draw.randrange(1, A_WEEK) * DAY
    late_days = 1 + study.courses.tolerance_days if person.fate == "late" else 0
    yield from _course(person, 1, first, draw, late_days)
    second = max(dates.earliest_second(study.courses, first), first + (study.courses.days + late_days) * DAY)
    if person.fate == "quits":
        left = dates.at(study, second - DAY, ARRIVAL)
        yield left, _act(person, lambda told, now: recording.withdraw(told, subject, "moved away", now))
    else:
        yield from _course(person, 2, second + draw.randrange(A_WEEK) * DAY, draw)


def _course(
    person: SyntheticParticipant, course: Literal[1, 2], start: date, draw: Random, late_days: int = 0
) -> Iterator[Step]:
    """A course: a dose a day, of which one may be forgotten, and the session, if they come."""
    study, subject = person.lab.study.at(person.stratum), person.subject
    fate = person.fate if course == 1 else "plain"
    first, *later = dates.all_days(study.courses, start)
    forgotten = draw.choice(later) if fate == "forgets" and later else None

    def begins(told: Snapshot, now: datetime) -> Act:
        kit = told.people[subject].kits[course - 1]
        return recording.start_course(told, subject, course, None, kit, now)

    yield dates.at(study, first, study.clock.dose), _act(person, begins)
    for day in later:
        yield dates.at(study, day, study.clock.dose), _act(person, _dose(subject, taken=day != forgotten))
    if fate == "unblinded":
        yield dates.at(study, first, EVENING), _act(person, lambda _told, _now: Unblinded(subject, EMERGENCY))
    day, latest = dates.session_days(study.courses, start)
    if fate == "absent":
        closes = _act(person, lambda told, now: recording.record_never_held(told, subject, course, now))
        yield dates.at(study, latest + DAY, study.clock.session), closes
    else:
        yield dates.at(study, day + late_days * DAY, study.clock.session), lambda: _hold(person, course)


def _act(person: SyntheticParticipant, decide: Decide) -> Callable[[], object]:
    """The act, recorded by the participant's assistant, now."""
    register = person.lab.register
    return lambda: register.act(person.assistant, lambda told: decide(told, register.now()))


def _dose(subject: str, *, taken: bool) -> Decide:
    return lambda told, now: recording.record_dose(told, subject, None, now, taken=taken)


def _hold(person: SyntheticParticipant, course: int) -> None:
    """The session of a course, against the gate's words if it comes to that."""
    lab, subject, who = person.lab, person.subject, person.assistant
    session = admit(lab.register, subject, who, asked=course, override=OVERRIDE)
    plan = plans.plan_session(
        "simulate", lab.protocol, lab.messages, lab.data, subject=subject, session=session, seed=lab.seed,
        operator=who, participant=sessions.some_habit(lab.seed, person.number),
    )  # fmt: skip
    began_utc = dates.utc(lab.register.now())
    ratings = ratings_of(lab.register.participant(subject), course, lab.seed, lab.effects, lab.drug_kits)
    status = sessions.run_simulated(plan, began_utc, ratings).status
    record(lab.register, subject, session, who, status, began_utc, plan.transcript)


def ratings_of(
    one: Participant, course: int, seed: int, effects: Mapping[str, float], drug_kits: Collection[str]
) -> Ratings:
    """How somebody rates in the session and the reports of a course: with the effects if its kit has the drug."""
    return Ratings(seed, one.subject, course, effects if one.kits[course - 1] in drug_kits else NONE)
