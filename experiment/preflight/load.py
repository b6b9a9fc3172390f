"""What else takes the processor and the memory, as psutil has it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from experiment.record.finding import Finding, severity_by

MEASURED_S = 1.0
# The frame loop takes a core at times, and what shows the frames and times the keys (X server, compositor, driver,
# queue) part of another. With a program on each of two cores, the sd of response times rose from 0.14 to 0.9 ms.
LEAST_FREE_CORES, BUSY_CORES = 0.75, 0.5
# A session takes some 300 MB, its pictures' process as much again while it draws.
LEAST_FREE_MB, LOW_FREE_MB = 500, 1000
_NAMED, _NAMED_FROM = 3, 0.05


@dataclass(frozen=True)
class Load:
    """What other programs took of the processor: cores in all, and by their names."""

    cores: int
    others: float
    by_name: Mapping[str, float] = field(default_factory=dict)


def others(load: Load) -> Finding:
    """Whether other programs leave enough."""
    named = sorted(((share, name) for name, share in load.by_name.items() if share >= _NAMED_FROM), reverse=True)
    most = ", ".join(f"{name} {share:.2f}" for share, name in named[:_NAMED])
    found = f"take {load.others:.2f} of {load.cores} cores" + (f" ({most})" if most else "")
    free = load.cores - load.others
    severity = severity_by(error=free < LEAST_FREE_CORES, warning=load.others >= BUSY_CORES)
    fix = f"Close them{f', starting with {named[0][1]}' if named else ''}; wait for updates and backups to finish."
    return Finding(
        "other programs", severity, found, None if severity == "ok" else fix, value=round(load.others, 2), unit="cores"
    )


def free_memory() -> int:
    """Bytes that programs can have without others being moved to the disk."""
    return int(psutil.virtual_memory().available)


def memory(free_bytes: int) -> Finding:
    """Whether there is enough memory."""
    free_mb = free_bytes / 1e6
    severity = severity_by(error=free_mb < LEAST_FREE_MB, warning=free_mb < LOW_FREE_MB)
    found = f"{free_mb / 1000:.1f} GB free"
    fix = None if severity == "ok" else "Close other programs, starting with those with many windows."
    return Finding("memory", severity, found, fix, value=round(free_mb), unit="MB")


def load(seconds: float = MEASURED_S) -> Load:
    """Look for so long at what all programs take, less what this one and its children take."""
    began_s, before = time.monotonic(), _taken_s()
    busy_before_s, ours_before_s = _busy_s(), _family_s()
    time.sleep(seconds)
    after, busy_s, ours_s = _taken_s(), _busy_s() - busy_before_s, _family_s() - ours_before_s
    lasted_s = time.monotonic() - began_s
    ours = {process.pid for process in _family()}
    by_name: dict[str, float] = {}
    for process, (name, taken_s) in after.items():
        if process[0] not in ours:
            share = (taken_s - before.get(process, (name, 0.0))[1]) / lasted_s
            by_name[name] = by_name.get(name, 0.0) + share
    return Load(psutil.cpu_count() or 1, max(0.0, busy_s - ours_s) / lasted_s, by_name)


def _taken_s() -> dict[tuple[int, float], tuple[str, float]]:
    """Processor time of each process by its id and birth, with its name; of those that may be looked at."""
    taken = {}
    for process in psutil.process_iter(["name", "cpu_times", "create_time"]):
        times = process.info["cpu_times"]
        if times and process.pid:
            taken[process.pid, process.info["create_time"]] = (process.info["name"], times.user + times.system)
    return taken


def _busy_s() -> float:
    """Processor time of all programs since the computer started."""
    times = psutil.cpu_times()
    idle_s = times.idle + getattr(times, "iowait", 0.0)
    return float(sum(times[: 8 if hasattr(times, "guest") else None]) - idle_s)  # a guest's is in the user's too


def _family() -> list[psutil.Process]:
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def _family_s() -> float:
    """Processor time of this process and its children, those that ended included."""
    total_s = 0.0
    for process in _family():
        with suppress(psutil.Error):
            times = process.cpu_times()
            total_s += times.user + times.system
            total_s += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return total_s
