"""Sessions in a real window: its pixels on the screen, real keys and clicks, and what of them lies on disk."""

from __future__ import annotations

import os
import signal
import statistics
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pyvirtualdisplay.display import Display

from experiment.design.scale import Scale
from experiment.record.events import (
    Click,
    Ended,
    Focus,
    Key,
    Marked,
    MessageScene,
    Paused,
    Resumed,
    ScaleScene,
    Shown,
    TextScene,
)
from experiment.task.layout import MINIMUM_SIZE_PX, Layout
from tests.lab import (
    Eyes,
    Lab,
    by_keyboard,
    chord,
    differing,
    finishes,
    is_closing,
    is_message,
    is_paused,
    managed,
    participates,
    pictures_of,
    screen_of,
    short_protocol,
    telling_pixel,
)
from tests.trial_tables import read_table
from tests.xtest import Hands

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from experiment.drawing.pictures import Pictures
    from experiment.record.events import Scene
    from tests.lab import Place, Sitting

BACKGROUND = (0xF5, 0xF2, 0xEC)
MIXED = [("emoji", 3), ("scripts", 0), ("scripts", 3)]  # joined emoji and flags; Arabic; Chinese with Japanese


def test_every_picture_is_on_the_screen_as_prepared(lab: Lab, hands: Hands) -> None:
    """Pages, messages with emoji and mixed scripts, scales at each point, buttons and the PILOT mark: equal pixels."""
    short_protocol(lab.protocol, {"messages = 6": "messages = 3"})
    messages = lab.messages(*MIXED)
    pilot, pictures = lab.pilots(messages=messages), pictures_of(lab, messages, "PILOT")
    assert pictures.mark is not None
    answer, seen, points = by_keyboard(hands), set(), iter("1234567")

    def look_and_answer(scene: Scene) -> None:
        if isinstance(scene, TextScene) and scene.style == "page" and scene.button is None:
            return  # gone again in a moment, and it comes back with its button
        if getattr(scene, "button", None) or isinstance(scene, ScaleScene):
            assert differing(lab, pictures, scene) == 0, scene
            seen.add(scene)
        point = next(points, None) if isinstance(scene, ScaleScene) else None
        hands.tap(point, 0.005) if point else answer(scene)

    closing = participates(pilot, look_and_answer, is_closing)
    assert differing(lab, pictures, closing.scene) == 0
    assert {scene.message_id for scene in seen if isinstance(scene, MessageScene)} == {"practice", "m1", "m2", "m3"}
    assert {scene.marker for scene in seen if isinstance(scene, ScaleScene)} == {None, 1, 2, 3, 4, 5, 6, 7}
    hands.tap("space")
    assert pilot.ends()[0] == 0


def test_the_photodiodes_square_is_white_exactly_while_there_is_something_to_judge(
    lab: Lab, hands: Hands, eyes: Eyes
) -> None:
    """80 pixels bottom right, white with a message or a scale and black with all else, its edges where they should be.

    With `--photodiode` only; the whole screen is compared, so nothing else is anywhere different.
    """
    messages = lab.messages()
    pilot, pictures = lab.pilots("--photodiode", messages=messages), pictures_of(lab, messages, "PILOT", square=True)
    assert pilot.started().screen.photodiode
    answer, colours = by_keyboard(hands), dict[bool, int]()

    def look_and_answer(scene: Scene) -> None:
        lit = isinstance(scene, MessageScene | ScaleScene)
        if lit and getattr(scene, "button", None):
            assert differing(lab, pictures, scene) == 0
        if getattr(scene, "button", None):
            for place in ((640, 1200), (719, 1279)):
                eyes.sees(place, (255, 255, 255) if lit else (0, 0, 0))
            assert eyes.sees((639, 1240), BACKGROUND)
            colours[lit] = colours.get(lit, 0) + 1
        answer(scene)

    assert finishes(pilot, look_and_answer)[0] == 0
    assert min(colours[True], colours[False]) > 3


@pytest.mark.alone
def test_the_keyboard_alone_completes_a_session(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """The table has exactly the ratings that were pressed, with the rt of presses and onsets that were seen outside.

    XTEST tells when a key was pressed, and a look at a pixel of the screen when a scale came. No pointer is ever seen.
    """
    short_protocol(lab.protocol, {"enabled = true ": "enabled = false "})
    messages = lab.messages(*[("english", row) for row in range(6)])
    sitting, pictures = lab.runs(), pictures_of(lab, messages, None)
    started, ratings = sitting.started(), [2, 7, 1, 4, 6, 3, 5, 5, 7, 1, 3, 2]
    left_s, rt_s, confirm_rt_s = list[float](), list[float](), list[float]()
    for number in range(6):
        scene = participates(sitting, by_keyboard(hands), is_message).scene
        assert differing(lab, pictures, scene) == 0  # so there is no mark of a pilot either
        before = screen_of(lab, pictures, scene)[0]
        gone_s, onsets_s = list[float](), list[float]()
        for point, scale in zip(ratings[2 * number : 2 * number + 2], scales(pictures), strict=True):
            assert not eyes.sees_pointer()
            after = screen_of(lab, pictures, scale)[0]
            place = telling_pixel(before, after)
            gone_s.append(hands.tap("space", 0.001)[0])
            onsets_s.append(eyes.sees(place, after[place]))
            time.sleep(0.03)
            rt_s.append(hands.tap(str(point), 0.001)[0] - onsets_s[-1])
            marked = sitting.shows(lambda scene: isinstance(scene, ScaleScene) and scene.button is not None)
            before = screen_of(lab, pictures, marked.scene)[0]
        gone_s.append(hands.tap("space", 0.001)[0])
        left_s.append(gone_s[0])
        confirm_rt_s += [press_s - onset_s for press_s, onset_s in zip(gone_s[1:], onsets_s, strict=True)]
    assert finishes(sitting, by_keyboard(hands))[0] == 0
    table = read_table(lab.table())
    assert [*table[["connection", "pleasure"]].to_numpy().flat] == ratings
    assert far_ms(table[["connection_rt", "pleasure_rt"]].to_numpy().flat, rt_s) < 15
    assert far_ms(table[["connection_confirm_rt", "pleasure_confirm_rt"]].to_numpy().flat, confirm_rt_s) < 15
    zero_s = datetime.fromisoformat(started.zero_utc).timestamp()
    assert far_ms(zero_s + table["message_onset"] + table["reading_time"], left_s) < 15
    assert set(table["timed_by"]) == {started.screen.timed_by} <= {"queue", "iohub"}


def scales(pictures: Pictures) -> list[ScaleScene]:
    """The two scales of a trial, in the order of asking."""
    return [scene for scene in pictures.scenes if isinstance(scene, ScaleScene)]


def far_ms(found: Iterable[float], expected: Sequence[float]) -> float:
    """How far times lie from those expected: the median."""
    return statistics.median(abs(one - other) * 1e3 for one, other in zip(found, expected, strict=True))


def test_the_mouse_alone_completes_a_session_on_another_screen(large_display: str, tmp_path: Path) -> None:
    """Clicks on scale and buttons are enough, on a full screen of 1920 x 1080 without a mark.

    The pointer is hidden while a message cannot be left yet, and seen where the mouse can answer.
    """
    lab, size_px = Lab(large_display, tmp_path), (1920, 1080)
    messages, layout = lab.messages(), Layout(*size_px)
    sitting, pictures = lab.runs(), pictures_of(lab, messages, None, size_px)
    choices = iter([4, 1, 7, 3, 2, 6, 5])  # the 1 is changed to 7

    with Hands(large_display) as hands, Eyes(large_display) as eyes:

        def click(place_px: Place) -> None:
            hands.click(size_px[0] // 2 + place_px[0], size_px[1] // 2 - place_px[1], 0.005)

        def answer(scene: Scene) -> None:
            if isinstance(scene, ScaleScene) and (scene.marker is None or scene.marker == 1):
                click(layout.scale(Scale()).number_place(next(choices)))
            elif getattr(scene, "button", None):
                assert eyes.sees_pointer()
                click((layout.button.x_px, layout.button.y_px))

        participates(sitting, answer, lambda scene: isinstance(scene, MessageScene) and scene.button is None)
        assert not eyes.sees_pointer()
        message = participates(sitting, answer, is_message).scene
        window = eyes.window().get_geometry()
        assert (window.x, window.y, window.width, window.height) == (0, 0, *size_px)
        assert differing(lab, pictures, message) == 0
        answer(message)
        assert finishes(sitting, answer)[0] == 0
    table = read_table(lab.table())
    assert [*table[["connection", "pleasure"]].to_numpy().flat] == [3, 2, 6, 5]
    assert set(table["timed_by"]) <= {"queue", "iohub"}


@pytest.mark.parametrize("manager", [None, "openbox"])
def test_every_click_in_a_window_is_recorded(manager: str | None, tmp_path: Path) -> None:
    """With a window manager and without one the mouse alone completes a session in a window, as a participant sees it.

    A click beside the button is recorded too: before a window is moved, pyglet tells its size in numpy's numbers.
    """
    with Display(size=(1600, 900), manage_global_env=False, extra_args=["-noreset"]) as server:
        display = str(server.new_display_var)
        lab = Lab(display, tmp_path)
        layout, beside = Layout(*MINIMUM_SIZE_PX), (-600, 300)
        with managed(display, manager), Hands(display) as hands, Eyes(display) as eyes:
            lab.messages()
            sitting, clicked = lab.runs(more=("--windowed",)), list[tuple[float, float]]()

            def click(place_px: Place) -> None:
                left_px, top_px = eyes.window_corner()
                x_px, y_px = layout.width_px // 2 + place_px[0], layout.height_px // 2 - place_px[1]
                hands.click(left_px + x_px, top_px + y_px, 0.005)
                clicked.append(place_px)

            def answer(scene: Scene) -> None:
                if isinstance(scene, ScaleScene) and scene.marker is None:
                    click(beside)
                    click(layout.scale(Scale()).number_place(5))
                elif getattr(scene, "button", None):
                    click((layout.button.x_px, layout.button.y_px))

            status, said = finishes(sitting, answer)
            assert (status, "2 of 2 messages have been rated" in said) == (0, True), said
    down = [event for event in sitting.events() if isinstance(event, Click) and event.down]
    assert [(round(event.x_px), round(event.y_px)) for event in down] == clicked
    assert read_table(lab.table())["connection"].to_list() == [5, 5]


@pytest.mark.alone
def test_a_window_manager_that_takes_its_time_changes_neither_order_nor_time(tmp_path: Path) -> None:
    """While it is busy, clicks and keys pressed in turn are recorded in that order, each at its own time."""
    with Display(size=(1600, 900), manage_global_env=False, extra_args=["-noreset"]) as server:
        display = str(server.new_display_var)
        with managed(display, "openbox") as manager, Hands(display) as hands, Eyes(display) as eyes:
            assert manager
            lab = Lab(display, tmp_path)
            sitting = lab.pilots()
            sitting.shows(lambda scene: isinstance(scene, TextScene) and scene.button is not None)
            left_px, top_px = eyes.window_corner()
            manager.send_signal(signal.SIGSTOP)
            at_s = []
            for _ in range(3):  # none of these answers anything
                at_s += [hands.click(left_px + 10, top_px + 9)[0], hands.tap("x")[0]]
                time.sleep(0.02)
            manager.send_signal(signal.SIGCONT)
            hands.tap("v")
            sitting.next(Key, lambda key: key.key == "v")
            down = [event for event in sitting.events() if isinstance(event, Click | Key) and event.down][:-1]
            sitting.interrupts()
    assert ["click" if isinstance(event, Click) else event.key for event in down] == ["click", "x"] * 3
    assert [event.x_px + MINIMUM_SIZE_PX[0] / 2 for event in down if isinstance(event, Click)] == [10] * 3
    assert {event.timed_by for event in down} == {down[1].timed_by}
    zero_s = [one - event.time_s for one, event in zip(at_s, down, strict=True)]
    assert max(zero_s) - min(zero_s) < 0.03  # presses are 50 ms apart


@pytest.mark.alone
def test_what_is_held_answers_nothing_and_no_press_is_lost(lab: Lab, hands: Hands) -> None:
    """Only new presses answer; presses of 1 ms, overlapping ones and those during a stall come once each, in order.

    The assistant then ends the session, and the table has what was rated until then.
    """
    lab.messages()
    sitting = lab.runs()
    participates(sitting, by_keyboard(hands), is_message)
    place_px = Layout(1280, 720).scale(Scale()).number_place(2)
    hands.point(640 + place_px[0], 360 - place_px[1])
    with hands.holding("5", "mouse_1", "space"):
        sitting.shows(lambda scene: isinstance(scene, ScaleScene))
        time.sleep(0.9)  # longer than a key has to be held until it repeats
        hands.tap("4")
        sitting.shows(lambda scene: isinstance(scene, ScaleScene) and scene.marker == 4)
        time.sleep(0.1)
    hands.tap("a")
    sitting.next(Key, lambda key: key.key == "a" and not key.down)
    assert [event.value for event in sitting.events() if isinstance(event, Marked)][2:] == [4]  # after the practice's
    hands.tap("space")
    sitting.shows(lambda scene: isinstance(scene, ScaleScene) and scene.marker is None)

    known = len(keys_of(sitting))
    sent = [*burst(hands), *overlap(hands)]
    os.kill(sitting.process.pid, signal.SIGSTOP)
    sent += [*burst(hands), *overlap(hands)]
    time.sleep(0.3)
    os.kill(sitting.process.pid, signal.SIGCONT)
    hands.tap("z")
    sitting.next(Key, lambda key: key.key == "z" and not key.down)
    assert keys_of(sitting)[known:-2] == sent
    marks = [event.value for event in sitting.events() if isinstance(event, Marked)]
    assert marks[3:] == [1, 2, 3, 4, 5, 6, 7, 2, 6, 1, 2, 3, 4, 5, 6, 7, 2, 6]
    hands.tap("space")
    participates(sitting, by_keyboard(hands), is_message)

    status, said = sitting.leaves(hands)
    assert (status, sitting.ended()) == (3, Ended("aborted", "withdrew"))
    assert str(lab.table()) in said
    first, second = read_table(lab.table()).to_dict("records")
    assert (first["connection"], first["pleasure"], first["pleasure_changes"]) == (4, 6, 17)
    assert second["message_onset"] > first["message_onset"]
    unknown = ["reading_time", "connection", "connection_rt", "pleasure", "pleasure_onset", "timed_by"]
    assert all(pd.isna(second[name]) for name in unknown)


def burst(hands: Hands) -> list[tuple[str, bool]]:
    """The number pad's digits from 1 to 7, 1 ms each; what the transcript should hold of them."""
    for point in "1234567":
        hands.tap(f"num_{point}", 0.001)
    return [(point, down) for point in "1234567" for down in (True, False)]


def overlap(hands: Hands) -> list[tuple[str, bool]]:
    """Three keys that overlap; what the transcript should hold of them."""
    strokes = [("2", True), ("b", True), ("6", True), ("2", False), ("6", False), ("b", False)]
    for key, down in strokes:
        (hands.press if down else hands.release)(key)
        time.sleep(0.002)
    return strokes


def keys_of(sitting: Sitting) -> list[tuple[str, bool]]:
    """All movements of keys up to now."""
    return [(event.key, event.down) for event in sitting.events() if isinstance(event, Key)]


def test_only_the_assistant_pauses_and_nothing_else_ends_a_session(lab: Lab, hands: Hands, eyes: Eyes) -> None:
    """Chord, closing the window and losing the keyboard only pause, and hide the message; Escape and Alt+F4 do nothing.

    Ctrl+C at the terminal ends the session as aborted, with a table.
    """
    pictures = pictures_of(lab, lab.messages(), None)
    sitting = lab.runs()
    message = participates(sitting, by_keyboard(hands), is_message).scene
    window, other = eyes.window(), eyes.other_window()
    eyes.gives_focus(window)
    other.unmap()

    singles = ["escape", *"abcdefghijklmnopqrstuvwxyz1234567890", "f1", "f4", "f11", "tab", "delete", "pause", "menu"]
    for key in singles:
        hands.tap(key, 0.001)
    for modifier, key in (("lalt", "f4"), ("lctrl", "c"), ("lctrl", "q"), ("lctrl", "w"), ("lalt", "tab")):
        with hands.holding(modifier):
            hands.tap(key, 0.001)
    hands.tap("z")
    sitting.next(Key, lambda key: key.key == "z" and not key.down)
    sitting.next(Key, lambda key: key.key == "z" and not key.down)
    assert not [event for event in sitting.events() if isinstance(event, Paused | Ended)]

    def asks_for_pause() -> None:
        chord(hands)

    def focus_goes() -> None:
        other.map()
        eyes.gives_focus(other)

    causes = {"chord": asks_for_pause, "window_closed": eyes.asks_to_close, "focus_lost": focus_goes}
    for cause, happens in causes.items():
        happens()
        paused = sitting.shows(is_paused)
        assert sitting.next(Paused).cause == cause
        eyes.gives_focus(window)
        if cause == "focus_lost":
            assert sitting.next(Focus).gained
        other.unmap()
        assert differing(lab, pictures, paused.scene) == 0
        hands.tap("c")
        assert sitting.next(Shown).scene == message
        assert differing(lab, pictures, message) == 0
        sitting.next(Resumed)

    assert sitting.interrupts()[0] == 3
    assert sitting.ended() == Ended("aborted", "interrupted")
    assert read_table(lab.table())["pauses"].to_list() == [3, pd.NA]
