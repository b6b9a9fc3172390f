"""The screen, as far as it can be judged without a window."""

from __future__ import annotations

import math
from collections.abc import Iterator

from experiment.record.finding import Finding
from experiment.system.facts import Computer, ScreenMode

LEAST_BLANKING_S = 300.0  # nobody reads one message for five minutes without a key
_SAME = 0.01  # a scaling of 100 % within a percent


def items(computer: Computer, *, has_display: bool, is_wayland: bool) -> Iterator[Finding]:
    """Whether there is a screen, how it is driven, and whether it stays lit."""
    if not has_display:
        yield Finding(
            "display", "error", "none answers", "Start from the desktop of a computer with a screen.", value=False
        )
        return
    if is_wayland:
        fix = "Log out, choose an Xorg session at the login screen, and log in again."
        yield Finding("display", "warning", "Wayland, which controls when a window is shown", fix, value=True)
    else:
        yield Finding("display", "ok", "found", value=True)
    mode = computer.screen()
    yield _resolution(mode)
    yield _scaling(mode)
    yield _blanking(computer.blanks_after_s())


def _resolution(mode: ScreenMode | None) -> Finding:
    fix = "Set the screen's native resolution in the system's display settings."
    if mode is None or mode.native_px is None:
        used = f"{mode.width_px} x {mode.height_px} is used; " if mode else ""
        return Finding("resolution", "note", f"{used}the native one is unknown", fix)
    (width, height), (native_width, native_height) = (mode.width_px, mode.height_px), mode.native_px
    size = f"{width} x {height}"
    if (width, height) == mode.native_px:
        return Finding("resolution", "ok", f"{size}, native", value=size, unit="px")
    found = f"{size}; the screen's native resolution is {native_width} x {native_height}"
    return Finding("resolution", "warning", found, fix, value=size, unit="px")


def _scaling(mode: ScreenMode | None) -> Finding:
    fix = "Set scaling to 100 % in the system's display settings."
    if mode is None or mode.scaling is None:
        return Finding("scaling", "note", "could not be determined", fix)
    percent = round(mode.scaling * 100)
    if abs(mode.scaling - 1) < _SAME:
        return Finding("scaling", "ok", "100 %", value=100.0, unit="%")
    return Finding(
        "scaling", "error", f"{percent} %: pixels are not shown one to one", fix, value=float(percent), unit="%"
    )


def _blanking(after_s: float | None) -> Finding:
    fix = "Turn off the screen saver and screen dimming in the system's power settings."
    if after_s is None:
        return Finding("dark screen", "note", "could not be determined", fix)
    if math.isinf(after_s):
        return Finding("dark screen", "ok", "never")
    found = f"after {after_s:.0f} s without a key press"
    if after_s < LEAST_BLANKING_S:
        return Finding(
            "dark screen", "warning", f"{found}, within a participant's reading", fix, value=after_s, unit="s"
        )
    return Finding("dark screen", "ok", f"{found}, longer than anyone reads a message", value=after_s, unit="s")
