"""Whether verification sees a single change: `python -m tests.bench.bench_corruption [CHANGES]`.

Twenty simulated sessions, and four each in a scanner and with objects. One random byte or line of a random transcript
or table is changed, lost, added, moved or doubled; the session is verified; the file is put back. A change that leaves
the bytes as they were does not count.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.record.dataset import DataSet
from experiment.replay.verify import verify
from experiment.session.plan import plan_session
from experiment.session.run import run_simulated
from tests.bench.bench_verify import STIMULI, simulate
from tests.bench.reporting import print_table
from tests.test_verify import changed_bytes

SUBJECTS = 10


def add_tasks(folder: Path) -> None:
    """Two participants' sessions of each of the other tasks."""
    data, messages = DataSet(folder), read_messages(STIMULI / "examples" / "scan.csv")
    for name, place, session in product(("scan", "objects"), "AB", (1, 2)):
        plan = plan_session(
            "simulate", read_protocol(Path(name)), messages, data, subject=f"{name}{place}", session=session, seed=1,
            operator="bench", participant="changing",
        )  # fmt: skip
        run_simulated(plan)


def change_and_verify(changes: int, protocol: Path = STIMULI / "protocol.toml") -> None:
    """Change, verify, put back."""
    draw = Random(11)
    made: Counter[str] = Counter()
    found: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        simulate(Path(folder), SUBJECTS, protocol)
        add_tasks(Path(folder))
        transcripts = sorted(Path(folder).glob("sourcedata/**/*_transcript.jsonl"))
        while made.total() < changes:
            transcript, what = draw.choice(transcripts), draw.choice(["transcript", "table"])
            tables = sorted(Path(folder, *transcript.parts[-3:-1]).glob("*/*.tsv"))
            file = transcript if what == "transcript" else draw.choice(tables)
            what = f"{what} of {transcript.name.split('_task-')[1].split('_')[0]}"
            content = file.read_bytes()
            if (changed := changed_bytes(content, draw)) != content:
                file.write_bytes(changed)
                made[what] += 1
                found[what] += verify(transcript, pilot=True).is_wanting
                file.write_bytes(content)
    rows = [[what, str(made[what]), str(found[what])] for what in sorted(made)]
    print_table("random single changes", ["changed", "changes", "found"], [*rows, ["goal", "", "all"]])


if __name__ == "__main__":
    change_and_verify(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
