"""Whether a text holds somebody's name. Pure; what is found is a place, never the name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import regex

LEAST_LETTERS = 2
PARTS = regex.compile(r"\p{L}[\p{L}\p{M}]*(?:['\u2019]\p{L}[\p{L}\p{M}]*)*")
# Written without spaces, or with endings joined to a name: there it may stand in the middle of a word.
JOINED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
IN_ONE_PIECE = regex.compile(r"[\p{Han}\p{Hangul}]{3,4}")  # family and given name, such as of two and two letters
# "and", "to", "of" and the article are written as one word with a name.
PREFIXES = {
    "Hebrew": r"(?:[\u05D5\u05D4\u05DC\u05D1\u05DB\u05DE\u05E9]{1,2})?",
    "Arabic": r"(?:[\u0648\u0641\u0644\u0628\u0643]{1,2})?",
}
TITLES = frozenset({"mr", "mrs", "ms", "mx", "miss", "dr", "prof", "sir", "herr", "frau", "mme", "sr", "sra"})


def places(text: str, name: str) -> Iterator[int]:
    """Where in the text (as a code point of its folded form) a part of the name begins, capitals or not.

    A part has at least two letters. Left out: titles, and what the name itself writes small (de, van, bin).
    """
    plain = _folded(text)
    for part in _parts(name):
        for found in regex.finditer(_pattern(part), plain):
            yield found.start()


def words_before(text: str, place: int) -> int:
    """How many words stand before a place that `places` gave."""
    return len(PARTS.findall(_folded(text)[:place]))


def _parts(name: str) -> set[str]:
    pieces = [piece for piece in PARTS.findall(unicodedata.normalize("NFC", name)) if _clusters(piece) >= LEAST_LETTERS]
    capitals = [piece for piece in pieces if piece[0] != piece[0].casefold()]
    parts = {_folded(piece) for piece in (capitals or pieces)} - TITLES
    whole = [piece for piece in pieces if IN_ONE_PIECE.fullmatch(piece)]
    return parts | {part for piece in whole for part in (piece[:2], piece[-2:])}


def _pattern(part: str) -> str:
    if JOINED.search(part):
        return str(regex.escape(part))
    before = next((prefix for script, prefix in PREFIXES.items() if regex.search(rf"\p{{{script}}}", part)), "")
    return rf"(?<![\p{{L}}\p{{M}}]){before}{regex.escape(part)}(?![\p{{L}}\p{{M}}])"


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).casefold().replace("\u2019", "'")
    return unicodedata.normalize("NFC", plain)


def _clusters(text: str) -> int:
    return len(regex.findall(r"\X", text))
