"""What an assistant records: each function looks at the register's entries, and gives the act or refuses it.

They are what `Register.act` lets decide under its lock, so that two assistants at once cannot record what only one of
them may. Nothing is written when they raise BadInput, which says what to do. `moment`: now, with its time zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal, TypeVar

from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.study import admission, dates, participants
from experiment.study.allocation import check_kit
from experiment.study.events import (
    BegunAgain,
    Consented,
    Corrected,
    CourseStarted,
    Dosed,
    Entry,
    Overridden,
    SessionHeld,
    Status,
    Withdrew,
)
from experiment.study.participants import Participant
from experiment.study.plan import Study

Entries = Sequence[Entry]
Kind = TypeVar("Kind", Consented, CourseStarted, Dosed, Withdrew, Overridden, SessionHeld, BegunAgain)
LONGEST_AGO = {"consent": timedelta(days=366), "start": timedelta(days=31)}  # beyond, it is a slip of the keys
SHORTEST_REASON = 5


def consent(entries: Entries, subject: str, day: date | None, version: str, moment: datetime) -> Consented:
    """Informed consent to this version of the form, given on `day` (today if None)."""
    study, one, today = _now(entries, subject, moment)
    if not version.strip():
        raise BadInput("Expected the version of the form that was signed, as it stands on it: --version.")
    day = _sensible(day or today, today, LONGEST_AGO["consent"])
    return _possible(study, one, moment, Consented(one.subject, day.isoformat(), version.strip()))


def start_course(
    entries: Entries, subject: str, course: Literal[1, 2], day: date | None, kit: str, moment: datetime
) -> CourseStarted:
    """A course whose first dose, of this kit as somebody read it off, was taken on `day` (today if None)."""
    study, one, today = _now(entries, subject, moment)
    day = _sensible(day or today, today, LONGEST_AGO["start"])
    return _possible(study, one, moment, CourseStarted(one.subject, course, day.isoformat(), check_kit(kit)))


def record_dose(entries: Entries, subject: str, day: date | None, moment: datetime, *, taken: bool) -> Dosed:
    """A dose of a running or past course, on `day` (today if None); what was recorded last for a day counts."""
    study, one, today = _now(entries, subject, moment)
    day = _sensible(day or today, today)
    return _possible(study, one, moment, Dosed(one.subject, day.isoformat(), taken))


def begin_again(entries: Entries, visit: Visit, reason: str, moment: datetime) -> BegunAgain:
    """A session in which no message was seen, as its log tells, counts no more."""
    study, one, _ = _now(entries, visit.subject, moment)
    return _possible(study, one, moment, BegunAgain(one.subject, visit.session, meaningful(reason)))


def withdraw(entries: Entries, subject: str, reason: str, moment: datetime) -> Withdrew:
    """The participant leaves the study, now."""
    study, one, _ = _now(entries, subject, moment)
    return _possible(study, one, moment, Withdrew(one.subject, meaningful(reason)))


def override_rules(
    entries: Entries, subject: str, reason: str, moment: datetime, asked: int | None = None
) -> Overridden:
    """A session against the gate's words; BadInput if it does not refuse, or if nobody can lift what it says."""
    study, one, _ = _now(entries, subject, moment)
    try:
        session = admission.session_at(entries, subject, moment, asked)
    except admission.Refused as refused:
        if refused.session is None:
            raise
        return _possible(study, one, moment, Overridden(one.subject, refused.session, refused.why, meaningful(reason)))
    raise BadInput(f"Session {session} of {one.name} can be held today: leave out --override-study.")


def record_session(
    entries: Entries, subject: str, session: int, status: Status, began_utc: str, moment: datetime
) -> SessionHeld:
    """A session that has ended, be it just now; `failed` for one that can still go on. `began_utc`: ISO 8601."""
    study, one, _ = _now(entries, subject, moment)
    day = dates.day_of(study, began_utc)
    return _possible(study, one, moment, SessionHeld(one.subject, session, day.isoformat(), status))


def record_never_held(entries: Entries, subject: str, session: int, moment: datetime) -> SessionHeld:
    """A session that never began, and never will: its day is over. Without it, or a withdrawal, no study is locked."""
    study, one, today = _now(entries, subject, moment)
    if session in one.sessions and not one.is_held(session):
        raise BadInput(f"Session {session} of {one.name} did begin: close it with `dayfour run --close`.")
    if 1 <= session <= len(one.starts):
        _, latest = dates.session_days(study.courses, one.starts[session - 1])
        if today <= latest:
            raise BadInput(
                f"Session {session} of {one.name} can be held until {dates.in_words(latest)}. Close it then."
            )
    return _possible(study, one, moment, SessionHeld(one.subject, session, today.isoformat(), "never_held"))


def correct(entries: Entries, number: int, reason: str, moment: datetime) -> Corrected:
    """An entry (numbered from 1) was a mistake of whoever recorded it, and counts no more.

    BadInput for what was no mere record: kits that were given, sessions that were held, rules that were lifted,
    treatments that were seen; and while later entries build on it.
    """
    act = entries[number - 1].act if 1 <= number <= len(entries) else None
    is_record = isinstance(act, Consented | CourseStarted | Dosed | Withdrew)
    if not (is_record or (isinstance(act, SessionHeld) and act.status == "never_held")):
        raise BadInput(
            f"Entry {number} cannot be taken back: only a consent, a start, a dose, a withdrawal, or a session that "
            "was closed as never held. `dayfour study history` lists all with their numbers."
        )
    if number in (known := participants.corrected_entries(entries)):
        raise BadInput(f"Entry {number} was taken back already, by entry {known[number]}.")
    correction = Corrected(number, meaningful(reason))
    try:
        participants.read_participants(
            participants.study_of(entries), [*entries, Entry(moment.isoformat(), "", correction)]
        )
    except BadInput as error:
        raise BadInput(
            f"Entry {number} cannot be taken back while later ones build on it. Take those back first, the latest "
            "first: `dayfour study history` lists them."
        ) from error
    return correction


def _now(entries: Entries, subject: str, moment: datetime) -> tuple[Study, Participant, date]:
    study = participants.study_of(entries)
    one = participants.get_participant(participants.read_participants(study, entries), subject)
    there = study.at(one.stratum)
    return there, one, dates.today(there, moment)


def _possible(study: Study, one: Participant, moment: datetime, act: Kind) -> Kind:
    participants.apply(study, one, Entry(moment.isoformat(), "", act))
    return act


def _sensible(day: date, today: date, longest_ago: timedelta | None = None) -> date:
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
        raise BadInput("Expected a reason, in a few words that can be understood in a year.")
    return reason.strip()
