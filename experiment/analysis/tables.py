"""The tables of an analysis, each with what its columns mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from experiment.analysis.evidence import Estimate, check_equivalence
from experiment.analysis.models import Source, used_rows
from experiment.analysis.results import SOURCES, Results
from experiment.analysis.study_data import StudyData
from experiment.design.visit import session_name

Row = Sequence[object]
ESTIMATES = {
    "outcome": "What was rated: session_ or daily_ and the outcome, or the difference of two.",
    "contrast": "What is compared, the second subtracted from the first.",
    "estimate": "The difference in scale points.",
    "se": "Its standard error; in mixed models Kenward and Roger's.",
    "df": "Degrees of freedom; in mixed models Kenward and Roger's.",
    "t": "estimate / se.",
    "p": "Two-sided, not adjusted.",
    "ci_low": "Lower end of the 95 % confidence interval.",
    "ci_high": "Upper end of the 95 % confidence interval.",
    "n_participants": "Participants in the model.",
    "n_rows": "Rows in the model: messages or daily reports; in the t test, sessions or courses.",
    "model": "mixed model: treatment, period (and day) with random intercepts; what else is in it is named.",
}
EQUIVALENCE = {
    "outcome": "As in estimates.tsv.",
    "bound": "Scale points within which the outcome counts as unchanged, from the study's plan.",
    "ci_low": "Lower end of the 90 % confidence interval.",
    "ci_high": "Upper end of the 90 % confidence interval.",
    "p": "The larger p of the two one-sided tests (TOST).",
    "unchanged": "yes if p < .05, no if not.",
}
EVIDENCE = {
    "outcome": "As in estimates.tsv.",
    "bf01": "Bayes factor of no effect against an effect (JZS, Cauchy scale 0.707, two groups of period differences).",
    "p_holm": "The treatment's p, adjusted after Holm among the co-primary outcomes; n/a for others.",
}
OF_ESTIMATE = ("estimate", "se", "df", "p", "ci_low", "ci_high", "n_participants", "n_rows", "model")
SENSITIVITY = {
    "outcome": "As in estimates.tsv.",
    "what": "What is different from the planned analysis.",
    **{name: ESTIMATES[name] for name in OF_ESTIMATE},
    "p_equivalence": "As p in equivalence.tsv; n/a for an outcome that was not expected to be unchanged.",
    "unchanged": "yes if p_equivalence < .05, no if not.",
}
LEFT_OUT = {
    "participant_id": "Who.",
    "session_id": "Which session or course; n/a for a pilot.",
    "reason": "Why it does not count.",
    "rated": "How many of its messages were rated, or how many reports were given.",
}
BLINDING = {
    "when": "When the guess was asked for.",
    "arm": "The sequence; both for James' index.",
    "right": "How many guessed right.",
    "wrong": "How many guessed wrong.",
    "unsure": "How many could not tell.",
    "index": "bang: -1 all wrong, 0 chance, 1 all right. james: 0 all right, 0.5 chance, 1 all cannot tell.",
    "value": "The index.",
    "ci_low": "Lower end of its 95 % interval.",
    "ci_high": "Upper end of its 95 % interval.",
}
REPORTS = {
    "treatment": "The treatment of the course.",
    "day": "The day of the course.",
    "due": "Daily reports that were due.",
    "given": "Daily reports that were given.",
}
BASELINE = {
    "sequence": "Which treatment came first.",
    "participants": "Allocated to it.",
    "stratum": "How many in each stratum.",
    "started": "How many started course 1 and course 2.",
    "counted": "How many have a counted session 1 and session 2.",
    "rows": "Messages rated, missing ratings left aside.",
}
PARTICIPANTS = {"participant_id": "Who.", "sequence": "Which treatment came first."}
RANDOM = {"labels": "random: the treatments are random labels. Nothing in this table is a result."}
ROWS = {
    "participant": "Who.",
    "session": "1 or 2: the period.",
    "treatment": "The treatment of that session or course.",
    "item": "The message's id, or the day of the course.",
}


class ResultTable(Struct, frozen=True):
    """A table by the meanings of its columns."""

    name: str
    columns: Mapping[str, str]
    rows: Sequence[Row]


def build_tables(results: Results) -> list[ResultTable]:
    """All of them; those without rows too, so that no expected file is missing."""
    return [
        ResultTable("estimates", ESTIMATES, [_estimate_row(one) for one in results.estimates]),
        ResultTable("evidence", EVIDENCE, [
            (one.treatment.outcome, results.bayes.get(measure), results.holm.get(measure))
            for measure, one in results.effects.items()
        ]),
        ResultTable("equivalence", EQUIVALENCE, [
            (one.outcome, one.bound, one.low, one.high, one.p, "yes" if one.is_shown else "no")
            for one in results.equivalence.values()
        ]),
        ResultTable("sensitivity", SENSITIVITY, _sensitivity(results)),
        ResultTable("sequences", BASELINE, list(_baseline(results))),
        ResultTable("left_out", LEFT_OUT, list(_left_out(results.data))),
        _participants(results),
        ResultTable("blinding", BLINDING, _blinding(results)),
        ResultTable("daily_reports", REPORTS, list(_reported(results.data))),
        *(_data(results, source) for source in SOURCES),
    ]  # fmt: skip


def marked_random(table: ResultTable) -> ResultTable:
    """The table as a file of a blinded analysis: each row says so, wherever it is copied to."""
    return ResultTable(table.name, {**table.columns, **RANDOM}, [(*row, "random") for row in table.rows])


def _left_out(data: StudyData) -> Iterator[Row]:
    for one in data.left_out:
        yield one.participant, session_name(one.session) if one.session else None, one.reason, one.rated
    late = Counter((one.participant, one.session) for one in data.set_aside["daily"])
    for (who, course), count in late.items():
        yield who, session_name(course), "daily reports given after the treatment was revealed", count


def _participants(results: Results) -> ResultTable:
    """Whose rows are in which model."""
    data, names = results.data, {measure.name: measure for measure in (*results.effects, *results.specific)}
    rows = {
        name: Counter(one.participant for one, _ in used_rows(measure, data.observations[measure.source]))
        for name, measure in names.items()
    }
    told = {name: f"How many of their rows are in the model of {name}; 0: none." for name in names}
    return ResultTable("participants", PARTICIPANTS | told, [
        (one.name, f"{data.treatments[one.name, 1]} first", *(rows[name][one.name] for name in names))
        for one in data.people
    ])  # fmt: skip


def _estimate_row(one: Estimate) -> Row:
    numbers = (one.estimate, one.se, one.df, one.t, one.p, *one.interval())
    return (one.outcome, one.contrast, *numbers, one.n_participants, one.n_rows, one.model)


def _sensitivity(results: Results) -> list[Row]:
    rows: list[Row] = []
    bounds = {one.outcome: one.bound for one in results.equivalence.values()}
    for each in results.sensitivity:
        told = dict(zip(ESTIMATES, _estimate_row(each.estimate), strict=True))
        told |= {} if each.p is None else {"p": each.p}
        is_tested = (
            each.estimate.outcome in bounds and each.estimate.contrast == results.data.contrast and each.p is None
        )
        equal = check_equivalence(each.estimate, bounds[each.estimate.outcome]) if is_tested else None
        shown = (equal.p, "yes" if equal.is_shown else "no") if equal else (None, None)
        rows.append([each.estimate.outcome, each.what, *(told[name] for name in OF_ESTIMATE), *shown])
    return rows


def _baseline(results: Results) -> Iterator[Row]:
    """Each sequence: who was allocated, started and counts."""
    data = results.data
    for order in (data.study.treatments, data.study.treatments[::-1]):
        own = [one for one in data.people if data.treatments[one.name, 1] == order[0]]
        names = {one.name for one in own}
        strata = Counter(one.stratum for one in own)
        rows = [one for one in data.observations["session"] if one.participant in names]
        counted = Counter(session for _, session in {(one.participant, one.session) for one in rows})
        yield (
            f"{order[0]} first", len(own), ", ".join(f"{name}: {strata[name]}" for name in data.study.strata),
            ", ".join(str(sum(len(one.starts) >= course for one in own)) for course in (1, 2)),
            f"{counted[1]}, {counted[2]}", sum(bool(one.values) for one in rows),
        )  # fmt: skip


def _blinding(results: Results) -> list[Row]:
    rows: list[Row] = []
    for asked in results.blinding:
        for arm, index in asked.arms:
            counts = (arm.right, arm.wrong, arm.unsure)
            rows.append((asked.when, arm.arm, *counts, "bang", index.value, index.low, index.high))
        if both := asked.james:
            rows.append((asked.when, "both", None, None, None, "james", both.value, both.low, both.high))
    return rows


def _reported(data: StudyData) -> Iterator[Row]:
    for treatment in data.study.treatments:
        own = [one for one in data.reports if data.treatments[one.participant, one.session] == treatment]
        for day in sorted({one.day for one in own}, key=int):
            given = [one.is_given for one in own if one.day == day]
            yield treatment, day, len(given), sum(given)


def _data(results: Results, source: Source) -> ResultTable:
    """The rows that were modelled, for checking."""
    observations = results.data.observations[source]
    outcomes = list(dict.fromkeys(name for one in observations for name in one.values))
    told = {name: results.data.wording.get(f"{source}_{name}", name) for name in outcomes}
    rows = [
        (one.participant, one.session, one.treatment, one.item, *(one.values.get(name) for name in outcomes))
        for one in observations
    ]
    return ResultTable(f"{source}_rows", ROWS | told, rows)
