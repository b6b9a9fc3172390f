"""Real keys and mouse buttons, pressed through XTEST at known times, against what the keyboard sources say of them.

Each source listens in a process of its own: psychtoolbox and Xlib end their process with the display they were used on.
"""

import contextlib
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from string import ascii_lowercase
from typing import TypeAlias

import pytest
from pyvirtualdisplay.display import Display

from experiment.record.events import Shown, TextScene
from experiment.screens.keyboard import _may_run_real_time
from experiment.screens.keynames import X11_NAMES
from experiment.system.linux import RIGHTS_ADVICE
from tests.lab import Lab
from tests.xtest import Hands

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="XTEST belongs to X11")

SETXKBMAP = shutil.which("setxkbmap") or "setxkbmap"
ROOT = Path(__file__).parents[1]
Sent = tuple[str, bool, float]
Play = Callable[[Hands], list[Sent]]
Process: TypeAlias = "subprocess.Popen[str]"

# A process that has not the right to real-time priority.
HUMBLE = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-sys_nice"] if _may_run_real_time() else []

queue_works = pytest.mark.skipif(not _may_run_real_time(), reason="psychtoolbox's queue needs real-time rights")

# Reads at 60 frames a second, but each 20th frame takes 300 ms, until its standard input ends.
READER = """
import json, select, sys
from experiment.screens.keyboard import PollKeys, open_keys
from experiment.screens.keynames import read_key_names

if sys.argv[1] == "poll":
    from psychopy import visual
    window = visual.Window((800, 600), pos=(0, 0), allowGUI=False)
    window.flip()
    keys = PollKeys(window.winHandle, read_key_names())
else:
    keys = open_keys(allow_poll=False)
print("reads", keys.timed_by, keys.hears_buttons, flush=True)
found, frames = [], 0
while not select.select([sys.stdin], [], [], 1 / 60 if frames % 20 else 0.3)[0]:
    found += keys.strokes()
    frames += 1
found += keys.strokes()
keys.close()
print("heard", json.dumps([[stroke.key, stroke.down, stroke.time_s] for stroke in found]))
"""


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """An X server without a monitor; the name of its display."""
    with Display(size=(1280, 720), manage_global_env=False, extra_args=["-noreset"]) as server:
        yield str(server.new_display_var)


@contextlib.contextmanager
def started(code: str, display: str | None, *prefix: str, source: str = "", cwd: Path = ROOT) -> Iterator[Process]:
    """A Python process that runs `code` on a display."""
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"DISPLAY": display} if display else {})
    command = [*prefix, sys.executable, "-c", code, source]
    with subprocess.Popen(command, env=environment, cwd=cwd, stdin=-1, stdout=-1, stderr=-2, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def answer(process: Process, mark: str) -> str:
    """The rest of the next line that begins with `mark`; PsychoPy and ioHub write others between."""
    assert process.stdout
    said = []
    for line in process.stdout:
        if line.startswith(mark):
            return line.removeprefix(mark).strip()
        said.append(line)
    pytest.fail(f"ended with {process.wait()}: {''.join(said)}")


def listen(reader: Process, play: Play, display: str) -> tuple[list[Sent], list[Sent]]:
    """Play on the keyboard of the display while the reader reads: what was sent and what was heard."""
    time.sleep(0.1)
    with Hands(display) as hands:
        sent = play(hands)
    time.sleep(0.05)
    assert reader.stdin
    reader.stdin.close()
    heard = [(key, down, time_s) for key, down, time_s in json.loads(answer(reader, "heard"))]
    assert reader.wait(10) == 0
    return sent, heard


def overlapping(presses: int, *keys: str) -> Play:
    """Presses of 1 to 80 ms that begin 4 to 25 ms after one another."""

    def play(hands: Hands) -> list[Sent]:
        dice = random.Random(4)
        at_s, plan, free_s = time.time() + 0.05, [], dict.fromkeys(keys, 0.0)
        for _ in range(presses):
            key = dice.choice([key for key in keys if free_s[key] < at_s])
            free_s[key] = at_s + dice.uniform(0.001, 0.080)
            plan += [(at_s, key, True), (free_s[key], key, False)]
            at_s += dice.uniform(0.004, 0.025)
        return [do(hands, *step) for step in sorted(plan)]

    return play


def do(hands: Hands, at_s: float, key: str, down: bool) -> Sent:  # noqa: FBT001
    """Press or release a key when its time has come."""
    time.sleep(max(0.0, at_s - time.time()))
    return key, down, hands.press(key) if down else hands.release(key)


def taps(*keys: str, hold_s: float = 0.002) -> Play:
    """The keys one after the other."""

    def play(hands: Hands) -> list[Sent]:
        times_s = [(key, *hands.tap(key, hold_s)) for key in keys]
        return [sent for key, down_s, up_s in times_s for sent in ((key, True, down_s), (key, False, up_s))]

    return play


def rights(source: str) -> list[str]:
    """What a process is to be started with so that `source` is the best that it can open."""
    return HUMBLE if source == "iohub" else []


def names(strokes: list[Sent]) -> list[tuple[str, bool]]:
    """The strokes without their times."""
    return [(key, down) for key, down, _ in strokes]


def errors_ms(sent: list[Sent], heard: list[Sent]) -> list[float]:
    """How much later than sent each stroke is said to have happened."""
    return [(after[2] - before[2]) * 1e3 for before, after in zip(sent, heard, strict=True)]


@pytest.mark.alone
@pytest.mark.parametrize("source", [pytest.param("queue", marks=queue_works), "iohub"])
def test_no_stroke_is_lost_doubled_misnamed_or_late(source: str, screen: str, tmp_path: Path) -> None:
    """Of 120 overlapping presses and one of every key, with frames of 300 ms, each comes once, in order, at its time.

    The number pad has the same names without NumLock, and a key that repeats while it is held is one press.
    """
    pad = ["num_1", "num_0", "num_enter", "num_decimal"]
    overlap = overlapping(120, "1", "7", "num_3", "left", "p", "lctrl", "rshift", "mouse_1")
    every = taps(*X11_NAMES.values(), *pad, "numlock", *pad, "capslock", "mouse_1", "mouse_2", "mouse_3")
    held = taps("b", hold_s=0.9)
    with started(READER, screen, *rights(source), cwd=tmp_path) as reader:
        assert answer(reader, "reads") == f"{source} True"
        sent, heard = listen(reader, lambda hands: overlap(hands) + every(hands) + held(hands), screen)
    assert names(heard) == names(sent)
    assert min(errors_ms(sent, heard)) > 0
    assert statistics.median(errors_ms(sent, heard)) <= 3  # polled stamps would be off by half a frame, or by 150 ms
    assert list(tmp_path.iterdir()) == []


@pytest.mark.alone
def test_a_polled_window_loses_no_key(screen: str) -> None:
    """PsychoPy's window, polled, gives overlapping presses in order; escape does not close it and nothing repeats."""
    overlap = overlapping(40, "1", "num_3", "left", "space", "escape", "return", "quoteleft")
    pad = taps("num_1", "numlock", "num_1", "num_decimal", "numlock")

    def play(hands: Hands) -> list[Sent]:
        hands.point(100, 100)
        time.sleep(0.4)
        return overlap(hands) + pad(hands) + taps("b", hold_s=0.9)(hands)

    with started(READER, screen, source="poll") as reader:
        assert answer(reader, "reads") == "poll False"
        sent, heard = listen(reader, play, screen)
    assert names(heard) == names(sent)
    assert 0 < min(errors_ms(sent, heard)) < max(errors_ms(sent, heard)) < 400


@queue_works
def test_the_queue_opens_again(screen: str) -> None:
    """After a source is closed another can be opened in the same process."""
    again = READER.replace("print(", "keys.close(); keys = open_keys(allow_poll=False); print(", 1)
    with started(again, screen) as reader:
        answer(reader, "reads")
        sent, heard = listen(reader, taps("5", "6"), screen)
    assert names(heard) == names(sent)


@queue_works
def test_the_keyboard_works_without_the_sound_library(screen: str) -> None:
    """Where libjack is missing, psychtoolbox is loaded without its sound."""
    without_jack = """
import sys
class NoJack:
    def find_spec(self, name, path=None, target=None):
        if name == "psychtoolbox.PsychPortAudio":
            raise ImportError("libjack.so.0: cannot open shared object file: No such file or directory")
sys.meta_path.insert(0, NoJack())
"""
    with started(without_jack + READER, screen) as reader:
        answer(reader, "reads")
        sent, heard = listen(reader, taps("5"), screen)
    assert names(heard) == names(sent)


OPENER = """
from experiment.errors import EquipmentFailure
from experiment.screens.keyboard import open_keys
try:
    open_keys(allow_poll=False)
except EquipmentFailure as failure:
    print("refused", str(failure).replace("\\n", " "))
"""


def test_no_display_is_refused_in_words() -> None:
    """Without an X display, where psychtoolbox would crash, the failure says what to do."""
    with started(OPENER, None) as process:
        assert "Start from a desktop" in answer(process, "refused")
        assert process.wait(10) == 0


def test_keys_that_cannot_be_timed_are_refused_with_the_cure() -> None:
    """Without real-time rights on a display that ioHub cannot record, a session is refused with the lines to write."""
    with (
        Display(size=(640, 480), manage_global_env=False, extra_args=["-extension", "RECORD"]) as server,
        started(OPENER, server.new_display_var, *HUMBLE) as process,
    ):
        refusal = answer(process, "refused")
    assert "/etc/security/limits.d/99-psychopylimits.conf" in refusal
    assert "@psychopy - rtprio 50" in refusal


def test_the_cure_is_psychopys() -> None:
    """The commands and lines that a refusal names are those that PsychoPy documents."""
    package = find_spec("psychopy")
    assert package
    assert package.origin
    documented = (Path(package.origin).parent / "platform_specific" / "linux.py").read_text()
    cure = [line.strip() for line in RIGHTS_ADVICE.splitlines() if line.startswith("  ")]
    assert len(cure) == 5
    assert [line for line in cure if line not in documented] == []


# Reads only when its standard input ends, and slowly; then once more, when ioHub does not run any longer.
READS_LATE = """
import json, os, sys, time
from experiment.errors import EquipmentFailure
from experiment.screens import iohub
from experiment.screens.keyboard import open_keys
from psychopy.iohub.devices import Computer

iohub._ANSWER_S = 1.0
keys = open_keys(allow_poll=False)
receive = keys._hub.udp_client.receive
keys._hub.udp_client.receive = lambda: (time.sleep(0.5), receive())[1]
print("reads", keys.timed_by, flush=True)
sys.stdin.read()
time.sleep(0.5)
found = []
while some := keys.strokes():
    found += some
print("heard", json.dumps([[stroke.key, stroke.down, stroke.time_s] for stroke in found]), flush=True)
os.kill(Computer.iohub_process_id, 9)
try:
    keys.strokes()
except EquipmentFailure as error:
    print("failed", error, flush=True)
os._exit(0)
"""


def test_iohub_has_room_for_all_that_waits_and_is_not_waited_for_when_it_is_gone(screen: str) -> None:
    """Hundreds of strokes that nobody read come at once, however slowly; without ioHub it is an equipment failure."""
    with started(READS_LATE, screen, *rights("iohub")) as reader:
        assert answer(reader, "reads") == "iohub"
        keys = ["1", "7", "left", "p", "b"] * 70
        sent, heard = listen(reader, taps(*keys, hold_s=0.001), screen)
        assert names(heard) == names(sent)
        assert answer(reader, "failed").startswith("PsychoPy's ioHub, which hears the keys, has not answered for")


def test_iohub_dies_with_its_session(screen: str) -> None:
    """The process of ioHub ends within seconds of the session's, even if that was killed."""
    with started(READER, screen, *HUMBLE) as reader:
        assert answer(reader, "reads").startswith("iohub")
        helpers = Path(f"/proc/{reader.pid}/task/{reader.pid}/children").read_text().split()
        assert any("start_iohub" in Path(f"/proc/{helper}/cmdline").read_text() for helper in helpers)
    until_s = time.monotonic() + 5
    while any(runs(helper) for helper in helpers) and time.monotonic() < until_s:
        time.sleep(0.1)
    assert not any(runs(helper) for helper in helpers)


def runs(process_id: str) -> bool:
    """Whether a process still does anything."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# What is printed on the three rows of letters, from the keys that are Q, A and Z on a US keyboard on.
US = "qwertyuiop[]asdfghjkl;'zxcvbnm,./"
PLACES = {"[": "bracketleft", "]": "bracketright", ";": "semicolon", "'": "apostrophe", ",": "comma", ".": "period"}
PRINTED = {
    "us": US,
    "fr": "azertyuiop^$qsdfghjklmùwxcvbn,;:!",
    "de": "qwertzuiopü+asdfghjklöäyxcvbnm,.-",
    "es": "qwertyuiop`+asdfghjklñ´zxcvbnm,.-",
    "tr": "qwertyuıopğüasdfghjklşizxcvbnmöç.",
    "us dvorak": "',.pyfgcrl/=aoeuidhtns-;qjkxbmwvz",
    "fr bepo": "bépoè^vdljzwauie,ctsrnmàyx.k'qghf",
    "ru": "йцукенгшщзхъфывапролджэячсмитьбю.",
    "gr": ";ςερτυθιοπ[]ασδφγηξκλ´'ζχψωβνμ,./",
    "il": "/'קראטוןםפ][שדגכעיחלךף,זסבהנמצתץ.",
}


@contextlib.contextmanager
def keyboard(display: str, layout: str) -> Iterator[dict[str, str]]:
    """Another keyboard at a display meanwhile: where each of its letters is, by the key's name on a US keyboard."""
    set_layout(display, layout)
    try:
        yield {letter: PLACES.get(us, us.replace("/", "slash")) for letter, us in zip(PRINTED[layout], US, strict=True)}
    finally:
        set_layout(display, "us")


def set_layout(display: str, layout: str) -> None:
    """By its name and variant."""
    name, _, variant = layout.partition(" ")
    subprocess.check_call([SETXKBMAP, "-display", display, "-layout", name, "-variant", variant])


def letter_keys(places: dict[str, str]) -> dict[str, str]:
    """Where the letters from a to z are: as printed, or on a keyboard without them as on a US one."""
    printed = {letter: place for letter, place in places.items() if letter in ascii_lowercase}
    letters = printed or {place: place for place in places.values() if len(place) == 1}
    assert len(letters) == 26
    return letters


def in_every_state(*keys: str) -> Play:
    """The keys with NumLock and CapsLock on and off."""
    locks = ("numlock", "capslock", "numlock", "capslock")
    return taps(*(key for lock in locks for key in (*keys, lock)))


SOURCES = [(layout, "queue") for layout in PRINTED]
SOURCES += [(layout, source) for layout in ("fr", "ru") for source in ("iohub", "poll")]


@pytest.mark.parametrize(("layout", "source"), SOURCES)
def test_a_key_is_named_by_what_is_printed_on_it(layout: str, source: str, screen: str) -> None:
    """Letters are heard as printed, or else by their place; numbers are the same in every state of the two locks."""
    if source == "queue" and not _may_run_real_time():
        pytest.skip("psychtoolbox's queue needs real-time rights")
    numbers = ("1", "7", "0", "num_1", "num_5", "num_enter", "left", "space")
    with keyboard(screen, layout) as places:
        letters = letter_keys(places)

        def play(hands: Hands) -> list[Sent]:
            hands.point(100, 100)
            time.sleep(0.4)
            return taps(*letters.values())(hands) + in_every_state(*numbers, letters["w"], letters["m"])(hands)

        with started(READER, screen, *rights(source), source=source) as reader:
            assert answer(reader, "reads").startswith(source)
            sent, heard = listen(reader, play, screen)
    printed = {place: letter for letter, place in letters.items()}
    assert names(heard) == [(printed.get(key, key), down) for key, down in names(sent)]


@pytest.mark.parametrize(
    ("layout", "last"),
    [("fr", "p"), ("us dvorak", "p"), ("fr bepo", "p"), ("tr", "p"), ("ru", "з"), ("il", "פ")],
)
def test_the_keys_that_a_page_names_work(layout: str, last: str, screen: str, tmp_path: Path) -> None:
    """In a session the assistant pauses, continues, and ends it with the keys that its pages name, as printed."""
    session = Lab(screen, tmp_path).pilots()

    def page(pattern: str) -> tuple[str, ...]:
        shown = session.next(Shown, lambda shown: re.search(pattern, text(shown)) is not None)
        found = re.search(pattern, text(shown))
        assert found
        return found.groups()

    def press(*printed: str) -> None:
        *modifiers, key = (one.lower() for one in printed)
        with hands.holding(*(f"l{modifier}" for modifier in modifiers)):
            hands.tap(places[key])

    pauses = r"(?s)^# Paused\n.* press (.) to continue.* press (.) \(participant"
    with keyboard(screen, layout) as places, Hands(screen) as hands:
        page("^# (Welcome)")
        press("ctrl", "shift", last)
        press(page(pauses)[0])
        page("^# (Welcome)")
        press("ctrl", "shift", last)
        press(page(pauses)[1])
        press(*page(r"press (\S+) to end")[0].split("+"))
        assert session.ends()[0] == 3
    assert session.ended().reason == "withdrew"


def text(shown: Shown) -> str:
    """What a page says; nothing for what is none."""
    return shown.scene.text if isinstance(shown.scene, TextScene) else ""
