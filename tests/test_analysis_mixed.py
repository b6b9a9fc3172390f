"""Mixed models agree with lme4 and pbkrtest, and with the closed form where there is one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from experiment.analysis.evidence import crossover_t
from experiment.analysis.mixed import NotEstimable, Rows, fit
from experiment.analysis.models import ModelledOutcome, effects
from tests.invented_studies import DRUG, fit_in_r, invented, model_rows, random_rows

SETS = range(10)
RECORDED = Path(__file__).with_name("lme4_fits.json")  # by tests/bench/bench_analysis.py, where R was


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Mapping[str, float]]:
    """What R says of the sets now, where it is installed; elsewhere what it said when it was recorded."""
    assert shutil.which("Rscript") or not os.environ.get("CI"), "CI compares with R, and has none"
    if shutil.which("Rscript"):
        return fit_in_r([row for seed in SETS for row in random_rows(seed)[1]], tmp_path_factory.mktemp("R"))
    return {int(seed): values for seed, values in json.loads(RECORDED.read_text(encoding="utf-8")).items()}


@pytest.mark.parametrize("seed", SETS)
def test_estimates_are_those_of_lme4_and_pbkrtest(seed: int, reference: Mapping[int, Mapping[str, float]]) -> None:
    """Estimate, standard error and degrees of freedom agree to 1e-5, also with missing rows and variances of 0."""
    found = fit(random_rows(seed)[0]).estimate("treatment")
    assert found == pytest.approx([reference[seed][name] for name in ("estimate", "se", "df")], rel=1e-5)


@pytest.mark.parametrize("seed", SETS)
def test_the_recorded_reference_is_of_these_sets(seed: int) -> None:
    """The values recorded from R are those of the data that are made here today."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))[str(seed)]
    found = fit(random_rows(seed)[0]).estimate("treatment")
    assert found == pytest.approx([recorded[name] for name in ("estimate", "se", "df")], rel=1e-5)


@pytest.mark.parametrize("source", ["session", "daily"])
def test_complete_data_give_the_t_test(source: str) -> None:
    """Without gaps, and with no variance at 0, the model is the t test on period differences to 1e-8."""
    data = invented(30, seed=5)
    found = effects(ModelledOutcome(source, "connection"), data.observations[source], DRUG, "a - b")  # type: ignore[arg-type,index]
    assert found.check
    assert min(found.variances.values()) > 0
    model, check = found.treatment, found.check
    assert (model.estimate, model.se, model.df, model.p) == pytest.approx(
        (check.estimate, check.se, check.df, check.p), rel=1e-8
    )


def test_the_closed_form_is_the_textbooks() -> None:
    """The t test on period differences gives what two hand-made groups must give."""
    estimate, se, df = crossover_t([1.0, 3.0], [0.0, -2.0])
    assert (estimate, df) == (1.5, 2)
    assert se == pytest.approx(np.sqrt(2) / 2)


def test_a_session_counts_once_however_many_messages_it_has() -> None:
    """Degrees of freedom are those of the participants, not of the messages."""
    rows, _ = random_rows(0)
    people = len(set(rows.participant))
    assert fit(rows).estimate("treatment")[2] < people
    assert fit(Rows(rows.y, rows.fixed, rows.participant, {})).estimate("treatment")[2] > people


def test_the_order_of_rows_does_not_matter() -> None:
    """Rows in any order give the same estimates to the last digits that matter."""
    _, rows = random_rows(2)
    forth, back = (fit(model_rows(each)).estimate("treatment") for each in (rows, rows[::-1]))
    assert forth == pytest.approx(back, rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 4.0])
def test_what_does_not_vary_is_refused(value: float) -> None:
    """When everybody gives the same rating there is nothing to estimate, and that is said."""
    rows, _ = random_rows(1)
    with pytest.raises(NotEstimable, match="varies"):
        fit(Rows(np.full(len(rows.y), value), rows.fixed, rows.participant, rows.intercepts))


def test_too_few_rows_are_refused() -> None:
    """A period that only one treatment was given in cannot be told from it."""
    rows, _ = random_rows(1)
    with pytest.raises(NotEstimable, match="too few"):
        fit(Rows(rows.y, {**rows.fixed, "period": rows.fixed["treatment"]}, rows.participant, rows.intercepts))
