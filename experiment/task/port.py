"""The port between the task and whatever shows it: a window, a simulation, or a recording.

The task knows nothing else of a screen. Times are seconds since the session's clock zero; positions are pixels from the
screen's centre, y up.
"""

from __future__ import annotations

from typing import Protocol

from experiment.record.events import Input, Refreshes, Scene
from experiment.record.screen_info import ScreenInfo


class Screen(Protocol):
    """Two verbs, show and wait, and what is known of the screen and its refreshes."""

    @property
    def info(self) -> ScreenInfo:
        """What it is, as measured before the session."""

    def show(self, scene: Scene) -> float:
        """Bring a scene on the screen at the next refresh and return its onset."""

    def wait(self, until_s: float) -> Input | None:
        """Keep the scene on the screen until the next input, or None when `until_s` has passed without one.

        Inputs come in order of time, each once, also those from before the scene appeared.
        """

    def refreshes(self) -> Refreshes:
        """The flips since the last call."""
