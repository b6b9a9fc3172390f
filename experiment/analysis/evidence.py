"""What an estimate is evidence of: intervals, p values, equivalence and Bayes factors. Everything is two-sided.

And whether participants could tell the drug: Bang's and James' indices of their guesses. Bang, Ni & Davis (2004),
Control Clin Trials 25:143; James et al. (1996), Stat Med 15:1421. Their intervals are of 95 %, by the variance of a
multinomial; James' by the delta method.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Name = TypeVar("Name", bound=Hashable)
ALPHA = 0.05
Z = 1.959963984540054  # half of a 95 % interval, in standard deviations of a normal distribution
DRAWN_AT_ONCE = 500
PRIOR_SCALE = math.sqrt(2) / 2  # of the Cauchy prior on d, the "medium" of Rouder et al. (2009)


class Estimate(Struct, frozen=True):
    """One estimate in scale points, with its standard error and degrees of freedom; a row of `estimates.tsv`."""

    outcome: str
    contrast: str
    estimate: float
    se: float
    df: float
    n_participants: int
    n_rows: int
    model: str

    @property
    def t(self) -> float:
        """The estimate in standard errors."""
        return self.estimate / self.se

    @property
    def p(self) -> float:
        """Two-sided, against 0."""
        from scipy.special import stdtr

        return float(2 * stdtr(self.df, -abs(self.t)))

    def interval(self, level: float = 1 - ALPHA) -> tuple[float, float]:
        """The confidence interval of this level."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.df, (1 + level) / 2)) * self.se
        return self.estimate - half, self.estimate + half


class Equivalence(Struct, frozen=True):
    """Two one-sided tests (Schuirmann 1987): whether an effect lies within plus and minus `bound` scale points."""

    outcome: str
    bound: float
    low: float  # of the 90 % interval
    high: float
    p: float  # the larger of the two

    @property
    def is_shown(self) -> bool:
        """Whether the effect is shown to be smaller than the bound."""
        return self.p < ALPHA


def check_equivalence(one: Estimate, bound: float) -> Equivalence:
    """TOST on a model's estimate, with its degrees of freedom."""
    from scipy.special import stdtr

    above = float(stdtr(one.df, -(one.estimate + bound) / one.se))
    below = float(stdtr(one.df, (one.estimate - bound) / one.se))
    low, high = one.interval(1 - 2 * ALPHA)
    return Equivalence(one.outcome, bound, low, high, max(above, below))


def crossover_t(first: Sequence[float], second: Sequence[float]) -> tuple[float, float, int]:
    """Hills & Armitage's (1979) estimate of a crossover trial: treatment effect, standard error, degrees of freedom.

    `first`: period 1 minus period 2, a mean for each participant who had the drug first; `second`: for the others.
    Without the model: half the difference of the two means, whose period effects cancel.
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    df = len(a) + len(b) - 2
    squares = float(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum())
    se = math.sqrt(squares / df * (1 / len(a) + 1 / len(b))) / 2
    return float(a.mean() - b.mean()) / 2, se, df


def permutation_p(first: Sequence[float], second: Sequence[float], seed: int, draws: int = 9_999) -> float:
    """The p value of the same difference when the sequences are dealt out anew, as often as `draws`.

    Assumes only that participants were randomised. Phipson & Smyth (2010): never 0.
    """
    values, count = np.r_[first, second].astype(float), len(first)
    values -= values.mean()
    # With a mean of 0, the first group's sum orders as the difference does.
    seen = abs(values[:count].sum()) * (1 - 1e-12)
    random = np.random.default_rng(seed)
    extreme = 0
    for drawn in range(0, draws, DRAWN_AT_ONCE):  # so that memory does not grow with them
        shuffled = random.permuted(np.tile(values, (min(DRAWN_AT_ONCE, draws - drawn), 1)), axis=1)
        extreme += int(np.count_nonzero(np.abs(shuffled[:, :count].sum(axis=1)) >= seen))
    return float((1 + extreme) / (draws + 1))


def bayes_factor_01(t: float, n1: int, n2: int, scale: float = PRIOR_SCALE) -> float:
    """How much more likely the data are without an effect than with one: JZS, two groups (Rouder et al. 2009, eq. 2).

    The prior of the standardised effect is a Cauchy of this scale; t is that of n1 + n2 period differences.
    """
    from scipy.integrate import quad

    n, df = n1 * n2 / (n1 + n2), n1 + n2 - 2

    def weight(log_g: float) -> float:
        g = math.exp(log_g)
        spread = 1 + n * g * scale**2
        fit = -0.5 * math.log(spread) - (df + 1) / 2 * math.log1p(t**2 / (spread * df))
        return math.exp(fit + (df + 1) / 2 * math.log1p(t**2 / df) - 0.5 * math.log(2 * math.pi) - log_g / 2 - 0.5 / g)

    return 1 / float(quad(weight, -8, 40, epsabs=0, epsrel=1e-10, limit=500)[0])


def holm(p_values: Mapping[Name, float]) -> dict[Name, float]:
    """Holm's (1979) adjusted p values, by the same names."""
    adjusted: dict[Name, float] = {}
    most = 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        most = max(most, min(1.0, p * (len(p_values) - rank)))
        adjusted[name] = most
    return {name: adjusted[name] for name in p_values}


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
    from scipy.optimize import approx_fprime

    counts = np.array([[first.right, first.wrong, first.unsure], [second.wrong, second.right, second.unsure]], float)
    if not counts[:, :2].any():
        return Index(1.0, 1.0, 1.0)
    shares, total = counts / counts.sum(), int(counts.sum())
    slopes = approx_fprime(shares.ravel(), lambda flat: _james(flat.reshape(shares.shape))).reshape(shares.shape)
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


def _index(value: float, variance: float, count: int, least: float) -> Index:
    half = Z * math.sqrt(max(0.0, variance) / count)
    return Index(value, max(least, value - half), min(1.0, value + half))
