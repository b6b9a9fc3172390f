"""Files as they were sent become tables: CSV and its kin in any usual encoding, XLSX, text files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from experiment.errors import BadInput
from experiment.messages.importing.encoding import decode_text
from experiment.messages.importing.exports import recognise_export
from experiment.messages.importing.headers import FIRST, header_at, is_name
from experiment.messages.importing.table import Mark, Numbered, Table, table
from experiment.messages.importing.xlsx import read_workbook
from experiment.record.finding import Finding
from experiment.storage import limits
from experiment.storage.read_file import read_file
from experiment.system.processes import Progress

DELIMITERS = (",", ";", "\t", "|")
TEXTS = frozenset({".txt", ".text", ".md"})
READ = frozenset({*TEXTS, ".csv", ".tsv", ".tab", ".xlsx", ".xlsm"})
AGAIN = "Open it in its own program and save it as .xlsx (without a password) or as 'CSV UTF-8'"
AS_TEXT = "Save each message as a text file (.txt, UTF-8)"
# What else people send, and what to do with it.
FORMATS = {
    ".xls": ("an old workbook", AGAIN), ".xlsb": ("a binary workbook", AGAIN), ".ods": ("an OpenDocument", AGAIN),
    ".numbers": ("a document of Numbers", AGAIN), ".sav": ("a data file of SPSS", AGAIN),
    ".doc": ("an old Word document", AS_TEXT), ".docx": ("a Word document", AS_TEXT),
    ".odt": ("an OpenDocument text", AS_TEXT), ".pages": ("a document of Pages", AS_TEXT), ".pdf": ("a PDF", AS_TEXT),
    ".rtf": ("a text with formats (RTF)", AS_TEXT), ".html": ("a web page", AS_TEXT), ".htm": ("a web page", AS_TEXT),
    ".eml": ("an e-mail", AS_TEXT), ".msg": ("an e-mail of Outlook", AS_TEXT),
    ".json": ("JSON", "Export it again as CSV or XLSX"), ".xml": ("XML", "Export it again as CSV or XLSX"),
    ".zip": ("an archive", "Unpack it, and name what is in it"),
}  # fmt: skip
BEGINNINGS = (
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), ("an old or locked document", AGAIN)),
    (re.compile(rb"%PDF"), FORMATS[".pdf"]),
    (re.compile(rb"\{\\rtf"), FORMATS[".rtf"]),
    (re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE), FORMATS[".html"]),
)
ZIP = b"PK\x03\x04"
TEXT_HEADER = ("subject", "relationship", "writer", "text")
NAME = re.compile(r"(?:sub-)?(?P<subject>[A-Za-z0-9]+)_(?P<relationship>[^_]+)_(?P<writer>.+)")
LARGEST_CELL = 2**31 - 1  # characters; Python's own limit is 131,072, and the error beyond it speaks of quotes


def read_tables(
    paths: Sequence[Path], encoding: str | None = None, sheet: str | None = None,
    progress: Progress = lambda _done, _all: None,
) -> list[Table]:  # fmt: skip
    """The tables of files, or of all files in folders; text files, a message each, make one table together.

    `encoding`: of files that do not say theirs. `sheet`: of a workbook with several. BadInput names what is no table.
    """
    tables, texts = list[Table](), list[tuple[Path, str]]()
    files, found = _files(paths)
    for done, path in enumerate(files, start=1):
        try:
            read = _read(path, encoding, sheet)
        except BadInput as error:
            if path in paths:
                raise
            found.append(Finding("", "error", str(error)))  # one of a folder; the others are read
        else:
            if isinstance(read, Table):
                tables.append(read)
            else:
                texts.append((path, read[0]))
                found += read[1]
        progress(done, len(files))
    tables += [_text_files(texts)] if texts else []
    if not tables:
        raise BadInput("\n".join(one.text for one in found))
    return [replace(tables[0], findings=(*found, *tables[0].findings)), *tables[1:]]


def _read(path: Path, encoding: str | None, sheet: str | None) -> Table | tuple[str, tuple[Finding, ...]]:
    """A file's table, or the text of a text file."""
    data = _bytes(path)
    if data.startswith(ZIP):
        return recognise_export(read_workbook(path.name, data, sheet))
    text, findings = decode_text(data, _shown(path), encoding)
    if path.suffix.casefold() in TEXTS and not _is_table(text):
        return text, findings
    return recognise_export(_separated(path.name, text, findings))


def _files(paths: Sequence[Path]) -> tuple[list[Path], list[Finding]]:
    """The files, in the order given, those of a folder by name; and what in folders is left out."""
    files, found = list[Path](), list[Finding]()
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        named = {one.name: one for one in path.iterdir() if not one.name.startswith((".", "~$"))}
        inside = [named[name] for name in sorted(named)]  # paths sort otherwise on Windows
        meant = [one for one in inside if one.is_file() and one.suffix.casefold() in READ]
        if not meant:
            raise BadInput(
                f"{path}: there are no tables (.csv, .tsv, .xlsx) or text files in this folder. Its subfolders are "
                "not searched: name them in the command."
            )
        files += meant
        found += [Finding("", "warning", _passed_over(one)) for one in inside if one not in meant]
    return files, found


def _shown(path: Path) -> str:
    """A file's name for a person, without the writer's name that a text file has in it."""
    named = NAME.fullmatch(path.stem)
    if not named or path.suffix.casefold() in READ - TEXTS:
        return path.name
    return f"{named['subject']}_{named['relationship']}_...{path.suffix}"


def _passed_over(path: Path) -> str:
    if path.is_dir():
        return f"{path.name}: left out, because it is a subfolder. Name it in the command if it contains messages."
    what, do = FORMATS.get(path.suffix.casefold(), ("neither a table nor a text file", ""))
    return f"{_shown(path)}: left out, it is {what}." + (f" {do}, if it contains messages." if do else "")


def _bytes(path: Path) -> bytes:
    """What is in a file; BadInput names its format if it is none that is read here."""
    try:
        data = read_file(path, limits.TABLE_BYTES)
    except OSError as error:
        raise BadInput(f"{path.with_name(_shown(path))} cannot be read: {error.strerror}. Check its name.") from error
    other = FORMATS.get(path.suffix.casefold()) or next((it for begin, it in BEGINNINGS if begin.match(data)), None)
    if other:
        what, do = other
        raise BadInput(f"{_shown(path)}: only CSV, TSV, XLSX and text files can be imported; this is {what}. {do}.")
    if not data.strip():
        raise BadInput(f"{_shown(path)}: the file is empty. Export it again.")
    return data


# Separated values


def _separated(name: str, text: str, findings: Sequence[Finding]) -> Table:
    if hint := re.match(r"sep=(.)\r?\n", text):  # Excel's own line
        return _as_table(name, _records(text[hint.end() :], hint[1], name, 2), findings)
    return _as_table(name, _records(text, _delimiter(text), name), findings)


def _delimiter(text: str) -> str:
    """The one by which the first rows have a header, else that which parts the first row into the most cells."""
    first = {
        one: [row[: limits.COLUMNS] for row in islice(filter(any, _reader(text, one)), FIRST)] for one in DELIMITERS
    }
    headed = [one for one in DELIMITERS if header_at(first[one]) is not None]
    return max(headed or DELIMITERS, key=lambda one: len(first[one][0]) if first[one] else 0)


def _reader(text: str, delimiter: str, *, strict: bool = False) -> Iterator[list[str]]:
    csv.field_size_limit(LARGEST_CELL)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)


def _records(text: str, delimiter: str, name: str, first: int = 1) -> list[Numbered]:
    """The rows that are not blank, each with its number; quoted cells may hold delimiters and line breaks."""
    number, records = first - 1, list[Numbered]()
    if "\0" in text:
        raise BadInput(f"{name}: U+0000 at character {text.index(chr(0)) + 1}, which is not text. Export it again.")
    try:
        for number, cells in enumerate(_reader(text, delimiter, strict=True), first):
            if len(cells) > limits.COLUMNS:
                raise BadInput(
                    f"{name}, row {number}: it has more than {limits.COLUMNS} columns. Export those you need."
                )
            if any(cells):
                records.append((number, cells))
    except csv.Error as error:
        why = f"{name}, row {number + 1}: quotes around a cell are not in pairs ({error})."
        raise BadInput(f"{why} Export the file again, with all texts in quotes.") from None
    return records


def _as_table(name: str, records: Sequence[Numbered], findings: Sequence[Finding]) -> Table:
    """The table; BadInput for a row with more than the header's columns: its text lost its quotes."""
    at = header_at([cells for _, cells in records]) or 0
    width = len(records[at][1]) if records else 0
    found, marks = list(findings), dict[tuple[int, int], Mark]()
    for number, cells in records[at:]:
        if any(cells[width:]):
            raise BadInput(
                f"{name}, row {number}: {len(cells)} instead of {width} cells. A text that "
                "contains the delimiter has no quotes. Export the file again, with all texts in quotes."
            )
        if len(cells) < width:
            text = f"{name}, row {number}: {len(cells)} instead of {width} cells. Check whether a text was split."
            found.append(Finding("", "warning", text))
            marks |= {(number, column): "missing" for column in range(len(cells), width)}
    return table(name, [*records[:at], *((number, cells[:width]) for number, cells in records[at:])], found, marks)


def _is_table(text: str) -> bool:
    """Whether a text file is a spreadsheet's 'Unicode text': short names between tabs, all rows as long."""
    names = text.split("\n", 1)[0].rstrip("\r").split("\t")
    if len(names) < 3 or not all(name and is_name(name) for name in names):
        return False
    try:
        records = _records(text, "\t", "")
    except BadInput:
        return False
    return len(records) > 1 and len({len(cells) for _, cells in records}) == 1


# Text files


def _text_files(texts: Sequence[tuple[Path, str]]) -> Table:
    """A message each; who wrote it to whom stands in the name, such as DF017_mother_Anna.txt, or is given."""
    named = ((NAME.fullmatch(path.stem), text) for path, text in texts)
    rows = [(*(found.groups() if found else ("", "", "")), text) for found, text in named]
    records = [(0, TEXT_HEADER), *enumerate(rows, start=1)]
    name = _shown(texts[0][0]) if len(texts) == 1 else texts[0][0].parent.name
    files = tuple(
        path.name if path.name.isprintable() and _shown(path) == path.name else f"{_shown(path)} (file {at})"
        for at, (path, _) in enumerate(texts, 1)
    )
    return replace(table(name, records), kind="text files", files=files)
