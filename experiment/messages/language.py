"""Which language a text is in, as far as its script says; where it does not, the protocol's. Pure."""

from __future__ import annotations

from collections import Counter
from functools import cache

import regex
from babel import Locale

from experiment.drawing.scripts import HAN, HANGUL, KANA, LANGUAGE
from experiment.messages.names import plain

# Scripts that tell a font enough. Several languages share most of them; these are by far the commonest, and the others
# look the same in the fonts that are used, but for Urdu and Persian, whose own letters tell.
BY_SCRIPT = {
    "Hebrew": "he", "Arabic": "ar", "Devanagari": "hi", "Bengali": "bn", "Tamil": "ta", "Telugu": "te", "Thai": "th",
    "Khmer": "km", "Ethiopic": "am", "Georgian": "ka", "Armenian": "hy", "Greek": "el", "Cyrillic": "ru",
    "Gujarati": "gu", "Gurmukhi": "pa", "Kannada": "kn", "Malayalam": "ml", "Sinhala": "si", "Lao": "lo",
    "Myanmar": "my", "Oriya": "or",
}  # fmt: skip
SAME_SCRIPT = {
    "Cyrillic": ("ru", "uk", "bg", "sr", "mk", "be", "kk"),
    "Arabic": ("ar", "fa", "ur", "ps"),
    "Devanagari": ("hi", "mr", "ne"),
    "Hebrew": ("he", "yi"),
}
OWN_LETTERS = {
    "ur": ("Arabic", regex.compile(r"[ٹڈڑںےۓ]")),
    "fa": ("Arabic", regex.compile(r"[پچژگکی]")),
    "uk": ("Cyrillic", regex.compile(r"[іїєґІЇЄҐ]")),
}
SCRIPT = {name: regex.compile(rf"\p{{Script={name}}}") for name in ("Latin", *BY_SCRIPT)}
LONG_NAMES = {"zh-s": "zh-Hans", "zh-t": "zh-Hant", "zh-cn": "zh-CN", "zh-tw": "zh-TW", "zh-hk": "zh-HK"}  # Qualtrics'


# The names that people write into a column for the language are the Unicode CLDR's, in these languages, and a few more.
# Chinese alone is none of them: somebody has to say zh or zh-Hant.
NAMED_IN = (
    "en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "hu", "tr", "ru", "uk", "el", "ar",
    "fa", "he", "hi", "ja", "ko", "zh",
)  # fmt: skip
NOT_ONE = {"zh", "mul", "und", "zxx"}
MORE_NAMES = {
    "castellano": "es", "franzoesisch": "fr", "farsi": "fa", "norsk": "nb", "norwegian": "nb", "norwegisch": "nb",
    "chinesesimplified": "zh-Hans", "chinesetraditional": "zh-Hant",
}  # fmt: skip


def guess_language(text: str, otherwise: str) -> str:
    """The language tag of a text, or `otherwise` where its script is Latin, or nobody can tell.

    Chinese characters alone tell nothing (`script.needs_language`): somebody has to say zh, zh-Hant or ja.
    """
    if KANA.search(text):
        return "ja"
    if HANGUL.search(text):
        return "ko"
    if HAN.search(text):
        return otherwise
    counts = Counter({name: len(pattern.findall(text)) for name, pattern in SCRIPT.items()})
    name, count = counts.most_common(1)[0]
    if name == "Latin" or not count or otherwise in SAME_SCRIPT.get(name, ()):
        return otherwise
    own = (tag for tag, (script, letters) in OWN_LETTERS.items() if script == name and letters.search(text))
    return next(own, BY_SCRIPT[name])


def standard_tag(cell: str) -> str:
    """A language as people give it (EN, ZH-S, English) as a tag (en, zh-Hans); what is none stays, to be named."""
    said = cell.strip().replace("_", "-")
    if known := LONG_NAMES.get(said.casefold()):
        return known
    if not LANGUAGE.fullmatch(said):
        return _tags_by_name().get(_folded(said), said)
    first, *rest = said.split("-")
    parts = (part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest)
    return "-".join([first.lower(), *parts])


@cache
def _tags_by_name() -> dict[str, str]:
    named = ((tag, name) for language in NAMED_IN for tag, name in Locale(language).languages.items())
    return {_folded(name): tag.replace("_", "-") for tag, name in named if tag not in NOT_ONE} | MORE_NAMES


def _folded(name: str) -> str:
    return plain(name).replace(" ", "")
