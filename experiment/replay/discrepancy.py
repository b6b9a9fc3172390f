"""What a check finds: where, what was expected there and what was found, for a person and for a report."""

from __future__ import annotations

import json

from msgspec import Struct

LONGEST = 80


class Discrepancy(Struct, frozen=True):
    """Something that is not as it should be: where, in which field, what follows from the rest, what stands there."""

    where: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        """As a line for a person."""
        return f"{self.where}: {self.what}: {self.found}, {self.expected}"


def describe(value: object) -> str:
    """A value in a finding: as in JSON, cut if long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
