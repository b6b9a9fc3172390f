"""The session's clock does not follow the wall clock when somebody sets it."""

from __future__ import annotations

import pytest

from experiment.screens.clock import SessionClock
from experiment.screens.key_event import now_s

HOUR_S = 3600.0


class Computer:
    """A counter and a GetSecs that can be set, as on Linux."""

    def __init__(self) -> None:
        self.count_s, self.ahead_s = 50.0, 1_800_000_000.0

    def get_secs(self) -> float:
        """What psychtoolbox would say."""
        return self.count_s + self.ahead_s


def clock_of(computer: Computer) -> SessionClock:
    """A clock on that computer."""
    return SessionClock(computer.get_secs, lambda: computer.count_s)


def test_a_stamp_is_the_time_since_clock_zero() -> None:
    """A GetSecs stamp from 0.3 s after clock zero reads as 0.3 s."""
    computer = Computer()
    clock = clock_of(computer)
    computer.count_s += 0.3
    stamp_s = computer.get_secs()
    computer.count_s += 0.1
    clock.poll()
    assert clock.of_stamp(stamp_s) == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S, 0.2, -0.2])
@pytest.mark.parametrize("before", [True, False])
def test_setting_the_wall_clock_moves_no_stamp(step_s: float, before: bool) -> None:  # noqa: FBT001 - a parameter
    """A press just before or just after the wall clock was set keeps its time, and so do later ones."""
    computer = Computer()
    clock = clock_of(computer)
    computer.count_s += 1.0
    clock.poll()
    computer.count_s += 0.005
    pressed_s = computer.get_secs()
    if before:
        computer.ahead_s += step_s
    else:
        computer.ahead_s += step_s
        pressed_s = computer.get_secs()
    computer.count_s += 0.01
    clock.poll()
    assert clock.of_stamp(pressed_s) == pytest.approx(1.005, abs=1e-6)
    computer.count_s += 1.0
    later_s = computer.get_secs()
    clock.poll()
    assert clock.of_stamp(later_s) == pytest.approx(2.015, abs=1e-6)
    assert clock.step_s == pytest.approx(step_s, abs=1e-6)


def test_the_real_clocks_agree() -> None:
    """On this computer a stamp of psychtoolbox lies between two readings of the session's clock."""
    clock = SessionClock(now_s)
    for _ in range(100):
        before_s, stamp_s, after_s = clock.now_s(), now_s(), clock.now_s()
        clock.poll()
        assert before_s - 1e-4 <= clock.of_stamp(stamp_s) <= after_s + 1e-4
