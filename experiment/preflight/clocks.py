"""The computer's clocks: whether the one that times sessions is fine enough, and the one on the wall is right."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from experiment.record.finding import Finding
from experiment.screens.clock import STEP_S, SessionClock
from experiment.system.facts import Computer

COARSE_S = 1e-4  # a tenth of the precision that a session aims at
MEASURED_S, _LOOKS = 1.0, 20
NETWORK_FIX = "Switch on network time in the system's date and time settings."
_FIRST_YEAR, _LAST_YEAR = 2026, 2050
_UTC = {"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Universal", "Zulu"}


def items(computer: Computer, installed: Path, seconds: float = MEASURED_S) -> Iterator[Finding]:
    """All about the clocks; `installed`: a file that was written when this software came to the computer."""
    yield steady(_step_s(time.time, seconds), time.get_clock_info("perf_counter").resolution)
    yield date(datetime.now().astimezone(), datetime.fromtimestamp(installed.stat().st_mtime).astimezone())
    yield check_zone(computer.zone(), datetime.now().astimezone())
    yield check_synchronised(now_is=computer.synchronised())


def steady(step_s: float, resolution_s: float) -> Finding:
    """Whether the counter is fine, and the wall clock goes along with it."""
    if resolution_s > COARSE_S:
        found = f"counts in steps of {resolution_s * 1e3:.1f} ms: too coarse"
        return Finding("clock", "error", found, "Use another computer.", value=round(resolution_s * 1e3, 3), unit="ms")
    value = round(step_s * 1e3, 3)
    if abs(step_s) > STEP_S:
        found = f"the time was set by {value:+.1f} ms during this check; times in the data are not affected"
        return Finding(
            "clock", "warning", found, "Wait some minutes until the time is set, then check again.", value, "ms"
        )
    return Finding("clock", "ok", f"steady: {abs(value):.2f} ms between the two clocks", value=value, unit="ms")


def date(now: datetime, installed: datetime) -> Finding:
    """Whether the date can be right."""
    found = f"{now:%Y-%m-%d %H:%M}"
    fix = "Set date and time. If they are wrong again after the computer was off, replace its clock battery."
    if now < installed - timedelta(days=1):
        return Finding("date", "error", f"{found}, which is before this software was installed", fix, value=found)
    if not _FIRST_YEAR <= now.year <= _LAST_YEAR:
        return Finding("date", "error", f"{found} cannot be right", fix, value=found)
    return Finding("date", "ok", found, value=found)


def check_zone(name: str | None, now: datetime) -> Finding:
    """Whether the times that the assistant writes down, such as the last dose, can be compared with the data's."""
    offset = f"UTC{now:%z}"
    if name is None or name in _UTC:
        fix = "Set the laboratory's time zone in the system's date and time settings."
        return Finding("time zone", "warning", f"only UTC is set ({offset})", fix, value=name or "UTC")
    return Finding("time zone", "ok", f"{name} ({offset})", value=name)


def check_synchronised(*, now_is: bool | None) -> Finding:
    """Whether the network keeps the time right."""
    if now_is is None:
        return Finding("network time", "note", "not known; compare with another clock", NETWORK_FIX)
    if now_is:
        return Finding("network time", "ok", "the clock is set over the network", value=True)
    return Finding("network time", "warning", "the clock is not set over the network", NETWORK_FIX, value=False)


def _step_s(wall_s: Callable[[], float], seconds: float) -> float:
    """The furthest that the wall clock moved against the counter meanwhile."""
    clock, steps_s = SessionClock(wall_s), []
    for _ in range(_LOOKS):
        time.sleep(seconds / _LOOKS)
        clock.poll()
        steps_s.append(clock.step_s)
    return max(steps_s, key=abs)
