"""A double of a computer, for tests of what is said about one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from experiment.system.facts import Power, ScreenMode, Volume

SCREEN, POWER, VOLUME = (
    ScreenMode(1920, 1080, (1920, 1080), 1.0),
    Power(saves=False, setting="performance"),
    Volume("ext4", far=False),
)


@dataclass(frozen=True)
class Known:
    """A computer of which everything is known beforehand; as it is here, nothing is wrong with it."""

    of_screen: ScreenMode | None = SCREEN
    of_blanking_s: float | None = float("inf")
    of_power: Power | None = POWER
    of_volume: Volume | None = VOLUME
    of_zone: str | None = "Europe/Berlin"
    of_synchronised: bool | None = True

    def screen(self) -> ScreenMode | None:
        """As given."""
        return self.of_screen

    def blanks_after_s(self) -> float | None:
        """As given."""
        return self.of_blanking_s

    def power(self) -> Power | None:
        """As given."""
        return self.of_power

    def volume(self, folder: Path) -> Volume | None:  # noqa: ARG002 - every folder is on the same
        """As given."""
        return self.of_volume

    def zone(self) -> str | None:
        """As given."""
        return self.of_zone

    def synchronised(self) -> bool | None:
        """As given."""
        return self.of_synchronised
