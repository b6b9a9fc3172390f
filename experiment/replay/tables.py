"""The files that follow from a transcript, held against those on disk: cell by cell, with every difference named."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec

import msgspec

from experiment.record.dataset import visit_row
from experiment.record.events import Ended, Started
from experiment.record.finding import Finding, discrepancy, quote
from experiment.replay.recorded import changes
from experiment.storage.decoder import decoder
from experiment.storage.read_file import read_file

REMAKE = "`dayfour table DATA --remake` makes it again"
Trials = frozenset[int | None]
Table = list[list[str]]
Args = ParamSpec("Args")


def _on_text(
    compare: Callable[Concatenate[str, str, Args], Iterator[Finding]],
) -> Callable[Concatenate[Path, Args], Iterator[Finding]]:
    """What comes of comparing a file's text, given with its name; if it cannot be, why."""

    @wraps(compare)
    def compared(path: Path, /, *args: Args.args, **named: Args.kwargs) -> Iterator[Finding]:
        name = path.name
        try:
            yield from compare(name, read_file(path).decode(), *args, **named)
        except FileNotFoundError:
            yield discrepancy(name, "file", "expected beside the transcript", f"missing: {REMAKE}")
        except (OSError, UnicodeDecodeError) as error:
            yield discrepancy(name, "file", "expected UTF-8", f"found {error}")
        except csv.Error as error:
            yield discrepancy(name, "table", "expected tab-separated cells", f"found {error}")
        except msgspec.DecodeError as error:
            yield discrepancy(name, "file", "expected JSON", f"found {error}")

    return compared


@_on_text
def table_findings(
    name: str, found: str, expected: str, at_start: str | None, ended: Ended | None, unsure: Trials
) -> Iterator[Finding]:
    """A table on disk against what it should be, but for trials in which an answer is unknown.

    A session whose process died has the table of its start: that is one finding, and none if nothing was rated.
    """
    if found != expected and ended is None and found == at_start:
        yield discrepancy(name, "table", "log goes on until the program died", f"table is that of the start: {REMAKE}")
    elif found != expected:
        yield from _cells(name, _table(expected), _table(found), unsure)


@_on_text
def sidecar_findings(name: str, found: str, expected: str) -> Iterator[Finding]:
    """A table's data dictionary against that of the session in the transcript."""
    for field, has, says in changes(decoder(json.loads)(found), json.loads(expected)):
        yield discrepancy(name, field, f"log says {quote(says)}", f"file says {quote(has)}")


@_on_text
def row_findings(name: str, found: str, started: Started, ended: Ended | None, last_line: int) -> Iterator[Finding]:
    """The session's row of the sessions file against the beginning and the end of the transcript."""
    row = visit_row(started, ended)
    visit = row["session_id"]
    header, *rows = _table(found) or [[]]
    own = [dict(zip(header, cells, strict=False)) for cells in rows if visit in cells]
    own = [cells for cells in own if cells.get("session_id") == visit]
    if len(own) != 1:
        yield discrepancy(name, visit, "expected one row", f"found {len(own)}")
    for cells in own:
        if ended is None and cells.get("status") != row["status"]:
            yield discrepancy(f"after line {last_line}", "ended", f"{name} says {cells.get('status')}", "lost")
        for column, says in row.items():
            if (has := cells.get(column)) != says:
                yield discrepancy(f"{name} {visit}", column, f"log says {quote(says)}", f"file says {quote(has)}")


def _table(text: str) -> Table:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))


def _cells(name: str, expected: Table, found: Table, unsure: Trials) -> Iterator[Finding]:
    """Which cells differ; if none does, which bytes of the file."""
    header = found[0] if found else []
    if header != expected[0]:
        yield from _columns(name, expected[0], header)
    elif len(found) != len(expected):
        yield from _rows(name, expected, found)
    elif found != expected and sorted(found) == sorted(expected):
        yield from _moved(name, expected, found)
    else:
        differing = list(_differing(name, expected, found, unsure))
        yield from differing
        if not differing and not unsure:
            # Quotes, line ends, a byte order mark: no value changed, but somebody's program wrote the file.
            yield discrepancy(name, "bytes", "log gives the same cells in other bytes", "table was saved anew")


def _columns(name: str, expected: list[str], found: list[str]) -> Iterator[Finding]:
    """The first column that is not in its place, and those that are lost or too much."""
    pairs = zip([*expected, ""], [*found, ""], strict=False)
    number, (says, has) = next(pair for pair in enumerate(pairs, start=1) if pair[1][0] != pair[1][1])
    yield discrepancy(f"{name} header", f"column {number}", f"log says {quote(says)}", f"table says {quote(has)}")
    for column in set(expected) ^ set(found):
        of_log, of_table = ("no such", "it") if column in found else ("this", "none")
        yield discrepancy(f"{name} header", column, f"log has {of_log} column", f"table has {of_table}")


def _rows(name: str, expected: Table, found: Table) -> Iterator[Finding]:
    """Rows that only one of both has; in the order of the table."""
    yield discrepancy(name, "rows", f"log says {len(expected) - 1}", f"table says {len(found) - 1}")
    for number, row in enumerate(found[1:], start=1):
        if row not in expected:
            yield discrepancy(f"{name} row {number}", "row", "log has no such row", f"table says {quote(row)}")
    for number, row in enumerate(expected[1:], start=1):
        if row not in found:
            yield discrepancy(name, "row", f"log says as row {number} {quote(row)}", "table has no such row")


def _moved(name: str, expected: Table, found: Table) -> Iterator[Finding]:
    for number, row in enumerate(found[1:], start=1):
        if row != expected[number]:
            yield discrepancy(f"{name} row {number}", "place", f"log says row {expected.index(row)}", "table says here")


def _differing(name: str, expected: Table, found: Table, unsure: Trials) -> Iterator[Finding]:
    for number, (says, has) in enumerate(zip(expected[1:], found[1:], strict=True), start=1):
        if len(has) != len(says):
            yield discrepancy(f"{name} row {number}", "cells", f"log says {len(says)}", f"table says {len(has)}")
        elif number not in unsure:
            for column, one, other in zip(expected[0], says, has, strict=True):
                if one != other:
                    yield discrepancy(f"{name} row {number}", column, f"log says {one}", f"table says {other}")
