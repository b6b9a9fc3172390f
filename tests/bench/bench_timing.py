"""Timing from outside: Day Four's trials and those of a Builder-style script, seen and pressed by one watcher.

In blocks that take turns, on one virtual display: the timing session (`experiment.timing`); the script, paced to 60 Hz
since there is no vsync here; and, with `bare` among the arguments, the script as Builder leaves it, with nothing but
`win.flip()`, which makes some hundred flips a second here. All are pressed alike; the script has one question. Errors
are logged minus true: the true onset is the pixel's change, the true press XTEST's.

The second part lets a process load one core, and holds a session that answers itself. The X server's DAMAGE extension
tells of each flip from outside: every flip copies the whole window, which is one damaged rectangle. It needs no look at
pixels, so it costs nothing between flips, and nothing of the session is changed for it. Each gap that it shows must be
in the transcript, and the other way round.

    python -m tests.bench.bench_timing [TRIALS_A_BLOCK [BLOCKS]] [bare]
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from experiment.cli.options import PROTOCOL
from experiment.design.protocol import read_protocol
from experiment.record import transcript
from experiment.record.refreshes import missed_refreshes
from experiment.timing.errors import (
    ONSET_SD_S,
    RESPONSE_MEDIAN_S,
    RESPONSE_SD_S,
    Summary,
    TrialError,
    summary,
    watched_errors,
)
from experiment.timing.observations import Log, LoggedTrial, read_log
from experiment.timing.presser import draw_schedules
from experiment.timing.session import ROBOT, TITLE, TimingSession, run_watched, start_session
from experiment.timing.watcher import Watcher, _windows
from tests.bench.reporting import ROOT, display, environment, print_table

TRIALS, BLOCKS, LOADED_TRIALS = 40, 8, 40
FLIP_S = 0.001  # damage that follows other damage sooner belongs to the same flip
BUILDER = """
import json, sys, time
from psychopy import core, logging, visual
from psychopy.hardware import keyboard
logging.console.setLevel(logging.ERROR)
trials, paced = int(sys.argv[1]), sys.argv[2] == "paced"
win = visual.Window((1280, 720), units="pix", color="black", checkTiming=False)
win.mouseVisible = False
fixation = visual.TextStim(win, "+", height=40)
message = visual.TextStim(win, "A short message, to be answered at once.", height=28, wrapWidth=920)
question = visual.TextStim(win, "How connected do you feel to the person who wrote this message?", height=28)
square = visual.Rect(win, width=80, height=80, pos=(600, -320), fillColor="white", lineColor=None)
kb = keyboard.Keyboard()
for stim in (fixation, message, question):
    stim.tStartRefresh = None
due_s = time.perf_counter()
def flip():
    global due_s
    if paced:
        due_s = max(time.perf_counter(), due_s + 1 / 60)
        time.sleep(due_s - time.perf_counter() if due_s > time.perf_counter() else 0)
    return win.flip()
def hold(stims, seconds):
    routine, first = core.Clock(), None
    while routine.getTime() < seconds:
        for stim in stims:
            stim.draw()
        stamp = flip()
        first = stamp if first is None else first
    return first
def answer(stims, keys):
    frame = 0
    while True:
        for stim in stims:
            stim.draw()
        if frame == 0:
            win.callOnFlip(kb.clock.reset)
            win.callOnFlip(kb.clearEvents, eventType="keyboard")
            win.timeOnFlip(stims[0], "tStartRefresh")
        else:
            pressed = kb.getKeys(keyList=keys, waitRelease=False)
            if pressed:
                return pressed[-1].name, float(pressed[-1].rt), stims[0].tStartRefresh
        flip()
        frame += 1
answer([fixation], ["space"])
for trial in range(trials):
    hold([fixation], 0.1)
    key, rt_s, onset = answer([message, square], ["space"])
    digit, _, _ = answer([question, square], list("1234567"))
    confirmed, _, _ = answer([question, square], ["space"])
    offset = hold([], 0.15)
    ahead_s = core.getTime() + core.monotonicClock.getLastResetTime() - time.perf_counter()
    zero_s = core.monotonicClock.getLastResetTime() - ahead_s
    print(json.dumps([onset + zero_s, offset + zero_s, rt_s, [key, digit, confirmed]]), flush=True)
win.close()
"""

Trials = list[TrialError]


def main() -> None:
    """Both parts, with the goals."""
    numbers = [int(one) for one in sys.argv[1:] if one.isdecimal()]
    trials, blocks = (*numbers, *(TRIALS, BLOCKS)[len(numbers) :])[:2]
    kinds = ("paced", "bare") if "bare" in sys.argv else ("paced",)
    found: dict[str, Trials] = {"Day Four": [], **{kind: [] for kind in kinds}}
    with display() as name, tempfile.TemporaryDirectory() as folder:
        for block in range(blocks):
            found["Day Four"] += ours(name, Path(folder) / str(block), trials)
            for kind in kinds:
                found[kind] += theirs(name, trials, kind)
        told(found)
        loaded(name, Path(folder) / "loaded")


def ours(name: str, folder: Path, trials: int) -> Trials:
    """A block of the timing session; its practice trial does not count."""
    session = TimingSession(str(folder), str(PROTOCOL), trials, full_screen=True)
    watch = run_watched(session, name)
    events = transcript.read(session.transcript, pilot=True).events
    return list(watched_errors(read_log(events), watch).trials[1:])


def theirs(name: str, trials: int, kind: str) -> Trials:
    """A block of the script; its log is what it prints."""
    protocol = read_protocol(PROTOCOL)
    rating = replace(protocol.rating, questions=protocol.rating.questions[:1], first_press_is_final=False)
    protocol = replace(protocol, rating=rating)  # as the script asks
    command = [sys.executable, "-c", BUILDER, str(trials), kind]
    where = environment() | {"DISPLAY": name}
    with subprocess.Popen(command, cwd=ROOT, env=where, stdout=subprocess.PIPE, text=True) as process:
        scripts = draw_schedules(trials + 1, "timing", protocol)[1:]
        watch = Watcher(name, "PsychoPy").watch(scripts, lives=lambda: process.poll() is None)
        assert process.stdout
        rows = [json.loads(line) for line in process.stdout if line.startswith("[")]
    return list(watched_errors(Log(tuple(map(read_row, range(len(rows)), rows)), (), 60.0, 0.0), watch).trials)


def read_row(number: int, row: list[Any]) -> LoggedTrial:
    """What the script logged of a trial; it marks none."""
    onset_s, offset_s, rt_s, keys = row
    return LoggedTrial(number, onset_s, offset_s, onset_s + rt_s, tuple((key, 0.0) for key in keys), 0)


def told(found: dict[str, Trials]) -> None:
    """The table, and what of the goals was reached."""
    names = {"Day Four": "Day Four", "paced": "Builder-style script, 60 Hz", "bare": "Builder-style script, bare flips"}
    rows, responses = [], dict[str, Summary]()
    for kind, trials in found.items():
        for what in ("response", "onset", "duration"):
            one = summary([getattr(trial, f"{what}_s") for trial in trials])
            assert one
            assert one.median_s is not None
            assert one.sd_s is not None
            if what == "response":
                responses[kind] = one
            numbers = (f"{1e3 * value:.2f}" for value in (one.median_s, one.sd_s, one.p99_s, one.largest_s))
            rows.append((f"{names[kind]}: {what}", str(one.count), *numbers))
    print_table("errors in ms, logged minus true", ("", "n", "median", "sd", "p99", "largest"), rows)
    for kind, trials in found.items():
        lost, doubled = sum(len(one.lost) for one in trials), sum(len(one.doubled) for one in trials)
        made = sum(len(one.press_s) for one in trials) + lost
        print(f"{names[kind]}: {made} presses, {lost} lost, {doubled} doubled")
    goals(found["Day Four"], responses)


def goals(trials: Trials, responses: dict[str, Summary]) -> None:
    """Each goal with what was found."""
    own, other = responses["Day Four"], responses["paced"]
    onset = summary([one.onset_s for one in trials])
    assert own.sd_s
    assert own.median_s is not None
    assert other.sd_s
    assert onset
    assert onset.sd_s
    beyond = [one for one in trials if not one.missed and one.worst_s() > 0.003]
    marked = sum(one.missed > 0 for one in trials)
    rows = [
        ("response sd, ms", f"at most {1e3 * RESPONSE_SD_S:.2f}", f"{1e3 * own.sd_s:.3f}", own.sd_s <= RESPONSE_SD_S),
        ("  of the script's", "at most 0.33", f"{own.sd_s / other.sd_s:.2f}", own.sd_s <= other.sd_s / 3),
        (
            "response median, ms",
            f"within {1e3 * RESPONSE_MEDIAN_S:.1f}",
            f"{1e3 * own.median_s:.3f}",
            abs(own.median_s) <= RESPONSE_MEDIAN_S,
        ),
        ("onset sd, ms", f"at most {1e3 * ONSET_SD_S:.2f}", f"{1e3 * onset.sd_s:.3f}", onset.sd_s <= ONSET_SD_S),
        (f"beyond 3 ms, unmarked ({marked} marked)", "0", str(len(beyond)), not beyond),
    ]
    print_table("Day Four", ("", "goal", "found", "reached"), [(*row[:3], "yes" if row[3] else "NO") for row in rows])


def loaded(name: str, folder: Path) -> None:
    """Flips and gaps while another process loads one core: by the transcript, and as DAMAGE saw them."""
    session = TimingSession(str(folder), str(PROTOCOL), LOADED_TRIALS, full_screen=True, participant=ROBOT)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as load:
        try:
            seen_s = damages(session, name)
        finally:
            load.kill()
    said = read_log(transcript.read(session.transcript, pilot=True).events)
    assert said.zero_count_s is not None
    period_s = 1 / said.refresh_hz
    logged_s = [said.zero_count_s + one for one in said.flips_s]
    seen_s = [one for one in seen_s if logged_s[0] - period_s / 2 < one < logged_s[-1] + period_s / 2]
    unseen = [one for one in logged_s if distance(seen_s, one) > period_s / 2]
    unlogged = [one for one in seen_s if distance(logged_s, one) > period_s / 2]
    by_log, by_eye = gaps(logged_s, said.refresh_hz), gaps(seen_s, said.refresh_hz)
    both = [one for one in by_eye if distance([start_s for start_s, _ in by_log], one[0]) < period_s / 2]
    rows = [
        ("flips", str(len(logged_s)), str(len(seen_s))),
        ("of which the other side knows nothing", str(len(unseen)), str(len(unlogged))),
        ("gaps with missed refreshes", str(len(by_log)), str(len(by_eye))),
        ("  on both sides", str(len(both)), str(len(both))),
        ("refreshes missed", str(sum(of for _, of in by_log)), str(sum(of for _, of in by_eye))),
    ]
    print_table("while one core is loaded", ("", "transcript", "from outside"), rows)
    for start_s, _ in sorted(set(by_eye) - set(both)):
        lengths_ms = [1e3 * longest_near(times_s, start_s, period_s) for times_s in (seen_s, logged_s)]
        print("  only outside: {:.1f} ms, where the longest wait in the transcript is {:.1f} ms".format(*lengths_ms))


def damages(session: TimingSession, name: str) -> list[float]:
    """When each flip of the session's window reached the X server, on this computer's counter."""
    from Xlib.display import Display
    from Xlib.ext import damage

    stamps: list[float] = []
    with start_session(session, name) as process:
        eye = Display(name)
        eye.damage_query_version()
        window = None
        while window is None and process.poll() is None:
            window = next((one for one in _windows(eye.screen().root) if one.get_wm_name() == TITLE), None)
            time.sleep(0.05)
        assert window is not None
        window.damage_create(damage.DamageReportRawRectangles)
        eye.sync()
        while process.poll() is None:
            select.select([eye.fileno()], [], [], 0.2)
            now_s = time.perf_counter()
            while eye.pending_events():
                eye.next_event()
                if not stamps or now_s - stamps[-1] > FLIP_S:
                    stamps.append(now_s)
    return stamps


def gaps(flips_s: Sequence[float], hz: float) -> list[tuple[float, int]]:
    """Where refreshes passed without a flip: the flip before, and how many."""
    waits = ((earlier_s, int(missed_refreshes(later_s - earlier_s, hz))) for earlier_s, later_s in pairwise(flips_s))
    return [(start_s, missed) for start_s, missed in waits if missed]


def longest_near(times_s: Sequence[float], at_s: float, period_s: float) -> float:
    """The longest wait between flips about a moment."""
    near = [one for one in times_s if abs(one - at_s) < 4 * period_s]
    return max((later_s - earlier_s for earlier_s, later_s in pairwise(near)), default=0.0)


def distance(times_s: Sequence[float], at_s: float) -> float:
    """From a time to the nearest of these, which are in order."""
    place = bisect_left(times_s, at_s)
    return min((abs(one - at_s) for one in times_s[max(0, place - 1) : place + 1]), default=float("inf"))


if __name__ == "__main__":
    main()
