"""What takes signals: a serial or parallel port, a stream of the Lab Streaming Layer, or a file.

Each is used by one thread only. Whatever it raises means that it takes nothing at the moment; it is opened again for
the next signal.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from experiment.design.signals import Output
from experiment.signals.lsl import LslStream
from experiment.signals.serial_port import SerialLine

COLUMNS = ("utc", "code", "name")


class Device(Protocol):
    """A thing that takes signals."""

    def open(self) -> None:
        """Begin; EquipmentFailure says what hinders it and what to do."""

    def write(self, code: int, name: str, happened_s: float) -> None:
        """Take a signal, of something that happened at this reading of `time.perf_counter`."""

    def close(self) -> None:
        """Let go of it, also if it was not opened."""


class SignalLine(Device, Protocol):
    """A device that shows the code itself until it is reset, so that a signal means the moment at which it comes."""

    def reset(self) -> None:
        """Show nothing, which is 0."""


class SignalFile:
    """A file of tab-separated values: when an event was by the computer's clock (UTC), its code, what it is called."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> None:
        """It is made with its first row."""

    def write(self, code: int, name: str, happened_s: float) -> None:
        """Add a row."""
        utc = datetime.now(timezone.utc) - timedelta(seconds=time.perf_counter() - happened_s)
        with self._path.open("a", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, delimiter="\t", lineterminator="\n")
            if file.tell() == 0:
                rows.writerow(COLUMNS)
            rows.writerow((utc.isoformat(timespec="microseconds"), code, name))

    def close(self) -> None:
        """It is closed after each row."""


def make_device(output: Output, file: Path, parallel: Callable[[str], SignalLine]) -> Device | SignalLine:
    """What the protocol asks for, not yet opened; `file`: where a file is. `parallel` makes a parallel port."""
    match output.to:
        case "serial":
            return SerialLine(output.port or "", output.baud)
        case "parallel":
            return parallel(output.port or "")
        case "lsl":
            return LslStream(output.stream, output.machines)
        case "file":
            return SignalFile(file)
