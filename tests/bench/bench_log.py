"""What an event costs the frame loop, while the disk takes 200 ms to sync.

A robot's sessions in a real window on a virtual display. In their process `os.fsync` sleeps before it syncs, and every
`Writer.append` and `Writer.settle` is timed: `append` hands an event on, `settle` waits before a new frame until what
was told outlives the process. The first event is left out: it makes the file, before anything is on the screen.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.reporting import ROOT, display, environment, median, percentile, print_table
from tests.lab import short_protocol

SESSIONS = 2
GOAL_US = 50
TIMED = """
import atexit, json, os, time
from experiment import __main__
from experiment.record import transcript
sync, took = os.fsync, {"append": [], "settle": [], "fsync": []}

def slow(descriptor):
    time.sleep(0.2)
    sync(descriptor)

def timed(name, function):
    def call(*arguments):
        start = time.perf_counter()
        result = function(*arguments)
        took[name].append((time.perf_counter() - start) * 1e6)
        return result
    return call

os.fsync = timed("fsync", slow)
Writer = transcript.Writer
Writer.append, Writer.settle = timed("append", Writer.append), timed("settle", Writer.settle)
atexit.register(lambda: print(json.dumps(took)))
__main__.main()
"""


def main() -> None:
    """Hold the sessions and print what each call took."""
    took: dict[str, list[float]] = {"append": [], "settle": [], "fsync": []}
    with tempfile.TemporaryDirectory() as folder, display() as name:
        protocol = short_protocol(Path(folder, "protocol.toml"), {})
        for _ in range(SESSIONS):
            for call, times_us in _session(protocol, Path(folder, "data"), name).items():
                took[call] += times_us[1:]
    goals = {"append": f"{GOAL_US}", "settle": "", "fsync": ""}
    print_table(
        f"what an event costs the frame loop, with a disk that takes 200 ms to sync: {SESSIONS} sessions",
        ("", "calls", "median us", "p99 us", "max us", "goal p99 us"),
        [(call, f"{len(times_us)}", *_figures(times_us), goals[call]) for call, times_us in took.items()],
    )


def _session(protocol: Path, data: Path, display: str) -> dict[str, list[float]]:
    """Microseconds of each call of a robot's session."""
    options = ("pilot", "--robot", "--protocol", protocol, "--data", data)
    command = [sys.executable, "-c", TIMED, *map(str, options)]
    env = environment() | {"DISPLAY": display}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    (told,) = (line for line in done.stdout.splitlines() if line.startswith("{"))  # PsychoPy has its say, too
    took: dict[str, list[float]] = json.loads(told)
    return took


def _figures(times_us: list[float]) -> tuple[str, str, str]:
    return f"{median(times_us):.0f}", f"{percentile(times_us, 99):.0f}", f"{max(times_us):.0f}"


if __name__ == "__main__":
    main()
