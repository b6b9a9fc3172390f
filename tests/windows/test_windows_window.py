"""The program's windows under Windows' Python on the Windows bench, with real key presses, clicks and kills."""

from __future__ import annotations

import contextlib
import statistics
import time
from typing import TYPE_CHECKING

import pytest
from Xlib import X

from experiment.design.scale import Scale
from experiment.record.events import Key, Rated, ScaleScene, Shown
from experiment.task.layout import Layout
from tests import lab as lab_module
from tests.lab import Eyes, by_keyboard, finishes, is_message, participates
from tests.test_dialog import ACCENT, ANSWERS, RIGHT, Assistant, wait_until
from tests.test_keyboard import keyboard, letter_keys
from tests.test_survival import resumes
from tests.trial_tables import read_table
from tests.windows.bench import LIMIT_S, Bench, WindowsLab
from tests.windows.bench_presses import HEARS, wait_for
from tests.xtest import Hands

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from experiment.record.events import Scene
    from tests.lab import Sitting

pytestmark = pytest.mark.windows


@pytest.fixture
def windows_lab(large_display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowsLab]:
    """A laboratory on the bench; whatever it started has ended afterwards."""
    monkeypatch.setattr(lab_module, "LIMIT_S", LIMIT_S)
    with WindowsLab(large_display, tmp_path) as lab:
        yield lab


@pytest.fixture
def hands(large_display: str) -> Iterator[Hands]:
    """Hands at the keyboard and mouse of the bench's display."""
    with Hands(large_display) as hands:
        yield hands


def takes_the_keyboard(sitting: Sitting, display: str) -> tuple[int, int]:
    """The window gets the keyboard, which no window manager gives it here; its middle on the display."""
    sitting.next(Shown)
    with Eyes(display) as eyes:
        window = eyes.window()
        eyes.gives_focus(window)
        place, size = window.translate_coords(window.query_tree().root, 0, 0), window.get_geometry()
    return -place.x + size.width // 2, -place.y + size.height // 2


def test_a_session_by_keyboard(windows_lab: WindowsLab, hands: Hands, large_display: str) -> None:
    """Presses of a few milliseconds are heard and timed by psychtoolbox's queue, at the distances of the pressing."""
    pressed_s = list[float]()

    def answer(scene: Scene) -> None:
        if isinstance(scene, ScaleScene) and scene.marker is None:
            pressed_s.append(hands.tap("3", 0.005)[0])
        else:
            by_keyboard(hands)(scene)

    sitting = windows_lab.pilots()
    takes_the_keyboard(sitting, large_display)
    assert finishes(sitting, answer)[0] == 0
    heard = [event for event in sitting.events() if isinstance(event, Key) and event.key == "3" and event.down]
    assert {event.timed_by for event in heard} == {"queue"}
    assert len(heard) == len(pressed_s)
    off_s = [event.time_s - pressed for event, pressed in zip(heard, pressed_s, strict=True)]
    middle_s = statistics.median(off_s)
    assert max(abs(one - middle_s) for one in off_s) < 0.05  # a busy computer; the benchmark has the figures


def test_a_session_by_mouse(windows_lab: WindowsLab, hands: Hands, large_display: str) -> None:
    """Clicks on scale and buttons are enough, and all of them reach the disk."""
    sitting = windows_lab.pilots()
    middle_px, layout = takes_the_keyboard(sitting, large_display), Layout(1280, 720)

    def answer(scene: Scene) -> None:
        if isinstance(scene, ScaleScene) and scene.marker is None:
            x_px, y_px = layout.scale(Scale()).number_place(6)
        elif getattr(scene, "button", None):
            x_px, y_px = layout.button.x_px, layout.button.y_px
        else:
            return
        hands.click(middle_px[0] + x_px, middle_px[1] - y_px, 0.03)

    assert finishes(sitting, answer)[0] == 0
    assert {event.value for event in sitting.events() if isinstance(event, Rated)} == {6}


def test_a_killed_session_is_resumed(windows_lab: WindowsLab, hands: Hands, large_display: str) -> None:
    """A session in full screen that was killed after its first message is resumed, and its table has all ratings."""
    windows_lab.messages()
    sitting = windows_lab.runs()
    takes_the_keyboard(sitting, large_display)
    answer = by_keyboard(hands, 5)
    answer(participates(sitting, answer, is_message).scene)
    participates(sitting, answer, is_message)
    sitting.process.kill()
    again = resumes(windows_lab)
    takes_the_keyboard(again, large_display)
    assert finishes(again, by_keyboard(hands, 2))[0] == 0
    table = read_table(windows_lab.table())
    assert table[["connection", "pleasure"]].to_numpy().tolist() == [[5, 5], [2, 2]]


@pytest.mark.parametrize("layout", ["de", "fr"])
def test_a_key_is_named_by_what_is_printed_on_it(hands: Hands, large_display: str, layout: str) -> None:
    """On a German and a French keyboard psychtoolbox's queue has the letters that are printed there."""
    bench = Bench(display=large_display)
    with keyboard(large_display, layout) as places, bench.start(*bench.command(HEARS)) as listener:
        wait_for(listener.stdout, "ready")
        with Eyes(large_display) as eyes:
            eyes.gives_focus(eyes.window())
        time.sleep(1)
        letters = letter_keys(places)
        for place in letters.values():
            hands.tap(place, 0.02)
            time.sleep(0.02)
        out, _ = listener.communicate("end\n", LIMIT_S)
    lines = (line.split() for line in out.splitlines() if line.startswith("key "))
    assert [name for _, name, down, _ in lines if down == "1"] == list(letters)


class WindowsAssistant(Assistant):
    """Somebody in front of the form that runs on the bench."""

    def begins(self, *arguments: str) -> subprocess.Popen[str]:
        """The process, there."""
        bench = Bench(display=self.screen)
        return bench.start(*bench.command(*arguments[1:]))

    def takes_the_keyboard(self) -> None:
        """The form gets it, which no window manager gives it here."""
        wait_until(lambda: self.form() is not None, LIMIT_S)
        self.form().set_input_focus(X.RevertToPointerRoot, X.CurrentTime)
        self.display.sync()
        time.sleep(1)


@pytest.fixture
def sits_down(hands: Hands, large_display: str) -> Iterator[Callable[[dict[str, str]], WindowsAssistant]]:
    """Call it with what is known: an assistant in front of the form."""
    with contextlib.ExitStack() as stack:

        def sit_down(known: dict[str, str]) -> WindowsAssistant:
            assistant = WindowsAssistant(large_display, hands, "ask()", known)
            stack.callback(assistant.display.close)
            stack.enter_context(assistant.process)
            stack.callback(assistant.process.kill)
            assistant.takes_the_keyboard()
            return assistant

        yield sit_down


def test_the_form_by_keyboard(sits_down: Callable[[dict[str, str]], WindowsAssistant]) -> None:
    """Typing, Tab and Enter fill it in."""
    assistant = sits_down(RIGHT | {"subject": "", "symptoms": ""})
    assistant.type("df017", "<tab>", "<tab>", "<tab>", "<tab>", "mi", "<return>")
    assert assistant.answers() == ANSWERS | {"subject": "df017"}


def test_the_form_by_mouse(sits_down: Callable[[dict[str, str]], WindowsAssistant]) -> None:
    """Where all is known, one click is enough."""
    assistant = sits_down(RIGHT)
    assistant.hands.click(*assistant.place(ACCENT))
    assert assistant.answers() == ANSWERS
