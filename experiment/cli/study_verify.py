"""The command that checks the register, whether it agrees with the data, and whether both lead to an anchor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, FOUND_WANTING, DataFolder
from experiment.cli.terminal import progress_bar, say, show
from experiment.record.dataset import DataSet
from experiment.record.finding import describe
from experiment.record.strays import find_strays
from experiment.replay.verify import verify as verify_session
from experiment.replay.verify import verify_all
from experiment.reports.table import verify as verify_reports
from experiment.storage.anchor import find_anchor
from experiment.storage.hash_chain import line_digests
from experiment.storage.read_file import read_file
from experiment.study import queries
from experiment.study.anchors import find_record
from experiment.study.clock import is_simulated
from experiment.study.location import is_shared, register_in
from experiment.study.snapshot import Snapshot

Anchor = Annotated[
    str, typer.Option("--anchor", help="An anchor from a paper form: check that the records still lead to it.")
]


def verify(anchor: Anchor = "", data: DataFolder = DATA) -> None:
    """Check the register, every session, whether both agree, and that they still lead to an anchor."""
    told = register_in(data).read()
    say(f"The register is intact: {len(told.entries)} entries, {len(told.people)} participants.")
    has_sessions = DataSet(data).transcripts_of_all() or DataSet(data).tables_of_all()
    found = verify_sessions(data, pilot=is_simulated(told.entries)) if has_sessions else 0
    found += verify_study(data, told)
    if anchor:
        found += say_record(anchor, told, data)
    if found:
        raise typer.Exit(FOUND_WANTING)


def verify_sessions(place: Path, *, pilot: bool) -> int:
    """Say what was found in a session or a folder of them, each repeated from its log; in how many is anything."""
    if place.is_dir():
        with progress_bar("Verifying") as progress:
            verified = verify_all(place, pilot=pilot, progress=progress)
        for stray in find_strays(DataSet(place)):
            say(f"{stray}: not read, because its name is not that of a data file", "yellow")
    else:
        verified = [verify_session(place, pilot=pilot)]
    wanting = [one for one in verified if one.is_wanting]
    for one in wanting:
        show(f"{one.transcript}: " + ("unfinished" if one.unfinished else "problems found"))
        for finding in one.findings:
            show(f"  {describe(finding)}")
    show(f"{len(verified) - len(wanting)} of {len(verified)} sessions passed the check.")
    return len(wanting)


def verify_study(data: Path, told: Snapshot) -> int:
    """Say what of the study does not fit together: sealed files, times, and the data; how much of it is unresolved."""
    found = queries.integrity_findings(told, data)
    for one in found:
        show(f"{queries.place_of(one)}: {one.text}")
    changed = verify_reports(data, told, register_in(data).now())
    for text in changed:
        show(text)
    unresolved = sum(one.needs_person for one in found) + len(changed)
    show(f"Register and data: {unresolved or 'no'} problem{'' if unresolved == 1 else 's'} found.")
    return unresolved


def say_line(anchor: str, transcript: Path) -> int:
    """Say which line of a transcript leads to an anchor; 1 if none does."""
    number = find_anchor(anchor, line_digests(read_file(transcript)))
    if number is None:
        say(f"No line of {transcript.name} leads to this anchor.", "red")
        return 1
    show(f"The anchor fits {transcript.name} up to line {number}.")
    return 0


def say_record(anchor: str, told: Snapshot | None, data: Path) -> int:
    """Say which record leads to an anchor, and what of it is not as it was; how much that is."""
    record = find_record(anchor, told, DataSet(data), is_shared=is_shared(data))
    if record is None:
        say(
            "No record leads to this anchor any more. Its record was changed or rolled back, or it belongs to another "
            "study. Compare with a copy.",
            "red",
        )
        return 1
    show(f"The anchor fits {record.words}: nothing in it up to there has changed since.")
    for visit in record.differing:
        say(f"{visit}: its log was changed or is missing. Compare with a copy.", "red")
    return len(record.differing)
