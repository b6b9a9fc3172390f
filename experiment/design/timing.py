"""How long a session's screens last: the protocol's section `[timing]`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from experiment.design.form_questions import Fixed, refuse

Seconds = Annotated[float, Meta(ge=0, le=3600)]


class Timing(Fixed, frozen=True):
    """How long things last, in seconds on the screen; without a maximum, a screen waits for its answer."""

    fixation_s: Seconds
    blank_s: Seconds
    page_minimum_s: Seconds
    message_minimum_s: Seconds
    message_maximum_s: Seconds | None = None
    rating_maximum_s: Seconds | None = None

    def __post_init__(self) -> None:
        """A message must be allowed to stay for at least as long as it has to."""
        longest_s, least_s = self.message_maximum_s, self.message_minimum_s
        refuse(
            longest_s is not None and longest_s <= least_s
            and f"'message_maximum_s' must be above 'message_minimum_s' ({least_s:g}).",
            self.rating_maximum_s == 0
            and "'rating_maximum_s' must be above 0. For a rating without a time limit, remove the line.",
        )  # fmt: skip
