"""Where things stand on the screen: pure geometry, shared by the drawing and by the mouse.

Coordinates are whole pixels from the centre of the screen, x to the right, y up. Everything scales with one unit: a
1280 x 720 screen has a unit of one pixel.
"""

from __future__ import annotations

from msgspec import Struct

MINIMUM_SIZE_PX = (1280, 720)


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
    """

    points: int
    width_px: int
    height_px: int
    first_tick_px: int
    tick_step_px: int
    line_px: int
    digits_px: int
    labels_px: int
    label_width_px: int
    tick_height_px: int
    stroke_px: int
    centre_y_px: int = 0  # of the picture, from the screen's centre, y up

    def tick_px(self, point: int) -> int:
        """The x of a point's tick in the picture; points count from 1."""
        return self.first_tick_px + (point - 1) * self.tick_step_px

    def point_place(self, point: int) -> tuple[int, int]:
        """Where the marker stands for a point counted from 1: pixels from the screen's centre, y up."""
        x_px = self.tick_px(point) - self.width_px // 2
        return x_px, self.centre_y_px + self.height_px // 2 - self.line_px

    def point_at(self, x_px: float, y_px: float) -> int | None:
        """The point that a click means (pixels from the screen's centre): the nearest, if it is on scale or digits."""
        reach_px = self.tick_step_px / 2
        (first_px, line_y_px), (last_px, _) = self.point_place(1), self.point_place(self.points)
        bottom_px = line_y_px - (self.labels_px - self.line_px)
        if not (first_px - reach_px <= x_px <= last_px + reach_px and bottom_px <= y_px <= line_y_px + reach_px):
            return None
        return min(range(1, self.points + 1), key=lambda point: abs(x_px - self.point_place(point)[0]))


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

    @property
    def wide_reading(self) -> Box:
        """Where messages stand that are too long for the usual place."""
        return Box(0, self.even(44), self.even(1160), self.even(600))

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

    def scale(self, points: int) -> ScaleLayout:
        """The places of a rating scale, with its picture somewhat above the middle of the screen."""
        # The labels of the two ends need 240 units between them, the widest scale has 720.
        step = min(max(110, 240 / (points - 1)), 720 / (points - 1))
        width_px, step_px = self.even(900), self.even(step)
        return ScaleLayout(
            points=points,
            width_px=width_px,
            height_px=self.even(340),
            first_tick_px=(width_px - step_px * (points - 1)) // 2,
            tick_step_px=step_px,
            line_px=self.even(190),
            digits_px=self.even(206),
            labels_px=self.even(252),
            label_width_px=self.even(230),
            tick_height_px=self.even(18),
            stroke_px=self.even(2),
            centre_y_px=self.even(30),
        )
