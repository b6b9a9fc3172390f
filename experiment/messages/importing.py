"""`messages import`: asks where columns are not obvious, says what is found, and writes all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiment.design import check_subject
from experiment.errors import BadInput
from experiment.messages import gathering, intake
from experiment.messages.columns import Ask, guess, resolve
from experiment.messages.findings import Finding, Grade
from experiment.messages.headings import FIELDS
from experiment.messages.sources import read_tables
from experiment.messages.store import Folder
from experiment.messages.tables import Table
from experiment.script import checked_language

if TYPE_CHECKING:
    from rich.table import Table as Shown

GRADES: tuple[Grade, ...] = ("error", "warning", "note")
TOLD = 40  # findings, or participants, that are listed; the rest is counted

REMINDER = (
    "The files that they came from still hold the texts. Keep those where nobody else reads them, or delete them."
)

Tell = Callable[..., None]


def plan(
    paths: Sequence[Path], folder: Folder, language: str, *, given: Sequence[str] = (),
    constants: Mapping[str, str | None] | None = None, encoding: str | None = None, sheet: str | None = None,
    ask: Ask | None = None, progress: intake.Progress = lambda _done, _all: None,
) -> intake.Plan:  # fmt: skip
    """What taking these files in would write. `given`: NAME=COLUMN each; `constants`: the same for all rows, by field.

    `language`: the protocol's. `ask`: None where nobody can be asked. BadInput before anything is written.
    """
    said = {name: value for name, value in (constants or {}).items() if value}
    if "subject" in said:
        said["subject"] = check_subject(said["subject"])
    checked_language(said.get("language", ""))
    chosen = dict(_pair(one) for one in given)
    if both := sorted(chosen.keys() & said.keys()):
        raise BadInput(f"Expected either --{both[0]} or --column {both[0]}=..., found both. Leave one out.")
    resolved = []
    for table in read_tables(paths, encoding, sheet):
        known = _of_name(table) | said
        in_cells = {*chosen, *guess(table)} - {*said}
        columns = resolve(table, chosen, ask, [name for name in known if name not in in_cells])
        resolved.append(gathering.Resolved(table, columns, known))
    return intake.plan_import(gathering.gather(resolved, language), folder, progress)


def _pair(option: str) -> tuple[str, str]:
    name, equals, column = option.partition("=")
    if not equals or not column:
        raise BadInput(f'--column: expected NAME="COLUMN" with NAME one of {", ".join(FIELDS)}. Type it again.')
    return name.strip(), column.strip()


def _of_name(table: Table) -> dict[str, str]:
    """The participant's ID from a file's name such as sub-DF017.csv."""
    stem = table.name.split(".")[0]
    if not stem.startswith("sub-") or table.kind == "text files":
        return {}
    try:
        return {"subject": check_subject(stem)}
    except BadInput:
        return {}


def summary(planned: intake.Plan) -> Shown:
    """How many messages are new, known and kept, and how much was found: of all, and of those where something was.

    Of a few participants, each has a row.
    """
    from rich.table import Table as Shown

    shown = Shown("participant", "new", "already there", "not in these files", "errors", "warnings", "notes")
    grades = Counter((finding.subject, finding.grade) for finding in planned.findings)
    found = {finding.subject for finding in planned.findings}
    listed = [one for one in planned.subjects if len(planned.subjects) <= TOLD or one.subject in found]
    for one in listed[:TOLD]:
        counts = (len(one.new), len(one.known), len(one.missing))
        shown.add_row(f"sub-{one.subject}", *_cells(*counts, *(grades[one.subject, grade] for grade in GRADES)))
    sums = [sum(len(getattr(one, kind)) for one in planned.subjects) for kind in ("new", "known", "missing")]
    all_found = Counter(finding.grade for finding in planned.findings)
    shown.add_section()
    shown.add_row(f"all {len(planned.subjects)}", *_cells(*sums, *(all_found[grade] for grade in GRADES)))
    return shown


def _cells(*counts: int) -> list[str]:
    return [str(count) if count else "" for count in counts]


def told(finding: Finding) -> str:
    """A finding in a line, with its grade and place."""
    place = [f"sub-{finding.subject}" if finding.subject else "", finding.message_id or ""]
    where = " ".join(filter(None, place))
    return f"{finding.grade}: {where}: {finding.text}" if where else f"{finding.grade}: {finding.text}"


def finish(
    planned: intake.Plan, folder: Folder, tell: Tell, *, despite_errors: bool = False, dry_run: bool = False,
    progress: intake.Progress = lambda _done, _all: None,
) -> bool:  # fmt: skip
    """Tell what was found, and write; whether all was right, so that it was written (or would be).

    `tell` takes a text or a table of rich. With errors nothing is written, unless `despite_errors`: then texts are
    kept as they came.
    """
    tell(summary(planned))
    for finding in sorted(planned.findings, key=lambda one: GRADES.index(one.grade))[:TOLD]:
        tell(told(finding))
    if len(planned.findings) > TOLD:
        tell(f"and {len(planned.findings) - TOLD} more")
    new = sum(len(one.new) for one in planned.subjects)
    if planned.errors and not despite_errors:
        tell("Nothing was written. Correct the errors in the file and take it in again, or keep all with --anyway.")
    elif dry_run:
        tell(f"Nothing was written; {new} new messages would be.")
    else:
        written = intake.write(planned, folder, progress)
        tell(f"{new} new messages of {written} participants are in {folder.path}.\n{REMINDER}")
    return not planned.errors
