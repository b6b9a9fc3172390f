"""Tab-separated tables as BIDS has them, read and written whole."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiment.errors import BadInput, EquipmentFailure
from experiment.storage.atomic_file import write_whole
from experiment.storage.limits import FILE_BYTES
from experiment.storage.read_file import read_file

MISSING = "n/a"
FORMULA_SIGNS = ("=", "+", "-", "@")
NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")
Rows = dict[str, dict[str, str]]


def tsv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Tab-separated values as BIDS has them: `n/a` for None, quotes round a cell that needs them and no other."""
    return "".join("\t".join(map(_field, row)) + "\n" for row in (columns, *rows))


def _field(cell: object) -> str:
    text = MISSING if cell is None else str(cell)
    # Quoted here, since Python's csv module leaves a lone carriage return bare in some of its versions.
    return '"' + text.replace('"', '""') + '"' if any(one in text for one in '\t"\n\r') else text


def for_spreadsheet(cell: object) -> object:
    """The cell of a table that people open in a spreadsheet program: a text that it would take for a formula is quoted.

    Never for a data set's own tables, which are data: what was typed stays as it is there, and a program reads it.
    Source: OWASP, CSV injection.
    """
    return f"'{cell}" if isinstance(cell, str) and looks_like_formula(cell) else cell


def from_spreadsheet(cell: str) -> str:
    """What was written, before `for_spreadsheet`."""
    return cell[1:] if cell[:1] == "'" and looks_like_formula(cell[1:]) else cell


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet program would compute it; a number with its sign is none."""
    return text.startswith(FORMULA_SIGNS) and not NUMBER.fullmatch(text)


def json_text(content: dict[str, Any]) -> str:
    """A dictionary as people and validators read it."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def read_table(path: Path, key: str) -> tuple[tuple[str, ...], Rows]:
    """A TSV file whole: its columns in order, and its rows by their cell in the key's column, all cells as texts.

    No rows if there is no file. Raises BadInput with file, line and what to do where it could not be written again
    without losing something: a row or a column that is there twice, too few or too many cells, a cell below no heading.
    """
    columns, rows = read_keyed(path, (key,))
    return columns, {row[key]: row for row in rows}


def read_records(path: Path, *keys: str) -> list[dict[str, str]]:
    """The rows of a table in which several columns together name a row; the same is refused."""
    return read_keyed(path, keys)[1]


def read_keyed(path: Path, keys: tuple[str, ...]) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """The same with the columns, in their order."""
    if not path.exists():
        return keys, []
    csv.field_size_limit(FILE_BYTES)  # what was written must be readable, and 131,072 characters are Python's own limit
    try:
        reader = csv.reader(io.StringIO(read_file(path).decode("utf-8-sig"), newline=""), delimiter="\t", strict=True)
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"{path} is not tab-separated UTF-8 ({error}). Save it again as text with tabs, in UTF-8."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    columns = _columns(path, keys, lines)
    rows: list[dict[str, str]] = []
    seen: dict[tuple[str, ...], int] = {}
    for number, cells in lines[1:]:
        row = _row(path, number, columns, cells)
        named = {key: row[key].strip() for key in keys}
        if empty := next((key for key, name in named.items() if not name), None):
            raise BadInput(f"{path}, line {number}: the column {empty!r} is empty. Complete or delete the line.")
        if (name := tuple(named.values())) in seen:
            text = " ".join(name)
            raise BadInput(f"{path}, line {number}: {text} is already in line {seen[name]}. Delete one.")
        rows.append(row | named)
        seen[name] = number
    return columns, rows


def _columns(path: Path, keys: tuple[str, ...], lines: Sequence[tuple[int, list[str]]]) -> tuple[str, ...]:
    """The headings; empty ones at the end, as spreadsheets leave them, are none."""
    if not lines:
        return keys
    number, columns = lines[0]
    while columns and not columns[-1].strip():
        columns = columns[:-1]
    twice = next((name for at, name in enumerate(columns) if name in columns[:at]), None)
    if twice is not None:
        raise BadInput(f"{path}, line {number}: the column {twice!r} is there twice. Rename or delete one of the two.")
    if missing := next((key for key in keys if key not in columns), None):
        raise BadInput(f"{path}, line {number}: the column {missing!r} is missing. Correct the first line.")
    return tuple(columns)


def _row(path: Path, number: int, columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    beyond = any(cell.strip() for cell in cells[len(columns) :])
    if len(cells) < len(columns) or beyond:
        raise BadInput(f"{path}, line {number}: {len(cells)} cells in {len(columns)} columns. Correct the line.")
    return dict(zip(columns, cells, strict=False))


def read_rows(path: Path, key: str) -> Rows:
    """The rows of a table alone."""
    return read_table(path, key)[1]


def write_rows(path: Path, rows: Sequence[Mapping[str, str]], *, first: Iterable[str]) -> None:
    """A TSV file with the columns `first` and all that any row has besides; `n/a` where a row has none."""
    columns = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    write_whole(path, tsv(columns, ([row.get(name) for name in columns] for row in rows)))


def read_dictionary(path: Path) -> dict[str, Any]:
    """The data dictionary that people may edit beside a table; empty if there is none.

    Raises BadInput with file and line if it is no JSON object, or if it describes a column twice.
    """
    if not path.exists():
        return {}
    try:
        content = json.loads(read_file(path).decode("utf-8-sig"), object_pairs_hook=partial(_object, path))
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}, column {error.colno}"
        raise BadInput(f"{where}: this is not valid JSON ({error.msg}). Correct it, or restore a copy.") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON in UTF-8. Correct it, or restore a copy.") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not isinstance(content, dict):
        raise BadInput(f"{path}: a data dictionary begins with {{ and ends with }}. Correct it, or restore a copy.")
    return content


def _unreadable(path: Path, error: OSError) -> BadInput | EquipmentFailure:
    """What to do about a file that cannot be read, or about what is there instead of one."""
    if not path.is_file():
        return BadInput(f"{path} is not a file. Move it away and restore a copy.")
    return EquipmentFailure(f"{path} cannot be read: {error.strerror}. Close it in other programs.")


def _object(path: Path, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise BadInput(f"{path}: {twice!r} is described twice. Delete one of the two.")
    return dict(pairs)


def describe_columns(path: Path, columns: Mapping[str, Mapping[str, Any]]) -> None:
    """Add to the data dictionary at `path` what these columns mean; what is already written there stays."""
    older = read_dictionary(path)
    described = {name: _described(meaning, older.get(name)) for name, meaning in columns.items()}
    write_whole(path, json_text(described | {name: older[name] for name in older if name not in columns}))


def _described(meaning: Mapping[str, Any], older: Any) -> Any:
    """A column's description: as it is there already, with levels that are new or were told by themselves alone."""
    if not isinstance(older, dict):
        return dict(meaning) if older is None else older
    both = {**meaning, **older}
    if isinstance(meaning.get("Levels"), dict) and isinstance(older.get("Levels"), dict):
        told = {name: text for name, text in older["Levels"].items() if name not in meaning["Levels"] or text != name}
        both["Levels"] = meaning["Levels"] | told
    return both


def write_new(path: Path, text: str) -> None:
    """The file with this text, unless there is one: people may have changed it."""
    if not path.exists():
        write_whole(path, text)
