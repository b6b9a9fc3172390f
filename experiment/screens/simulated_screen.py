"""A screen without a window: a virtual clock at 60 refreshes a second, and a synthetic participant in front of it."""

from __future__ import annotations

import math

from experiment.record.events import Input, Refreshes, Scene
from experiment.record.screen_info import ScreenInfo
from experiment.screens.personas import Persona
from experiment.task.layout import MINIMUM_SIZE_PX

REFRESH_HZ = 60.0


def simulated_info() -> ScreenInfo:
    """What a simulated session has for a screen."""
    return ScreenInfo(
        "simulated", "simulated", *MINIMUM_SIZE_PX, REFRESH_HZ, None, full_screen=False, timed_by="robot", versions={},
        pictures_sha256={},
    )  # fmt: skip


class SimulatedScreen:
    """Shows nothing, and takes no time to wait."""

    def __init__(self, participant: Persona, info: ScreenInfo) -> None:
        """The clock stands at zero; it is counted in refreshes, which no rounding can skip or repeat."""
        self.info, self._participant, self._passed = info, participant, 0

    def show(self, scene: Scene) -> float:
        """The scene's onset: the next refresh."""
        self._passed += 1
        onset_s = self._passed / REFRESH_HZ
        self._participant.see(scene, onset_s)
        return onset_s

    def wait(self, until_s: float) -> Input | None:
        """The participant's next input up to `until_s`; RuntimeError if neither will ever come."""
        given = self._participant.due(until_s)
        if given is None and math.isinf(until_s):
            raise RuntimeError("the synthetic participant has nothing to say, and the screen waits for ever")
        # As the window does, it looks once a refresh; what differs by less than a microsecond is the same refresh.
        looked = math.ceil(round((until_s if given is None else given.time_s) * REFRESH_HZ, 4))
        self._passed = max(self._passed, looked)
        return given

    def refreshes(self) -> Refreshes:
        """None: nothing was refreshed."""
        return Refreshes(None, (), None)
