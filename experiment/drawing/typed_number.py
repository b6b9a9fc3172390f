"""A number as it is typed: a field, and each character at each place in it."""

from __future__ import annotations

import numpy as np

from experiment.drawing.typeset import Picture, Style, draw_text
from experiment.task.layout import Box
from experiment.task.objects import MOST_TYPED

FIELD = "field"
Places = dict[tuple[int, str], tuple[Picture, int, int]]
"""Pictures with their places on the screen, by the place from the left and the character; at 0 stands the field."""


def draw_number(field: Box, style: Style, stroke_px: int) -> Places:
    """All that a number consists of, in a style whose quiet colour draws the field."""
    pixels = np.full((field.height_px, field.width_px, 3), style.quiet, np.uint8)
    pixels[stroke_px:-stroke_px, stroke_px:-stroke_px] = style.background
    step_px = field.width_px // (MOST_TYPED + 1)
    drawn = {one: draw_text(one, style) for one in "0123456789."}
    return {(0, FIELD): (Picture(pixels), field.x_px, field.y_px)} | {
        (place, one): (picture, (2 * place - 1 - MOST_TYPED) * step_px // 2, field.y_px)
        for place in range(1, MOST_TYPED + 1)
        for one, picture in drawn.items()
    }
