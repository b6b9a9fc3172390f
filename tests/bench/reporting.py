"""What the benchmarks share: a display of their own, an environment as a person has it, and plain tables of numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
WIDTH_PX, HEIGHT_PX = 1280, 720


@contextmanager
def display() -> Iterator[str]:
    """A virtual display of its own for as long as the context lasts; its name, which also stands in DISPLAY."""
    from pyvirtualdisplay.display import Display

    with Display(visible=False, size=(WIDTH_PX, HEIGHT_PX), color_depth=24, extra_args=["-noreset"]) as server:
        yield str(server.new_display_var)


def environment() -> dict[str, str]:
    """For a child process: the project importable, and compiled modules kept, as on a laboratory's computer."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT)}


def median(values: Sequence[float]) -> float:
    """The median."""
    return float(np.median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` percent of the values lie below."""
    return float(np.percentile(values, share))


def ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """The median ratio of values that were measured in turn."""
    return median([value / other for value, other in zip(values, others, strict=True)])


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table, and how busy the computer was: the first column on the left, numbers on the right."""
    cells = [header, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    print(f"\n{title} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
    for row in cells:
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print("  ".join((row[0].ljust(widths[0]), *rest)).rstrip())
