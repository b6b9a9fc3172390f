"""How right the analysis is, and how fast: against lme4, in studies without an effect, and in studies with a known one.

Four parts, each a test of its own: 200 random data sets in R and here; 2,000 simulated studies without any effect; 200
of the published size with connection half a point lower; time and memory by the number of participants. R is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.special import stdtr

from experiment.analysis.evidence import Estimate, check_equivalence, crossover_t, holm
from experiment.analysis.mixed import Rows, fit
from experiment.analysis.models import ModelledOutcome, RatedItem, effects, rows_of, used_rows
from experiment.analysis.results import analyse
from experiment.analysis.wording import is_as_published
from tests.bench.reporting import ROOT, print_table
from tests.invented_studies import DRUG, EFFECTS, OTHER, fit_in_r, invented, random_rows

pytestmark = pytest.mark.bench
SETS, NULL_STUDIES, COMPLETE_STUDIES, STUDIES, PUBLISHED_SIZE = 200, 2000, 100_000, 200, 31
BOUND = 0.5
RECORDED_SETS = range(10)


def test_lme4_agrees(tmp_path: Path) -> None:
    """Estimate, SE, df and p of 200 random data sets equal lmer's with pbkrtest within 1e-5."""
    assert shutil.which("Rscript"), "install r-cran-lme4 and r-cran-pbkrtest"
    sets = {seed: random_rows(seed) for seed in range(SETS)}
    start_s = time.perf_counter()
    own = {seed: fit(rows) for seed, (rows, _) in sets.items()}
    taken_s = time.perf_counter() - start_s
    theirs = fit_in_r([row for _, rows in sets.values() for row in rows], tmp_path)
    recorded = {str(seed): theirs[seed] for seed in RECORDED_SETS}
    (tmp_path / "lme4_fits.json").write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    worst: dict[str, float] = {}
    for seed, one in own.items():
        estimate, se, df = one.estimate("treatment")
        found = {"estimate": estimate, "se": se, "df": df, "p": 2 * float(stdtr(df, -abs(estimate / se)))}
        for name, value in found.items():
            worst[name] = max(worst.get(name, 0.0), abs(value / theirs[seed][name] - 1))
    singular = sum(min(one.variances.values()) == 0 for one in own.values())
    print_table(
        f"{SETS} random data sets, {singular} with a variance of 0; {taken_s:.1f} s here",
        ("", "largest relative difference", "goal"), [(name, f"{value:.1e}", "1e-5") for name, value in worst.items()],
    )  # fmt: skip
    assert max(worst.values()) < 1e-5


@pytest.mark.parametrize("seed", [7, 11, 12, 20, 21])
def test_studies_without_an_effect(seed: int) -> None:
    """2,000 null studies: 4 to 6 % rejected, 94 to 96 % of intervals cover, TOST errs in at most 5 % at its bounds."""
    rng, measure = np.random.default_rng(seed), ModelledOutcome("session", "connection")
    rejected = covered = naive = 0
    equal = 0.0
    for _ in range(NULL_STUDIES):
        rows = null_study(rng, missing=0.1)
        one = effects(measure, rows, DRUG, "drug - placebo").treatment
        low, high = one.interval()
        rejected += one.p < 0.05
        covered += low <= 0 <= high
        equal += sum(check_equivalence(shifted(one, by), BOUND).is_shown for by in (BOUND, -BOUND)) / 2
        naive += is_found_without_sessions(rows)
    print_table(
        f"{NULL_STUDIES} simulated studies of {PUBLISHED_SIZE} participants without an effect",
        ("", "share", "goal"),
        (("rejected at .05", f"{rejected / NULL_STUDIES:.4f}", ".04 to .06"),
         ("95 % intervals that cover", f"{covered / NULL_STUDIES:.4f}", ".94 to .96"),
         ("equivalence shown at either bound", f"{equal / NULL_STUDIES:.4f}", "at most .05"),
         ("rejected if messages were independent", f"{naive / NULL_STUDIES:.4f}", "")),
    )  # fmt: skip
    assert 0.04 <= rejected / NULL_STUDIES <= 0.06
    assert 0.94 <= covered / NULL_STUDIES <= 0.96


def test_equivalence_on_complete_data() -> None:
    """Where the t test is exact, so is TOST: it errs in 5 % of 100,000 studies at its bound, within three MC errors."""
    rng, wrong = np.random.default_rng(1), 0
    for _ in range(COMPLETE_STUDIES):
        differences = (rng.normal(size=PUBLISHED_SIZE) * 0.8).tolist()
        found = crossover_t(differences[:16], differences[16:])
        one = Estimate("pleasure", "drug - placebo", *found, PUBLISHED_SIZE, PUBLISHED_SIZE, "t test")
        wrong += check_equivalence(shifted(one, BOUND), BOUND).is_shown
    share = wrong / COMPLETE_STUDIES
    print_table(f"{COMPLETE_STUDIES} complete studies", ("", "share"), [("shown at the bound", f"{share:.4f}")])
    assert abs(share - 0.05) < 3 * np.sqrt(0.05 * 0.95 / COMPLETE_STUDIES)


def null_study(rng: np.random.Generator, missing: float) -> list[RatedItem]:
    """Ratings without an effect, a session SD of .45, and so large a share of second sessions missing."""
    rows = []
    for person in range(PUBLISHED_SIZE):
        level, messages = rng.normal() * 0.8, rng.normal(size=6) * 0.4
        for session in (1, 2):
            here = rng.normal() * 0.45
            if session == 2 and rng.random() < missing:
                continue
            treatment = DRUG if (session == 2) == bool(person % 2) else OTHER
            for item in range(6):
                y = 4.5 + level + here + messages[item] + rng.normal() * 0.8
                rows.append(RatedItem(f"sub-{person}", session, treatment, str(item), {"connection": y}))
    return rows


def shifted(one: Estimate, by: float) -> Estimate:
    """The estimate as it would be with this true effect."""
    return replace(one, estimate=one.estimate + by)


def is_found_without_sessions(rows: list[RatedItem]) -> bool:
    """Whether the common mistake finds an effect: messages as independent measurements of the drug."""
    measure = ModelledOutcome("session", "connection")
    full = rows_of(measure, used_rows(measure, rows), DRUG)
    kept = {name: codes for name, codes in full.intercepts.items() if name != "session"}
    estimate, se, _ = fit(Rows(full.y, full.fixed, full.participant, kept)).estimate("treatment")
    return abs(estimate / se) > 1.97


def test_studies_of_the_published_size() -> None:
    """200 studies of 31 with connection -0.5 and pleasure 0: unbiased, and the conclusion follows the tests."""
    estimates: dict[str, list[float]] = {"session_connection": [], "session_pleasure": [], "daily_connection": []}
    published = contradicted = 0
    for seed in range(1000, 1000 + STUDIES):
        results = analyse(invented(PUBLISHED_SIZE, seed, missing=0.1))
        for measure, one in results.effects.items():
            if measure.name in estimates:
                estimates[measure.name].append(one.treatment.estimate)
        adjusted = holm({measure.name: one.treatment.p for measure, one in results.effects.items()
                         if measure.outcome in results.data.plan.changed})  # fmt: skip
        shown = max(adjusted.values()) < 0.05 and all(one.is_shown for one in results.equivalence.values())
        published += is_as_published(results)
        contradicted += is_as_published(results) and not shown
    rows = []
    for name, values in estimates.items():
        error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
        true = EFFECTS[name.partition("_")[2]]
        rows.append((name, f"{np.mean(values):.4f}", f"{true:g}", f"{error:.4f}"))
        assert abs(np.mean(values) - true) < 3 * error
    print_table(
        f"{STUDIES} simulated studies of {PUBLISHED_SIZE} participants; {published} conclude as published, "
        f"{contradicted} of them without the tests",
        ("", "mean estimate", "true", "Monte Carlo error"), rows,
    )  # fmt: skip
    assert contradicted == 0


@pytest.mark.parametrize(("people", "goal_s"), [(80, 5), (1000, 60)])
def test_time_and_memory(people: int, goal_s: int) -> None:
    """80 participants take at most 5 s, 1,000 at most 60 s of CPU, the start of Python and all imports included."""
    code = (
        "import resource, sys, time; from pathlib import Path; from tests.invented_studies import invented;"
        "before = time.process_time(); data = invented(int(sys.argv[1]), 1, missing=0.1);"
        "made = time.process_time() - before;"
        "from experiment.analysis.report import write_report; from experiment.analysis.results import analyse;"
        "write_report(analyse(data), Path(sys.argv[2]));"
        "print(time.process_time() - made, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)"
    )
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", code, str(people), folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # as `dayfour analyse` sets it
        )
    cpu_s, megabytes = map(float, done.stdout.split())
    print_table(
        f"{people} participants", ("CPU s", "goal s", "MB"), [(f"{cpu_s:.1f}", f"{goal_s}", f"{megabytes:.0f}")]
    )
    assert cpu_s <= goal_s
