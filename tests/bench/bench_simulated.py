"""How many whole simulated sessions a second one core runs.

Each is a session of six messages and a practice as `dayfour simulate` runs it: planned, held on the simulated screen
by a steady participant, every event written, synced between trials, read back, its tables and their dictionaries saved
in a BIDS data set on the temporary disk. One core alone is used. The start of Python is not in it.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.record.dataset import DataSet
from experiment.session import plan as plans
from experiment.session import run as sessions
from tests.bench.reporting import ROOT, median, percentile, print_table

SESSIONS, WARM_UP = 200, 10


def main() -> None:
    """Simulate and print the rate."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        wall_s, cpu_s = simulated(Path(folder))
        transcripts = list(Path(folder).rglob("*_transcript.jsonl"))
        kilobytes = sum(path.stat().st_size for path in transcripts) / len(transcripts) / 1000
    print_table(
        f"simulated sessions on one core: {SESSIONS}, transcripts of {kilobytes:.0f} kB",
        ("", "a second", "median ms", "p99 ms", "goal a second"),
        (("wall time", f"{SESSIONS / sum(wall_s):.0f}", *_ms(wall_s), "20"),
         ("CPU time", f"{SESSIONS / sum(cpu_s):.0f}", *_ms(cpu_s), "")),
    )  # fmt: skip


def simulated(folder: Path) -> tuple[list[float], list[float]]:
    """Wall and CPU seconds of each session."""
    protocol = read_protocol(ROOT / "stimuli" / "protocol.toml")
    messages = read_messages(ROOT / "stimuli" / "examples" / "english.csv")
    data = DataSet(folder)
    data.prepare()
    wall_s, cpu_s = [], []
    for number in range(WARM_UP + SESSIONS):
        start_s, used_s = time.perf_counter(), time.process_time()
        plan = plans.plan_session(
            "simulate", protocol, messages, data, subject=f"sim{number:05}", session=1, seed=number,
            operator="bench", participant="steady",
        )  # fmt: skip
        sessions.run_simulated(plan)
        wall_s.append(time.perf_counter() - start_s)
        cpu_s.append(time.process_time() - used_s)
    return wall_s[WARM_UP:], cpu_s[WARM_UP:]


def _ms(values_s: list[float]) -> tuple[str, str]:
    return f"{median(values_s) * 1e3:.1f}", f"{percentile(values_s, 99) * 1e3:.1f}"


if __name__ == "__main__":
    main()
