"""The commands around the enrolment: the screening log, and a study that is under way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, AsJson, AsTsv, DataFolder, Sheet
from experiment.cli.study_daily import Day, New, parse_day, record_act, update_participants
from experiment.cli.study_setup import Operator, Subject
from experiment.cli.terminal import say, show, show_rows
from experiment.design.visit import bare_label, subject_name
from experiment.errors import BadInput
from experiment.record.finding import count_in_words
from experiment.study import bring_in, recording
from experiment.study import screening as log
from experiment.study.events import Enrolled
from experiment.study.location import register_in


def screen(
    subject: Subject,
    operator: Operator,
    outcome: Annotated[str, typer.Option(help="eligible, not-eligible, declined or other.")],
    reason: Annotated[str, typer.Option(help="Why not; the same words each time, since reasons are counted.")] = "",
    day: Day = "",
    new: New = False,
    data: DataFolder = DATA,
) -> None:
    """Record that somebody was assessed for the study. Use the ID that they would have in it, never a name."""
    on, named = parse_day(day), next((one for one in log.OUTCOMES if one == outcome.replace("-", "_")), None)
    if named is None:
        raise BadInput(f"--outcome {outcome}: choose eligible, not-eligible, declined or other.")
    record_act(
        data, operator,
        lambda told, now: recording.screen(told, subject, on, named, reason, now, is_new=new),
    )  # fmt: skip
    say(f"The screening of {subject_name(bare_label(subject))} is recorded: {log.OUTCOME_WORDS[named]}.")


def screening(data: DataFolder = DATA, as_json: AsJson = False, as_tsv: AsTsv = False) -> None:
    """List everybody who was assessed, and the counts for a flow chart."""
    told = register_in(data).read()
    rows = log.screening_log(told)
    if show_rows(log.HEADER, [row.cells for row in rows], as_json=as_json, as_tsv=as_tsv):
        return
    for row in rows:
        show("  ".join(filter(None, row.cells)))
    counts = log.screening_counts(told)
    if counts is None:
        say("No screening is recorded yet (`dayfour study screen`).")
        return
    show(f"Assessed: {counts.assessed}. Enrolled: {counts.enrolled}. Eligible, not enrolled yet: {counts.waiting}.")
    for line in log.excluded_in_words(counts):
        show(line)


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
    update_participants(data, register.read())
    show(f"Imported: {people}, {len(acts)} new entries. See `dayfour study history`.")
