"""What a check finds of one thing, and how bad that is. It imports nothing of ours: transcripts begin with such items.

Nothing private stands in an item: no name of a person, no text of a message, no path below somebody's home.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

Grade = Literal["green", "unknown", "amber", "red"]
"""As it should be; cannot be told on this computer; a session can be held, but somebody should know; cannot."""

_WORSE: tuple[Grade, ...] = ("green", "unknown", "amber", "red")


class Item(Struct, frozen=True):
    """One thing of this computer: `found` in words with the number, `fix` what to do, `value` the number in `unit`."""

    name: str
    grade: Grade
    found: str
    fix: str | None = None
    value: float | str | bool | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        """A transcript's line is read back as it was written: whole numbers are floats, and JSON knows no infinity."""
        value = self.value
        if value is not None and not isinstance(value, str | bool):
            force_setattr(self, "value", float(value) if math.isfinite(value) else None)


def grade_by(*, red: bool, amber: bool) -> Grade:
    """The grade of something that has two limits."""
    return "red" if red else "amber" if amber else "green"


def worst(items: Iterable[Item]) -> Grade:
    """The worst grade of them; green if there are none."""
    return max((item.grade for item in items), key=_WORSE.index, default="green")


def refusal_item(name: str, error: Exception | None, ready: str = "ready") -> Item:
    """What would keep a session from beginning, such as missing messages; green, in the words `ready`, if nothing."""
    if error is None:
        return Item(name, "green", ready)
    return Item(name, "red", str(error).replace(str(Path.home()), "~"), value=type(error).__name__)
