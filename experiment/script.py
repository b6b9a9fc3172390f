"""Which language, direction and fonts a text needs, and whether they can draw all of it.

Only fonts that come with the software are used, so that every computer draws the same: Noto Sans and its sisters,
Noto Sans CJK, and Noto Color Emoji (`stimuli/fonts/`). Nothing here draws; `text.py` does. A text leaves no trace here:
no cache or error keeps any of it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import regex

from experiment.errors import BadInput, EquipmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typst
    import uharfbuzz

Direction = Literal["ltr", "rtl"]

FONT_PACKAGES = ("manimgx_fonts", "noto_cjk_sans_otc")
EMOJI_FOLDER = Path(__file__).resolve().parents[1] / "stimuli" / "fonts"
EMOJI_FONT = "NotoColorEmoji.ttf"
LATIN_FAMILY = "Noto Sans"  # also Greek and Cyrillic
SYMBOL_FAMILY = "Noto Sans Symbols"
CJK_FAMILY = "Noto Sans CJK SC"  # one face (20 MB) for all: it has the forms of every language, and takes them by tag
EMOJI_FAMILY = "Noto Color Emoji"

# Scripts with a font of their own, by their Unicode names; Thaana, Syriac, Tibetan, Cherokee and rarer ones have none.
SCRIPTS = (
    "Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Hebrew", "Kannada",
    "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai",
)  # fmt: skip
# As typst names them: language, and the region by which it tells Chinese characters apart.
CJK_LANGUAGES = {
    "zh": ("zh", "CN"),
    "zh-Hans": ("zh", "CN"),
    "zh-CN": ("zh", "CN"),
    "zh-SG": ("zh", "CN"),
    "zh-Hant": ("zh", "TW"),
    "zh-TW": ("zh", "TW"),
    "zh-HK": ("zh", "HK"),
    "zh-MO": ("zh", "HK"),
    "ja": ("ja", None),
    "ko": ("ko", None),
}

NEWLINE = regex.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
CLUSTER = regex.compile(r"\X")
STRONG = regex.compile(r"[\p{Bidi_Class=L}\p{Bidi_Class=R}\p{Bidi_Class=AL}]")
RIGHT_TO_LEFT = regex.compile(r"[\p{Bidi_Class=R}\p{Bidi_Class=AL}]")
KANA = regex.compile(r"[\p{Script=Hiragana}\p{Script=Katakana}]")
HANGUL = regex.compile(r"\p{Script=Hangul}")
HAN = regex.compile(r"\p{Script=Han}")
EAST_ASIAN = regex.compile(r"[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\uFF00-\uFFEF]")
SYMBOL = regex.compile(r"[\u2100-\u2BFF]")  # some of them, such as U+2605, only the CJK font has
LANGUAGE = regex.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

# A text emoji (U+2764) without a selector is drawn in colour, as telephones do; digits and the signs that Noto Sans
# has are not, unless U+FE0F asks for it. U+FE0E always asks for text.
EMOJI = regex.compile(
    r"(?!\X*?\uFE0E)(?:\p{Regional_Indicator}|[\p{Emoji}--[#*0-9©®‼⁉™\u2139]]|\p{Emoji}\uFE0F)", flags=regex.VERSION1
)
INVISIBLE = regex.compile(r"[\s\p{Default_Ignorable_Code_Point}]+")


# Scripts that need no spaces to break lines; typst knows their words.
LETTERS = r"[^\s\u200B\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]"
PART_OF_LINK = regex.compile(r"[^/?&=.,_#-]+[/?&=.,_#-]*|[/?&=.,_#-]+")
ZERO_WIDTH_SPACE = "\u200b"


class Run(NamedTuple):
    """A stretch of one line that is all emoji, or has none."""

    text: str
    is_emoji: bool


def lines_of(text: str) -> list[str]:
    """The lines as typed, each one a paragraph; blank ones at the beginning and end are dropped, tabs are 4 columns."""
    lines = [line.expandtabs(4).rstrip() for line in NEWLINE.split(text)]
    kept = [index for index, line in enumerate(lines) if line]
    return lines[kept[0] : kept[-1] + 1] if kept else []


def direction_of(text: str, otherwise: Direction = "ltr") -> Direction:
    """By the first strong character (Unicode Standard Annex 9, rule P2); `otherwise` where there is none."""
    strong = STRONG.search(text)
    if strong is None:
        return otherwise
    return "rtl" if RIGHT_TO_LEFT.match(strong.group()) else "ltr"


def runs_of(line: str) -> list[Run]:
    """Cut a line where emoji begin or end; no grapheme cluster is ever cut."""
    runs: list[Run] = []
    for cluster in CLUSTER.findall(line):
        is_emoji = EMOJI.match(cluster) is not None
        if runs and runs[-1].is_emoji == is_emoji:
            runs[-1] = Run(runs[-1].text + cluster, is_emoji)
        else:
            runs.append(Run(cluster, is_emoji))
    return runs


def long_words(text: str, longest: int) -> Iterator[tuple[str, str | None]]:
    """Cut a text around words of more than `longest` letters; those come with a form that may break anywhere."""
    end = 0
    for word in regex.finditer(rf"{LETTERS}{{{longest + 1},}}", text):
        if word.start() > end:
            yield text[end : word.start()], None
        yield word.group(), ZERO_WIDTH_SPACE.join(_parts(word.group(), longest))
        end = word.end()
    if end < len(text):
        yield text[end:], None


def _parts(word: str, longest: int) -> Iterator[str]:
    """Cut a word behind the signs that part a link, or anywhere where there are none."""
    for part in PART_OF_LINK.findall(word):
        clusters = CLUSTER.findall(part)
        yield from clusters if len(clusters) > longest else [part]


def checked_language(language: str) -> str:
    """Return the language tag (such as en, zh-Hant); BadInput if it is none, "" if it is empty."""
    if language and not LANGUAGE.fullmatch(language):
        raise BadInput(f"language {language!r}: expected a tag such as en, ar, zh, zh-Hant, ja or ko, or nothing.")
    return language


def cjk_language(text: str, language: str) -> str | None:
    """zh, zh-Hant, ja, ko... or None without such characters. The declared language wins, then kana and hangul tell."""
    if language in CJK_LANGUAGES:
        return language
    if KANA.search(text):
        return "ja"
    if HANGUL.search(text):
        return "ko"
    return "zh" if EAST_ASIAN.search(text) else None


def needs_language(text: str, language: str) -> bool:
    """Tell whether someone must say if this is Chinese (zh, zh-Hant), Japanese or Korean: they share code points."""
    if language in CJK_LANGUAGES or KANA.search(text) or HANGUL.search(text):
        return False
    return HAN.search(text) is not None


def families(text: str, language: str) -> list[str]:
    """The fonts for the parts that are no emoji, in order: only what this text needs, as each costs memory.

    The script used most comes first, so that shared marks (a danda) come from it. Colour emoji come last: their font
    has digits too.
    """
    used = {script: len(regex.findall(rf"\p{{Script={script}}}", text)) for script in SCRIPTS}
    shared = [script for script in SCRIPTS if regex.search(rf"\p{{scx={script}}}", text)]
    found = [f"{LATIN_FAMILY} {script}" for script in sorted(shared, key=lambda script: -used[script])]
    cjk = [CJK_FAMILY] if cjk_language(text, language) or SYMBOL.search(text) else []
    return [LATIN_FAMILY, *found, SYMBOL_FAMILY, *cjk]


def typst_fonts(text: str, language: str) -> list[str | dict[str, str]]:
    """Like `families`, as typst's `font` wants them; in Chinese and Japanese, quotes and dashes are full-width."""
    is_full_width = language in CJK_LANGUAGES and language != "ko"
    latin = {"name": LATIN_FAMILY, "covers": "latin-in-cjk"} if is_full_width else LATIN_FAMILY
    return [latin, *families(text, language)[1:], EMOJI_FAMILY]


def typst_language(text: str, language: str) -> tuple[str, str | None]:
    """Language and region, by which the fonts choose forms: Chinese or Japanese, Arabic or Urdu."""
    cjk = cjk_language(text, language)
    return CJK_LANGUAGES[cjk] if cjk else ((language or "en").split("-")[0].lower(), None)


@cache
def fonts() -> typst.Fonts:
    """The font files that come with the software and no other; each is read when a text first needs it."""
    import typst

    known = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[*(_folder(package) for package in FONT_PACKAGES), EMOJI_FOLDER],
    )
    expected = {LATIN_FAMILY, SYMBOL_FAMILY, CJK_FAMILY, EMOJI_FAMILY} | {f"{LATIN_FAMILY} {name}" for name in SCRIPTS}
    if missing := sorted(expected - set(known.families())):
        raise EquipmentFailure(f"fonts: {', '.join(missing)} not found. Restore {EMOJI_FOLDER} or install again.")
    return known


def _folder(package: str) -> Path:
    """Where an installed font package lies, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EquipmentFailure(f"fonts: the Python package {package} is missing. Install the environment again.")
    return Path(spec.origin).parent


@cache
def check_emoji_font() -> None:
    """Compare the emoji font with its SHA-256 file; EquipmentFailure if they differ. Its design is part of a stimulus.

    Done once, by whatever first needs an emoji: about 10 ms.
    """
    expected = _emoji_sha256()
    digest = hashlib.sha256()
    with (EMOJI_FOLDER / EMOJI_FONT).open("rb") as file:
        while part := file.read(1 << 16):
            digest.update(part)
    found = digest.hexdigest()
    if found != expected:
        raise EquipmentFailure(
            f"{EMOJI_FOLDER / EMOJI_FONT}: damaged, SHA-256 is {found}, expected {expected}. Restore the file (a git "
            "setting that converts line ends may have changed it)."
        )


@cache
def _face(family: str) -> uharfbuzz.Font:
    """Open a family's upright font for shaping; the file is mapped, not read."""
    import uharfbuzz

    info = next(info for info in fonts().fonts() if info.family == family and info.style == "normal")
    return uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(info.path)), info.index))


def _emoji_sha256() -> str:
    return (EMOJI_FOLDER / f"{EMOJI_FONT}.sha256").read_text(encoding="ascii").split()[0]


def versions() -> dict[str, str]:
    """What the pixels of a text depend on besides the text, for a transcript's first event."""
    from importlib.metadata import version

    packages = {package: version(package) for package in ("typst", *FONT_PACKAGES)}
    return packages | {EMOJI_FONT: f"sha256:{_emoji_sha256()}"}


def close_fonts() -> None:
    """Let go of every font file; the next text opens what it needs."""
    fonts.cache_clear()
    _face.cache_clear()


def _glyphs(cluster: str, family: str) -> list[int]:
    """The visible glyph numbers that this font draws a grapheme cluster with; 0 is the box of a missing glyph."""
    import uharfbuzz

    buffer = uharfbuzz.Buffer()
    buffer.add_str(cluster)
    buffer.flags = uharfbuzz.BufferFlags.REMOVE_DEFAULT_IGNORABLES
    buffer.guess_segment_properties()
    uharfbuzz.shape(_face(family), buffer)
    return [info.codepoint for info in buffer.glyph_infos]


def _draws_emoji(cluster: str) -> bool:
    """Exactly one glyph: more would be an impossible joined emoji in pieces, and an unknown flag has a placeholder."""
    drawn = _glyphs(cluster, EMOJI_FAMILY)
    unknown_flag = _glyphs("\N{REGIONAL INDICATOR SYMBOL LETTER A}" * 2, EMOJI_FAMILY)
    return len(drawn) == 1 and drawn not in ([0], unknown_flag)


def _draws_text(cluster: str, in_families: list[str]) -> bool:
    return any(0 not in (drawn := _glyphs(cluster, family)) and drawn for family in in_families)


def _missing(text: str, language: str) -> Iterator[str]:
    in_families = families(text, language)
    for cluster in dict.fromkeys(CLUSTER.findall(text)):
        if INVISIBLE.fullmatch(cluster):
            continue
        if not (_draws_emoji(cluster) if EMOJI.match(cluster) else _draws_text(cluster, in_families)):
            yield cluster


def missing_glyphs(text: str, language: str = "en") -> list[str]:
    """Grapheme clusters that would draw a box, a placeholder or nothing, each once, in the order of the text.

    Found by shaping with HarfBuzz. Code points looked up one by one would be wrong both ways: U+FE0F stands in no
    font's table, so every red heart would be reported, and impossible joined emoji would pass.
    """
    return list(_missing(text, checked_language(language)))
