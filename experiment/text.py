"""A message -> pixels, the same on every computer. All writing on the screen goes through here.

Loved ones write as people write: hearts, families of emoji, Arabic, Hindi, Chinese. typst shapes and draws one block of
text at a time, from fonts that come with the software (`script.py`); numpy puts blocks, lines and shapes together on
whole pixels. The pictures are opaque sRGB on the background of the window, even in width and height, and no ink
touches an edge, so a window can show them pixel by pixel. A picture is as private as its text: keep it in memory.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from experiment import script
from experiment.errors import BadInput
from experiment.script import missing_glyphs, needs_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import typst
    from numpy.typing import NDArray

__all__ = [
    "Message", "Picture", "ScaleLayout", "Style", "draw_button", "draw_marker", "draw_message", "draw_scale",
    "draw_text", "fitting_size", "missing_glyphs", "needs_language",
]  # fmt: skip

Colour = tuple[int, int, int]
"""sRGB, 0 to 255."""

PITCH_EM = 1.5  # from line to line; open, and room for the marks above and below Thai, Arabic and Khmer
ASCENT_EM = 1.08  # from the top of a line to its baseline
SIDE_EM = 0.25  # free at each side of a picture, for letters that reach over their own width
EMOJI_EM = 0.92  # as high as letters with ascender and descender
LONG_WORD_EM = 0.3  # a word of more letters than this share of the column in ems may be too long for a line


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels (height, width, 3) uint8 sRGB, C order, row 0 on top; width and height are even."""

    pixels: NDArray[np.uint8] = field(repr=False)

    @property
    def width_px(self) -> int:
        """Width, even."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height, even."""
        return int(self.pixels.shape[0])

    @property
    def sha256(self) -> str:
        """Of "HEIGHTxWIDTHx3" and the pixels, row by row: equal pictures, equal digests, on every computer."""
        shape = "x".join(str(length) for length in self.pixels.shape)
        return hashlib.sha256(shape.encode("ascii") + self.pixels.tobytes()).hexdigest()


@dataclass(frozen=True)
class Style:
    """How text looks. `width_px` is the picture's width, in which lines wrap; None: as wide as the longest line."""

    size_px: float
    colour: Colour
    background: Colour
    width_px: int | None = None
    align: Literal["start", "center"] = "start"
    weight: int = 400

    def muted(self, share: float) -> Colour:
        """The colour of the text, faded into the background by this share (0 to 1)."""
        return _mix(self.background, self.colour, share)


class Message(Protocol):
    """What `fitting_size` needs to know of a message."""

    @property
    def message_id(self) -> str: ...
    @property
    def writer(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class ScaleLayout:
    """Where a rating scale's parts lie, in pixels from the picture's top left corner.

    A position is a boundary between pixels: with an even `stroke_px` a tick lies evenly about it, and x of the picture
    is x - width_px / 2 of a centred window.
    """

    width_px: int
    height_px: int
    first_tick_px: int
    tick_step_px: int
    line_y_px: int
    tick_height_px: int
    stroke_px: int
    digits_y_px: int
    labels_y_px: int
    label_width_px: int

    def tick_px(self, index: int) -> int:
        """The x of tick `index`, counted from 0 at the low end."""
        return self.first_tick_px + index * self.tick_step_px


def scale_layout(unit_px: float, points: int) -> ScaleLayout:
    """The proportions that look right: 900 units wide, ticks up to 110 units apart, the question on top.

    `unit_px` is a window's min(width / 1280, height / 720). Every number is even, so ticks lie on whole pixels.
    """

    def even(units: float) -> int:
        return 2 * round(units * unit_px / 2)

    width_px = even(900)
    step_px = min(even(110), 2 * int(even(720) / (points - 1) / 2))
    return ScaleLayout(
        width_px=width_px,
        height_px=even(330),
        first_tick_px=(width_px - step_px * (points - 1)) // 2,
        tick_step_px=step_px,
        line_y_px=even(188),
        tick_height_px=even(20),
        stroke_px=max(2, even(2)),
        digits_y_px=even(210),
        labels_y_px=even(250),
        label_width_px=even(220),
    )


@cache
def _compiler() -> typst.Compiler:
    """The typesetter, made once a process; fonts stay loaded in it. About 50 ms with the first text."""
    import typst

    return typst.Compiler(input=_template(), font_paths=script.fonts())


@cache
def _template() -> bytes:
    return Path(__file__).with_suffix(".typ").read_bytes()


def draw_text(text: str, style: Style, language: str = "en") -> Picture:
    """Draw lines as typed, each in the direction of its first strong character; long ones wrap, spaces are kept.

    The picture is as high as its lines. Never raises for want of a glyph: ask `missing_glyphs` beforehand.
    """
    language = script.checked_language(language)
    edge_px = round(style.size_px * SIDE_EM)
    pixels = _compiled(text, style, language, edge_px)
    while _inked_edge(pixels, style.background):  # marks stacked high: more room
        edge_px = 2 * edge_px + 2
        pixels = _compiled(text, style, language, edge_px)
    return _picture(pixels)


def _compiled(text: str, style: Style, language: str, edge_px: int) -> NDArray[np.uint8]:
    """One run of typst: pixels (height, width, 3) with even sides."""
    from PIL import Image

    block = {"block": json.dumps(_block(text, style, language, edge_px))}
    png = _compiler().compile(input=_template(), format="png", ppi=72, sys_inputs=block)
    assert isinstance(png, bytes), "one page, by `height: auto`"
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        drawn = np.asarray(image.convert("RGB"))
    height, width = (length + length % 2 for length in drawn.shape[:2])
    canvas = _canvas(width, height, style.background)
    canvas[: drawn.shape[0], : drawn.shape[1]] = drawn
    return canvas


def _block(text: str, style: Style, language: str, edge_px: int) -> dict[str, object]:
    """What text.typ reads: lines, fonts and sizes."""
    side_px = max(edge_px, 1)
    column_px = None if style.width_px is None else max(style.width_px - 2 * side_px, 1)
    lines = script.lines_of(text)
    base = script.direction_of(text)
    lang, region = _typst_language(language)
    if any(run.is_emoji for line in lines for run in script.runs_of(line)):
        script.check_emoji_font()
    return {
        "lines": [_line(line, base, style) for line in lines],
        "column": column_px,
        "side": side_px,
        "edge": side_px,
        "size": style.size_px,
        "weight": style.weight,
        "colour": style.colour,
        "background": style.background,
        "centred": style.align == "center",
        "pitch": round(PITCH_EM * style.size_px),
        "ascent": round(ASCENT_EM * style.size_px),
        "emoji_size": EMOJI_EM,
        "emoji": [script.EMOJI_FAMILY],
        "fonts": _typst_fonts(text, language),
        "lang": lang,
        "region": region,
    }
