"""From the rows of tables to each participant's messages, numbered; what cannot be kept is refused by its row. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from experiment.design import Message, check_subject
from experiment.errors import BadInput
from experiment.messages import spoiled
from experiment.messages.columns import Column
from experiment.messages.findings import Finding
from experiment.messages.headings import NEEDED
from experiment.messages.language import guessed, tag
from experiment.messages.tables import Table
from experiment.script import LANGUAGE, needs_language

TOLD = 12  # rows that a refusal lists
LABELS = ("writer", "relationship", "participant_name")


class Resolved(Struct, frozen=True):
    """A table whose columns are known. `constants`: what holds where a row has no cell of its own, by field."""

    table: Table
    columns: Mapping[str, Column]
    constants: Mapping[str, str]


class Entry(Struct, frozen=True):
    """A message as it was found, and where: `file, row 7`. Its id is not yet known."""

    place: str
    subject: str
    message: Message


class Gathered(Struct, frozen=True):
    """Per subject the messages, with ids m01, m02, ... in the order of the files; and what was found."""

    messages: Mapping[str, tuple[Message, ...]]
    findings: tuple[Finding, ...]


def gather(tables: Sequence[Resolved], language: str) -> Gathered:
    """All messages of the tables; `language`: of texts whose script says nothing, the protocol's.

    BadInput lists every row that cannot be kept: without ID, writer or relationship, or with characters that no file
    can hold. What is odd but can be kept is a finding.
    """
    entries, refused, found = list[Entry](), list[str](), list[Finding]()
    for resolved in tables:
        found += resolved.table.findings
        for place, cells in _cells(resolved):
            if any(cells[name].strip() for name in ("text", "writer", "relationship")):
                _take(place, cells, language, entries, refused, found)
    if refused:
        more = f"\n  and {len(refused) - TOLD} more" if len(refused) > TOLD else ""
        listed = "".join(f"\n  {line}" for line in refused[:TOLD])
        raise BadInput(f"Nothing was taken in, as some rows cannot be kept:{listed}{more}\nCorrect them and try again.")
    messages, repeated = _numbered(entries)
    found += [*repeated, *_spoiled(messages)]
    return Gathered(messages, tuple(found))


def same(message: Message) -> tuple[str, str]:
    """By what two messages of a participant are one: its writer and its text."""
    return message.writer, message.text


# Rows


def _cells(resolved: Resolved) -> Iterator[tuple[str, dict[str, str]]]:
    """Each message's cells by field, and its place; a row of a wide table has several."""
    table = resolved.table
    numbers = sorted({number for column in resolved.columns.values() for number in column.at if number} or {0})
    for index, row in enumerate(table.rows):
        for number in numbers:
            cells = dict.fromkeys((*NEEDED, "language", "participant_name"), "") | dict(resolved.constants)
            for field, column in resolved.columns.items():
                at = column.at.get(number, column.at.get(0))
                if at is not None and (row[at].strip() or field not in resolved.constants):
                    cells[field] = row[at]
            cells["expected"] = resolved.constants.get("subject", "")
            yield table.row(index) + (f", number {number}" if number else ""), cells


def _take(
    place: str, cells: dict[str, str], language: str, entries: list[Entry], refused: list[str], found: list[Finding]
) -> None:
    """Sort a row's message into what is kept, what is refused and what is to be known."""
    if not cells["text"].strip():
        text = f"{place}: left out, there is no text. Ask whether the message was sent."
        found.append(Finding("warning", _label(cells["subject"]), None, text))
        return
    if wrong := list(_wrong(cells)):
        refused += [f"{place}: {one}" for one in wrong]
        return
    labels = {name: cells[name].strip() for name in LABELS}
    said = tag(cells["language"]) or guessed(cells["text"], language)
    subject = check_subject(cells["subject"].strip())
    message = Message(message_id="", language=said, text=cells["text"], subject=subject, **labels)
    entries.append(Entry(place, subject, message))


def _wrong(cells: Mapping[str, str]) -> Iterator[str]:
    """Why a row cannot be kept."""
    subject = cells["subject"].strip()
    if not subject:
        yield "there is a text and no participant's ID"
    elif _label(subject) is None:
        made = spoiled.of_subject(subject)
        found = f"{made}: a spreadsheet may have changed it" if made else "another (cells are not shown)"
        yield f"the participant's ID must be letters and digits only, found {found}"
    elif cells["expected"] and _label(subject) != cells["expected"]:
        yield "the participant's ID is not that of the file's name"
    for name in ("writer", "relationship"):
        if not cells[name].strip():
            yield f"there is a text and nothing in the column for {name}"
    for name in (*LABELS, "language", "text"):
        yield from (f"{name}: {one}" for one in spoiled.refused(cells[name]))


def _label(subject: str) -> str | None:
    try:
        return check_subject(subject.strip())
    except BadInput:
        return None


# Participants


def _numbered(entries: Sequence[Entry]) -> tuple[dict[str, tuple[Message, ...]], list[Finding]]:
    """Each participant's messages with their ids, once each; and those that stand in the files again."""
    messages: dict[str, list[Message]] = defaultdict(list)
    first: dict[tuple[str, str, str], str] = {}
    found = list[Finding]()
    for entry in entries:
        of = messages[entry.subject]
        place = first.setdefault((entry.subject, *same(entry.message)), entry.place)
        if place == entry.place:
            of.append(replace(entry.message, message_id=f"m{len(of) + 1:02}"))
        else:
            text = f"{entry.place}: left out, the same text of the same writer as {place}."
            found.append(Finding("warning", entry.subject, None, text))
    found += _spellings(messages)
    return {subject: tuple(of) for subject, of in messages.items()}, found


def _spellings(subjects: Mapping[str, object]) -> Iterator[Finding]:
    """IDs that only differ by capitals: on many disks they would be one file."""
    by_letters: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        by_letters[subject.casefold()].append(subject)
    for same in by_letters.values():
        if len(same) > 1:
            text = f"The ID is also spelt {', '.join(same[:-1])}. Spell it the same in all rows."
            yield Finding("error", same[-1], None, text)


def _spoiled(messages: Mapping[str, Sequence[Message]]) -> Iterator[Finding]:
    """What was damaged on the way, by participant and message."""
    every = {(subject, one.message_id): one.text for subject, of in messages.items() for one in of}
    for subject, of in messages.items():
        for one in of:
            for grade, text in (*_language(one), *spoiled.findings(one.text)):
                yield Finding(grade, subject, one.message_id, text)
            for name in ("writer", "relationship"):
                for grade, text in spoiled.of_label(getattr(one, name)):
                    yield Finding(grade, subject, one.message_id, f"{name.capitalize()}: {text}")
    for (subject, message_id), (grade, text) in spoiled.cut(every):
        yield Finding(grade, subject, message_id, text)


def _language(message: Message) -> Iterator[spoiled.Told]:
    """Whether somebody has to say which language it is; later it could not be changed by taking the file in again."""
    if not LANGUAGE.fullmatch(message.language):
        yield "error", "The language is no tag such as en, ar, zh, zh-Hant, ja or ko. Correct it, or use --language."
    elif needs_language(message.text, message.language):
        text = "The text has Chinese characters, which Chinese and Japanese draw differently. Say which it is"
        yield "error", f"{text}: zh, zh-Hant or ja in a column named language, or with --language."
