"""What a participant answers with: a rating scale, its marker and buttons, drawn on whole pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from experiment.drawing.scripts import WORD
from experiment.drawing.typeset import canvas, draw_text, mix, paste, picture, text_sizes_px
from experiment.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from experiment.drawing.typeset import Colour, Picture, Style
    from experiment.task.layout import ScaleLayout

LINE_SHARE = 0.55  # of the text's colour, in the line of a scale
DIGIT_EM = 0.9
LABEL_EM = 0.8
CORNER_SHARE = 0.28  # of a button's height, in the radius of its corners
SMALLEST_LABEL_PX = 6
LEAST_LABEL_SHARE = 0.6  # of a button's type size, in which its label is still easily read


def draw_scale(
    question: str, ends: tuple[str, str], layout: ScaleLayout, style: Style, language: str = "en"
) -> Picture:
    """Draw the question on top, a line with its ticks, digits from 1 below, and below those what the two ends mean.

    Low is on the left in every language, as on the digit keys. An empty question leaves its room free. Of the style,
    `width_px` and `align` play no part.
    """
    pixels = canvas(layout.width_px, layout.height_px, style.background)
    paste(pixels, draw_text(question, _asked(style, layout), language).pixels, 0, 0)
    digit = replace(style, width_px=None, size_px=DIGIT_EM * style.size_px)
    for point in range(1, layout.points + 1):
        _centred(pixels, draw_text(str(point), digit), layout.tick_px(point), layout.digits_px)
    label = _end_label(style, layout)
    for end, point in zip(ends, (1, layout.points), strict=True):
        _centred(pixels, draw_text(end, label, language), layout.tick_px(point), layout.labels_px)
    _rule(pixels, layout, mix(style.colour, style.background, LINE_SHARE))
    return picture(pixels)


def check_scale_fits(
    question: str, ends: tuple[str, str], layout: ScaleLayout, style: Style, language: str = "en"
) -> None:
    """BadInput for a question that would reach the line of its scale, or a label that would reach its picture's end."""
    asked, label = _asked(style, layout), _end_label(style, layout)
    texts = [(question, asked, language), *((end, label, language) for end in ends)]
    rooms_px = (layout.line_px, *2 * (layout.height_px - layout.labels_px,))
    names = ("question", "label", "label")
    for name, (text, styled, _), (_, height_px), room_px in zip(
        names, texts, text_sizes_px(texts), rooms_px, strict=True
    ):
        if height_px > room_px or _widest_word_px(text, styled, language) > (styled.width_px or 0):
            raise BadInput(f"The protocol's {name} {text[:40]!r} is too long for the scale. Shorten it.")


def _widest_word_px(text: str, style: Style, language: str) -> int:
    """The width of the longest word that does not break by itself."""
    longest = max(WORD.findall(text.replace("-", "- ")), key=len, default="")
    return draw_text(longest, replace(style, width_px=None), language).width_px if longest else 0


def check_button_fits(label: str, width_px: int, height_px: int, style: Style, language: str = "en") -> None:
    """BadInput for a label that could only be drawn too small to be read."""
    least = replace(style, size_px=LEAST_LABEL_SHARE * style.size_px, width_px=None)
    text = draw_text(label, least, language)
    if text.width_px > width_px or text.height_px > height_px:
        raise BadInput(f"The protocol's button {label!r} is too long. Shorten it.")


def _asked(style: Style, layout: ScaleLayout) -> Style:
    return replace(style, width_px=layout.width_px, align="center")


def _end_label(style: Style, layout: ScaleLayout) -> Style:
    sized = replace(style, size_px=LABEL_EM * style.size_px, colour=style.quiet or style.colour)
    return replace(sized, width_px=layout.label_width_px, align="center")


def _centred(pixels: NDArray[np.uint8], part: Picture, x_px: int, top_px: int) -> None:
    """Paste a part with its middle at x, moved inwards where it would leave the picture."""
    left_px = min(max(x_px - part.width_px // 2, 0), pixels.shape[1] - part.width_px)
    paste(pixels, part.pixels, left_px, top_px)


def _rule(pixels: NDArray[np.uint8], layout: ScaleLayout, colour: Colour) -> None:
    """The line and its ticks, in full pixels."""
    half, reach, y = layout.stroke_px // 2, layout.tick_height_px // 2, layout.line_px
    pixels[y - half : y + half, layout.tick_px(1) - half : layout.tick_px(layout.points) + half] = colour
    for point in range(1, layout.points + 1):
        x = layout.tick_px(point)
        pixels[y - reach : y + reach, x - half : x + half] = colour


def draw_button(label: str, width_px: int, height_px: int, style: Style, language: str = "en") -> Picture:
    """Draw a rounded rectangle of the accent colour; the label, in the background's, is smaller where it must be."""
    fill = style.accent or style.colour
    pixels = canvas(width_px, height_px, style.background)
    height, width = pixels.shape[:2]
    pixels[:] = _blended(_rounded(width, height, CORNER_SHARE * height), fill, style.background)
    inner = replace(style, colour=style.background, background=fill, width_px=None, align="center")
    text = draw_text(label, inner, language)
    while (text.width_px > width or text.height_px > height) and inner.size_px > SMALLEST_LABEL_PX:
        inner = replace(inner, size_px=0.9 * inner.size_px)
        text = draw_text(label, inner, language)
    paste(pixels, text.pixels, (width - text.width_px) // 2, (height - text.height_px) // 2)
    return picture(pixels)


def draw_marker(diameter_px: int, style: Style) -> NDArray[np.uint8]:
    """Draw a disc of the accent colour in a fine ring of the background: RGBA (diameter, diameter, 4) uint8.

    Colours are not multiplied with alpha. An odd diameter becomes the next even one.
    """
    size = diameter_px + diameter_px % 2
    ring_px = max(1, round(size / 12))
    disc = np.pad(_rounded(size - 2 * ring_px, size - 2 * ring_px, size / 2 - ring_px), ring_px)
    colours = _blended(disc, style.accent or style.colour, style.background)
    alpha = _blended(_rounded(size, size, size / 2), (255,), (0,))
    return np.concatenate([colours, alpha], axis=2)


def _blended(cover: NDArray[np.float64], colour: tuple[int, ...], under: tuple[int, ...]) -> NDArray[np.uint8]:
    """A colour over another, by how much of each pixel (height, width) it covers."""
    share = cover[:, :, np.newaxis]
    mix = np.floor(share * np.array(colour) + (1 - share) * np.array(under) + 0.5)
    return np.asarray(mix, dtype=np.uint8)


def _rounded(width: int, height: int, radius: float) -> NDArray[np.float64]:
    """How much of each pixel (height, width) a rounded rectangle covers, 0 to 1, by the distance to its edge.

    Only operations that IEEE 754 rounds exactly, so every computer finds the same.
    """
    x = np.maximum(np.abs(np.arange(width) + 0.5 - width / 2) - (width / 2 - radius), 0)
    y = np.maximum(np.abs(np.arange(height) + 0.5 - height / 2) - (height / 2 - radius), 0)
    beyond: NDArray[np.float64] = np.sqrt(x[np.newaxis, :] ** 2 + y[:, np.newaxis] ** 2) - radius
    return np.clip(0.5 - beyond, 0, 1)
