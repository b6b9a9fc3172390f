"""Orders drawn from a seed: things sorted by the digest of their names, the same on every computer and ever after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

ORDERS = 99  # drawn at most until one is new

Key = Callable[..., str]
"""The digest of something's name, by which things are sorted."""


def key_of(*why: object) -> Key:
    """The key of a draw, by what it is for: seed, subject, session ..."""
    return lambda *what: sha256("/".join(map(str, (*why, *what))).encode()).hexdigest()


def draw_order(names: Sequence[str], key: Key, *what: object) -> list[str]:
    """The names in the order of a draw; `what`: the kind of things they name, and which draw it is."""
    return sorted(names, key=lambda name: key(*what, name))


def draw_new_order(names: Sequence[str], keys: Sequence[Key], what: str) -> list[str]:
    """The order of the last of the sessions with these keys: unlike those of the others, where there are that many."""
    orders: list[list[str]] = []
    for key in keys:
        draws = (draw_order(names, key, what, *([number] if number else [])) for number in range(ORDERS))
        orders.append(next((order for order in draws if order not in orders), draw_order(names, key, what)))
    return orders[-1]


def rotate(names: Sequence[str], by: int) -> list[str]:
    """A row of a Latin square: as many of them in a row as there are names have each name once in each place."""
    at = by % len(names)
    return [*names[at:], *names[:at]]
