"""What differs from what follows from the rest: where, what was expected there and what was found."""

from __future__ import annotations

import json

from experiment.record.finding import Finding

LONGEST = 80


def discrepancy(where: str, what: str, expected: str, found: str) -> Finding:
    """Something that is not as it should be: where, in which field, what follows from the rest, what is there."""
    return Finding(what, "error", found, expected=expected, place=where)


def quote(value: object) -> str:
    """A value in a finding: as in JSON, cut if long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
