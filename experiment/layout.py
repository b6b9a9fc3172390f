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


class Layout(Struct, frozen=True):
    """The places of a session's screens on a window of this size."""

    width_px: int
    height_px: int

    def units(self, amount: float) -> int:
        """So many units in whole, even pixels."""
        unit_px = min(self.width_px / MINIMUM_SIZE_PX[0], self.height_px / MINIMUM_SIZE_PX[1])
        return 2 * round(amount * unit_px / 2)

    @property
    def reading(self) -> Box:
        """Where a message or a page of text stands."""
        return Box(0, self.units(40), self.units(920), self.units(560))

    @property
    def button(self) -> Box:
        """Where the button stands with which a person goes on."""
        return Box(0, -self.units(296), self.units(300), self.units(56))

    @property
    def question(self) -> Box:
        """Where the words of a question stand, above its scale."""
        return Box(0, self.units(140), self.units(920), self.units(200))

    @property
    def scale(self) -> Box:
        """The scale's line with a margin in which a click counts, and the labels below it."""
        return Box(0, -self.units(40), self.units(800), self.units(160))

    @property
    def marker_px(self) -> int:
        """The marker's diameter."""
        return self.units(36)

    @property
    def line_y_px(self) -> int:
        """The height of the scale's line, on which the marker moves."""
        return -self.units(10)

    def point_x_px(self, point: int, points: int) -> int:
        """Where a point of the scale stands on its line, counted from 1."""
        half_px = self.units(340)
        return round(-half_px + 2 * half_px * (point - 1) / (points - 1))

    def point_at(self, x_px: float, y_px: float, points: int) -> int | None:
        """The point of the scale that a click means: the nearest one, if the click lies on the scale."""
        if not self.scale.holds(x_px, y_px):
            return None
        return min(range(1, points + 1), key=lambda point: abs(x_px - self.point_x_px(point, points)))
