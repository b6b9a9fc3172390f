"""Findings about messages: what a person should know of them before anybody reads them."""

from __future__ import annotations

from collections.abc import Callable

from experiment.record.finding import Finding, Severity

Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""


def count_in_words(count: int, what: str) -> str:
    """How many there are: `1 participant`, `2 participants`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def message_finding(severity: Severity, subject: str | None, message_id: str | None, text: str) -> Finding:
    """`text` says what is wrong, where, and what to do. A real session refuses an error, and nothing else.

    `subject` and `message_id` are None where it is about more than one, or about a file.
    """
    return Finding("", severity, text, subject=subject, message_id=message_id)
