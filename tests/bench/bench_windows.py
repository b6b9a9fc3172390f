"""The input campaign in real windows: random keys and clicks by XTEST, kills, restarts, and what is said after them.

Half of the sessions have a window manager (openbox), half have none. Every key or click that is injected has to be in
the log, in order, but for those of the last moments before a kill. Arguments: how many
sessions (20), and a seed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from random import Random

from pyvirtualdisplay.display import Display

from experiment.design.scale import Scale
from experiment.design.visit import Visit
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Click, Key, Rated, Shown
from experiment.record.events_beside import Unwritable
from experiment.replay.verify import verify
from experiment.task.layout import MINIMUM_SIZE_PX, Layout
from tests.bench.reporting import print_table
from tests.lab import SUBJECT, TASK, Eyes, Lab, Sitting, managed
from tests.xtest import Hands

SESSIONS, ACTIONS, SITTINGS = 20, 40, 2
KEYS = ("space", "space", "1", "4", "7", "left", "right", "return", "x")
UNSURE = 6  # inputs that a kill may take along: those of the last tenths of a second


def main() -> int:
    """Try them, and print the table; 1 if anything was wrong."""
    sessions = int(sys.argv[1]) if sys.argv[1:] else SESSIONS
    seed = int(sys.argv[2]) if sys.argv[2:] else 1
    rows, all_wrong = [], 0
    for manager in (None, "openbox"):
        began_s, injected, wrong = time.monotonic(), 0, list[str]()
        with Display(size=(1600, 900), manage_global_env=False, extra_args=["-noreset"]) as server:
            display = str(server.new_display_var)
            with managed(display, manager), Hands(display) as hands, Eyes(display) as eyes:
                for number in range((sessions + (manager is None)) // 2):
                    with tempfile.TemporaryDirectory() as folder:
                        more, found = play(Lab(display, Path(folder)), hands, eyes, Random(seed + number))
                    injected, wrong = (
                        injected + more,
                        wrong + [f"{manager}, seed {seed + number}: {one}" for one in found],
                    )
        print("\n".join(wrong))
        all_wrong += len(wrong)
        rows.append(
            (manager or "none", f"{number + 1}", f"{injected}", f"{len(wrong)}", f"{time.monotonic() - began_s:.0f}")
        )
    print_table("Sessions in real windows", ("window manager", "sessions", "inputs", "wrong", "s"), rows)
    return 1 if all_wrong else 0


def play(lab: Lab, hands: Hands, eyes: Eyes, dice: Random) -> tuple[int, list[str]]:
    """A session of some sittings, each killed; how many inputs were injected, and what was wrong."""
    lab.messages()
    wrong: list[str] = []
    injected = 0
    path = DataSet(lab.data).transcript(Visit(SUBJECT, 1), TASK)
    for sitting in range(SITTINGS):
        before = len(_inputs(path))
        running = lab.runs(more=("--windowed", *(("--resume",) if sitting else ())))
        _until_shown(running, path, sitting)
        given = _act(running, hands, eyes, dice)
        running.process.kill()
        running.process.communicate()
        logged = _inputs(path)[before:]
        injected += len(given)
        if logged != given[: len(logged)] or len(logged) < len(given) - UNSURE:
            wrong.append(f"{len(given)} inputs were injected and {len(logged)} logged: {given} {logged}")
        status, said = lab.runs(more=("--windowed",)).ends()
        rated = {event.question for event in log.read(path).events if isinstance(event, Rated)}
        if status != 2 or "messages have been rated" not in said or (not rated and "0 of 2" not in said):
            wrong.append(f"the next start said: {said}")
    who = ("--subject", SUBJECT, "--session", 1, "--operator", "TA")
    status, said = lab.begins("run", *who, "--close", *lab.places()).ends()
    if status or any(isinstance(event, Unwritable) for event in log.read(path).events):
        wrong.append(f"closing: {said}")
    wrong += [f"verified: {finding}" for finding in verify(path).findings]
    return injected, wrong


def _act(running: Sitting, hands: Hands, eyes: Eyes, dice: Random) -> list[str]:
    """Random keys and clicks; what has to be logged."""
    given: list[str] = []
    layout = Layout(*MINIMUM_SIZE_PX)
    left_px, top_px = eyes.window_corner()
    for _ in range(dice.randrange(ACTIONS // 2, ACTIONS)):
        if running.process.poll() is not None:
            break
        if dice.random() < 0.25:
            on_scale = layout.scale(Scale()).number_place(5)
            x_px, y_px = dice.choice([(layout.button.x_px, layout.button.y_px), on_scale, (7, 9)])
            hands.click(left_px + layout.width_px // 2 + x_px, top_px + layout.height_px // 2 - y_px, 0.02)
            given.append("click")
        else:
            given.append(key := dice.choice(KEYS))
            hands.tap(key, 0.02)
        time.sleep(dice.choice((0.03, 0.05, 0.2)))
    return given


def _until_shown(running: Sitting, path: Path, sitting: int) -> None:
    """Until this sitting's first scene is on the screen."""
    while sum(isinstance(event, Shown) for event in _events(path)) <= 0 or _sittings(path) <= sitting:
        assert running.process.poll() is None, running.ends()
        time.sleep(0.05)
    time.sleep(0.5)


def _events(path: Path) -> tuple[object, ...]:
    return log.read(path).events if path.exists() and log.has_begun(path) else ()


def _sittings(path: Path) -> int:
    starts = [at for at, event in enumerate(_events(path)) if type(event).__name__ == "Started"]
    return len([at for at in starts if any(isinstance(event, Shown) for event in _events(path)[at:])])


def _inputs(path: Path) -> list[str]:
    """What went down, in order."""
    return [
        "click" if isinstance(event, Click) else event.key
        for event in _events(path)
        if isinstance(event, Key | Click) and event.down
    ]


if __name__ == "__main__":
    sys.exit(main())
