"""Whether an open window is fit for a session: its refreshes and size judged, and a key pressed at it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from experiment.record.finding import Finding
from experiment.screens.canvas import screen_size_px
from experiment.screens.key_event import KeyEvent, KeySource, now_s
from experiment.screens.refresh import NOMINAL_HZ, Flipping, Pace
from experiment.task.layout import MINIMUM_SIZE_PX

UNSTEADY_S = 0.001  # sd of the intervals; a screen's own is some hundredths of a millisecond
MISSED_SHARE = 0.05  # of refreshes, though nothing is drawn
LEAST_HZ = 50.0  # every laboratory screen has 60 or more; 30 is a 4K screen on a cable that is too slow
PRESS_S, SETTLED_S = 10.0, 0.3
FRESH_S, STALE_S, EARLY_S = 0.1, 1.0, -0.005  # a stamp's age when it is heard: usual, and impossible
KEYS_FIX = "Unplug the keyboard, plug it in again, try another one, and check again."


def items(canvas: Flipping, pace: Pace) -> tuple[Finding, ...]:
    """Refresh, vsync and size."""
    return (*check_pace(pace), *size(screen_size_px(), full_screen=canvas.full_screen))


def check_pace(pace: Pace) -> Iterator[Finding]:
    """What the pace says of the screen."""
    correlation = round(pace.correlation, 3)
    told = f"(correlation with its delay {correlation:.2f}, {pace.off_beat:.2f} of a refresh off)"
    if not pace.is_real:
        yield Finding("refresh", "note", f"unknown: nothing holds flips back; they come at {pace.hz:.0f} Hz")
        yield Finding(
            "vsync", "error", f"no: a flip comes whenever it is asked for {told}",
            "Use a real screen, not a remote or virtual one; switch on vsync, and switch off variable refresh "
            "(FreeSync, G-Sync), in the graphics driver's settings; update the driver.", correlation, "correlation",
        )  # fmt: skip
        return
    yield _refresh(pace)
    yield Finding("vsync", "ok", f"yes: flips wait for the screen {told}", value=correlation, unit="correlation")


def _refresh(pace: Pace) -> Finding:
    hz = round(pace.hz, 3)
    found = f"{hz:.2f} Hz, intervals with an sd of {pace.spread_s * 1e3:.2f} ms, {pace.missed} missed"
    if hz < LEAST_HZ:
        fix = "Choose 60 Hz or more in the display settings; a 4K screen needs a DisplayPort or HDMI 2 cable for it."
        return Finding("refresh", "error", f"{found}: too slow", fix, hz, "Hz")
    fix = "Close other programs, starting with videos and animated pages; switch off variable refresh."
    if pace.missed > MISSED_SHARE * pace.intervals:
        return Finding("refresh", "error", f"{found} of {pace.intervals} while nothing was drawn", fix, hz, "Hz")
    if pace.missed or pace.spread_s > UNSTEADY_S:
        return Finding("refresh", "warning", f"{found} of {pace.intervals}", fix, hz, "Hz")
    return Finding("refresh", "ok", found, value=hz, unit="Hz")


def size(screen_px: tuple[int, int], *, full_screen: bool) -> Iterator[Finding]:
    """Whether messages can be read on it, and whether the window fills it."""
    found, (least_width, least_height) = f"{screen_px[0]} x {screen_px[1]}", MINIMUM_SIZE_PX
    if screen_px[0] < least_width or screen_px[1] < least_height:
        fix = "Choose a higher resolution or another screen."
        yield Finding("size", "error", f"{found}; {least_width} x {least_height} are needed", fix, found, "px")
    else:
        yield Finding("size", "ok", found, value=found, unit="px")
    if not full_screen:
        fix = "Check without --windowed. Windows are for piloting: on some systems their onsets lead by a frame."
        yield Finding("window", "warning", "measured in a window, not full screen", fix, value=False)


def press(canvas: Flipping, keys: KeySource, seconds: float = PRESS_S) -> Finding:
    """Wait for a person to press any key once; how often it came, who timed it, and how old its stamp was.

    Keys from before are no answer. What is typed goes to nobody else but the program that has the keyboard.
    """
    # Else pyglet closes its window on escape; a source that polls the window hears its keys itself.
    swallowed = ["on_close"] if keys.timed_by == "poll" else ["on_close", "on_key_press"]
    canvas.handle.push_handlers(**dict.fromkeys(swallowed, _swallow))
    canvas.handle.dispatch_events()
    keys.strokes()
    heard, ages_s = list[KeyEvent](), list[float]()
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        canvas.handle.dispatch_events()
        came = [stroke for stroke in keys.strokes() if not stroke.key.startswith("mouse_")]
        if came and not heard:
            until_s -= max(0.0, left_s - SETTLED_S)
        heard += came
        ages_s += [now_s() - stroke.time_s for stroke in came]
        time.sleep(1 / NOMINAL_HZ / 4)
    canvas.handle.pop_handlers()
    return check_press(heard, ages_s, keys.timed_by)


def check_press(heard: Sequence[KeyEvent], ages_s: Sequence[float], timed_by: str) -> Finding:
    """What came of the first key that went down; each stroke with its stamp's age when it was heard."""
    downs = [(stroke, age_s) for stroke, age_s in zip(heard, ages_s, strict=True) if stroke.down]
    if not downs:
        return Finding(
            "press", "warning", "no key press arrived: none was made, or the keyboard does not work", KEYS_FIX
        )
    first, age_s = downs[0]
    times = sum(stroke.key == first.key for stroke, _ in downs)
    value = round(age_s * 1e3, 2)
    found = f"came {times} times" if times > 1 else "came once"
    found += f", timed by {timed_by}, {value:.1f} ms before it was read"
    if not EARLY_S <= age_s <= STALE_S:
        return Finding("press", "error", f"{found}: this time cannot be right", KEYS_FIX, value, "ms")
    if times > 1:
        return Finding("press", "warning", found, f"If you pressed only once: {KEYS_FIX}", value, "ms")
    if age_s > FRESH_S:
        return Finding(
            "press", "warning", f"{found}, which is slow", "Close other programs and check again.", value, "ms"
        )
    return Finding("press", "ok", found, value=value, unit="ms")


def _swallow(*_: object) -> bool:
    return True
