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
from experiment.record.events import TextScene
from experiment.task import scenes
from tests.strategies import PROTOCOL, session_of

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
SCALE = {"id": "q", "text": "How?"}
LABELLED, LINE = SCALE | {"labels": ["a", "b"]}, SCALE | {"points": "line"}
NUMBER = {"id": "n", "text": "N", "kind": "number"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        # a setting that does not exist, or is not there
        ("extra", 1, "Unknown setting 'extra'. Possible are task, language, "),
        ("timing.fixation", 1.0, "Unknown setting 'fixation' in [timing]. Did you mean 'fixation_s'?"),
        ("rating.questions.1.colour", "red", "Unknown setting 'colour' in [[rating.questions]] no. 2. Possible"),
        ("timing", None, "'timing' is missing."),
        ("wording.pause", None, "[wording]: 'pause' is missing."),
        ("rating.questions.1.low", None, "[[rating.questions]] no. 2: Please give both 'low' and 'high', or 'labels'."),
        # the wrong type
        ("timing.fixation_s", "1", '[timing]: fixation_s = "1". Please write a number from 0 to 3600.'),
        ("timing.fixation_s", True, "[timing]: fixation_s = true. Please write a number from 0 to 3600."),
        ("rating.points", 7.5, '[rating]: points = 7.5. Please write a whole number from 2 to 11, or "line".'),
        ("wording.instructions", "One", '[wording]: instructions = "One". Please write a list in brackets.'),
        ("display", 3, "display = 3. Please write a section of settings."),
        ("mouse.enabled", "no", '[mouse]: enabled = "no". Please write true or false.'),
        # impossible values
        ("timing.fixation_s", -1, "fixation_s = -1. Please write a number from 0 to 3600."),
        ("timing.fixation_s", NAN, "fixation_s = NaN. Please write a number from 0 to 3600."),
        ("timing.blank_s", INF, "blank_s = Infinity. Please write a number from 0 to 3600."),
        ("timing.message_maximum_s", 5.0, "[timing]: 'message_maximum_s' must be above 'message_minimum_s' (5)."),
        ("timing.message_maximum_s", NAN, "message_maximum_s = NaN. Please write a number from 0 to 3600."),
        ("timing.rating_maximum_s", 0, "[timing]: 'rating_maximum_s' must be above 0."),
        ("rating.points", 1, 'points = 1. Please write a whole number from 2 to 11, or "line".'),
        ("rating.points", 12, 'points = 12. Please write a whole number from 2 to 11, or "line".'),
        ("rating.questions", [], "[rating]: questions = []. Please write a list in brackets that is not empty."),
        ("rating.question_order", "random", 'Please write "listed" or "session" or "trial".'),
        ("sessions", 0, "sessions = 0. Please write a whole number from 1 to 99."),
        ("messages", -6, "messages = -6. Please write a whole number from 0 to 999."),
        ("messages", 2**62, f"messages = {2**62}. Please write a whole number from 0 to 999."),
        ("display.ink", "black", '[display]: ink = "black". Please write a colour as "#RRGGBB", e.g. "#26231F".'),
        ("display.ink", "#26231F\n", r'[display]: ink = "#26231F\n". Please write a colour'),
        ("task", "loved-ones", 'task = "loved-ones". Please write a name of letters and digits, e.g. "lovedones".'),
        ("language", "English", 'language = "English". Please write a language tag, e.g. "en", "de" or "zh-Hant".'),
        ("wording.welcome", "", '[wording]: welcome = "". Please write some text, in quotes.'),
        ("rating.questions.0.id", "How connected", 'no. 1: id = "How connected". Please write a name of small letters'),
        ("intake.usual_words", [250, 10], "[intake]: 'usual_words': please write the smaller number first."),
        # scales
        ("rating.points", "lines", 'points = "lines". Please write a whole number from 2 to 11, or "line".'),
        ("rating.first", 2, "[rating]: first = 2. Please write 0 or 1."),
        ("rating.questions.0.labels", ["a", "b"], "Please give 'low' and 'high', or 'labels', not both."),
        ("rating.questions.0.points", "line", "no. 2' has {first}. Nothing can be filled in there, as the"),
        ("rating.questions.0", SCALE | {"labels": list("abcd")}, "'q': 'labels' are 4. Please write 2 (of the ends),"),
        ("rating.questions.0", SCALE | {"labels": list("abc"), "points": 4}, "(of the ends) or 4 (of each point)."),
        ("rating.questions.0", LINE | {"labels": list("abcd")}, "'labels' are 4. Please write 2 (of the ends), 3 ("),
        ("rating.questions.0", SCALE, "Question 'q': there are no labels. Please write 2 (of the ends)"),
        ("rating", {"points": 11, "first": 0, "first_press_is_final": True, "questions": [LABELLED]}, "needs a key of"),
        ("rating", {"points": "line", "first_press_is_final": True, "questions": [LABELLED]}, "at most 10 points"),
        ("keys.more", ["left"], "[keys]: Two keys are 'left': they must differ."),
        # names that are taken
        ("rating.questions.1.id", "connection", "[rating]: Two ids of questions are 'connection': they must differ."),
        ("rating.questions.1.id", "trial", "[rating]: A question cannot have the id 'trial'"),
        ("rating.questions.1.id", "connection_rt", "[rating]: A question cannot have the id 'connection_rt'"),
        ("assistant.1.id", "notes", "Two ids of questions to the assistant are 'notes': they must differ."),
        ("assistant.1.id", "session_id", "A question cannot have the id 'session_id'"),
        # keys
        ("keys.resume", "w", "[keys]: Two keys are 'w': they must differ."),
        ("keys.left", ["left", "left"], "[keys]: Two keys are 'left': they must differ."),
        ("keys.confirm", ["enter"], "[keys]: Unknown key 'enter'. Did you mean 'num_enter'?"),
        ("keys.confirm", ["7"], "[keys]: The digits set the marker: please choose other keys."),
        ("keys.confirm", [], "[keys]: confirm = []. Please write a list in brackets that is not empty."),
        ("keys.resume", "escape", "[keys]: Unknown key 'escape'."),
        ("keys.reasons", {"withdrew": "w"}, "'reasons' needs a key for each of withdrew, technical and other."),
        ("keys.reasons.tired", "x", 'Please write a key for each reason, e.g. { withdrew = "w",'),
        ("keys.pause", "p", "[keys]: 'pause' is 'p'. Please write two of ctrl, shift and alt, and a key"),
        ("keys.pause", "ctrl+p", "two of ctrl, shift and alt"),
        ("keys.pause", "ctrl+ctrl+p", "two of ctrl, shift and alt"),
        ("keys.pause", "ctrl+shift+alt", "two of ctrl, shift and alt"),
        ("keys.pause", "", "two of ctrl, shift and alt"),
        ("keys.pause", "ctrl+shift+escape", "which the operating system uses."),
        ("keys.pause", "alt+ctrl+delete", "which the operating system uses."),
        ("keys.pause", "ctrl+shift+space", "'pause' ends with 'space', which is not a key or is already used."),
        ("keys.pause", "ctrl+shift+5", "'pause' ends with '5'"),
        # braces that cannot be filled in
        ("wording.pause.page", "Press {resme}", "[wording.pause]: 'page' has {resme}, which is no name. Names in"),
        ("wording.pause.page", "Why: {reason}", "'page' has {reason}, which is no name."),
        ("wording.pause.ending", "Press {", "'ending' has a single brace."),
        ("wording.pause.ending", "Press }", "'ending' has a single brace."),
        ("wording.pause.ending", "Press {}", "'ending' has {}"),
        ("wording.pause.ending", "Press {pause.x}", "'ending' has {pause.x}"),
        ("wording.pause.ending", "Press {pause!x}", "'ending' has {pause}"),
        ("wording.pause.ending", "Press {pause:d}", "'ending' has {pause}"),
        ("wording.welcome", "Of {pionts}", "[wording]: 'welcome' has {pionts}. Only {points}, {first}, {last} are"),
        ("wording.hint", "1 to {points}", "[wording]: 'hint' has {points}, which is no name. Names in braces: {first}"),
        ("wording.line_hint", "{first}", "'line_hint' has {first}, which is no name. Names in braces: none."),
        ("wording.progress", "{trial}", "'progress' has {trial}, which is no name. Names in braces: {number}, {"),
        # questions to the assistant
        ("assistant.0.kind", "date", 'no. 1: kind = "date". Please write "choice" or "number" or "text" or "time".'),
        ("assistant.0.kind", "choice", "[[assistant]] no. 1: A question of kind \"choice\" needs 'choices'."),
        ("assistant.0.choices", ["a"], "[[assistant]] no. 1: 'choices' are for questions of kind \"choice\" only."),
        ("assistant.0.minimum", 1, "'minimum' and 'maximum' are for questions of kind \"number\" only."),
        ("assistant.1.choices", ["a", "a"], "[[assistant]] no. 2: Two choices are 'a': they must differ."),
        ("assistant.0", NUMBER | {"minimum": NAN}, "no. 1: minimum = NaN. Please write a number from -1e+12 to 1e+12."),
        ("assistant.0", NUMBER | {"maximum": INF}, "no. 1: maximum = Infinity. Please write a number"),
        ("assistant.0", NUMBER | {"minimum": 2, "maximum": 1}, "[[assistant]] no. 1: 'minimum' is above 'maximum'."),
        # what goes against something else
        ("display.ink", "#F5F2EC", '[display]: ink = "#F5F2EC" is hard to read on background = "#F5F2EC" (contrast 1'),
        ("display.quiet", "#7A7770", '[display]: quiet = "#7A7770" is hard to read on background'),
        ("display.ink", "#7A7770", "(contrast 4.0 to 1). Please choose colours with at least 4.5 to 1."),
        ("display.background", "#2F5D62", '[display]: accent = "#2F5D62" is hard to read on background = "#2F5D62"'),
        ("wording.welcome", "Rate from 1 to 5.", "says '1 to 5', but the scales are from 1 to 7. Please write '{"),
        ("wording.instructions.1", "1\u20139", "'instructions no. 2' says '1\u20139', but the scales are from 1 to 7."),
        ("assistant.1.choices", ["none", "n/a"], "Question 'symptoms': a choice cannot be blank or 'n/a'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(tmp_path: Path, key: str, value: Any, said: str) -> None:
    """A mistake is refused with the file, the setting and what to write, in short lines without patterns."""
    path = written(tmp_path, with_value(key, value))
    with pytest.raises(BadInput) as refused:
        read_protocol(path)
    first, *mistakes, advice = str(refused.value).split("\n")
    assert str(path) in first
    assert any(said in mistake for mistake in mistakes), mistakes
    assert [mistake for mistake in mistakes if "^" in mistake or "regex" in mistake or len(mistake) > 400] == []
    assert advice == "Compare with stimuli/protocol.toml."


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    """Of several mistakes in several sections, each is a line of the one refusal, in the file's order."""
    changed = with_value("timing.fixation_s", "1")
    changed["keys"] |= {"resume": "w", "confirm": ["enter"]}
    changed["rating"]["questions"][1] |= {"low": 3, "id": "B"}
    del changed["messages"]
    with pytest.raises(BadInput) as refused:
        read_protocol(written(tmp_path, changed))
    _, *mistakes, _ = str(refused.value).split("\n")
    expected = (
        "'messages' is missing",
        "fixation_s",
        "no. 2: id",
        "no. 2: low",
        "Unknown key 'enter'",
        "Two keys are 'w'",
    )
    assert len(mistakes) == len(expected)
    for name in expected:
        assert sum(name in mistake for mistake in mistakes) == 1, name


def test_other_points_are_shown_on_the_pages(tmp_path: Path) -> None:
    """With nine points from 0 on the instructions and hints say so: text and scale cannot disagree."""
    nine = with_value("rating.points", 9)
    nine["rating"]["first"] = 0
    shown = scenes.scenes(read_protocol(written(tmp_path, nine)))
    text = "\n".join(one.text if isinstance(one, TextScene) else str(one.hint) for one in shown)
    assert "a scale from 0 to 8." in text
    assert "Press 0 to 8, or click" in text
    assert "7" not in text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_of_windows_editors_are_read(tmp_path: Path, encoding: str) -> None:
    """A protocol that an editor saved with a byte order mark and Windows' line ends is the same protocol."""
    path = tmp_path / "saved.toml"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode(encoding))
    assert read_protocol(path).keys == PROTOCOL.keys


def test_a_file_in_another_encoding_is_refused_with_the_cure(tmp_path: Path) -> None:
    """A file that is no Unicode is not guessed at: the line is named, and how to save it."""
    path = tmp_path / "saved.toml"
    path.write_bytes(TEXT.replace("Welcome", "Willkommen, gr\u00fc\u00dfe").encode("cp1252"))
    line = TEXT[: TEXT.index("Welcome")].count("\n") + 1
    with pytest.raises(BadInput, match=rf"not saved as UTF-8 \(see line {line}\).* Save As with the encoding UTF-8"):
        read_protocol(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"task = ", "not a TOML file"),
        (b"[timing\n", "line 1"),
        (b"task = 1\ntask = 2\n", "Cannot overwrite a value"),
        (b"\xff\xfet\x00", "not a TOML file"),
        (TEXT.encode("utf-32"), "is not"),
        (b"", "'task' is missing"),
        (b"a" + b".a" * 100_000 + b" = 1", "a key with too many parts"),
        (b"a = " + b"[" * 5000, "not a TOML file"),
    ],
    ids=["no value", "no bracket", "twice", "no text", "UTF-32", "empty", "long key", "deep"],
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
        assert "\n- " in str(found)
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
    columns = [name for name in data_dictionary.data_dictionary(session_of(one)) if not name[0].isupper()]
    assert {name for name in columns if not name.startswith("connection")} == TRIAL_COLUMNS
    assert set(data_dictionary.sessions_dictionary(one)) == set(SESSIONS_COLUMNS)


def test_no_closing_question_takes_the_participants_column(tmp_path: Path) -> None:
    """A question called participant_id would replace the ID that its answers belong to."""
    with pytest.raises(BadInput, match="participant_id"):
        read_protocol(written(tmp_path, with_value("funnel.questions.0.id", "participant_id")))
