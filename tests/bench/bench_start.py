"""How long a person waits: for `dayfour --help`, and from `dayfour pilot --robot` to the first screen.

Each program is started in turn with what it is compared to, from a warm disk, and the ratios of each turn are taken.
`--help` runs as `python -m experiment --help` against `python -c "import typer, rich"`. The pilot is the real command
in a process that prints the time of its first flip (the notice that asks for a moment) and of its first `show` (the
welcome page, after which the session's clock runs), and then ends; against it stands a script that imports
psychopy.visual, opens a window of the same size and flips once. Wall time counts from before the process is made,
CPU time is that of the program's main thread: it says what the wall time would be on a computer with nothing else to
do, since the pictures are drawn meanwhile in another process. `./dayfour` itself is not in it (bench_launcher.py), nor
is the start of a display.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import experiment.__main__ as program  # at the top, as the pictures' process imports it too
from tests.bench.reporting import HEIGHT_PX, ROOT, WIDTH_PX, display, environment, median, print_table, ratio

REPEATS = 11
BARE_HELP = ["-c", "import typer, rich"]
BARE_WINDOW = f"""
from psychopy import visual
visual.Window(({WIDTH_PX}, {HEIGHT_PX}), checkTiming=False).flip()
import os, time
print("window", time.monotonic(), time.thread_time(), flush=True)
os._exit(0)
"""

Times = dict[str, tuple[float, float]]
"""By milestone: seconds since the start of the process, CPU seconds of its main thread."""


def main() -> None:
    """Measure both and print the tables."""
    helps, bare = [], []
    for turn in range(REPEATS + 1):
        both = duration_s(BARE_HELP), duration_s(["-m", "experiment", "--help"])
        if turn:  # the first one warms the disk
            bare.append(both[0])
            helps.append(both[1])
    print_table(
        f"--help, {REPEATS} turns",
        ("", "wall ms", "ratio", "goal"),
        (("import typer, rich", f"{median(bare) * 1e3:.0f}", "1", ""),
         ("dayfour --help", f"{median(helps) * 1e3:.0f}", f"{ratio(helps, bare):.2f}", "1.5")),
    )  # fmt: skip
    with display(), tempfile.TemporaryDirectory() as folder:
        turns = [measured(["-c", BARE_WINDOW]) | measured(pilot(folder)) for _ in range(REPEATS + 1)][1:]
    print_table(
        f"pilot --robot, {REPEATS} turns",
        ("", "wall ms", "ratio", "CPU ms", "ratio", "goal"),
        [row("window", "psychopy.visual and a window", turns, ""), row("notice", "first screen (notice)", turns, "1.2"),
         row("welcome", "welcome page", turns, "")],
    )  # fmt: skip


def row(milestone: str, name: str, turns: list[Times], goal: str) -> tuple[str, ...]:
    """A line of the table: wall and CPU time with their ratios to the bare window's."""
    cells = []
    for kind in (0, 1):
        values, bare = ([turn[which][kind] for turn in turns] for which in (milestone, "window"))
        cells += [f"{median(values) * 1e3:.0f}", f"{ratio(values, bare):.2f}"]
    return (name, *cells, goal)


def duration_s(arguments: list[str]) -> float:
    """Wall time of one run of Python."""
    start_s = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=ROOT, env=environment())
    return time.perf_counter() - start_s


def measured(arguments: list[str]) -> Times:
    """What a run of Python printed: its milestones."""
    start_s = time.monotonic()
    command = [sys.executable, *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment()).stdout
    lines = (line.split() for line in printed.splitlines())
    return {name: (float(at_s) - start_s, float(cpu_s)) for name, at_s, cpu_s in lines}


def pilot(folder: str) -> list[str]:
    """This module as the pilot's program."""
    return ["-m", "tests.bench.bench_start", "pilot", "--robot", "--data", folder]


def watched() -> None:
    """The real command line, with its first flip and its first frame reported."""
    from experiment.screens.canvas import Canvas
    from experiment.screens.window import Window

    report(Canvas, "flip", "notice")
    report(Window, "show", "welcome")
    program.main()


def report(owner: Any, verb: str, milestone: str) -> None:
    """Let the first call of a method print when it was over; the process ends after the welcome page."""
    usual = getattr(owner, verb)

    def reporting(*arguments: Any) -> Any:
        answer = usual(*arguments)
        print(milestone, time.monotonic(), time.thread_time(), flush=True)
        setattr(owner, verb, usual)
        if milestone == "welcome":
            os._exit(0)
        return answer

    setattr(owner, verb, reporting)


if __name__ == "__main__":
    watched() if sys.argv[1:] else main()
