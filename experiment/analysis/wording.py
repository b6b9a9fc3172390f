"""The methods and the results in words, numbers filled in: no sentence says more than its test shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiment.analysis.evidence import ALPHA, PRIOR_SCALE, Estimate
from experiment.analysis.models import Effects, ModelledOutcome
from experiment.analysis.results import Results

MINUS = "\N{MINUS SIGN}"
PLACES = {"session": "in the session", "daily": "in the daily reports"}
TERMS = {
    "participant": "participant", "session": "session within participant", "message": "message within participant",
}  # fmt: skip
BLINDED = (
    "Blinded: the treatments are random labels. Nothing on this page says anything about the drug; it shows what the "
    "analysis will do once the study is locked."
)
SYNTHETIC = "Synthetic data: this study was made by dayfour simulate and had no participants."


def notices(results: Results) -> list[str]:
    """What stands at the top of everything."""
    data = results.data
    return [BLINDED] * data.is_blinded + [SYNTHETIC] * data.is_synthetic


def label(measure: ModelledOutcome) -> str:
    """A measure's name for people."""
    what = f"{measure.outcome} minus {measure.minus}" if measure.minus else measure.outcome
    return f"{what} {PLACES[measure.source]}"


def number(value: float, digits: int = 2) -> str:
    """A number with a true minus sign."""
    text = f"{value:.{digits}f}"
    return MINUS + text[1:] if text.startswith("-") and float(text) else text.lstrip("-")


def p_value(p: float) -> str:
    """As in a paper: p = .032, p < .001."""
    return "p < .001" if round(p, 3) == 0 else f"p = {f'{p:.3f}'.removeprefix('0')}"


def interval(low: float, high: float) -> str:
    """The ends of an interval."""
    return f"[{number(low)}, {number(high)}]"


def statistics(one: Estimate) -> str:
    """An estimate as a paper gives it."""
    low, high = one.interval()
    t = f"t({one.df:.1f}) = {number(one.t)}"
    return f"{number(one.estimate)} points, 95 % CI {interval(low, high)}, {t}, {p_value(one.p)}"


def listed(words: Sequence[str]) -> str:
    """With commas and an "and"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words) or "none"


METHODS = """
Each outcome was modelled as a linear mixed model of {drug} against {other} in a two-period crossover, with treatment
and period as fixed effects{day}. {intercepts} Treatment changes between sessions, so the session's random intercept
keeps the messages of one session from being counted as separate measurements of the drug. Models were estimated by
restricted maximum likelihood; standard errors and degrees of freedom are those of Kenward and Roger (1997). Every
participant counts with each session that was completed as planned, also without the other one; missing ratings are
taken to be missing at random. All tests are two-sided at {alpha:g}, and intervals are of 95 %. {primary} The following
were expected to be unchanged: {bounds}. This was tested by two one-sided tests of equivalence with the model's standard
error and degrees of freedom (the 90 % interval lies within the bounds). Bayes factors compare no effect with a Cauchy
prior of scale {scale:.3f} on the standardised effect (JZS, two groups), from the period differences of the participants
with both sessions. The bounds and the primary outcomes were recorded when the study was set up. Carryover is the
difference between the sequences; it is reported with its interval, and no analysis was chosen by it. On complete data,
and unless a variance is estimated as zero, the model's test is the two-sample t test on period differences (Hills and
Armitage, 1979), which is given as a check."""


def methods(results: Results) -> str:
    """The paragraph on methods."""
    drug, other = results.data.study.treatments
    bounds = [f"{name} within ±{bound:g} points" for name, bound in results.data.plan.unchanged.items()]
    filled = METHODS.format(
        drug=drug, other=other, alpha=ALPHA, scale=PRIOR_SCALE, bounds=listed(bounds), primary=_primary(results),
        intercepts=" ".join(_random_terms(results)),
        day=" (and the day, as a factor, in the daily reports)" if results.data.reports else "",
    )  # fmt: skip
    return " ".join(filled.split())


def _random_terms(results: Results) -> Iterator[str]:
    seen: dict[str, list[str]] = {}
    for measure, one in results.effects.items():
        seen.setdefault(measure.source, [TERMS[name] for name in one.variances if name in TERMS])
    for source, terms in seen.items():
        yield f"Random intercepts {PLACES[source]}: {listed(terms)}."


def _primary(results: Results) -> str:
    primary = listed([label(measure) for measure in results.holm])
    if len(results.holm) > 1:
        return f"The p values of the co-primary outcomes ({primary}) are adjusted after Holm."
    return f"The primary outcome is {primary}."


def summary(results: Results) -> str:
    """The paragraph on results."""
    sentences = [
        *(_changed(results, measure) for measure in results.holm),
        *(_unchanged(results, measure) for measure in results.equivalence),
        *(_specific(one) for one in results.specific.values()),
        *(
            f"{label(measure).capitalize()} could not be estimated: {why}."
            for measure, why in results.impossible.items()
        ),
        conclusion(results),
    ]
    return " ".join(sentences)


def _changed(results: Results, measure: ModelledOutcome) -> str:
    """What is said of an outcome that was expected to change."""
    one, adjusted, drug = results.effects[measure].treatment, results.holm[measure], results.data.drug
    holm = f"; {p_value(adjusted)} after Holm" if len(results.holm) > 1 else ""
    numbers = f"({statistics(one)}{holm})"
    if adjusted < ALPHA:
        way = "lower" if one.estimate < 0 else "higher"
        return f"{label(measure).capitalize()} was {way} on {drug} {numbers}."
    return f"No effect on {label(measure)} could be shown {numbers}; the interval says how large one may still be."


def _unchanged(results: Results, measure: ModelledOutcome) -> str:
    """What is said of an outcome that was expected not to change."""
    one, equal = results.effects[measure].treatment, results.equivalence[measure]
    differs = one.p < ALPHA
    tested = f"90 % CI {interval(equal.low, equal.high)}, equivalence {p_value(equal.p)}"
    numbers = f"({statistics(one)}; {tested}{_bayes(results, measure)})"
    if equal.is_shown:
        what = "differed by less than " if differs else "was unchanged within ±"
        return f"{label(measure).capitalize()} {what}{equal.bound:g} points {numbers}."
    if differs:
        way = "lower" if one.estimate < 0 else "higher"
        return (
            f"{label(measure).capitalize()} was {way} on {results.data.drug}, and not shown to be unchanged {numbers}."
        )
    return (
        f"Whether {label(measure)} changes remains unclear: neither a difference nor its absence within "
        f"±{equal.bound:g} "
        f"points could be shown {numbers}."
    )


def _bayes(results: Results, measure: ModelledOutcome) -> str:
    return f"; BF01 = {results.bayes[measure]:.3g}" if measure in results.bayes else ""


def _specific(one: Effects) -> str:
    """What is said of the difference between two effects."""
    measure, found = one.measure, one.treatment
    where = f"{PLACES[measure.source]} ({statistics(found)})"
    if found.p >= ALPHA:
        return f"The effects on {measure.outcome} and {measure.minus} could not be distinguished {where}."
    way = "more negative" if found.estimate < 0 else "more positive"
    return f"The effect on {measure.outcome} was {way} than that on {measure.minus} {where}."


def is_as_published(results: Results) -> bool:
    """Whether all that was published is shown here: less connection, the rest unchanged."""
    lower = [results.effects[one].treatment.estimate < 0 and p < ALPHA for one, p in results.holm.items()]
    same = [
        one.is_shown and results.effects[measure].treatment.p >= ALPHA for measure, one in results.equivalence.items()
    ]
    # Of differences between two outcomes nothing was published.
    is_lacking = any(measure.minus is None for measure in results.impossible)
    return bool(lower and same) and all([*lower, *same]) and not is_lacking


def conclusion(results: Results) -> str:
    """How this compares with the published result, in a sentence."""
    drug = results.data.drug
    sources = {measure.source for measure in results.effects}
    where = ", as far as can be seen without daily reports" if sources == {"session"} else ""
    if is_as_published(results):
        lower, same = ([label(one) for one in group] for group in (results.holm, results.equivalence))
        return f"This is the published pattern{where}: {listed(lower)} lower on {drug}, {listed(same)} unchanged."
    return (
        "This does not establish the published pattern, connection lower on the drug with pleasure and mood "
        "unchanged: not all of it was shown."
    )
