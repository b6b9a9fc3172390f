"""The sheets of a workbook (XLSX) as tables.

It is read with openpyxl, row by row, so that a sheet takes no more memory than its texts. Both usual readers were
compared on cells written by hand. python-calamine loses what must be named here (an error such as #NAME? comes as an
empty cell, numbers lose their digits beyond 15) and cuts white space; openpyxl keeps all that, and only leaves escapes
such as `_x000D_` standing, which are undone here as ECMA-376 defines them (part 1, 22.9.2.19). Where a workbook has
such letters as text they stay, to be named.
"""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import groupby
from typing import Any
from xml.parsers import expat
from zipfile import ZipFile

from msgspec import Struct

from experiment.errors import BadInput
from experiment.messages.importing.table import Mark, Numbered, Table, table
from experiment.record.finding import Finding
from experiment.storage import limits

ESCAPED_ESCAPE, SHARED = b"_x005F_x", "/sharedStrings.xml"
ESCAPE = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
EXACT = 1e15  # Excel keeps 15 digits
AS_IT_IS = re.compile("General|@|#|0+")  # formats of whole numbers whose visible form is known here
OF_CELLS = frozenset({"c", "v", "f", "is", "t", "r"})
MOST_TAGS = {"row": limits.ROWS, "cell": limits.CELL_TAGS, "other": limits.OTHER_TAGS}
TOLD = 5  # stretches of hidden rows or columns that are listed


class Sheet(Struct, frozen=True):
    """A sheet's rows as text, and the cells that are not what a person sees.

    `is_hidden`: the sheet itself. `hidden`: what of it is hidden or filtered out, in words, or "".
    """

    rows: list[Numbered]
    marks: dict[tuple[int, int], Mark]
    is_hidden: bool
    hidden: str


def read_workbook(file: str, data: bytes, sheet: str | None) -> Table:
    """The sheet that is named, or the only one with anything in it; what of it nobody saw who looked at it is told."""
    sheets = _sheets(file, data)
    filled = [name for name, one in sheets.items() if any(any(cells) for _, cells in one.rows)]
    if sheet is None and len(filled) != 1:
        listed = ", ".join(f"{name!r}{' (hidden)' * sheets[name].is_hidden}" for name in filled) or "none"
        raise BadInput(f"{file}: several sheets have content ({listed}). Choose one with --sheet.")
    chosen = sheet if sheet is not None else filled[0]
    if chosen not in sheets:
        raise BadInput(
            f"{file}: there is no sheet {chosen!r}. Choose one of {', '.join(map(repr, sheets))} with --sheet."
        )
    name, one = f"{file} [{chosen}]", sheets[chosen]
    hidden = "; ".join(filter(None, ("the sheet is hidden" * one.is_hidden, one.hidden)))
    text = f"{name}: {hidden}. It was imported too. Check whether that is right."
    return table(name, one.rows, [Finding("", "warning", text)] if hidden else [], one.marks)


def _sheets(file: str, data: bytes) -> dict[str, Sheet]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are not read here
            layouts, raw = _layouts(file, data)
            values = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            formulas = load_workbook(io.BytesIO(data), read_only=True)
            return {
                one.title: _sheet(file, one, formulas[one.title], layouts[one._worksheet_path], raw=raw)  # noqa: SLF001 - nothing else leads to its XML
                for one in values.worksheets
            }
    except BadInput:
        raise
    except OverflowError:
        raise _too_large(file) from None
    except Exception as error:  # noqa: BLE001 - a damaged workbook fails in every way there is
        kind = type(error).__name__
        raise BadInput(
            f"{file}: not a workbook that Excel can open; it is damaged or another document ({kind}). "
            "Save it again as .xlsx or as 'CSV UTF-8'."
        ) from None


def _layouts(file: str, data: bytes) -> tuple[dict[str, _Layout], bool]:
    """The layout of each part; and whether some text has the letters of an escape: of shared texts, openpyxl gives
    those and true escapes alike.

    BadInput for a workbook that would take too much when it is read; no more than it says comes out of a part.
    """  # noqa: D205
    with ZipFile(io.BytesIO(data)) as parts:
        read = [part for part in parts.infolist() if part.filename.endswith((".xml", ".rels"))]
        if len(read) > limits.PARTS or sum(part.file_size for part in read) > limits.UNPACKED_BYTES:
            raise _too_large(file)
        raw = any(ESCAPED_ESCAPE in parts.read(part) for part in read if part.filename.endswith(SHARED))
        return {part.filename: _Layout(parts.read(part)) for part in read}, raw


def _too_large(file: str) -> BadInput:
    return BadInput(
        f"{file}: the workbook is too large to be opened safely. Copy the sheet with the messages into a new workbook, "
        "without empty rows and formats, or save it as 'CSV UTF-8'."
    )


def _sheet(file: str, values: Any, formulas: Any, layout: _Layout, *, raw: bool) -> Sheet:
    """All rows, whatever size the workbook says the sheet has: some programs write a wrong one."""
    values.reset_dimensions()
    formulas.reset_dimensions()
    rows, marks, count = list[Numbered](), dict[tuple[int, int], Mark](), 0
    for number, (cells, uncalculated) in enumerate(zip(values.iter_rows(), formulas.iter_rows(), strict=True), start=1):
        count += len(cells) + 1
        if count > limits.CELLS or sum(cell.value is not None for cell in cells[limits.COLUMNS :]):
            raise _too_large(file)
        seen = [_seen(cell.value, cell.number_format or "", raw=raw) for cell in cells]
        marks |= {(number, at): "number format" for at, cell in enumerate(cells) if _is_shown_otherwise(cell)}
        for at, cell in enumerate(uncalculated):
            if cells[at].value is None and (formula := _formula(cell, raw=raw)):
                seen[at], marks[number, at] = formula, "formula"
        rows.append((number, seen))
    marks |= dict.fromkeys(layout.merged(rows), "merged")
    for place in layout.hidden_cells(rows):
        marks.setdefault(place, "hidden")  # what else a cell is says more
    return Sheet(rows, marks, values.sheet_state != "visible", layout.hidden(rows))


def _formula(cell: Any, *, raw: bool) -> str:
    """A formula that was never calculated has no value: then it stands itself, to be named; "" for any other cell."""
    formula = _seen(getattr(cell.value, "text", cell.value), "", raw=raw)  # `text`: of an array's
    return formula if formula.startswith("=") else ""


class _Layout:
    """What a sheet's XML says of its areas: merged, hidden, filtered out; OverflowError if it says too much."""

    def __init__(self, xml: bytes) -> None:
        self._areas, self._rows, self._columns = list[tuple[int, ...]](), set[int](), list[tuple[int, int]]()
        self._count, self._row, self._cells = Counter[str](), 0, 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._begin
        parser.Parse(xml, True)  # noqa: FBT003 - it takes no keyword

    def _begin(self, name: str, has: dict[str, str]) -> None:
        tag, is_hidden = name.rpartition(" ")[2], has.get("hidden") in {"1", "true"}
        kind = tag if tag == "row" else "cell" if tag in OF_CELLS else "other"
        self._count[kind] += 1
        if self._count[kind] > MOST_TAGS[kind]:
            raise OverflowError(kind)
        if tag == "row":
            self._row = int(has.get("r", self._row + 1))
            self._cells = 0
            if self._row > limits.ROWS:
                raise OverflowError(kind)
            if is_hidden:
                self._rows.add(self._row)
        elif tag == "c":
            self._cells += 1
            if self._cells > limits.COLUMNS_OF_EXCEL:
                raise OverflowError(kind)
        elif tag == "col" and is_hidden:
            self._columns.append((int(has["min"]), int(has["max"])))
        elif tag == "mergeCell":
            from openpyxl.utils import range_boundaries

            self._areas.append(tuple(side or 1 for side in range_boundaries(has["ref"])))

    def merged(self, rows: list[Numbered]) -> Iterator[tuple[int, int]]:
        """The merged cells among those that there are, however far an area reaches; no two areas may overlap."""
        if sum(min(bottom, len(rows)) - top + 1 for _, top, _, bottom in self._areas) > limits.CELLS:
            raise OverflowError("areas")
        for left, top, right, bottom in self._areas:
            for number, cells in rows[top - 1 : bottom]:
                yield from ((number, at) for at in range(left - 1, min(right, len(cells))))

    def hidden_cells(self, rows: list[Numbered]) -> Iterator[tuple[int, int]]:
        """The cells of hidden rows."""
        return ((number, at) for number, cells in rows if number in self._rows for at in range(len(cells)))

    def hidden(self, rows: list[Numbered]) -> str:
        """The rows with anything in them that nobody sees in the sheet, and such columns, in words; "" without any."""
        filled = [number for number, cells in rows if number in self._rows and any(cells)]
        width = max((len(cells) for _, cells in rows), default=0)
        flags = bytearray(width + 1)
        for first, last in self._columns:
            flags[first : last + 1] = bytes([1]) * len(flags[first : last + 1])
        columns = [at for at in range(1, width + 1) if flags[at] and any(any(cells[at - 1 : at]) for _, cells in rows)]
        told = [("rows", filled), ("columns", columns)]
        return "; ".join(f"{what} that are hidden or filtered out: {_stretches(of)}" for what, of in told if of)


def _stretches(numbers: list[int]) -> str:
    """Numbers in words: 3, 5 to 9."""
    found = [[number for _, number in group] for _, group in groupby(enumerate(numbers), lambda one: one[1] - one[0])]
    listed = [f"{one[0]} to {one[-1]}" if len(one) > 1 else f"{one[0]}" for one in found[:TOLD]]
    return ", ".join(listed) + (" ..." if len(found) > TOLD else "")


def _is_shown_otherwise(cell: Any) -> bool:
    """Whether a number has a format such as "DF"000 or 00-000: what a person sees is not what the cell holds."""
    is_number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    return is_number and not AS_IT_IS.fullmatch(cell.number_format or "General")


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
