"""Whom a message is from: somebody close, a stranger, or nobody in particular."""

from __future__ import annotations

from typing import Literal, get_args

Source = Literal["close", "stranger", "neutral"]
SOURCES: tuple[str, ...] = get_args(Source)
STRANGER = "stranger"
CLOSE = "close"  # of a message whose file does not say it
LEVELS: dict[str, str] = {
    "close": "Written for the participant by somebody close",
    "stranger": "Written by a stranger, for somebody else",
    "neutral": "A neutral text, for nobody",
}


def is_source(cell: str) -> bool:
    """Whether a cell names a source, or is empty, as that of a close one may be."""
    return cell.strip().casefold() in {"", *SOURCES}
