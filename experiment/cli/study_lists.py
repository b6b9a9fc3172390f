"""The commands that show what a study's register knows: who takes part, what is due, what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from os.path import relpath
from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, PROTOCOL, AsJson, AsTsv, DataFolder, Pilot, ProtocolFile
from experiment.cli.qa import run_qa
from experiment.cli.terminal import say, show, show_rows
from experiment.design.visit import subject_name
from experiment.errors import BadInput, DayFourError
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding
from experiment.reports.standings import Standing, counts, reports_in, standings_of
from experiment.storage.atomic_file import write_whole
from experiment.study import calendar as appointments
from experiment.study import dates, queries
from experiment.study import history as study_history
from experiment.study import overview as study_overview
from experiment.study import screening as log
from experiment.study import status as standing
from experiment.study.clock import clock_trouble, moment_of
from experiment.study.location import register_in
from experiment.study.overview_page import COLUMNS, render, table_rows
from experiment.study.snapshot import Snapshot


def status(
    due: Annotated[bool, typer.Option("--due", help="Only participants with something to do today.")] = False,
    data: DataFolder = DATA,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """Show all participants: due today, overdue, done, withdrawn."""
    told, moment = _read_now(data)
    plan = told.study
    lines = standing.rows(told.people.values(), plan, moment, reports_in(_standings_now(data, told, moment)))
    listed = standing.only_due(lines) if due else lines
    if show_rows(standing.HEADER, [row.cells for row in listed], as_json=as_json, as_tsv=as_tsv):
        return
    show(standing.table(listed))
    show(standing.summary(lines, plan, moment))
    if waiting := told.awaiting_enrolment:
        show(f"Consented but not enrolled yet: {', '.join(map(subject_name, waiting))}")
    for line in standing.seals(told, moment, sum(one.needs_person for one in queries.integrity_findings(told, data))):
        show(line)


def overview(
    out: Annotated[
        Path | None, typer.Option(help="The page's file, ending in .html; by default derivatives/overview in the data.")
    ] = None,
    today: Annotated[bool, typer.Option("--today", help="Only today's list, to print.")] = False,
    data: DataFolder = DATA,
    protocol: ProtocolFile = PROTOCOL,
    pilot: Pilot = False,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """Write the coordinator's page: participants by visits, reports, kits, findings, anchors, and today's list."""
    told, moment = _read_now(data)
    problems = [trouble] if not told.locked_at and (trouble := clock_trouble(told.entries, moment)) else []
    standings = _standings_now(data, told, moment, problems.append)
    found, qa_page = ((), None) if today else _findings(data, told, protocol, pilot=pilot)
    shown = study_overview.overview(
        told, moment, reports_in(standings), counts(standings) if standings else {}, found, problems
    )
    if show_rows(COLUMNS, table_rows(shown), as_json=as_json, as_tsv=as_tsv):
        return
    path = out or data / "derivatives" / "overview" / ("today.html" if today else "overview.html")
    if path.suffix != ".html":
        raise BadInput(f"--out must end in .html, so that no other file is overwritten (you wrote {path.name!r}).")
    write_whole(path, render(shown, _way(qa_page, path.parent) if qa_page else "", only_today=today))
    say("Today's list, to print:" if today else "The study's page:")
    show(f"  {path}")


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


def screening(data: DataFolder = DATA, as_json: AsJson = False, as_tsv: AsTsv = False) -> None:
    """List everybody who was assessed, and the counts for a flow chart."""
    told = register_in(data).read()
    rows = log.screening_log(told)
    if show_rows(log.HEADER, [row.cells for row in rows], as_json=as_json, as_tsv=as_tsv):
        return
    for row in rows:
        show("  ".join(filter(None, row.cells)))
    seen = log.screening_counts(told)
    if seen is None:
        say("No screening is recorded yet (`dayfour study screen`).")
        return
    show(f"Assessed: {seen.assessed}. Enrolled: {seen.enrolled}. Eligible, not enrolled yet: {seen.waiting}.")
    for line in log.excluded_in_words(seen):
        show(line)


def _read_now(data: Path) -> tuple[Snapshot, datetime]:
    """The register as it is now, and which moment it is there."""
    register = register_in(data)
    told = register.read()
    return told, moment_of(told.entries, register.now())


def _standings_now(data: Path, told: Snapshot, moment: datetime, tell: Callable[[str], object] = say) -> list[Standing]:
    """How everybody's daily reports stand; what hinders that is told."""
    try:
        return standings_of(data, told, moment)
    except DayFourError as error:
        tell(f"Daily reports are not shown: {error}")
        return []


def _way(page: Path, folder: Path) -> str:
    """The link from a folder to a page: the short way, unless the two are on different drives."""
    try:
        return Path(relpath(page, folder)).as_posix()
    except ValueError:
        return page.absolute().as_uri()


def _findings(data: Path, told: Snapshot, protocol: Path, *, pilot: bool) -> tuple[Sequence[Finding], Path | None]:
    """All open findings, and the page of them; before the first session, what register and data tell differently."""
    if not DataSet(data).transcripts_of_all():
        return queries.study_findings(told, data), None
    done = run_qa(data, protocol, pilot=pilot)
    return done.open_findings, done.page
