"""The sheets of a workbook (XLSX) as tables.

It is read with openpyxl. Both usual readers were compared on cells written by hand. python-calamine loses what must
be named here (an error such as #NAME? comes as an empty cell, numbers lose their digits beyond 15) and cuts white
space; openpyxl keeps all that, and only leaves escapes such as `_x000D_` standing, which are undone here as ECMA-376
defines them (part 1, 22.9.2.19). Where a workbook has such letters as text they stay, to be named.
"""

from __future__ import annotations

import io
import re
import warnings
from datetime import date, datetime, time
from typing import Any
from zipfile import ZipFile

from experiment.errors import BadInput
from experiment.messages.tables import Numbered, Table, table

ESCAPED_ESCAPE, SHARED = b"_x005F_x", "/sharedStrings.xml"
ESCAPE = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
EXACT = 1e15  # Excel keeps 15 digits


def read_workbook(file: str, data: bytes, sheet: str | None) -> Table:
    """The sheet that is named, or the only one with anything in it."""
    values, formulas = _sheets(file, data, formulas=False), _sheets(file, data, formulas=True)
    filled = {name: rows for name, rows in values.items() if any(any(cells) for _, cells in rows)}
    if sheet is None and len(filled) != 1:
        listed = ", ".join(repr(name) for name in filled) or "none"
        raise BadInput(f"{file}: expected one sheet with content, found {listed}. Name it with --sheet.")
    chosen = sheet if sheet is not None else next(iter(filled))
    if chosen not in values:
        raise BadInput(f"{file}: expected --sheet as one of {', '.join(map(repr, values))}, found {chosen!r}.")
    # A formula that was never calculated has no value: then the formula itself stands here, to be named.
    rows = [
        (number, [cell or (other if other.startswith("=") else "") for cell, other in zip(cells, others, strict=True)])
        for (number, cells), (_, others) in zip(values[chosen], formulas[chosen], strict=True)
    ]
    return table(f"{file} [{chosen}]", rows)


def _sheets(file: str, data: bytes, *, formulas: bool) -> dict[str, list[Numbered]]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are not read here
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=not formulas)
            raw = _has_escaped_escapes(data)
            return {
                sheet.title: [
                    (row, [_cell(one, raw=raw) for one in cells]) for row, cells in enumerate(sheet.iter_rows(), 1)
                ]
                for sheet in book.worksheets
            }
    except Exception as error:  # noqa: BLE001 - a damaged workbook fails in every way there is
        kind = type(error).__name__
        raise BadInput(
            f"{file}: expected a workbook that Excel can open, found a damaged one or another document ({kind}). "
            "Save it again as .xlsx or as 'CSV UTF-8'."
        ) from None


def _has_escaped_escapes(data: bytes) -> bool:
    """Whether some text has the letters of an escape: of shared texts, openpyxl gives those and true escapes alike."""
    with ZipFile(io.BytesIO(data)) as parts:
        return any(ESCAPED_ESCAPE in parts.read(name) for name in parts.namelist() if name.endswith(SHARED))


def _cell(cell: Any, *, raw: bool) -> str:
    """A cell as the person saw it: whole numbers without a point, leading zeros of a format such as 00000."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value if raw else ESCAPE.sub(_unescaped, value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        value = int(value)
    if isinstance(value, int) and re.fullmatch("0+", cell.number_format or ""):
        return f"{value:0{len(cell.number_format)}}"
    if isinstance(value, datetime) and value.time() == time(0):
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _unescaped(match: re.Match[str]) -> str:
    """What UTF-16 units a workbook's escapes stand for; pairs of surrogates are one character."""
    units = b"".join(int(unit, 16).to_bytes(2, "little") for unit in re.findall(r"_x(\w{4})_", match[0]))
    return units.decode("utf-16-le", "surrogatepass")
