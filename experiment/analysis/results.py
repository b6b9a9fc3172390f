"""Everything that is estimated and tested, in the order of the plan; nothing here is chosen by what came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from experiment.analysis.evidence import (
    Equivalence,
    Estimate,
    Guesses,
    Index,
    bang,
    bayes_factor_01,
    check_equivalence,
    holm,
    james,
    permutation_p,
)
from experiment.analysis.mixed import NotEstimable
from experiment.analysis.models import (
    Effects,
    ModelledOutcome,
    RatedItem,
    Source,
    day_slope,
    effects,
    estimate,
    used_rows,
)
from experiment.analysis.study_data import StudyData

SOURCES: tuple[Source, ...] = ("session", "daily")
KINDS = {"session": "sessions", "daily": "reports"}
DELTAS = (-1.0, -0.5, 0.5, 1.0)
PERMUTATION_SEED = 1


class Sensitivity(Struct, frozen=True):
    """An estimate under another assumption; `p` where it is no t test's."""

    what: str
    estimate: Estimate
    p: float | None = None


class Blinding(Struct, frozen=True):
    """The guesses of one moment, by sequence, with both indices."""

    when: str
    arms: tuple[tuple[Guesses, Index], ...]
    james: Index | None


class Results(Struct, frozen=True):
    """What came out. `effects` by measure; `specific`: changed minus unchanged; `impossible`: why a measure has none.

    `holm`: adjusted p of the co-primary measures. `bayes`: how much more likely the data are without the effect.
    """

    data: StudyData
    effects: Mapping[ModelledOutcome, Effects]
    specific: Mapping[ModelledOutcome, Effects]
    impossible: Mapping[ModelledOutcome, str]
    holm: Mapping[ModelledOutcome, float]
    equivalence: Mapping[ModelledOutcome, Equivalence]
    bayes: Mapping[ModelledOutcome, float]
    sensitivity: tuple[Sensitivity, ...]
    blinding: tuple[Blinding, ...]

    @property
    def all_effects(self) -> list[Effects]:
        """Those of outcomes, then those of differences."""
        return [*self.effects.values(), *self.specific.values()]

    @property
    def estimates(self) -> list[Estimate]:
        """The rows of `estimates.tsv`."""
        every = [(one.treatment, one.period, one.carryover, one.check) for one in self.all_effects]
        return [row for rows in every for row in rows if row is not None]


def analyse(data: StudyData) -> Results:
    """The whole analysis of a study."""
    plan = data.plan
    found: dict[ModelledOutcome, Effects] = {}
    specific: dict[ModelledOutcome, Effects] = {}
    impossible: dict[ModelledOutcome, str] = {}
    for source in SOURCES:
        outcomes = _outcomes(data, source)
        one_way = [ModelledOutcome(source, name) for name in outcomes]
        apart = [ModelledOutcome(source, a, b) for a in plan.changed for b in plan.unchanged if {a, b} <= set(outcomes)]
        for measures, into in ((one_way, found), (apart, specific)):
            for measure in measures:
                try:
                    into[measure] = _effects(data, measure)
                except NotEstimable as why:  # noqa: PERF203 - a model takes far longer
                    impossible[measure] = str(why)
    primary = {measure: one.treatment.p for measure, one in found.items() if measure.outcome in plan.changed}
    return Results(
        data, found, specific, impossible, holm(primary),
        {
            measure: check_equivalence(one.treatment, plan.unchanged[measure.outcome])
            for measure, one in found.items() if measure.outcome in plan.unchanged
        },
        {
            measure: bayes_factor_01(one.check.t, len(one.pairs.drug_first), len(one.pairs.drug_second))
            for measure, one in found.items() if one.check
        },
        tuple(_sensitivity(data, found)), tuple(_blinding(data)),
    )  # fmt: skip


def _effects(data: StudyData, measure: ModelledOutcome) -> Effects:
    """The effects; none on the difference of two outcomes whose points are not the same."""
    if measure.minus and not data.has_one_scale(measure):
        raise NotEstimable("their scales have different lengths")
    return effects(measure, data.observations[measure.source], data.drug, data.contrast)


def _outcomes(data: StudyData, source: Source) -> list[str]:
    """What was rated: those of the plan first, in its order."""
    rated = dict.fromkeys(name for one in data.observations[source] for name in one.values)
    planned = [name for name in (*data.plan.changed, *data.plan.unchanged) if name in rated]
    return [*planned, *(name for name in rated if name not in planned)]


def _sensitivity(data: StudyData, found: Mapping[ModelledOutcome, Effects]) -> Iterator[Sensitivity]:
    for measure, one in found.items():
        if measure.outcome in {*data.plan.changed, *data.plan.unchanged}:
            yield Sensitivity("as planned", one.treatment)
            yield from _on_pairs(one)
            yield from _other_rows(data, measure)
            yield from _other_models(data, measure)
            if measure.source == "daily":
                yield from _missing_not_at_random(data, one.treatment)


def _on_pairs(one: Effects) -> Iterator[Sensitivity]:
    if one.check:
        yield Sensitivity("participants with both sessions, t test", one.check)
        p = permutation_p(one.pairs.drug_first, one.pairs.drug_second, PERMUTATION_SEED)
        yield Sensitivity("the same, p by permutation of the sequences", one.check, p)


def _other_rows(data: StudyData, measure: ModelledOutcome) -> Iterator[Sensitivity]:
    """With other participants or sessions."""
    observations = data.observations[measure.source]
    revealed = {one.name for one in data.people if one.unblinded}
    guesses = [(who, course) for asked in data.guesses.values() for who, course in asked.items()]
    asked = {who for who, _ in guesses} & {one.participant for one in observations}
    knew = {who for who, course in guesses if who in asked and course == (1 if data.drug_first(who) else 2)}
    others = {
        f"also the {KINDS[measure.source]} that were left out": [*observations, *data.set_aside[measure.source]],
        "without participants whose treatment was revealed": [o for o in observations if o.participant not in revealed],
        "only participants who never guessed right": [o for o in observations if o.participant in asked - knew],
    }
    for what, rows in others.items():
        used = used_rows(measure, rows)
        if used and len(used) != len(used_rows(measure, observations)):
            changed = estimate(measure, used, data.drug, "treatment", data.contrast)
            if changed and np.isfinite(changed.df):
                yield Sensitivity(what, changed)


def _other_models(data: StudyData, measure: ModelledOutcome) -> Iterator[Sensitivity]:
    """With a further effect in the model."""
    used = used_rows(measure, data.observations[measure.source])
    if measure.source == "daily":
        slope = estimate(measure, used, data.drug, "day slope", "effect per further day", {"day slope": day_slope})
        if slope:
            yield Sensitivity("treatment by day: how the effect changes from day to day", slope)
        return
    symptoms = data.symptoms
    if len({symptoms[key] for one, _ in used if (key := (one.participant, one.session)) in symptoms}) > 1:

        def of(ones: Sequence[RatedItem], _: str) -> NDArray[np.float64]:
            return np.array([symptoms[one.participant, one.session] for one in ones])

        known = [(one, value) for one, value in used if (one.participant, one.session) in symptoms]
        adjusted = estimate(measure, known, data.drug, "treatment", data.contrast, {"symptoms": of})
        if adjusted:
            yield Sensitivity("adjusted for the symptoms of the day", adjusted)


def _missing_not_at_random(data: StudyData, planned: Estimate) -> Iterator[Sensitivity]:
    """What if missing reports under the drug had been so many points away from what the model expects of them.

    Pattern mixture: the estimate moves by delta times the share that is missing; its standard error stays.
    """
    due = [one for one in data.reports if data.treatments[one.participant, one.session] == data.drug]
    share = sum(not one.is_given for one in due) / len(due) if due else 0.0
    for delta in DELTAS if share else ():
        moved = planned.estimate + delta * share
        row = Estimate(
            planned.outcome, planned.contrast, moved, planned.se, planned.df, planned.n_participants, planned.n_rows,
            "mixed model, delta-adjusted",
        )  # fmt: skip
        yield Sensitivity(f"missing reports on {data.drug} {delta:+g} points from those given", row)


def _blinding(data: StudyData) -> Iterator[Blinding]:
    for when, asked in data.guesses.items():
        arms = []
        for is_first in (True, False):
            truth = 1 if is_first else 2
            own = [
                course
                for who, course in asked.items()
                if (who, 1) in data.treatments and data.drug_first(who) == is_first
            ]
            counts = Guesses(
                f"{data.study.treatments[not is_first]} first",
                sum(course == truth for course in own), sum(course == 3 - truth for course in own),
                sum(course is None for course in own),
            )  # fmt: skip
            arms.append(counts)
        filled = [(arm, bang(arm)) for arm in arms if arm.total]
        yield Blinding(when, tuple(filled), james(*arms) if len(filled) == len(arms) else None)
