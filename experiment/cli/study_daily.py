"""The commands that record in a study's register: who was assessed and takes part, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from experiment.cli.options import DATA, DataFolder, Operator, Sheet, Subject
from experiment.cli.terminal import describe_unexpected, say, show
from experiment.design.session import check_subject
from experiment.design.visit import Visit, bare_label, subject_name
from experiment.errors import BadInput, DayFourError
from experiment.record.dataset import DataSet
from experiment.record.finding import count_in_words
from experiment.study import agreement, bring_in, dates, recording, sessions, setup
from experiment.study import screening as log
from experiment.study.clock import confirm_clock
from experiment.study.events import Act, Enrolled
from experiment.study.history import describe
from experiment.study.location import register_in
from experiment.study.recording import meaningful
from experiment.study.sessions import update_participants_tsv
from experiment.study.snapshot import Snapshot

New = Annotated[bool, typer.Option("--new", help="This is not the person with the similar ID.")]
Day = Annotated[
    date | None,
    typer.Option("--day", parser=dates.parse_day, metavar="<str>", help="The day as YYYY-MM-DD, if it was not today."),
]


def screen(
    subject: Subject,
    operator: Operator,
    outcome: Annotated[str, typer.Option(help="eligible, not-eligible, declined or other.")],
    reason: Annotated[str, typer.Option(help="Why not; the same words each time, since reasons are counted.")] = "",
    day: Day = None,
    new: New = False,
    data: DataFolder = DATA,
) -> None:
    """Record that somebody was assessed for the study. Use the ID that they would have in it, never a name."""
    named = next((one for one in log.OUTCOMES if one == outcome.replace("-", "_")), None)
    if named is None:
        raise BadInput(f"--outcome {outcome}: choose eligible, not-eligible, declined or other.")
    _record(
        data, operator,
        lambda told, now: recording.screen(told, subject, day, named, reason, now, is_new=new),
    )  # fmt: skip
    say(f"The screening of {_name(subject)} is recorded: {log.OUTCOME_WORDS[named]}.")


def enrol(
    subject: Subject,
    operator: Operator,
    stratum: Annotated[str, typer.Option(help="The stratum, such as the site (see the study file).")],
    new: New = False,
    data: DataFolder = DATA,
) -> None:
    """Enrol a participant: assigns the next place in the stratum, with two kits."""
    register = register_in(data)
    agreement.check_nobody_is_lost(register.read(), DataSet(data))
    act = cast("Enrolled", setup.enrol(register, subject, stratum, operator, is_new=new).act)
    _update_participants(data, register.read())
    say(
        f"{subject_name(act.subject)} is enrolled in {act.stratum}: kit {act.kits[0]} in course 1, "
        f"kit {act.kits[1]} in course 2."
    )


def consent(
    subject: Subject,
    operator: Operator,
    version: Annotated[str, typer.Option(help="Version of the signed form, as printed on it.")],
    day: Day = None,
    dated_back: Annotated[
        str | None, typer.Option(help="Reason, if it is recorded more than a week after that day.")
    ] = None,
    new: New = False,
    data: DataFolder = DATA,
) -> None:
    """Record that informed consent was given, before or after the enrolment."""
    _record(
        data, operator,
        lambda told, now: recording.consent(told, subject, day, version, now, dated_back, is_new=new),
    )  # fmt: skip
    say(f"Consent of {_name(subject)} is recorded.")


def start(
    subject: Subject,
    operator: Operator,
    course: Annotated[int, typer.Option(min=1, max=2, help="1 or 2.")],
    kit: Annotated[str, typer.Option(help="Number on the kit that was handed out.")],
    day: Day = None,
    dated_back: Annotated[
        str | None, typer.Option(help="Reason, if the course began before the enrolment here.")
    ] = None,
    data: DataFolder = DATA,
) -> None:
    """Record that a course began: its day 1 is the day of the first dose."""
    number = cast("Literal[1, 2]", course)
    told = _record(
        data, operator, lambda told, now: recording.start_course(told, subject, number, day, kit, now, dated_back)
    )
    one, courses = told.participant(subject), told.study.courses
    session_day, _ = dates.session_days(courses, one.starts[course - 1])
    say(f"Course {course} of {one.name} has begun; session {course} is on {dates.in_words(session_day)}.")
    if course == 1:
        earliest = dates.earliest_second(courses, one.starts[0])
        say(f"Course 2 can begin on {dates.in_words(earliest)} or later.")


def dosed(
    subject: Subject,
    operator: Operator,
    missed: Annotated[bool, typer.Option("--missed", help="The dose was not taken.")] = False,
    day: Day = None,
    data: DataFolder = DATA,
) -> None:
    """Record that a dose was taken, or missed."""
    _record(data, operator, lambda told, now: recording.record_dose(told, subject, day, now, taken=not missed))
    say(f"The dose of {_name(subject)} is recorded as {'missed' if missed else 'taken'}.")


def withdraw(
    subject: Subject,
    operator: Operator,
    reason: Annotated[str, typer.Option(help="Why.")],
    day: Day = None,
    data: DataFolder = DATA,
) -> None:
    """Record that a participant leaves the study."""
    _record(data, operator, lambda told, now: recording.withdraw(told, subject, reason, now, day))
    say(f"{_name(subject)} has left the study.")


def close(
    subject: Subject,
    operator: Operator,
    session: Annotated[int, typer.Option(min=1, max=2, help="1 or 2.")],
    data: DataFolder = DATA,
) -> None:
    """Record that a session never took place, once its day is over: only then can the study be locked."""
    register, data_set, name = register_in(data), DataSet(data), _name(subject)
    if session in sessions.catch_up(register, register.read(), data_set, subject, operator)[1]:
        say(f"Session {session} of {name} did take place. This is now recorded in the register.")
        return
    sessions.check_never_held(data_set, Visit(check_subject(subject), session))
    _record(data, operator, lambda told, now: recording.record_never_held(told, subject, session, now))
    say(f"Session {session} of {name} is closed as not run.")


def correct(
    entry: Annotated[int, typer.Argument(help="The entry's number, from `study history`.")],
    operator: Operator,
    reason: Annotated[str, typer.Option(help="What was wrong with it.")],
    data: DataFolder = DATA,
) -> None:
    """Cancel an entry that was a mistake, such as a wrong day. Then record the right one."""
    told = _record(data, operator, lambda told, now: recording.correct(told, entry, reason, now))
    say(f"Entry {entry} no longer counts: {describe(told.entries[entry - 1].act)}")


def clock(
    operator: Operator,
    reason: Annotated[str, typer.Option(help="What was wrong, such as which computer's clock.")],
    data: DataFolder = DATA,
) -> None:
    """Record that this computer's clock is right, although the register's last entry has another time."""
    why = meaningful(reason)
    _record(data, operator, lambda told, now: confirm_clock(told.entries, why, now))
    say("Recorded. `dayfour qa` shows it until it is resolved (`dayfour study answer`).")


def import_study(
    file: Annotated[Path, typer.Argument(help="A table (CSV, TSV, XLSX), one row for each participant.")],
    operator: Operator,
    reason: Annotated[str, typer.Option(help="Why the dates lie in the past, e.g. 'began on paper in May 2026'.")],
    sheet: Sheet = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the table.")] = False,
    data: DataFolder = DATA,
) -> None:
    """Import a study that is under way: consent, courses, doses and sessions with their past dates."""
    register = register_in(data)
    rows = bring_in.read_past(file, sheet)
    acts = bring_in.plan_past(file, rows, register.read(), register.kits(), reason, register.now())
    people = count_in_words(sum(isinstance(act, Enrolled) for act in acts), "new participant")
    if dry_run:
        show(f"{file.name} can be imported: {people}, {len(acts)} new entries.")
        return
    bring_in.record_past(register, operator, acts)
    _update_participants(data, register.read())
    show(f"Imported: {people}, {len(acts)} new entries. See `dayfour study history`.")


def _record(data: Path, who: str, decide: Callable[[Snapshot, datetime], Act]) -> Snapshot:
    """Record the act that `decide` gives at this moment, and let participants.tsv follow; the register then."""
    register = register_in(data)
    told = register.act(who, lambda told: decide(told, register.now()))
    _update_participants(data, told)
    return told


def _name(subject: str) -> str:
    return subject_name(bare_label(subject))


def _update_participants(data: Path, told: Snapshot) -> None:
    """Bring `participants.tsv` up to the register. What hinders that undoes no act, and is said."""
    try:
        update_participants_tsv(DataSet(data), told)
    except Exception as error:  # noqa: BLE001 - nobody may think that the act was not recorded, and repeat it
        why = error if isinstance(error, DayFourError) else describe_unexpected(error)
        say(f"Recorded, but participants.tsv does not show it yet: {why}", "yellow")
