"""`messages import`: asks where columns are not obvious, says what is found, and writes all or nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace
from rich.table import Table as Shown

from experiment.design.session import check_subject
from experiment.design.visit import subject_name
from experiment.drawing.scripts import check_language
from experiment.errors import BadInput
from experiment.messages.importing import merge, rows
from experiment.messages.importing.columns import Ask, Given, describe_columns, find_unused, resolve, with_header
from experiment.messages.importing.exports import fill_from_record
from experiment.messages.importing.files import read_tables
from experiment.messages.importing.headers import FIELDS
from experiment.messages.importing.rows import Resolved, Said, label_of
from experiment.messages.importing.table import Table
from experiment.messages.language import standard_tag
from experiment.messages.store import Folder
from experiment.record.finding import SEVERITIES, Finding, Severity, count_in_words, name_first, worst
from experiment.system.processes import Progress

TOLD = 40  # findings, or participants, that are listed; the rest is counted
SEVERAL = 5  # messages with the same finding that are named

REMINDER = "The original files still contain the texts. Store them safely or delete them."

Tell = Callable[..., None]


def plan(
    paths: Sequence[Path], folder: Folder, language: str, *, given: Sequence[str] = (),
    constants: Mapping[str, str | None] | None = None, encoding: str | None = None, sheet: str | None = None,
    ask: Ask | None = None, progress: Progress = lambda _done, _all: None, corrects: bool = False,
) -> merge.ImportPlan:  # fmt: skip
    """What taking these files in would write. `given`: NAME=COLUMN each; `constants`: the same for all rows, by field.

    `language`: the protocol's. `ask`: None where nobody can be asked. BadInput before anything is written.
    """
    values = {name: value for name, value in (constants or {}).items() if value}
    if "subject" in values:
        values["subject"] = check_subject(values["subject"])
    check_language(standard_tag(values.get("language", "")))
    said = {name: Said(value, f"--{name}") for name, value in values.items()}
    chosen = dict(_pair(one) for one in given)
    if both := sorted(chosen.keys() & said.keys()):
        raise BadInput(f"--{both[0]} and --column {both[0]}=... cannot be used together. Leave one out.")
    resolved = [_resolved(table, chosen, said, ask) for table in read_tables(paths, encoding, sheet, progress)]
    used = tuple(_used(resolved))
    try:
        gathered, found = rows.gather(resolved, language)
    except BadInput as error:
        raise BadInput("\n".join([*used, str(error)])) from None
    found = [*(one for each in resolved for one in _unused(each)), *found]
    return replace(merge.plan_import(gathered, found, folder, progress, corrects=corrects), used=used)


def _pair(option: str) -> tuple[str, str]:
    name, equals, column = option.partition("=")
    if not equals or not column:
        raise BadInput(f'--column: expected NAME="COLUMN" with NAME one of {", ".join(FIELDS)}. Type it again.')
    return name.strip(), column.strip()


def _resolved(table: Table, given: Given, said: Mapping[str, Said], ask: Ask | None) -> Resolved:
    """The table with its columns, and with what its name or an option says for all of it."""
    known = _of_name(table)
    if known and "subject" in said and known["subject"].value != said["subject"].value:
        raise BadInput(f"{table.name}: the file name and --subject name different participants. Leave --subject out.")
    known |= said
    if table.kind == "text files":
        given = {}
    table = with_header(table, given)
    columns = resolve(table, given, ask, [*known])
    places = {field: {*column.at.values()} for field, column in columns.items()}
    return Resolved(fill_from_record(table, places), columns, known)


def _of_name(table: Table) -> dict[str, Said]:
    """The participant's ID from a file's name such as sub-DF017.csv."""
    stem = table.name.split(".")[0]
    is_named = stem.startswith(subject_name("")) and table.kind != "text files"
    label = label_of(stem) if is_named else None
    return {"subject": Said(label, "the file's name")} if label else {}


def _used(resolved: Sequence[Resolved]) -> Iterator[str]:
    """Which columns were taken for what, a line for all tables in which they are the same."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for one in resolved:
        if one.table.kind != "text files":
            lines = (f"{field} = {describe_columns(one.table, column)}" for field, column in one.columns.items())
            alike[tuple(lines)].append(one.table.name)
    for columns, names in alike.items():
        yield "\n  ".join([f"{name_first(names, 1)} is read with these columns:", *columns])


def _unused(resolved: Resolved) -> Iterator[Finding]:
    """Columns that may hold messages and are not taken in."""
    for column in find_unused(resolved.table, resolved.columns):
        what = f"{resolved.table.name}: not imported: {describe_columns(resolved.table, column)}."
        yield Finding("", "warning", f"{what} Check whether it contains messages.")


def summary(planned: merge.ImportPlan, new: str = "new") -> Shown:
    """How many messages are new, known and kept, and how much was found: of all, and of those where something was.

    Of a few participants, each has a row. `new`: what the new ones are called, which may not be written.
    """
    shown = Shown("participant", new, "already there", "not in these files", "errors", "warnings", "notes")
    found: dict[str | None, list[Finding]] = defaultdict(list)
    for finding in planned.findings:
        found[finding.subject].append(finding)
    listed = [one for one in planned.subjects if len(planned.subjects) <= TOLD or one.subject in found]
    for one in listed[:TOLD]:
        shown.add_row(subject_name(one.subject), *_counts([one], found[one.subject]))
    shown.add_section()
    shown.add_row(f"all {len(planned.subjects)}", *_counts(planned.subjects, planned.findings))
    return shown


def _counts(subjects: Sequence[merge.Merged], findings: Sequence[Finding]) -> Iterator[str]:
    """How many of their messages are new, known and missing, and how many errors, warnings and notes there are."""
    severities = Counter(finding.severity for finding in findings)
    counts = [sum(len(getattr(one, kind)) for one in subjects) for kind in ("new", "known", "missing")]
    yield from (str(count or "") for count in (*counts, *(severities[severity] for severity in SEVERITIES[:3])))


def describe_all(findings: Sequence[Finding]) -> list[str]:
    """A line for each finding, the gravest first; what was found in several messages alike has one line."""
    alike: dict[tuple[Severity, str], list[str]] = defaultdict(list)
    for finding in sorted(findings, key=lambda one: SEVERITIES.index(one.severity)):
        place = [subject_name(finding.subject) if finding.subject else "", finding.message_id or ""]
        alike[finding.severity, finding.text].append(" ".join(filter(None, place)))
    return [
        ": ".join(filter(None, (severity, name_first(places, SEVERAL), text)))
        for (severity, text), places in alike.items()
    ]


def finish(
    planned: merge.ImportPlan, folder: Folder, tell: Tell, *, despite_errors: bool = False, dry_run: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> bool:  # fmt: skip
    """Tell what was found, and write; whether all was right, so that it was written (or would be).

    `tell` takes a text or a table of rich. With errors nothing is written, unless `despite_errors`: then texts are
    kept as they came.
    """
    for line in planned.used[:TOLD]:
        tell(line)
    is_right = worst(planned.findings) != "error"
    refused = not (is_right or despite_errors)
    tell(summary(planned, "new, NOT written" if refused or dry_run else "new"))
    lines = describe_all(planned.findings)
    for line in lines[:TOLD]:
        tell(line)
    if len(lines) > TOLD:
        tell(f"and {len(lines) - TOLD} more")
    new = count_in_words(sum(len(one.new) for one in planned.subjects), "new message")
    if refused:
        tell(
            "Nothing was written. Correct the errors in the file and import it again, or import everything with "
            "--anyway."
        )
    elif dry_run:
        tell(f"Nothing was written; {new} would be.")
    else:
        written = count_in_words(merge.write(planned, folder, progress), "participant")
        tell(f"{new} of {written} {'is' if new == '1 new message' else 'are'} in {folder.path}.\n{REMINDER}")
    return is_right
