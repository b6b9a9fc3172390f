"""An answer as a survey tool writes it: a point, a point with its label, or the label alone. Pure."""

from __future__ import annotations

import re

from experiment.design.daily import DailyItem

MISSING = {"", "n/a", "na", "-99"}
NUMBERED = re.compile(r"(\d{1,2})(?:\.0)?(?:\s*[-\u2013=:.)]\s*(.+)|\s+(.+))?", re.DOTALL)


def read_answer(item: DailyItem, cell: str) -> int | None:
    """The point of the item's scale, or None if there is no answer; ValueError if the cell is neither."""
    text = cell.strip()
    if text.casefold() in MISSING:
        return None
    by_label = {label.casefold(): point for point, label in item.levels.items()}
    if (point := by_label.get(text.casefold())) is not None:
        return point
    numbered = NUMBERED.fullmatch(text)
    if numbered and 1 <= int(numbered[1]) <= item.points:
        return int(numbered[1])
    raise ValueError(f"The answer to {item.id} (not shown) is no point of its scale.")
