"""Anchors: short, readable aloud, never another one by mistake, and of exactly one line of a record."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.errors import BadInput
from experiment.storage.anchor import anchor_of, find_anchor
from experiment.storage.readable_code import CHARACTERS, read_code, write_code
from tests.strategies import digests


@given(digests)
def test_an_anchor_is_four_groups_of_four(digest: str) -> None:
    """All of it is read aloud without vowels, and nothing in it is taken for another character."""
    anchor = anchor_of(digest)
    assert [len(group) for group in anchor.split("-")] == [4, 4, 4, 4]
    assert set(anchor) <= {*CHARACTERS, "-"}


@given(st.lists(digests, min_size=1, max_size=20, unique=True), st.data())
def test_an_anchor_is_of_its_line_only(lines: list[str], data: st.DataObject) -> None:
    """However it is typed, it leads to the line that it was made of, and to none once that line is another."""
    number = data.draw(st.integers(1, len(lines)))
    typed = anchor_of(lines[number - 1]).lower().replace("-", data.draw(st.sampled_from(["", " ", "-", " - "])))
    assert find_anchor(typed, lines) == number
    changed = [sha256(line.encode()).hexdigest() if at == number else line for at, line in enumerate(lines, 1)]
    assert find_anchor(typed, changed) is None


@given(st.integers(0, 2**256), st.data())
def test_a_mistyped_anchor_is_noticed(number: int, data: st.DataObject) -> None:
    """One wrong character, or two that changed places, are never another anchor."""
    code = write_code(number, 15)
    at, other = data.draw(st.lists(st.integers(0, 15), min_size=2, max_size=2, unique=True))
    wrong = data.draw(st.sampled_from([one for one in CHARACTERS if one != code[at]]))
    assert read_code(code[:at] + wrong + code[at + 1 :], 16) is None
    swapped = list(code)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    assert swapped == list(code) or read_code("".join(swapped), 16) is None


@pytest.mark.parametrize("typed", ["", "K7HF", "0000-0000-0000-0000", "é" * 16])
def test_what_is_no_anchor_is_refused(typed: str) -> None:
    """Other lengths and characters are named, with what to do."""
    with pytest.raises(BadInput, match="read it from the paper again"):
        find_anchor(typed, ["0" * 64])
