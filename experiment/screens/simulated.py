"""A screen without a window: a virtual clock at 60 refreshes a second, and a synthetic participant in front of it."""

from __future__ import annotations

import math

from experiment.events import Frame, Input, Refreshes, ScreenInfo
from experiment.screens.participants import Participant

REFRESH_HZ = 60.0


def simulated_info(versions: dict[str, str]) -> ScreenInfo:
    """What a simulated session has for a screen."""
    return ScreenInfo("simulated", 1280, 720, REFRESH_HZ, None, False, "robot", versions, {})


class SimulatedScreen:
    """Shows nothing, and takes no time to wait."""

    def __init__(self, participant: Participant, info: ScreenInfo) -> None:
        """The clock stands at zero."""
        self.info, self._participant, self._now_s = info, participant, 0.0

    def show(self, frame: Frame) -> float:
        """The frame's onset: the next refresh."""
        self._now_s = (math.floor(self._now_s * REFRESH_HZ) + 1) / REFRESH_HZ
        self._participant.see(frame, self._now_s)
        return self._now_s

    def wait(self, until_s: float) -> Input | None:
        """The participant's next input up to `until_s`; RuntimeError if neither will ever come."""
        given = self._participant.due(until_s)
        if given is None and math.isinf(until_s):
            raise RuntimeError("the synthetic participant has nothing to say, and the screen waits for ever")
        self._now_s = max(self._now_s, until_s if given is None else given.time_s)
        return given

    def refreshes(self) -> Refreshes:
        """None: nothing was refreshed."""
        return Refreshes(None, (), None)
