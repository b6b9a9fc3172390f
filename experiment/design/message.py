"""Messages as they were written: read from a file and written to one, and proved by digests that tell no text."""

from __future__ import annotations

import csv
import hmac
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import scrypt, sha256
from pathlib import Path
from typing import Literal

import msgspec
import regex
from msgspec import UNSET, Struct, UnsetType

from experiment.design.protocol import Protocol
from experiment.design.sources import SOURCES, is_source
from experiment.errors import BadInput
from experiment.storage import limits
from experiment.storage.read_file import read_file

PRACTICE = "practice"
COLUMNS = ("message_id", "writer", "relationship", "language", "text")
OPTIONAL = ("subject", "participant_name", "as_written", "suspected", "source")
YES = "yes"
DELIMITERS = ",;\t"  # as spreadsheets write them, by the country's settings
LONGEST_CELL = 2**31 - 1  # a reader that stops earlier would say so of a text that is merely long
MESSAGE_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")  # it is told everywhere, so that no text must stand there by mistake


class Message(Struct, frozen=True):
    """A message as it was written: private, and never in a log, an error or git.

    `subject`: for whom it was written, where its file says so. `participant_name`: as known, to be found in a text.
    `as_written`: `YES` once somebody has looked at what seemed damaged, and the writer wrote it so. `suspected`: what
    import found that the text alone does not show, a line each with its severity. `source`: whom it is from, where its
    file says so. `more`: further columns of the file, by their names, which are kept.
    """

    message_id: str
    writer: str
    relationship: str
    language: str
    text: str
    subject: str = ""
    participant_name: str = ""
    as_written: str = ""
    suspected: str = ""
    source: str = ""
    more: tuple[tuple[str, str], ...] = ()

    @property
    def is_as_written(self) -> bool:
        """Whether a person has judged that nothing happened to the text on its way."""
        return self.as_written.strip().casefold() == YES

    @property
    def sha256(self) -> str:
        """The digest of the text's UTF-8 bytes; whoever guesses the text sees by it that it is the one."""
        return sha256(self.text.encode()).hexdigest()


Digests = Literal["HMAC-SHA256"] | UnsetType
"""How texts are digested in a transcript; one without a word about it has the plain SHA-256 of each text."""

KEYED: Digests = "HMAC-SHA256"


def text_digests(messages: Sequence[Message], how: Digests = KEYED) -> dict[str, str]:
    """By the messages' ids what proves later which texts were shown, without telling them."""
    return hide_digests({message.message_id: message.sha256 for message in messages}, messages, how)


def hide_digests(digests: Mapping[str, str], messages: Sequence[Message], how: Digests = KEYED) -> dict[str, str]:
    """Digests by message id as a transcript has them: by them alone nobody can try whether a guessed text is right.

    The key is made of all texts of the set together, so that a guess of one can be tried only by who has all the
    others. It needs no file of its own, is the same wherever the same messages are imported, and goes with them.
    The practice message's digest stays: its text is in the protocol, and so in the transcript.
    """
    if how is UNSET:
        return dict(digests)
    key = _stretch(_joint(message.text for message in messages if message.message_id != PRACTICE))
    return {
        name: digest if name == PRACTICE else hmac.digest(key, digest.encode(), "sha256").hex()
        for name, digest in digests.items()
    }


def other_digests(messages: Sequence[Message]) -> dict[str, str]:
    """By each message's id a digest of all other texts: where one text was changed later, it tells which one that is.

    Whoever knows all texts but two can try guesses of one of them by it, each of which takes as long as above.
    """
    texts = {one.message_id: one.text for one in messages if one.message_id != PRACTICE}
    return {name: _stretch(_joint(text for other, text in texts.items() if other != name)).hex() for name in texts}


def label_digests(messages: Sequence[Message], how: Digests = KEYED) -> dict[str, str]:
    """By the messages' ids what proves later which writer a text was shown with, and its language, without telling."""
    labels = {one.message_id: msgspec.json.encode([one.writer, one.language]) for one in messages}
    return hide_digests({name: sha256(label).hexdigest() for name, label in labels.items()}, messages, how)


def _joint(texts: Iterable[str]) -> bytes:
    return sha256(msgspec.json.encode(sorted(texts))).digest()


@lru_cache(maxsize=32)
def _stretch(secret: bytes) -> bytes:
    """A key of which each guess takes 8 ms and 4 MiB: also all texts of a set may be as short as "ok"."""
    return scrypt(secret, salt=b"Day Four", n=2**12, r=8, p=1, dklen=32)


# Thai, Lao, Khmer, Burmese, Chinese and Japanese have no spaces between words: two letters with their marks count as
# one (words of Chinese text have 1.4 to 1.7 characters, of Thai 2 to 3, of Japanese between them).
UNSPACED = regex.compile(r"(?=[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Han}\p{Hiragana}\p{Katakana}\u30FC])\X")
WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:[.,:'\u2019\u00B7-][\p{L}\p{M}\p{N}]+)*")


def count_words(text: str) -> int:
    """How many words a text has, also where they stand without spaces; emoji and signs are none."""
    spaced, unspaced = UNSPACED.subn(" ", text)
    return len(WORD.findall(spaced)) + (int(unspaced) + 1) // 2


def practice_message(protocol: Protocol) -> Message:
    """The protocol's practice message in the form of the others."""
    return Message(PRACTICE, protocol.practice.writer, PRACTICE, protocol.language, protocol.practice.text)


def read_messages(path: Path) -> tuple[Message, ...]:
    """The messages of a UTF-8 CSV file with the columns of `COLUMNS`, and maybe `OPTIONAL`, kept to the code point.

    Only line ends are unified, to a newline. As spreadsheets write files, semicolons or tabs may part the cells, names
    of columns may have capitals and spaces around, and rows may be empty. BadInput names the file, the row and the
    column, never a text.
    """
    try:
        data = read_file(path, limits.TABLE_BYTES)
    except OSError as error:
        raise BadInput(
            f"The messages {path} cannot be read: {error.strerror}. Check the subject and --messages."
        ) from error
    return parse_messages(data, path)


def parse_messages(data: bytes, path: Path) -> tuple[Message, ...]:
    """The messages of a file's bytes; errors name it by its path."""
    rows = _rows(data, path)
    if len(rows) > limits.MESSAGES:
        raise BadInput(f"{path} has {len(rows)} messages; one participant has at most {limits.MESSAGES}.")
    messages = tuple(_message(path, number, row) for number, row in enumerate(rows, start=1))
    ids = [message.message_id for message in messages]
    for number, one in enumerate(ids, start=1):
        if (first := ids.index(one) + 1) < number:
            raise BadInput(f"{path}: messages {first} and {number} have the same id. Correct the column message_id.")
    return messages


def messages_csv(messages: Iterable[Message]) -> bytes:
    """The file that reads back as these messages."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    rows = [{**{name: getattr(one, name) for name in (*COLUMNS, *OPTIONAL)}, **dict(one.more)} for one in messages]
    names = list(dict.fromkeys([*COLUMNS, *OPTIONAL, *(name for row in rows for name in row)]))
    writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return file.getvalue().encode()


def _rows(data: bytes, path: Path) -> list[dict[str, str]]:
    """The rows that have anything in them, by the names of the columns: small, without spaces around."""
    csv.field_size_limit(LONGEST_CELL)
    try:
        text = data.decode("utf-8-sig")
        names, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8. Save it as 'CSV UTF-8' and try again.") from error
    except csv.Error as error:
        raise BadInput(f"{path} is not a CSV file: {error}. Export it from the spreadsheet again.") from error
    except ValueError:
        names, rows = [], []
    names = [_name(name) for name in names]
    for name in COLUMNS:
        if (count := names.count(name)) != 1:
            wanted = f"the columns must be {', '.join(COLUMNS)}, each once"
            raise BadInput(f"{path}: {wanted}, but {name!r} is there {count} times. Correct the first line.")
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    return [_cells(path, number, names, row) for number, row in enumerate(filled, start=1)]


def _delimiter(text: str) -> str:
    """What parts the cells of the first line: that with which most of the expected columns are there."""

    def known(delimiter: str) -> int:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        return len({_name(name) for name in names} & {*COLUMNS})

    return max(DELIMITERS, key=known)


def _name(heading: str) -> str:
    return heading.strip().casefold()


def _cells(path: Path, number: int, names: list[str], row: list[str]) -> dict[str, str]:
    if len(row) < len(names) or any(cell.strip() for cell in row[len(names) :]):
        raise BadInput(f"{path}, message {number} has more or fewer cells than columns. Check its quotes.")
    return dict(zip(names, row, strict=False))


def _message(path: Path, number: int, row: dict[str, str]) -> Message:
    cells = {name: row.get(name, "").replace("\r\n", "\n").replace("\r", "\n") for name in (*COLUMNS, *OPTIONAL)}
    for name in COLUMNS:
        if name != "language" and not cells[name].strip():
            raise BadInput(f"{path}, message {number}: the column {name!r} is empty. Fill it in.")
        if len(cells[name]) > limits.LETTERS:
            raise BadInput(f"{path}, message {number}: the {name} has more than {limits.LETTERS:,} characters.")
    cells["message_id"] = cells["message_id"].strip()
    if cells["message_id"] in ("n/a", PRACTICE):
        raise BadInput(f"{path}, message {number}: the id {cells['message_id']!r} is reserved. Choose another.")
    if not MESSAGE_ID.fullmatch(cells["message_id"]):
        raise BadInput(
            f"{path}, message {number}: message_id may have at most 32 letters (A to Z), digits, '.', '_' and '-'. "
            "Write a short name such as m01."
        )
    cells["source"] = cells["source"].strip().casefold()
    if not is_source(cells["source"]):
        raise BadInput(f"{path}, message {number}: source must be {', '.join(SOURCES)} or empty (close). Correct it.")
    more = tuple((name, cell) for name, cell in row.items() if name and name not in cells)
    return Message(**cells, more=more)
