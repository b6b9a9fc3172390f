"""Equivalence, Bayes factors, Holm, blinding and power give what their sources give."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.analysis.evidence import (
    Estimate,
    Guesses,
    bang,
    bayes_factor_01,
    check_equivalence,
    holm,
    james,
    permutation_p,
)
from experiment.analysis.power import equivalence_power, power

counts = st.integers(1, 200)
shares = st.floats(0.0, 1.0)


def estimated(value: float, se: float = 0.2, df: float = 29.0) -> Estimate:
    """An estimate of something."""
    return Estimate("session_pleasure", "drug - placebo", value, se, df, 31, 372, "mixed model")


@pytest.mark.parametrize(
    ("t", "n1", "n2", "bf10"),
    [(-3.569133, 16, 15, 25.4845544255), (3.5, 50, 50, 40.0937037476), (0.0, 5, 5, 0.492380850256),
     (12.0, 500, 500, 5.76757629019e27)],
)  # fmt: skip
def test_bayes_factors_are_those_of_r(t: float, n1: int, n2: int, bf10: float) -> None:
    """The JZS Bayes factor is that of BayesFactor 0.9.12 (ttest.tstat, scale 0.707), also of small and huge effects."""
    assert 1 / bayes_factor_01(t, n1, n2) == pytest.approx(bf10, rel=1e-9)


@given(st.floats(-2, 2), st.floats(0.05, 1), st.floats(3, 200), st.floats(0.1, 2))
def test_equivalence_is_the_90_percent_interval_within_the_bound(
    value: float, se: float, df: float, bound: float
) -> None:
    """The two one-sided tests reject exactly where the 90 % interval lies within plus and minus the bound."""
    one = estimated(value, se, df)
    equal = check_equivalence(one, bound)
    if abs(equal.p - 0.05) > 1e-9:
        assert equal.is_shown == (-bound < equal.low and equal.high < bound)


@given(st.floats(-3, 3), st.floats(0.05, 1), st.floats(3, 200))
def test_p_and_interval_agree(value: float, se: float, df: float) -> None:
    """The p value is below .05 exactly where the 95 % interval leaves 0 out."""
    one = estimated(value, se, df)
    low, high = one.interval()
    if abs(one.p - 0.05) > 1e-9:
        assert (one.p < 0.05) == (low > 0 or high < 0)


def test_holm_is_the_published_example() -> None:
    """The smallest p is multiplied by the number of tests, the next by one less, and order stays."""
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )


def test_a_permutation_test_has_the_t_tests_p_where_that_holds() -> None:
    """On normal differences the p of shuffled sequences is near the t test's; without any effect it is near 1."""
    rng = np.random.default_rng(3)
    first, second = rng.normal(-0.6, 1, 20), rng.normal(0.2, 1, 20)
    from scipy.stats import ttest_ind

    assert permutation_p(list(first), list(second), 1) == pytest.approx(ttest_ind(first, second).pvalue, abs=0.01)
    assert permutation_p([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 1) == 1.0


def test_blinding_indices_are_the_published_ones() -> None:
    """CRISP (Bang, Ni & Davis 2004, table 7): James 0.748 with standard error 0.0217, Bang 0.206 and 0.014."""
    lovastatin, placebo = Guesses("lovastatin", 82, 25, 170), Guesses("placebo", 29, 27, 83)
    both = james(lovastatin, placebo)
    assert both.value == pytest.approx(0.7479275374516074)
    assert (both.high - both.low) / 2 / 1.959963984540054 == pytest.approx(0.021737398, rel=1e-6)
    assert [round(bang(arm).value, 3) for arm in (lovastatin, placebo)] == [0.206, 0.014]


@given(counts, counts)
def test_blinding_indices_keep_their_ends(first: int, second: int) -> None:
    """All right is 0 (James) and 1 (Bang), nobody can tell is 1 and 0, chance is 0.5 and 0."""
    known = Guesses("a", first, 0, 0), Guesses("b", second, 0, 0)
    unsure = Guesses("a", 0, 0, first), Guesses("b", 0, 0, second)
    chance = Guesses("a", first, first, 0), Guesses("b", first, first, 0)
    assert [round(james(*arms).value, 9) for arms in (known, unsure, chance)] == [0.0, 1.0, 0.5]
    assert [bang(arms[0]).value for arms in (known, unsure, chance)] == [1.0, 0.0, 0.0]


@given(st.lists(st.integers(0, 50), min_size=6, max_size=6).filter(lambda six: sum(six[:3]) and sum(six[3:])))
def test_intervals_of_indices_hold_them(six: list[int]) -> None:
    """Whatever was guessed, an index lies within its interval, and that within the index's range."""
    arms = Guesses("a", *six[:3]), Guesses("b", *six[3:])
    for one, least in ((james(*arms), 0.0), (bang(arms[0]), -1.0)):
        assert least - 1e-9 <= one.low <= one.value + 1e-9
        assert one.value - 1e-9 <= one.high <= 1 + 1e-9


@pytest.mark.parametrize(
    ("people", "effect", "expected"), [(31, 0.2, 0.285), (31, 0.32, 0.604), (80, 0.2, 0.626), (120, 0.2, 0.801)]
)
def test_power_is_that_of_the_noncentral_t(people: int, effect: float, expected: float) -> None:
    """Power equals scipy's noncentral t distribution's, for effects between groups at a correlation of .7."""
    from scipy.stats import nct, t

    d_z = effect / math.sqrt(2 * (1 - 0.7))
    bound, shift = t.ppf(0.975, people - 2), d_z * math.sqrt(people)
    exact = nct.sf(bound, people - 2, shift) + nct.cdf(-bound, people - 2, shift)
    assert power(people, d_z) == pytest.approx(exact, abs=2e-5)
    assert power(people, d_z) == pytest.approx(expected, abs=0.001)


def test_power_of_equivalence_is_what_simulation_finds() -> None:
    """How often 31 participants show equivalence within 0.5 SD, if there is no effect: as in 20,000 drawn studies."""
    from scipy.stats import t

    rng = np.random.default_rng(1)
    estimates = rng.normal(0, 1 / math.sqrt(31), 20_000)
    ses = np.sqrt(rng.chisquare(29, 20_000) / 29 / 31)
    shown = np.mean(np.abs(estimates) + t.ppf(0.95, 29) * ses < 0.5)
    assert equivalence_power(31, 0.5) == pytest.approx(shown, abs=0.012)
    assert equivalence_power(31, 0.5, effect=0.5) == pytest.approx(0.05, abs=0.002)
