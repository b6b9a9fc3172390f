"""How synthetic participants rate, in sessions and in daily reports: the one place that says what they differ by.

A rating is the scale's middle, plus what the drug adds, plus normal draws for the participant, the session (or course),
the message (or day) and the moment; rounded, and kept on the scale. Half of each draw's variance is common to all
outcomes, as ratings of one moment go together. The scale's ends are three standard deviations away, so an effect of 0.5
points is one of 0.5 points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from random import Random


@dataclass(frozen=True)
class Spread:
    """Standard deviations in points of a scale of seven; of other scales, as large a share of their length."""

    participant: float = 0.7
    session: float = 0.3
    message: float = 0.5
    moment: float = 0.6


SPREAD = Spread()
SEVEN = 7


@dataclass(frozen=True)
class Ratings:
    """What somebody rates in a session or course; the same seed, participant and session give the same.

    `effects`: by outcome, in scale points: those of the treatment that is taken now, none if there are none.
    """

    seed: int
    participant: str
    session: int
    effects: Mapping[str, float]
    spread: Spread = SPREAD

    def rate(self, outcome: str, item: str, points: int, first: int = 1) -> int:
        """The rating of a message, or of a day, on a scale of `points` from `first` on."""
        spread, width = self.spread, (points - 1) / (SEVEN - 1)
        value = first + (points - 1) / 2 + self.effects.get(outcome, 0.0)
        for sd, *what in (
            (spread.participant, "participant"),
            (spread.session, "session", self.session),
            (spread.message, "item", item),
            (spread.moment, "moment", self.session, item),
        ):
            value += width * sd * (self._draw(*what) + self._draw(*what, outcome)) / sqrt(2)
        return max(first, min(first + points - 1, round(value)))

    def _draw(self, *what: object) -> float:
        return Random("/".join(map(str, (self.seed, self.participant, *what)))).gauss(0.0, 1.0)
