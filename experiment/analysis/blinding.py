"""Whether participants could tell the drug: Bang's and James' indices of their guesses.

Bang, Ni & Davis (2004), Control Clin Trials 25:143; James et al. (1996), Stat Med 15:1421. Intervals are of 95 %, by
the variance of a multinomial; James' by the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from experiment.analysis.evidence import Z


class Guesses(Struct, frozen=True):
    """How many in an arm guessed right, guessed wrong, and could not tell."""

    arm: str
    right: int
    wrong: int
    unsure: int

    @property
    def total(self) -> int:
        """All who answered."""
        return self.right + self.wrong + self.unsure


class Index(Struct, frozen=True):
    """A blinding index with its 95 % interval."""

    value: float
    low: float
    high: float


def bang(arm: Guesses) -> Index:
    """From -1 (everybody guesses wrong) over 0 (chance) to 1 (everybody knows), for one arm."""
    right, wrong = arm.right / arm.total, arm.wrong / arm.total
    value = right - wrong
    return _index(value, right + wrong - value**2, arm.total, -1.0)


def james(first: Guesses, second: Guesses) -> Index:
    """From 0 (everybody knows) over 0.5 (chance) to 1 (nobody can tell), for both arms together."""
    counts = np.array([[first.right, first.wrong, first.unsure], [second.wrong, second.right, second.unsure]], float)
    if not counts[:, :2].any():
        return Index(1.0, 1.0, 1.0)
    shares, total = counts / counts.sum(), int(counts.sum())
    slopes = _slopes(_james, shares)
    spread = float((slopes**2 * shares).sum() - (slopes * shares).sum() ** 2)
    return _index(_james(shares), spread, total, 0.0)


def _james(shares: NDArray[np.float64]) -> float:
    """Of shares by arm (rows) and guess: the first arm's treatment, the second's, cannot tell."""
    unsure = shares[:, 2].sum()
    guessed = shares[:, :2]
    wrong = 1 - np.eye(2)
    seen = float((wrong * guessed).sum() / (1 - unsure))
    by_chance = float((wrong * np.outer(guessed.sum(axis=1), guessed.sum(axis=0))).sum() / (1 - unsure) ** 2)
    kappa = (seen - by_chance) / by_chance if by_chance else 0.0
    return float((1 + unsure + (1 - unsure) * kappa) / 2)


def _slopes(index: Callable[[NDArray[np.float64]], float], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The derivatives by each share, on its own."""
    slopes, step = np.zeros_like(shares), 1e-6
    for place in np.ndindex(shares.shape):
        up, down = shares.copy(), shares.copy()
        up[place] += step
        down[place] -= step
        slopes[place] = (index(up) - index(down)) / (2 * step)
    return slopes


def _index(value: float, variance: float, count: int, least: float) -> Index:
    half = Z * math.sqrt(max(0.0, variance) / count)
    return Index(value, max(least, value - half), min(1.0, value + half))
