"""200 presses of 5 to 80 ms, heard by psychtoolbox's queue under Windows' Python and under Linux' at the same time.

`python -m tests.windows.bench_presses [COUNT]`. XTEST presses the keys of one display, on which the window of the bench
has the keyboard. An error is the logged time less that just before the request left, on CLOCK_MONOTONIC_RAW; how far a
listener's clock is from it is found by messages through a pipe, at the shortest way there and back.
"""

from __future__ import annotations

import subprocess
import sys
import time
from random import Random
from typing import IO

import numpy as np

from tests.bench.reporting import ROOT, display, environment, print_table
from tests.lab import Eyes
from tests.windows.bench import Bench
from tests.xtest import Hands

PINGS = 300
HEARS = """
import sys, threading, time
window = None
if sys.platform == "win32":
    import pyglet
    window = pyglet.window.Window(1280, 720, "Day Four")
from experiment.screens.key_event import now_s
from experiment.screens.keyboard import open_keys
keys, asked = open_keys(allow_poll=False), []
threading.Thread(target=lambda: [asked.append(line.strip()) for line in sys.stdin], daemon=True).start()
print("ready", keys.timed_by, flush=True)
while "end" not in asked:
    if window:
        window.dispatch_events()
    for stroke in keys.strokes():
        print("key", stroke.key, int(stroke.down), repr(stroke.time_s), flush=True)
    while asked and asked[0] == "ping":
        asked.pop(0)
        print("pong", repr(now_s()), flush=True)
    time.sleep(0.001)
"""


def main(count: int = 200) -> None:
    """Press, compare, and print."""
    with display() as screen:
        linux = subprocess.Popen(
            [sys.executable, "-c", HEARS],
            cwd=ROOT,
            env=environment() | {"DISPLAY": screen},
            stdin=-1,
            stdout=-1,
            text=True,
        )
        bench = Bench(display=screen)
        windows = bench.start(*bench.command(HEARS))
        listeners = {"Linux": linux, "Windows": windows}
        for process in listeners.values():
            wait_for(process.stdout, "ready")
        with Eyes(screen) as eyes, Hands(screen) as hands:
            eyes.gives_focus(eyes.window())
            time.sleep(1)
            offsets_s = {name: offset_s(process) for name, process in listeners.items()}
            pressed = press(hands, count)
        time.sleep(1)
        rows = [row(name, heard(process), pressed, offsets_s[name]) for name, process in listeners.items()]
    print_table("Presses of 5 to 80 ms", ("", "heard", "lost", "median ms", "sd ms", "offset known to ms"), rows)


def wait_for(stream: IO[str] | None, word: str) -> str:
    """The next line that begins with this word."""
    assert stream
    return next(line for line in stream if line.startswith(word))


def offset_s(process: subprocess.Popen[str]) -> tuple[float, float]:
    """What to take from the listener's times to have those of the pressing, and half the way there and back."""
    best = (float("inf"), 0.0)
    assert process.stdin
    for _ in range(PINGS):
        asked_s = time.clock_gettime(time.CLOCK_MONOTONIC_RAW)
        process.stdin.write("ping\n")
        process.stdin.flush()
        there_s = float(wait_for(process.stdout, "pong").split()[1])
        back_s = time.clock_gettime(time.CLOCK_MONOTONIC_RAW)
        best = min(best, (back_s - asked_s, there_s - (asked_s + back_s) / 2))
    return best[1], best[0] / 2


def press(hands: Hands, count: int) -> list[float]:
    """Press so many times, at random distances; when."""
    random, times_s = Random(1), []
    for _ in range(count):
        times_s.append(time.clock_gettime(time.CLOCK_MONOTONIC_RAW))
        hands.tap("3", random.uniform(0.005, 0.08))
        time.sleep(random.uniform(0.05, 0.15))
    return times_s


def heard(process: subprocess.Popen[str]) -> list[float]:
    """The times of all presses that the listener told, in its seconds."""
    out, _ = process.communicate("end\n", timeout=60)
    lines = (line.split() for line in out.splitlines() if line.startswith("key"))
    return [float(time_s) for _, key, down, time_s in lines if key == "3" and down == "1"]


def row(name: str, times_s: list[float], pressed_s: list[float], offset: tuple[float, float]) -> tuple[str, ...]:
    """How many were heard, and how far off their times are."""
    found = (name, f"{len(times_s)}", f"{len(pressed_s) - len(times_s)}")
    if len(times_s) != len(pressed_s):
        return *found, "-", "-", f"{offset[1] * 1e3:.2f}"
    off_ms = (np.array(times_s) - np.array(pressed_s) - offset[0]) * 1e3
    return *found, f"{np.median(off_ms):.2f}", f"{np.std(off_ms):.2f}", f"{offset[1] * 1e3:.2f}"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
