"""Which time belongs to which click, where the window tells late, in another order of polls, or of nothing at all."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from experiment.record.events import Click, Drag
from experiment.screens import click_times
from experiment.screens.click_times import PATIENCE_S, STROKE_WITHIN_S, Clicks
from experiment.screens.key_event import KeyEvent


class Window:
    """A window of 200 x 100 pixels whose events are told here, on a clock that is set here."""

    width, height = 200, 100

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, heard: bool = True) -> None:
        self.now_s = self.server_s = 0.0
        monkeypatch.setattr(click_times, "_tell_server_times", lambda _: lambda: self.server_s)
        clock: Any = SimpleNamespace(now_s=lambda: self.now_s, of_count=lambda count_s: count_s)
        self.handlers = dict[str, Any]()
        self.clicks = Clicks(self, clock, "queue" if heard else None)

    def push_handlers(self, **handlers: Any) -> None:
        """As pyglet's window."""
        self.handlers = handlers

    def tells(self, at_s: float, x_px: int = 100, *, down: bool = True) -> None:
        """The window's event of a press or release that happened then."""
        self.server_s = at_s
        self.handlers["on_mouse_press" if down else "on_mouse_release"](x_px, 50, 1, 0)

    def polled(self, now_s: float, *strokes: tuple[float, bool]) -> list[tuple[float, float, str]]:
        """What is known at a poll after these strokes: place, time, by whom."""
        self.now_s = now_s
        found = self.clicks.taken([KeyEvent("mouse_1", down, time_s) for time_s, down in strokes], now_s)
        return [(click.x_px, click.time_s, click.timed_by) for click in found if isinstance(click, Click)]


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Window:
    """Whose keys' source hears the button."""
    return Window(monkeypatch)


def test_a_click_told_late_has_its_time(window: Window) -> None:
    """Until the window tells, all since the stroke is unsure; then the click is of the stroke's moment."""
    assert window.polled(1.0, (0.99, True)) == []
    assert window.clicks.unsure_s == 0.99
    window.tells(0.988, 130)
    assert window.polled(1.3) == [(30, 0.99, "queue")]
    assert window.clicks.unsure_s == math.inf


def test_clicks_told_together_keep_their_own_times(window: Window) -> None:
    """Two clicks that the window tells at different polls, after both were heard, are not exchanged."""
    window.polled(1.0, (0.8, True), (0.85, False), (0.95, True), (0.98, False))
    window.tells(0.8, 110)
    window.tells(0.85, 110, down=False)
    assert window.polled(1.1) == [(10, 0.8, "queue"), (10, 0.85, "queue")]
    assert window.clicks.unsure_s == 0.95
    window.tells(0.95, 120)
    window.tells(0.98, 120, down=False)
    assert window.polled(1.2) == [(20, 0.95, "queue"), (20, 0.98, "queue")]


def test_a_click_outside_the_window_lends_nobody_its_time(window: Window) -> None:
    """A stroke that the window did not tell of is passed over by the next click, or forgotten after a while."""
    window.polled(1.0, (0.9, True), (0.95, False))
    window.tells(1.2, 110)
    assert window.polled(1.25, (1.2, True)) == [(10, 1.2, "queue")]
    assert window.clicks.unsure_s == math.inf
    window.polled(2.0, (1.9, True))
    window.polled(2.0 + PATIENCE_S)
    assert window.clicks.unsure_s == math.inf


def test_what_is_not_heard_has_the_time_of_its_poll(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finger on a screen makes no stroke: it is waited for shortly; where no button is heard at all, never."""
    window.now_s = 1.0
    window.tells(0.99)
    assert window.polled(1.0) == []
    assert window.polled(1.0 + STROKE_WITHIN_S) == [(0, 1.0, "poll")]
    other = Window(monkeypatch, heard=False)
    other.now_s = 3.0
    other.tells(2.99)
    assert other.polled(3.01) == [(0, 3.0, "poll")]


def test_a_drag_comes_before_the_release_that_is_not_told_yet(window: Window) -> None:
    """The button was let go between two polls, and the window tells of its last move only: that was before."""
    window.handlers["on_mouse_drag"](150, 50, 0, 0, 1, 0)
    window.polled(1.0, (0.9, False))
    assert window.clicks.drag(1.0) == Drag(50, 0, 0.9, "poll")
    assert window.clicks.drag(1.1) is None
