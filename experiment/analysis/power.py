"""What a number of participants can find, before there are any: for an effect, and for its absence.

The test is the t test on period differences with two sequences of equal size, which the model's becomes on complete
data. Effects are standardised by the standard deviation of a participant's difference between the sessions (d_z).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from experiment.analysis.evidence import ALPHA

EFFECTS = (0.2, 0.3, 0.5)  # scale points
WANTED = 0.8
QUANTILES = 4000


class StudyPower(Struct, frozen=True):
    """What so many participants with both sessions can find.

    `found`: the power for each effect. `least`: what is found in `WANTED` of studies, in scale points. `equivalence`:
    the power of each equivalence test if nothing changes at all.
    """

    participants: int
    found: tuple[float, ...]
    least: float
    equivalence: tuple[float, ...]


def plan_power(
    participants: Sequence[int], effects: Sequence[float], bounds: Sequence[float], sd: float
) -> list[StudyPower]:
    """Power by the number of participants; `effects` and `bounds` in scale points, as is `sd` of the differences."""
    return [
        StudyPower(
            n,
            tuple(power(n, effect / sd) for effect in effects),
            least_effect(n) * sd,
            tuple(equivalence_power(n, bound / sd) for bound in bounds),
        )
        for n in participants
    ]


def power(participants: int, effect: float) -> float:
    """Of the two-sided test, for a standardised effect; averaged over what the SD may be taken for."""
    from scipy.special import ndtr, stdtrit

    shift = abs(effect) * np.sqrt(participants)
    needed = stdtrit(participants - 2, 1 - ALPHA / 2) * _sds(participants - 2)
    return float(np.mean(ndtr(shift - needed) + ndtr(-shift - needed)))


def least_effect(participants: int) -> float:
    """The standardised effect that is found in `WANTED` of studies."""
    from scipy.optimize import brentq

    return float(brentq(lambda effect: power(participants, effect) - WANTED, 1e-6, 10.0))


def equivalence_power(participants: int, bound: float, effect: float = 0.0) -> float:
    """Of the two one-sided tests, for a standardised bound and effect; averaged over what the SD may be taken for."""
    from scipy.special import ndtr, stdtrit

    df, root = participants - 2, np.sqrt(participants)
    room = bound * root - stdtrit(df, 1 - ALPHA) * _sds(df)  # how far the estimate may be from 0, in standard errors
    within = ndtr(room - effect * root) - ndtr(-room - effect * root)
    return float(np.mean(np.where(room > 0, within, 0.0)))


def _sds(df: int) -> NDArray[np.float64]:
    """What a standard deviation of 1 may be estimated as: evenly spaced quantiles."""
    from scipy.special import chdtri

    return np.asarray(np.sqrt(chdtri(df, (np.arange(QUANTILES) + 0.5) / QUANTILES) / df))
