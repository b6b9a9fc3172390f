"""How many sessions are verified a second: `python -m tests.bench.bench_verify [SUBJECTS]`, each with two sessions."""

from __future__ import annotations

import sys
import time
from os import cpu_count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.record.dataset import DataSet
from experiment.replay.verify import verify, verify_all
from experiment.session import plan as plans
from experiment.session import run as sessions

STIMULI = Path(__file__).resolve().parents[2] / "stimuli"


def simulate(root: Path, subjects: int, file: Path = STIMULI / "protocol.toml") -> None:
    """A mixed data set."""
    data, protocol = DataSet(root), read_protocol(file)
    messages = read_messages(STIMULI / "examples" / "english.csv")
    data.prepare()
    for number in range(1, subjects + 1):
        for session in (1, 2):
            plan = plans.plan_session(
                "simulate", protocol, messages, data, subject=f"sim{number:05}", session=session, seed=1,
                operator="bench", participant=sessions.some_habit(1, number),
            )  # fmt: skip
            sessions.run_simulated(plan)


def main() -> None:
    """Simulate, verify all with every core three times, and some one by one."""
    subjects = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with TemporaryDirectory() as folder:
        root = Path(folder)
        simulate(root, subjects)
        took_s = []
        for _ in range(3):
            began_s = time.perf_counter()
            verified = verify_all(root, pilot=True)
            took_s.append(time.perf_counter() - began_s)
        wanting = sum(one.is_wanting for one in verified)
        rate_hz = len(verified) / median(took_s)
        print(f"{len(verified)} sessions, {cpu_count()} cores: {median(took_s):.1f} s (of {min(took_s):.1f} to")
        print(f"{max(took_s):.1f}), {rate_hz:.0f} sessions a second; {wanting} with problems")
        alone_s = []
        for one in verified[:100]:
            began_s = time.perf_counter()
            verify(one.transcript, pilot=True)
            alone_s.append(time.perf_counter() - began_s)
        print(f"one session in one process: median {1000 * median(alone_s):.1f} ms")


if __name__ == "__main__":
    main()
