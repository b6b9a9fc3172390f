"""Random interleavings of keys, clicks, focus changes, pauses, kills and restarts: logged equals injected, claims hold.

An interleaving is a sitting in a process of its own, which ends, or is killed; what is judged after each stands in
`tests/faults/interleavings.py`. Arguments: how many interleavings (10,000), a seed, and the task: messages, scan or
objects.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.bench.reporting import print_table
from tests.faults.harness import hurry
from tests.faults.interleavings import interleave
from tests.faults.tasks import TASKS

INTERLEAVINGS = 10_000


def main() -> int:
    """Try them, and print the table; 1 if anything was wrong."""
    wanted = int(sys.argv[1]) if sys.argv[1:] else INTERLEAVINGS
    seed = int(sys.argv[2]) if sys.argv[2:] else 1
    task = sys.argv[3] if sys.argv[3:] else TASKS[0]
    hurry()
    began_s, sittings, sessions, inputs, wrong = time.monotonic(), 0, 0, 0, list[str]()
    while sittings < wanted:
        with tempfile.TemporaryDirectory() as folder:
            more, given, found = interleave(Path(folder), seed + sessions, task)
        sittings, sessions, inputs, wrong = sittings + more, sessions + 1, inputs + given, wrong + found
        for what in found:
            print(f"seed {seed + sessions - 1}: {what}")
    rows = [(f"{sittings}", f"{sessions}", f"{inputs}", f"{len(wrong)}", f"{time.monotonic() - began_s:.0f}")]
    print_table(f"Interleavings, {task}", ("sittings", "sessions", "inputs", "wrong", "s"), rows)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
