"""What a look at the whole study costs: `study status` and the coordinator's page, the start of Python included.

By number of participants, half of whom are through the whole study, the others somewhere in it; and the page of a
synthetic study of 80 with all its sessions and reports, which are judged anew. `python -m tests.bench.bench_status
[PARTICIPANTS ...]`, by default 500 and 5000.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from experiment.study import events
from tests.bench.reporting import ROOT, environment, median, print_table
from tests.registers import DAY, begun, consented, dosed, held, story, write_register

REPEATS = 5
HEADER = ("participants", "entries", "status, s", "with --due", "overview, s")
FULL = 80
TODAY = datetime.now(timezone.utc).date()


def one_life(number: int) -> list[events.Entry]:
    """A participant's entries: all of both courses, or as far as they have come by today."""
    subject, kits = f"DF{number:05}", (f"{number}A", f"{number}B")
    days_ago = 19 + number % 60 if number % 2 else number % 25
    first = TODAY - timedelta(days=days_ago)
    told = [(first, events.Enrolled(subject, "north", number, kits)), consented(subject, first)]
    for course, day in ((1, first), (2, first + 14 * DAY)):
        told.append((day, events.CourseStarted(subject, course, day.isoformat(), kits[course - 1])))  # type: ignore[arg-type]
        told += [dosed(day + n * DAY, subject) for n in range(1, 4)]
        told.append(held(course, day + 3 * DAY, subject=subject))
    return story(*(one for one in told if one[0] <= TODAY))[1:]


def register(folder: Path, participants: int) -> int:
    """A register of so many participants; the number of its entries."""
    lives = (entry for number in range(1, participants + 1) for entry in one_life(number))
    entries = [begun(), *sorted(lives, key=lambda entry: entry.utc)]
    write_register(folder, entries)
    return len(entries)


def measured_s(data: Path, *options: str) -> float:
    """The median of some runs of the command."""
    command = [sys.executable, "-m", "experiment", "study", *options, "--data", str(data)]
    took_s = []
    for _ in range(REPEATS):
        start_s = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True)
        took_s.append(time.perf_counter() - start_s)
    return median(took_s)


def main(counts: list[int]) -> None:
    """Prints a row for each number of participants."""
    rows = []
    with tempfile.TemporaryDirectory() as root:
        for participants in counts:
            folder = Path(root) / str(participants) / "study"
            entries = register(folder, participants)
            took = (measured_s(folder.parent, *one) for one in (("status",), ("status", "--due"), ("overview",)))
            rows.append((str(participants), str(entries), *(f"{one_s:.2f}" for one_s in took)))
        full = Path(root) / "full"
        options = ["--study", str(ROOT / "stimuli" / "study.toml"), "--subjects", str(FULL), "--out", str(full)]
        simulate = [sys.executable, "-m", "experiment", "simulate", *options]
        subprocess.run(simulate, cwd=ROOT, env=environment(), check=True, capture_output=True)
        print_table("the page, with all sessions judged", ("participants", "s"),
                    [(str(FULL), f"{measured_s(full, 'overview', '--pilot'):.2f}")])  # fmt: skip
    print_table("study status: at most 1 s for 5000 participants", HEADER, rows)


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or [500, 5000])
