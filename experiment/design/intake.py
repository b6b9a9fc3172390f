"""What is expected of messages besides their number: the protocol's section `[intake]`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Words = Annotated[int, Meta(ge=1, le=9_999)]

_WORDS = "the fewest and the most words, e.g. [3, 250]"


class Intake(Struct, frozen=True, forbid_unknown_fields=True):
    """`names`: whether a text may hold its writer's or the participant's name. `usual_words`: fewer or more are told.

    `alike`: from which share of common text on (0 to 1) two messages are near-duplicates.
    """

    names: Literal["allowed", "none"] = "allowed"
    usual_words: Annotated[tuple[Words, Words], Meta(title=_WORDS)] = (3, 250)
    alike: Annotated[float, Meta(gt=0, le=1)] = 0.9

    def __post_init__(self) -> None:
        """The fewest come first."""
        if self.usual_words[0] > self.usual_words[1]:
            raise ValueError("'usual_words': please write the smaller number first.")
