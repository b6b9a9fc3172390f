"""Whether a text holds somebody's name. Pure; what is found is a place, never the name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import regex

LEAST_LETTERS = 2
PARTS = regex.compile(r"\p{L}[\p{L}\p{M}]*(?:['\u2019]\p{L}[\p{L}\p{M}]*)*")
ACCENT = regex.compile(r"[\u0300-\u036F]")
# Written without spaces, or with endings joined to a name: there it may stand in the middle of a word.
JOINED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
IN_ONE_PIECE = regex.compile(r"[\p{Han}\p{Hangul}]{3,4}")  # family and given name, such as of two and two letters
# "and", "to", "of" and the article are written as one word with a name.
PREFIXES = {
    "Hebrew": r"(?:[\u05D5\u05D4\u05DC\u05D1\u05DB\u05DE\u05E9]{1,2})?",
    "Arabic": r"(?:[\u0648\u0641\u0644\u0628\u0643]{1,2})?",
}
TITLES = frozenset({"mr", "mrs", "ms", "mx", "miss", "dr", "prof", "sir", "herr", "frau", "mme", "sr", "sra"})


class Place(NamedTuple):
    """`at`: where a part of a name begins in a text, as a code point of its plain form.

    `is_small`: it is written small, and the name with a capital. Then it may well be another word, such as Will's will.
    """

    at: int
    is_small: bool


def places(text: str, name: str) -> Iterator[Place]:
    """Where a part of the name stands in the text, capitals and accents or not.

    A part has at least two letters. Left out: titles, and what the name itself writes small (de, van, bin).
    """
    plain = _plain(text)
    for part in _parts(name):
        for found in regex.finditer(_pattern(part), plain, regex.IGNORECASE | regex.FULLCASE):
            yield Place(found.start(), part[0].isupper() and found[0][0].islower())


def words_before(text: str, at: int) -> int:
    """How many words stand before a place that `places` gave."""
    return len(PARTS.findall(_plain(text)[:at]))


def _parts(name: str) -> set[str]:
    pieces = [piece for piece in PARTS.findall(_plain(name)) if len(regex.findall(r"\X", piece)) >= LEAST_LETTERS]
    capitals = [piece for piece in pieces if piece[0] != piece[0].casefold()]
    parts = {piece for piece in (capitals or pieces) if piece.casefold() not in TITLES}
    whole = [piece for piece in pieces if IN_ONE_PIECE.fullmatch(piece)]
    return parts | {part for piece in whole for part in (piece[:2], piece[-2:])}


def _pattern(part: str) -> str:
    if JOINED.search(part):
        return str(regex.escape(part))
    before = next((prefix for script, prefix in PREFIXES.items() if regex.search(rf"\p{{{script}}}", part)), "")
    return rf"(?<![\p{{L}}\p{{M}}]){before}{regex.escape(part)}(?![\p{{L}}\p{{M}}])"


def _plain(text: str) -> str:
    """The text without accents, which people leave out, and with one kind of apostrophe."""
    letters = ACCENT.sub("", unicodedata.normalize("NFD", text)).replace("\u2019", "'")
    return unicodedata.normalize("NFC", letters)


def plain(name: str) -> str:
    """A name in small letters without accents, its words apart: `Participant-ID:` is `participant id`."""
    parted = regex.sub(r"(?<=\p{Ll})(?=\p{Lu}\p{Ll})", " ", name)
    letters = unicodedata.normalize("NFKD", parted.casefold())
    return " ".join(regex.findall(r"[\p{L}\p{N}]+", regex.sub(r"\p{Mn}+", "", letters)))
