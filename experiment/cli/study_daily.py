"""The commands for daily use in a study: who takes part, what happened, and what is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from experiment.cli.options import DATA, AsJson, AsTsv, DataFolder
from experiment.cli.study_setup import Operator, Subject
from experiment.cli.terminal import describe_unexpected, say, show, show_rows
from experiment.design.session import check_subject
from experiment.design.visit import Visit, bare_label, subject_name
from experiment.errors import DayFourError
from experiment.record.dataset import DataSet
from experiment.reports.standings import Standing, reports_in, standings_of
from experiment.study import agreement, dates, queries, recording, sessions, setup
from experiment.study import calendar as appointments
from experiment.study import history as study_history
from experiment.study import status as standing
from experiment.study.clock import confirm_clock, moment_of
from experiment.study.events import Act, Enrolled
from experiment.study.location import register_in
from experiment.study.recording import meaningful
from experiment.study.sessions import update_participants_tsv
from experiment.study.snapshot import Snapshot

New = Annotated[bool, typer.Option("--new", help="This is not the person with the similar ID.")]
Day = Annotated[str, typer.Option("--day", help="The day as YYYY-MM-DD, if it was not today.")]


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
    update_participants(data, register.read())
    say(
        f"{subject_name(act.subject)} is enrolled in {act.stratum}: kit {act.kits[0]} in course 1, "
        f"kit {act.kits[1]} in course 2."
    )


def consent(
    subject: Subject,
    operator: Operator,
    version: Annotated[str, typer.Option(help="Version of the signed form, as printed on it.")],
    day: Day = "",
    dated_back: Annotated[
        str | None, typer.Option(help="Reason, if it is recorded more than a week after that day.")
    ] = None,
    new: New = False,
    data: DataFolder = DATA,
) -> None:
    """Record that informed consent was given, before or after the enrolment."""
    on = parse_day(day)
    record_act(
        data, operator,
        lambda told, now: recording.consent(told, subject, on, version, now, dated_back, is_new=new),
    )  # fmt: skip
    say(f"Consent of {_name(subject)} is recorded.")


def start(
    subject: Subject,
    operator: Operator,
    course: Annotated[int, typer.Option(min=1, max=2, help="1 or 2.")],
    kit: Annotated[str, typer.Option(help="Number on the kit that was handed out.")],
    day: Day = "",
    dated_back: Annotated[
        str | None, typer.Option(help="Reason, if the course began before the enrolment here.")
    ] = None,
    data: DataFolder = DATA,
) -> None:
    """Record that a course began: its day 1 is the day of the first dose."""
    on, number = parse_day(day), cast("Literal[1, 2]", course)
    told = record_act(
        data, operator, lambda told, now: recording.start_course(told, subject, number, on, kit, now, dated_back)
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
    day: Day = "",
    data: DataFolder = DATA,
) -> None:
    """Record that a dose was taken, or missed."""
    on = parse_day(day)
    record_act(data, operator, lambda told, now: recording.record_dose(told, subject, on, now, taken=not missed))
    say(f"The dose of {_name(subject)} is recorded as {'missed' if missed else 'taken'}.")


def withdraw(
    subject: Subject,
    operator: Operator,
    reason: Annotated[str, typer.Option(help="Why.")],
    day: Day = "",
    data: DataFolder = DATA,
) -> None:
    """Record that a participant leaves the study."""
    on = parse_day(day)
    record_act(data, operator, lambda told, now: recording.withdraw(told, subject, reason, now, on))
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
    record_act(data, operator, lambda told, now: recording.record_never_held(told, subject, session, now))
    say(f"Session {session} of {name} is closed as not run.")


def history(
    subject: Annotated[str, typer.Option(help="Only this participant.")] = "",
    data: DataFolder = DATA,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """List everything that was recorded, by whom and when, with entry numbers."""
    register = register_in(data)
    label = register.participant(subject).subject if subject else None
    rows = list(study_history.rows(register.read(), label))
    if not show_rows(study_history.HistoryRow._fields, rows, as_json=as_json, as_tsv=as_tsv):
        show(study_history.table(rows))


def correct(
    entry: Annotated[int, typer.Argument(help="The entry's number, from `study history`.")],
    operator: Operator,
    reason: Annotated[str, typer.Option(help="What was wrong with it.")],
    data: DataFolder = DATA,
) -> None:
    """Cancel an entry that was a mistake, such as a wrong day. Then record the right one."""
    told = record_act(data, operator, lambda told, now: recording.correct(told, entry, reason, now))
    say(f"Entry {entry} no longer counts: {study_history.describe(told.entries[entry - 1].act)}")


def clock(
    operator: Operator,
    reason: Annotated[str, typer.Option(help="What was wrong, such as which computer's clock.")],
    data: DataFolder = DATA,
) -> None:
    """Record that this computer's clock is right, although the register's last entry has another time."""
    why = meaningful(reason)
    record_act(data, operator, lambda told, now: confirm_clock(told.entries, why, now))
    say("Recorded. `dayfour qa` shows it until it is resolved (`dayfour study answer`).")


def status(
    due: Annotated[bool, typer.Option("--due", help="Only participants with something to do today.")] = False,
    data: DataFolder = DATA,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """Show all participants: due today, overdue, done, withdrawn."""
    told, moment = read_now(data)
    plan = told.study
    lines = standing.rows(told.people.values(), plan, moment, reports_in(standings_now(data, told, moment)))
    listed = standing.only_due(lines) if due else lines
    if show_rows(standing.HEADER, [row.cells for row in listed], as_json=as_json, as_tsv=as_tsv):
        return
    show(standing.table(listed))
    show(standing.summary(lines, plan, moment))
    if waiting := told.awaiting_enrolment:
        show(f"Consented but not enrolled yet: {', '.join(map(subject_name, waiting))}")
    for line in standing.seals(told, moment, sum(one.needs_person for one in queries.integrity_findings(told, data))):
        show(line)


def calendar(
    out: Annotated[Path, typer.Option(help="The calendar's file, ending in .ics.")],
    subject: Annotated[str, typer.Option(help="Only this participant's appointments.")] = "",
    data: DataFolder = DATA,
) -> None:
    """Write all appointments to a calendar file."""
    register = register_in(data)
    told = register.read()
    some = [told.participant(subject)] if subject else told.people.values()
    appointments.save(out, some, told.entries, told.study, dates.today(told.study, register.now()))
    say(f"The appointments:\n  {out}")


def read_now(data: Path) -> tuple[Snapshot, datetime]:
    """The register as it is now, and which moment it is there."""
    register = register_in(data)
    told = register.read()
    return told, moment_of(told.entries, register.now())


def standings_now(data: Path, told: Snapshot, moment: datetime, tell: Callable[[str], object] = say) -> list[Standing]:
    """How everybody's daily reports stand; what hinders that is told."""
    try:
        return standings_of(data, told, moment)
    except DayFourError as error:
        tell(f"Daily reports are not shown: {error}")
        return []


def record_act(data: Path, who: str, decide: Callable[[Snapshot, datetime], Act]) -> Snapshot:
    """Record the act that `decide` gives at this moment, and let participants.tsv follow; the register then."""
    register = register_in(data)
    told = register.act(who, lambda told: decide(told, register.now()))
    update_participants(data, told)
    return told


def parse_day(typed: str) -> date | None:
    """The day that was typed, if one was."""
    return dates.parse_day(typed) if typed else None


def _name(subject: str) -> str:
    return subject_name(bare_label(subject))


def update_participants(data: Path, told: Snapshot) -> None:
    """Bring `participants.tsv` up to the register. What hinders that undoes no act, and is said."""
    try:
        update_participants_tsv(DataSet(data), told)
    except Exception as error:  # noqa: BLE001 - nobody may think that the act was not recorded, and repeat it
        why = error if isinstance(error, DayFourError) else describe_unexpected(error)
        say(f"Recorded, but participants.tsv does not show it yet: {why}", "yellow")
