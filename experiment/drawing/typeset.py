"""Text -> pixels: typst draws one block of lines, from the fonts that come with the software and no other.

The same text, style and language give the same pixels in every process and on every computer that was tried.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiment.drawing import fonts, scripts
from experiment.errors import BadInput
from experiment.system.processes import map_in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typst
    from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""sRGB, 0 to 255."""

Block = tuple[str, "Style", str]
"""A text, its style and its language."""
Drawings = dict[Block, "NDArray[np.uint8] | None"]
"""What was drawn to be measured, and need not be drawn again; None: ink has no end."""

Align = Literal["start", "center", "left", "right"]
"""`start` is where a line begins: on the right in Arabic and Hebrew."""

PITCH_EM = 1.5  # from line to line; open, and room for the marks above and below Thai, Arabic and Khmer
ASCENT_EM = 1.08  # from the top of a line to its baseline
SIDE_EM = 0.25  # free at each edge of a picture, for letters that reach over their own width
EMOJI_EM = 0.92  # then emoji are about as high as letters with ascender and descender
NEAR_EM = 0.1  # of an edge no ink may lie: an edge between two marks of a stack cuts the rest off
NARROWEST = 0.5  # of a column, for letters that reach far over their own width
FARTHEST_EM = 16  # free at an edge: some sixty marks on one letter; nobody writes more, and memory has an end
ENDLESS_PX = 10**6  # the height of what reaches farther: no screen has room for it
SPARE_PX = 1  # for the rounding of edges and baselines, and for bolder letters
SPARE_EM = 3  # an emoji and a sign may cling to a word


@dataclass(frozen=True, eq=False)
class Picture:
    """Opaque pixels (height, width, 3), uint8 sRGB, C order, row 0 on top; width and height are even."""

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
        """Of "HEIGHTxWIDTHx3" and the pixels row by row: what a participant saw, provable on any computer."""
        shape = "x".join(str(length) for length in self.pixels.shape)
        return hashlib.sha256(shape.encode("ascii") + self.pixels.tobytes()).hexdigest()


@dataclass(frozen=True)
class Style:
    """How things look.

    `width_px` is the picture's width, in which lines wrap; None: as wide as the longest line. `quiet` is the colour of
    names and labels, `accent` of buttons and markers; None: that of the text.
    """

    size_px: float
    colour: Colour
    background: Colour
    width_px: int | None = None
    align: Align = "start"
    weight: int = 400
    quiet: Colour | None = None
    accent: Colour | None = None

    @property
    def side_px(self) -> int:
        """What stays free at each edge of a picture."""
        return max(1, round(SIDE_EM * self.size_px))

    @property
    def near_px(self) -> int:
        """How far from an edge there must be no ink."""
        return math.ceil(NEAR_EM * self.size_px)

    def column_px(self, side_px: int) -> int | None:
        """The width of the longest possible line, with so much free at each side; the picture may get wider for it."""
        if self.width_px is None:
            return None
        usual_px, narrow_px = self.width_px - 2 * self.side_px, self.width_px - 2 * side_px
        return max(1, narrow_px if narrow_px >= NARROWEST * usual_px else usual_px)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """`share` of the first colour, the rest of the other, in sRGB values."""
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def canvas(width_px: int, height_px: int, background: Colour) -> NDArray[np.uint8]:
    """Make an empty picture (height, width, 3), one row or column larger where a length is odd."""
    shape = (even(height_px), even(width_px), 3)
    pixels = np.empty(shape, np.uint8)
    pixels[:] = np.full(shape[1:], background, np.uint8)
    return pixels


def paste(onto: NDArray[np.uint8], part: NDArray[np.uint8], left_px: int, top_px: int) -> None:
    """Copy a part onto a canvas; what lies outside is cut off."""
    height, width = onto.shape[:2]
    top, left = max(top_px, 0), max(left_px, 0)
    bottom, right = min(top_px + part.shape[0], height), min(left_px + part.shape[1], width)
    if bottom > top and right > left:
        onto[top:bottom, left:right] = part[top - top_px : bottom - top_px, left - left_px : right - left_px]


def even(length_px: int) -> int:
    """The length, or one more."""
    return length_px + length_px % 2


def picture(pixels: NDArray[np.uint8]) -> Picture:
    """Close a canvas: nobody changes a picture's pixels."""
    pixels.setflags(write=False)
    return Picture(pixels)


@cache
def _template() -> bytes:
    return Path(__file__).with_suffix(".typ").read_bytes()


def _compiler(inputs: dict[str, str]) -> typst.Compiler:
    """A typesetter of one's own, as one must not be used by two threads at once; the fonts are shared, and read once.

    About 50 ms with the first text, then less than 0.1 ms.
    """
    import typst

    return typst.Compiler(input=_template(), font_paths=fonts.fonts(), sys_inputs=inputs)


def draw_text(text: str, style: Style, language: str = "en", drawings: Drawings | None = None) -> Picture:
    """Draw lines as typed, each in the direction of its first strong character; long ones wrap, spaces are kept.

    The picture is as high as its lines. Where ink would touch an edge, more stays free there: above and below it gets
    higher, at the sides its lines get shorter, and only what reaches farther makes it wider. A character without a
    glyph draws a box and raises nothing: ask `missing_glyphs` beforehand. BadInput for ink without end. `drawings`:
    those of which this may be one.
    """
    known = drawings or {}
    block = (text, style, language)
    pixels = known[block] if block in known else _drawn(*block)
    if pixels is None:
        raise BadInput("A text is too long for any screen, or a letter has so many marks that no picture holds them.")
    return picture(pixels)


def _drawn(text: str, style: Style, language: str) -> NDArray[np.uint8] | None:
    """The pixels, with free edges; None if ink reaches an edge however much is left free."""
    if scripts.is_endless(text):
        return None
    side_px = above_px = style.side_px
    while max(side_px, above_px) <= FARTHEST_EM * style.size_px:
        block = _block(text, style, scripts.check_language(language), side_px)
        pixels = _compiled(block | {"side": side_px, "above": above_px}, style.background)
        at_sides, above_or_below = _ink_at_edges(pixels, style)
        if not (at_sides or above_or_below):
            return pixels
        side_px, above_px = side_px * (1 + at_sides), above_px * (1 + above_or_below)
    return None


def text_sizes_px(
    texts: Sequence[Block], room_px: float = math.inf, drawings: Drawings | None = None
) -> list[tuple[int, int]]:
    """Width and height of what `draw_text` makes of texts with their styles (each has a width) and languages.

    In a tenth of the time, as lines are only broken; a text whose ink may reach an edge, where a picture grows, is
    drawn after all, unless its lines alone are higher than `room_px`: its size is then at least the one given. What is
    drawn is put into `drawings`.
    """
    drawable = [text for text in texts if not scripts.is_endless(text[0])]
    blocks = [_block(*text[:2], scripts.check_language(text[2]), text[1].side_px) for text in drawable]
    sizes_px = {text: (even(text[1].width_px or 0), ENDLESS_PX) for text in texts}
    for text, lines_px in zip(drawable, _heights_px(blocks), strict=True):
        sizes_px[text] = (sizes_px[text][0], even(lines_px + 2 * text[1].side_px))
    wide = [text for text in drawable if sizes_px[text][1] <= room_px and not _stays_inside(*text)]
    for text, drawn in zip(wide, map_in_threads(lambda text: _drawn(*text), wide), strict=True):
        sizes_px[text] = (sizes_px[text][0], ENDLESS_PX) if drawn is None else (drawn.shape[1], drawn.shape[0])
        if drawings is not None:
            drawings[text] = drawn
    return [sizes_px[text] for text in texts]


def _heights_px(blocks: list[dict[str, Any]]) -> list[int]:
    """The summed height of each block's lines."""
    heights = json.loads(_compiler({"blocks": json.dumps(blocks)}).query("<heights>", field="value", one=True))
    return [round(height) for height in heights]


def _stays_inside(text: str, style: Style, language: str) -> bool:
    """Whether no letter can reach an edge, and no word leave the column: a picture is then as high as its lines."""
    boxes = scripts.unusual_boxes(text, language)
    size, side_em = style.size_px, (style.side_px - style.near_px - SPARE_PX) / style.size_px
    above_em = round(ASCENT_EM * size) / size + side_em
    below_em = round(PITCH_EM * size) / size + 2 * side_em - above_em
    widest_em = scripts.widest_word_em(text, boxes) + SPARE_EM
    return widest_em * size <= (style.column_px(style.side_px) or 0) and all(
        -side_em <= box.left and box.right <= box.advance + side_em and -below_em <= box.bottom and box.top <= above_em
        for box in boxes.values()
    )


def _compiled(block: dict[str, Any], background: Colour) -> NDArray[np.uint8]:
    """One run of typst: pixels (height, width, 3), both even."""
    from PIL import Image

    page = _compiler({"block": json.dumps(block)}).compile(format="png", ppi=72)
    if not isinstance(page, bytes):
        raise TypeError("typeset.typ makes one page")
    with Image.open(io.BytesIO(page), formats=["PNG"]) as image:
        drawn = np.array(image.convert("RGB"))
    if drawn.shape[0] % 2 == drawn.shape[1] % 2 == 0:
        return drawn
    pixels = canvas(drawn.shape[1], drawn.shape[0], background)
    paste(pixels, drawn, 0, 0)
    return pixels


def _ink_at_edges(pixels: NDArray[np.uint8], style: Style) -> tuple[bool, bool]:
    """Whether there is ink near the left or right edge, and near the upper or lower one."""
    near_px = style.near_px
    edges = [pixels[:, :near_px], pixels[:, -near_px:]], [pixels[:near_px], pixels[-near_px:]]
    at_sides, above_or_below = (any(bool((edge != style.background).any()) for edge in pair) for pair in edges)
    return at_sides, above_or_below


def _block(text: str, style: Style, language: str, side_px: int) -> dict[str, Any]:
    """What typeset.typ reads, but for the free edges; `side_px` is free at the left and right one."""
    column_px = style.column_px(side_px)
    lines = [scripts.runs_of(line) for line in scripts.lines_of(text)]
    if any(run.is_emoji for runs in lines for run in runs):
        fonts.check_emoji_font()
    base = scripts.direction_of(text)
    lang, region = scripts.typst_language(text, language)
    return {
        "lines": [_line(runs, base, style.size_px, column_px) for runs in lines],
        "column": column_px,
        "size": style.size_px,
        "weight": style.weight,
        "colour": style.colour,
        "background": style.background,
        "align": style.align,
        "pitch": round(PITCH_EM * style.size_px),
        "ascent": round(ASCENT_EM * style.size_px),
        "emoji": fonts.EMOJI_FAMILY,
        "emoji_size": round(EMOJI_EM * style.size_px, 2),
        "fonts": scripts.typst_fonts(text, language),
        "lang": lang,
        "region": region,
    }


def _line(runs: list[scripts.Run], base: scripts.Direction, size_px: float, column_px: int | None) -> dict[str, Any]:
    """One typed line: its direction and its runs."""
    direction = scripts.direction_of("".join(run.text for run in runs), base)
    longest = None if column_px is None else int(column_px / (2 * size_px))
    return {"rtl": direction == "rtl", "runs": [piece for run in runs for piece in _pieces(run, longest)]}


def _pieces(run: scripts.Run, longest: int | None) -> list[dict[str, Any]]:
    """Cut a run around words that may be too long for a column by themselves: letters are at most 2 ems wide."""
    if run.is_emoji or longest is None:
        return [{"text": run.text, "is_emoji": run.is_emoji, "breakable": None}]
    return [
        {"text": scripts.keep_words_whole(text), "is_emoji": False, "breakable": breakable}
        for text, breakable in scripts.long_words(run.text, longest)
    ]
