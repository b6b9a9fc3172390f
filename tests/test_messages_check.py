"""Messages are checked before anybody reads them: every kind of mistake is found and named, and no word is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rapidfuzz.distance import Indel

from experiment.design.message import Message, practice_message, read_messages
from experiment.design.message import count_words as words
from experiment.design.protocol import Intake, read_protocol
from experiment.drawing.stimuli import MESSAGE_SIZES
from experiment.errors import BadInput
from experiment.messages.across import check_across, check_against_others
from experiment.messages.check import check_folder, check_participant, check_set, refuse_errors
from experiment.messages.duplicates import alike, fold
from experiment.messages.legibility import COMFORTABLE, sizes_of
from experiment.messages.names import places
from experiment.messages.store import Folder
from experiment.record.finding import describe
from experiment.task.layout import Layout
from tests.strategies import PROTOCOL, message_sets
from tests.type_size import fitting_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiment.record.finding import Finding

EXAMPLES = Path(__file__).resolve().parents[1] / "stimuli" / "examples"
ENGLISH = read_messages(EXAMPLES / "english.csv")
LAYOUT = Layout(1920, 1080)
NO_NAMES = replace(PROTOCOL, intake=Intake(names="none"))
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"


def with_first(**changes: str) -> tuple[Message, ...]:
    """The example messages, the first of them changed."""
    return (replace(ENGLISH[0], **changes), *ENGLISH[1:])


def found(messages: Sequence[Message], protocol: object = PROTOCOL, subject: str = "DF001") -> list[Finding]:
    """What the check of a set finds, without the note on its type size."""
    findings = check_set(subject, messages, protocol, LAYOUT)  # type: ignore[arg-type]
    return [one for one in findings if not one.text.startswith("All messages will be shown")]


def only(findings: Sequence[Finding]) -> tuple[str, str | None, str]:
    """The one finding there is."""
    assert len(findings) == 1, [describe(one) for one in findings]
    return findings[0].severity, findings[0].message_id, findings[0].text


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.csv")), ids=lambda path: path.stem)
def test_the_examples_have_nothing_wrong(path: Path) -> None:
    """The example messages pass with the example protocol of their task, with neither error nor warning."""
    messages = read_messages(path)
    protocol = read_protocol(Path("scan")) if path.stem == "scan" else PROTOCOL
    named = [replace(one, participant_name="Ines") for one in messages] if path.stem == "scan" else messages
    assert found(named, protocol) == []


@pytest.mark.parametrize(
    ("changes", "grade", "says"),
    [
        ({"text": " \n\u200b\u2060 "}, "error", "empty"),
        ({"text": "Hello"}, "warning", "one word"),
        ({"text": "\N{HEAVY BLACK HEART}\ufe0f\N{HEAVY BLACK HEART}\ufe0f"}, "warning", "no word"),
        ({"text": "Miss you"}, "warning", "2 words (3 to 250 are usual)"),
        ({"text": "so " * 251}, "warning", "251 words"),
        ({"text": "Here is a letter that no font has among all of ours: \u0f40."}, "error", "U+0F40 (character 54)"),
        ({"text": f"We are a family of four that nobody draws as one: {FAMILY * 2} yes."}, "error", ""),
        ({"text": f"{ENGLISH[0].text} \u3164"}, "error", "are invisible: U+3164 (character"),
        ({"text": f"{ENGLISH[0].text} Z" + "\u0301" * 12}, "warning", "U+005A with 12 (character"),
        ({"text": f"{ENGLISH[0].text} caf\u00c3\u00a9"}, "error", "wrong encoding"),
        ({"relationship": "m&auml;dchen"}, "error", "Column relationship: Codes of a web page"),
        ({"writer": "\u0f40\u0f41"}, "error", ("The writer's name has characters that no font here can draw: U+0F40 "
        "(character 1)")),
        ({"writer": " "}, "error", "column writer"),
        ({"relationship": "\u200b"}, "error", "column relationship"),
        ({"writer": "x" * 61}, "warning", "61 characters in 1 lines"),
        ({"writer": "Mother"}, "note", "only the relationship"),
        ({"language": "english"}, "error", "not a tag"),
        ({"text": "我们都很想你,我们都很想你,我们都很想你,每天晚上都想"}, "error", "zh, zh-Hant or ja"),
        ({"writer": "王小明"}, "warning", "drawn as in zh"),
        ({"subject": "DF002"}, "error", "another participant"),
        ({"text": ENGLISH[1].text.upper().replace(" ", "  ")}, "error", "message mother again"),
        ({"text": ENGLISH[1].text.replace("soup", "stew")}, "warning", "of message mother"),
    ],
)  # fmt: skip
def test_every_mistake_of_a_message_is_found(changes: dict[str, str], grade: str, says: str) -> None:
    """What is wrong with one message is one finding, with its grade, its place and what it is."""
    messages = with_first(**changes)
    if says == "":  # two joined families are two emoji, each of which can be drawn
        assert found(messages) == []
        return
    one = only(found(messages))
    assert one[0] == grade
    assert one[1] == ("friend" if "message mother" in says else "mother")
    assert says in one[2]


def test_the_right_participant_is_no_mistake() -> None:
    """A set that says for whom it was written passes for that participant, with or without the prefix."""
    assert found(with_first(subject="DF001")) == found(with_first(subject="sub-DF001")) == []


@pytest.mark.parametrize(
    ("sets", "count", "says"), [("same", 6, "6 are needed"), ("split", 12, "(6 for each session)")]
)
def test_exactly_as_many_messages_as_the_protocol_has(sets: str, count: int, says: str) -> None:
    """One message more or less than the protocol's number is an error of the set."""
    protocol = replace(PROTOCOL, message_sets=sets, intake=Intake(alike=1.0))
    many = [replace(one, message_id=f"m{n}", text=f"{n}: {one.text}") for n, one in enumerate(ENGLISH * 2)]
    assert found(many[:count], protocol) == []
    for wrong in (count - 1, count + 1):
        grade, message_id, text = only(found([*many, many[0]][:wrong] if wrong < 13 else [*many, ENGLISH[0]], protocol))
        assert (grade, message_id) == ("error", None)
        assert says in text
        assert f"There are {wrong} messages" in text


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("Anna Holm", "It is me, ANNA, your friend", 10),
        ("Anna Holm", "The holm oak is in leaf", 4),
        ("Anna Holm", "Savanna and Annabel", None),
        ("Maria de Souza", "Saudade de casa", None),
        ("Mrs Okafor", "Mrs Miller came by", None),
        ("O'Brien", "As an O’Brien would", 6),
        ("José", "Your Jose\u0301 is here", 5),
        ("小雨", "我是小雨，你的朋友", 2),
        ("王小明", "小明很想你", 0),
        ("김민수", "나는 민수야", 3),
        ("มาลี", "ครูมาลีคิดถึงหนู", 3),
        ("דנה", "אני אומר לדנה שלום", 9),
        ("سارة", "أنا وسارة هنا", 4),
        ("J", "J is one letter", None),
        ("Παύλος", "Ο ΠΑΎΛΟΣ σε φιλά", 2),
    ],
)
def test_names_are_found_in_any_writing(name: str, text: str, place: int | None) -> None:
    """A part of a name is found as a word, whatever its capitals, and within words where names are joined to them."""
    assert next((one.at for one in places(text, name)), None) == place


@pytest.mark.parametrize(
    ("name", "text", "small"),
    [
        ("Will", "I will come", [True]), ("Will", "It is Will who comes", [False]), ("Will", "WILL", [False]),
        ("will", "I will come", [False]), ("José", "jose dice", [True]), ("Jose", "soy José", [False]),
        ("Chloe", "tu Chloë", [False]), ("王小明", "小明", [False]), ("Groß", "GROSS", [False]),
        ("Tóth", "toth, Toth", [True, False]),
    ],
)  # fmt: skip
def test_a_name_that_is_written_small_may_be_another_word(name: str, text: str, small: list[bool]) -> None:
    """Accents do not matter; a word written small is told apart from a name with a capital."""
    assert [one.is_small for one in places(text, name)] == small


def test_a_word_like_a_name_is_a_warning() -> None:
    """What may be another word than the name is no error."""
    named = [
        replace(one, participant_name="An Okafor") for one in with_first(text=f"{ENGLISH[0].text} An apple, an egg")
    ]
    grades = [
        (one.severity, one.text)
        for one in found(named, NO_NAMES)
        if "the participant's name" in one.text and one.message_id == "mother"
    ]
    assert [grade for grade, _ in grades] == ["error", "warning"]


def test_a_name_is_an_error_only_where_the_protocol_says_so() -> None:
    """The writer's and the participant's names are found by their word's number; allowed, nothing is said."""
    text = f"Dear Lena, {ENGLISH[0].text} Yours, Mum"
    messages = [replace(one, participant_name="Lena") for one in with_first(text=text)]
    assert found(messages) == []
    findings = [describe(one) for one in found(messages, NO_NAMES) if one.message_id == "mother"]
    assert "its writer's name, or a part of it (word 106)" in findings[0]
    assert "the participant's name, or a part of it (word 2)" in findings[1]
    assert not re.search("Lena|Mum", " ".join(findings))
    assert only(found(ENGLISH, NO_NAMES))[0] == "warning"
    assert "participant_name" in only(found(ENGLISH, NO_NAMES))[2]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("Hello", 1), ("It's 7:30, well-known.", 3), ("😊 ❤️", 0), ("नमस्ते दुनिया", 2), ("안녕 친구야", 2),
        ("我很想你们", 3), ("คิดถึงเธอเสมอ", 6), ("ありがとう OK", 4), ("Zoe\u0301 e\u0301tait", 2),
    ],
)  # fmt: skip
def test_words_are_counted_with_and_without_spaces(text: str, count: int) -> None:
    """Words are counted by spaces, and two letters a word where a script has none."""
    assert words(text) == count


def lorem(count: int) -> str:
    """So many different words."""
    return " ".join(f"word{number}" for number in range(count))


@pytest.mark.parametrize(
    ("usual", "warned"),
    [(None, [0, 1, 2, 251]), ((1, 9), [0, 10, 250, 251]), ((8, 8), [0, 1, 2, 3, 7, 9, 10, 250, 251])],
)
def test_how_many_words_are_usual_is_the_protocols(usual: tuple[int, int] | None, warned: list[int]) -> None:
    """Fewer than three words, or more than 250, are warned of, unless the protocol says otherwise."""
    protocol = replace(PROTOCOL, intake=Intake(usual_words=usual)) if usual else PROTOCOL
    texts = {count: lorem(count) or "?" for count in (0, 1, 2, 3, 7, 8, 9, 10, 250, 251)}
    told = {count: [str(one) for one in found(with_first(text=text), protocol)] for count, text in texts.items()}
    assert [count for count in told if any("are usual" in one and "mother" in one for one in told[count])] == warned


def test_a_long_message_is_named_that_makes_all_type_small() -> None:
    """Too long for any legible type is an error; long enough for small type a warning; both name the message."""
    usual = replace(PROTOCOL, intake=Intake(usual_words=(1, 9999)))
    assert only(found(with_first(text=lorem(220)), usual))[:2] == ("warning", "mother")
    assert only(found(with_first(text=lorem(600)), usual))[:2] == ("error", "mother")
    sizes = sizes_of(with_first(text=lorem(220)), PROTOCOL, LAYOUT)
    assert sizes.together == sizes.small["mother"] < COMFORTABLE


def drawn_size(messages: Sequence[Message], layout: Layout) -> float | None:
    """The type size as the session's drawing finds it."""
    sizes_px = [layout.size(size) for size in MESSAGE_SIZES]
    try:
        return fitting_size(messages, layout.reading.width_px, layout.reading.height_px, sizes_px)
    except BadInput:
        return None


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.csv")), ids=lambda path: path.stem)
@pytest.mark.parametrize("layout", [Layout(1280, 720), Layout(1366, 768), LAYOUT], ids=lambda one: str(one.width_px))
def test_sizes_are_those_of_the_session(path: Path, layout: Layout) -> None:
    """The type size is found without drawing, and is that of the drawn session, on any screen."""
    messages = read_messages(path)
    drawn = drawn_size((practice_message(PROTOCOL), *messages), layout)
    assert layout.size(sizes_of(messages, PROTOCOL, layout).together) == drawn


STRANGE = (
    *("\N{HEAVY BLACK HEART}\ufe0f", FAMILY, "क्षेत्र", "ครูมาลี", "我们", "أنا\n", "\n\n"),
    *("M\u0301\u0302\u0303", "g\u0322\u0327", "https://example.org/a/b/c"),
)
PIECES = st.sampled_from([*ENGLISH[0].text.split(), *STRANGE])


@settings(max_examples=25, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=180).map(" ".join).filter(lambda text: bool(text.strip())))
def test_any_text_has_the_size_of_its_drawing(text: str) -> None:
    """Whatever stands in a text, the size found without drawing is the one with which it is drawn."""
    layout = Layout(1280, 720)
    message = Message("m1", "Ana", "friend", "zh", text)
    sizes = sizes_of([message], PROTOCOL, layout)
    drawn = drawn_size((practice_message(PROTOCOL), message), layout)
    assert (None if sizes.too_long else layout.size(sizes.together)) == drawn


@settings(deadline=None)
@given(
    st.lists(st.text("abcde é日", min_size=0, max_size=30), max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 29)), max_size=6),
    st.sampled_from([0.5, 0.7, 0.9, 1.0]),
)
def test_no_pair_that_is_alike_is_passed_over(texts: list[str], cuts: list[tuple[int, int]], share: float) -> None:
    """The quick search finds exactly the pairs that comparing each text with each would."""
    texts = [*texts, *(texts[at][:cut] + texts[at][cut + 1 :] for at, cut in cuts if at < len(texts))]
    each = {
        (one, other)
        for other in range(len(texts))
        for one in range(other)
        if texts[one] != texts[other] and Indel.normalized_similarity(texts[one], texts[other]) >= share
    }
    assert {(one, other) for one, other, _ in alike(texts, share)} == each


def test_folding_keeps_what_makes_a_text_another() -> None:
    """Two spellings of one text are the same; another letter, emoji or sign is not."""
    assert fold("Zoe\u0301\n is  HERE\u200b") == fold("ZO\u00c9 is here")
    assert len({fold(one) for one in ("so", "só", "so!", "so ❤️", "so 💛")}) == 5


def test_texts_that_were_cut_at_one_length_are_found_in_one_set() -> None:
    """Several texts that end at the same length, within a sentence, are told, each with its message."""
    findings = found([replace(one, text=one.text[:300].rstrip(" .,\n").ljust(300, "x")) for one in ENGLISH])
    assert len(findings) == 6
    assert {one.message_id for one in findings} == {one.message_id for one in ENGLISH}
    assert all("300" in one.text for one in findings)


def test_texts_of_two_participants_are_told_apart() -> None:
    """A whole set, a text, and a changed text that two participants share are one finding each."""
    others = [replace(one, text=f"{n} {one.text[::-1]}") for n, one in enumerate(ENGLISH)]
    changed = replace(others[1], text=ENGLISH[1].text.replace("soup", "stew"))
    sets = {
        "A": ENGLISH,
        "B": list(reversed(ENGLISH)),
        "C": [replace(others[0], text=ENGLISH[0].text), changed, *others[2:]],
        "D": [replace(one, text=f"{n} {one.text.swapcase()[::-2]}") for n, one in enumerate(ENGLISH)],
    }
    findings = check_across(sets, 0.9)
    whole, text, near = (one for one in findings if one.subject != "D")
    assert (whole.severity, whole.subject, whole.message_id) == ("error", "B", None)
    assert "sub-A" in whole.text
    assert (text.severity, text.subject, text.message_id) == ("error", "C", "mother")
    assert (near.severity, near.subject, near.message_id) == ("warning", "C", "friend")
    assert all(one.subject != "A" for one in findings)


def test_what_somebody_has_looked_at_is_only_noted() -> None:
    """Damage and names are notes once a person has judged the message; what cannot be shown or is not theirs stays."""
    text = f"{ENGLISH[0].text} caf\u00c3\u00a9 Mum {'x' * 9}"
    before = [one for one in found(with_first(text=text), NO_NAMES) if one.message_id]
    assert {one.severity for one in before} == {"error"}
    assert all("`messages accept`" in one.text for one in before)
    after = [one for one in found(with_first(text=text, as_written="yes"), NO_NAMES) if one.message_id]
    assert [one.severity for one in after] == ["note"] * len(before)
    for wrong in (
        {"text": "\u200b"},
        {"text": f"{ENGLISH[0].text} \u0f40"},
        {"subject": "DF2"},
        {"text": ENGLISH[1].text},
    ):
        assert "error" in {one.severity for one in found(with_first(as_written="yes", **wrong))}
    assert all("accept" not in one.text for one in found(with_first(text="\u200b")))


def other_texts() -> list[Message]:
    """Six messages that have no text in common with the examples."""
    return [replace(one, text=f"{n} {one.text[::-1]}") for n, one in enumerate(ENGLISH)]


def test_a_set_given_to_another_participant_is_found_at_both(tmp_path: Path) -> None:
    """Whichever of two participants is checked, a common set is one error, and a common text one of its message."""
    folder = Folder(tmp_path)
    folder.write("A", ENGLISH)
    folder.write("B", [replace(one, text=one.text.upper()) for one in reversed(ENGLISH)])
    folder.write("C", [*other_texts()[:2], ENGLISH[2], *other_texts()[3:]])
    (tmp_path / "sub-D.csv").write_text("nothing\n", encoding="utf-8")
    for subject, other in (("A", "B"), ("B", "A")):
        whole, text = check_against_others(subject, folder.read(subject), folder)
        assert (whole.severity, whole.message_id) == ("error", None)
        assert f"All texts are also those of sub-{other}." in whole.text
        assert (text.message_id, "of sub-C" in text.text) == (ENGLISH[2].message_id, True)
    assert [one.message_id for one in check_against_others("C", folder.read("C"), folder)] == [
        ENGLISH[2].message_id
    ] * 2
    with pytest.raises(BadInput, match="All texts are also those of sub-B"):
        refuse_errors(check_participant("A", ENGLISH, folder, PROTOCOL, LAYOUT))


def test_a_folder_is_checked_whole(tmp_path: Path) -> None:
    """A file that cannot be read is an error, the others are checked all the same, and progress is told."""
    folder = Folder(tmp_path)
    for number in range(4):
        folder.write(f"P{number}", [replace(one, text=f"{one.text[number * 60 :]} {number}") for one in ENGLISH])
    (tmp_path / "sub-P9.csv").write_text("nothing\n", encoding="utf-8")
    heard: list[tuple[int, int]] = []
    checked = check_folder(
        folder, replace(PROTOCOL, intake=Intake(alike=1.0)), LAYOUT, lambda *done: heard.append(done)
    )
    assert (checked.subjects, checked.messages) == (4, 24)
    assert sum(one.severity == "error" for one in checked.findings) == 1
    assert checked.findings[0].subject == "P9"
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_failure_that_nobody_foresaw_stops_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a participant whose check breaks down the kind of error is told and no word, and the others are checked."""
    folder = Folder(tmp_path)
    folder.write("P1", ENGLISH)
    folder.write("P2", [replace(one, text=f"Sekret {one.text[::-1]}") for one in ENGLISH])

    def broken(text: str) -> list[object]:
        if "Sekret" in text:
            raise RuntimeError(text)
        return []

    monkeypatch.setattr("experiment.messages.corruption.findings", broken)
    errors = [one for one in check_folder(folder, PROTOCOL, LAYOUT).findings if one.severity == "error"]
    assert [one.subject for one in errors] == ["P2"]
    assert "RuntimeError" in errors[0].text
    assert "Sekret" not in errors[0].text


def test_many_are_checked_on_all_cores_with_the_same_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other processes find what this one does."""
    folder = Folder(tmp_path)
    for number in range(4):
        folder.write(f"P{number}", [replace(one, text=f"{one.text} {number}") for one in ENGLISH[number:]])
    alone = check_folder(folder, PROTOCOL, LAYOUT)
    monkeypatch.setattr("experiment.messages.check.FEW", 1)
    assert check_folder(folder, PROTOCOL, LAYOUT) == alone
    assert {one.severity for one in alone.findings} == {"error", "warning", "note"}


def test_a_session_refuses_errors_and_nothing_else() -> None:
    """Warnings and notes pass; errors are listed with their messages and the command that shows them all."""
    refuse_errors(check_set("DF001", with_first(text="Hello"), PROTOCOL, LAYOUT))
    with pytest.raises(
        BadInput, match=r"message mother: The text is empty.*\n.*messages check --subject DF001"
    ) as error:
        refuse_errors(check_set("DF001", with_first(text="\u200b"), PROTOCOL, LAYOUT))
    assert "warning" not in str(error.value)
    with pytest.raises(BadInput, match="and 9 more"):
        refuse_errors(check_set("DF001", [replace(one, text="") for one in ENGLISH * 4][:20], PROTOCOL, LAYOUT))


LETTERS = st.text("qxzwkvjyq\u0f40\u0f41日本王שלום", min_size=4, max_size=9)
SECRET = st.lists(LETTERS, min_size=1, max_size=30).map(" ".join)
SECRETS = st.builds(
    Message, message_id=st.just("m1"), writer=SECRET, relationship=SECRET, language=LETTERS | st.just("en"),
    text=SECRET, subject=LETTERS, participant_name=SECRET,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(SECRETS, SECRETS.map(lambda one: replace(one, message_id="m2")), message_sets)
def test_no_finding_tells_a_word(one: Message, other: Message, more: list[Message]) -> None:
    """No finding holds a word of a message, of a name, of a relationship or of a language that was mistyped."""
    sets = {"S1": [one, other], "S2": [replace(other, text=one.text), replace(one, text=other.text + "q")], "S3": more}
    findings = [
        *check_across(sets, 0.5),
        *(one for subject in ("S1", "S2") for one in check_set(subject, sets[subject], NO_NAMES, LAYOUT)),
    ]
    said = " ".join(finding.text for finding in findings).casefold()
    private = [cell for message in (one, other) for cell in (message.writer, message.relationship, message.language)]
    private += [cell for message in (one, other) for cell in (message.text, message.subject, message.participant_name)]
    for word in " ".join(private).casefold().split():
        assert word == "en" or word not in said


# Messages from strangers


def strange(text: str, **changes: str) -> list[Message]:
    """The example set in which the last message is from a stranger."""
    message = Message("m06", "Somebody", "stranger", "en", text, participant_name="Ines Roth", source="stranger")
    return [*ENGLISH[:5], replace(message, **changes)]


ABOUT = "The whole street still talks about the summer when you painted every one of our doors."


def test_a_strangers_message_that_names_the_participant_is_refused() -> None:
    """Whatever the protocol says of names; the name may be given with another message; a person can accept the word."""
    assert found(strange(ABOUT)) == []
    named = strange(f"Dear Ines, {ABOUT}")
    severity, message_id, text = only(found(named))
    assert (severity, message_id) == ("error", "m06")
    assert "the participant's name" in text
    assert "(word 2)" in text
    elsewhere = [replace(ENGLISH[0], participant_name="Ines"), *ENGLISH[1:5], replace(named[-1], participant_name="")]
    assert only(found(elsewhere))[0] == "error"
    assert only(found(strange(f"Dear Ines, {ABOUT}", as_written="yes")))[0] == "note"
    assert only(found(strange(f"He was in his ines of roth, {ABOUT}")))[0] == "warning"
    assert only(found([*ENGLISH[:5], replace(ENGLISH[5], source="stranger")]))[0] == "warning"  # no name is known


def test_strangers_messages_may_be_the_same_for_everybody() -> None:
    """A text of a stranger in two sets is no mistake; one that is close is."""
    one = [replace(message, source="stranger") for message in ENGLISH]
    assert check_across({"S01": one, "S02": one}, 0.9) == ()
    assert check_across({"S01": ENGLISH, "S02": ENGLISH}, 0.9) != ()


def test_a_scan_without_its_sources_is_refused_before_the_session() -> None:
    """With how many there are of each."""
    scan = read_protocol(Path("scan"))
    messages = [replace(one, source="close", participant_name="Ines") for one in read_messages(EXAMPLES / "scan.csv")]
    assert "needs 8 close and 8 stranger and 8 neutral" in only(found(messages, scan))[2]
