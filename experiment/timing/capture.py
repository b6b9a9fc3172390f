"""The file of a device with a light sensor on the square: its lines, and when each was on.

Read are the captures of a Black Box ToolKit (v2 and v3, "digital stimulus capture") as the device itself sends them,
and in the two tables that the free program bbtk-capture makes of them (github.com/chrplr/bbtkv3, events.go, from where
the layout is known); and any CSV file with the columns time (with its unit, such as `time_ms`), line and value.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from experiment.errors import BadInput
from experiment.storage.read_file import read_file

BBTK_LINES = (
    "Keypad4", "Keypad3", "Keypad2", "Keypad1", "Opto4", "Opto3", "Opto2", "Opto1", "TTLin2", "TTLin1", "Mic2", "Mic1",
    "ActClose4", "ActClose3", "ActClose2", "ActClose1", "TTLout2", "TTLout1", "Sounder2", "Sounder1",
)  # fmt: skip
BBTK_ROW_LENGTH = len(BBTK_LINES) + 12  # a bit for each line, then microseconds
# A backlight that flickers, or a contact that bounces, is one stay (the device's own smoothing takes 20 ms too).
BOUNCE_S = 0.02
UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
ON, OFF = ("1", "on", "up", "rising", "rise", "high"), ("0", "off", "down", "falling", "fall", "low")
_TIME = re.compile(r"time(?:stamp)?[ _\[(]*(s|ms|us|µs)[\])]?", re.IGNORECASE)
FORMATS = (
    "The file must be a capture of a Black Box ToolKit (lines of 32 digits between SDAT and EDAT, or a table with the "
    "columns "
    "Type, Onset, Duration, or timestamp and a column for each line), or a CSV file with the columns time (with its "
    "unit: time_s, time_ms or time_us), line and value (1 or 0, rising or falling)."
)


class OnPeriod(Struct, frozen=True):
    """From when until when a line was on, in seconds of the device's clock; None if it was on to the end."""

    on_s: float
    off_s: float | None


class Capture(Struct, frozen=True):
    """A device's file: what it is, and each line's stays in the order of time."""

    kind: str
    lines: dict[str, tuple[OnPeriod, ...]]


def read_capture(path: Path) -> Capture:
    """The capture in a file; BadInput says what was expected, and where the file differs."""
    try:
        text = read_file(path).decode("utf-8-sig", "replace")
    except OSError as error:
        raise BadInput(f"The device's file {path} cannot be read: {error.strerror}. Check --read.") from error
    try:
        kind, changes = _changes(text)
    except (ValueError, KeyError) as error:
        raise BadInput(f"{path}: {error}. {FORMATS}") from error
    lines = {line: _stays(path, line, of) for line, of in changes.items() if any(on for _, on in of)}
    if not lines:
        raise BadInput(f"{path}: no line ever switched on. Check the sensor and its threshold, then capture again.")
    return Capture(kind, lines)


Changes = dict[str, list[tuple[float, bool]]]
"""By line: when it changed, and whether it was on then."""


def _changes(text: str) -> tuple[str, Changes]:
    if "SDAT" in text:
        return "Black Box ToolKit, raw capture", _raw(text)
    rows = _table(text)
    header = {name.strip().casefold(): name for name in rows[0]} if rows else {}
    if {"type", "onset", "duration"} <= set(header):
        return "Black Box ToolKit, events", _events(rows, header)
    if "timestamp" in header and any(line.casefold() in header for line in BBTK_LINES):
        times = [float(row[header["timestamp"]]) / 1e3 for row in rows]
        return "Black Box ToolKit, line changes", _columns(times, rows, [n for n in rows[0] if n in BBTK_LINES])
    return "CSV file", _edges(rows, header)


def _table(text: str) -> list[dict[str, str]]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = list(csv.DictReader(text.lstrip().splitlines(), delimiter=delimiter))
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            raise ValueError(f"row {number}: the number of cells differs from the number of columns")
    return rows


def _raw(text: str) -> Changes:
    """What the device sends: `SDAT;`, some numbers, then a row for each change of any line, `EDAT;`."""
    rows = [row for part in text.split(";") if len(row := part.strip()) == BBTK_ROW_LENGTH and row.isdigit()]
    times = [int(row[len(BBTK_LINES) :]) / 1e6 for row in rows]
    return _columns(times, [dict(zip(BBTK_LINES, row, strict=False)) for row in rows], BBTK_LINES)


def _columns(times_s: Sequence[float], rows: Sequence[Mapping[str, str]], lines: Iterable[str]) -> Changes:
    return {
        line: [(time_s, row[line].strip() == "1") for time_s, row in zip(times_s, rows, strict=True)] for line in lines
    }


def _events(rows: Sequence[Mapping[str, str]], header: Mapping[str, str]) -> Changes:
    changes: Changes = {}
    for row in rows:
        on_s, length_s = (float(row[header[name]]) / 1e3 for name in ("onset", "duration"))
        changes.setdefault(row[header["type"]].strip(), []).extend([(on_s, True), (on_s + length_s, False)])
    return changes


def _edges(rows: Sequence[Mapping[str, str]], header: Mapping[str, str]) -> Changes:
    units = {name: found[1].lower() for name in header if (found := _TIME.fullmatch(name))}
    line = next((name for name in ("line", "channel", "sensor") if name in header), None)
    value = next((name for name in ("value", "edge", "state") if name in header), None)
    if len(units) != 1 or line is None or value is None:
        raise ValueError(f"unknown columns ({', '.join(header.values()) or 'none'})")
    ((time_name, unit),) = units.items()
    changes: Changes = {}
    for number, row in enumerate(rows, start=1):
        state = row[header[value]].strip().casefold()
        if state not in (*ON, *OFF):
            raise ValueError(f"row {number}: unknown value {state!r}")
        time_s = float(row[header[time_name]]) * UNITS_S[unit]
        changes.setdefault(row[header[line]].strip(), []).append((time_s, state in ON))
    return changes


def _stays(path: Path, line: str, changes: Sequence[tuple[float, bool]]) -> tuple[OnPeriod, ...]:
    """The line's stays, those a short gap apart as one."""
    for (earlier_s, _), (later_s, _) in pairwise(changes):
        if later_s < earlier_s:
            raise BadInput(
                f"{path}: times are not in order: {1e3 * later_s:.2f} ms comes after {1e3 * earlier_s:.2f} ms on "
                f"{line}. The capture was damaged in transfer. Read it from the device again."
            )
    stays: list[OnPeriod] = []
    for time_s, on in changes:
        last = stays[-1] if stays else None
        if on and last is not None and last.off_s is not None and time_s - last.off_s < BOUNCE_S:
            stays[-1] = OnPeriod(last.on_s, None)
        elif on and (last is None or last.off_s is not None):
            stays.append(OnPeriod(time_s, None))
        elif not on and last is not None and last.off_s is None:
            stays[-1] = OnPeriod(last.on_s, time_s)
    return tuple(stays)
