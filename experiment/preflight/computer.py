"""Everything about this computer that needs no window, measured at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from experiment.preflight import clocks, data_folder, display, keyboards, load, software
from experiment.record.finding import Finding, Severity
from experiment.system import has_display, is_wayland, raised_priority, this_computer
from experiment.system.facts import Computer, Power

PRIORITY_FIX = (
    "On Linux, the line '@psychopy - nice -20' in /etc/security/limits.d/99-psychopylimits.conf gives this permission."
)
PATIENCE_S = keyboards.PATIENCE_S + 1


@dataclass(frozen=True)
class Part:
    """Something to measure, and how bad it is if it cannot be."""

    name: str
    measure: Callable[[], Iterable[Finding]]
    failing: Severity = "note"


def items(data: Path, root: Path, computer: Computer | None = None) -> tuple[Finding, ...]:
    """All of it, in the order in which a person reads it; takes about a second, four where ioHub has to start.

    `data`: the data folder; `root`: the project's, with requirements.lock. It loads no PsychoPy.
    """
    asked = computer or this_computer()
    parts = (
        Part("display", lambda: display.items(asked, has_display=has_display(), is_wayland=is_wayland())),
        Part("keyboard", lambda: keyboards.items(keyboards.probe_keyboard()), "error"),
        Part("priority", lambda: [_priority()]),
        Part("other programs", lambda: [load.others(load.load())]),
        Part("memory", lambda: [load.memory(load.free_memory())]),
        Part("power", lambda: power(asked)),
        Part("clock", lambda: clocks.items(asked, root / "requirements.lock")),
        Part("data folder", lambda: data_folder.items(data, asked), "error"),
        Part("versions", lambda: software.items(root)),
    )
    return tuple(at_once(parts, PATIENCE_S))


def at_once(parts: Iterable[Part], patience_s: float) -> Iterator[Finding]:
    """Measure all parts in threads of their own; what hangs or fails becomes an item that says so."""
    found: dict[str, list[Finding]] = {}

    def measure(part: Part) -> None:
        try:
            found[part.name] = list(part.measure())
        except Exception as error:  # noqa: BLE001 - one thing that cannot be told must not hide the others
            found[part.name] = [Finding(part.name, part.failing, f"could not be measured ({type(error).__name__})")]

    threads = [(part, threading.Thread(target=measure, args=[part], daemon=True)) for part in parts]
    for _, thread in threads:
        thread.start()
    until_s = time.monotonic() + patience_s
    for part, thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))
        late = Finding(part.name, part.failing, f"did not answer within {patience_s:.0f} s")
        yield from found.get(part.name, [late])


def power(computer: Computer) -> Iterator[Finding]:
    """Mains, and whether the processor is kept slow."""
    import psutil

    battery = psutil.sensors_battery()
    yield mains(on_mains=None if battery is None else battery.power_plugged is not False)
    yield saving(computer.power())


def mains(*, on_mains: bool | None) -> Finding:
    """Where the power comes from; None: there is no battery."""
    if on_mains is None:
        return Finding("mains", "ok", "desktop computer (no battery)")
    if on_mains:
        return Finding("mains", "ok", "plugged in", value=True)
    return Finding("mains", "warning", "running on battery", "Plug the computer in.", value=False)


def saving(found: Power | None) -> Finding:
    """Whether the processor may run as fast as it can."""
    fix = "Choose balanced or best performance in the system's power settings."
    if found is None:
        return Finding("power saving", "note", "could not be determined", fix)
    if found.saves:
        return Finding("power saving", "warning", f"on ({found.setting}): frames come late", fix, value=found.setting)
    return Finding("power saving", "ok", f"off ({found.setting})", value=found.setting)


def priority(got: str | None) -> Finding:
    """Whether a session can have more than other programs."""
    if got is not None:
        return Finding("priority", "ok", f"can be raised ({got})", value=got)
    return Finding(
        "priority", "warning", "cannot be raised: other programs can delay frames", PRIORITY_FIX, value=False
    )


def _priority() -> Finding:
    with raised_priority() as got:
        return priority(got)
