"""What a form says of an answer or of a session that cannot begin, and what an assistant can decide about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Given = Mapping[str, str]
"""What was typed or chosen, by the questions' ids."""
Decided = Mapping[str, str]
"""The offers that were taken, by their ids, each with its reason; "" where none was asked for."""


class Wrong(NamedTuple):
    """What is wrong with an answer, and what may have been meant."""

    text: str
    instead: tuple[str, ...] = ()


class Offer(NamedTuple):
    """Something an assistant can decide about a problem: a button; `asks_reason`: with a reason in words."""

    id: str
    button: str
    asks_reason: bool = False


class Problem(NamedTuple):
    """What keeps a session from beginning, and what can be decided about it; `again`: the form's button then."""

    text: str = ""
    offers: tuple[Offer, ...] = ()
    again: str = ""


RESUME = Offer("resume", "Resume the session")
CLOSE = Offer("close", "Close it as incomplete")
BEGIN_AGAIN = Offer("begin-again", "Begin it again", asks_reason=True)
RUN_DESPITE = Offer("despite-rules", "Run it anyway", asks_reason=True)
RUN_ANYWAY = Offer("unfit", "Start anyway", asks_reason=True)
