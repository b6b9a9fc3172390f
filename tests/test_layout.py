"""Where things stand: on the screen, apart from each other, and where a click on them counts."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.rating import Question
from experiment.design.scale import Scale
from experiment.drawing.stimuli import draw_pictures
from experiment.errors import BadInput
from experiment.record.events import ScaleScene
from experiment.task.layout import MOST_APART, Box, Layout
from tests.scripted_screen import short
from tests.strategies import PROTOCOL, scales

if TYPE_CHECKING:
    from experiment.task.layout import ScaleLayout

sizes = st.one_of(
    st.sampled_from([(1280, 720), (1366, 768), (1440, 900), (1920, 1080), (1920, 1200), (2560, 1440), (3840, 2160)]),
    st.tuples(st.integers(1280, 3840), st.integers(720, 2160)),
)
layouts = st.builds(lambda size: Layout(*size), sizes)


def picture_box(scale: ScaleLayout) -> Box:
    """The place of a scale's picture."""
    return Box(0, scale.centre_y_px, scale.width_px, scale.height_px)


def edges(box: Box) -> tuple[float, float, float, float]:
    """Left, right, bottom and top."""
    half_width, half_height = box.width_px / 2, box.height_px / 2
    return box.x_px - half_width, box.x_px + half_width, box.y_px - half_height, box.y_px + half_height


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share a pixel."""
    apart_x = abs(one.x_px - other.x_px) >= (one.width_px + other.width_px) / 2
    return not apart_x and abs(one.y_px - other.y_px) < (one.height_px + other.height_px) / 2


@given(layouts, scales())
def test_boxes_are_apart_and_on_the_screen(layout: Layout, scale: Scale) -> None:
    """Text, progress and button, and scale, hint and button, never overlap, and nothing leaves the screen."""
    drawn, wide = picture_box(layout.scale(scale)), layout.wide_reading(has_progress=True)
    read = (layout.reading, layout.progress, layout.button), (wide, layout.progress, layout.button)
    for boxes in (*read, (drawn, layout.hint, layout.button)):
        assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
        for left, right, bottom, top in map(edges, boxes):
            assert -layout.width_px / 2 <= left < right <= layout.width_px / 2
            assert -layout.height_px / 2 - 1 <= bottom < top <= layout.height_px / 2 + 1


def numbers(scale: Scale) -> range:
    """Every number of a scale."""
    return range(scale.first, scale.last + 1)


def step_px(places: ScaleLayout) -> float:
    """From a number's place to the next."""
    return places.length_px / (places.scale.points - 1)


@given(layouts, scales())
def test_sizes_are_even(layout: Layout, scale: Scale) -> None:
    """Every size is even and every place whole, so that no picture lies between two pixels."""
    places = layout.scale(scale)
    for box in (layout.reading, layout.button, picture_box(places)):
        assert box.width_px % 2 == box.height_px % 2 == 0
    assert places.stroke_px % 2 == layout.marker_px % 2 == 0
    assert all(isinstance(part, int) for number in numbers(scale) for part in places.number_place(number))


@given(layouts, scales())
def test_a_click_on_a_drawn_number_means_it(layout: Layout, scale: Scale) -> None:
    """A click on a number's place, marker or digit means it, as far as half way to the next."""
    places, reach_px = layout.scale(scale), layout.marker_px / 2 - 1
    digit_px = 0.0 if scale.is_line else places.line_px - places.digits_px - layout.size(10)
    nearly_px = step_px(places) / 2 - 1  # to the next number's half
    for number in numbers(scale):
        x_px, y_px = places.number_place(number)
        for across_px, up_px in ((0, 0), (nearly_px, 0), (-nearly_px, 0), (0, reach_px), (0, -reach_px), (0, digit_px)):
            assert places.number_at(x_px + across_px, y_px + up_px) == number


@given(layouts, scales(), st.floats(-2000, 2000), st.floats(-1200, 1200))
def test_a_click_means_the_nearest_number_or_none(layout: Layout, scale: Scale, x_px: float, y_px: float) -> None:
    """A click on the scale means the nearest number, and one far from it means none."""
    places = layout.scale(scale)
    distances = {number: abs(x_px - places.number_place(number)[0]) for number in numbers(scale)}
    meant = places.number_at(x_px, y_px)
    if meant is None:
        line_y_px = places.number_place(scale.first)[1]
        assert min(distances.values()) > places.reach_px or abs(y_px - line_y_px) > layout.size(16)
    else:
        assert distances[meant] == min(distances.values()) <= places.reach_px + 1
        assert picture_box(places).holds(x_px, y_px)


@given(layouts, scales(), st.floats(0, 1), st.floats(0, 1))
def test_the_button_is_no_part_of_the_scale(layout: Layout, scale: Scale, across: float, up: float) -> None:
    """A click anywhere on the button means no number of the scale."""
    left, right, bottom, top = edges(layout.button)
    x_px, y_px = left + across * (right - left), bottom + up * (top - bottom)
    assert layout.button.holds(x_px, y_px)
    assert layout.scale(scale).number_at(x_px, y_px) is None


@given(layouts, scales())
def test_numbers_are_evenly_spaced_about_the_middle(layout: Layout, scale: Scale) -> None:
    """Numbers have one distance to the next, on a line to a pixel, about the screen's middle; low is left, or right."""
    places = layout.scale(scale)
    across_px = [places.number_place(number)[0] for number in numbers(scale)]
    if scale.is_mirrored:
        across_px.reverse()
    steps_px = [after - before for before, after in pairwise(across_px)]
    assert max(steps_px) - min(steps_px) <= scale.is_line
    assert scale.is_line or steps_px[0] > layout.marker_px
    assert abs(across_px[0] + across_px[-1]) <= 1


@given(layouts, scales())
def test_labels_do_not_touch(layout: Layout, scale: Scale) -> None:
    """Labels have their room without meeting, or leaving the picture: two of two points, and eleven of eleven."""
    places = layout.scale(scale)
    assert abs(places.tick_px(scale.first + scale.label_step) - places.tick_px(scale.first)) >= places.label_width_px
    if len(scale.labels) > MOST_APART:
        assert min(map(places.tick_px, numbers(scale))) >= places.label_width_px / 2
    assert places.line_px < places.digits_px < places.labels_px < places.height_px


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_what_is_drawn_is_what_a_click_means(size: tuple[int, int]) -> None:
    """In the picture of a scale, the ticks' pixels are where a click means their point."""
    import numpy as np

    pictures = draw_pictures(short(), [], Layout(*size))
    scene, placed = next((scene, placed) for scene, placed in pictures.scenes.items() if isinstance(scene, ScaleScene))
    scale = pictures.layout.scale(scene.scale)
    row = placed.picture.pixels[scale.line_px - scale.tick_height_px // 2 + 1].astype(int)
    columns = np.flatnonzero((row != row[0]).any(axis=1))
    centres_px = [columns[i : i + scale.stroke_px].mean() + 0.5 for i in range(0, len(columns), scale.stroke_px)]
    found = [
        scale.number_at(x_px - placed.picture.width_px / 2 + placed.x_px, scale.number_place(1)[1])
        for x_px in centres_px
    ]
    assert found == list(range(1, scene.points + 1))
    marks = [pictures.marker_at(replace(scene, marker=point)) for point in found]
    assert [x_px + placed.picture.width_px / 2 - placed.x_px for x_px, _ in filter(None, marks)] == centres_px


def test_boxes_that_touch_do_not_overlap() -> None:
    """The overlap that these tests look for is found where it is, and only there."""
    boxes = [Box(0, 0, 10, 10), Box(10, 0, 10, 10), Box(4, 4, 2, 2)]
    assert [overlap(one, other) for one, other in combinations(boxes, 2)] == [False, True, False]


LONG = {
    "question": ("How connected do you feel " * 14, "Not at all", "Extremely"),
    "label": ("How connected?", "Uncommunicativenessesinterpersonal", "Extremely"),
    "other label": ("How connected?", "Not at all", "As much as I ever could imagine before today"),
}


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("what", LONG)
def test_a_scale_without_room_for_its_words_is_refused(what: str, size: tuple[int, int]) -> None:
    """A question of five lines and labels of three are refused before a session, by what they say."""
    question, low, high = LONG[what]
    rating = replace(PROTOCOL.rating, questions=(Question("connection", question.strip(), low, high),))
    with pytest.raises(BadInput, match=f"The protocol's {what.rsplit(maxsplit=1)[-1]} .* Shorten it"):
        draw_pictures(replace(PROTOCOL, rating=rating), [], Layout(*size), is_checked=True)


def test_a_button_without_room_for_its_label_is_refused() -> None:
    """A label that a button could only show in tiny type is refused; a longish one is shown smaller."""
    long = "Weiter zur n\u00e4chsten Seite (bitte dazu die Leertaste dr\u00fccken)"
    for label, is_fit in (("Weiter (bitte Leertaste dr\u00fccken)", True), (long, False)):
        protocol = replace(PROTOCOL, wording=replace(PROTOCOL.wording, next_button=label))
        with nullcontext() if is_fit else pytest.raises(BadInput, match=r"button 'Weiter zur .* Shorten it"):
            draw_pictures(protocol, [], Layout(1280, 720), is_checked=True)
