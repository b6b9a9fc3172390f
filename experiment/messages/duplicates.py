"""Which texts are the same, or nearly: pairs among thousands, found without comparing each with each. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
COLUMNS, MOST = 64, 255
TOLERANCE = 1e-9


def folded(text: str) -> str:
    """The text without what two copies of it may differ in: Unicode form, capitals, spaces, invisible characters."""
    plain = IGNORABLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join(unicodedata.normalize("NFC", plain.casefold()).split())


def similarity(one: str, other: str) -> float:
    """The share of two texts that they have in common, in order: 1 - letters to insert or delete / letters of both."""
    from rapidfuzz.distance import Indel

    return float(Indel.normalized_similarity(one, other))


def alike(texts: Sequence[str], share: float) -> Iterator[tuple[int, int, float]]:
    """All pairs of texts at least so similar, as (earlier, later, similarity); texts that are equal are left out.

    Exact: only pairs that cannot be so similar are passed over, by their lengths and by how often each letter occurs,
    as one letter more or less changes one of those counts by one. 3,000 texts of 100 words take about 1 s.
    """
    import numpy as np

    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    lengths = np.array([len(texts[at]) for at in order], np.int64)
    counts = _letters([texts[at] for at in order])
    for at, short in enumerate(order):
        # Longer ones, up to the length from which on so large a share cannot be in common.
        end = int(np.searchsorted(lengths, lengths[at] * (2 - share) / share + TOLERANCE, side="right"))
        others = counts[at + 1 : end]
        apart = (np.maximum(others, counts[at]) - np.minimum(others, counts[at])).sum(axis=1, dtype=np.int64)
        allowed = (1 - share) * (lengths[at] + lengths[at + 1 : end]) + TOLERANCE
        near = [order[at + 1 + int(other)] for other in np.flatnonzero(apart <= allowed)]
        for long, found in zip(near, _similarities(texts[short], [texts[one] for one in near], share), strict=True):
            if found >= share and texts[short] != texts[long]:
                yield min(short, long), max(short, long), found


def _letters(texts: Sequence[str]) -> NDArray[np.uint8]:
    """How often each letter occurs, a row for each text; several letters share a column."""
    import numpy as np

    counts = np.zeros((len(texts), COLUMNS), np.uint8)
    for row, text in zip(counts, texts, strict=True):
        letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        row[:] = np.minimum(np.bincount(letters % COLUMNS, minlength=COLUMNS), MOST)
    return counts


def _similarities(text: str, others: Sequence[str], share: float) -> Iterator[float]:
    """Of a text with each of the others; 0 where it is below the share."""
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist

    if others:
        found = cdist([text], others, scorer=Indel.normalized_similarity, score_cutoff=share, dtype="float64")
        yield from map(float, found[0])
