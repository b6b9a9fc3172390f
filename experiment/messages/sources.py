"""Files as they were sent become tables: CSV and its kin in any usual encoding, XLSX, text files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from experiment.errors import BadInput
from experiment.messages.decoding import decoded
from experiment.messages.exports import recognised
from experiment.messages.findings import Finding
from experiment.messages.tables import Numbered, Table, table
from experiment.messages.workbooks import read_workbook

DELIMITERS = (",", ";", "\t", "|")
ZIP, OLE, PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF"
TEXT_HEADER = ("subject", "relationship", "writer", "text")
NAME = re.compile(r"(?:sub-)?(?P<subject>[A-Za-z0-9]+)_(?P<relationship>[^_]+)_(?P<writer>.+)")
LONGEST_NAME = 60  # characters in a column's name; the first line of a text is often longer


def read_tables(paths: Sequence[Path], encoding: str | None = None, sheet: str | None = None) -> list[Table]:
    """The tables of files, or of all files in folders; text files, a message each, make one table together.

    `encoding`: of files that do not say theirs. `sheet`: of a workbook with several. BadInput names what is no table.
    """
    tables, texts = list[Table](), list[tuple[Path, str]]()
    found: list[Finding] = []
    for path in _files(paths):
        data = _bytes(path)
        if data.startswith(ZIP):
            tables.append(recognised(read_workbook(path.name, data, sheet)))
            continue
        text, findings = decoded(data, path.name, encoding)
        if path.suffix.casefold() in {".txt", ".text", ".md"} and not _is_table(text):
            texts.append((path, text))
            found += findings
        else:
            tables.append(recognised(_separated(path.name, text, findings)))
    return [*tables, *([_text_files(texts, found)] if texts else [])]


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The files, in the order given; those of a folder by name."""
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith((".", "~$")))
            if not inside:
                raise BadInput(f"{path}: expected files in this folder, found none.")
            yield from inside
        else:
            yield path


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}. Check its name.") from error
    if data.startswith((OLE, PDF)) or path.suffix.casefold() in {".xls", ".ods", ".doc", ".docx", ".pdf", ".numbers"}:
        raise BadInput(
            f"{path.name}: expected CSV, TSV, XLSX or text files, found an old or locked workbook or another document. "
            "Open it in its own program and save it as .xlsx (without a password) or as 'CSV UTF-8'."
        )
    if not data.strip():
        raise BadInput(f"{path.name}: the file is empty. Export it again.")
    return data


# Separated values


def _separated(name: str, text: str, findings: Sequence[Finding]) -> Table:
    """CSV, TSV and the like: the delimiter is the one that parts the header into the most names."""
    if hint := re.match(r"sep=(.)\r?\n", text):  # Excel's own line
        return _as_table(name, _records(text[hint.end() :], hint[1], name, 2), findings)
    header = text.lstrip("\r\n,;\t|")
    widths = {delimiter: len(next(_reader(header, delimiter), ())) for delimiter in DELIMITERS}
    return _as_table(name, _records(text, max(widths, key=lambda one: widths[one]), name), findings)


def _reader(text: str, delimiter: str, *, strict: bool = False) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)


def _records(text: str, delimiter: str, name: str, first: int = 1) -> list[Numbered]:
    """The rows that are not blank, each with its number; quoted cells may hold delimiters and line breaks."""
    number, records = first - 1, list[Numbered]()
    if "\0" in text:
        raise BadInput(f"{name}: U+0000 at character {text.index(chr(0)) + 1}, which no text has. Export it again.")
    try:
        for number, cells in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), first
        ):
            if any(cells):
                records.append((number, cells))
    except csv.Error as error:
        why = f"{name}, row {number + 1}: expected quotes in pairs around a cell, found: {error}."
        raise BadInput(f"{why} Export the file again, with all texts in quotes.") from None
    return records


def _as_table(name: str, records: Sequence[Numbered], findings: Sequence[Finding]) -> Table:
    """The table; BadInput for a row with more than the header's columns: its text lost its quotes."""
    width = len(records[0][1]) if records else 0
    found = list(findings)
    for number, cells in records:
        if any(cells[width:]):
            raise BadInput(
                f"{name}, row {number}: expected {width} cells as in the first row, found {len(cells)}. A text with "
                "the delimiter in it stands without quotes. Export the file again, with all texts in quotes."
            )
        if len(cells) < width:
            text = (
                f"{name}, row {number}: expected {width} cells, found {len(cells)}. See whether a text was cut in two."
            )
            found.append(Finding("warning", None, None, text))
    return table(name, [(number, cells[:width]) for number, cells in records], found)


def _is_table(text: str) -> bool:
    """Whether a text file is a spreadsheet's 'Unicode text': short names between tabs, all rows as long."""
    names = text.split("\n", 1)[0].rstrip("\r").split("\t")
    if len(names) < 3 or not all(0 < len(name) <= LONGEST_NAME for name in names):
        return False
    try:
        records = _records(text, "\t", "")
    except BadInput:
        return False
    return len(records) > 1 and len({len(cells) for _, cells in records}) == 1


# Text files


def _text_files(texts: Sequence[tuple[Path, str]], findings: Sequence[Finding]) -> Table:
    """A message each; who wrote it to whom stands in the name, such as DF017_mother_Anna.txt, or is given."""
    rows = []
    for path, text in texts:
        named = NAME.fullmatch(path.stem)
        rows.append((named["subject"], named["relationship"], named["writer"], text) if named else ("", "", "", text))
    records = [(0, TEXT_HEADER), *enumerate(rows, start=1)]
    name = texts[0][0].name if len(texts) == 1 else texts[0][0].parent.name
    return replace(table(name, records, findings, "text files"), titles=("",) * len(TEXT_HEADER))
