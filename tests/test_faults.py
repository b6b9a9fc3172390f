"""The campaigns in short, disk faults of each kind and random interleavings; the benchmarks run them whole."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.harness import preloaded
from tests.faults.tasks import TASKS
from tests.places import ROOT

STEPS, SITTINGS = {"messages": "45", "scan": "120", "objects": "200"}, {"messages": "40", "scan": "12", "objects": "12"}


@pytest.mark.parametrize("task", TASKS)
def test_whatever_call_to_the_disk_fails_nothing_is_lost_untold(task: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Some calls of each task, by every kind of failing: no answer lost untold, no false claim, all can go on."""
    status = preloaded("tests.bench.bench_faults", STEPS[task], task=task)
    assert status == 0, capfd.readouterr().out


@pytest.mark.parametrize("task", TASKS)
def test_whatever_is_pressed_and_whenever_it_dies_the_log_has_it(task: str) -> None:
    """Anything pressed, clicked, paused and killed at any moment: logged inputs are those handed on, claims hold."""
    command = [sys.executable, "-m", "tests.bench.bench_inputs", SITTINGS[task], "1", task]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout
