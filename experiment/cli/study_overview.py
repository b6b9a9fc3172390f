"""The command that writes the coordinator's page, today's list, or a table of the same facts."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import relpath
from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, PROTOCOL, AsJson, AsTsv, DataFolder, ProtocolFile
from experiment.cli.qa import run_qa
from experiment.cli.study_daily import read_now, standings_now
from experiment.cli.study_setup import Pilot
from experiment.cli.terminal import say, show, show_rows
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding
from experiment.reports.standings import counts, reports_in
from experiment.storage.atomic_file import write_whole
from experiment.study import overview as study_overview
from experiment.study.clock import clock_trouble
from experiment.study.overview_page import COLUMNS, render, table_rows
from experiment.study.queries import study_findings
from experiment.study.snapshot import Snapshot


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
    told, moment = read_now(data)
    problems = [trouble] if not told.locked_at and (trouble := clock_trouble(told.entries, moment)) else []
    standings = standings_now(data, told, moment, problems.append)
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


def _way(page: Path, folder: Path) -> str:
    """The link from a folder to a page: the short way, unless the two are on different drives."""
    try:
        return Path(relpath(page, folder)).as_posix()
    except ValueError:
        return page.absolute().as_uri()


def _findings(data: Path, told: Snapshot, protocol: Path, *, pilot: bool) -> tuple[Sequence[Finding], Path | None]:
    """All open findings, and the page of them; before the first session, what register and data tell differently."""
    if not DataSet(data).transcripts_of_all():
        return study_findings(told, data), None
    done = run_qa(data, protocol, pilot=pilot)
    return done.open_findings, done.page
