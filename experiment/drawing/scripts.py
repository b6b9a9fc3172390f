"""Which language, direction and fonts a text needs, how its lines may break, and whether the fonts draw all of it.

Nothing here draws: `typeset.py` does. A text leaves no trace here: no cache or error keeps any of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby
from typing import Literal, NamedTuple

import regex

from experiment.drawing import fonts
from experiment.errors import BadInput
from experiment.storage import limits

Direction = Literal["ltr", "rtl"]

# As typst names them: language, and the region by which it tells Chinese characters apart.
CJK_LANGUAGES: dict[str, tuple[str, str | None]] = {
    **dict.fromkeys(("zh", "zh-Hans", "zh-CN", "zh-SG"), ("zh", "CN")),
    **dict.fromkeys(("zh-Hant", "zh-TW"), ("zh", "TW")),
    **dict.fromkeys(("zh-HK", "zh-MO"), ("zh", "HK")),
    "ja": ("ja", None),
    "ko": ("ko", None),
}

NEWLINE = regex.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
# Flags first: \X by itself counts all of a row of them for each, which takes the square of its length.
CLUSTER = regex.compile(r"\p{Regional_Indicator}{2}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*|\X")
STRONG = regex.compile(r"[\p{Bidi_Class=L}\p{Bidi_Class=R}\p{Bidi_Class=AL}]")
RIGHT_TO_LEFT = regex.compile(r"[\p{Bidi_Class=R}\p{Bidi_Class=AL}]")
KANA = regex.compile(r"[\p{Script=Hiragana}\p{Script=Katakana}]")
HANGUL = regex.compile(r"\p{Script=Hangul}")
HAN = regex.compile(r"\p{Script=Han}")
EAST_ASIAN = regex.compile(r"[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\uFF00-\uFFEF]")
IN_SCRIPT = {script: regex.compile(rf"\p{{scx={script}}}") for script in fonts.SCRIPTS}
SYMBOL = regex.compile(r"[\u2100-\u2BFF]")  # some of them, such as U+2605, only the CJK font has
RARE = regex.compile(r"[\u2100-\u2BFF\p{Canadian_Aboriginal}\p{Yi}\U0001F030-\U0001F0F5]")
MATHEMATICAL = regex.compile(r"[\U0001D400-\U0001D7FF]")
LANGUAGE = regex.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")

# A text emoji (U+2764) without a selector is drawn in colour, as telephones do; digits and the signs that Noto Sans
# has are not, unless U+FE0F asks for it. U+FE0E always asks for text.
EMOJI = regex.compile(
    r"(?!.+\uFE0E)(?:\p{Regional_Indicator}|[\p{Emoji}--[#*0-9©®‼⁉™\u2139]]|\p{Emoji}\uFE0F)", flags=regex.VERSION1
)
PLAIN = regex.compile(r"(?:[^\p{Emoji}\uFE0F]|[#*0-9])*")  # as every letter by itself tells
INVISIBLE = regex.compile(r"[\s\p{Default_Ignorable_Code_Point}]+")
# One letter that rises and falls no further than a line has room, is at most so wide, and has its ink in that.
USUAL = regex.compile(
    r"[\s!-~\u00A0-\u017F\u01A0\u01A1\u01AF\u01B0\u0218-\u021B\u0386-\u03CE\u0400-\u045F\u1EA0-\u1EF9\u2010-\u2026"
    r"\u3000-\u3029\u3041-\u3096\u30A0-\u30FF\u4E00-\u9FFF\uAC00-\uD7A3]"
)
USUAL_EM = 1.05
LIMITLESS = fonts.InkBox(-math.inf, math.inf, -math.inf, math.inf, math.inf)
# White space, and what steers the writing (marks of direction, joiners, soft hyphens) without being writing.
BLANK = regex.compile(r"[\s\p{Cf}\p{Variation_Selector}]+")

# Letters that stick together: not those of scripts that need no spaces, whose words typst knows, but also what is held
# together by no-break spaces.
LETTERS = r"(?:[^\s\u200B\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Han}\p{Hiragana}\p{Katakana}]|[\u00A0\u2007\u202F])"
WORD = regex.compile(rf"{LETTERS}+")
SIGNS = r"/?&=.,_#\u00A0\u2007\u202F-"  # behind which a link may break
PART_OF_LINK = regex.compile(rf"[^{SIGNS}]+[{SIGNS}]*|[{SIGNS}]+")
UNSPACED = r"\s\p{Han}\p{Hiragana}\p{Katakana}"
KOREAN_WORD = regex.compile(rf"(?<![^{UNSPACED}])(?=[^{UNSPACED}]*\p{{Hangul}})[^{UNSPACED}]+")
ZERO_WIDTH_SPACE, WORD_JOINER = "\u200b", "\u2060"


class Run(NamedTuple):
    """A stretch of one line that is all emoji, or has none."""

    text: str
    is_emoji: bool


def lines_of(text: str) -> list[str]:
    """The lines as typed, each one a paragraph; blank ones at the beginning and end are dropped, tabs are 4 columns."""
    lines = [line.expandtabs(4).rstrip() for line in NEWLINE.split(text)]
    kept = [index for index, line in enumerate(lines) if line]
    return lines[kept[0] : kept[-1] + 1] if kept else []


def is_endless(text: str) -> bool:
    """Whether no screen has room for it, or for the marks on one of its letters: then nothing should try to draw it."""
    return (
        len(text) > limits.LETTERS_SHOWN
        or len(NEWLINE.findall(text)) > limits.LINES_SHOWN
        or any(len(cluster) > limits.MARKS for cluster in CLUSTER.findall(text))
    )


def direction_of(text: str, otherwise: Direction = "ltr") -> Direction:
    """By the first strong character (Unicode Standard Annex 9, rule P2); `otherwise` where there is none."""
    strong = STRONG.search(text)
    if strong is None:
        return otherwise
    return "rtl" if RIGHT_TO_LEFT.match(strong.group()) else "ltr"


def runs_of(line: str) -> list[Run]:
    """Cut a line where emoji begin or end; no grapheme cluster is ever cut."""
    if PLAIN.fullmatch(line):
        return [Run(line, is_emoji=False)] if line else []
    pieces = groupby(CLUSTER.findall(line), lambda cluster: EMOJI.match(cluster) is not None)
    return [Run("".join(clusters), is_emoji) for is_emoji, clusters in pieces]


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


def keep_words_whole(text: str) -> str:
    """The text with its Korean words held together: they have spaces between them, and Koreans break lines there."""
    return str(KOREAN_WORD.sub(lambda word: WORD_JOINER.join(CLUSTER.findall(word.group())), text))


def check_language(language: str) -> str:
    """Return the language tag (such as en, zh-Hant); BadInput if it is none, "" if it is empty."""
    if language and not LANGUAGE.fullmatch(language):
        raise BadInput("The language must be a tag such as en, ar, zh, zh-Hant, ja or ko, or empty. Correct it.")
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
    shared = [script for script in fonts.SCRIPTS if IN_SCRIPT[script].search(text)]
    if len(shared) > 1:
        shared.sort(key=lambda script: -len(regex.findall(rf"\p{{Script={script}}}", text)))
    cjk = [fonts.CJK_FAMILY] if cjk_language(text, language) or SYMBOL.search(text) else []
    plain = [fonts.PLAIN_EMOJI_FAMILY] if "\ufe0e" in text else []
    others = [fonts.MATHEMATICAL_FAMILY] * bool(MATHEMATICAL.search(text)) + [fonts.RARE_FAMILY] * bool(
        RARE.search(text)
    )
    return [
        fonts.LATIN_FAMILY,
        *(f"{fonts.LATIN_FAMILY} {script}" for script in shared),
        fonts.SYMBOL_FAMILY,
        *cjk,
        *plain,
        *others,
    ]


def typst_fonts(text: str, language: str) -> list[str | dict[str, str]]:
    """Like `families`, as typst's `font` wants them; in Chinese and Japanese, quotes and dashes are full-width."""
    is_full_width = language in CJK_LANGUAGES and language != "ko"
    latin = {"name": fonts.LATIN_FAMILY, "covers": "latin-in-cjk"} if is_full_width else fonts.LATIN_FAMILY
    return [latin, *families(text, language)[1:], fonts.EMOJI_FAMILY]


def typst_language(text: str, language: str) -> tuple[str, str | None]:
    """Language and region, by which the fonts choose forms: Chinese or Japanese, Arabic or Urdu."""
    cjk = cjk_language(text, language)
    return CJK_LANGUAGES[cjk] if cjk else ((language or "en").split("-")[0].lower(), None)


def _drawing(cluster: str, in_families: list[str]) -> str | None:
    """The family that draws a grapheme cluster, if one does."""
    if EMOJI.match(cluster):
        return fonts.EMOJI_FAMILY if fonts.draws_emoji(cluster) else None
    return next((family for family in in_families if fonts.draws_text(cluster, family)), None)


def _drawn(text: str, language: str) -> Iterator[tuple[str, str | None]]:
    """Each grapheme cluster once, in the order of the text, with the family that draws it."""
    in_families = families(text, check_language(language))
    for cluster in dict.fromkeys(CLUSTER.findall(text)):
        yield cluster, _drawing(cluster, in_families)


def missing_glyphs(text: str, language: str = "en") -> list[str]:
    """Grapheme clusters that would draw a box, a placeholder or nothing, each once, in the order of the text."""
    return [cluster for cluster, family in _drawn(text, language) if not (family or INVISIBLE.fullmatch(cluster))]


def blank_glyphs(text: str, language: str = "en") -> list[str]:
    """Grapheme clusters that the fonts know and that leave no ink, each once: blank letters such as U+3164.

    White space and what only steers the writing, such as marks of direction, is not meant to leave any.
    """
    return [cluster for cluster, family in _drawn(text, language) if _is_inkless(cluster, family)]


def _is_inkless(cluster: str, family: str | None) -> bool:
    if BLANK.fullmatch(cluster):
        return False
    if family is None:
        return INVISIBLE.fullmatch(cluster) is not None
    return fonts.box(cluster, family) is None


def unusual_boxes(text: str, language: str = "en") -> dict[str, fonts.InkBox]:
    """Where the ink lies of each grapheme cluster that is not known to stay within its line.

    Of one without a glyph nobody knows: its box has no limits.
    """
    others = "\n".join({one for one in CLUSTER.findall(text) if not USUAL.fullmatch(one)})
    drawn = [(one, family) for one, family in _drawn(others, language) if family or not INVISIBLE.fullmatch(one)]
    found = {
        one: fonts.box(one, family) if family else LIMITLESS for one, family in drawn if family != fonts.EMOJI_FAMILY
    }
    return {cluster: box for cluster, box in found.items() if box}


def widest_word_em(text: str, boxes: dict[str, fonts.InkBox]) -> float:
    """About how wide the widest stretch is that does not break by itself; `boxes`: of its unusual clusters."""

    def advance_em(cluster: str) -> float:
        return boxes[cluster].advance if cluster in boxes else USUAL_EM

    widest_em = max([USUAL_EM, *(box.advance for box in boxes.values())])
    found_em = 0.0
    for word in sorted(WORD.findall(text), key=len, reverse=True):
        if len(word) * widest_em <= found_em:
            break
        found_em = max(found_em, sum(map(advance_em, CLUSTER.findall(word))))
    return found_em
