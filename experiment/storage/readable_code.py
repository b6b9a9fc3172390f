"""Codes that people read from a label or a screen, say on the telephone and type: no mistake makes another code of one.

The last character checks the others: a sum with weights modulo a prime, as in ISBN-10, so that one wrong character, or
two that changed places, never give a valid code. Base32 of Crockford's kind was looked at: its libraries on PyPI are
unkept, and its check symbols `*~$=` cannot be said.
"""

from __future__ import annotations

import re

# No vowels, so no words, and nothing that is taken for another one, written or spoken: 0 O Q, 1 I L, 2 Z, 5 S, ...
CHARACTERS = "23456789CDFHJKMNPRTVWXY"


def write_code(number: int, drawn: int) -> str:
    """A number's last `drawn` digits in these characters, and the check character."""
    code = "".join(CHARACTERS[number // len(CHARACTERS) ** place % len(CHARACTERS)] for place in range(drawn))
    return code + CHARACTERS[-_weighted(code, drawn + 1) % len(CHARACTERS)]


def read_code(typed: str, length: int) -> str | None:
    """The code that somebody typed, in capital letters; None if it is not valid. Hyphens and spaces may be in it."""
    code = re.sub(r"[\s-]", "", typed).upper()
    is_valid = len(code) == length and set(code) <= set(CHARACTERS) and _weighted(code, length) % len(CHARACTERS) == 0
    return code if is_valid else None


def number_of(code: str) -> int:
    """The number of a valid code: the last digits of what it was written of, as many as were drawn."""
    return sum(CHARACTERS.index(one) * len(CHARACTERS) ** place for place, one in enumerate(code[:-1]))


def _weighted(code: str, length: int) -> int:
    """The check character's weight is 1, and all weights differ: no code is longer than there are characters."""
    return sum((length - place) * CHARACTERS.index(one) for place, one in enumerate(code))
