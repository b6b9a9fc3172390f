"""The assistant's form on a real display, with a real keyboard and mouse, as another process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import ImageGrab
from pyvirtualdisplay.display import Display as VirtualDisplay
from Xlib import X, protocol
from Xlib.display import Display
from Xlib.ext import xtest

from experiment.design.form_questions import AskedQuestion, FormWords
from tests.lab import find_window, has_focus
from tests.xtest import Hands

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SIZE_PX = (1280, 720)
RIGHT = {"subject": "DF017", "session": "1", "operator": "TA", "last_dose": "8:30", "symptoms": "mild"}
ANSWERS = RIGHT | {"session": 1, "last_dose": "08:30", "notes": None}
ERROR, PROBLEM, ACCENT = (0xB3, 0x26, 0x1E), (0xFB, 0xE9, 0xE7), (0x2F, 0x5D, 0x62)

START = """
import json, sys
from pathlib import Path
from msgspec.structs import replace
from experiment.cli import form, form_window
from experiment.errors import BadInput
from experiment.design.protocol import read_protocol
from experiment.design.form_questions import AskedQuestion

protocol = read_protocol(Path("stimuli/protocol.toml"))

def check_more(answers):
    if answers.subject == "DF1":
        raise BadInput("There is a session of sub-DF1 already: <b>choose</b> another.")
    if answers.subject == "BUG":
        raise RuntimeError("a bug")

def check(given, decided):
    answers = form.check(protocol, given)
    check_more(answers)
    return answers

def ask():
    page = form_window.FormPage(
        "Before the session", form.fields(protocol), "Start", check,
        lambda field, given: form.check_field(field, given, protocol, {"DF1", "df2", "DF017", "BUG", "df017"}),
        known=json.loads(sys.argv[1]),
    )
    filled = form_window.fill_in(page)
    answers = filled and filled.result
    told = answers and dict(
        subject=answers.subject, session=answers.session, operator=answers.operator, **answers.extra
    )
    print("answers", json.dumps(told), flush=True)
"""
LONG = """
kinds = ["text", "number", "time", "text"] * 3
text = "A question of the laboratory, which takes its time"
Question = AskedQuestion
protocol = replace(protocol, assistant=tuple(Question(f"q{i}", text, kind, True) for i, kind in enumerate(kinds)))
"""
WINDOW = """
from psychopy import visual
window = visual.Window((400, 300), color="#2F5D62", allowGUI=False, checkTiming=False)
window.flip()
window.flip()
sys.stdin.readline()
window.close()
"""


class Assistant:
    """Somebody who fills in the form of a process of its own."""

    def __init__(self, screen: str, hands: Hands, script: str, known: dict[str, str]) -> None:
        self.screen, self.hands = screen, hands
        self.display = Display(screen)
        self.process = self.begins("-c", START + script, json.dumps(known))

    def begins(self, *arguments: str) -> subprocess.Popen[str]:
        """The process."""
        environment, pipe = os.environ | {"DISPLAY": self.screen}, subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def wait_for_form(self) -> None:
        """Until the form is there and listens to the keyboard."""
        wait_until(lambda: has_focus(self.display, self.form()))

    def form(self) -> Any:
        """The form's window on the display, if it is there."""
        return find_window(self.display.screen().root)

    def type(self, *strokes: str) -> None:
        """Type words letter by letter, and keys by their names in angle brackets."""
        for stroke in strokes:
            for key in [stroke[1:-1]] if stroke.startswith("<") else stroke:
                self.hands.tap({" ": "space"}.get(key, key), hold_s=0.002)

    def sees(self, colour: tuple[int, int, int]) -> int:
        """How many pixels of the display have this colour."""
        return int(self._where(colour).sum())

    def place(self, colour: tuple[int, int, int]) -> tuple[int, int]:
        """The middle of the lowest large area of this colour, once it has come to rest: x, y in pixels."""
        self.hands.point(0, 0)  # a button under the pointer has another colour
        wait_until(lambda: self._lowest(colour) is not None and self._lowest(colour) == self._lowest(colour))
        return self._lowest(colour) or (0, 0)

    def turns_wheel(self, x_px: int, y_px: int, *, down: bool = True) -> None:
        """Turn the mouse wheel one step, at this place."""
        self.hands.point(x_px, y_px)
        for kind in (X.ButtonPress, X.ButtonRelease):
            xtest.fake_input(self.display, kind, 5 if down else 4)
        self.display.sync()

    def close(self) -> None:
        """Close the window as a window manager does."""
        atoms = [self.display.intern_atom(name) for name in ("WM_PROTOCOLS", "WM_DELETE_WINDOW")]
        form = self.form()
        event = protocol.event.ClientMessage(
            window=form, client_type=atoms[0], data=(32, [atoms[1], X.CurrentTime, 0, 0, 0])
        )
        form.send_event(event)
        self.display.sync()

    def answers(self) -> Any:
        """What the process got from the form; PsychoPy may print lines of its own."""
        assert self.process.stdout
        return next(json.loads(line[7:]) for line in self.process.stdout if line.startswith("answers"))

    def says_go_on(self) -> None:
        """Let the process close the window that it shows."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def ends(self) -> tuple[int, str]:
        """The process's exit status and what it says."""
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said

    def _lowest(self, colour: tuple[int, int, int]) -> tuple[int, int] | None:
        where = self._where(colour)
        rows = np.flatnonzero(where.sum(axis=1) > 80)
        return (int(np.median(np.flatnonzero(where[rows[-6]]))), int(rows[-6])) if len(rows) > 20 else None

    def _where(self, colour: tuple[int, int, int]) -> Any:
        return (np.asarray(ImageGrab.grab(xdisplay=self.screen).convert("RGB")) == colour).all(axis=2)


def wait_until(happened: Any, limit_s: float = 20.0) -> None:
    """Look again and again, and fail if it does not happen."""
    deadline_s = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """A display of the smallest size, for the tests of this file; it must not start anew when a process leaves it."""
    with VirtualDisplay(size=SIZE_PX, manage_global_env=False, extra_args=["-noreset"]) as display:
        yield display.new_display_var


@pytest.fixture
def sits_down(screen: str) -> Iterator[Any]:
    """Call it with a script and what is known: an assistant in front of the form."""
    with contextlib.ExitStack() as stack:
        hands = stack.enter_context(Hands(screen))

        def sit_down(script: str = "ask()", **known: str) -> Assistant:
            assistant = Assistant(screen, hands, script, known)
            stack.callback(assistant.display.close)
            stack.enter_context(assistant.process)
            stack.callback(assistant.process.kill)
            too_late = threading.Timer(60, assistant.process.kill)
            stack.callback(too_late.cancel)
            too_late.start()
            assistant.wait_for_form()
            return assistant

        yield sit_down


def test_the_keyboard_alone_fills_in_the_form(sits_down: Any) -> None:
    """Typing, Tab and Enter are enough, in the order in which the fields stand."""
    assistant = sits_down()
    assistant.type(
        "df017", "<tab>", "2", "<tab>", "ta", "<tab>", "0830", "<tab>", "mo", "<tab>", "slept badly", "<return>"
    )
    expected = {"subject": "df017", "session": 2, "operator": "ta", "last_dose": "08:30", "symptoms": "moderate"}
    assert assistant.answers() == expected | {"notes": "slept badly"}
    assert assistant.ends() == (0, "")


def test_what_is_known_is_filled_in_and_start_is_a_button(sits_down: Any) -> None:
    """A form whose answers are all known needs one click."""
    assistant = sits_down(**RIGHT)
    assistant.hands.click(*assistant.place(ACCENT))
    assert assistant.answers() == ANSWERS


def test_nothing_is_chosen_beforehand_and_errors_can_be_corrected(sits_down: Any) -> None:
    """A form with missing answers stays, says so in red, puts the cursor there, and ends when they are right."""
    assistant = sits_down(**RIGHT | {"session": "", "last_dose": "25:00"})
    assert assistant.sees(ERROR) == 0
    assistant.type("<return>")
    wait_until(lambda: assistant.sees(ERROR) > 1000)
    assistant.type("1", "<tab>", "<tab>", "0830", "<return>")
    assert assistant.answers() == ANSWERS


def test_a_refused_session_is_told_in_the_form(sits_down: Any) -> None:
    """What a further check finds stands above the fields, and the form can be corrected without starting over."""
    assistant = sits_down(**RIGHT | {"subject": "DF1"})
    assistant.type("<return>")
    wait_until(lambda: assistant.sees(PROBLEM) > 10000)
    assistant.type("df2", "<return>")
    assert assistant.answers() == ANSWERS | {"subject": "df2"}


@pytest.mark.parametrize("way", ["escape", "close"])
def test_leaving_the_form_answers_nothing(sits_down: Any, way: str) -> None:
    """Escape and the window's close button give None."""
    assistant = sits_down(**RIGHT)
    assistant.close() if way == "close" else assistant.type("<escape>")
    assert assistant.answers() is None


def test_a_fault_of_the_program_is_no_abort(sits_down: Any) -> None:
    """An exception that is nobody's wrong answer leaves `ask` as it is; Qt does not end the process."""
    assistant = sits_down(**RIGHT | {"subject": "BUG"})
    assistant.type("<return>")
    status, said = assistant.ends()
    assert (status, said.splitlines()[-1]) == (1, "RuntimeError: a bug")


def test_the_wheel_changes_no_answer(sits_down: Any) -> None:
    """Turning the wheel over every field, as one does to scroll, leaves the lists as they were."""
    assistant = sits_down(**RIGHT)
    left_px, bottom_px = assistant.place(ACCENT)
    for y_px in range(120, bottom_px - 40, 10):
        assistant.turns_wheel(left_px, y_px)
    assistant.type("<return>")
    assert assistant.answers() == ANSWERS


def test_twelve_questions_fit_a_small_screen(sits_down: Any) -> None:
    """With twelve long questions and every error shown, form and buttons are inside 1280 x 720 pixels."""
    assistant = sits_down(LONG + "ask()")
    for _ in range(2):
        where = assistant.form().get_geometry()
        assert 0 <= where.x <= where.x + where.width <= SIZE_PX[0]
        assert 0 <= where.y <= where.y + where.height <= SIZE_PX[1]
        assistant.hands.click(*assistant.place(ACCENT))
        wait_until(lambda: assistant.sees(ERROR) > 1000)


@pytest.mark.parametrize("wrong", ["q2", "q10"])
def test_a_field_out_of_sight_is_scrolled_to(sits_down: Any, wrong: str) -> None:
    """A wrong answer near either end of a long form comes into sight, and does so again after scrolling away."""
    known = {f"q{i}": ["x", "1", "8:30", "x"][i % 4] for i in range(12)}
    assistant = sits_down(LONG + "ask()", **RIGHT | known | {wrong: "9:99"})
    assistant.type("<return>")
    wait_until(lambda: assistant.sees(ERROR) > 500)
    for _ in range(30):
        assistant.turns_wheel(300, 300, down=wrong == "q2")
    wait_until(lambda: assistant.sees(ERROR) == 0)
    assistant.type("<return>")
    wait_until(lambda: assistant.sees(ERROR) > 500)
    assistant.type("0915", "<return>")
    assert assistant.answers()[wrong] == "09:15"


def test_form_and_psychopy_window_live_in_one_process(sits_down: Any) -> None:
    """A form, a PsychoPy window that shows its colour, another form and another window follow each other."""
    assistant = sits_down("for _ in range(2):\n    ask()" + WINDOW.replace("\n", "\n    "), **RIGHT)
    for _ in range(2):
        assistant.wait_for_form()
        assistant.type("<return>")
        assert assistant.answers() == ANSWERS
        wait_until(lambda: assistant.sees(ACCENT) >= 400 * 300)
        assistant.says_go_on()
    status, _ = assistant.ends()
    assert status == 0


def test_a_participants_form_speaks_the_protocols_language() -> None:
    """Whatever is wrong with an answer of the closing questions is said in the protocol's words."""
    words = FormWords(missing="Fehlt.", not_a_time="Keine Zeit.", not_a_number="Keine Zahl.", not_a_line="Eine Zeile.")
    asked = {kind: AskedQuestion(kind, kind, kind, required=True) for kind in ("text", "time", "number")}
    asked["choice"] = AskedQuestion("choice", "choice", "choice", choices=("a",))
    assert {words.of_error(one, " ") for one in asked.values()} == {"Fehlt."}
    said = [words.of_error(one, "x") for one in asked.values()]
    assert said == ["Eine Zeile.", "Keine Zeit.", "Keine Zahl.", "Fehlt."]


def test_a_field_is_checked_when_it_is_left_and_while_it_is_corrected(sits_down: Any) -> None:
    """A wrong time is marked as the field is left, and no longer as soon as it is right."""
    assistant = sits_down(**RIGHT | {"last_dose": ""})
    assistant.type("25", "<tab>")
    wait_until(lambda: assistant.sees(ERROR) > 500)
    with assistant.hands.holding("lshift"):
        assistant.type("<tab>")
    assistant.type("0830")
    wait_until(lambda: assistant.sees(ERROR) == 0)
    assistant.type("<return>")
    assert assistant.answers() == ANSWERS


def test_who_may_have_been_meant_is_a_button(sits_down: Any) -> None:
    """An ID that nobody has is marked with the nearest ones, and pressing one of them takes it."""
    assistant = sits_down(**RIGHT | {"subject": ""})
    assistant.type("df0017", "<tab>")
    wait_until(lambda: assistant.sees(ERROR) > 500)
    with assistant.hands.holding("lshift"):
        assistant.type("<tab>", "<tab>", "<tab>")
    assistant.type("<space>", "<return>")
    assert assistant.answers() in (ANSWERS, ANSWERS | {"subject": "df017"})
