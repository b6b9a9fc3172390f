"""Tab-separated tables as BIDS has them, read and written whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiment.errors import BadInput
from experiment.storage.atomic_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    Answers = Mapping[str, str | float | None]
    Columns = Mapping[str, dict[str, str]]
    Rows = dict[str, dict[str, str]]

MISSING = "n/a"


def tsv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Tab-separated values as BIDS has them: `n/a` for None, quotes round a cell that needs them and no other."""
    return "".join("\t".join(map(_field, row)) + "\n" for row in (columns, *rows))


def _field(cell: object) -> str:
    text = MISSING if cell is None else str(cell)
    # Quoted here, since Python's csv module leaves a lone carriage return bare in some of its versions.
    return '"' + text.replace('"', '""') + '"' if any(one in text for one in '\t"\n\r') else text


def json_text(content: dict[str, Any]) -> str:
    """A dictionary as people and validators read it."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def read_rows(path: Path, key: str) -> Rows:
    """The rows of a TSV file as texts, by their cell in the column `key`; none if there is no file.

    Raises BadInput if the file is no such table, as after an accident in a spreadsheet program.
    """
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: expected tab-separated UTF-8, found {error}. Save it as such again.") from error
    for number, row in enumerate(rows, start=1):
        if key not in row or None in row or None in row.values():
            raise BadInput(f"{path}, row {number}: expected {key!r} and a cell for each column. Correct the file.")
    return {row[key]: row for row in rows}


def write_rows(path: Path, rows: Sequence[Mapping[str, str]], *, first: Iterable[str]) -> None:
    """A TSV file with the columns `first` and all that any row has besides; `n/a` where a row has none."""
    columns = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    write_whole(path, tsv(columns, ([row.get(name) for name in columns] for row in rows)))


def write_new(path: Path, text: str) -> None:
    """The file with this text, unless there is one: people may have changed it."""
    if not path.exists():
        write_whole(path, text)
