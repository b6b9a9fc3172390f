"""Where things stand: on the screen, apart from each other, and where a click on them counts."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.protocol import Question
from experiment.drawing.stimuli import draw_checked, draw_pictures
from experiment.errors import BadInput
from experiment.record.events import ScaleScene
from experiment.task.layout import Box, Layout
from tests.scripted_screen import short
from tests.strategies import PROTOCOL

if TYPE_CHECKING:
    from experiment.task.layout import ScaleLayout

sizes = st.one_of(
    st.sampled_from([(1280, 720), (1366, 768), (1440, 900), (1920, 1080), (1920, 1200), (2560, 1440), (3840, 2160)]),
    st.tuples(st.integers(1280, 3840), st.integers(720, 2160)),
)
layouts = st.builds(lambda size: Layout(*size), sizes)
points_counts = st.integers(2, 9)


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


@given(layouts, points_counts)
def test_boxes_are_apart_and_on_the_screen(layout: Layout, points: int) -> None:
    """Text and button, and scale and button, never overlap, and nothing leaves the screen."""
    reading, button, scale = layout.reading, layout.button, picture_box(layout.scale(points))
    assert not overlap(reading, button)
    assert not overlap(scale, button)
    for box in (reading, button, scale):
        left, right, bottom, top = edges(box)
        assert -layout.width_px / 2 <= left < right <= layout.width_px / 2
        assert -layout.height_px / 2 <= bottom < top <= layout.height_px / 2


@given(layouts, points_counts)
def test_sizes_are_even(layout: Layout, points: int) -> None:
    """Every size is even and every place whole, so that no picture lies between two pixels."""
    scale = layout.scale(points)
    for box in (layout.reading, layout.button, picture_box(scale)):
        assert box.width_px % 2 == box.height_px % 2 == 0
    assert scale.stroke_px % 2 == layout.marker_px % 2 == 0
    assert all(isinstance(part, int) for point in range(1, points + 1) for part in scale.point_place(point))


@given(layouts, points_counts)
def test_a_click_on_a_drawn_point_means_it(layout: Layout, points: int) -> None:
    """A click on a point's tick, marker or digit means that point, as far as half way to the next."""
    scale, reach_px = layout.scale(points), layout.marker_px / 2
    digit_px = scale.line_px - scale.digits_px - layout.size(10)
    for point in range(1, points + 1):
        x_px, y_px = scale.point_place(point)
        nearly_px = scale.tick_step_px / 2 - 1  # to the next point's half
        for across_px, up_px in ((0, 0), (nearly_px, 0), (-nearly_px, 0), (0, reach_px), (0, -reach_px), (0, digit_px)):
            assert scale.point_at(x_px + across_px, y_px + up_px) == point


@given(layouts, points_counts, st.floats(-2000, 2000), st.floats(-1200, 1200))
def test_a_click_means_the_nearest_point_or_none(layout: Layout, points: int, x_px: float, y_px: float) -> None:
    """A click on the scale means the nearest point, and one far from it means none."""
    scale = layout.scale(points)
    distances = {point: abs(x_px - scale.point_place(point)[0]) for point in range(1, points + 1)}
    meant = scale.point_at(x_px, y_px)
    if meant is None:
        line_y_px = scale.point_place(1)[1]
        assert min(distances.values()) > scale.tick_step_px / 2 or abs(y_px - line_y_px) > layout.size(20)
    else:
        assert distances[meant] == min(distances.values()) <= scale.tick_step_px / 2
        assert picture_box(scale).holds(x_px, y_px)


@given(layouts, points_counts, st.floats(0, 1), st.floats(0, 1))
def test_the_button_is_no_part_of_the_scale(layout: Layout, points: int, across: float, up: float) -> None:
    """A click anywhere on the button means no point of the scale."""
    left, right, bottom, top = edges(layout.button)
    x_px, y_px = left + across * (right - left), bottom + up * (top - bottom)
    assert layout.button.holds(x_px, y_px)
    assert layout.scale(points).point_at(x_px, y_px) is None


@given(layouts, points_counts)
def test_points_are_evenly_spaced_about_the_middle(layout: Layout, points: int) -> None:
    """Points have one distance to the next, lie evenly about the screen's middle, and low is left."""
    scale = layout.scale(points)
    places = [scale.point_place(point)[0] for point in range(1, points + 1)]
    assert {after - before for before, after in pairwise(places)} == {scale.tick_step_px}
    assert scale.tick_step_px > layout.marker_px
    assert abs(places[0] + places[-1]) <= 1


@given(layouts, points_counts)
def test_the_labels_of_the_ends_do_not_touch(layout: Layout, points: int) -> None:
    """The words at the two ends have their room without meeting, on a scale of two points too."""
    scale = layout.scale(points)
    assert scale.tick_px(points) - scale.tick_px(1) >= scale.label_width_px
    assert scale.line_px < scale.digits_px < scale.labels_px < scale.height_px


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_what_is_drawn_is_what_a_click_means(size: tuple[int, int]) -> None:
    """In the picture of a scale, the ticks' pixels are where a click means their point."""
    import numpy as np

    pictures = draw_pictures(short(), [], Layout(*size))
    scene, placed = next((scene, placed) for scene, placed in pictures.scenes.items() if isinstance(scene, ScaleScene))
    scale = pictures.layout.scale(scene.points)
    row = placed.picture.pixels[scale.line_px - scale.tick_height_px // 2 + 1].astype(int)
    columns = np.flatnonzero((row != row[0]).any(axis=1))
    centres_px = [columns[i : i + scale.stroke_px].mean() + 0.5 for i in range(0, len(columns), scale.stroke_px)]
    found = [
        scale.point_at(x_px - placed.picture.width_px / 2 + placed.x_px, scale.point_place(1)[1]) for x_px in centres_px
    ]
    assert found == list(range(1, scene.points + 1))
    marks = [
        pictures.marker_at(ScaleScene(scene.question, scene.low, scene.high, scene.points, point))
        for point in found
        if point
    ]
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
        draw_checked(replace(PROTOCOL, rating=rating), [], Layout(*size))


def test_a_button_without_room_for_its_label_is_refused() -> None:
    """A label that a button could only show in tiny type is refused; a longish one is shown smaller."""
    long = "Weiter zur n\u00e4chsten Seite (bitte dazu die Leertaste dr\u00fccken)"
    for label, is_fit in (("Weiter (bitte Leertaste dr\u00fccken)", True), (long, False)):
        protocol = replace(PROTOCOL, wording=replace(PROTOCOL.wording, next_button=label))
        with nullcontext() if is_fit else pytest.raises(BadInput, match=r"button 'Weiter zur .* Shorten it"):
            draw_checked(protocol, [], Layout(1280, 720))
