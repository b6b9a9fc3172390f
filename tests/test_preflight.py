"""The check before a session: each thing green, amber and red, and the whole of it on a real display and real keys."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from experiment.design.protocol import read_protocol
from experiment.errors import BadInput, EquipmentFailure
from experiment.messages.store import Folder
from experiment.preflight import (
    clocks,
    computer,
    data_folder,
    display,
    keyboards,
    load,
    open_window,
    report,
    software,
)
from experiment.preflight.computer import Part, at_once
from experiment.preflight.keyboards import CHILD, MARK, Crash, KeyboardProbe, probe_keyboard
from experiment.record.finding import Finding, Item, Severity, recorded_item, refusal, worst
from experiment.record.refreshes import Times
from experiment.screens.key_event import KeyEvent, now_s
from experiment.screens.keyboard import typed_on
from experiment.screens.refresh import OFF_BEAT, THOROUGH, Pace, measure_refresh
from experiment.session import readiness
from experiment.storage.atomic_file import write_whole
from experiment.system.facts import Power, ScreenMode, Volume
from experiment.system.linux import RIGHTS_ADVICE
from tests.known_computer import Known
from tests.small_disks import resize, small_disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.lab import Lab
    from tests.xtest import Hands

ROOT = Path(__file__).parents[1]
GRADES: tuple[Severity, ...] = ("ok", "note", "warning", "error")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="X11 and small disks")
some_items = st.builds(
    Finding, st.text("abc", min_size=1), st.sampled_from(GRADES), st.text(), st.none() | st.text(),
    st.none() | st.integers(-(2**53), 2**53) | st.floats() | st.text() | st.booleans(),
)  # fmt: skip


def by_name(items: Iterable[Finding]) -> dict[str, Finding]:
    """The items; each name once."""
    listed = list(items)
    found = {item.kind: item for item in listed}
    assert len(found) == len(listed)
    assert all(item.fix for item in listed if item.severity == "warning")
    return found


def grades(items: Iterable[Finding]) -> dict[str, str]:
    """The grade of each."""
    return {name: item.severity for name, item in by_name(items).items()}


# Items and what is said of them


@given(st.lists(some_items))
def test_the_worst_item_decides(items: list[Finding]) -> None:
    """One red is red; without reds, one amber is amber; only a red refuses, and every red is named with its fix."""
    assert GRADES.index(worst(items)) == max((GRADES.index(item.severity) for item in items), default=0)
    refusal = report.refuse(items)
    assert (refusal is None) == (worst(items) != "error")
    for item in items:
        if item.severity == "error":
            assert f"- {item.kind}: {item.text}." in str(refusal)


@given(some_items)
def test_an_item_is_read_back_from_a_transcript(finding: Finding) -> None:
    """As JSON, it comes back equal."""
    item = recorded_item(finding)
    assert msgspec.json.decode(msgspec.json.encode(item), type=Item) == item


def test_a_refusal_tells_what_to_do_and_how_to_begin_nevertheless() -> None:
    """Each red with its fix, indented; the option at the end; an equipment failure."""
    refusal = report.refuse([Finding("a", "error", "is bad", "Do\nthis."), Finding("b", "warning", "so so", "That.")])
    assert isinstance(refusal, EquipmentFailure)
    assert "- a: is bad.\n  Do\n  this.\n" in str(refusal)
    assert '--override "REASON"' in str(refusal)
    assert "so so" not in str(refusal)


def test_grades_are_told_by_words_too() -> None:
    """Without any colour, each of the four can be told from the others; what to do stands under all but the green."""
    items = [Finding(grade, grade, f"found {grade}", f"fix {grade}") for grade in GRADES]
    console = Console(width=100, no_color=True, record=True, file=StringIO())
    console.print(report.table(items))
    text = console.export_text()
    assert all(word in text for word, _ in report.WORDS.values())
    assert "fix ok" not in text
    assert text.index("found warning") < text.index("fix warning") < text.index("found error")


def test_a_refused_session_is_red_and_names_no_home() -> None:
    """The error's words, with the home folder as a tilde; without an error, green."""
    item = refusal("messages", BadInput(f"{Path.home()}/study/sub-1.csv is not there."))
    assert (item.severity, item.text, item.value) == ("error", "~/study/sub-1.csv is not there.", "BadInput")
    assert refusal("messages", None, "6 are there") == Finding("messages", "ok", "6 are there")


# Display


def shown(known: Known, *, has_display: bool = True, is_wayland: bool = False) -> dict[str, str]:
    """The grades of a computer's display."""
    return grades(display.items(known, has_display=has_display, is_wayland=is_wayland))


def test_a_display_as_it_should_be_is_green() -> None:
    """Native resolution, no scaling, never dark."""
    assert set(shown(Known()).values()) == {"ok"}


@pytest.mark.parametrize(
    ("known", "wanting"),
    [
        (Known(of_screen=ScreenMode(1280, 720, (1920, 1080), 1.0)), {"resolution": "warning"}),
        (Known(of_screen=ScreenMode(1920, 1080, None, 1.0)), {"resolution": "note"}),
        (Known(of_screen=ScreenMode(1920, 1080, (1920, 1080), 1.25)), {"scaling": "error"}),
        (Known(of_screen=None), {"resolution": "note", "scaling": "note"}),
        (Known(of_blanking_s=120.0), {"dark screen": "warning"}),
        (Known(of_blanking_s=600.0), {}),
        (Known(of_blanking_s=None), {"dark screen": "note"}),
    ],
)
def test_what_is_wrong_with_a_display_is_told(known: Known, wanting: dict[str, str]) -> None:
    """Each on its own; what the system does not tell is never green."""
    assert {name: grade for name, grade in shown(known).items() if grade != "ok"} == wanting


def test_no_display_is_red_and_a_compositor_amber() -> None:
    """Without a display nothing else is said of it."""
    assert shown(Known(), has_display=False) == {"display": "error"}
    assert shown(Known(), is_wayland=True)["display"] == "warning"


# Power, priority, programs, memory


def test_power_is_graded() -> None:
    """A battery in use and a processor that is kept slow are amber."""
    assert [computer.mains(on_mains=on).severity for on in (None, True, False)] == ["ok", "ok", "warning"]
    states = (Power(saves=False, setting="x"), Power(saves=True, setting="x"), None)
    assert [computer.saving(state).severity for state in states] == ["ok", "warning", "note"]
    assert [computer.priority(got).severity for got in ("nice -10", None)] == ["ok", "warning"]


@pytest.mark.parametrize(
    ("others", "cores", "grade"),
    [
        (0.1, 2, "ok"),
        (0.6, 2, "warning"),
        (1.0, 2, "warning"),
        (1.5, 2, "error"),
        (1.5, 8, "warning"),
        (0.3, 1, "error"),
    ],
)
def test_other_programs_are_graded_by_what_they_leave(others: float, cores: int, grade: str) -> None:
    """Amber from half a core on, red where not three quarters of one are left; the greediest is named."""
    item = load.others(load.Load(cores, others, {"backup": 0.2, "film": 0.7, "idle": 0.01}))
    assert item.severity == grade
    assert "(film 0.70, backup 0.20)" in item.text
    assert ("starting with film" in (item.fix or "")) == (grade != "ok")


@pytest.mark.parametrize(("free_mb", "grade"), [(4000, "ok"), (800, "warning"), (300, "error")])
def test_memory_is_graded(free_mb: int, grade: str) -> None:
    """A session takes some 300 MB, and as much again at its start."""
    assert load.memory(free_mb * 10**6).severity == grade


@contextmanager
def spinning() -> Iterator[None]:
    """A program of somebody else that takes a core: whoever started it has ended. It ends by itself at last."""
    spin = "import time; ends_s = time.monotonic() + 20\nwhile time.monotonic() < ends_s: pass"
    start = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdin=-3, stdout=-3, stderr=-3).pid)"
    command = [sys.executable, "-c", start, sys.executable, "-c", spin]
    pid = int(subprocess.run(command, stdout=-1, check=True, timeout=20).stdout)
    try:
        time.sleep(0.2)
        yield
    finally:
        os.kill(pid, 9)


@pytest.mark.alone
@on_linux
def test_a_program_that_takes_a_core_is_found_and_our_own_work_is_not() -> None:
    """Of a program of somebody else, nearly a core by its name; our own threads and children count for nothing."""
    with spinning():
        busy = load.load(0.5)
    assert busy.others > 0.4
    assert max(busy.by_name, key=lambda name: busy.by_name[name]).startswith("python")
    ends_s = time.monotonic() + 0.6

    def work() -> None:
        while time.monotonic() < ends_s:
            pass

    thread = threading.Thread(target=work)
    before = load.load(0.3).others
    thread.start()
    during = load.load(0.5).others
    thread.join()
    assert during < before + 0.5


# Clocks


def test_clocks_are_graded() -> None:
    """A coarse counter is red, a time that is being set amber."""
    assert [clocks.steady(*given).severity for given in ((0.0002, 1e-9), (-0.002, 1e-9), (0.0, 0.0156))] == [
        "ok", "warning", "error",
    ]  # fmt: skip
    now = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert clocks.date(now, now - timedelta(days=3)).severity == "ok"
    assert clocks.date(now, now + timedelta(days=3)).severity == "error"
    assert clocks.date(now.replace(year=1970), now.replace(year=1969)).severity == "error"
    assert [clocks.check_zone(name, now).severity for name in ("Europe/Berlin", "Etc/UTC", None)] == [
        "ok",
        "warning",
        "warning",
    ]
    assert clocks.check_zone("Europe/Berlin", now).text == "Europe/Berlin (UTC+0100)"
    assert [clocks.check_synchronised(now_is=state).severity for state in (True, None, False)] == [
        "ok",
        "note",
        "warning",
    ]


def test_a_wall_clock_that_is_set_meanwhile_is_seen() -> None:
    """By how much it moved against the counter, whichever way."""
    began_s = time.perf_counter()

    def wall_s(step_s: float) -> float:
        now_s = time.perf_counter()
        return 1e9 + now_s + (step_s if now_s - began_s > 0.05 else 0.0)

    assert clocks._step_s(lambda: wall_s(-0.5), 0.1) == pytest.approx(-0.5, abs=1e-3)
    assert clocks._step_s(time.perf_counter, 0.02) == pytest.approx(0, abs=1e-3)


# The data folder


@pytest.mark.parametrize(("free_mb", "grade"), [(50_000, "ok"), (500, "warning"), (50, "error")])
def test_room_is_graded(free_mb: int, grade: str) -> None:
    """A session needs little, but others write too."""
    assert data_folder.room(free_mb * 10**6).severity == grade


def test_a_folder_that_lies_elsewhere_is_amber() -> None:
    """On a network drive, or copied to a cloud; not known is not green."""
    assert data_folder.place(Volume("ext4", far=False), Path("/study/data")).severity == "ok"
    assert data_folder.place(Volume("nfs4", far=True), Path("/study/data")).severity == "warning"
    assert data_folder.place(Volume("ext4", far=False), Path("/anna/OneDrive - Lab/data")).severity == "warning"
    assert data_folder.place(None, Path("/study/data")).severity == "note"


def test_a_slow_disk_is_amber_and_one_in_trouble_red() -> None:
    """By the slowest save."""
    assert [data_folder.saving([0.002, slow]).severity for slow in (0.01, 0.3, 5.0)] == ["ok", "warning", "error"]
    assert [data_folder.locking(held=held).severity for held in (True, False)] == ["ok", "warning"]


def test_a_folder_that_takes_data_is_left_as_it_was(tmp_path: Path) -> None:
    """Written, synced, renamed, read back and locked; also one that is not there yet, which is not made."""
    found = by_name(data_folder.items(tmp_path / "data" / "set", Known()))
    assert {name: item.severity for name, item in found.items() if name != "free disk"} == {
        "data place": "ok", "data folder": "ok", "file locks": "ok",
    }  # fmt: skip
    assert 0 < float(found["data folder"].value or 0) < 100
    assert list(tmp_path.iterdir()) == []


@on_linux
def test_a_full_or_read_only_disk_is_red(tmp_path: Path) -> None:
    """In the system's words, without the path; the locks are not judged then."""
    with small_disk(tmp_path / "anna", 64) as disk:
        (disk / "rest").write_bytes(bytes(60 * 1024))
        full = by_name(data_folder.items(disk, Known()))
        assert (full["data folder"].severity, full["free disk"].severity) == ("error", "error")
        assert "No space left on device" in full["data folder"].text
        assert list(disk.iterdir()) == [disk / "rest"]
        resize(disk, 64, "ro")
        shut = by_name(data_folder.items(disk, Known()))
        assert (shut["data folder"].severity, shut["data folder"].value) == ("error", False)
        assert "Read-only file system" in shut["data folder"].text
        assert "anna" not in full["data folder"].text + shut["data folder"].text


def test_a_disk_that_gives_back_something_else_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is read back."""
    monkeypatch.setattr(data_folder, "write_whole", lambda path, content: write_whole(path, content[:-1]))
    assert by_name(data_folder.writing(tmp_path))["data folder"].severity == "error"


# Software


def test_this_environment_is_compared_with_the_lock() -> None:
    """The lock is read with its markers; a missing package and another version are named, the deciding ones first."""
    wanted = software.read_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert {"psychopy", "msgspec", "numpy", "hypothesis"} <= set(wanted)
    assert "pywin32" not in wanted or sys.platform == "win32"
    right = {"msgspec": software._installed("msgspec") or "", "numpy": software._installed("numpy") or ""}
    assert software.versions(right).severity == "ok"
    other = software.versions({**right, "msgspec": "0.0.1", "no-such-package": "1.0"})
    assert (other.severity, other.value) == ("warning", 2.0)
    assert other.text.endswith("instead of 0.0.1; no-such-package missing instead of 1.0")
    deciding = software.versions({**right, "aaa": "1", "numpy": "0.1"})
    assert deciding.severity == "error"
    assert deciding.text.startswith("numpy ")


def test_markers_of_the_lock_decide_for_this_computer() -> None:
    """A package of another system or Python does not count, and its version for this one does."""
    lock = (
        "here==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n    # via psychopy\n"
        "there==2.0 ; sys_platform == 'amiga' \\\n    --hash=sha256:02\n"
        "old==3.0 ; python_full_version < '3.2' \\\n    --hash=sha256:03\n"
        "old==4.0 ; python_full_version >= '3.2' \\\n    --hash=sha256:04\n"
    )
    assert software.read_lock(lock) == {"here": "1.0", "old": "4.0"}


def test_python_and_a_lost_lock_are_told(tmp_path: Path) -> None:
    """Other Pythons are red; without a lock nothing can be compared."""
    assert [software.python(found).severity for found in ((3, 9), (3, 10), (3, 12), (3, 13))] == [
        "error", "ok", "ok", "error",
    ]  # fmt: skip
    assert grades(software.items(tmp_path))["versions"] == "note"


# Keyboards


@pytest.mark.parametrize(
    ("found", "wanting"),
    [
        (KeyboardProbe("queue", None, 1, "given"), {}),
        (KeyboardProbe("queue", None, 1, "not needed"), {}),
        (KeyboardProbe("iohub", None, 2, "missing"), {"real-time rights": "warning"}),
        (KeyboardProbe("queue", None, 0, "given"), {"keyboards": "error"}),
        (KeyboardProbe("queue", None, None, "given"), {"keyboards": "note"}),
        (KeyboardProbe("queue", None, 1, "given", 0.5), {"key clock": "warning"}),
        (KeyboardProbe("poll", None, 1, "not needed"), {"keyboard": "error"}),
        (KeyboardProbe(None, "Why.\nDo this.", None, "unknown"),
         {"keyboard": "error", "keyboards": "note", "real-time rights": "note"}),
        (Crash(-11), {"keyboard": "error", "keyboards": "note"}),
        (Crash(3), {"keyboard": "error", "keyboards": "note"}),
        (Crash(None), {"keyboard": "error", "keyboards": "note"}),
    ],
)  # fmt: skip
def test_keyboards_are_graded(found: KeyboardProbe | Crash, wanting: dict[str, str]) -> None:
    """Each lack on its own."""
    assert {name: grade for name, grade in grades(keyboards.items(found)).items() if grade != "ok"} == wanting


def test_the_queues_refusal_becomes_what_is_wrong_and_what_to_do() -> None:
    """The lines to write stand under what to do, and only there."""
    failure = f"Key presses cannot be timed on this computer. This user has no right to it. {RIGHTS_ADVICE}"
    item = by_name(keyboards.items(KeyboardProbe(None, failure, 1, "missing")))["keyboard"]
    assert item.text == "Key presses cannot be timed on this computer. This user has no right to it."
    assert item.fix == RIGHTS_ADVICE
    elsewhere = by_name(keyboards.items(KeyboardProbe(None, "No X display answers.", None, "unknown")))["keyboard"]
    assert elsewhere.fix != RIGHTS_ADVICE


DYING = "import os, signal; print('something', flush=True); os.kill(os.getpid(), signal.SIGSEGV)"


@on_linux
def test_a_child_that_crashes_is_named_with_the_cure() -> None:
    """A segmentation fault kills the child alone; one that hangs is ended; one that says nothing has failed too."""
    crash = probe_keyboard([sys.executable, "-c", DYING])
    assert crash == Crash(-11)
    item = by_name(keyboards.items(crash))["keyboard"]
    assert "SIGSEGV" in item.text
    assert item.fix == RIGHTS_ADVICE
    assert probe_keyboard([sys.executable, "-c", "import time; time.sleep(60)"], 0.3) == Crash(None)
    assert probe_keyboard([sys.executable, "-c", "raise SystemExit(3)"]) == Crash(3)
    assert probe_keyboard([sys.executable, "-c", "print('nothing')"]) == Crash(0)


def test_what_libraries_print_besides_is_passed_over() -> None:
    """The child's last marked line counts."""
    told = msgspec.json.encode(KeyboardProbe("queue", None, 1, "given")).decode()
    code = f"print('PTB-INFO: hello'); print({MARK + told!r}); print('bye')"
    assert probe_keyboard([sys.executable, "-c", code]) == KeyboardProbe("queue", None, 1, "given")


def test_only_what_a_person_types_on_is_a_keyboard() -> None:
    """X11 lists buttons and its own testing device as keyboards too."""
    names = [
        "Virtual core XTEST keyboard",
        "Power Button",
        "Video Bus",
        "AT Translated Set 2 keyboard",
        "Xvfb keyboard",
    ]
    assert typed_on(names) == names[3:]


@pytest.mark.alone
@on_linux
def test_the_keyboard_of_a_real_display_is_rehearsed(small_display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On an X server, a source that is good enough and its one keyboard; without a display, red and no crash."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DISPLAY", small_display)
    found = probe_keyboard()
    assert isinstance(found, KeyboardProbe)
    assert found.timed_by in {"queue", "iohub"}
    assert found.keyboards == 1
    assert abs(found.step_s) < 0.01
    monkeypatch.setenv("DISPLAY", ":4711")
    lost = probe_keyboard(CHILD)
    assert isinstance(lost, KeyboardProbe)
    assert (lost.timed_by, lost.rights) == (None, "unknown")
    assert "text console" in by_name(keyboards.items(lost))["keyboard"].text


# Everything at once


def test_a_part_that_fails_or_hangs_hides_no_other() -> None:
    """It becomes an item that says so, as bad as it is to lack it; the order stays."""

    def fails() -> list[Finding]:
        raise ZeroDivisionError("anna")

    hangs = threading.Event()
    parts = (
        Part("hanging", lambda: [Finding("x", "ok", str(hangs.wait(30)))], "error"),
        Part("failing", fails),
        Part("fine", lambda: [Finding("fine", "ok", "yes"), Finding("too", "ok", "yes")]),
    )
    began_s = time.monotonic()
    items = list(at_once(parts, 0.3))
    hangs.set()
    assert time.monotonic() - began_s < 2
    assert [(item.kind, item.severity) for item in items] == [
        ("hanging", "error"), ("failing", "note"), ("fine", "ok"), ("too", "ok"),
    ]  # fmt: skip
    assert "anna" not in items[1].text


@pytest.mark.alone
@on_linux
def test_this_computer_is_checked_without_a_window(
    small_display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All things once, in a few seconds, nothing loaded that is slow, nothing private told."""
    code = (
        "import sys, msgspec; from pathlib import Path; from experiment.preflight import computer; "
        "items = computer.items(Path(sys.argv[1]), Path(sys.argv[2])); "
        "print(msgspec.json.encode(items).decode()); "
        "print(*{'psychopy', 'psychtoolbox', 'pyglet', 'numpy', 'typst'}.intersection(sys.modules))"
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DISPLAY", small_display)
    began_s = time.monotonic()
    command = [sys.executable, "-c", code, str(tmp_path / "anna"), str(ROOT)]
    told, loaded, *_ = subprocess.run(command, stdout=-1, check=True, text=True).stdout.split("\n")
    assert time.monotonic() - began_s < 15
    found = by_name(msgspec.json.decode(told, type=tuple[Finding, ...]))
    assert set(found) == {
        "display", "resolution", "scaling", "dark screen", "keyboard", "keyboards", "real-time rights", "key clock",
        "priority", "other programs", "memory", "mains", "power saving", "clock", "date", "time zone", "network time",
        "free disk", "data place", "data folder", "file locks", "python", "versions",
    }  # fmt: skip
    assert {found[name].severity for name in ("display", "scaling", "keyboard", "file locks", "python")} == {"ok"}
    assert found["data folder"].severity in {"ok", "warning"}  # by how busy this disk is
    assert str(tmp_path) not in told
    assert "anna" not in told
    assert loaded == ""


# The window


class Screen:
    """A double of a canvas: flips come at the refreshes of a screen, or whenever they are asked for."""

    def __init__(self, hz: float, *, waits: bool = True, misses: int = 0, jitter_s: float = 0.00002) -> None:
        self.hz, self.waits, self.misses, self.jitter_s = hz, waits, misses, jitter_s
        self.full_screen, self.handle = True, Handle()
        self.now_s, self.dice, self.flips = 100.0, random.Random(3), 0

    def sleep(self, time_s: float) -> None:
        """Time goes by."""
        self.now_s += time_s

    def flip(self) -> float:
        """At the next refresh, or the one after it, if one is missed."""
        self.flips += 1
        late = 20 < self.flips <= 20 + self.misses
        if self.waits:
            self.now_s = (int(self.now_s * self.hz + 1e-6) + 1 + late) / self.hz
        else:
            self.now_s += 1 / self.hz
        return self.now_s + self.dice.gauss(0, self.jitter_s)


class Handle:
    """A double of pyglet's window."""

    def push_handlers(self, **_: Any) -> None:
        """Nothing happens to it."""

    def pop_handlers(self) -> None:
        """The same."""

    def dispatch_events(self) -> None:
        """The same."""


def pace_of(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Pace:
    """What is measured at it."""
    monkeypatch.setattr("experiment.screens.refresh.time.sleep", screen.sleep)
    return measure_refresh(screen)


@pytest.mark.parametrize("hz", [59.94, 60.0, 75.0, 144.0])
def test_a_real_screen_is_green(hz: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its refresh rate to a fraction of a percent, nothing missed, no correlation of delay and interval."""
    pace = pace_of(Screen(hz), monkeypatch)
    assert pace.hz == pytest.approx(hz, rel=1e-3)
    assert (pace.missed, pace.intervals) == (0, THOROUGH[0])
    assert grades(open_window.check_pace(pace)) == {"refresh": "ok", "vsync": "ok"}


@pytest.mark.parametrize("hz", [60.0, 300.0, 744.0, 5000.0])
def test_flips_that_wait_for_nothing_are_red_at_any_rate(hz: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where they happen to come 60 times a second; no refresh rate is claimed then."""
    pace = pace_of(Screen(hz, waits=False), monkeypatch)
    assert pace.correlation > 0.9
    assert grades(open_window.check_pace(pace)) == {"refresh": "note", "vsync": "error"}


@pytest.mark.parametrize("jitter_s", [0.001, 0.003, 0.01])
def test_a_busy_computer_makes_no_screen_of_none(jitter_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where other waits drown the correlation, the intervals still lie anywhere and not at whole refreshes."""
    for hz in (60.0, 163.0, 300.0):
        pace = pace_of(Screen(hz, waits=False, jitter_s=jitter_s), monkeypatch)
        assert not pace.is_real


def test_a_doubtful_measurement_is_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals that lie between those of a screen and of none are measured once more, and judged together."""
    asked: list[int] = []
    scattered = iter([np.full(100, 0.14 / 60), np.full(100, 0.25 / 60)])

    def dawdled(_canvas: object, flips: int, longest_s: float) -> tuple[Times, Times]:
        asked.append(flips)
        return np.linspace(0, longest_s, flips) * np.resize([1, -1], flips), 1 / 60 + next(scattered)

    monkeypatch.setattr("experiment.screens.refresh._dawdled", dawdled)
    pace = pace_of(Screen(60), monkeypatch)
    assert (asked, pace.is_real, pace.off_beat > OFF_BEAT) == ([100, 100], False, True)


def test_a_restless_or_slow_screen_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One missed refresh or a large sd is amber, many are red, and so is a screen of 30 Hz."""
    paces = [Screen(60, misses=1), Screen(60, misses=5), Screen(60, jitter_s=0.002), Screen(30)]
    told = [by_name(open_window.check_pace(pace_of(screen, monkeypatch)))["refresh"] for screen in paces]
    assert [item.severity for item in told] == ["warning", "error", "warning", "error"]
    assert "1 missed" in told[0].text
    assert "5 missed" in told[1].text


def test_a_small_screen_is_red_and_a_window_amber() -> None:
    """A session needs 1280 x 720 pixels, full screen."""
    assert grades(open_window.size((1280, 720), full_screen=True)) == {"size": "ok"}
    assert grades(open_window.size((1366, 700), full_screen=False)) == {"size": "error", "window": "warning"}


def stroke(key: str, *, down: bool) -> KeyEvent:
    """A stroke of a key."""
    return KeyEvent(key, down, 0.0)


@pytest.mark.parametrize(
    ("downs", "age_s", "grade"),
    [("", 0.0, "warning"), ("a", 0.004, "ok"), ("aa", 0.004, "warning"), ("ab", 0.004, "ok"), ("a", 0.3, "warning"),
     ("a", 1.8, "error"), ("a", -0.2, "error")],
)  # fmt: skip
def test_a_press_is_graded(downs: str, age_s: float, grade: str) -> None:
    """Once and fresh is green; none, twice or late is amber; a stamp from the future or from long ago is red."""
    strokes = [stroke(key, down=down) for key in downs for down in (True, False)]
    item = open_window.check_press(strokes, [age_s] * len(strokes), "queue")
    assert item.severity == grade
    assert item.fix or grade == "ok"


class Keys:
    """A double of a keyboard: what it hears at each look."""

    timed_by: Any = "queue"
    hears_buttons = False

    def __init__(self, *looks: list[KeyEvent]) -> None:
        self.looks = list(looks)

    def strokes(self) -> list[KeyEvent]:
        """The next ones."""
        return self.looks.pop(0) if self.looks else []

    def close(self) -> None:
        """Nothing to let go of."""


def test_keys_from_before_and_the_mouse_are_no_press() -> None:
    """What waits when the test begins is dropped, and a mouse button is no key."""
    old, click = KeyEvent("x", down=True, time_s=now_s()), KeyEvent("mouse_1", down=True, time_s=now_s())
    assert open_window.press(Screen(60), Keys([old], [click]), 0.1).severity == "warning"


def test_a_press_ends_the_waiting() -> None:
    """A moment after it, in which a second one would have come."""
    keys = Keys([], [], [KeyEvent("x", down=True, time_s=now_s())], [KeyEvent("x", down=False, time_s=now_s())])
    began_s = time.monotonic()
    assert open_window.press(Screen(60), keys, 30).severity == "ok"
    assert time.monotonic() - began_s < 2


CHECK = "import typer, sys; from experiment.cli.check import check; typer.run(check)"


@pytest.mark.alone
@on_linux
def test_a_display_without_a_screen_is_not_fit(lab: Lab, hands: Hands) -> None:
    """The whole command, in a real window: vsync is refused, all else is told, and a real key arrives once."""
    check = lab.begins(*lab.places(), script=CHECK)
    deadline_s = time.monotonic() + 20
    while check.process.poll() is None and time.monotonic() < deadline_s:
        time.sleep(0.5)
        hands.tap("k", 0.02)
    status, said = check.ends()
    told = " ".join(said.split())
    assert status == 1, said
    assert "NOT FIT vsync no: a flip comes whenever it is asked for" in told
    assert "This computer is not ready yet" in told
    assert "are on the screen as prepared" in told
    assert "ok press came once, timed by" in told


@on_linux
@pytest.mark.parametrize("options", [(), ("--windowed",)])
def test_a_screen_that_is_too_small_is_named_as_such(lab: Lab, options: tuple[str, ...]) -> None:
    """Nothing is said of the protocol's pages, which would fit any other screen."""
    from pyvirtualdisplay.display import Display

    lab.messages()
    with Display(size=(1024, 600), manage_global_env=False, extra_args=["-noreset"]) as server:
        small = replace(lab, display=str(server.new_display_var))
        lab.sittings.append(check := small.begins("--no-press", *options, *lab.places(), script=CHECK))
        status, said = check.ends()
    told = " ".join(said.split())
    assert status == 1, said
    assert "This screen has 1024 x 600 pixels, and a session needs at least 1280 x 720" in told
    assert "too long" not in told


@on_linux
def test_a_session_is_checked_by_name(lab: Lab) -> None:
    """Messages that are there, drawn and read back; those that are not are named, and a session out of turn is."""
    lab.messages()
    named = ("--subject", "DF1", "--windowed", "--no-press", *lab.places())
    said = " ".join(lab.begins("--session", 2, *named, script=CHECK).ends()[1].split())
    assert "messages 2 are there" in said
    assert "sub-DF1 ses-1 must come before session 2, but is not in this data folder" in said
    protocol, folder_of = read_protocol(lab.protocol), lab.folder / "participants"
    missing, shown = readiness.session_items(protocol, "DF9", 1, Folder(folder_of), lab.data)
    assert (grades(missing), shown) == ({"messages": "error"}, ())
    here, shown = readiness.session_items(protocol, "DF1", 1, Folder(folder_of), lab.data)
    assert (grades(here), len(shown)) == ({"messages": "ok", "session": "ok"}, 2)
    assert grades(readiness.session_items(protocol, "DF1", 3, Folder(folder_of), lab.data)[0])["session"] == "error"


@on_linux
def test_a_server_that_starts_anew_hinders_no_measurement(tmp_path: Path) -> None:
    """A virtual screen that resets when its last program leaves, as xvfb-run starts it, is measured all the same."""
    from pyvirtualdisplay.display import Display

    from tests.lab import Lab

    with Display(size=(1280, 720), manage_global_env=False) as server:
        lab = Lab(str(server.new_display_var), tmp_path)
        _, said = lab.begins("check", "--no-press", "--data", lab.data).ends()
    assert "could not be measured" not in said
    assert "display" in said
