"""A message -> pixels, the same on every computer. All writing on the screen goes through here.

Loved ones write as people write: hearts, families of emoji, Arabic, Hindi, Chinese. `script` finds the fonts,
`typeset` draws a block of text, `controls` the things to answer with, and here are a message's own proportions. The
pictures are opaque sRGB on the background of the window, with even sides and no ink on an edge, so that a window shows
them pixel by pixel. A picture is as private as its text: it stays in memory.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from experiment.controls import draw_button, draw_marker, draw_scale
from experiment.errors import BadInput
from experiment.script import direction_of, missing_glyphs, needs_language
from experiment.typeset import Align, Colour, Picture, Style, canvas, draw_text, mixed, paste, picture, release_fonts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Align", "Colour", "Message", "Picture", "Style", "draw_button", "draw_marker", "draw_message",
    "draw_scale", "draw_text", "fitting_size", "missing_glyphs", "needs_language", "release_fonts",
]  # fmt: skip

NAME_EM = 0.8
GAP_EM = 0.15  # above the rule, and twice that below
RULE_SHARE = 0.2  # of the text's colour


class Message(Protocol):
    """What has to be known of a message to draw it."""

    @property
    def message_id(self) -> str:
        """Names the message in errors."""

    @property
    def writer(self) -> str:
        """Shown above the text."""

    @property
    def language(self) -> str:
        """A tag such as en, ar or zh-Hant, or "" if nobody knows."""

    @property
    def text(self) -> str:
        """As the writer typed it."""


def draw_message(text: str, writer: str | None, style: Style, language: str = "en") -> Picture:
    """Draw a message under its writer's name, smaller and fainter, with a fine rule between; None: no name.

    The name stands where the message's first line begins: on the right above Arabic and Hebrew.
    """
    body = draw_text(text, style, language)
    if not writer:
        return body
    side: Align = "right" if direction_of(text) == "rtl" else "left"
    named = replace(
        style,
        size_px=NAME_EM * style.size_px,
        weight=600,
        colour=style.quiet or style.colour,
        align=style.align if style.align == "center" else side,
    )
    inset_px = style.side_px - named.side_px  # so that name and text begin on one line
    if style.width_px is not None:
        named = replace(named, width_px=style.width_px - 2 * inset_px)
    return _under_name(draw_text(writer, named, language), inset_px, body, style)


def _under_name(name: Picture, inset_px: int, body: Picture, style: Style) -> Picture:
    """Name, rule and message, one below the other."""
    gap_px = round(GAP_EM * style.size_px)
    stroke_px = max(1, round(style.size_px / 16))
    rule_y_px = name.height_px + gap_px
    body_y_px = rule_y_px + stroke_px + 2 * gap_px
    width_px = max(name.width_px + 2 * inset_px, body.width_px)
    pixels = canvas(width_px, body_y_px + body.height_px, style.background)
    paste(pixels, name.pixels, inset_px, 0)
    paste(pixels, body.pixels, 0, body_y_px)
    rule = mixed(style.colour, style.background, RULE_SHARE)
    pixels[rule_y_px : rule_y_px + stroke_px, style.side_px : -style.side_px] = rule
    return picture(pixels)


def fitting_size(
    messages: Iterable[Message],
    width_px: int,
    height_px: int,
    sizes_px: Sequence[float],
    *,
    with_writer: bool = True,
) -> float:
    """Find the largest type size with which every message fits, so that all of a session look alike.

    Drawn and measured. BadInput names the message that does not fit with the smallest size.
    """
    sizes = sorted(sizes_px, reverse=True)
    for message in messages:
        while not _fits(message, sizes[0], width_px, height_px, with_writer=with_writer):
            del sizes[0]
            if not sizes:
                raise BadInput(
                    f"message {message.message_id}: {len(message.text.split())} words in "
                    f"{len(message.text.splitlines())} lines do not fit on the screen with type of {min(sizes_px):g} "
                    "px. Shorten it, or use a larger screen."
                )
    return sizes[0]


def _fits(message: Message, size_px: float, width_px: int, height_px: int, *, with_writer: bool) -> bool:
    style = Style(size_px, (0, 0, 0), (255, 255, 255), width_px)
    drawn = draw_message(message.text, message.writer if with_writer else None, style, message.language)
    return drawn.width_px <= width_px and drawn.height_px <= height_px
