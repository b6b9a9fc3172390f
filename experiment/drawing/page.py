"""A page of text -> pixels: a title, if its first line is marked as one, and paragraphs below."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from experiment.drawing.typeset import Picture, Style, canvas, draw_text, paste, picture

TITLE = "# "  # begins a page's first line that is its title, as in Markdown
TITLE_EM = 1.4
TITLE_WEIGHT = 600
GAP_EM = 0.4  # between the title's line and the next


def draw_page(text: str, style: Style, language: str = "en", *, is_trimmed: bool = False) -> Picture:
    """Draw a page in a style with a width; `is_trimmed`: only as wide as its longest line, to stand in the middle."""
    drawn = _titled(text, style, language) if text.startswith(TITLE) else draw_text(text, style, language)
    return trimmed(drawn, style) if is_trimmed else drawn


def _titled(text: str, style: Style, language: str) -> Picture:
    """The title above the rest; both begin on one line."""
    title, _, rest = text.removeprefix(TITLE).partition("\n")
    large = replace(style, size_px=TITLE_EM * style.size_px, weight=TITLE_WEIGHT)
    inset_px = large.side_px - style.side_px
    head = draw_text(title, replace(large, width_px=(style.width_px or 0) + 2 * inset_px), language)
    if not rest.strip():
        return head
    body = draw_text(rest.lstrip("\n"), style, language)
    body_y_px = head.height_px - large.side_px - style.side_px + round(GAP_EM * style.size_px)
    pixels = canvas(max(body.width_px, head.width_px - 2 * inset_px), body_y_px + body.height_px, style.background)
    paste(pixels, head.pixels, -inset_px, 0)
    paste(pixels, body.pixels, 0, body_y_px)
    return picture(pixels)


def trimmed(whole: Picture, style: Style) -> Picture:
    """The picture without the empty columns beside its ink, but for what stays free at each edge."""
    empty = np.full((whole.width_px, 3), style.background, np.uint8)
    ink = np.flatnonzero((whole.pixels != empty).any(axis=0).any(axis=1))  # one axis at a time: 40 times as fast
    if not ink.size:
        return whole
    left_px, right_px = max(0, int(ink[0]) - style.side_px), min(whole.width_px, int(ink[-1]) + 1 + style.side_px)
    pixels = canvas(right_px - left_px, whole.height_px, style.background)
    paste(pixels, whole.pixels[:, left_px:right_px], 0, 0)
    return picture(pixels)
