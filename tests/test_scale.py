"""What an input means on a rating scale, and where the marker goes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.protocol import KEY_NAMES
from experiment.design.scale import LINE_POINTS, Scale
from experiment.record.events import Click, Drag, Focus, Key, PauseAsked
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
from tests.strategies import PROTOCOL, scales

KEYS = PROTOCOL.keys
SEVEN = Scale()
LINE = Scale(LINE_POINTS, 0, is_line=True)
BUTTON = (LAYOUT.button.x_px, LAYOUT.button.y_px)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("points", range(2, 12))
def test_digits_of_the_scale_put_the_marker(points: int, first: int) -> None:
    """Each digit that is a number of the scale means it, 0 means ten where there is no 0, and others mean nothing."""
    scale = Scale(points, first)
    meant = {digit: interpret(key(digit, 0), scale, KEYS, LAYOUT) for digit in "0123456789"}
    numbers = {digit: int(digit) for digit in "0123456789"} | ({} if scale.holds(0) else {"0": 10})
    assert meant == {
        digit: SetMarker(number) if first <= number < first + points else None for digit, number in numbers.items()
    }


@pytest.mark.parametrize(
    ("points", "first", "typed", "after_s", "number"),
    [
        (11, 0, "10", 0.3, 10), (11, 0, "10", 1.0, 10), (11, 0, "10", 1.1, 0), (11, 0, "11", 0.3, 1),
        (11, 0, "20", 0.3, 0), (11, 0, "05", 0.3, 5), (10, 1, "10", 0.3, 10), (10, 1, "10", 5.0, 10),
        (11, 1, "11", 0.3, 11), (11, 1, "11", 2.0, 1), (7, 1, "10", 0.3, None), (7, 1, "12", 0.3, 2),
    ],
)  # fmt: skip
def test_ten_is_typed_as_it_is_written(points: int, first: int, typed: str, after_s: float, number: int | None) -> None:
    """Two digits within a second are one number if the scale has it; later, or if not, the second stands alone."""
    before, given = key(typed[0], 5.0), key(typed[1], 5.0 + after_s)
    meant = interpret(given, Scale(points, first), KEYS, LAYOUT, before)
    assert meant == (None if number is None else SetMarker(number))


def test_digits_mean_nothing_on_a_line() -> None:
    """A line has no numbers to be seen, so none can be typed."""
    assert not [digit for digit in "0123456789" if interpret(key(digit, 0), LINE, KEYS, LAYOUT)]


@pytest.mark.parametrize("scale", [SEVEN, Scale(11, 0), LINE, replace(LINE, is_mirrored=True)])
def test_every_key_means_what_the_protocol_says(scale: Scale) -> None:
    """Of all keys that are no digits, only those of the protocol do something; arrows move as seen, on a line by 5."""
    right = -scale.step if scale.is_mirrored else scale.step
    expected: dict[str, Action] = {"left": MoveMarker(-right), "right": MoveMarker(right)}
    expected |= {"down": MoveMarker(-1), "up": MoveMarker(1)}
    expected |= {name: Confirm() for name in ("space", "return", "num_enter")}
    others = [name for name in KEY_NAMES if not name.isdigit()]
    assert {name: meant for name in others if (meant := interpret(key(name, 0), scale, KEYS, LAYOUT))} == expected


@given(st.text(max_size=3), st.booleans(), scales())
@example("\u00b2", True, SEVEN)  # noqa: FBT003 - as hypothesis gives it
def test_no_name_of_a_key_is_an_error(name: str, down: bool, scale: Scale) -> None:  # noqa: FBT001 - hypothesis gives it
    """Keys with any name, such as the superscript two of French keyboards, mean a number of the scale or none."""
    meant = interpret(key(name, 0, down=down), scale, KEYS, LAYOUT)
    assert not isinstance(meant, SetMarker) or scale.holds(meant.number)


releases = st.one_of(
    st.sampled_from([*KEY_NAMES]).map(lambda name: key(name, 0, down=False)),
    st.tuples(st.floats(-700, 700), st.floats(-400, 400)).map(lambda place: click(place, 0)[1]),
)


@given(releases, scales())
def test_releases_mean_nothing(released: Key | Click, scale: Scale) -> None:
    """No key and no click does anything when it comes up, if nothing was dragged."""
    assert interpret(released, scale, KEYS, LAYOUT) is None
    assert not is_confirmation(released, KEYS, LAYOUT)


@given(scales(lines=False), st.floats(-700, 700), st.floats(-400, 400), st.data())
def test_nothing_is_dragged_along_points(scale: Scale, x_px: float, y_px: float, data: st.DataObject) -> None:
    """On a scale of points, moving the mouse and letting it go mean nothing, wherever it was pressed."""
    pressed, released = click((x_px, y_px), 0)
    number = data.draw(st.integers(scale.first, scale.last))
    before = data.draw(st.sampled_from([pressed, click(LAYOUT.scale(scale).number_place(number), 0)[0]]))
    for moved in (Drag(x_px, y_px, 1.0, "poll"), released):
        assert interpret(moved, scale, KEYS, LAYOUT, before) is None


@pytest.mark.parametrize("line", [LINE, replace(LINE, is_mirrored=True)])
def test_the_mouse_drags_the_marker_along_a_line(line: Scale) -> None:
    """Pressed on the line, the marker follows the mouse to the ends, at any height; pressed elsewhere it does not."""
    places = LAYOUT.scale(line)
    (x_px, _), (low_px, _) = places.number_place(30), places.number_place(0)
    pressed, released = click(places.number_place(60), 0)
    drag, beyond = Drag(x_px, 300.0, 1.0, "poll"), Drag(3 * low_px, 0.0, 1.1, "poll")
    assert interpret(pressed, line, KEYS, LAYOUT) == SetMarker(60)
    assert interpret(drag, line, KEYS, LAYOUT, pressed) == SetMarker(30)
    assert interpret(beyond, line, KEYS, LAYOUT, drag) == SetMarker(0)
    assert interpret(released, line, KEYS, LAYOUT, beyond) == SetMarker(60)
    elsewhere = click((0.0, 300.0), 0)[0]
    for before in (None, released, elsewhere, click(BUTTON, 0)[0], key("right", 0)):
        assert interpret(drag, line, KEYS, LAYOUT, before) is None
        assert interpret(released, line, KEYS, LAYOUT, before) is None


@pytest.mark.parametrize("happened", [Focus(gained=True, time_s=0), PauseAsked(0)])
def test_what_happens_to_the_window_is_no_answer(happened: Focus | PauseAsked) -> None:
    """Focus and closing mean nothing on a scale and on a message."""
    assert interpret(happened, SEVEN, KEYS, LAYOUT) is None
    assert not is_confirmation(happened, KEYS, LAYOUT)


@given(scales(), st.data())
def test_a_click_on_a_number_puts_the_marker_there(scale: Scale, data: st.DataObject) -> None:
    """A click where the marker of a number would stand means that number."""
    number = data.draw(st.integers(scale.first, scale.last))
    pressed, _ = click(LAYOUT.scale(scale).number_place(number), 0)
    assert interpret(pressed, scale, KEYS, LAYOUT) == SetMarker(number)


def test_a_click_on_the_button_confirms_and_goes_on() -> None:
    """The button answers in its rectangle and not beside it."""
    half_px = LAYOUT.button.width_px / 2
    for x_px, inside in ((0.0, True), (half_px - 1, True), (half_px + 1, False)):
        pressed, _ = click((x_px, BUTTON[1]), 0)
        assert (interpret(pressed, SEVEN, KEYS, LAYOUT) == Confirm()) is inside
        assert is_confirmation(pressed, KEYS, LAYOUT) is inside


@given(scales(), st.lists(st.sampled_from([-5, -1, 1, 5]).map(MoveMarker), min_size=1, max_size=30))
def test_arrows_never_leave_the_scale(scale: Scale, moves: list[MoveMarker]) -> None:
    """However often arrows are pressed, the marker is on a number, and moves as far as the arrow or to the end."""
    marker = marker_after(None, moves[0], scale)
    for move in moves[1:]:
        after = marker_after(marker, move, scale)
        assert scale.holds(after)
        assert after == marker + move.by or after in (scale.first, scale.last)
        marker = after


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("points", "left", "right"),
    [(2, 1, 2), (3, 2, 2), (4, 2, 3), (5, 3, 3), (6, 3, 4), (7, 4, 4), (8, 4, 5), (9, 5, 5), (10, 5, 6), (11, 6, 6)],
)
def test_the_first_arrow_takes_the_middle(points: int, left: int, right: int, first: int) -> None:
    """The first arrow marks the middle; of an even number of points, the middle one on its own side."""
    scale = Scale(points, first)
    marked = marker_after(None, MoveMarker(-1), scale), marker_after(None, MoveMarker(1), scale)
    assert marked == (left - 1 + first, right - 1 + first)


def test_the_middle_of_a_line_is_50() -> None:
    """The first arrow on a line marks 50, whichever it is."""
    assert {marker_after(None, MoveMarker(by), LINE) for by in (-5, -1, 1, 5)} == {50}


@given(scales(), st.data())
def test_a_put_marker_is_where_it_was_put(scale: Scale, data: st.DataObject) -> None:
    """A digit or click moves the marker to its number from anywhere."""
    numbers = st.integers(scale.first, scale.last)
    number, marker = data.draw(numbers), data.draw(st.none() | numbers)
    assert marker_after(marker, SetMarker(number), scale) == number


def test_the_ends_hold_the_marker() -> None:
    """An arrow at the end of the scale leaves the marker there."""
    assert (marker_after(1, MoveMarker(-1), SEVEN), marker_after(7, MoveMarker(1), SEVEN)) == (1, 7)
    assert (marker_after(2, MoveMarker(-5), LINE), marker_after(98, MoveMarker(5), LINE)) == (0, 100)
