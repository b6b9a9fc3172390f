"""The commands that judge all sessions of a data set, and record what was found to be the cause of a finding."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import (
    DATA,
    FOUND_WANTING,
    PROTOCOL,
    AsJson,
    AsTsv,
    DataFolder,
    Operator,
    Pilot,
    ProtocolFile,
    Sheet,
)
from experiment.cli.terminal import progress_bar, say, show, show_rows
from experiment.design.protocol import read_protocol
from experiment.design.visit import bare_label
from experiment.errors import BadInput
from experiment.qa.findings import with_answers
from experiment.qa.report import QaReport, build_report
from experiment.qa.resolutions import read_resolutions
from experiment.record.closing import find_answered
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding, count_in_words, describe
from experiment.record.tsv import MISSING
from experiment.replay.verify import verify_all
from experiment.reports.standings import judge_reports
from experiment.study import queries
from experiment.study.location import find_register, register_in

TOLD = 12  # findings that are listed at the terminal


def qa(
    data: Annotated[Path, typer.Argument(help="The data set.")] = DATA,
    out: Annotated[
        Path | None, typer.Option(help="The page's folder; by default derivatives/qa in the data set.")
    ] = None,
    pilot: Annotated[bool, typer.Option("--pilot", help="Include pilots, or a simulated data set.")] = False,
    protocol: ProtocolFile = PROTOCOL,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """Write one page about all sessions: which of them need attention, and why."""
    done = run_qa(data, protocol, out=out, pilot=pilot)
    summary = "\n".join(_summary(done))
    columns, *rows = csv.reader(done.table.read_text(encoding="utf-8").splitlines(keepends=True), delimiter="\t")
    cells = [[None if cell == MISSING else cell for cell in row] for row in rows]
    if show_rows(columns, cells, as_json=as_json, as_tsv=as_tsv):
        say(summary)
    else:
        show(summary)
    if done.needs_person:
        raise typer.Exit(FOUND_WANTING)


def _summary(done: QaReport) -> Iterator[str]:
    """How many sessions need attention and why, and where the page is."""
    others = done.beside
    besides = f", and {count_in_words(others, 'finding')} about more than one" if others else ""
    yield f"{done.wanting} of {done.sessions} sessions need attention{besides}."
    yield from (f"- {describe(one)}" for one in done.open_findings[:TOLD])
    if (more := len(done.open_findings) - TOLD) > 0:
        yield f"  and {more} more"
    yield f"All findings are on this page, and in this table:\n  {done.page}\n  {done.table}"


def run_qa(data: Path, protocol: Path, *, out: Path | None = None, pilot: bool = False) -> QaReport:
    """Verify and judge all sessions of a data set, with what its study's register knows; the page is written."""
    read, register = read_protocol(protocol), find_register(data)
    told = register.read() if register else None
    has_pilots = pilot and DataSet(data).pilot.root.is_dir()  # of which no register knows
    of_study = queries.findings_of(told, data) if not has_pilots else ()
    answers = queries.resolutions(told.entries if told else ())
    of_reports, counts = list[Finding](), dict[str, int]()
    if register and told and not has_pilots:
        of_reports, counts = judge_reports(data, told, register.now())
    with progress_bar("Verifying") as progress:
        verified = verify_all(data, pilot=pilot, progress=progress)
    changed = {one.transcript: [describe(finding) for finding in one.findings] for one in verified}
    return build_report(
        data, out=out, thresholds=read.qa, pilot=pilot, changed=changed,
        besides=[*of_study, *with_answers(of_reports, answers)], answers=answers,
        answered=find_answered(DataSet(data)) if read.funnel else None, reports=counts,
    )  # fmt: skip


def answer(
    operator: Operator,
    finding: Annotated[str, typer.Option(help="The kind of finding, from the table of findings.")] = "",
    reason: Annotated[str, typer.Option(help="What the cause was.")] = "",
    subject: Annotated[str, typer.Option(help="The participant, if the finding is about one.")] = "",
    session: Annotated[int, typer.Option(help="The session, if the finding is about one.")] = 0,
    table: Annotated[
        Path | None,
        typer.Option(help="Instead, the table of `qa` with resolution and resolved_by filled in."),
    ] = None,
    sheet: Sheet = None,
    data: DataFolder = DATA,
    protocol: ProtocolFile = PROTOCOL,
    pilot: Pilot = False,
) -> None:
    """Resolve a finding of `dayfour qa`, or all findings of a table, by giving the cause."""
    if bool(table) == bool(finding):
        raise BadInput("Give either --finding KIND with --reason, or --table FILE.")
    register = register_in(data)
    written = read_resolutions(table, sheet) if table else []
    found = run_qa(data, protocol, pilot=pilot).open_findings
    if table:
        known = queries.resolutions(register.entries())
        given = queries.resolve_all(table, written, found, known, operator)
    else:
        label = bare_label(subject) or None
        given = [(operator, queries.resolved_findings(found, finding, label, session or None, reason))]
    queries.record_resolutions(register, given)
    say(f"{len(given)} findings are resolved and in the register. The next `dayfour qa` shows by whom and why.")
