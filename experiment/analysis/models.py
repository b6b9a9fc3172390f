"""The registered models: what the drug does to each outcome, with period, carryover and the checks beside them.

Treatment changes between sessions, so the six messages of a session are no six measurements of the drug: without the
random intercept of the session, 8 to 21 % of studies without any effect would show one at 5 %.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from experiment.analysis.evidence import Estimate, crossover_t
from experiment.analysis.mixed import NotEstimable, Rows, fit

Source = Literal["session", "daily"]
NOTHING: Mapping[str, Any] = MappingProxyType({})


class RatedItem(Struct, frozen=True):
    """One message of a session, or one daily report of a course, with the ratings that were given.

    `item`: the message's id, or the day. `values`: rating by outcome, in scale points; a missing one is not there.
    """

    participant: str
    session: int
    treatment: str
    item: str
    values: Mapping[str, float]


Used = Sequence[tuple[RatedItem, float]]
Column = Callable[[Sequence[RatedItem], str], NDArray[np.float64]]


class ModelledOutcome(Struct, frozen=True):
    """What is modelled: an outcome of the sessions or of the daily reports, or the difference of two."""

    source: Source
    outcome: str
    minus: str | None = None

    @property
    def name(self) -> str:
        """As the tables have it."""
        return f"{self.source}_{self.outcome}" + (f"_minus_{self.minus}" if self.minus else "")

    def value(self, one: RatedItem) -> float | None:
        """Its value, if all that it needs was rated."""
        first = one.values.get(self.outcome)
        if self.minus is None or first is None:
            return first
        second = one.values.get(self.minus)
        return None if second is None else first - second


class Pairs(Struct, frozen=True):
    """Period 1 minus period 2 of the session's (or course's) means, for who had the drug first and for the others."""

    drug_first: tuple[float, ...]
    drug_second: tuple[float, ...]

    @property
    def is_enough(self) -> bool:
        """Whether they hold a t test."""
        return bool(self.drug_first and self.drug_second) and len(self.drug_first) + len(self.drug_second) > 2


class Effects(Struct, frozen=True):
    """What the model says of one measure, with the t test on complete pairs as its check; None if that cannot be."""

    measure: ModelledOutcome
    treatment: Estimate
    period: Estimate
    carryover: Estimate | None
    check: Estimate | None
    pairs: Pairs
    variances: Mapping[str, float]

    @property
    def difference_sd(self) -> float | None:
        """The standard deviation of a participant's difference between the sessions, without treatment and period."""
        if self.check is None:
            return None
        return 2 * self.check.se / float(np.sqrt(1 / len(self.pairs.drug_first) + 1 / len(self.pairs.drug_second)))


def effects(measure: ModelledOutcome, observations: Sequence[RatedItem], drug: str, contrast: str) -> Effects:
    """Estimates of a measure, drug minus placebo; NotEstimable if the rows cannot tell.

    `drug`: the treatment whose effect it is. `contrast`: how the tables call it.
    """
    used = used_rows(measure, observations)
    if len({one.treatment for one, _ in used}) < 2:
        raise NotEstimable("there are rows of one treatment only")
    main = fit(rows_of(measure, used, drug))
    n = len({one.participant for one, _ in used}), len(used)

    def row(name: str, called: str) -> Estimate:
        return Estimate(measure.name, called, *main.estimate(name), *n, "mixed model")

    treatment = row("treatment", contrast)
    if not (np.isfinite(treatment.df) and treatment.se > 0):
        raise NotEstimable("there are too few participants")
    pairs = pairs_of(measure, observations, drug)
    return Effects(
        measure, treatment, row("period", "session 2 - session 1"),
        estimate(measure, used, drug, "carryover", "carryover: drug first - drug second", {"carryover": carryover}),
        check(measure, pairs, contrast), pairs, main.variances,
    )  # fmt: skip


def estimate(
    measure: ModelledOutcome, used: Used, drug: str, name: str, called: str, more: Mapping[str, Column] = NOTHING
) -> Estimate | None:
    """One coefficient of the model with further effects; None if the rows cannot tell."""
    added = {effect: column([one for one, _ in used], drug) for effect, column in more.items()}
    try:
        fitted = fit(rows_of(measure, used, drug, added))
    except NotEstimable:
        return None
    model, people = " with ".join(["mixed model", *more]), {one.participant for one, _ in used}
    return Estimate(measure.name, called, *fitted.estimate(name), len(people), len(used), model)


def rows_of(measure: ModelledOutcome, used: Used, drug: str, more: Mapping[str, NDArray[np.float64]] = NOTHING) -> Rows:
    """The model's rows; effects are coded -1/2 and +1/2, so that each coefficient is a difference."""
    ones = [one for one, _ in used]
    fixed = {"intercept": np.ones(len(ones)), "treatment": _is_drug(ones, drug), "period": _is_second(ones)}
    people = [one.participant for one in ones]
    sessions = [(one.participant, one.session) for one in ones]
    intercepts: dict[str, Sequence[object]] = {"participant": people, "session": sessions}
    if measure.source == "daily":
        days = sorted({one.item for one in ones}, key=int)
        fixed |= {f"day {day}": np.array([float(one.item == day) for one in ones]) for day in days[1:]}
    else:
        intercepts["message"] = [(one.participant, one.item) for one in ones]
    return Rows(np.array([value for _, value in used]), {**fixed, **more}, people, intercepts)


def used_rows(measure: ModelledOutcome, observations: Sequence[RatedItem]) -> Used:
    """The observations that have a value, with it."""
    return [(one, value) for one in observations if (value := measure.value(one)) is not None]


def carryover(ones: Sequence[RatedItem], drug: str) -> NDArray[np.float64]:
    """+1/2 for who had the drug first: where carryover would show, as a difference between the sequences."""
    return np.asarray(-2 * _is_drug(ones, drug) * _is_second(ones))


def day_slope(ones: Sequence[RatedItem], drug: str) -> NDArray[np.float64]:
    """By how much the treatment's effect grows from a day to the next."""
    days = np.array([float(one.item) for one in ones])
    return np.asarray(_is_drug(ones, drug) * (days - np.unique(days).mean()))


def _is_drug(ones: Sequence[RatedItem], drug: str) -> NDArray[np.float64]:
    return np.array([0.5 if one.treatment == drug else -0.5 for one in ones])


def _is_second(ones: Sequence[RatedItem]) -> NDArray[np.float64]:
    return np.array([0.5 if one.session == 2 else -0.5 for one in ones])


def pairs_of(measure: ModelledOutcome, observations: Sequence[RatedItem], drug: str) -> Pairs:
    """The participants who have both sessions."""
    values: dict[tuple[str, int], list[float]] = defaultdict(list)
    first_treatment: dict[str, bool] = {}
    for one in observations:
        if (value := measure.value(one)) is not None:
            values[one.participant, one.session].append(value)
            first_treatment[one.participant] = (one.treatment == drug) == (one.session == 1)
    pairs: dict[bool, list[float]] = {True: [], False: []}
    for person, is_drug_first in sorted(first_treatment.items()):
        if values[person, 1] and values[person, 2]:
            pairs[is_drug_first].append(float(np.mean(values[person, 1]) - np.mean(values[person, 2])))
    return Pairs(tuple(pairs[True]), tuple(pairs[False]))


def check(measure: ModelledOutcome, pairs: Pairs, contrast: str) -> Estimate | None:
    """The closed-form t test on the period differences: on complete data the model's own answer."""
    if not pairs.is_enough:
        return None
    estimate, se, df = crossover_t(pairs.drug_first, pairs.drug_second)
    n = len(pairs.drug_first) + len(pairs.drug_second)
    if se == 0:
        return None
    return Estimate(measure.name, contrast, estimate, se, float(df), n, 2 * n, "t test on period differences")
