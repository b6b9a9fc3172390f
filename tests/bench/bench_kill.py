"""What SIGKILL takes from a session: 300 sessions killed at a random moment, and each gone on with to its end.

A rating counts as confirmed once the next scene was on the screen: the killed process says so through a pipe, after
each scene, with the number of ratings that came before it. 270 sessions are held on the simulated screen, each call of
which takes a moment, so that kills fall anywhere; 30 in a real window on a virtual display by a robot, and go on there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.errors import DayFourError
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Event, Input, Mode, Rated, Refreshes, Scene
from experiment.record.resume import is_interrupted
from experiment.screens.clock import Zero
from experiment.screens.simulated_screen import SimulatedScreen, simulated_info
from experiment.session import plan as plans
from experiment.session import run as sessions
from experiment.session.plan import Plan
from experiment.task.layout import Layout
from tests.bench.reporting import ROOT, display, environment, print_table
from tests.lab import short_protocol
from tests.places import EXAMPLES
from tests.trial_tables import read_table

SIMULATED, IN_WINDOW = 270, 30
MESSAGES = 2
MOMENT_S = 0.0005
HABITS = ("quick", "changing", "early", "mouse")
HELD = """
import os, sys
from pathlib import Path
from experiment.record import transcript
from experiment.session.run import run_in_window
from experiment.screens.window import Window
from tests.bench.bench_kill import plan_of
append, show, rated = transcript.Writer.append, Window.show, []

def noted(writer, event):
    append(writer, event)
    rated.extend([1] if type(event).__name__ == "Rated" else [])

def shown(window, scene):
    onset_s = show(window, scene)
    os.write(1, b"\\n%d\\n" % len(rated))
    return onset_s

transcript.Writer.append, Window.show = noted, shown
_, folder, subject, resume = sys.argv
run_in_window(plan_of(Path(folder), subject, "quick", "pilot", resume=resume == "True"), full_screen=False)
"""


class SlowScreen(SimulatedScreen):
    """A simulated screen that takes some time, settles as the window does, and says what was confirmed."""

    def __init__(self, plan: Plan, transcript: log.Writer, confirmed: Callable[[], int], pipe: int) -> None:
        info = simulated_info()
        super().__init__(sessions._participant(plan, Layout(info.width_px, info.height_px)), info)
        self._transcript, self._confirmed, self._pipe = transcript, confirmed, pipe

    def show(self, scene: Scene) -> float:
        """The onset, after what led here was settled."""
        self._transcript.settle()
        onset_s = super().show(scene)
        os.write(self._pipe, b"%d\n" % self._confirmed())
        time.sleep(MOMENT_S)
        return onset_s

    def wait(self, until_s: float) -> Input | None:
        """The next input, after a moment."""
        time.sleep(MOMENT_S)
        return super().wait(until_s)

    def refreshes(self) -> Refreshes:
        """None, after a moment."""
        time.sleep(MOMENT_S)
        return super().refreshes()


def plan_of(folder: Path, subject: str, participant: str, mode: Mode, *, resume: bool) -> Plan:
    """A session of the bench, or the rest of one."""
    return plans.plan_session(
        mode, read_protocol(folder / "protocol.toml"), read_messages(EXAMPLES / "english.csv")[:MESSAGES],
        DataSet(folder / "data"), subject=subject, session=1, seed=1, operator="bench", participant=participant,
        resume=resume,
    )  # fmt: skip


def main() -> None:
    """Kill, go on, count, and print."""
    with tempfile.TemporaryDirectory() as name, display() as screen:
        folder = Path(name)
        short_protocol(folder / "protocol.toml", {"messages = 6": f"messages = {MESSAGES}"})
        simulated = _killed(SIMULATED, partial(_simulated, folder))
        in_window = _killed(IN_WINDOW, partial(_in_window, folder, environment() | {"DISPLAY": screen}))
    rows = [
        (what, *(f"{simulated[what]}", f"{in_window[what]}", f"{simulated[what] + in_window[what]}"), goal)
        for what, goal in (
            ("sessions killed", "300"), ("confirmed ratings", ""), ("confirmed ratings lost", "0"),
            ("torn in a line", ""), ("before anything was shown", ""), ("unreadable transcripts", "0"),
            ("resumed to a complete table", "all"),
        )
    ]  # fmt: skip
    print_table("SIGKILL at random moments", ("", "simulated", "in a window", "all", "goal"), rows)


def _killed(count: int, one: Callable[[int, Random], Counter[str] | None]) -> Counter[str]:
    """What became of so many sessions that were killed before they ended."""
    random, numbers, found = Random(count), iter(range(10**6)), Counter[str]()
    while found["sessions killed"] < count:
        found += one(next(numbers), random) or Counter()
    return found


def _simulated(folder: Path, number: int, random: Random) -> Counter[str] | None:
    subject, habit = f"sim{number}", HABITS[number % len(HABITS)]
    plan = plan_of(folder, subject, habit, "simulate", resume=False)
    reading, writing = os.pipe()
    if (process := os.fork()) == 0:
        _hold(plan, writing)
    os.close(writing)
    time.sleep(random.uniform(0, 0.35))
    os.kill(process, signal.SIGKILL)
    killed = os.WIFSIGNALED(os.waitpid(process, 0)[1])
    with os.fdopen(reading, "rb") as pipe:
        confirmed = _last(pipe.read())
    if not killed:
        return None
    return _found(plan, confirmed, lambda resume: sessions.run_simulated(_again(folder, subject, habit, resume)))


def _again(folder: Path, subject: str, habit: str, resume: bool) -> Plan:  # noqa: FBT001 - it is handed on
    return plan_of(folder, subject, habit, "simulate", resume=resume)


def _hold(plan: Plan, pipe: int) -> None:
    """The session, in a process of its own that never returns."""
    rated: list[Event] = []

    class Noting(log.Writer):
        def append(self, event: Event) -> None:
            super().append(event)
            rated.extend([event] if isinstance(event, Rated) else [])

    with Noting(plan.transcript) as transcript:
        screen = SlowScreen(plan, transcript, lambda: len(rated), pipe)
        sessions._run_task(plan, screen, Zero(sessions.SIMULATED_UTC, None), transcript)
    os._exit(0)


def _in_window(folder: Path, env: dict[str, str], number: int, random: Random) -> Counter[str] | None:
    subject = f"win{number}"
    plan = plan_of(folder, subject, "quick", "pilot", resume=False)

    def held(resume: bool) -> subprocess.Popen[bytes]:  # noqa: FBT001 - it is handed on
        command = [sys.executable, "-c", HELD, str(folder), subject, str(resume)]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=quiet)

    process = held(resume=False)
    assert process.stdout
    seen = b""
    while not any(line.isdigit() for line in seen.split(b"\n")):
        seen += process.stdout.readline()
    time.sleep(random.uniform(0, 9))
    process.kill()
    confirmed = _last(seen + process.communicate()[0])
    if process.returncode == 0:
        return None
    return _found(plan, confirmed, lambda resume: held(resume).communicate())


def _last(said: bytes) -> int:
    """The last whole number of ratings that a process told."""
    return max((int(line) for line in said.split(b"\n")[:-1] if line.isdigit()), default=0)


def _found(plan: Plan, confirmed: int, go_on: Callable[[bool], object]) -> Counter[str]:
    found = Counter({"sessions killed": 1, "confirmed ratings": confirmed})
    begun = log.has_begun(plan.transcript)
    try:
        before = log.read(plan.transcript, pilot=True) if begun else None
        rated = sum(isinstance(event, Rated) for event in before.events) if before else 0
        if before is not None and before.ended is not None and not is_interrupted(before):
            return Counter()  # it had ended already
        found["confirmed ratings lost"] = max(0, confirmed - rated)
        found["torn in a line"] = int(before is not None and before.torn_bytes > 0)
        found["before anything was shown"] = int(not begun)
        go_on(begun)
        found["resumed to a complete table"] = int(_is_complete(plan))
    except DayFourError as error:
        print(error)
        found["unreadable transcripts"] = 1
    return found


def _is_complete(plan: Plan) -> bool:
    """Whether the session ended well, and its table has each message once with both ratings."""
    table = read_table(plan.data.table(plan.session.visit, plan.protocol.task))
    ids = sorted(message.message_id for message in plan.messages[1:])
    rated = table[["connection", "pleasure"]].notna().all(axis=None)
    ended = log.read(plan.transcript, pilot=True).ended
    return bool(rated) and sorted(table["message_id"]) == ids and ended is not None and ended.status == "completed"


if __name__ == "__main__":
    main()
