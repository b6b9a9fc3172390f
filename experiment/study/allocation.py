"""Who gets which order of the two treatments, and which kits: permuted blocks of random sizes within strata. Pure.

Everything follows from the plan's seed and a secret of 32 bytes, by HMAC-SHA256, the same on every computer. The seed
stands in the plan for all to see and reveals nothing: without the secret, which lies only in the sealed allocation,
every order is as likely as the blocks allow. Kits are drawn by another key than orders, so the kits, which everybody
sees, would be the same whatever the orders are.

Blocks: Matts & Lachin (1988), Controlled Clinical Trials 9:327.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from itertools import count
from typing import Literal

from msgspec import Struct

from experiment.errors import BadInput
from experiment.storage.readable_code import CHARACTERS, read_code, write_code
from experiment.study.study_file import Study

Order = Literal["AB", "BA"]

ORDERS: tuple[Order, Order] = ("AB", "BA")
DRAWN = 5  # characters of a kit; the sixth checks them
MOST_PLACES = 100_000  # of all strata: beyond, unused kits would be long to find


class Slot(Struct, frozen=True):
    """A participant's place in a stratum, from 1: the order ("AB": the first of the treatments first) and its kits.

    `kits`: those of course 1 and course 2.
    """

    stratum: str
    place: int
    order: Order
    kits: tuple[str, str]

    def __repr__(self) -> str:
        """Neither order nor kits, so that no error and no log can tell them."""
        return f"Slot({self.stratum!r}, {self.place})"


class Packed(Struct, frozen=True):
    """A kit as the pharmacy fills it. It is sorted by kit, so it does not tell whose two kits belong together."""

    kit: str
    stratum: str
    course: int
    treatment: str

    def __repr__(self) -> str:
        """The kit only."""
        return f"Packed({self.kit!r})"


def draw(study: Study, secret: bytes) -> tuple[Slot, ...]:
    """All places of all strata, in order; BadInput for a study that is too large."""
    if len(study.strata) * study.participants > MOST_PLACES:
        raise BadInput(f"A study can have at most {MOST_PLACES} places in all strata. Choose fewer participants.")
    kits = _kits(_subkey(study, secret, "kits"))
    key = _subkey(study, secret, "orders")
    return tuple(
        Slot(stratum, place, order, (next(kits), next(kits)))
        for stratum in study.strata
        for place, order in enumerate(_orders(study, key, stratum), start=1)
    )


def packing_rows(study: Study, slots: tuple[Slot, ...]) -> tuple[Packed, ...]:
    """The packing list, sorted by kit."""
    kits = (
        Packed(kit, slot.stratum, course, treatment)
        for slot in slots
        for course, (kit, treatment) in enumerate(zip(slot.kits, treatments(study, slot.order), strict=True), start=1)
    )
    return tuple(sorted(kits, key=lambda one: one.kit))


def treatments(study: Study, order: Order) -> tuple[str, str]:
    """The treatments of course 1 and course 2."""
    first, second = study.treatments
    return (first, second) if order == "AB" else (second, first)


def check_kit(typed: str) -> str:
    """The kit that somebody typed, in capital letters; BadInput if a character is wrong. Hyphens and blanks may be."""
    kit = read_code(typed, DRAWN + 1)
    if kit is None:
        raise BadInput(
            f"{typed!r} is not a valid kit number: it has {DRAWN + 1} characters, all of them among {CHARACTERS}, and "
            "the last one checks the others. Please read the label again."
        )
    return kit


def _orders(study: Study, key: bytes, stratum: str) -> list[Order]:
    """The orders of a stratum: blocks of random sizes, half and half in a random order; the last may be cut."""
    orders: list[Order] = []
    for block in count():
        if len(orders) >= study.participants:
            break
        size = study.block_sizes[_number(key, stratum, block, "size") % len(study.block_sizes)]
        both = ORDERS * (size // 2)
        drawn = sorted(range(size), key=lambda one: _number(key, stratum, block, one))
        orders += (both[one] for one in drawn)
    return orders[: study.participants]


def _kits(key: bytes) -> Iterator[str]:
    """Kits, each of them once, in no order at all."""
    given = set[str]()
    for number in count():
        kit = write_code(_number(key, number), DRAWN)
        if kit not in given:
            given.add(kit)
            yield kit


def _subkey(study: Study, secret: bytes, use: str) -> bytes:
    return hmac.digest(secret, f"{use}/{study.seed}".encode(), "sha256")


def _number(key: bytes, *what: object) -> int:
    """A number below 2 to the 256th, so that its rest by a small one is even to the last digit."""
    return int.from_bytes(hmac.digest(key, "/".join(map(str, what)).encode(), "sha256"), "big")
