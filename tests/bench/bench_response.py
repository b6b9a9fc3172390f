"""Response times end to end: real presses at known times against the rt that a session logs.

A pilot session with a person (the real command, in a process of its own, at short times) shows its rating screens. On
each, XTEST presses digits, held for 1 to 80 ms, from this process; the session's transcript tells what it made of them.
The logged rt is `Marked.time_s` less the onset of the scale; the true one is the time just before XTEST's request left,
less the same onset. Both processes count on CLOCK_MONOTONIC; the session's own process prints where its clock zero
lies. So the error holds the way from the request through the X server to the stamp, and the conversion of clocks. It
does not hold what this machine has not: a keyboard's own delay, and a monitor's.

The same presses, holds and pauses are then read by PsychoPy's own means, once a frame at 60 Hz in a window of their
own: `Keyboard.getKeys(waitRelease=False)` and `event.getKeys(timeStamped=clock)`. A press is lost if nothing was read
of it, and doubled if it was read more than once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, stdev
from typing import Any

import experiment.__main__ as program  # at the top, as the pictures' process imports it too
from experiment.record.dataset import DataSet
from experiment.record.events import Key, Marked, ScaleScene, Scene, Shown, Started
from tests.bench.reporting import HEIGHT_PX, ROOT, WIDTH_PX, display, environment, percentile, print_table
from tests.lab import Sitting, is_closing, participates, short_protocol
from tests.xtest import Hands

SCALES, PRESSES = 14, 16  # rating screens of a session with its practice, and presses on each
EARLY_S = 0.02  # a stamp that is so much too early still belongs to the press
READER = """
import json, select, sys, time
from experiment.screens.key_event import now_s
from psychopy import core, event, visual
from psychopy.hardware import keyboard
window = visual.Window((400, 300), checkTiming=False)
clock, read, due_s = core.Clock(), [], time.perf_counter()
if sys.argv[1] == "Keyboard":
    keys = keyboard.Keyboard()
    poll = lambda: [(key.name, key.rt + keys.clock.getLastResetTime()) for key in keys.getKeys(waitRelease=False)]
else:
    poll = lambda: [(name, rt_s + clock.getLastResetTime()) for name, rt_s in event.getKeys(timeStamped=clock)]
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    window.flip()
    ahead_s = now_s() - time.perf_counter()
    read += [(name, stamp_s - ahead_s) for name, stamp_s in poll()]
    due_s += 1 / 60
    time.sleep(max(0.0, due_s - time.perf_counter()))
print(json.dumps(read))
"""


@dataclass(frozen=True)
class Press:
    """A press to be made: a digit, for how long, and the pause after it."""

    key: str
    hold_s: float
    pause_s: float


Stamped = tuple[str, float]
"""A key and a time on CLOCK_MONOTONIC in seconds."""


def main() -> None:
    """Press for a session and for PsychoPy's two readers, and print what each made of it."""
    presses = [drawn(Random(f"scale {number}")) for number in range(SCALES)]
    with display() as name, Hands(name) as hands, tempfile.TemporaryDirectory() as folder:
        hands.point(WIDTH_PX // 2, HEIGHT_PX // 2)
        timed_by, made, logged, heard = held(name, hands, Path(folder), presses)
        rows = [row(f"Day Four ({timed_by}): logged rt", made, logged), row("  its key events", made, heard)]
        for kind, call in (("Keyboard", "Keyboard.getKeys(waitRelease=False)"), ("event", "event.getKeys")):
            rows.append(row(f"PsychoPy {call}", *read(kind, hands, presses)))
    rows.append(("goal", "", "0", "0", "0.5", "0.2", "", ""))
    print_table(
        f"response times: {SCALES * PRESSES} XTEST presses, held for 1 to 80 ms; errors in ms",
        ("", "read", "lost", "doubled", "median", "sd", "p99", "max"),
        rows,
    )


def drawn(random: Random) -> list[Press]:
    """The presses on one scale: no digit twice in a row, since the marker would not move."""
    digits = [random.randint(1, 7)]
    while len(digits) < PRESSES:
        digits.append(random.choice([digit for digit in range(1, 8) if digit != digits[-1]]))
    return [Press(str(digit), random.uniform(0.001, 0.08), random.uniform(0.01, 0.1)) for digit in digits]


def make(hands: Hands, presses: Sequence[Press]) -> list[Stamped]:
    """Make the presses; when each was made."""
    made = []
    for press in presses:
        made.append((press.key, time.perf_counter()))
        hands.tap(press.key, press.hold_s)
        time.sleep(press.pause_s)
    return made


def held(
    name: str, hands: Hands, folder: Path, presses: list[list[Press]]
) -> tuple[str, list[Stamped], list[Stamped], list[Stamped]]:
    """A session: who timed it, what was pressed, each move of the marker by its logged rt, and each digit it heard."""
    protocol, data = short_protocol(folder / "protocol.toml", {}), folder / "data"
    command = [sys.executable, "-m", "tests.bench.bench_response", "pilot"]
    sitting = Sitting([*command, "--protocol", str(protocol), "--data", str(data)], name, DataSet(data).pilot.root)
    made: list[Stamped] = []
    left = iter(presses)

    def answer(scene: Scene) -> None:
        if isinstance(scene, ScaleScene) and scene.marker is None:
            made.extend(make(hands, next(left)))
            hands.tap("space")
        elif not isinstance(scene, ScaleScene) and getattr(scene, "button", None):
            hands.tap("space")

    answer(participates(sitting, answer, is_closing).scene)
    status, said = sitting.ends()
    if status:
        raise RuntimeError(f"expected the session to end with status 0, found {status}: {said}")
    zero_s = next(float(line.split()[1]) for line in said.splitlines() if line.startswith("zero "))
    timed_by = next(event for event in sitting.events() if isinstance(event, Started)).screen.timed_by
    return timed_by, made, *logged(sitting, zero_s)


def logged(sitting: Sitting, zero_s: float) -> tuple[list[Stamped], list[Stamped]]:
    """Every mark by its scale's onset and its rt, and every digit that went down."""
    marks, heard, onset_s = list[Stamped](), list[Stamped](), 0.0
    for event in sitting.events():
        if isinstance(event, Shown) and isinstance(event.scene, ScaleScene) and event.scene.marker is None:
            onset_s = event.onset_s
        elif isinstance(event, Marked):
            rt_s = event.time_s - onset_s
            marks.append((str(event.value), zero_s + onset_s + rt_s))
        elif isinstance(event, Key) and event.down and event.key.isdigit():
            heard.append((event.key, zero_s + event.time_s))
    return marks, heard


def read(kind: str, hands: Hands, presses: list[list[Press]]) -> tuple[list[Stamped], list[Stamped]]:
    """The same presses in front of one of PsychoPy's readers: what was pressed, and what it read."""
    command = [sys.executable, "-c", READER, kind]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, text=True) as reader:
        assert reader.stdin
        assert reader.stdout
        while reader.stdout.readline().strip() != "ready":
            pass
        time.sleep(0.5)
        made = [stamped for some in presses for stamped in make(hands, some)]
        time.sleep(0.5)
        out, _ = reader.communicate("\n")
    readings = next(line for line in out.splitlines() if line.startswith("["))  # between PsychoPy's warnings
    return made, [(key, time_s) for key, time_s in json.loads(readings)]


def row(name: str, made: list[Stamped], found: list[Stamped]) -> tuple[str, ...]:
    """A line of the table: each reading belongs to the last press of its key before it."""
    times: list[list[float]] = [[] for _ in made]
    for key, time_s in found:
        before = [number for number, press in enumerate(made) if press[0] == key and press[1] < time_s + EARLY_S]
        if before:
            times[before[-1]].append(time_s)
    errors_ms = [(of[0] - press[1]) * 1e3 for press, of in zip(made, times, strict=True) if of]
    lost = sum(not of for of in times)
    errors = (median(errors_ms), stdev(errors_ms), percentile(errors_ms, 99), max(errors_ms))
    ms = (f"{error:.2f}" for error in errors)
    return (name, str(len(found)), str(lost), str(len(found) - len(errors_ms)), *ms)


def watched() -> None:
    """The real command line, which prints where its clock zero lies on this computer's counter."""
    from experiment.screens.window import Window

    usual: Any = Window.__init__

    def told(window: Window, *arguments: Any, **options: Any) -> None:
        usual(window, *arguments, **options)
        print("zero", -window._clock.of_count(0.0), flush=True)

    setattr(Window, "__init__", told)  # noqa: B010 - the kind of its arguments does not matter here
    program.main()


if __name__ == "__main__":
    watched() if sys.argv[1:] else main()
