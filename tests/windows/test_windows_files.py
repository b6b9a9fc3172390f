"""Files under Windows' Python on the Windows bench: other programs that hold them, several processes, kills."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from experiment.study.events import Enrolled
from experiment.study.register import Register
from experiment.study.setup import enrol, set_up
from tests.registers import PUBLIC_KEYS, STUDY
from tests.test_recorded import DATA_SETS
from tests.test_study_register import WORKER
from tests.windows.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.windows

# As a spreadsheet does: CreateFile for reading and writing, sharing nothing (Microsoft, "CreateFileW", dwShareMode 0).
HOLDS = """
import ctypes, sys
from pathlib import Path
kernel32 = ctypes.WinDLL("kernel32")
kernel32.CreateFileW.restype, kernel32.CloseHandle.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
path = Path(sys.argv[1])
handle = kernel32.CreateFileW(str(path), 0xC0000000, 0, None, 3, 0, None)
"""
WRITES = f"""{HOLDS}
from experiment.errors import EquipmentFailure
from experiment.storage.atomic_file import write_whole
try:
    write_whole(path, "new")
except EquipmentFailure as error:
    print(error)
kernel32.CloseHandle(handle)
print([one.name for one in path.parent.iterdir()], path.read_text())
write_whole(path, "new")
print(path.read_text())
"""
READS = f"""{HOLDS}
from experiment.errors import EquipmentFailure
from experiment.record.tsv import read_table
try:
    read_table(path, "participant_id")
except EquipmentFailure as error:
    print(error)
"""
LETS_GO = f"""{HOLDS}
import threading
from experiment.storage.atomic_file import write_whole
threading.Timer(0.3, kernel32.CloseHandle, [handle]).start()
write_whole(path, "new one")
print(path.read_text())
"""
WAITS = f"""{HOLDS}
print("held", handle not in (None, ctypes.c_void_p(-1).value), flush=True)
sys.stdin.readline()
"""
# TerminateProcess, which nothing can catch, at random moments.
KILLS = """
import random, subprocess, sys, time
worker, folder, *subjects = sys.argv[1:]
random.seed(1)
command = [sys.executable, "-c", worker, folder, *subjects]
workers = [subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) for _ in range(4)]
told = []
for number, process in enumerate(workers):
    if number < 2:
        told.append(process.stdout.readline())
        time.sleep(random.uniform(0, 0.05))
        process.kill()
    out, error = process.communicate()
    told += out.splitlines()
    assert number < 2 or process.returncode == 0, error
print(*told, sep="\\n")
"""


def test_a_file_that_another_program_holds_is_not_replaced(tmp_path: Path) -> None:
    """The error names it and says to close it, it stays as it was, and nothing is left beside it."""
    path = tmp_path / "sub-DF1_sessions.tsv"
    path.write_text("old")
    status, out, told = Bench().python(WRITES, path)
    assert status == 0, told
    error, kept, written = out.splitlines()
    assert "sub-DF1_sessions.tsv cannot be saved" in error
    assert "Close it in other programs" in error
    assert (kept, written) == ("['sub-DF1_sessions.tsv'] old", "new")


def test_a_table_that_another_program_holds_is_named(tmp_path: Path) -> None:
    """Where Windows lets nobody read it, the assistant hears which file to close."""
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\n")
    status, out, told = Bench().python(READS, path)
    assert status == 0, told
    assert "participants.tsv cannot be read" in out
    assert "Close it in other programs" in out


@contextmanager
def held(path: Path) -> Iterator[None]:
    """A file that another program has open, and lets nobody use meanwhile."""
    bench = Bench()
    with bench.start(*bench.command(WAITS, path)) as program:
        assert program.stdout
        assert program.stdout.readline() == "held True\n"
        try:
            yield
        finally:
            program.communicate("\n")


def test_a_trial_table_that_a_spreadsheet_holds_is_remade_once_it_is_free(tmp_path: Path) -> None:
    """The command names the table and leaves it; once it is closed there, the same command makes it."""
    data, bench = tmp_path / "data", Bench()
    shutil.copytree(DATA_SETS["real"], data)
    (table,) = data.rglob("*_beh.tsv")
    there = table.read_bytes()
    table.write_bytes(there + b"x")
    with held(table):
        status, out, told = bench.dayfour("table", data, "--remake")
        assert (status, table.name in out + told) == (4, True), told
    assert table.read_bytes() == there + b"x"
    status, _, told = bench.dayfour("table", data, "--remake")
    assert (status, table.read_bytes()) == (0, there), told


@pytest.mark.parametrize("name", ["register.jsonl", "head.json"])
def test_a_register_that_another_program_holds_is_named(tmp_path: Path, name: str) -> None:
    """Nobody is enrolled, and nothing is recorded; once it is free, the same command does it."""
    register, bench = Register(tmp_path / "study"), Bench()
    set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    enrols = ("study", "enrol", "--subject", "DF1", "--stratum", "north", "--operator", "RA", "--data", tmp_path)
    with held(register.folder / name):
        status, _, told = bench.dayfour(*enrols)
        assert (status, name in told) == (4, True), told
    assert len(register.entries()) == 1
    status, _, told = bench.dayfour(*enrols)
    assert (status, len(register.entries())) == (0, 2), told


def test_a_file_that_is_held_for_a_moment_is_replaced(tmp_path: Path) -> None:
    """Windows replaces no file that is open, so it is tried again: nothing fails because somebody has a look."""
    path = tmp_path / "head.json"
    path.write_text("old")
    status, out, told = Bench().python(LETS_GO, path)
    assert (status, out) == (0, "new one\n"), told


def test_processes_that_share_a_register_enrol_while_some_are_killed(tmp_path: Path) -> None:
    """Every participant has one place, none is skipped or given twice, and nothing that was told is lost."""
    register = Register(tmp_path / "study")
    set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    subjects = [str(number) for number in range(1, 13)]
    status, out, told = Bench(limit_s=1200).python(KILLS, WORKER, register.folder, *subjects)
    assert status == 0, told
    places = {entry.act.subject: entry.act.place for entry in register.entries() if isinstance(entry.act, Enrolled)}
    for subject in set(subjects) - places.keys():  # whom the killed left out
        enrolled = enrol(register, subject, ("north", "south")[int(subject) % 2], "RA").act
        assert isinstance(enrolled, Enrolled)
        places[subject] = enrolled.place
    for side in (0, 1):
        assert sorted(place for subject, place in places.items() if int(subject) % 2 == side) == list(range(1, 7))
    told_places = [line.split() for line in out.splitlines() if line.strip()]
    assert {subject: str(places[subject]) for subject, _ in told_places} == dict(told_places)
