"""What a person should know of messages before anybody reads them; no word of a message and no name stands here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct

Grade = Literal["error", "warning", "note"]
GRADES: tuple[Grade, ...] = ("error", "warning", "note")
"""The gravest first."""
Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""


def counted(count: int, what: str) -> str:
    """How many there are: `1 participant`, `2 participants`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


class Finding(Struct, frozen=True):
    """`text` says what is wrong, where, and what to do. A real session refuses an error, and nothing else.

    `subject` and `message_id` are None where it is about more than one, or about a file.
    """

    grade: Grade
    subject: str | None
    message_id: str | None
    text: str


def graded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then warnings, then notes; otherwise by participant."""
    return tuple(sorted(findings, key=lambda one: (GRADES.index(one.grade), one.subject or "")))
