"""How often `check` finds on a display without a screen that nothing holds flips back: always, on a busy computer too.

Each turn is the thorough measurement of a session's start, in one window on a virtual display; for the second row one
core is kept busy. A double of a real screen, whose flips return at its refresh with a jitter of half a millisecond and
miss one in ten, has to be recognised as often. (TURNS can be given as an argument.)
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from experiment.screens.refresh import BRIEF, THOROUGH, Pace, measure_refresh
from tests.bench.reporting import display, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TURNS = 100
PERIOD_S = 1 / 60
JITTER_S, MISSED = 0.0005, 0.1


class JitteryScreen:
    """A screen of 60 Hz on a busy computer."""

    full_screen = True
    handle: Any = None

    def flip(self) -> float:
        """At the next refresh, or at the one after it."""
        refreshes = int(time.perf_counter() / PERIOD_S) + 1 + (random.random() < MISSED)
        time.sleep(max(0.0, refreshes * PERIOD_S - time.perf_counter()))
        return refreshes * PERIOD_S + random.uniform(0, JITTER_S)


@contextmanager
def busy() -> Iterator[None]:
    """A program that keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def paces(turns: int) -> dict[str, list[Pace]]:
    """The measurements of each circumstance."""
    from experiment.screens.canvas import Canvas
    from experiment.task.layout import MINIMUM_SIZE_PX, Layout

    found: dict[str, list[Pace]] = {}
    with closing(Canvas(Layout(*MINIMUM_SIZE_PX), (0, 0, 0), full_screen=False)) as canvas:
        for name, circumstances, flips in (
            ("Xvfb", ExitStack, THOROUGH), ("Xvfb, one core busy", busy, THOROUGH), ("Xvfb, brief", busy, BRIEF),
        ):  # fmt: skip
            found[name] = _measure(circumstances, lambda flips=flips: measure_refresh(canvas, flips), turns)  # type: ignore[misc]
    few = max(1, turns // 4)  # each takes two seconds
    found["60 Hz with jitter"] = _measure(ExitStack, lambda: measure_refresh(JitteryScreen(), THOROUGH), few)
    return found


def _measure(circumstances: Callable[[], Any], measure: Callable[[], Pace], turns: int) -> list[Pace]:
    with circumstances():
        return [measure() for _ in range(turns)]


def main() -> None:
    """Measure, and print the table."""
    turns = int(sys.argv[1]) if sys.argv[1:] else TURNS
    with display():
        found = paces(turns)
    rows = [
        (
            name,
            f"{sum(pace.is_real for pace in several)} of {len(several)}",
            "all" if "60 Hz" in name else "0",
            f"{min(pace.correlation for pace in several):.2f} to {max(pace.correlation for pace in several):.2f}",
            f"{min(pace.off_beat for pace in several):.2f} to {max(pace.off_beat for pace in several):.2f}",
        )
        for name, several in found.items()
    ]
    print_table("vsync", ("", "said yes", "goal", "correlation", "off beat"), rows)


if __name__ == "__main__":
    main()
