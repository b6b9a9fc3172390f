"""The command that checks the register, whether it agrees with the data, and whether both lead to an anchor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, FOUND_WANTING, DataFolder
from experiment.cli.terminal import say, show
from experiment.record.dataset import DataSet
from experiment.reports.verify import verify as verify_reports
from experiment.storage.anchor import find_anchor
from experiment.storage.hash_chain import line_digests
from experiment.storage.read_file import read_file
from experiment.study import queries
from experiment.study.anchors import find_record
from experiment.study.location import is_shared, register_in
from experiment.study.snapshot import Snapshot

Anchor = Annotated[
    str, typer.Option("--anchor", help="An anchor from a paper form: check that the records still lead to it.")
]


def verify(anchor: Anchor = "", data: DataFolder = DATA) -> None:
    """Check that the register is intact and agrees with the data, and that it still leads to an anchor."""
    told = register_in(data).read()
    say(f"The register is intact: {len(told.entries)} entries, {len(told.people)} participants.")
    found = verify_study(data, told)
    if anchor:
        found += say_record(anchor, told, data)
    if found:
        raise typer.Exit(FOUND_WANTING)


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
