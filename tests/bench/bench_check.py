"""How long an assistant waits for `check`, without the wait for a key: at most 8 s.

Each turn is a process of its own on a virtual display, from its making to its end. There no screen holds flips back,
so the 170 flips of a 60 Hz screen (2.9 s, less what they took here) come on top: the last line adds them in full.
Beside it: everything that needs no window, and that again for a user without real-time rights, whose keys
ioHub times (its start takes three seconds).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from experiment.screens.refresh import THOROUGH, WARM_FLIPS
from tests.bench.reporting import ROOT, display, environment, median, print_table

REPEATS = 5
GOAL_S = 8.0
COMMAND = "import typer; from experiment.cli.check import check; typer.run(check)"
WITHOUT_WINDOW = (
    "import sys; from pathlib import Path; from experiment.preflight import computer; "
    "computer.items(Path(sys.argv[1]), Path.cwd())"
)
HUMBLE = ("setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice")


def main() -> None:
    """Measure, and print the table."""
    with display(), tempfile.TemporaryDirectory() as folder:
        programs = {
            "without a window": (sys.executable, "-c", WITHOUT_WINDOW, folder),
            "... without real-time rights": (*HUMBLE, sys.executable, "-c", WITHOUT_WINDOW, folder),
            "check --no-press": (sys.executable, "-c", COMMAND, "--no-press", "--data", folder),
        }
        times_s = {
            name: [duration_s(command) for _ in range(REPEATS + 1)][1:]  # the first one warms the disk
            for name, command in programs.items()
        }
    flips_s = (WARM_FLIPS + sum(THOROUGH) + 2) / 60
    times_s["... on a 60 Hz screen, at most"] = [time_s + flips_s for time_s in times_s["check --no-press"]]
    rows = [(name, f"{median(times):.2f}", f"{max(times):.2f}", f"{GOAL_S:g}") for name, times in times_s.items()]
    print_table(f"check, {REPEATS} turns", ("", "median s", "largest s", "goal"), rows)


def duration_s(command: tuple[str, ...]) -> float:
    """Wall time of one run; whether it finds the computer fit does not matter here."""
    start_s = time.perf_counter()
    subprocess.run(command, check=False, capture_output=True, cwd=ROOT, env=environment())
    return time.perf_counter() - start_s


if __name__ == "__main__":
    main()
