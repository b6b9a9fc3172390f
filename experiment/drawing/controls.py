"""What a participant answers with: a rating scale, its marker and buttons, drawn on whole pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from experiment.drawing.scripts import WORD
from experiment.drawing.typeset import Colour, Picture, Style, canvas, draw_text, mix, paste, picture, text_sizes_px
from experiment.errors import BadInput
from experiment.task.layout import ScaleLayout

LINE_SHARE = 0.55  # of the text's colour, in the line of a scale
DIGIT_EM = 0.9
LABEL_EM = 0.8
OUTLINE_SHARE = 28  # of a button's height, in the outline of one that cannot be pressed yet
CORNER_SHARE = 0.28  # of a button's height, in the radius of its corners
SMALLEST_LABEL_PX = 6
LEAST_LABEL_SHARE = 0.6  # of a button's type size, in which its label is still easily read


def draw_scale(question: str, layout: ScaleLayout, style: Style, language: str = "en") -> Picture:
    """Draw the question on top, a line with its ticks, numbers below, and below those the labels.

    A line without points has ticks at its ends and no numbers. An empty question leaves its room free. Of the style,
    `width_px` and `align` play no part.
    """
    scale, pixels = layout.scale, canvas(layout.width_px, layout.height_px, style.background)
    asked = draw_text(question, _asked(style, layout), language).pixels
    paste(pixels, asked, (pixels.shape[1] - asked.shape[1]) // 2, 0)
    digit = replace(style, width_px=None, size_px=DIGIT_EM * style.size_px)
    for number in () if scale.is_line else range(scale.first, scale.last + 1):
        _centred(pixels, draw_text(str(number), digit), layout.tick_px(number), layout.digits_px)
    for number, text in scale.labelled.items():
        label = draw_text(text, _labels(style, layout), language)
        _centred(pixels, label, layout.tick_px(number), layout.labels_px)
    _rule(pixels, layout, mix(style.colour, style.background, LINE_SHARE))
    return picture(pixels)


def check_scale_fits(question: str, layout: ScaleLayout, style: Style, language: str = "en") -> None:
    """BadInput for a question that would reach the line of its scale, or a label without room for its words."""
    texts = [(question, _asked(style, layout), language)]
    texts += [(label, _labels(style, layout), language) for label in layout.scale.labels]
    rooms_px = (layout.line_px, *[layout.height_px - layout.labels_px] * (len(texts) - 1))
    for (text, styled, _), (_, height_px), room_px in zip(texts, text_sizes_px(texts), rooms_px, strict=True):
        if height_px > room_px or _widest_word_px(text, styled, language) > (styled.width_px or 0):
            what = "question" if text is question else "label"
            raise BadInput(f"The protocol's {what} {text[:40]!r} is too long for the scale. Shorten it.")


def _widest_word_px(text: str, style: Style, language: str) -> int:
    """The width of the longest word that does not break by itself."""
    longest = max(WORD.findall(text.replace("-", "- ")), key=len, default="")
    return draw_text(longest, replace(style, width_px=None), language).width_px if longest else 0


def check_button_fits(label: str, width_px: int, height_px: int, style: Style, language: str = "en") -> None:
    """BadInput for a label that could only be drawn too small to be read."""
    least = replace(style, size_px=LEAST_LABEL_SHARE * style.size_px, width_px=None)
    check_line_fits("button", label, (width_px, height_px), least, language)


def check_line_fits(what: str, line: str, room_px: tuple[int, int], style: Style, language: str = "en") -> None:
    """BadInput for a line that is wider or higher than its room."""
    text = draw_text(line, replace(style, width_px=None), language)
    if text.width_px > room_px[0] or text.height_px > room_px[1]:
        raise BadInput(f"The protocol's {what} {line[:40]!r} is too long. Shorten it.")


def _asked(style: Style, layout: ScaleLayout) -> Style:
    return replace(style, width_px=layout.question_width_px, align="center")


def _labels(style: Style, layout: ScaleLayout) -> Style:
    sized = replace(style, size_px=LABEL_EM * style.size_px, colour=style.quiet or style.colour)
    return replace(sized, width_px=layout.label_width_px, align="center")


def _centred(pixels: NDArray[np.uint8], part: Picture, x_px: int, top_px: int) -> None:
    """Paste a part with its middle at x, moved inwards where it would leave the picture."""
    left_px = min(max(x_px - part.width_px // 2, 0), pixels.shape[1] - part.width_px)
    paste(pixels, part.pixels, left_px, top_px)


def _rule(pixels: NDArray[np.uint8], layout: ScaleLayout, colour: Colour) -> None:
    """The line and its ticks, in full pixels; a line without points has them at its ends."""
    scale, half, reach, y = layout.scale, layout.stroke_px // 2, layout.tick_height_px // 2, layout.line_px
    pixels[y - half : y + half, layout.left_px - half : layout.left_px + layout.length_px + half] = colour
    for number in range(scale.first, scale.last + 1, scale.points - 1 if scale.is_line else 1):
        x = layout.tick_px(number)
        pixels[y - reach : y + reach, x - half : x + half] = colour


def draw_button(
    label: str, width_px: int, height_px: int, style: Style, language: str = "en", *, is_ready: bool = True
) -> Picture:
    """Draw a rounded rectangle of the accent colour; the label, in the background's, is smaller where it must be.

    One that cannot be pressed yet is an outline in the quiet colour.
    """
    fill = (style.accent or style.colour) if is_ready else style.background
    colour = style.background if is_ready else (style.quiet or style.colour)
    pixels = canvas(width_px, height_px, style.background)
    height, width = pixels.shape[:2]
    pixels[:] = _blended(_rounded(width, height, CORNER_SHARE * height), fill, style.background)
    inner = replace(style, colour=colour, background=fill, width_px=None, align="center")
    text = draw_text(label, inner, language)
    while (text.width_px > width or text.height_px > height) and inner.size_px > SMALLEST_LABEL_PX:
        inner = replace(inner, size_px=0.9 * inner.size_px)
        text = draw_text(label, inner, language)
    paste(pixels, text.pixels, (width - text.width_px) // 2, (height - text.height_px) // 2)
    if not is_ready:
        pixels[:] = _blended(_outline(width, height), colour, pixels)
    return picture(pixels)


def _outline(width: int, height: int) -> NDArray[np.float64]:
    """How much of each pixel (height, width) a button's outline covers."""
    stroke, radius = max(1, round(height / OUTLINE_SHARE)), CORNER_SHARE * height
    inside = _rounded(width - 2 * stroke, height - 2 * stroke, radius - stroke)
    outline: NDArray[np.float64] = _rounded(width, height, radius) - np.pad(inside, stroke)
    return outline


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


def _blended(
    cover: NDArray[np.float64], colour: tuple[int, ...], under: tuple[int, ...] | NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A colour over another, or over pixels, by how much of each pixel (height, width) it covers."""
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
