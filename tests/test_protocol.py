"""The protocol file: what is wrong with one is said before a window opens, in the file's own terms."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.columns import SESSIONS_COLUMNS, TRIAL_COLUMNS
from experiment.design.protocol import Protocol, read_protocol
from experiment.errors import BadInput
from experiment.record import data_dictionary
from experiment.task import scenes
from tests.strategies import PROTOCOL

TEXT = (Path(__file__).parents[1] / "stimuli" / "protocol.toml").read_text(encoding="utf-8")


def content() -> dict[str, Any]:
    """The lab's protocol as TOML has it."""
    read: dict[str, Any] = msgspec.toml.decode(TEXT)
    return read


def as_toml(value: Any) -> str:
    """A value on one line of TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_toml(name)} = {as_toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, date):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def written(folder: Path, changed: dict[str, Any]) -> Path:
    """A protocol file with this content."""
    path = folder / "changed.toml"
    path.write_text("".join(f"{name} = {as_toml(value)}\n" for name, value in changed.items()), encoding="utf-8")
    return path


def with_value(key: str, value: Any) -> dict[str, Any]:
    """The lab's protocol with another value at a key such as `rating.questions.0.id`; without it for None."""
    changed: dict[str, Any] = content()
    *path, last = [int(name) if name.isdigit() else name for name in key.split(".")]
    place: Any = changed
    for name in path:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return changed


def test_the_labs_protocol_is_read() -> None:
    """The protocol that comes with the program is the study's: six messages, two questions of seven points."""
    assert (PROTOCOL.sessions, PROTOCOL.messages, PROTOCOL.rating.points) == (2, 6, 7)
    assert [question.id for question in PROTOCOL.rating.questions] == ["connection", "pleasure"]
    assert PROTOCOL.keys.pause == "ctrl+shift+p"


NAN, INF = float("nan"), float("inf")
NUMBER = {"id": "n", "text": "N", "kind": "number"}


@pytest.mark.parametrize(
    ("key", "value", "place", "expected", "found"),
    [
        # a key that does not exist, or is not there
        ("extra", 1, "extra", "no such key", "1"),
        ("timing.fixaton_s", 1.0, "timing.fixaton_s", "no such key", "1.0"),
        ("rating.questions.1.colour", "red", "rating.questions[1].colour", "no such key", "'red'"),
        ("timing", None, "timing", "a value", "(nothing)"),
        ("wording.pause", None, "wording.pause", "a value", "(nothing)"),
        ("rating.questions.1.low", None, "rating.questions[1].low", "a value", "(nothing)"),
        # the wrong type
        ("timing.fixation_s", "1", "timing.fixation_s", "`float`, got `str`", "'1'"),
        ("timing.fixation_s", True, "timing.fixation_s", "`float`, got `bool`", "True"),
        ("rating.points", 7.5, "rating.points", "`int`, got `float`", "7.5"),
        ("wording.instructions", "One", "wording.instructions", "`array`, got `str`", "'One'"),
        ("display", 3, "display", "`object`, got `int`", "3"),
        # impossible values
        ("timing.fixation_s", -1, "timing.fixation_s", ">= 0", "-1"),
        ("timing.fixation_s", NAN, "timing.fixation_s", ">= 0", "nan"),
        ("timing.blank_s", INF, "timing.blank_s", "<= 3600", "inf"),
        ("timing.message_maximum_s", 5.0, "timing", "message_maximum_s above message_minimum_s (5.0)", "{"),
        ("timing.message_maximum_s", NAN, "timing.message_maximum_s", ">= 0", "nan"),
        ("timing.rating_maximum_s", 0, "timing", "rating_maximum_s above 0", "{"),
        ("rating.points", 1, "rating.points", ">= 2", "1"),
        ("rating.points", 10, "rating.points", "<= 9", "10"),
        ("rating.questions", [], "rating.questions", "length >= 1", "[]"),
        ("rating.question_order", "random", "rating.question_order", "one of the words", "'random'"),
        ("sessions", 0, "sessions", ">= 1", "0"),
        ("messages", -6, "messages", ">= 1", "-6"),
        ("messages", 2**62, "messages", "<= 99", str(2**62)),
        ("display.ink", "black", "display.ink", "matching regex", "'black'"),
        ("display.ink", "#26231F\n", "display.ink", "matching regex", r"'#26231F\n'"),
        ("task", "loved-ones", "task", "matching regex", "'loved-ones'"),
        ("task", "lovedones\n", "task", "matching regex", r"'lovedones\n'"),
        ("language", "English", "language", "matching regex", "'English'"),
        ("wording.welcome", "", "wording.welcome", "length >= 1", "''"),
        ("rating.questions.0.id", "How connected", "rating.questions[0].id", "matching regex", "'How connected'"),
        # names that are taken
        ("rating.questions.1.id", "connection", "rating", "differ, got 'connection' twice", "{"),
        ("rating.questions.1.id", "trial", "rating", "no other column of the table, got 'trial'", "{"),
        ("rating.questions.1.id", "connection_rt", "rating", "no other column of the table", "{"),
        ("assistant.1.id", "notes", "the whole file", "differ, got 'notes' twice", "{"),
        ("assistant.1.id", "session_id", "the whole file", "no other column, got 'session_id'", "{"),
        # keys
        ("keys.resume", "w", "keys", "differ, got 'w' twice", "{"),
        ("keys.left", ["left", "left"], "keys", "differ, got 'left' twice", "{"),
        ("keys.confirm", ["enter"], "keys", "the name of a key, such as 'space' or 'left', got 'enter'", "{"),
        ("keys.confirm", ["7"], "keys", "other than the digits", "{"),
        ("keys.confirm", [], "keys.confirm", "length >= 1", "[]"),
        ("keys.resume", "escape", "keys", "the name of a key", "{"),
        ("keys.reasons", {"withdrew": "w"}, "keys", "each of the reasons", "{"),
        ("keys.reasons.tired", "x", "keys.reasons", "one of the words", "{"),
        ("keys.pause", "p", "keys", "two modifiers and a key", "{"),
        ("keys.pause", "ctrl+p", "keys", "two modifiers and a key", "{"),
        ("keys.pause", "ctrl+ctrl+p", "keys", "two modifiers and a key", "{"),
        ("keys.pause", "ctrl+shift+alt", "keys", "two modifiers and a key", "{"),
        ("keys.pause", "", "keys", "two modifiers and a key", "{"),
        ("keys.pause", "ctrl+shift+escape", "keys", "no operating system takes", "{"),
        ("keys.pause", "alt+ctrl+delete", "keys", "no operating system takes", "{"),
        ("keys.pause", "ctrl+shift+space", "keys", "no other use", "{"),
        ("keys.pause", "ctrl+shift+5", "keys", "no other use", "{"),
        # braces that cannot be filled in
        ("wording.pause.page", "Press {resme}", "wording.pause", "`page` no braces but {resume}", "{"),
        ("wording.pause.page", "Why: {reason}", "wording.pause", "got {reason}", "{"),
        ("wording.pause.ending", "Press {", "wording.pause", "`ending` no braces but {resume}", "{"),
        ("wording.pause.ending", "Press }", "wording.pause", "got a single brace", "{"),
        ("wording.pause.ending", "Press {}", "wording.pause", "got {}", "{"),
        ("wording.pause.ending", "Press {pause.x}", "wording.pause", "got {pause.x}", "{"),
        ("wording.pause.ending", "Press {pause!x}", "wording.pause", "got {pause}", "{"),
        ("wording.pause.ending", "Press {pause:d}", "wording.pause", "got {pause}", "{"),
        # questions to the assistant
        ("assistant.0.kind", "date", "assistant[0].kind", "one of the words", "'date'"),
        ("assistant.0.kind", "choice", "assistant[0]", "`choices` with kind 'choice'", "{"),
        ("assistant.0.minimum", 1, "assistant[0]", "only with kind 'number'", "{"),
        ("assistant.1.choices", ["a", "a"], "assistant[1]", "differ, got 'a' twice", "{"),
        ("assistant.0", NUMBER | {"minimum": NAN}, "assistant[0].minimum", ">=", "nan"),
        ("assistant.0", NUMBER | {"maximum": INF}, "assistant[0].maximum", "<=", "inf"),
        ("assistant.0", NUMBER | {"minimum": 2, "maximum": 1}, "assistant[0]", "`minimum` not above `maximum`", "{"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(tmp_path: Path, key: str, value: Any, place: str, expected: str, found: str) -> None:
    """A mistake is refused with the file, the key, what was expected and what was found, on short lines."""
    path = written(tmp_path, with_value(key, value))
    with pytest.raises(BadInput) as refused:
        read_protocol(path)
    first, at, wanted, stands, advice = str(refused.value).split("\n")
    assert str(path) in first
    assert at == f"  key: {place}"
    assert expected in wanted
    assert stands.startswith(f"  found: {found}")
    assert len(stands) < 100
    assert advice.startswith("Correct the file")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"task = ", "not a TOML file"),
        (b"[timing\n", "line 1"),
        (b"task = 1\ntask = 2\n", "Cannot overwrite a value"),
        (b"\xff\xfet\x00", "not a TOML file"),
        (TEXT.encode("utf-16"), "not a TOML file"),
        (b"", "key: task"),
        (b"a = " + b"[" * 5000, "not a TOML file"),
    ],
    ids=["no value", "no bracket", "twice", "no text", "UTF-16", "empty", "deep"],
)
def test_a_file_that_is_no_protocol_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    """A file that is no TOML, no text or empty is bad input, with the file's name and the line."""
    path = tmp_path / "broken.toml"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=re.escape(said)) as refused:
        read_protocol(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file and a folder are bad input, with the path and the option to check."""
    with pytest.raises(BadInput, match=r"cannot be read: .*--protocol") as refused:
        read_protocol(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a TOML file's content."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for name, one in inner for path in paths(one, (*at, name)))]


def read_or_refused(path: Path) -> Protocol | BadInput:
    """The protocol, or why it is none."""
    try:
        return read_protocol(path)
    except BadInput as refused:
        return refused


anything = st.one_of(
    st.integers(-(2**62), 2**62), st.floats(), st.booleans(), st.text(st.characters(codec="utf-8"), max_size=5),
    st.sampled_from(["{", "{x}", "{resume!z}", "ctrl", "+", "ctrl+shift+p", "1", "left"]), st.dates(), st.datetimes(),
    st.lists(st.integers(0, 3), max_size=2), st.dictionaries(st.sampled_from(["id", "0", "text"]), st.integers(0, 3)),
)  # fmt: skip


@settings(max_examples=300)
@given(path=st.sampled_from(paths(content())[1:]), value=anything)
@example(path=("wording", "pause", "page"), value="{resume:>9999999999}")
def test_any_value_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, path: tuple[Any, ...], value: Any
) -> None:
    """Whatever stands at any place of the file, it is read and its pages can be shown, or refused as bad input."""
    changed = with_value(".".join(map(str, path)), value)
    found = read_or_refused(written(tmp_path_factory.getbasetemp(), changed))
    if isinstance(found, BadInput):
        assert "key: " in str(found)
    else:
        assert len(scenes.pages(found)) >= 6
        assert len(found.sha256) == 64


def test_double_braces_are_braces() -> None:
    """A lab that wants a brace on the pause page writes two, and the page has one."""
    pause = replace(PROTOCOL.wording.pause, page="{{{resume}}}")
    assert scenes.pause_page(replace(PROTOCOL, wording=replace(PROTOCOL.wording, pause=pause))).text == "{C}"


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    """Comments, layout and the order of keys leave the digest as it is; any other change changes it."""
    same = written(tmp_path, dict(reversed(content().items())))
    assert "#" not in re.sub('"#', "", same.read_text(encoding="utf-8"))
    assert read_protocol(same).sha256 == PROTOCOL.sha256
    others = [("timing.fixation_s", 1.01), ("rating.questions.0.text", "How close?"), ("mouse.enabled", False)]
    digests = {read_protocol(written(tmp_path, with_value(key, value))).sha256 for key, value in others}
    assert len(digests | {PROTOCOL.sha256}) == 4


def test_what_the_file_leaves_out_has_its_usual_value(tmp_path: Path) -> None:
    """Without lines for limits, mouse and the assistant's questions, nothing is limited and the mouse answers."""
    changed = content()
    del changed["mouse"], changed["assistant"], changed["rating"]["question_order"]
    read = read_protocol(written(tmp_path, changed))
    assert (read.timing.message_maximum_s, read.timing.rating_maximum_s) == (None, None)
    assert (read.mouse.enabled, read.assistant, read.rating.question_order) == (True, (), "listed")


def test_the_names_that_are_taken_are_those_of_the_tables() -> None:
    """The columns that no question may be named like are those that the tables have without any question."""
    one = replace(PROTOCOL, assistant=(), rating=replace(PROTOCOL.rating, questions=PROTOCOL.rating.questions[:1]))
    columns = [name for name in data_dictionary.data_dictionary(one) if not name[0].isupper()]
    assert {name for name in columns if not name.startswith("connection")} == TRIAL_COLUMNS
    assert set(data_dictionary.sessions_dictionary(one)) == set(SESSIONS_COLUMNS)


def test_no_closing_question_takes_the_participants_column(tmp_path: Path) -> None:
    """A question called participant_id would replace the ID that its answers belong to."""
    with pytest.raises(BadInput, match="participant_id"):
        read_protocol(written(tmp_path, with_value("funnel.questions.0.id", "participant_id")))
