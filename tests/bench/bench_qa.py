"""What the quality assurance costs: wall time, memory of all its processes, and the page's size, by number of sessions.

Every tenth transcript is cut off. `python -m tests.bench.bench_qa [SESSIONS ...]`, by default 100 and 1000.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from tests.bench.reporting import ROOT, environment, print_table

HEADER = ("sessions", "s", "ms a session", "MB", "page MB")
QA = """
import sys, pathlib
from experiment.qa.report import build_report
build_report(pathlib.Path(sys.argv[1]), pilot=True)
"""
POLL_S = 0.02


def simulated(sessions: int, root: Path) -> Path:
    """A simulated data set with every tenth session cut off."""
    out = root / str(sessions)
    command = [sys.executable, "-m", "experiment", "simulate", "--subjects", str(sessions // 2), "--out", str(out)]
    subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True)
    for path in sorted(out.rglob("*_transcript.jsonl"))[::10]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return out


def peak_mb(process: psutil.Process, done: threading.Event) -> float:
    """The most memory that a process and its children had together (proportional shares, where the system tells)."""
    most = 0
    while not done.is_set():
        try:
            most = max(most, sum(_memory(one) for one in (process, *process.children(recursive=True))))
        except psutil.NoSuchProcess:
            continue
        time.sleep(POLL_S)
    return most / 1e6


def _memory(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0
    return int(getattr(full, "pss", 0) or full.rss)


def measured(folder: Path) -> tuple[float, float]:
    """Wall time and peak memory of one run, the start of Python included."""
    done, peaks = threading.Event(), []
    start_s = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", QA, str(folder)], cwd=ROOT, env=environment())
    watcher = threading.Thread(target=lambda: peaks.append(peak_mb(psutil.Process(process.pid), done)))
    watcher.start()
    status = process.wait()
    duration_s = time.perf_counter() - start_s
    done.set()
    watcher.join()
    if status:
        raise SystemExit(status)
    return duration_s, peaks[0]


def main(counts: list[int]) -> None:
    """Prints a row for each number of sessions."""
    rows = []
    with tempfile.TemporaryDirectory() as root:
        for sessions in counts:
            folder = simulated(sessions, Path(root))
            duration_s, mb = measured(folder)
            page_mb = (folder / "derivatives" / "qa" / "qa.html").stat().st_size / 1e6
            cells = (duration_s, 1000 * duration_s / sessions, mb, page_mb)
            rows.append((str(sessions), *(f"{cell:.1f}" for cell in cells)))
    print_table("qa: at most 30 s and 500 MB for 1000 sessions", HEADER, rows)


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or [100, 1000])
