"""From the rows of tables to each participant's messages, numbered. Pure.

What cannot be kept is refused by its row; what was damaged on the way is found in texts and labels.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from experiment.design.message import Message
from experiment.design.session import check_subject
from experiment.design.sources import SOURCES, is_source
from experiment.drawing.scripts import LANGUAGE, needs_language
from experiment.errors import BadInput
from experiment.messages import corruption
from experiment.messages.check_message import find_endless
from experiment.messages.importing.columns import Column
from experiment.messages.importing.headers import FIELDS, NEEDED
from experiment.messages.importing.table import Mark, Table
from experiment.messages.language import guess_language, standard_tag
from experiment.record.finding import Finding, list_first, message_finding
from experiment.record.tsv import FORMULA_SIGNS
from experiment.storage import limits

TOLD = 12  # rows that a refusal lists
Messages = dict[str, tuple[Message, ...]]
"""By participant, with ids m01, m02, ... in the order of the files."""
LABELS = ("writer", "relationship", "participant_name")
NAMED = ("subject", "writer", "relationship")
CUT = "it is shorter than the header, so the text before it was cut at a line break. Export with all texts in quotes"
HIDDEN = "Its row was hidden or filtered out in the workbook. Check whether it counts."
# What survey programs write into a second row of headings, below a question.
SECOND_HEADINGS = frozenset({
    "open-ended response", "open ended response", "response", "custom data", "antwort", "réponse ouverte",
    "respuesta abierta",
})  # fmt: skip


class Said(Struct, frozen=True):
    """What holds for a whole table, and what says so: `--writer`, or `the file's name`."""

    value: str
    by: str


class Resolved(Struct, frozen=True):
    """A table whose columns are known. `said`: by field, what holds where a row has no cell of its own."""

    table: Table
    columns: Mapping[str, Column]
    said: Mapping[str, Said]


class RecordRow(Struct, frozen=True):
    """What one message has of each field, and where. `of`: the file's row, which in a wide table has several.

    `against`: the fields in which it contradicts what was said for all, and by what. `marks`: of its cells.
    """

    place: str
    of: str
    cells: Mapping[str, str]
    against: Mapping[str, str]
    marks: Mapping[str, Mark | None]
    is_file: bool


def gather(tables: Sequence[Resolved], language: str) -> tuple[Messages, list[Finding]]:
    """All messages of the tables, and what was found; `language`: of texts whose script says nothing, the protocol's.

    BadInput lists every row that cannot be kept: without ID, writer or relationship, or with characters that no file
    can hold. What is odd but can be kept is a finding.
    """
    rows = [(row, _left_out(row)) for resolved in tables for row in _rows(resolved)]
    kept = [row for row, why in rows if why is None]
    cut = [f"{place}: {CUT}" for resolved in tables for place in _cut_rows(resolved)]
    if refused := [*cut, *(f"{row.place}: {why}" for row in kept for why in _wrong(row))]:
        listed = list_first(refused, TOLD)
        raise BadInput(f"Nothing was imported, because some rows cannot be used:{listed}\nCorrect them and try again.")
    messages, repeated = _numbered([(row, _message(row, language)) for row in kept])
    found = [finding for resolved in tables for finding in resolved.table.findings]
    found += [
        message_finding("warning", label_of(row.cells["subject"]), None, f"{row.place}: left out, {why}")
        for row, why in rows
        if why is not None
    ]
    return messages, [*found, *repeated, *_find_damage(messages)]


def same(message: Message) -> tuple[str, str]:
    """By what two messages of a participant are one: writer and text, in any Unicode form and white space around."""
    return _plain(message.writer), _plain(message.text)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


# Rows


def _cut_rows(resolved: Resolved) -> Iterator[str]:
    """Rows that end before a column that is needed: what stands in them is a part of the text before."""
    table, needed = resolved.table, [resolved.columns[name] for name in NEEDED if name in resolved.columns]
    places = [at for one in needed for at in one.at.values()]
    for index, number in enumerate(table.numbers):
        if any(table.marks.get((number, at)) == "missing" for at in places):
            yield table.row(index)


def _rows(resolved: Resolved) -> Iterator[RecordRow]:
    """Each message's cells; a row of a wide table has several. Rows with nothing but an ID are none."""
    columns, table = resolved.columns, resolved.table
    telling = [columns[field] for field in ("text", "writer", "relationship") if field in columns]
    for index, cells in enumerate(table.rows):
        for number in sorted(columns["text"].at):
            if any(cells[column.place(number)].strip() for column in telling):
                yield _row(resolved, index, number)


def _row(resolved: Resolved, index: int, number: int) -> RecordRow:
    table, said = resolved.table, resolved.said
    at = {field: column.place(number) for field, column in resolved.columns.items()}
    own = {field: table.rows[index][place] for field, place in at.items()}
    of = table.row(index)
    return RecordRow(
        place=f"{of}, number {number}" if resolved.columns["text"].is_group else of,
        of=of,
        cells={field: _or(own.get(field, ""), said.get(field)) for field in FIELDS},
        against={field: one.by for field, one in said.items() if _differs(field, own.get(field, ""), one.value)},
        marks={field: table.marks.get((table.numbers[index], place)) for field, place in at.items()},
        is_file=table.kind == "text files",
    )


def _or(cell: str, said: Said | None) -> str:
    return said.value if said and not cell.strip() else cell


def _differs(field: str, cell: str, said: str) -> bool:
    """Whether a cell says something else than what was said for all."""
    if not cell.strip() or (field == "subject" and label_of(cell) is None):  # the latter is refused anyhow
        return False
    if field == "subject":
        return label_of(cell) != said
    if field == "language":
        return standard_tag(cell) != standard_tag(said)
    return _plain(cell).casefold() != _plain(said).casefold()


def _left_out(row: RecordRow) -> str | None:
    if not row.cells["text"].strip():
        return "there is no text. Ask whether the message was sent."
    if row.cells["text"].strip().casefold() in SECOND_HEADINGS:
        return "it is a survey program's second header row. Import it separately if it is a text."
    if row.marks.get("text") == "unfinished":
        return "because its form is marked as not completed. If it counts, change that cell in a copy of the file."
    return None


def _wrong(row: RecordRow) -> Iterator[str]:
    cells = row.cells
    if row.is_file and not all(cells[name].strip() for name in NAMED):
        what = "the name does not say who wrote it for whom, as in DF017_mother_Anna.txt"
        yield f"{what}. Rename the file, or give --subject, --relationship and --writer"
        return
    yield from _wrong_subject(cells["subject"].strip(), row.marks.get("subject"))
    for name in ("writer", "relationship"):
        if not cells[name].strip():
            yield f"there is a text but no {name}{_merged(row.marks.get(name))}"
    for name, by in row.against.items():
        what = "the participant's ID" if name == "subject" else f"the {name}"
        yield f"{what} differs from {by}. Correct one of the two"
    text = _plain(cells["text"]).casefold()
    if sum(_plain(cells[name]).casefold() == text != "" for name in NAMED) > 1:
        yield "ID, writer, relationship and text are the same. Check whether it is a second header row"
    for name, cell in cells.items():
        if row.marks.get(name) == "formula":
            yield f"{name}: the cell is a formula without a result. Open the workbook, save it, and import it again"
        elif len(cell) > limits.LETTERS:
            yield f"{name}: it has {len(cell):,} characters, more than any message. Check whether a quote is missing"
    yield from _wrong_cells(cells)


def _wrong_cells(cells: Mapping[str, str]) -> Iterator[str]:
    """What no file of messages can hold."""
    if not is_source(cells["source"]):
        yield f"the source must be {', '.join(SOURCES)}, or empty if it is from somebody close"
    for name in (*LABELS, "language", "text"):
        yield from (f"{name}: {one}" for one in corruption.find_refused(cells[name]))


def _wrong_subject(subject: str, mark: Mark | None) -> Iterator[str]:
    if not subject:
        yield f"there is a text but no participant's ID{_merged(mark)}"
    elif label_of(subject) is None:
        made = corruption.of_subject(subject)
        found = f"{made}: a spreadsheet may have changed it" if made else "another (cells are not shown)"
        yield f"the participant's ID may contain only letters and digits, not {found}"
    elif mark == "number format":
        yield ("the participant's ID is a number with a cell format. Enter the IDs as text")


def _merged(mark: Mark | None) -> str:
    return " in these merged cells. Unmerge them and fill in each row" if mark == "merged" else ""


def _message(row: RecordRow, language: str) -> Message:
    """A row's message; its id is not yet known."""
    cells = row.cells
    return Message(
        "",
        writer=cells["writer"].strip(),
        relationship=cells["relationship"].strip(),
        language=standard_tag(cells["language"]) or guess_language(cells["text"], language),
        text=cells["text"],
        subject=check_subject(cells["subject"].strip()),
        participant_name=cells["participant_name"].strip(),
        source=cells["source"].strip().casefold(),
    )


def label_of(subject: str) -> str | None:
    """The participant's label; None for what is none."""
    try:
        return check_subject(subject.strip())
    except BadInput:
        return None


# Participants


def _numbered(drafts: Sequence[tuple[RecordRow, Message]]) -> tuple[Messages, list[Finding]]:
    """Each participant's messages with their ids, once each; and those that stand in the files again."""
    messages: dict[str, list[Message]] = defaultdict(list)
    first: dict[tuple[str, str, str], RecordRow] = {}
    in_row: dict[tuple[str, str], str] = {}
    found = list[Finding]()
    for row, message in drafts:
        subject, (writer, text) = message.subject, same(message)
        of = messages[subject]
        before = first.setdefault((subject, writer, text), row)
        beside = in_row.setdefault((row.of, text), row.place)
        if beside != row.place:
            what = f"{row.place}: the same text as {beside}. Check that the text columns are right."
            found.append(message_finding("error", subject, None, what))
        elif before is not row:
            what = f"{row.place}: left out, the same text of the same writer as {before.place}."
            found.append(message_finding("warning", subject, None, what))
        if before is row:
            of.append(replace(message, message_id=f"m{len(of) + 1:02}"))
            if row.marks.get("text") == "hidden":
                found.append(message_finding("warning", subject, of[-1].message_id, HIDDEN))
    return {subject: tuple(of) for subject, of in messages.items()}, found


# Damage


def _find_damage(messages: Messages) -> Iterator[Finding]:
    """What was damaged on the way, by participant and message."""
    every = {(subject, one.message_id): one.text for subject, of in messages.items() for one in of}
    for subject, of in messages.items():
        for one in of:
            for severity, text in list(find_endless(one)) or _damage(one):  # no pattern sees what is endless
                yield message_finding(severity, subject, one.message_id, text)
    for (subject, message_id), (severity, text) in corruption.cut(every):
        yield message_finding(severity, subject, message_id, text)


def _damage(message: Message) -> Iterator[corruption.Told]:
    labels = {"writer": message.writer, "relationship": message.relationship}
    # The language has to be known now: importing the file again could not change it later.
    if not LANGUAGE.fullmatch(message.language):
        yield "error", "The language is not a tag such as en, ar, zh, zh-Hant, ja or ko. Correct it in the file."
    elif needs_language(message.text, message.language):
        text = "The text has Chinese characters, which Chinese and Japanese draw differently. State which it is"
        yield "error", f"{text}: zh, zh-Hant or ja in the column for the language, or if there is none with --language."
    if message.relationship.isdigit():
        text = "The relationship is a number, perhaps the code of an answer."
        yield "warning", f"{text} Export the file with labels (choice text) instead of codes and import it again."
    for name, label in labels.items():
        if label.startswith(FORMULA_SIGNS):
            yield "error", f"The {name} begins like a spreadsheet formula. Type it again."
    yield from corruption.findings(message.text)
    for name, label in labels.items():
        yield from ((severity, f"Column {name}: {text}") for severity, text in corruption.of_label(label))
