"""What columns of messages are called, in many languages; how names are compared, and told from somebody's words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import regex

from experiment.messages.names import plain

FIELDS = ("subject", "writer", "relationship", "language", "text", "participant_name", "source")
NEEDED = ("subject", "writer", "relationship", "text")

# "Participant's study number", "Teilnehmer-Nr.", "N° du participant", "ID del participante": whose, and a code's name.
WHOSE = (
    r"(?:participants?|subjects?|teilnehmer(?:in|s)?|proband(?:en|in)?|versuchsperson|vp|sujet|participante|sujeto|"
    r"partecipante|deelnemer)"
)
CODE = r"(?:id|code|kode|number|no|nr|nummer|kennung|numero|num|n|codigo|codice)"
CODE_OF = regex.compile(rf"\b(?:{WHOSE}(?: \w+){{0,2}} {CODE}|{CODE}(?: \w+){{0,2}} {WHOSE})\b")

NUMBER = regex.compile(r"(?<!\d)\d{1,2}(?!\d)")
"""What tells columns of one kind apart, anywhere in their names: `message_2`, `lo2_message`, `Person 2 - Message`."""

LONGEST_NAME = 60  # characters; a longer one is no column's name but somebody's text
MOST_WORDS = 10  # of a question that stands in place of a name
SENTENCE = regex.compile(r"(?=(?:\S+\s+){3}\S).*(?:[.!…]$|[,;]\s)", regex.DOTALL)
IN_BRACKETS = regex.compile(r"\([^()]*\)")  # such as (mother, friend ...): of names too
FIRST = 10  # rows among which the header is looked for
ID_LIKE = regex.compile(r"(?=.*\d)[\w.-]{1,32}")


def header_at(rows: Sequence[Sequence[str]]) -> int | None:
    """Which of the first rows is certainly the header, or None. What stands above it are titles, of fewer cells."""
    counts = [sum(1 for cell in row if cell.strip()) for row in rows[:FIRST]]
    for at, row in enumerate(rows[:FIRST]):
        if _is_header(row, rows[at + 1 : FIRST]):
            return at if all(2 * count <= counts[at] for count in counts[:at]) else None
    return None


def _is_header(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row certainly has names of columns; somebody's words may stand there instead, and are never shown.

    Two cells are names of different fields; or two have a field's words in them, and no cell looks like an ID.
    """
    return _name_two(cells, alone=True) or (
        _name_two(cells, alone=False) and not any(_is_id(cells[at], at, below) for at in range(len(cells)))
    )


def _name_two(cells: Sequence[str], *, alone: bool) -> bool:
    named = [fields for cell in cells if (fields := _fields(cell, alone=alone))]
    return len(named) > 1 and len(set().union(*named)) > 1


def _fields(cell: str, *, alone: bool) -> set[str]:
    """The fields that a cell names by itself, or (where not `alone`) in one of a few words."""
    if not is_name(cell):
        return set()
    ways = {True, alone}
    return {field for field in FIELDS for way in ways if says(strip_number(cell), field, alone=way)}


def is_name(cell: str) -> bool:
    """Whether it may be a column's name; what is long, or a sentence, may be somebody's words."""
    is_short = len(cell) <= LONGEST_NAME and len(cell.split()) <= MOST_WORDS
    return is_short and not SENTENCE.match(IN_BRACKETS.sub("", cell).strip())


def _is_id(cell: str, at: int, below: Sequence[Sequence[str]]) -> bool:
    """Whether a cell looks like an ID, as one below it does; a question's name such as Q1 has other answers."""
    if not ID_LIKE.fullmatch(cell.strip()) or _fields(cell, alone=False):
        return False
    under = [row[at].strip() for row in below if at < len(row)]
    return not under or any(map(ID_LIKE.fullmatch, under))


def strip_number(name: str) -> str:
    """A name without the numbers by which several columns of one kind are told apart."""
    return str(NUMBER.sub(" ", name))


def says(name: str, field: str, *, alone: bool) -> bool:
    """Whether a name is one of the field's (`alone`), or has one of its words in it."""
    found, words = plain(name), _words(field, alone=alone)
    if alone:
        return found in words or found.replace(" ", "") in words
    if field == "subject" and CODE_OF.search(found):
        return True
    return any(f" {word} " in f" {found} " for word in words)


@cache
def _words(field: str, *, alone: bool) -> tuple[str, ...]:
    names = msgspec.toml.decode(Path(__file__).with_name("column_names.toml").read_bytes())
    return tuple(map(plain, names["alone" if alone else "within"][field]))
