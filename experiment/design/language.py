"""A language as a protocol names it, and which way it is written: one answer for scales, pages, forms and reports."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

LanguageTag = Annotated[
    str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*\Z", title='a language tag, e.g. "en", "de" or "zh-Hant"')
]
# ISO 15924 scripts that are written from right to left; a tag that names its script is written in that.
_SCRIPTS = frozenset({"adlm", "arab", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa"})
# ISO 639 languages that usually are. CLDR, which knows only languages that it has words of, agrees (a test asks it).
_LANGUAGES = frozenset({
    *("apc", "ar", "arc", "ary", "bal", "bgn", "bqi", "brh", "ckb", "dv", "fa", "he", "iw", "khw", "ks", "lrc", "mzn"),
    *("nqo", "ps", "rhg", "sd", "sdh", "skr", "syr", "trw", "ug", "ur", "yi"),
})  # fmt: skip
_SCRIPT_LETTERS = 4


def is_right_to_left(language: str) -> bool:
    """Whether a language, given by its tag (such as ar, he-IL or pa-Arab), is written from right to left."""
    primary, *others = language.lower().split("-")
    named = next((part for part in others if len(part) == _SCRIPT_LETTERS and part.isalpha()), None)
    return named in _SCRIPTS if named else primary in _LANGUAGES
