"""The allocation: balanced at any time, no easier to guess than its blocks make it, and kits that say nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import accumulate
from math import sqrt
from statistics import fmean, stdev

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment.errors import BadInput
from experiment.storage.readable_code import CHARACTERS
from experiment.study import allocation
from experiment.study.allocation import ORDERS, Order, Slot, check_kit, draw, packing_rows
from experiment.study.study_file import Study, StudyClock

STUDIES = 10_000
SIZES, PLACES = (2, 4, 6), 10
STUDY = Study("Invented", PLACES, ("north", "south"), ("drug", "placebo"), SIZES, 1, StudyClock("Europe/Berlin"))
ERRORS = 4.0  # standard errors: by chance, fewer than one test in ten thousand is further away

States = Mapping[tuple[int, int], float]  # how many AB and BA are left in the running block, and how likely that is

studies = st.builds(
    Study,
    name=st.just("Invented"),
    participants=st.integers(1, 40),
    strata=st.sampled_from([("one",), ("north", "south"), ("a", "b", "c")]),
    treatments=st.just(("drug", "placebo")),
    block_sizes=st.lists(st.sampled_from([2, 4, 6, 8, 20]), min_size=2, max_size=4, unique=True).map(tuple),
    seed=st.integers(0, 2**40),
    clock=st.just(StudyClock("UTC")),
)
secrets = st.binary(min_size=32, max_size=32)


@pytest.fixture(scope="module")
def many() -> list[tuple[Slot, ...]]:
    """The allocations of ten thousand studies of one plan."""
    return [draw(STUDY, sha256(b"%d" % number).digest()) for number in range(STUDIES)]


def by_stratum(study: Study, slots: Sequence[Slot]) -> Iterator[list[Order]]:
    """The orders of each stratum, in the order of its places."""
    return ([slot.order for slot in slots if slot.stratum == stratum] for stratum in study.strata)


def imbalance(orders: Sequence[Order]) -> int:
    """By how many the orders differ at most, at any time."""
    return max(abs(difference) for difference in accumulate(1 if order == "AB" else -1 for order in orders))


def new_block(chance: float = 1.0) -> dict[tuple[int, int], float]:
    """A block of any size begins."""
    return {(size // 2, size // 2): chance / len(SIZES) for size in SIZES}


def chances(states: States) -> tuple[float, float]:
    """How likely the next order is AB, and BA, each times how likely the states are."""
    first = sum(chance * left / (left + other) for (left, other), chance in states.items())
    return first, sum(states.values()) - first


def after(states: States, order: Order) -> States:
    """The states after this order was seen, each as likely as the two together."""
    found: dict[tuple[int, int], float] = defaultdict(float)
    for (first, second), chance in states.items():
        left, rest = (first, (first - 1, second)) if order == "AB" else (second, (first, second - 1))
        seen = chance * left / (first + second)
        for state, share in (new_block(seen) if rest == (0, 0) else {rest: seen}).items():
            if share:
                found[state] += share
    return found


def best_hits(states: States, places: int) -> float:
    """How many of the next places the best guesser hits on average: who knows the block sizes and all that was."""
    if places == 0:
        return 0.0
    return max(chances(states)) + sum(best_hits(after(states, order), places - 1) for order in ORDERS)


@cache
def known(past: tuple[Order, ...]) -> States:
    """What the best guesser knows after these orders."""
    return after(known(past[:-1]), past[-1]) if past else new_block()


def hits(orders: Sequence[Order]) -> int:
    """How many of the orders the best guesser hits."""
    guesses = (ORDERS[chances(known(tuple(orders[:place])))[1] > chances(known(tuple(orders[:place])))[0]]
               for place in range(len(orders)))  # fmt: skip
    return sum(guess == order for guess, order in zip(guesses, orders, strict=True))


def test_the_orders_are_balanced_at_any_time(many: list[tuple[Slot, ...]]) -> None:
    """In ten thousand studies the orders of a stratum never differ by more than half a block, and come to that."""
    worst = [imbalance(orders) for slots in many for orders in by_stratum(STUDY, slots)]
    assert max(worst) == max(SIZES) // 2


def test_the_next_order_cannot_be_predicted_better_than_the_blocks_allow(many: list[tuple[Slot, ...]]) -> None:
    """Who knows all past orders and the block sizes hits as often as reckoned from the blocks, and no more often."""
    hit = [float(hits(orders)) for slots in many for orders in by_stratum(STUDY, slots)]
    assert abs(fmean(hit) - best_hits(new_block(), PLACES)) < ERRORS * stdev(hit) / sqrt(len(hit))


def test_every_place_is_as_likely_ab_as_ba(many: list[tuple[Slot, ...]]) -> None:
    """No place in no stratum leans to an order, and strata do not go together."""
    for place in range(2 * PLACES):
        share = fmean(slots[place].order == "AB" for slots in many)
        assert abs(share - 0.5) < ERRORS * 0.5 / sqrt(STUDIES)
    same = fmean(slots[0].order == slots[PLACES].order for slots in many)
    assert abs(same - 0.5) < ERRORS * 0.5 / sqrt(STUDIES)


@pytest.mark.parametrize(
    "rule",
    [
        lambda kits: kits[0] < kits[1],
        lambda kits: CHARACTERS.index(kits[0][-1]) % 2,
        lambda kits: CHARACTERS.index(kits[1][0]) % 2,
        lambda kits: sum(map(CHARACTERS.index, kits[0])) % 2,
        lambda kits: sum(map(CHARACTERS.index, kits[0] + kits[1])) % 2,
        lambda kits: kits[0][0].isdigit(),
        lambda kits: sum(map(str.isdigit, kits[0])) > sum(map(str.isdigit, kits[1])),
        lambda kits: sha256("".join(kits).encode()).digest()[0] % 2,
    ],
)
def test_kits_say_nothing(many: list[tuple[Slot, ...]], rule: Callable[[tuple[str, str]], bool]) -> None:
    """Whoever guesses by the kits' order, parity or letters is right half of the time."""
    hit = [bool(rule(slot.kits)) == (slot.order == "AB") for slots in many for slot in slots]
    assert abs(fmean(hit) - 0.5) < ERRORS * 0.5 / sqrt(len(hit))


def test_the_kits_would_be_the_same_with_other_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """What everybody sees is drawn without a look at the orders, so it is possible with any of them."""
    before = draw(STUDY, b"secret")
    monkeypatch.setattr(allocation, "_orders", lambda study, _key, _stratum: ["AB"] * study.participants)
    assert [slot.kits for slot in draw(STUDY, b"secret")] == [slot.kits for slot in before]


def test_it_is_the_same_on_every_computer() -> None:
    """A plan and a secret give this very allocation, now and in ten years."""
    slots = msgspec.json.encode(draw(STUDY, bytes(range(32))))
    assert sha256(slots).hexdigest() == "b4e9fb82a7da4a8393ac7d7c1100dd8bb437ffa169a365f8f90ca5cd6c613c7b"


@given(studies, secrets)
def test_every_study_has_its_places(study: Study, secret: bytes) -> None:
    """Strata in turn, places from 1, kits once, balanced, and the same again."""
    slots = draw(study, secret)
    kits = [kit for slot in slots for kit in slot.kits]
    assert [(slot.stratum, slot.place) for slot in slots] == [
        (stratum, place) for stratum in study.strata for place in range(1, study.participants + 1)
    ]
    assert len(set(kits)) == len(kits)
    assert [check_kit(kit) for kit in kits] == kits
    assert all(imbalance(orders) <= max(study.block_sizes) // 2 for orders in by_stratum(study, slots))
    assert draw(study, secret) == slots


@given(secrets, secrets, st.integers(0, 9))
def test_the_seed_alone_tells_nothing(secret: bytes, other: bytes, seed: int) -> None:
    """Another secret gives other kits with the same seed, and another seed other ones with the same secret."""
    kits = {slot.kits for slot in draw(STUDY, secret)}
    if secret != other:
        assert not kits & {slot.kits for slot in draw(STUDY, other)}
    assert not kits & {slot.kits for slot in draw(msgspec.structs.replace(STUDY, seed=seed + 2), secret)}


@given(studies, secrets)
def test_the_packing_list_holds_every_kit_once(study: Study, secret: bytes) -> None:
    """Sorted by kit, with the treatment that the place's order has in that course."""
    slots, kits = draw(study, secret), packing_rows(study, draw(study, secret))
    assert [one.kit for one in kits] == sorted(kit for slot in slots for kit in slot.kits)
    treatment = {one.kit: one.treatment for one in kits}
    for slot in slots:
        found = tuple(treatment[kit] for kit in slot.kits)
        assert found == (("drug", "placebo") if slot.order == "AB" else ("placebo", "drug"))


@given(st.data(), secrets)
def test_a_mistyped_kit_is_noticed(data: st.DataObject, secret: bytes) -> None:
    """One wrong character, or any two that changed places, make no kit; small letters and gaps are no mistake."""
    kit = draw(STUDY, secret)[0].kits[0]
    at, other = data.draw(st.lists(st.integers(0, 5), min_size=2, max_size=2, unique=True))
    wrong = data.draw(st.sampled_from([one for one in CHARACTERS if one != kit[at]]))
    with pytest.raises(BadInput, match="read the label again"):
        check_kit(kit[:at] + wrong + kit[at + 1 :])
    swapped = list(kit)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    if swapped != list(kit):
        with pytest.raises(BadInput, match="read the label again"):
            check_kit("".join(swapped))
    assert check_kit(f" {kit[:3].lower()}-{kit[3:]}") == kit


@pytest.mark.parametrize("typed", ["", "017", "O0I1L1", "2222222", "22222", "ééééé2"])
def test_what_is_no_kit_is_refused(typed: str) -> None:
    """Other lengths and characters are no kit's number."""
    with pytest.raises(BadInput, match="not a valid kit number"):
        check_kit(typed)


def test_a_slot_does_not_show_what_it_holds() -> None:
    """Printed, as in an error, neither slot nor kit tells what is hidden."""
    slots = draw(STUDY, b"secret")
    shown = f"{slots} {packing_rows(STUDY, slots)}"
    assert not any(hidden in shown for hidden in ("AB", "BA", "drug", "placebo"))


def test_a_study_that_is_too_large_is_refused() -> None:
    """There are not kits enough for everybody."""
    huge = msgspec.structs.replace(STUDY, participants=9_999, strata=tuple(f"s{number}" for number in range(11)))
    with pytest.raises(BadInput, match="at most 100000 places"):
        draw(huge, b"secret")
