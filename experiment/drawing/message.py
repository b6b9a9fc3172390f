"""A message -> pixels, the same on every computer. All writing on the screen goes through here.

Loved ones write as people write: hearts, families of emoji, Arabic, Hindi, Chinese. `scripts` finds the fonts,
`typeset` draws a block of text, `controls` the things to answer with, and here are a message's own proportions. The
pictures are opaque sRGB on the background of the window, with even sides and no ink on an edge, so that a window shows
them pixel by pixel. A picture is as private as its text: it stays in memory.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from experiment.drawing.page import trimmed
from experiment.drawing.scripts import direction_of
from experiment.drawing.typeset import (
    Align,
    Drawings,
    Picture,
    Style,
    canvas,
    draw_text,
    even,
    mix,
    paste,
    picture,
    text_sizes_px,
)
from experiment.errors import BadInput
from experiment.system.processes import map_in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from experiment.design.message import Message

NAME_EM = 0.8
GAP_EM = 0.15  # above the rule, and twice that below
RULE_SHARE = 0.2  # of the text's colour


PLAIN = Style(0, (0, 0, 0), (255, 255, 255))


class _Places(NamedTuple):
    """Where the parts of a message stand in its picture: name, rule and text, one below the other."""

    inset_px: int  # of the name, so that name and text begin on one line
    rule_y_px: int
    stroke_px: int
    text_y_px: int


def draw_message(
    text: str,
    writer: str | None,
    style: Style,
    language: str = "en",
    drawings: Drawings | None = None,
    *,
    is_trimmed: bool = False,
) -> Picture:
    """Draw a message under its writer's name, smaller and fainter, with a fine rule between; None: no name.

    The name stands where the message's first line begins: on the right above Arabic and Hebrew. `is_trimmed`: it is
    only as wide as its longest line, so that it can stand in the middle.
    """
    body = draw_text(text, style, language, drawings)
    if not writer:
        return trimmed(body, style) if is_trimmed else body
    name = draw_text(writer, _named(text, style), language, drawings)
    places = _places(style, name.height_px)
    width_px = max(name.width_px + 2 * places.inset_px, body.width_px)
    pixels = canvas(width_px, places.text_y_px + body.height_px, style.background)
    paste(pixels, name.pixels, places.inset_px, 0)
    paste(pixels, body.pixels, 0, places.text_y_px)
    if is_trimmed:
        pixels = trimmed(Picture(pixels), style).pixels.copy()
    rule = mix(style.colour, style.background, RULE_SHARE)
    pixels[places.rule_y_px :][: places.stroke_px, style.side_px : -style.side_px] = rule
    return picture(pixels)


def draw_messages(
    messages: Sequence[Message],
    style: Style,
    *,
    with_writer: bool = True,
    is_trimmed: bool = False,
    drawings: Drawings | None = None,
) -> list[Picture]:
    """Draw several messages in one style, on as many processors as there are; `drawings`: what need not be drawn."""

    def draw(message: Message) -> Picture:
        writer = message.writer if with_writer else None
        return draw_message(message.text, writer, style, message.language, drawings, is_trimmed=is_trimmed)

    return map_in_threads(draw, messages)


def _named(text: str, style: Style) -> Style:
    """The style of a name above this text."""
    side: Align = "right" if direction_of(text) == "rtl" else "left"
    named = replace(
        style,
        size_px=NAME_EM * style.size_px,
        weight=600,
        colour=style.quiet or style.colour,
        align=style.align if style.align == "center" else side,
    )
    if style.width_px is None:
        return named
    return replace(named, width_px=style.width_px - 2 * (style.side_px - named.side_px))


def _places(style: Style, name_height_px: int) -> _Places:
    gap_px = round(GAP_EM * style.size_px)
    stroke_px = max(1, round(style.size_px / 16))
    rule_y_px = name_height_px + gap_px
    inset_px = style.side_px - replace(style, size_px=NAME_EM * style.size_px).side_px
    return _Places(inset_px, rule_y_px, stroke_px, rule_y_px + stroke_px + 2 * gap_px)


def message_sizes_px(
    messages: Sequence[Message],
    style: Style,
    *,
    room_px: float = math.inf,
    with_writer: bool = True,
    drawings: Drawings | None = None,
) -> list[tuple[int, int]]:
    """Width and height of what `draw_message` makes of each message (untrimmed) in a style with a width, undrawn.

    What is higher than `room_px` may be higher and wider still than it says. What had to be drawn is put into
    `drawings`.
    """
    named = [bool(message.writer) and with_writer for message in messages]
    texts = [(message.text, style, message.language) for message in messages]
    names = [
        (message.writer, _named(message.text, style), message.language)
        for message, has_name in zip(messages, named, strict=True)
        if has_name
    ]
    sizes = text_sizes_px([*texts, *names], room_px, drawings)
    above = iter(sizes[len(texts) :])
    return [
        _under(next(above), size, style) if has_name else size
        for has_name, size in zip(named, sizes[: len(texts)], strict=True)
    ]


def _under(name_px: tuple[int, int], text_px: tuple[int, int], style: Style) -> tuple[int, int]:
    """Width and height of a message under its name."""
    places = _places(style, name_px[1])
    return even(max(name_px[0] + 2 * places.inset_px, text_px[0])), even(places.text_y_px + text_px[1])


class TextBox(NamedTuple):
    """A type size, and the width and height that there is for a message."""

    size_px: float
    width_px: int
    height_px: int


def fitting_box(
    messages: Iterable[Message],
    rooms: Sequence[TextBox],
    style: Style = PLAIN,
    *,
    with_writer: bool = True,
    drawings: Drawings | None = None,
) -> TextBox:
    """The first of these rooms in which every message fits; what fits in one is taken to fit in those that follow.

    BadInput names a message that fits in none. Some scripts are measured by drawing: what was drawn in this style is
    put into `drawings`.
    """

    def sizes_in(room: TextBox, some: Sequence[Message]) -> list[tuple[int, int]]:
        sized = replace(style, size_px=room.size_px, width_px=room.width_px)
        return message_sizes_px(some, sized, room_px=room.height_px, with_writer=with_writer, drawings=drawings)

    by_length = sorted(messages, key=lambda message: len(message.text), reverse=True)
    # In the longest one's room the others mostly fit, so that they are measured once.
    for some in filter(None, (by_length[:1], by_length[1:])):
        rooms = rooms[_first_fitting(some, rooms, sizes_in) :]
    return rooms[0]


def _first_fitting(
    unfit: Sequence[Message],
    rooms: Sequence[TextBox],
    sizes_in: Callable[[TextBox, Sequence[Message]], list[tuple[int, int]]],
) -> int:
    """The place of the first room in which all of these fit; BadInput names one that fits in none."""
    # Up to `small` they do not fit, from `fitting` on they do.
    small, fitting, at, wanted_px = -1, len(rooms), 0, math.inf
    while fitting - small > 1:
        room = rooms[at]
        sizes = zip(unfit, sizes_in(room, unfit), strict=True)
        outside = [(message, size) for message, size in sizes if not _fits(size, room)]
        if outside:
            small, unfit = at, [message for message, _ in outside]
            wanted_px = _shrunk_px(room, max(height_px for _, (_, height_px) in outside))
        else:
            fitting = at
        likely = (place for place in range(small + 1, fitting) if rooms[place].size_px <= wanted_px)
        at = next(likely, fitting - 1)
    if fitting < len(rooms):
        return fitting
    raise BadInput(
        f"message {unfit[0].message_id}: {len(unfit[0].text.split())} words in {len(unfit[0].text.splitlines())} lines "
        f"do not fit on the screen with type of {rooms[-1].size_px:g} px. Shorten it, or use a larger screen."
    )


def _shrunk_px(room: TextBox, height_px: int) -> float:
    """About which type size fits a text of this height into the room: lines get lower, and fewer."""
    return room.size_px * min(1.0, math.sqrt(room.height_px / height_px))


def _fits(size_px: tuple[int, int], room: TextBox) -> bool:
    return size_px[0] <= room.width_px and size_px[1] <= room.height_px
