"""The fonts that come with the software, and what each of them draws.

No other font is ever used, so that every computer draws the same: Noto Sans and its sisters, Noto Sans CJK, Noto Color
Emoji (`stimuli/fonts/`), and for signs and letters that those lack, two fonts that matplotlib brings along. What a font
draws is found by shaping with HarfBuzz, as code points looked up one by one would be wrong both ways: U+FE0F stands in
no font's table, and impossible joined emoji consist of possible ones.
"""

from __future__ import annotations

from functools import cache, lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiment.errors import EquipmentFailure

if TYPE_CHECKING:
    import typst
    import uharfbuzz

FONT_PACKAGES = ("manimgx_fonts", "noto_cjk_sans_otc")
# Matplotlib's own version differs between versions of Python, and these files do not: they are known by their digests.
MATPLOTLIB_FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "STIXGeneral.ttf")
EMOJI_FOLDER = Path(__file__).resolve().parents[2] / "stimuli" / "fonts"
EMOJI_FONT = "NotoColorEmoji.ttf"
LATIN_FAMILY = "Noto Sans"  # also Greek and Cyrillic
SYMBOL_FAMILY = "Noto Sans Symbols"
RARE_FAMILY = "DejaVu Sans"  # more symbols, and the syllabics that faces of signs are made of
MATHEMATICAL_FAMILY = "STIXGeneral"  # "fancy" letters
CJK_FAMILY = "Noto Sans CJK SC"  # one face (20 MB) for all: it has the forms of every language, and takes them by tag
PLAIN_EMOJI_FAMILY = "Noto Emoji"  # in the colour of the text, for U+FE0E
EMOJI_FAMILY = "Noto Color Emoji"

# Scripts with a font of their own, by their Unicode names; Thaana, Syriac, Tibetan, Cherokee and rarer ones have none.
SCRIPTS = (
    "Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Hebrew", "Kannada",
    "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai",
)  # fmt: skip
FAMILIES = (
    LATIN_FAMILY, SYMBOL_FAMILY, RARE_FAMILY, MATHEMATICAL_FAMILY, CJK_FAMILY, PLAIN_EMOJI_FAMILY, EMOJI_FAMILY,
    *(f"{LATIN_FAMILY} {script}" for script in SCRIPTS),
)  # fmt: skip

REGULAR = 400
CLUSTERS_KEPT = 4096  # letters that a message or a thousand share: shaped once


class InkBox(NamedTuple):
    """Where the ink of some glyphs lies, in ems from where the line's baseline begins, y up; and how wide they are."""

    left: float
    right: float
    bottom: float
    top: float
    advance: float


@cache
def fonts() -> typst.Fonts:
    """The font files that come with the software and no other; each is read when a text first needs it."""
    import typst

    known = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[*(_folder(package) for package in FONT_PACKAGES), _matplotlib_folder(), EMOJI_FOLDER],
    )
    if missing := sorted(set(FAMILIES) - set(known.families())):
        raise EquipmentFailure(f"fonts: {', '.join(missing)} not found. Restore {EMOJI_FOLDER} or install again.")
    return known


def _folder(package: str) -> Path:
    """Where an installed font package lies, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EquipmentFailure(f"The Python package {package} (fonts) is missing. Install the environment again.")
    return Path(spec.origin).parent


def _matplotlib_folder() -> Path:
    return _folder("matplotlib") / "mpl-data" / "fonts" / "ttf"


@cache
def check_emoji_font() -> None:
    """Compare the emoji font with its SHA-256 file; EquipmentFailure if they differ. Its design is part of a stimulus.

    Done once, by whatever first needs an emoji: about 10 ms.
    """
    expected = _emoji_sha256()
    if (found := _sha256(EMOJI_FOLDER / EMOJI_FONT)) != expected:
        raise EquipmentFailure(
            f"{EMOJI_FOLDER / EMOJI_FONT}: damaged, SHA-256 is {found}, expected {expected}. Restore the file (a git "
            "setting that converts line ends may have changed it)."
        )


def _sha256(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _emoji_sha256() -> str:
    return (EMOJI_FOLDER / f"{EMOJI_FONT}.sha256").read_text(encoding="ascii").split()[0]


def versions() -> dict[str, str]:
    """What the pixels of a text depend on besides the text, for a transcript's first event."""
    from importlib.metadata import version

    packages = {package: version(package) for package in ("typst", *FONT_PACKAGES)}
    others = {name: f"sha256:{_sha256(_matplotlib_folder() / name)}" for name in MATPLOTLIB_FONTS}
    return packages | others | {EMOJI_FONT: f"sha256:{_emoji_sha256()}"}


def font_file(family: str) -> tuple[Path, int]:
    """A family's upright font of regular weight: its file, and its number in that."""
    upright = [info for info in fonts().fonts() if info.family == family and info.style == "normal"]
    info = min(upright, key=lambda one: abs(one.weight - REGULAR))
    return Path(str(info.path)), info.index


@cache
def _font(family: str) -> uharfbuzz.Font:
    """Open a family's font for shaping; the file is mapped, not read."""
    import uharfbuzz

    path, index = font_file(family)
    return uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)), index))


def _shaped(cluster: str, family: str) -> uharfbuzz.Buffer:
    import uharfbuzz

    buffer = uharfbuzz.Buffer()
    buffer.add_str(cluster)
    buffer.flags = uharfbuzz.BufferFlags.REMOVE_DEFAULT_IGNORABLES
    buffer.guess_segment_properties()
    uharfbuzz.shape(_font(family), buffer)
    return buffer


@lru_cache(CLUSTERS_KEPT)
def glyphs(cluster: str, family: str) -> tuple[int, ...]:
    """The visible glyph numbers that this font draws a grapheme cluster with; 0 is the box of a missing glyph."""
    return tuple(info.codepoint for info in _shaped(cluster, family).glyph_infos)


@lru_cache(CLUSTERS_KEPT)
def box(cluster: str, family: str) -> InkBox | None:
    """Where this font leaves ink for a grapheme cluster; None if nowhere."""
    font, buffer = _font(family), _shaped(cluster, family)
    em, pen = font.face.upem, 0
    found = []
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        ink = font.get_glyph_extents(info.codepoint)
        if ink is not None and ink.width and ink.height:
            x, y = pen + position.x_offset + ink.x_bearing, position.y_offset + ink.y_bearing
            found.append((x, x + ink.width, y + ink.height, y))
        pen += position.x_advance
    if not found:
        return None
    left, right, bottom, top = zip(*found, strict=True)
    return InkBox(min(left) / em, max(right) / em, min(bottom) / em, max(top) / em, pen / em)


def draws_emoji(cluster: str) -> bool:
    """Exactly one glyph: more would be an impossible joined emoji in pieces, and an unknown flag has a placeholder."""
    drawn = glyphs(cluster, EMOJI_FAMILY)
    unknown_flag = glyphs("\N{REGIONAL INDICATOR SYMBOL LETTER A}" * 2, EMOJI_FAMILY)
    return len(drawn) == 1 and drawn not in ((0,), unknown_flag)


def draws_text(cluster: str, family: str) -> bool:
    """At least one glyph, and none of them missing."""
    drawn = glyphs(cluster, family)
    return bool(drawn) and 0 not in drawn
