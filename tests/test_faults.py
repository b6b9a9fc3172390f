"""The campaigns in short, disk faults of each kind and random interleavings; the benchmarks run them whole."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.faults.harness import preloaded
from tests.places import ROOT

if TYPE_CHECKING:
    import pytest

STEP, SITTINGS = "45", "40"


def test_whatever_call_to_the_disk_fails_nothing_is_lost_untold(capfd: pytest.CaptureFixture[str]) -> None:
    """Every 45th call, by every kind of failing: no answer lost untold, no false claim, and each session goes on."""
    status = preloaded("tests.bench.bench_faults", STEP)
    assert status == 0, capfd.readouterr().out


def test_whatever_is_pressed_and_whenever_it_dies_the_log_has_it() -> None:
    """Anything pressed, clicked, paused and killed at any moment: logged inputs are those handed on, claims hold."""
    command = [sys.executable, "-m", "tests.bench.bench_inputs", SITTINGS]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout
