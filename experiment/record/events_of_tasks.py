"""The words of the transcript that only some tasks have: a scanner's runs, and objects in the hand.

Times are seconds since the session's clock zero.
"""

from __future__ import annotations

from msgspec import Struct


class RunBegan(Struct, frozen=True, tag_field="event", tag="run_began"):
    """A scanner's run began with a pulse: all times of its schedule count from there."""

    run: int
    time_s: float


class RunEnded(Struct, frozen=True, tag_field="event", tag="run_ended"):
    """A run came to the end of its schedule, or (if not `whole`) a pause ended it."""

    run: int
    whole: bool


class Measured(Struct, frozen=True, tag_field="event", tag="measured"):
    """What the assistant typed for one of the protocol's measures."""

    measure: str
    value: float
    time_s: float


class Handed(Struct, frozen=True, tag_field="event", tag="handed"):
    """The assistant confirmed that the participant holds an object."""

    object: str
    time_s: float


class TakenBack(Struct, frozen=True, tag_field="event", tag="taken_back"):
    """The assistant confirmed that the object was taken back."""

    object: str
    time_s: float
