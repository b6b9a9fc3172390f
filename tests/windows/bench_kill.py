"""What TerminateProcess takes on the Windows bench: sessions, and a register that ten processes share.

`python -m tests.windows.bench_kill [SESSIONS [KILLS]]`. A rating counts as confirmed once the next scene was shown
after it, also where that scene had waited in vain for the rating to be with the system; how often that was is told.
Sessions run on the simulated screen, each call of which takes a moment, so that kills fall anywhere.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec

from experiment.errors import DayFourError
from experiment.record.events import Rated
from experiment.record.transcript import read
from experiment.study.events import Enrolled
from experiment.study.register import Register
from experiment.study.setup import set_up
from tests.bench.reporting import print_table
from tests.registers import PUBLIC_KEYS, STUDY
from tests.test_study_register import WORKER
from tests.windows.bench import Bench

SESSION = """
import os, sys, time
from itertools import count
from pathlib import Path
from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Rated
from experiment.screens.clock import Zero
from experiment.screens.simulated_screen import SimulatedScreen, simulated_info
from experiment.session import plan as plans, run as sessions
from experiment.task.layout import Layout

rated, hurried = [], []

class Noting(log.Writer):
    def append(self, event):
        super().append(event)
        rated.extend([1] if isinstance(event, Rated) else [])

class SlowScreen(SimulatedScreen):
    def show(self, scene):
        hurried.extend([] if transcript.settle() else [1])
        onset_s = super().show(scene)
        os.write(1, b"%s %d %d\\n" % (name.encode(), len(rated), len(hurried)))
        time.sleep(0.001)
        return onset_s

    def wait(self, until_s):
        time.sleep(0.001)
        return super().wait(until_s)

data, begins = DataSet(Path(sys.argv[1])), int(sys.argv[2])
root = Path(sessions.__file__).parents[2] / "stimuli"
protocol, messages = read_protocol(root / "protocol.toml"), read_messages(root / "examples" / "english.csv")
for number in count():
    name = f"k{begins}x{number}"
    rated.clear(), hurried.clear()
    plan = plans.plan_session(
        "simulate", protocol, messages, data, subject=name, session=1, seed=1, operator="bench", participant="quick",
        resume=False,
    )
    info = simulated_info()
    with Noting(plan.transcript) as transcript:
        screen = SlowScreen(sessions._participant(plan, Layout(info.width_px, info.height_px)), info)
        sessions._run_task(plan, screen, Zero(sessions.SIMULATED_UTC, None), transcript)
"""
# What the killed process told until then: the last line of each.
KILLS = """
import random, subprocess, sys, time
session, data, first, last = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for number in range(first, last):
    command = [sys.executable, "-c", session, data, str(number)]
    process = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1)
    told = process.stdout.readline()
    time.sleep(random.uniform(0, 0.5))
    process.kill()
    rest, error = process.communicate()
    told += rest
    lines = told[: told.rfind(b"\\n") + 1].decode().splitlines()
    print(lines[-1] if lines else f"none {error[-300:]}", flush=True)
"""
# Under Wine each try at a locked file is slow (README), and these ten do nothing but enrol.
PATIENT = "from experiment.storage import lock; lock.WAIT_S = 600.0\n"
ENROLS = """
import random, subprocess, sys, time
worker, folder, kills, *subjects = sys.argv[1:]
random.seed(1)
shares = [subjects[at::10] for at in range(10)]

def start(share):
    command = [sys.executable, "-c", worker, folder, *share]
    return subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True)

workers, told = [start(share) for share in shares], []
for number in range(int(kills)):
    process = workers[number % 10]
    told.append(process.stdout.readline())
    time.sleep(random.uniform(0, 0.05))
    process.kill()
    rest = process.communicate()[0]
    told += rest[: rest.rfind("\\n") + 1].splitlines()
    workers[number % 10] = start(shares[number % 10])
for process in workers:
    out, error = process.communicate()
    assert process.returncode == 0, error
    told += out.splitlines()
print(*(line.strip() for line in told), sep="\\n")
"""


def main(sessions: int = 100, kills: int = 10) -> None:
    """Kill, count, and print."""
    with tempfile.TemporaryDirectory() as name:
        found = killed_sessions(Path(name), sessions)
        print_table("Sessions ended by TerminateProcess", ("", "found", "goal"), [
            (what, f"{found[what]}", goal) for what, goal in (
                ("sessions killed", "100"), ("confirmed ratings", ""), ("confirmed ratings lost", "0"),
                ("scenes that waited in vain", ""), ("unreadable transcripts", "0"),
            )
        ])  # fmt: skip
        lines = enrolled(Path(name) / "study", kills)
    print_table(f"10 processes enrol 50 participants, {kills} of them are ended", ("", "found", "goal"), lines)


def killed_sessions(folder: Path, count: int) -> Counter[str]:
    """What became of the session in which each process was killed."""
    status, out, told = Bench(limit_s=36_000).python(KILLS, SESSION, folder, 0, count)
    assert status == 0, told
    found = Counter[str]()
    for line in out.splitlines():
        subject, confirmed, hurried = line.split()
        found["sessions killed"] += 1
        found["confirmed ratings"] += int(confirmed)
        found["scenes that waited in vain"] += int(hurried)
        try:
            transcript = read(next(folder.rglob(f"sub-{subject}_*_transcript.jsonl")), pilot=True)
        except DayFourError:
            found["unreadable transcripts"] += 1
            continue
        kept = sum(isinstance(event, Rated) for event in transcript.events)
        found["confirmed ratings lost"] += max(0, int(confirmed) - kept)
        if int(confirmed) > kept:
            sys.stdout.write(f"{subject}: {confirmed} confirmed, {kept} kept, {hurried} scenes waited in vain\n")
    return found


def enrolled(folder: Path, kills: int) -> list[tuple[str, str, str]]:
    """Rows about the places that a register shared by ten processes gave."""
    register = Register(folder)
    set_up(register, msgspec.structs.replace(STUDY, participants=26), *PUBLIC_KEYS, "PI")
    subjects = [str(number) for number in range(1, 51)]
    status, out, told = Bench(limit_s=3600).python(ENROLS, PATIENT + WORKER, folder, kills, *subjects)
    assert status == 0, told
    acts = [entry.act for entry in register.entries()]
    places = [(act.stratum, act.place, act.subject) for act in acts if isinstance(act, Enrolled)]
    given = Counter((stratum, place) for stratum, place, _ in places)
    skipped = sum(
        (stratum, place) not in given
        for stratum in ("north", "south")
        for place in range(1, 1 + sum(one[0] == stratum for one in places))
    )
    kept = {(subject, str(place)) for _, place, subject in places}
    told_places = {tuple(line.split()) for line in out.splitlines() if line.strip()}
    return [
        ("participants enrolled", f"{len(places)}", "50"),
        ("places given twice", f"{sum(number > 1 for number in given.values())}", "0"),
        ("places skipped", f"{skipped}", "0"),
        ("told and lost", f"{len(told_places - kept)}", "0"),
    ]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
