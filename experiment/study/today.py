"""Today's list, to be printed: sessions, doses, reports in the order of the day, and what waits for somebody. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from msgspec import Struct

from experiment.study.needs import Kind, Need
from experiment.study.status import StatusRow


class Errand(Struct, frozen=True):
    """What somebody does for a participant: `at` a time of day (HH:MM), or "" whenever it suits."""

    at: str
    subject: str
    stratum: str
    now: str
    text: str


class ErrandList(Struct, frozen=True):
    """Errands of a kind, in order, under their title."""

    title: str
    errands: tuple[Errand, ...]


def todays_list(lines: Sequence[StatusRow]) -> list[ErrandList]:
    """The lists that are not empty: what is overdue first, then by the hours of the day, then what is to be decided."""
    overdue = ErrandList("Overdue", _errands(lines, get_args(Kind), is_overdue=True))
    by_kind = (ErrandList(title, _errands(lines, kinds)) for title, kinds in _TITLES.items())
    return [one for one in (overdue, *by_kind) if one.errands]


_TITLES: dict[str, tuple[Kind, ...]] = {
    "Sessions": ("session",),
    "Doses to record": ("dose",),
    "Daily reports that are not in": ("report",),
    "To be decided": ("consent", "start"),
}


def _errands(lines: Sequence[StatusRow], kinds: Sequence[Kind], *, is_overdue: bool = False) -> tuple[Errand, ...]:
    found = [
        Errand("" if is_overdue else need.at, line.subject, line.stratum, line.now, _text(need))
        for line in lines
        for need in line.needs
        if need.is_overdue == is_overdue and need.kind in kinds
    ]
    return tuple(sorted(found, key=lambda one: (one.at, one.subject)))


def _text(need: Need) -> str:
    """Less the time, which stands apart; with what the gate says against it."""
    text = need.text.replace(f" {need.at}", "", 1) if need.at and not need.is_overdue else need.text
    return f"{text}. Needs a reason: {need.against.replace(chr(10), ' ')}" if need.against else text
