"""Which texts are the same, or nearly. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import regex

IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
ROWS = 256  # compared at a time: memory grows with them


def fold(text: str) -> str:
    """The text without what two copies of it may differ in: Unicode form, capitals, spaces, invisible characters."""
    plain = IGNORABLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join(unicodedata.normalize("NFC", plain.casefold()).split())


def similarity(one: str, other: str) -> float:
    """The share of two texts that they have in common, in order: 1 - letters to insert or delete / letters of both."""
    from rapidfuzz.distance import Indel

    return float(Indel.normalized_similarity(one, other))


def alike(texts: Sequence[str], share: float) -> Iterator[tuple[int, int, float]]:
    """All pairs of texts at least so similar, as (earlier, later, similarity); texts that are equal are left out.

    Compared on all cores, some rows at a time: 400 texts of 100 words take a part of a second, 3,000 some seconds.
    """
    import numpy as np
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist

    for first in range(0, len(texts), ROWS):
        rows, others = texts[first : first + ROWS], texts[first:]
        found = cdist(rows, others, scorer=Indel.normalized_similarity, score_cutoff=share, dtype="float64", workers=-1)
        for row, column in np.argwhere(found >= share).tolist():
            if row < column and rows[row] != others[column]:
                yield first + row, first + column, float(found[row, column])
