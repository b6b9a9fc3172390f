"""Every pattern that sees foreign text takes time in proportion to its length, however the text was made."""

from __future__ import annotations

import gc
import importlib
import itertools
import pkgutil
import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from time import thread_time
from typing import Any

import pytest
import regex

import experiment.messages

ROOT = Path(__file__).parents[1] / "experiment"
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))
OTHERS = ("design.message", "design.session", "drawing.scripts", "storage.toml", "storage.encryption")
KINDS = (re.Pattern, regex.Pattern)
METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split")
USED = set(re.findall(rf"\b(\w+)(?:\[\w+\])?\.({'|'.join(METHODS)})\b", SOURCE))  # names with their methods
SHORT = 500  # characters: what is linear takes a fraction of a millisecond, what is quadratic many
LONG, MOST = 4_000, 12  # characters, and how many times as long ten times as many may take
# What texts are made of: letters, signs and the beginnings of what the patterns look for.
PIECES = (
    *" aA1?!.>=/_-+'\"&{(<,\n\t\u00a0가愛あ🇩\u0301\u200dกאÃâ\u2067\u202e\ufe0f",
    *(
        "a ",
        "a/",
        "a.",
        "a_",
        "?a",
        "? ",
        "<p a=",
        "<p ",
        "</p ",
        "&#1",
        "&a",
        "=\n",
        "\\u",
        "_x0041_",
        "_x00",
        "${a://",
    ),
    *("www.", "https://", "participant ", "participant id ", "no a ", "On aaaaaa ", "[1/1/11, 1:11] "),
    *("1/1/11, 1:11 - a", "{ ", '{ "ImportId', "a'", "l·", "-> "),
)


def patterns() -> Iterator[tuple[str, Any]]:
    """Every compiled pattern of the modules that see foreign text, by module and name; also those in tuples."""
    found = pkgutil.walk_packages(experiment.messages.__path__, "experiment.messages.")
    for module in (*(one.name for one in found), *(f"experiment.{name}" for name in OTHERS)):
        for name, value in vars(importlib.import_module(module)).items():
            for at, one in enumerate(flat(value)):
                yield f"{module.removeprefix('experiment.')}.{name}.{at}", one


def flat(value: object) -> Iterator[Any]:
    """The patterns in a value."""
    if isinstance(value, KINDS):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from flat(one)
    elif isinstance(value, dict):
        yield from flat(tuple(value.values())[:1])


UNIQUE = {id(one): (name, one) for name, one in patterns()}


def uses(name: str, pattern: Any) -> list[Callable[[str], object]]:
    """What the program does with a pattern of this name."""
    own = name.split(".")[-2]
    found = [method for method in METHODS if (own, method) in USED] or ["finditer"]
    if own == "BEGINNINGS":  # of files, before they are decoded
        return [lambda text: pattern.match(text.encode("utf-8", "surrogatepass"))]
    return [use(pattern, method) for method in found]


def use(pattern: Any, method: str) -> Callable[[str], object]:
    """A pattern's method, all of whose results are looked at and none kept: memory is not what is measured."""
    if method in {"sub", "subn"}:
        return lambda text: getattr(pattern, method)("", text)
    if method in {"finditer", "findall"}:
        return lambda text: deque(pattern.finditer(text), 0)
    bound: Callable[[str], object] = getattr(pattern, method)
    return bound


def attack(begin: str, pump: str, end: str, length: int) -> str:
    """A text of about this length."""
    return begin + pump * (length // len(pump)) + end


def took_s(use: Callable[[str], object], text: str, times: int = 1) -> float:
    """The shortest of some runs, by the processor's time."""
    best = 9e9
    for _ in range(times):
        start = thread_time()
        use(text)
        best = min(best, thread_time() - start)
    return best


@pytest.fixture
def no_collection() -> Iterator[None]:
    """No garbage collection, which takes the longer the more there is."""
    gc.disable()
    yield
    gc.enable()


def test_there_are_many() -> None:
    """The search for patterns finds those that it is about."""
    assert len(UNIQUE) > 60


@pytest.mark.parametrize("name", [name for name, _ in UNIQUE.values()])
@pytest.mark.usefixtures("no_collection")
def test_ten_times_the_text_takes_at_most_twelve_times_as_long(name: str) -> None:
    """Of thousands of texts made to be slow, the five slowest grow as their length does, and not as its square."""
    pattern = next(one for known, one in UNIQUE.values() if known == name)
    every = list(itertools.product(("", *PIECES), PIECES, ("", "!")))
    for used in uses(name, pattern):
        took = {made: took_s(used, attack(made[0], made[1], made[2], SHORT)) for made in every}
        for made in sorted(every, key=lambda one: -took[one])[:5]:
            for _ in range(5):  # a busy computer may stop one for a while
                short, long = (took_s(used, attack(*made, LONG * times), 5) for times in (1, 10))
                if grew := long <= MOST * short or long < 0.002:
                    break
            assert grew, (made, short, long)
