"""The time of each press on messages and scales of a session, logged minus true, and whose delay it is.

A session as participants get it (both scales; confirmed or with the first press final) is watched and pressed from
outside. A third process hears the same presses from the X server and does nothing else: it stands for what any program
could know. A press that both hear late was late in the server, such as while that copied a picture. What the session
adds of its own is the difference from that listener.

    python -m tests.bench.bench_presses [TRIALS] [confirm]
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from math import ceil
from pathlib import Path
from statistics import median, stdev

from experiment.cli.options import PROTOCOL
from experiment.record import transcript
from experiment.timing.errors import PRESS_P99_S, PRESS_SD_S, watched_errors
from experiment.timing.observations import Observation, OutsidePress, read_log
from experiment.timing.session import TimingSession, run_watched
from tests.bench.reporting import ROOT, display, environment, print_table

TRIALS = 100
NEAR_S = 0.02
GENERIC = 35  # an event of an extension, X11/X.h


def main() -> int:
    """Hold the session, and print the tables; 1 if the session's own part is beyond the goals."""
    trials = next((int(one) for one in sys.argv[1:] if one.isdecimal()), TRIALS)
    final = "confirm" not in sys.argv
    with display() as name, tempfile.TemporaryDirectory() as folder:
        protocol = Path(folder) / "protocol.toml"
        written = PROTOCOL.read_text(encoding="utf-8")
        protocol.write_text(written.replace("first_press_is_final = false", f"first_press_is_final = {final}".lower()))
        session = TimingSession(folder, str(protocol), trials, full_screen=True)
        command = [sys.executable, "-m", "tests.bench.bench_presses", "listen"]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment() | {"DISPLAY": name}, stdout=subprocess.PIPE, text=True
        ) as listener:
            try:
                watch = run_watched(session, name)
            finally:
                listener.terminate()
            assert listener.stdout
            heard_s = [float(line) for line in listener.stdout]
        return told(session, watch, heard_s)


def told(session: TimingSession, watch: Observation, heard_s: list[float]) -> int:
    """Three tables by screen: the session's errors, the listener's, and the session's less the listener's."""
    log = read_log(transcript.read(session.transcript, pilot=True).events)
    errors = watched_errors(log, watch)
    made = {one.trial: glow.presses for one, glow in zip(errors.trials, watch.glows, strict=True)}
    session_s: dict[str, list[float]] = {}
    listener_s: dict[str, list[float]] = {}
    for trial in errors.trials:
        for screen, error_s, press in zip(log.screens, trial.press_s, made[trial.trial], strict=False):
            if trial.trial and (near := nearest(press, heard_s)) is not None:
                session_s.setdefault(screen, []).append(error_s)
                listener_s.setdefault(screen, []).append(near - press.down.middle_s)
    own_s = {
        name: [one - other for one, other in zip(of, listener_s[name], strict=True)] for name, of in session_s.items()
    }
    kinds = (("session", session_s), ("listener", listener_s), ("session less listener", own_s))
    rows = [(f"{kind}: {name}", *numbers(of)) for kind, by_screen in kinds for name, of in by_screen.items()]
    print_table("errors of presses in ms, logged minus true", ("", "n", "median", "sd", "99 % within", "largest"), rows)
    goal = f"sd at most {1e3 * PRESS_SD_S:.1f}, 99 % within {1e3 * PRESS_P99_S:.1f} of the median"
    print(f"goal: {goal}; lost {errors.lost}, doubled {errors.doubled}; load {os.getloadavg()[0]:.1f}")
    print(f"the server's answer to a press took {1e3 * 2 * (errors.press_doubt_s or 0):.2f} ms (median)")
    return int(
        any(float(one[3]) > 1e3 * PRESS_SD_S or float(one[4]) > 1e3 * PRESS_P99_S for one in rows if "less" in one[0])
    )


def nearest(press: OutsidePress, heard_s: list[float]) -> float | None:
    """When the listener heard this press; None if it did not."""
    at_s = min(heard_s, key=lambda one: abs(one - press.down.middle_s), default=None)
    return at_s if at_s is not None and abs(at_s - press.down.middle_s) < NEAR_S else None


def numbers(errors_s: list[float]) -> tuple[str, ...]:
    """Count, median, sd, and the 99th percentile and largest distance from the median, in ms."""
    middle_s = median(errors_s)
    off_s = sorted(abs(one - middle_s) for one in errors_s)
    found = (middle_s, stdev(errors_s), off_s[ceil(0.99 * len(off_s)) - 1], off_s[-1])
    return (str(len(errors_s)), *(f"{1e3 * one:.2f}" for one in found))


def listen() -> None:
    """Print when each press was heard, on the counter of the session's log; with real-time priority if allowed."""
    from Xlib.display import Display
    from Xlib.ext import xinput

    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    server = Display()
    root = server.screen().root
    root.xinput_select_events([(xinput.AllMasterDevices, xinput.RawKeyPressMask)])
    server.sync()
    while True:
        select.select([server.fileno()], [], [])
        now_s = time.perf_counter()
        while server.pending_events():
            event = server.next_event()
            if event.type == GENERIC:
                sys.stdout.write(f"{json.dumps(now_s)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:2] == ["listen"]:
        listen()
    sys.exit(main())
