"""Where things stand on the screen: pure geometry, shared by the drawing and by the mouse.

Coordinates are whole pixels from the centre of the screen, x to the right, y up. Everything scales with one unit: a
1280 x 720 screen has a unit of one pixel.
"""

from __future__ import annotations

from msgspec import Struct

from experiment.design.scale import Scale

MINIMUM_SIZE_PX = (1280, 720)
WIDEST = 1200  # units
SPARE = 16  # units of it, for lengths that are rounded
MOST_APART = 3  # labels that stand apart from each other; more of them are one at each point


class Box(Struct, frozen=True):
    """A rectangle by its centre and size in pixels; sizes are even, so that its edges lie on whole pixels."""

    x_px: int
    y_px: int
    width_px: int
    height_px: int

    def holds(self, x_px: float, y_px: float) -> bool:
        """Whether a point lies in the rectangle."""
        return abs(x_px - self.x_px) <= self.width_px / 2 and abs(y_px - self.y_px) <= self.height_px / 2


class ScaleLayout(Struct, frozen=True):
    """The parts of a rating scale: whole pixels from the top left corner of its picture, if not said otherwise.

    A position is a boundary between pixels: the line and a tick lie evenly about it, as their stroke is even.
    `length_px`: from the first tick to the last.
    """

    scale: Scale
    width_px: int
    height_px: int
    left_px: int
    length_px: int
    line_px: int
    digits_px: int
    labels_px: int
    question_width_px: int
    label_width_px: int
    tick_height_px: int
    stroke_px: int
    reach_px: int  # how far from the line a click still means it
    centre_y_px: int = 0  # of the picture, from the screen's centre, y up

    def tick_px(self, number: int) -> int:
        """The x of a number's place in the picture."""
        steps = self.scale.last - number if self.scale.is_mirrored else number - self.scale.first
        return self.left_px + round(steps * self.length_px / (self.scale.points - 1))

    def number_place(self, number: int) -> tuple[int, int]:
        """Where the marker stands for a number: pixels from the screen's centre, y up."""
        x_px = self.tick_px(number) - self.width_px // 2
        return x_px, self.centre_y_px + self.height_px // 2 - self.line_px

    def number_at(self, x_px: float, y_px: float) -> int | None:
        """The number that a click means (pixels from the screen's centre): the nearest, if it is on scale or digits."""
        left_px = self.left_px - self.width_px // 2
        line_y_px = self.number_place(self.scale.first)[1]
        is_across = left_px - self.reach_px <= x_px <= left_px + self.length_px + self.reach_px
        is_along = line_y_px - (self.labels_px - self.line_px) <= y_px <= line_y_px + self.reach_px
        return self.nearest_number(x_px) if is_across and is_along else None

    def nearest_number(self, x_px: float) -> int:
        """The number whose place is nearest to an x (pixels from the screen's centre); of two, the lower one."""
        numbers = range(self.scale.first, self.scale.last + 1)
        return min(numbers, key=lambda number: abs(x_px - self.number_place(number)[0]))


PHOTODIODE_PX = 80


class Layout(Struct, frozen=True):
    """The places of a session's screens on a window of this size."""

    width_px: int
    height_px: int

    def size(self, units: float) -> float:
        """So many units in pixels, for type."""
        return units * min(self.width_px / MINIMUM_SIZE_PX[0], self.height_px / MINIMUM_SIZE_PX[1])

    def even(self, units: float) -> int:
        """So many units in whole, even pixels."""
        return 2 * round(self.size(units) / 2)

    @property
    def reading(self) -> Box:
        """Where a message or a page of text stands."""
        return Box(0, self.even(40), self.even(920), self.even(560))

    def wide_reading(self, *, has_progress: bool = False) -> Box:
        """Where messages stand that are too long for the usual place; under what is said of the progress, if it is."""
        y, height = (31, 574) if has_progress else (44, 600)
        return Box(0, self.even(y), self.even(1160), self.even(height))

    @property
    def button(self) -> Box:
        """Where the button stands with which a person goes on."""
        return Box(0, -self.even(296), self.even(300), self.even(56))

    @property
    def typed(self) -> Box:
        """Where a number stands that is typed, under the text of a page."""
        return Box(0, -self.even(170), self.even(180), self.even(84))

    @property
    def photodiode(self) -> Box:
        """The square for a light sensor, in the lower right corner: of one size on every screen, as sensors are."""
        return Box((self.width_px - PHOTODIODE_PX) // 2, (PHOTODIODE_PX - self.height_px) // 2, *2 * (PHOTODIODE_PX,))

    @property
    def marker_px(self) -> int:
        """The marker's diameter."""
        return self.even(36)

    @property
    def hint(self) -> Box:
        """Where it is said how to answer, under a scale."""
        return Box(0, -self.even(210), self.even(900), self.even(44))

    @property
    def progress(self) -> Box:
        """Where it is said how far the session is, above a message."""
        return Box(0, self.even(340), self.even(920), self.even(36))

    def scale(self, scale: Scale) -> ScaleLayout:
        """The places of a rating scale, with its picture somewhat above the middle of the screen."""
        gaps, is_wide = scale.points - 1, len(scale.labels) > MOST_APART
        # Labels need 240 units from one to the next. The widest scale has 720, or with a label at each point as much as
        # the screen has.
        most = (WIDEST - SPARE) * gaps / scale.points if is_wide else 720
        length = 720 if scale.is_line else min(max(110 * gaps, 240 * (len(scale.labels) - 1)), most)
        step_px = self.even(length / gaps)
        length_px = self.even(length) if scale.is_line else step_px * gaps
        width_px = self.even(WIDEST if is_wide else 900)
        return ScaleLayout(
            scale=scale,
            width_px=width_px,
            height_px=self.even(340),
            left_px=(width_px - length_px) // 2,
            length_px=length_px,
            line_px=self.even(190),
            digits_px=self.even(206),
            labels_px=self.even(218 if scale.is_line else 252),
            question_width_px=self.even(900),
            label_width_px=self.even(min(230, scale.label_step * length / gaps - 8)),
            tick_height_px=self.even(18),
            stroke_px=self.even(2),
            reach_px=self.marker_px // 2 if scale.is_line else step_px // 2,
            centre_y_px=self.even(30),
        )
