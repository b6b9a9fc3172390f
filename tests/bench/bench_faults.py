"""A session in which the n-th call to the disk fails, for every n: no confirmed answer lost untold, no false claim.

Kinds of failing: no room, a device's error, no right, and a call that hangs; once, or for ever from the n-th call on.
What is tried and judged stands in `tests/faults/harness.py`. Arguments: try every STEP-th position only (1), and the
seconds for which a call hangs (0.3; the program's patience is shortened to 0.1 s as well), and the task: messages, scan
or objects.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench.reporting import print_table
from tests.faults.harness import FOR_EVER, ONCE, Campaign, Fault, preloaded
from tests.faults.tasks import TASKS

STEP, HANG_S = 1, 0.3
KINDS = {"no room": errno.ENOSPC, "device error": errno.EIO, "no right": errno.EACCES}


def main() -> int:
    """Try all, and print the table; 1 if anything was wrong anywhere."""
    if "LD_PRELOAD" not in os.environ:
        return preloaded("tests.bench.bench_faults", *sys.argv[1:], task=sys.argv[3] if sys.argv[3:] else TASKS[0])
    step = int(sys.argv[1]) if sys.argv[1:] else STEP
    hang_ms = int(1000 * (float(sys.argv[2]) if sys.argv[2:] else HANG_S))
    kinds = {f"{name}, {often}": (number, calls, 0) for name, number in KINDS.items()
             for often, calls in (("once", ONCE), ("for ever", FOR_EVER))}  # fmt: skip
    kinds["hangs once"] = (0, ONCE, hang_ms)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder))
        whole = campaign.tries(Fault(0))
        assert whole.wrong == (), whole
        rows = []
        for kind, (error, calls, hang) in kinds.items():
            began_s, struck, found = time.monotonic(), Counter[str](), 0
            for position in range(1, whole.told.count + 1, step):
                fault = Fault(position, error, calls, hang)
                outcome = campaign.tries(fault, "close" if position % 2 else "resume")
                struck[outcome.told.struck] += 1
                found += bool(outcome.wrong)
                for what in outcome.wrong:
                    print(f"{kind} at call {position} ({outcome.told.struck}): {what}", flush=True)
            wrong += found
            tried = sum(struck[call] for call in struck if call)
            print(f"{kind}: {tried} positions, {found} wrong", flush=True)  # it takes a while
            rows.append((kind, f"{tried}", f"{len(struck)}", f"{found}", f"{time.monotonic() - began_s:.0f}"))
        print_table(
            f"A session ({os.environ['FAULTS_TASK']}) of {whole.told.count} calls to the disk",
            ("the n-th call", "positions", "kinds of calls", "wrong", "s"),
            rows,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
