"""Peak resident memory of a whole session against the same window of PsychoPy with nothing in it.

The session is the real command `pilot --robot` with all six messages, at short times; its peak is VmHWM, which the
kernel keeps, read again and again until the process ends, for it and apart for the short-lived process that draws the
pictures. The empty window is a process that imports psychopy.visual, opens a window of the same size and flips it for a
second. In software GL the graphics memory is part of the process; on a graphics card it is not. Xvfb is in neither.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.bench.reporting import HEIGHT_PX, ROOT, WIDTH_PX, display, environment, median, print_table, ratio
from tests.lab import short_protocol

TURNS = 3
LOOK_EVERY_S = 0.01
SETS = ("english", "scripts")
EMPTY_WINDOW = f"""
import time
from psychopy import visual
window = visual.Window(({WIDTH_PX}, {HEIGHT_PX}), checkTiming=False)
for _ in range(60):
    window.flip()
    time.sleep(1 / 60)
"""

Peaks = dict[str, float]
"""MB by process: the one that was started, and the child that took most."""


def main() -> None:
    """Hold the sessions in turn with empty windows, and print the peaks."""
    turns: dict[str, list[Peaks]] = {name: [] for name in ("empty", *SETS)}
    with display(), tempfile.TemporaryDirectory() as folder:
        protocol = short_protocol(Path(folder) / "protocol.toml", {})
        for _ in range(TURNS):
            turns["empty"].append(peaks(["-c", EMPTY_WINDOW]))
            for name in SETS:
                turns[name].append(peaks(session(name, protocol)))
    empty = [turn["main"] for turn in turns["empty"]]
    rows = [("window with nothing in it", f"{median(empty):.0f}", "1", "", "")]
    for name in SETS:
        used, child = ([turn[process] for turn in turns[name]] for process in ("main", "child"))
        cells = (f"{median(used):.0f}", f"{ratio(used, empty):.2f}", "1.2", f"{median(child):.0f}")
        rows.append((f"session, {name} messages", *cells))
    print_table(
        f"peak resident memory, median of {TURNS}", ("", "MB", "ratio", "goal", "the pictures' process MB"), rows
    )


def session(name: str, protocol: Path) -> list[str]:
    """The command that holds a session with one of the example sets."""
    messages = ROOT / "stimuli" / "examples" / f"{name}.csv"
    options = {"--protocol": protocol, "--messages": messages, "--data": protocol.parent / "data"}
    return ["-m", "experiment", "pilot", "--robot", *(str(part) for pair in options.items() for part in pair)]


def peaks(arguments: list[str]) -> Peaks:
    """Run Python and watch it and its children until they end."""
    found: Peaks = {"main": 0.0, "child": 0.0}
    started = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL)
    while started.poll() is None:
        found["main"] = max(found["main"], peak_mb(started.pid))
        for child in children(started.pid):
            found["child"] = max(found["child"], peak_mb(child))
        time.sleep(LOOK_EVERY_S)
    if started.returncode:
        raise RuntimeError(f"expected {' '.join(arguments)} to end with status 0, found {started.returncode}")
    return found


def children(pid: int) -> list[int]:
    """The processes that a process has started to draw for it, and that still run."""
    found = list[int]()
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            found += [int(child) for child in thread.read_text(encoding="ascii").split() if draws(int(child))]
    return found


def draws(pid: int) -> bool:
    """Whether this is the process of the pictures: not the tracker of such processes, nor a copy not yet under way."""
    return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()


def peak_mb(pid: int) -> float:
    """VmHWM in MB; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")), 0.0)


if __name__ == "__main__":
    main()
