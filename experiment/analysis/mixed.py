"""Linear mixed models whose random intercepts lie within participants: REML, with Kenward-Roger tests.

y = X b + sum of random intercepts + residual. Rows of different participants are independent, so every matrix comes in
blocks, one a participant, padded to the largest with rows of no weight: time and memory grow with the participants.

Sources: Kenward & Roger (1997), Biometrics 53:983, as pbkrtest computes it (Halekoh & Hojsgaard 2014, J Stat Softw
59:9), so that a variance estimated as 0 still counts; the criterion is that of lme4 (Bates et al. 2015, J Stat Softw
67:1).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ZERO_RATIO = 1e-7  # a variance below this share of the residual's is 0, as at a boundary
SINGULAR = 1e-10  # pbkrtest's bound of the information matrix's condition


class NotEstimable(ValueError):
    """The rows cannot tell what the model asks: too few of them, or nothing varies."""


@dataclass(frozen=True)
class Rows:
    """What is modelled: `y` (n), `fixed` (n x p, by the names of its columns), and codes of the groups (each n).

    `intercepts`: the groups that have a random intercept; each lies within one participant.
    """

    y: Array
    fixed: Mapping[str, Array]
    participant: Sequence[str]
    intercepts: Mapping[str, Sequence[object]]


@dataclass(frozen=True)
class Fit:
    """A fitted model: coefficients by name, variances by group with "residual" last, and what tests need."""

    names: tuple[str, ...]
    coefficients: Array
    variances: dict[str, float]
    adjusted: Array  # Kenward & Roger's covariance of the coefficients
    _plain: Array
    _slopes: Array  # of the plain covariance in each variance
    _uncertainty: Array  # covariance of the variances

    def estimate(self, name: str) -> tuple[float, float, float]:
        """Coefficient, standard error and degrees of freedom (Kenward-Roger).

        For a single coefficient their formula becomes 2 v^2 / var(v), with v its plain variance.
        """
        at = self.names.index(name)
        slopes = self._slopes[:, at, at] / self._plain[at, at]
        df = 2.0 / float(slopes @ self._uncertainty @ slopes)
        return float(self.coefficients[at]), float(np.sqrt(self.adjusted[at, at])), df


def fit(rows: Rows) -> Fit:
    """The REML estimates of a model; NotEstimable if the rows do not hold it.

    A group of which no two rows share a value is left out, being the residual under another name.
    """
    blocks = _blocks(rows)
    ratios = _refine(blocks, _search(blocks))
    at = _Solution(blocks, ratios)
    variances = {name: float(ratio * at.residual) for name, ratio in zip(blocks.names, ratios, strict=True)}
    plain = at.residual * at.inverse
    adjusted, slopes, uncertainty = _kenward_roger(blocks, at, plain)
    return Fit(
        tuple(rows.fixed), at.coefficients, variances | {"residual": at.residual}, adjusted, plain, slopes, uncertainty
    )


@dataclass(frozen=True)
class _Blocks:
    """The rows in participants' blocks: `y` (P, m), `x` (P, m, p), `used` (P, m), `same` (k, P, m, m): same group."""

    names: tuple[str, ...]
    y: Array
    x: Array
    used: Array
    same: Array

    @property
    def free(self) -> int:
        """Rows less fixed effects."""
        return int(self.used.sum()) - int(self.x.shape[2])


def _blocks(rows: Rows) -> _Blocks:
    x: Array = np.asarray(np.column_stack(list(rows.fixed.values())), dtype=np.float64)
    if len(rows.y) <= x.shape[1] or np.linalg.matrix_rank(x) < x.shape[1]:
        raise NotEstimable("there are too few rows for these effects")
    people, person = np.unique(np.asarray(rows.participant), return_inverse=True)
    numbers = defaultdict[str, Iterator[int]](count)
    place = np.array([next(numbers[who]) for who in rows.participant])  # among the participant's rows
    shape = len(people), int(place.max()) + 1
    used = _spread(np.ones(len(rows.y), dtype=np.float64), person, place, shape)
    groups = {name: np.unique([str(one) for one in codes], return_inverse=True)[1] for name, codes in
              rows.intercepts.items()}  # fmt: skip
    groups = {name: codes for name, codes in groups.items() if codes.max() + 1 < len(codes)}
    same = []
    for codes in groups.values():
        padded = _spread((codes + 1).astype(np.float64), person, place, shape)
        same.append((padded[:, :, None] == padded[:, None, :]) * used[:, :, None] * used[:, None, :])
    return _Blocks(
        tuple(groups), _spread(rows.y, person, place, shape), _spread(x, person, place, shape), used,
        np.array(same).reshape(len(groups), *shape, shape[1]),
    )  # fmt: skip


def _spread(values: Array, person: Any, place: Any, shape: tuple[int, int]) -> Array:
    padded = np.zeros((*shape, *values.shape[1:]))
    padded[person, place] = values
    return padded


class _Solution:
    """The generalised least squares for given ratios of the groups' variances to the residual's."""

    def __init__(self, blocks: _Blocks, ratios: Array) -> None:
        """Everything is scaled by the residual variance, which follows from the rest."""
        # A padded row is on the diagonal only, and its y and x are 0: it changes nothing.
        size = blocks.y.shape[1]
        weight = np.tensordot(ratios, blocks.same, 1) + np.eye(size)
        self.inner = np.linalg.inv(weight)
        self.wx = self.inner @ blocks.x
        crossed = np.einsum("imp,imq->pq", blocks.x, self.wx)
        self.inverse = np.linalg.inv(crossed)
        self.coefficients = self.inverse @ np.einsum("imp,im->p", self.wx, blocks.y)
        left = blocks.y - blocks.x @ self.coefficients
        self.wr = np.einsum("imn,in->im", self.inner, left)
        self.squares = float(np.sum(left * self.wr))
        self.residual = self.squares / blocks.free
        self._logs = float(np.linalg.slogdet(weight)[1].sum() + np.linalg.slogdet(crossed)[1])

    def deviance(self, free: int) -> float:
        """Twice the negative REML log-likelihood, up to a constant."""
        return self._logs + free * float(np.log(self.squares))

    def gradient(self, blocks: _Blocks) -> Array:
        """Of the deviance in the ratios."""
        traces = np.einsum("imn,kinm->k", self.inner, blocks.same)
        by_x = np.einsum("imp,kimn,inq->kpq", self.wx, blocks.same, self.wx, optimize=True)
        by_r = np.einsum("im,kimn,in->k", self.wr, blocks.same, self.wr, optimize=True)
        lost = np.einsum("pq,kpq->k", self.inverse, by_x)
        return np.asarray(traces - lost - by_r / self.residual)


def _search(blocks: _Blocks) -> Array:
    """The ratios near the minimum."""
    from scipy.optimize import minimize

    if not blocks.names:
        return np.zeros(0)

    def both(ratios: Array) -> tuple[float, Array]:
        at = _Solution(blocks, ratios)
        if at.residual <= np.finfo(float).eps * max(1.0, float(np.sum(blocks.y**2))):
            raise NotEstimable("nothing varies within participants")
        return at.deviance(blocks.free), at.gradient(blocks)

    start = np.full(len(blocks.names), 0.5)
    found = minimize(both, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(start))
    return np.asarray(found.x)


def _refine(blocks: _Blocks, ratios: Array) -> Array:
    """Newton's steps to the last digits, with those ratios held at 0 that would become negative."""
    for _ in range(20):
        gradient = _Solution(blocks, ratios).gradient(blocks)
        ratios = np.where((ratios < ZERO_RATIO) & (gradient > 0), 0.0, ratios)
        inside = (ratios > 0) | (gradient < 0)
        if not inside.any():
            break
        step = np.zeros_like(ratios)
        step[inside] = np.linalg.solve(_curvature(blocks, ratios, inside), gradient[inside])
        following = np.maximum(ratios - step, 0.0)
        if _Solution(blocks, following).deviance(blocks.free) > _Solution(blocks, ratios).deviance(blocks.free) + 1e-9:
            break
        done = np.allclose(following, ratios, rtol=1e-10, atol=1e-13)
        ratios = following
        if done:
            break
    return ratios


def _curvature(blocks: _Blocks, ratios: Array, inside: NDArray[np.bool_]) -> Array:
    """How the gradient changes in the ratios that move, by central differences."""
    columns = []
    for at in np.flatnonzero(inside):
        step = np.zeros_like(ratios)
        step[at] = 1e-5 * (1e-3 + ratios[at])
        up, down = (_Solution(blocks, ratios + sign * step).gradient(blocks)[inside] for sign in (1, -1))
        columns.append((up - down) / (2 * step[at]))
    curve = np.column_stack(columns)
    return np.asarray((curve + curve.T) / 2)


def _kenward_roger(blocks: _Blocks, at: _Solution, plain: Array) -> tuple[Array, Array, Array]:
    """The adjusted covariance, the slopes of the plain one in each variance, and the covariance of the variances.

    Names as in the paper: P and Q are derivatives of the information on the coefficients, W the variances' covariance.
    """
    size = blocks.y.shape[1]
    own = np.eye(size) * blocks.used[:, :, None]
    same = np.concatenate([blocks.same, own[None]])
    inner, vx = at.inner / at.residual, at.wx / at.residual
    half = same @ inner  # G V^-1
    gx = same @ vx
    p = -np.einsum("imp,kimq->kpq", vx, gx, optimize=True)
    q = np.einsum("kimp,imn,linq->klpq", gx, inner, gx, optimize=True)
    traces = np.einsum("kimn,linm->kl", half, half, optimize=True)
    plain_p = plain @ p
    information = traces - 2 * np.einsum("pq,klqp->kl", plain, q) + np.einsum("kpq,lqp->kl", plain_p, plain_p)
    uncertainty = 2 * _inverse(information)
    spread = np.einsum("kl,klpq->pq", uncertainty, q - np.einsum("kpq,lqr->klpr", p, plain @ p))
    adjusted = plain + 2 * plain @ spread @ plain
    return (adjusted + adjusted.T) / 2, -plain @ p @ plain, uncertainty


def _inverse(information: Array) -> Array:
    values = np.linalg.eigvalsh(information)
    if abs(values[0] / values[-1]) > SINGULAR:
        return np.asarray(np.linalg.inv(information))
    return np.asarray(np.linalg.pinv(information, rcond=float(np.sqrt(np.finfo(float).eps)), hermitian=True))
