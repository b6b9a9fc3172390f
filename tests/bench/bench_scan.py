"""How exactly a scanner's schedule is kept: `python -m tests.bench.bench_scan [designs [NUMBER] | window [LATE]]`.

`designs`: as many random schedules (1,000) on the virtual clock; each onset against its plan. `window`: one run of ten
and a half minutes in a real window, of which so many frames (0) are held up by 100 to 300 ms; the errors of onsets in
each minute. Onsets are the program's own: `bench_timing` holds those against a watcher outside.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from msgspec import UNSET
from msgspec.structs import replace
from scipy.stats import linregress

from experiment.design.message import Message
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.replay.verify import verify
from experiment.session.plan import plan_session
from experiment.session.run import run_in_window
from tests.bench.reporting import display, print_table
from tests.strategies import held
from tests.test_scan import PROTOCOL, SCAN, onset_errors_s, random_design, session_of

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol
    from experiment.screens.canvas import Canvas

MESSAGES, EXACT_S = 150, 1e-6
HELD_UP_S = (0.1, 0.3)


def check_designs(number: int) -> None:
    """Each random schedule, held by a synthetic participant."""
    onsets, off = 0, 0
    for seed in range(number):
        session = session_of(random_design(Random(seed)), seed=seed)
        errors_s = onset_errors_s(held(session, "steady"), session)
        assert len(errors_s) == len(session.trials)
        onsets += len(errors_s)
        off += sum(abs(error_s) > EXACT_S for error_s in errors_s)
    rows = [[str(number), str(onsets), str(off)], ["goal", "", "0"]]
    print_table("onsets on the virtual clock", ["random designs", "onsets", "not as planned"], rows)


def long_run() -> Protocol:
    """A message every four seconds for ten and a half minutes."""
    scan = replace(
        SCAN, runs=1, first_pulse=1, sources=("close",), block_messages=10, message_s=3.0, interval_s=(0.7, 1.3),
        rest_s=2.0, rating_s=UNSET,
    )  # fmt: skip
    wording = replace(PROTOCOL.wording, instructions=())
    return replace(PROTOCOL, scan=scan, messages=MESSAGES, sessions=1, wording=wording)


def hold_up(late: int) -> None:
    """From now on so many flips of any window are late, at random moments of the run."""
    from experiment.screens.canvas import Canvas

    draw, flip, began_s = Random(1), Canvas.flip, time.monotonic()
    moments_s = sorted(draw.uniform(30.0, 610.0) for _ in range(late))

    def flip_late(canvas: Canvas) -> float:
        if moments_s and time.monotonic() - began_s > moments_s[0]:
            moments_s.pop(0)
            time.sleep(draw.uniform(*HELD_UP_S))
        return flip(canvas)

    cast("Any", Canvas).flip = flip_late


def run_long(late: int) -> None:
    """The long run in a window."""
    protocol = long_run()
    messages = [
        Message(f"m{number:03}", "Ada", "friend", "en", f"Message {number} is short.") for number in range(MESSAGES)
    ]
    with TemporaryDirectory() as folder, display():
        data = DataSet(Path(folder))
        data.prepare()
        plan = plan_session(
            "pilot", protocol, messages, data, subject="scan", session=1, seed=1, operator="bench", participant="quick"
        )
        hold_up(late)
        run_in_window(plan, full_screen=False)
        read = log.read(plan.transcript, pilot=True)
        findings = verify(plan.transcript, pilot=True).findings
    errors_ms = 1e3 * np.array(onset_errors_s(list(read.events), plan.session))
    planned_s = np.array([trial.slot.onset_s for trial in plan.session.trials if trial.slot])
    rows = []
    for minute in range(1, 11):
        own = errors_ms[(planned_s >= 60 * (minute - 1)) & (planned_s < 60 * minute)]
        rows.append([str(minute), str(len(own)), *(f"{value:.2f}" for value in (np.median(own), own.min(), own.max()))])
    print_table(f"onset errors, {late} frames held up", ["minute", "onsets", "median ms", "least", "most"], rows)
    in_time = np.abs(errors_ms) < 50
    trend = linregress(planned_s[in_time] / 600, errors_ms[in_time])
    print(
        f"trend over ten minutes {trend.slope:.2f} ms, standard error {trend.stderr:.2f} ms; "
        f"{np.sum(~in_time)} messages came with a held-up frame"
    )
    print(f"verifying finds {len(findings)}")


def main() -> None:
    """As asked."""
    what, *number = sys.argv[1:] or ["designs"]
    if what == "window":
        run_long(int(number[0]) if number else 0)
    else:
        check_designs(int(number[0]) if number else 1000)


if __name__ == "__main__":
    main()
