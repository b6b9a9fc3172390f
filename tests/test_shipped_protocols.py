"""The protocols that come with the program: each is whole, in its own language to the last word, and can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from babel import Locale
from babel.localedata import locale_identifiers

from experiment.design.language import is_right_to_left
from experiment.design.message import read_messages
from experiment.design.protocol import read_daily, read_protocol
from experiment.design.protocol_files import find_shipped
from experiment.drawing.scripts import direction_of
from experiment.drawing.stimuli import draw_pictures
from experiment.record.dataset import DataSet
from experiment.replay.verify import verify
from experiment.reports.words import check_language, direction
from experiment.session.plan import plan_session
from experiment.session.run import run_simulated
from experiment.task.layout import Layout
from tests.places import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHIPPED = find_shipped()
LANGUAGES = ("de", "es", "fr", "zh", "ar")
MESSAGES, SCAN_MESSAGES = (read_messages(EXAMPLES / name) for name in ("english.csv", "scan.csv"))


def words(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text that people read, with its place."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from words(one, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from words(one, f"{place}.{number}")
    elif isinstance(value, str):
        yield place, value


def read_words(path: Path) -> dict[str, str]:
    """What is read in a protocol: pages, questions, labels and daily reports, but no names of columns or keys."""
    protocol, daily = msgspec.to_builtins(read_protocol(path)), msgspec.to_builtins(read_daily(path))
    sections = {name: protocol[name] for name in ("rating", "practice", "wording", "assistant", "guess", "funnel")}
    fixed = ("choose", "id", "kind", "block", "question_order", "after", "low_end", "fixation", "date", "time")
    every = {**dict(words(sections)), **dict(words(daily, ".daily"))}
    return {
        place: text
        for place, text in every.items()
        if place.rpartition(".")[2] not in fixed
        and not place.endswith((".opens", ".closes", ".yesterday_until", ".daily.language"))
    }


def test_a_protocol_comes_in_every_language() -> None:
    """English, the registered items, and five other languages are there by name."""
    assert {"en", "registered", *LANGUAGES} <= set(SHIPPED)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_each_can_be_run(name: str, tmp_path: Path) -> None:
    """Everything in it fits the smallest screen, a session with it is complete, and its replay is the same session."""
    protocol, data = read_protocol(SHIPPED[name]), DataSet(tmp_path)
    messages = SCAN_MESSAGES if name == "scan" else MESSAGES
    draw_pictures(protocol, messages, Layout(1280, 720), is_checked=True)
    data.prepare()
    plan = plan_session(
        "simulate", protocol, messages, data, subject="sim1", session=2, seed=1, operator="simulate",
        participant="quick",
    )  # fmt: skip
    assert run_simulated(plan).status == "completed"
    assert verify(plan.transcript, pilot=True).is_wanting is False


@pytest.mark.parametrize("name", LANGUAGES)
def test_nothing_is_left_in_english(name: str) -> None:
    """No text that people read is the English one, and each has the same questions, choices and kinds of answers."""
    english, own = read_words(SHIPPED["en"]), read_words(SHIPPED[name])
    assert set(own) == set(english)
    same = {place: text for place, text in own.items() if text == english[place] and any(map(str.isalpha, text))}
    assert set(same) <= {".funnel.questions.1.choices.0"}, same  # "no" is Spanish, too
    assert read_protocol(SHIPPED[name]).language == name
    daily = read_daily(SHIPPED[name])
    check_language(daily)
    assert direction(daily) == direction_of(daily.wording.thanks) == ("rtl" if name == "ar" else "ltr")


@pytest.mark.parametrize("name", LANGUAGES)
def test_tables_do_not_tell_the_languages_apart(name: str) -> None:
    """Columns, scales and the places of choices are the same in every language, so that one table holds them all."""
    assert columns(name) == columns("en")


def columns(name: str) -> list[tuple[Any, ...]]:
    """What a protocol's tables have, whatever its language."""
    protocol, daily = read_protocol(SHIPPED[name]), read_daily(SHIPPED[name])
    assert protocol.guess
    assert protocol.funnel
    asked = (*protocol.assistant, *protocol.guess.questions, *protocol.funnel.questions)
    return [
        *((one.id, protocol.rating.points) for one in protocol.rating.questions),
        *((one.id, one.kind, len(one.choices), one.required, one.minimum, one.maximum) for one in asked),
        *((one.id, one.block, one.points, one.reversed) for one in daily.items),
    ]


def test_languages_are_written_as_unicode_has_it() -> None:
    """Each of the languages that CLDR knows is written the way CLDR says."""
    tags = [tag for tag in locale_identifiers() if tag != "root"]
    written = {tag: Locale.parse(tag).text_direction == "rtl" for tag in tags}
    assert len(tags) > 1000
    assert {tag: is_right_to_left(tag.replace("_", "-")) for tag in tags} == written
