"""Files of messages as people send them, and what taking them in would write."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from experiment.messages.importing import merge
from experiment.messages.importing import run as importing
from experiment.messages.importing.columns import guess
from experiment.messages.importing.files import read_tables
from experiment.messages.importing.table import Table
from experiment.messages.store import Folder

HEADER = ("subject", "writer", "relationship", "text")
LONG = "Sekret words of love, and some more of them, so that it is a text."
ROWS = (
    HEADER,
    ("DF1", "Mamá 💐", "mother", 'One "quoted", with; all\tthere | is\n\n  indented ❤️ '),
    ("DF1", "Zoë", "friend", "Zwei: größer, „schöner“ – und ça va"),
    ("DF2", "אמא", "mother", "שלום 🙂"),
)


def saved(folder: Path, name: str, data: str | bytes) -> Path:
    """A file with these bytes."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def separated(rows: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\r\n") -> str:
    """Rows as a program exports them."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


def workbook(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """A workbook with these sheets."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def only(path: Path, encoding: str | None = None, sheet: str | None = None) -> Table:
    """The table of a file."""
    (read,) = read_tables([path], encoding, sheet)
    return read


def guessed_names(read: Table) -> dict[str, str]:
    """The names of the columns that are obvious, by field."""
    return {field: column.name for field, column in guess(read).items()}


def taken(paths: Sequence[Path], folder: Path, **options: object) -> merge.ImportPlan:
    """What taking files in would write."""
    return importing.plan(paths, Folder(folder), "en", **options)  # type: ignore[arg-type]


def texts(plan: merge.ImportPlan) -> dict[str, list[str]]:
    """The texts of each participant."""
    return {one.subject: [message.text for message in one.messages] for one in plan.subjects}
