"""What an assistant records: each function looks at the register as it is, and gives the act or refuses it.

They are what `Register.act` lets decide under its lock, so that two assistants at once cannot record what only one of
them may. Nothing is written when they raise BadInput, which says what to do. `moment`: now, with its time zone.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal, TypeVar

from msgspec import UNSET

from experiment.design.session import check_subject
from experiment.design.visit import Visit, subject_name
from experiment.errors import BadInput
from experiment.study import admission, dates, setup
from experiment.study.allocation import check_kit
from experiment.study.events import (
    BegunAgain,
    Consented,
    Corrected,
    CourseStarted,
    Dosed,
    Enrolled,
    Entry,
    Overridden,
    Screened,
    ScreeningOutcome,
    SessionHeld,
    Status,
    Withdrew,
)
from experiment.study.participant import Participant, apply
from experiment.study.snapshot import Snapshot

Kind = TypeVar("Kind", Consented, CourseStarted, Dosed, Withdrew, Overridden, SessionHeld, BegunAgain)
CONSENT_DAYS = timedelta(days=7)  # within which a signed form is recorded, unless there is a reason
LONGEST_AGO = {"start": timedelta(days=31), "dated back": timedelta(days=3 * 366)}  # beyond, it is a slip of the keys
SHORTEST_REASON = 5


def screen(
    told: Snapshot, subject: str, day: date | None, outcome: ScreeningOutcome, reason: str, moment: datetime,
    *, is_new: bool = False,
) -> Screened:  # fmt: skip
    """Somebody who is not enrolled was assessed on `day` (today if None); `reason`: why they do not take part.

    `is_new`: it was asked whether somebody with a similar ID is meant.
    """
    label = check_subject(subject)
    if label in told.people:
        raise BadInput(f"{subject_name(label)} is enrolled already. Check the ID.")
    setup.check_similar(label, told, is_new=is_new)
    today = dates.today(told.study, moment)
    day = sensible(day or today, today, LONGEST_AGO["dated back"])
    said = "" if outcome == "eligible" and not reason.strip() else " ".join(meaningful(reason).split())
    act = Screened(label, day.isoformat(), outcome, said)
    if act in told.acts:
        raise BadInput(f"This screening of {subject_name(label)} is already recorded.")
    return act


def consent(
    told: Snapshot, subject: str, day: date | None, version: str, moment: datetime, dated_back: str | None = None,
    *, is_new: bool = False,
) -> Consented:  # fmt: skip
    """Informed consent to this version of the form, given on `day` (today if None), be it before the enrolment.

    `dated_back`: why it is recorded more than CONSENT_DAYS later. `is_new`: it was asked whether somebody with a
    similar ID is meant.
    """
    if not version.strip():
        raise BadInput("Please give the version of the signed form, as printed on it: --version.")
    label = check_subject(subject)
    one = told.people.get(label)
    if one is None:
        setup.check_similar(label, told, is_new=is_new)
    there = told.study.at(one.stratum) if one else told.study
    act = _consent(label, day, version.strip(), dates.today(there, moment), dated_back)
    if one:
        return _possible(told, moment, act)
    given = ((other.subject, other.version) for other in told.acts if isinstance(other, Consented))
    if (act.subject, act.version) in given:
        raise BadInput(f"Consent of {subject_name(act.subject)} to version {act.version} is already recorded.")
    return act


def _consent(label: str, day: date | None, version: str, today: date, dated_back: str | None) -> Consented:
    """The act; BadInput for a day that is easily a slip, unless somebody said why."""
    day = sensible(day or today, today, LONGEST_AGO["dated back"])
    if dated_back is None and today - day > CONSENT_DAYS:
        raise BadInput(
            f"{dates.in_words(day)} is {(today - day).days} days ago. Check the year and the month. If that is the day "
            "on the signed form, say why it is recorded only now: --dated-back 'REASON'."
        )
    why = UNSET if dated_back is None else meaningful(dated_back)
    return Consented(label, day.isoformat(), version, why)


def start_course(
    told: Snapshot,
    subject: str,
    course: Literal[1, 2],
    day: date | None,
    kit: str,
    moment: datetime,
    dated_back: str | None = None,
) -> CourseStarted:
    """A course whose first dose, of this kit as somebody read it off, was taken on `day` (today if None).

    `dated_back`: why it began before the participant was enrolled here.
    """
    one, today = _now(told, subject, moment)
    is_early = day is not None and day < one.enrolled  # of which the rules say what to do
    day = sensible(day or today, today, LONGEST_AGO["dated back" if is_early or dated_back else "start"])
    why = UNSET if dated_back is None else meaningful(dated_back)
    if dated_back is not None and day >= one.enrolled:
        raise BadInput(f"{dates.in_words(day)} is not before the enrolment of {one.name}. Leave out --dated-back.")
    number = check_kit(kit) if one.place else kit.strip()  # those of another allocation have a form of their own
    return _possible(told, moment, CourseStarted(one.subject, course, day.isoformat(), number, why))


def record_dose(told: Snapshot, subject: str, day: date | None, moment: datetime, *, taken: bool) -> Dosed:
    """A dose of a running or past course, on `day` (today if None); BadInput if another word on it is recorded."""
    one, today = _now(told, subject, moment)
    day = sensible(day or today, today)
    if one.doses.get(day, taken) != taken and day not in one.starts:
        word, number = ("missed" if taken else "taken"), _dose_entry(told, one.subject, day)
        raise BadInput(
            f"The dose of {one.name} on {dates.in_words(day)} is recorded as {word} (entry {number}). If that was a "
            f"mistake, cancel it first: `dayfour study correct {number} --reason ...`."
        )
    return _possible(told, moment, Dosed(one.subject, day.isoformat(), taken))


def begin_again(told: Snapshot, visit: Visit, reason: str, moment: datetime) -> BegunAgain:
    """A session in which no message was seen, as its log tells, counts no more."""
    one = told.participant(visit.subject)
    return _possible(told, moment, BegunAgain(one.subject, visit.session, meaningful(reason)))


def _dose_entry(told: Snapshot, subject: str, day: date) -> int:
    """The number of the entry that counts for this day."""
    return max(
        number
        for number, entry in enumerate(told.entries, 1)
        if isinstance(entry.act, Dosed)
        and (entry.act.subject, entry.act.day) == (subject, day.isoformat())
        and number not in told.taken_back
    )


def withdraw(told: Snapshot, subject: str, reason: str, moment: datetime, day: date | None = None) -> Withdrew:
    """The participant leaves the study, now or on a `day` before today."""
    one, today = _now(told, subject, moment)
    left = UNSET if day is None or day == today else sensible(day, today, LONGEST_AGO["start"]).isoformat()
    return _possible(told, moment, Withdrew(one.subject, meaningful(reason), left))


def override_rules(told: Snapshot, subject: str, reason: str, moment: datetime, asked: int | None = None) -> Overridden:
    """A session against the gate's words; BadInput if it does not refuse, or if nobody can lift what it says."""
    one = told.participant(subject)
    try:
        session = admission.session_now(told, subject, moment, asked)
    except admission.Refused as refused:
        if refused.session is None:
            raise
        return _possible(told, moment, Overridden(one.subject, refused.session, refused.why, meaningful(reason)))
    raise BadInput(f"Session {session} of {one.name} can be run today without it. Leave out --override-study.")


def record_session(
    told: Snapshot, subject: str, session: int, status: Status, began_utc: str, moment: datetime
) -> SessionHeld:
    """A session that has ended, be it just now; `failed` for one that can still go on. `began_utc`: ISO 8601."""
    one = told.participant(subject)
    day = dates.day_of(told.study.at(one.stratum), began_utc)
    return _possible(told, moment, SessionHeld(one.subject, session, day.isoformat(), status))


def record_never_held(told: Snapshot, subject: str, session: int, moment: datetime) -> SessionHeld:
    """A session that never began, and never will: its day is over. Without it, or a withdrawal, no study is locked."""
    one, today = _now(told, subject, moment)
    if session in one.sessions and not one.is_held(session):
        raise BadInput(f"Session {session} of {one.name} was started. Close it with `dayfour run --close`.")
    if 1 <= session <= len(one.starts):
        _, latest = dates.session_days(told.study.courses, one.starts[session - 1])
        if today <= latest:
            raise BadInput(
                f"Session {session} of {one.name} can be run until {dates.in_words(latest)}. Close it after that."
            )
    return _possible(told, moment, SessionHeld(one.subject, session, today.isoformat(), "never_held"))


def correct(told: Snapshot, number: int, reason: str, moment: datetime) -> Corrected:
    """An entry (numbered from 1) was a mistake of whoever recorded it, and counts no more.

    The place and the kits of an enrolment are not given again. BadInput for what was no mere record: sessions that were
    held, rules that were lifted, treatments that were seen; and while later entries build on it.
    """
    act = told.entries[number - 1].act if 1 <= number <= len(told.entries) else None
    is_record = isinstance(act, Screened | Enrolled | Consented | CourseStarted | Dosed | Withdrew)
    if not (is_record or (isinstance(act, SessionHeld) and (act.status == "never_held" or act.elsewhere))):
        raise BadInput(
            f"Entry {number} cannot be cancelled. Only a screening, an enrolment, a consent, a start, a dose, a "
            "withdrawal, or a session that was not run here can (see `dayfour study history`)."
        )
    if number in told.taken_back:
        raise BadInput(f"Entry {number} was already cancelled by entry {told.taken_back[number]}.")
    correction = Corrected(number, meaningful(reason))
    try:
        told.followed_by(moment, correction)
    except BadInput as error:
        raise BadInput(
            f"Entry {number} cannot be cancelled while later ones depend on it. Cancel those first, starting with the "
            "latest (see `dayfour study history`)."
        ) from error
    return correction


def _now(told: Snapshot, subject: str, moment: datetime) -> tuple[Participant, date]:
    """The participant, and the date where they are."""
    one = told.participant(subject)
    return one, dates.today(told.study.at(one.stratum), moment)


def _possible(told: Snapshot, moment: datetime, act: Kind) -> Kind:
    one = told.people[act.subject]
    apply(told.study.at(one.stratum), one, Entry(moment.isoformat(), "", act))
    return act


def sensible(day: date, today: date, longest_ago: timedelta | None = None) -> date:
    """The day, if it can be meant."""
    if day > today:
        raise BadInput(
            f"{dates.in_words(day)} is in the future: today is {dates.in_words(today)}. Record it when it happens."
        )
    if longest_ago and today - day > longest_ago:
        raise BadInput(
            f"{dates.in_words(day)} is more than {longest_ago.days} days ago: today is {dates.in_words(today)}. Check "
            "the year and the month."
        )
    return day


def meaningful(reason: str) -> str:
    """The reason, less space around it; BadInput unless it is in words."""
    if len(reason.strip()) < SHORTEST_REASON:
        raise BadInput("Please give a reason in a few words that will still be clear in a year.")
    return reason.strip()
