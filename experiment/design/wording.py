"""Every word on the screen but the questions, the messages, and the forms."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from experiment.design.form_questions import Fixed, Line, refuse, wrong_braces

_PAUSE_KEYS = ("resume", "withdrew", "technical", "other", "pause")


class PauseWording(Fixed, frozen=True):
    """What the assistant reads while a session is paused; `ending` follows the choice of a reason.

    Names in braces become keys: {resume}, {withdrew}, {technical}, {other}, {pause}; {reason}, in `ending`, the reason.
    `unsaved` follows the page while the disk takes no data; instead of it, if they are given, `full` where it has no
    room, `lost` where the data folder is gone, and `unwritable` once an event could not be recorded. `reasons`: what
    {reason} becomes; without them, the reason's name.
    """

    page: Line
    unsaved: Line
    ending: Line
    full: Line | UnsetType = UNSET
    lost: Line | UnsetType = UNSET
    unwritable: Line | UnsetType = UNSET
    reasons: dict[Literal["withdrew", "technical", "other"], Line] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """What cannot be filled in is found now, and not when a session pauses."""
        names = ("page", "unsaved", "full", "lost", "unwritable")
        refuse(
            *(wrong_braces(name, getattr(self, name) or "", _PAUSE_KEYS) for name in names),
            wrong_braces("ending", self.ending, (*_PAUSE_KEYS, "reason")),
        )


class Wording(Fixed, frozen=True):
    """Every other word that a participant reads, in the order of reading.

    `progress`: above each message but the practice's. `hint`, `line_hint`: under a scale, or a line, without a marker.
    Nothing is shown of what is empty, or left out as in older protocols.
    """

    loading: Line
    welcome: Line
    instructions: tuple[Line, ...]
    practice: Line
    begin: Line
    resumed: Line
    closing: Line
    fixation: Line
    next_button: Line
    confirm_button: Line
    pause: PauseWording
    before_questions: Line | UnsetType = UNSET
    progress: str | UnsetType = UNSET
    hint: str | UnsetType = UNSET
    line_hint: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        refuse(
            wrong_braces("progress", self.progress or "", ("number", "count")),
            wrong_braces("hint", self.hint or "", ("first", "last")),
            wrong_braces("line_hint", self.line_hint or "", ()),
        )
