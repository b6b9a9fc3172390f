"""What an input means on a rating scale, and where the marker goes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiment.design.protocol import KEY_NAMES
from experiment.record.events import Click, Focus, Key, PauseAsked
from experiment.task.rating_scale import (
    Action,
    Confirm,
    MoveMarker,
    SetMarker,
    interpret,
    is_confirmation,
    marker_after,
)
from tests.scripted_screen import LAYOUT, click, key
from tests.strategies import PROTOCOL

KEYS = PROTOCOL.keys
points_counts = st.integers(2, 9)
BUTTON = (LAYOUT.button.x_px, LAYOUT.button.y_px)


@pytest.mark.parametrize("points", range(2, 10))
def test_digits_up_to_the_points_put_the_marker(points: int) -> None:
    """The digits 1 to `points` mean their point, 0 and those beyond mean nothing."""
    meant = {digit: interpret(key(digit, 0), points, KEYS, LAYOUT) for digit in "0123456789"}
    assert meant == {digit: SetMarker(int(digit)) if 1 <= int(digit) <= points else None for digit in "0123456789"}


def test_every_key_means_what_the_protocol_says() -> None:
    """Of all keys that are no digits, only those of the protocol do something on a scale."""
    expected: dict[str, Action] = {"left": MoveMarker(-1), "right": MoveMarker(1)}
    expected |= {name: Confirm() for name in ("space", "return", "num_enter")}
    others = [name for name in KEY_NAMES if not name.isdigit()]
    assert {name: meant for name in others if (meant := interpret(key(name, 0), 7, KEYS, LAYOUT))} == expected


@given(st.text(max_size=3), st.booleans(), points_counts)
@example("²", True, 7)  # noqa: FBT003 - as hypothesis gives it
def test_no_name_of_a_key_is_an_error(name: str, down: bool, points: int) -> None:  # noqa: FBT001 - hypothesis gives it
    """Keys with any name, such as the superscript two of French keyboards, mean a point of the scale or no point."""
    meant = interpret(key(name, 0, down=down), points, KEYS, LAYOUT)
    assert not isinstance(meant, SetMarker) or 1 <= meant.point <= points


@given(
    st.one_of(
        st.sampled_from([*KEY_NAMES]).map(lambda name: key(name, 0, down=False)),
        st.tuples(st.floats(-700, 700), st.floats(-400, 400)).map(lambda place: click(place, 0)[1]),
    )
)
def test_releases_mean_nothing(released: Key | Click) -> None:
    """No key and no click does anything when it comes up."""
    assert interpret(released, 7, KEYS, LAYOUT) is None
    assert not is_confirmation(released, KEYS, LAYOUT)


@pytest.mark.parametrize("happened", [Focus(gained=True, time_s=0), PauseAsked(0)])
def test_what_happens_to_the_window_is_no_answer(happened: Focus | PauseAsked) -> None:
    """Focus and closing mean nothing on a scale and on a message."""
    assert interpret(happened, 7, KEYS, LAYOUT) is None
    assert not is_confirmation(happened, KEYS, LAYOUT)


@given(points_counts, st.data())
def test_a_click_on_a_point_puts_the_marker_there(points: int, data: st.DataObject) -> None:
    """A click where the marker of a point would stand means that point."""
    point = data.draw(st.integers(1, points))
    pressed, _ = click(LAYOUT.scale(points).point_place(point), 0)
    assert interpret(pressed, points, KEYS, LAYOUT) == SetMarker(point)


def test_a_click_on_the_button_confirms_and_goes_on() -> None:
    """The button answers in its rectangle and not beside it."""
    half_px = LAYOUT.button.width_px / 2
    for x_px, inside in ((0.0, True), (half_px - 1, True), (half_px + 1, False)):
        pressed, _ = click((x_px, BUTTON[1]), 0)
        assert (interpret(pressed, 7, KEYS, LAYOUT) == Confirm()) is inside
        assert is_confirmation(pressed, KEYS, LAYOUT) is inside


@given(points_counts, st.lists(st.sampled_from([MoveMarker(-1), MoveMarker(1)]), min_size=1, max_size=30))
def test_arrows_never_leave_the_scale(points: int, moves: list[MoveMarker]) -> None:
    """However often arrows are pressed, the marker is on a point, and moves by one or not at all."""
    marker = marker_after(None, moves[0], points)
    for move in moves[1:]:
        after = marker_after(marker, move, points)
        assert 1 <= after <= points
        assert after == marker + move.by or marker in (1, points)
        marker = after


@pytest.mark.parametrize(
    ("points", "left", "right"),
    [(2, 1, 2), (3, 2, 2), (4, 2, 3), (5, 3, 3), (6, 3, 4), (7, 4, 4), (8, 4, 5), (9, 5, 5)],
)
def test_the_first_arrow_takes_the_middle(points: int, left: int, right: int) -> None:
    """The first arrow marks the middle; of an even number of points, the middle one on its own side."""
    assert (marker_after(None, MoveMarker(-1), points), marker_after(None, MoveMarker(1), points)) == (left, right)


@given(points_counts, st.data())
def test_a_put_marker_is_where_it_was_put(points: int, data: st.DataObject) -> None:
    """A digit or click moves the marker to its point from anywhere."""
    point, marker = data.draw(st.integers(1, points)), data.draw(st.none() | st.integers(1, points))
    assert marker_after(marker, SetMarker(point), points) == point


def test_the_ends_hold_the_marker() -> None:
    """An arrow at the end of the scale leaves the marker there."""
    assert (marker_after(1, MoveMarker(-1), 7), marker_after(7, MoveMarker(1), 7)) == (1, 7)
