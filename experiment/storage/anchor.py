"""An anchor: a digest short enough to write on paper, by which changed records are found that nothing inside shows.

A chain of lines finds what was changed by somebody who did not make all later digests anew. Whoever did, has another
last line; and that line's digest stands on paper, out of reach. Of 23 characters 15 are drawn: 67 bits, so a forger
would try 10 to the 20 versions of a record to hit one anchor, and each visit brings another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from experiment.errors import BadInput
from experiment.storage.readable_code import CHARACTERS, number_of, read_code, write_code

DRAWN, GROUP = 15, 4
ANCHORS: int = len(CHARACTERS) ** DRAWN  # that there are


def anchor_of(line_sha256: str) -> str:
    """The anchor of all lines up to the one with this digest, such as `K7HF-3M2P-XW8D-9RT4`."""
    code = write_code(_number(line_sha256), DRAWN)
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def find_anchor(anchor: str, digests: Sequence[str]) -> int | None:
    """The number, from 1, of the line to which the anchor belongs, by the digests of all lines; None if to none.

    BadInput if somebody mistyped it.
    """
    code = read_code(anchor, DRAWN + 1)
    if code is None:
        raise BadInput(
            f"{anchor!r} is not a valid anchor: it has {DRAWN + 1} characters in groups of {GROUP}, all of them among "
            f"{CHARACTERS}, and the last one checks the others. Please read it from the paper again."
        )
    wanted = number_of(code)
    return next((line for line, one in enumerate(digests, start=1) if _number(one) == wanted), None)


def _number(line_sha256: str) -> int:
    """As many of the digest's last digits as an anchor has room for."""
    return int(sha256(f"anchor/{line_sha256}".encode()).hexdigest(), 16) % ANCHORS
