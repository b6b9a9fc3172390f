"""Which language a text is in, as far as its script says; where it does not, the protocol's. Pure."""

from __future__ import annotations

from collections import Counter

import regex

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
URDU = regex.compile(r"[ٹڈڑںےۓ]")
PERSIAN = regex.compile(r"[پچژگکی]")
UKRAINIAN = regex.compile(r"[іїєґІЇЄҐ]")
SCRIPT = {name: regex.compile(rf"\p{{Script={name}}}") for name in ("Latin", *BY_SCRIPT)}
LONG_NAMES = {"zh-s": "zh-Hans", "zh-t": "zh-Hant", "zh-cn": "zh-CN", "zh-tw": "zh-TW", "zh-hk": "zh-HK"}  # Qualtrics'


# What people write into a column for the language. Chinese alone is none: somebody has to say zh or zh-Hant.
NAMES = {
    "en": "english englisch anglais ingles inglese",
    "de": "german deutsch allemand aleman tedesco duits",
    "es": "spanish spanisch espanol castellano espagnol spagnolo",
    "fr": "french franzosisch franzoesisch francais frances francese",
    "it": "italian italienisch italiano italien",
    "pt": "portuguese portugiesisch portugues portugais",
    "nl": "dutch niederlandisch nederlands neerlandais holandes",
    "pl": "polish polnisch polski polonais polaco",
    "tr": "turkish turkisch turkce turc turco",
    "sv": "swedish schwedisch svenska",
    "da": "danish danisch dansk",
    "nb": "norwegian norwegisch norsk",
    "fi": "finnish finnisch suomi",
    "cs": "czech tschechisch cestina",
    "hu": "hungarian ungarisch magyar",
    "el": "greek griechisch ελληνικα",
    "ru": "russian russisch russe ruso русскии",
    "uk": "ukrainian ukrainisch украінська",
    "ar": "arabic arabisch arabe العربية",
    "fa": "persian farsi persisch فارسی",
    "he": "hebrew hebraisch עברית",
    "hi": "hindi हिन्दी",
    "ja": "japanese japanisch japonais japones 日本語",
    "ko": "korean koreanisch coreen coreano 한국어",
    "zh-Hans": "simplifiedchinese chinesesimplified",
    "zh-Hant": "traditionalchinese chinesetraditional",
}
BY_NAME = {plain(name): standard_tag for standard_tag, names in NAMES.items() for name in names.split()}


def guess_language(text: str, otherwise: str) -> str:
    """The language tag of a text, or `otherwise` where its script is Latin, or nobody can tell.

    Chinese characters alone tell nothing (`script.needs_language`): somebody has to say zh, zh-Hant or ja.
    """
    if KANA.search(text):
        return otherwise if otherwise == "ja" else "ja"
    if HANGUL.search(text):
        return "ko"
    if HAN.search(text):
        return otherwise
    counts = Counter({name: len(pattern.findall(text)) for name, pattern in SCRIPT.items()})
    name, count = counts.most_common(1)[0]
    if name == "Latin" or not count:
        return otherwise
    if otherwise in SAME_SCRIPT.get(name, ()):
        return otherwise
    return _by_letters(name, text)


def _by_letters(script: str, text: str) -> str:
    """Languages of one script that have letters of their own."""
    if script == "Arabic" and URDU.search(text):
        return "ur"
    if script == "Arabic" and PERSIAN.search(text):
        return "fa"
    if script == "Cyrillic" and UKRAINIAN.search(text):
        return "uk"
    return BY_SCRIPT[script]


def standard_tag(cell: str) -> str:
    """A language as people give it (EN, ZH-S, English) as a tag (en, zh-Hans); what is none stays, to be named."""
    said = cell.strip().replace("_", "-")
    if known := LONG_NAMES.get(said.casefold()) or BY_NAME.get(plain(cell).replace(" ", "")):
        return known
    if not LANGUAGE.fullmatch(said):
        return said
    first, *rest = said.split("-")
    return "-".join(
        [
            first.lower(),
            *(part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest),
        ]
    )
