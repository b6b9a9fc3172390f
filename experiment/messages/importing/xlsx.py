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

from msgspec import Struct

from experiment.errors import BadInput
from experiment.messages.importing.table import Mark, Numbered, Table, table

ESCAPED_ESCAPE, SHARED = b"_x005F_x", "/sharedStrings.xml"
ESCAPE = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
EXACT = 1e15  # Excel keeps 15 digits
AS_IT_IS = re.compile("General|@|#|0+")  # formats of whole numbers whose visible form is known here


class Sheet(Struct, frozen=True):
    """A sheet's rows as text, and the cells that are not what a person sees."""

    rows: list[Numbered]
    marks: dict[tuple[int, int], Mark]


def read_workbook(file: str, data: bytes, sheet: str | None) -> Table:
    """The sheet that is named, or the only one with anything in it."""
    sheets = _sheets(file, data)
    filled = {name: one for name, one in sheets.items() if any(any(cells) for _, cells in one.rows)}
    if sheet is None and len(filled) != 1:
        listed = ", ".join(repr(name) for name in filled) or "none"
        raise BadInput(f"{file}: expected one sheet with content, found {listed}. Name it with --sheet.")
    chosen = sheet if sheet is not None else next(iter(filled))
    if chosen not in sheets:
        raise BadInput(f"{file}: expected --sheet as one of {', '.join(map(repr, sheets))}, found {chosen!r}.")
    return table(f"{file} [{chosen}]", sheets[chosen].rows, marks=sheets[chosen].marks)


def _sheets(file: str, data: bytes) -> dict[str, Sheet]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are not read here
            values = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            formulas = load_workbook(io.BytesIO(data))
            raw = _has_escaped_escapes(data)
            return {sheet.title: _sheet(sheet, formulas[sheet.title], raw=raw) for sheet in values.worksheets}
    except Exception as error:  # noqa: BLE001 - a damaged workbook fails in every way there is
        kind = type(error).__name__
        raise BadInput(
            f"{file}: expected a workbook that Excel can open, found a damaged one or another document ({kind}). "
            "Save it again as .xlsx or as 'CSV UTF-8'."
        ) from None


def _sheet(values: Any, formulas: Any, *, raw: bool) -> Sheet:
    """All rows, whatever size the workbook says the sheet has: some programs write a wrong one."""
    values.reset_dimensions()
    rows, marks = list[Numbered](), dict[tuple[int, int], Mark]()
    for number, cells in enumerate(values.iter_rows(), start=1):
        rows.append((number, [_text(cell, formulas, raw=raw) for cell in cells]))
        marks |= {(number, at): "number format" for at, cell in enumerate(cells) if _is_shown_otherwise(cell)}
    for merged in formulas.merged_cells.ranges:
        marks |= {(row, column - 1): "merged" for row, column in merged.cells}
    return Sheet(rows, marks)


def _text(cell: Any, formulas: Any, *, raw: bool) -> str:
    """A cell as text. A formula that was never calculated has no value: then it stands itself, to be named."""
    if cell.value is not None or not hasattr(cell, "row"):
        return _seen(cell.value, cell.number_format or "", raw=raw)
    value = formulas.cell(cell.row, cell.column).value
    formula = _seen(getattr(value, "text", value), "", raw=raw)  # `text`: of an array's
    return formula if formula.startswith("=") else ""


def _is_shown_otherwise(cell: Any) -> bool:
    """Whether a number has a format such as "DF"000 or 00-000: what a person sees is not what the cell holds."""
    is_number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    return is_number and not AS_IT_IS.fullmatch(cell.number_format or "General")


def _has_escaped_escapes(data: bytes) -> bool:
    """Whether some text has the letters of an escape: of shared texts, openpyxl gives those and true escapes alike."""
    with ZipFile(io.BytesIO(data)) as parts:
        return any(ESCAPED_ESCAPE in parts.read(name) for name in parts.namelist() if name.endswith(SHARED))


def _seen(value: Any, number_format: str, *, raw: bool) -> str:
    """A cell as the person saw it: whole numbers without a point, leading zeros of a format such as 00000."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if raw else ESCAPE.sub(_unescaped, value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        value = int(value)
    if isinstance(value, int) and re.fullmatch("0+", number_format):
        return f"{value:0{len(number_format)}}"
    if isinstance(value, datetime) and value.time() == time(0):
        value = value.date()
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _unescaped(match: re.Match[str]) -> str:
    """What UTF-16 units a workbook's escapes stand for; pairs of surrogates are one character."""
    units = b"".join(int(unit, 16).to_bytes(2, "little") for unit in re.findall(r"_x(\w{4})_", match[0]))
    return units.decode("utf-16-le", "surrogatepass")
