"""The fault campaign in short: some positions of each kind of failing, with the full one among the benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.harness import preloaded

if TYPE_CHECKING:
    import pytest

STEP = 45


def test_whatever_call_to_the_disk_fails_nothing_is_lost_untold(capfd: pytest.CaptureFixture[str]) -> None:
    """Every 45th call, by every kind of failing: no answer lost untold, no false claim, and each session goes on."""
    status = preloaded("tests.bench.bench_faults", str(STEP))
    assert status == 0, capfd.readouterr().out
