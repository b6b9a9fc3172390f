"""What a session was shown on, and who took the times of what came in."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

TimedBy = Literal["queue", "iohub", "poll", "robot"]
"""Who took an input's time: psychtoolbox's raw queue or ioHub when the key moved, a poll of the window once a frame,
or a synthetic participant."""


class ScreenInfo(Struct, frozen=True):
    """What a session was shown on: the computer by its name in the network, and what was measured of its screen.

    `vsync` is null where nothing could be measured. `photodiode`: whether a square in the corner was white exactly
    while a message or a scale was on the screen. `key_labels`: what the keyboard had printed on keys that did not bear
    their own name, such as "Ц" on "w"; not recorded where there were none.
    """

    kind: Literal["window", "simulated"]
    computer: str
    width_px: int
    height_px: int
    refresh_hz: float
    vsync: bool | None
    full_screen: bool
    timed_by: TimedBy
    versions: dict[str, str]
    pictures_sha256: dict[str, str]
    photodiode: bool = False
    key_labels: dict[str, str] | UnsetType = UNSET
