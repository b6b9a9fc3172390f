"""What is decided before a session: its messages, read to the code point, and their order, drawn from the seed."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.message import COLUMNS, PRACTICE, Message, messages_csv, read_messages, text_digests
from experiment.design.message_sets import draw_sets
from experiment.design.orders import key_of
from experiment.design.session import check_session, check_subject, draw_session, redraw
from experiment.errors import BadInput
from experiment.record import events
from experiment.record.data_dictionary import data_dictionary
from tests import strategies
from tests.strategies import PROTOCOL, session_of

if TYPE_CHECKING:
    from experiment.design.session import SessionPlan

EXAMPLES = sorted((Path(__file__).parents[1] / "stimuli" / "examples").glob("*.csv"))
SIX = [Message(f"m{number}", "Ada Secretname", "friend", "en", f"Secret words {number}") for number in range(1, 7)]


def order(seed: int, subject: str = "DF017", session: int = 1) -> list[str]:
    """The drawn order of six messages, by their ids."""
    drawn = draw_session(PROTOCOL, SIX, subject=subject, session=session, seed=seed)
    return [trial.message_id for trial in drawn.trials]


def as_csv(rows: list[tuple[str, ...]], end: str = "\r\n") -> str:
    """Rows as a spreadsheet exports them."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows(rows)
    return text.getvalue()


def cells(message: Message) -> tuple[str, ...]:
    """A message's cells in the order of the columns."""
    return tuple(str(getattr(message, name)) for name in COLUMNS)


def saved(folder: Path, text: str | bytes) -> Path:
    """A file with this text."""
    path = folder / "sub-DF017.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# The order


def test_the_order_is_the_same_on_every_computer() -> None:
    """The messages come in the order of the digests that sha256sum prints of seed/subject/session/message/id."""
    assert order(1) == ["m6", "m3", "m4", "m1", "m5", "m2"]
    assert order(2**53, "a", 2) == ["m1", "m5", "m2", "m6", "m3", "m4"]


def test_questions_are_drawn_the_same_everywhere() -> None:
    """The questions of each trial come in the order of the digests of seed/subject/session/question/trial/id."""
    protocol = replace(PROTOCOL, rating=replace(PROTOCOL.rating, question_order="trial"))
    drawn = draw_session(protocol, SIX, subject="DF017", session=1, seed=1)
    assert "".join(trial.questions[0][0] for trial in (drawn.practice, *drawn.trials)) == "pcpccpc"


@given(st.permutations(SIX), st.integers(0, 2**63))
def test_the_order_in_the_file_does_not_matter(shuffled: list[Message], seed: int) -> None:
    """The same messages in another order of lines are shown in the same order."""
    one = draw_session(PROTOCOL, SIX, subject="1", session=1, seed=seed)
    assert draw_session(PROTOCOL, shuffled, subject="1", session=1, seed=seed) == one


def test_seed_subject_and_session_each_change_the_order() -> None:
    """Hardly any session has the order of the subject's other session, of another subject or of another seed."""
    for other in ({"session": 2}, {"subject": "DF018"}):
        equal = sum(order(seed) == order(seed, **other) for seed in range(500))
        assert equal < 6  # 500/720 are expected by chance
    assert len({tuple(order(seed)) for seed in range(500)}) > 300


def test_every_order_is_as_likely() -> None:
    """Over many seeds each message is as often in each place, and every possible order occurs."""
    seeds = 7200
    orders = [tuple(order(seed)) for seed in range(seeds)]
    places = Counter((place, message_id) for one in orders for place, message_id in enumerate(one))
    assert len(places) == 36
    assert all(abs(count - seeds / 6) < 5 * (seeds * 5 / 36) ** 0.5 for count in places.values())
    assert len(set(orders)) == 720


def test_no_two_sessions_of_a_subject_have_the_same_order() -> None:
    """Where all sessions show the same messages, each shows them in an order that no other has, as far as there are."""
    protocol = replace(PROTOCOL, sessions=6, messages=3)

    def orders(seed: int) -> list[tuple[str, ...]]:
        drawn = [draw_session(protocol, SIX[:3], subject="1", session=one, seed=seed) for one in range(1, 7)]
        return [tuple(trial.message_id for trial in session.trials) for session in drawn]

    assert all(len(set(orders(seed))) == 6 for seed in range(50))
    alone = replace(PROTOCOL, messages=1)
    assert draw_session(alone, SIX[:1], subject="1", session=2, seed=1).trials[0].message_id == "m1"


@given(strategies.sessions(), st.integers(0, 2**53))
def test_a_session_is_drawn_again_from_its_plan_alone(plan: SessionPlan, other: int) -> None:
    """Without any text, its trials come in the recorded order, and in another one once they are relabelled."""
    assert redraw(plan) == plan.trials
    shuffled = replace(plan, trials=tuple(sorted(plan.trials, key=lambda one: hash((other, one.message_id)))))
    assert redraw(shuffled) == plan.trials


def test_a_relabelled_session_is_not_drawn_again() -> None:
    """Of a hundred sessions of six messages under another participant, visit or seed, hardly one fits by chance."""
    plans = [draw_session(PROTOCOL, SIX, subject=f"S{number}", session=1, seed=1) for number in range(100)]
    for changes in ({"subject": "DF9"}, {"session": 2}, {"seed": 2}):
        fits = sum(redraw(relabelled) == relabelled.trials for one in plans for relabelled in [replace(one, **changes)])
        assert fits <= 2


# Two sets


SPLIT = replace(PROTOCOL, message_sets="split")
RELATIONSHIPS = ("mother", "Mother ", "friend", "friend", "friend", "partner")


def twelve(seed: int) -> list[Message]:
    """Messages of very different lengths."""
    draw = Random(seed)
    return [
        Message(f"m{number:02}", "Ada", draw.choice(RELATIONSHIPS), "en", "x" * draw.randint(20, 1500))
        for number in range(1, 13)
    ]


def test_a_split_is_the_same_on_every_computer() -> None:
    """These messages with this seed give these sets, whose texts have 2100 and 2038 characters."""
    lengths = [300, 40, 120, 700, 90, 610, 250, 80, 1000, 33, 505, 410]
    messages = [
        Message(f"m{number}", "Ada", "friend" if number % 3 else "mother", "en", "x" * length)
        for number, length in enumerate(lengths)
    ]
    drawn = draw_session(SPLIT, messages, subject="DF017", session=1, seed=1)
    assert drawn.sets == (("m1", "m11", "m3", "m4", "m5", "m6"), ("m0", "m10", "m2", "m7", "m8", "m9"))


def test_a_split_shows_every_message_once_over_all_sessions() -> None:
    """Both sessions name the same two sets, and each shows its own, whatever the order in the file."""
    for seed in range(50):
        messages = twelve(seed)
        one = draw_session(SPLIT, messages, subject="1", session=1, seed=seed)
        two = draw_session(SPLIT, messages[::-1], subject="1", session=2, seed=seed)
        assert one.sets == two.sets
        shown = [sorted(trial.message_id for trial in session.trials) for session in (one, two)]
        assert shown == [list(ids) for ids in one.sets]
        assert sorted(shown[0] + shown[1]) == [message.message_id for message in messages]
        assert [redraw(session) for session in (one, two)] == [one.trials, two.trials]


def test_a_split_is_balanced() -> None:
    """No relationship is more than one apart, and the texts' summed lengths hardly differ, over 200 seeds."""
    shares = []
    for seed in range(200):
        messages = {message.message_id: message for message in twelve(seed)}
        sets = draw_sets([*messages.values()], 2, key_of(seed, "1", "sets"))
        one, two = ([messages[message_id] for message_id in ids] for ids in sets)
        kinds = [Counter(message.relationship.strip().casefold() for message in ids) for ids in (one, two)]
        assert all(abs(kinds[0][kind] - kinds[1][kind]) <= 1 for kind in kinds[0] | kinds[1])
        lengths = [sum(len(message.text) for message in ids) for ids in (one, two)]
        shares.append(abs(lengths[0] - lengths[1]) / sum(lengths))
    assert sorted(shares)[190] < 0.05


def test_a_message_is_as_often_in_either_set() -> None:
    """Over many seeds every message is in the first session's set half of the time."""
    seeds, messages = 2000, twelve(0)
    drawn = [draw_sets(messages, 2, key_of(seed, "1", "sets"))[0] for seed in range(seeds)]
    counts = Counter(message_id for ids in drawn for message_id in ids)
    assert all(abs(counts[message.message_id] - seeds / 2) < 5 * (seeds / 4) ** 0.5 for message in messages)


def test_three_sets_are_as_good_as_two() -> None:
    """Any number of sessions shares out its messages evenly."""
    sets = draw_sets(twelve(3), 3, lambda *what: str(what))
    assert [len(ids) for ids in sets] == [4, 4, 4]


def test_recorded_sets_win_over_the_seed() -> None:
    """A text that was corrected between two sessions moves no message from one to the other."""
    messages = twelve(1)
    one = draw_session(SPLIT, messages, subject="1", session=1, seed=1)
    longer = [replace(message, text=message.text * (number % 3 + 1)) for number, message in enumerate(messages)]
    assert draw_session(SPLIT, longer, subject="1", session=1, seed=1).sets != one.sets
    two = draw_session(SPLIT, longer, subject="1", session=2, seed=1, sets=one.sets)
    assert {trial.message_id for trial in two.trials} == set(one.sets[1])
    other = [replace(messages[0], message_id="m99"), *messages[1:]]
    with pytest.raises(BadInput, match="not the messages that were divided"):
        draw_session(SPLIT, other, subject="1", session=2, seed=1, sets=one.sets)


def test_a_split_asks_for_the_messages_of_all_sessions() -> None:
    """Six messages are too few for two sessions of six, and the error says what is asked for."""
    with pytest.raises(BadInput, match="6 messages a session and has 2 sessions with their own; sub-1 has 6"):
        draw_session(SPLIT, SIX, subject="1", session=1, seed=1)


def test_a_session_holds_no_text_and_no_writer() -> None:
    """What goes to the transcript's first line names messages by id and digest alone."""
    line = events.encode(strategies.started(draw_session(PROTOCOL, SIX, subject="1", session=1, seed=1)))
    assert b"Secret" not in line
    assert text_digests(SIX)["m1"].encode() in line
    assert b'"message_digests":"HMAC-SHA256"' in line


def test_a_guessed_text_cannot_be_tried() -> None:
    """Of texts that anybody would guess, no digest is that of the text alone, nor of a set that lacks one of them."""
    short = [
        replace(one, text=text) for one, text in zip(SIX, ["ok", "hi", "love you", "x", "x", "miss you"], strict=True)
    ]
    recorded = set(text_digests(short).values())
    guesses = [text_digests(short[:at]) for at in range(1, 6)] + [text_digests([one]) for one in short]
    tried = {digest for guess in guesses for digest in guess.values()} | {one.sha256 for one in short}
    assert recorded & tried == set()
    assert recorded == set(text_digests(short[::-1]).values())


def test_the_digests_key_is_as_the_dictionary_says() -> None:
    """Anybody with all of the texts can compute what a transcript holds, by the words of the data dictionary."""
    texts = json.dumps(sorted(one.text for one in SIX), ensure_ascii=False, separators=(",", ":")).encode()
    key = hashlib.scrypt(hashlib.sha256(texts).digest(), salt=b"Day Four", n=4096, r=8, p=1, dklen=32)
    plain = hashlib.sha256(SIX[0].text.encode()).hexdigest()
    assert text_digests(SIX)["m1"] == hmac.new(key, plain.encode(), "sha256").hexdigest()
    assert "scrypt (N = 4096, r = 8, p = 1" in data_dictionary(session_of())["message_sha256"]["Description"]


@pytest.mark.parametrize("count", [0, 5, 7])
def test_a_wrong_number_of_messages_is_refused(count: int) -> None:
    """Too few and too many messages are bad input, with both numbers and the subject."""
    with pytest.raises(BadInput, match=rf"asks for 6 messages a session; sub-DF017 has {count}") as refused:
        draw_session(PROTOCOL, (SIX * 2)[:count], subject="DF017", session=1, seed=1)
    assert "Secret" not in str(refused.value)


def test_the_digest_is_of_the_texts_bytes() -> None:
    """A message's digest is the SHA-256 of its text as UTF-8."""
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # as sha256sum prints it of "hello"
    assert replace(SIX[0], text="hello").sha256 == digest


# The file of messages


@settings(max_examples=200)
@given(
    st.lists(strategies.messages, min_size=1, max_size=6, unique_by=lambda message: message.message_id),
    st.permutations([*COLUMNS, "notes"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_messages_are_read_to_the_code_point(
    tmp_path_factory: pytest.TempPathFactory,
    messages: list[Message],
    columns: list[str],
    end: str,
    bom: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    """Whatever stands in the cells, in any order of columns, with or without a byte order mark, is read back equal."""
    rows = [tuple(getattr(message, name, "x") for name in columns) for message in messages]
    text = ("\ufeff" if bom else "") + as_csv([tuple(columns), *rows], end)
    more = (("notes", "x"),)  # a further column is kept
    assert read_messages(saved(tmp_path_factory.getbasetemp(), text)) == tuple(
        replace(message, more=more) for message in messages
    )


@given(strategies.message_sets)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, messages: list[Message]) -> None:
    """Messages written to a file come back equal, with for whom they were written."""
    named = [replace(message, subject="DF017", participant_name="Ines") for message in messages]
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(messages_csv(named))
    assert read_messages(path) == tuple(named)


def test_line_ends_become_newlines(tmp_path: Path) -> None:
    """Line ends of every system within a text become one newline each, and blanks and blank lines stay."""
    text = as_csv([COLUMNS, ("a", "Ada", "friend", "en", " one\r\ntwo\rthree\n\nfour\u2028five \t")])
    assert read_messages(saved(tmp_path, text))[0].text == " one\ntwo\nthree\n\nfour\u2028five \t"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_files_are_read_as_spreadsheets_write_them(tmp_path: Path, delimiter: str) -> None:
    """Any delimiter, headings with capitals and spaces, empty rows and columns, and long cells: the texts are exact."""
    text = ' one; "two",\tthree\n' + "and more " * 3_000
    rows = [[" Text", "MESSAGE_ID ", "Writer", "Relationship", "Language", ""], [text, "m1 ", "Ada", "friend", "", ""]]
    rows += [[""] * 7, [], [" "] * 6]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows(rows)
    assert read_messages(saved(tmp_path, "\ufeff" + file.getvalue())) == (Message("m1", "Ada", "friend", "", text),)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.stem))
def test_the_examples_have_as_many_messages_as_a_session(path: Path) -> None:
    """Each example file has what a session of its task needs."""
    assert len(read_messages(path)) == (24 if path.stem == "scan" else PROTOCOL.messages)


GOOD = as_csv([COLUMNS, *map(cells, SIX)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'message_id' is there 0 times"),
        (GOOD.replace("relationship", "relation"), "'relationship' is there 0 times"),
        (GOOD.replace("relationship", "text"), "'relationship' is there 0 times"),
        (GOOD.replace("language,text", "language,text,text"), "'text' is there 2 times"),
        (GOOD.replace(",", "|"), "'message_id' is there 0 times"),
        (GOOD.replace("m5,", "Secret words,"), "message 5: message_id may have at most 32 letters"),
        (GOOD.replace("Secret words 3", ""), "message 3: the column 'text' is empty"),
        (GOOD.replace("Secret words 3", " \t"), "message 3: the column 'text' is empty"),
        (GOOD.replace("m4,", ","), "message 4: the column 'message_id' is empty"),
        (GOOD.replace("m5,", "m2,"), "messages 2 and 5 have the same id"),
        (GOOD.replace("m5,", f"{PRACTICE},"), "message 5: the id 'practice' is reserved"),
        (GOOD.replace("m5,", "n/a,"), "message 5: the id 'n/a' is reserved"),
        (GOOD.replace("Secret words 3", "Secret, words 3"), "message 3 has more or fewer cells"),
        (GOOD.replace(",Secret words 3", ""), "message 3 has more or fewer cells"),
        (GOOD.replace("Secret words 3", '"Secret" words 3'), "is not a CSV file"),
        (GOOD.replace("Secret words 3", '"Secret words 3'), "is not a CSV file"),
        (GOOD.replace("words", "wörds").encode("latin-1"), "is not UTF-8"),
        (GOOD.encode("utf-16"), "is not UTF-8"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str | bytes, said: str) -> None:
    """A broken file is bad input that names file, place and what was expected, and no word of any message."""
    path = saved(tmp_path, text)
    with pytest.raises(BadInput) as refused:
        read_messages(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)
    assert "Secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["sub-nobody.csv", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file and a folder are bad input, with what to check."""
    with pytest.raises(BadInput, match=r"cannot be read: .*Check the subject and --messages"):
        read_messages(tmp_path / name)


@settings(max_examples=300)
@given(
    st.integers(0, len(GOOD)),
    st.integers(0, 30),
    st.sampled_from(["", '"', ",", "\n", "\r", '""', "\x00", '"\n', ";", "m1,"]),
)
def test_no_error_tells_a_text_or_a_writer(
    tmp_path_factory: pytest.TempPathFactory, at: int, length: int, instead: str
) -> None:
    """However a file is broken, it is read, or refused without a word of a message or the name of its writer."""
    path = saved(tmp_path_factory.getbasetemp(), GOOD[:at] + instead + GOOD[at + length :])
    said = ""
    try:
        draw_session(PROTOCOL, read_messages(path), subject="1", session=1, seed=1)
    except BadInput as refused:
        said = str(refused)
    assert "ecret" not in said


# Subject and session


@pytest.mark.parametrize(
    ("typed", "label"), [("DF017", "DF017"), ("sub-DF017", "DF017"), ("1", "1"), ("a" * 32, "a" * 32)]
)
def test_a_subjects_label_is_letters_and_digits(typed: str, label: str) -> None:
    """A label is taken as typed, with or without BIDS's prefix."""
    assert check_subject(typed) == label


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "sub-",
        "DF 017",
        "DF-017",
        "DF_017",
        "../DF017",
        "DF017\n",
        "sub-sub-1",
        "Müller",
        "١٢",
        "a" * 33,
        "n/a",
        ".",
    ],
)
def test_anything_else_is_no_subject(typed: str) -> None:
    """What could not name a folder on every computer is refused, with what was typed."""
    with pytest.raises(BadInput, match="only letters and digits") as refused:
        check_subject(typed)
    assert repr(typed) in str(refused.value)


def test_a_session_is_one_of_the_protocols() -> None:
    """Sessions count from 1 to the protocol's number, and every other number is refused."""
    assert [check_session(number, PROTOCOL) for number in (1, 2)] == [1, 2]
    for number in (-1, 0, 3):
        with pytest.raises(BadInput, match=f"a number from 1 to 2; you gave {number}"):
            check_session(number, PROTOCOL)


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("DF 001", "'DF 001' contains a space."),
        ("DF-001", "'DF-001' contains '-'."),
        ("DF\u200b001", "invisible character (U+200B, zero width space)"),
        ("DF001\u00a0", "invisible character (U+00A0, no-break space)"),
        ("\ufeffDF001", "invisible character (U+FEFF, zero width no-break space)"),
        ("DF\t001", "invisible character (U+0009, a control character)"),
        ("D\u0301F1", "invisible character (U+0301, combining acute accent)"),
        ("DF\u041e01", "contains '\u041e' (U+041E, cyrillic capital letter o)."),
        ("x" * 33, "has more than 32 characters."),
        ("sub-", "'sub-' has neither."),
    ],
)
def test_what_is_wrong_with_an_id_is_named(subject: str, said: str) -> None:
    """Also what cannot be seen, or looks like another letter, is named."""
    with pytest.raises(BadInput, match="The subject ID may contain only letters and digits") as refused:
        check_subject(subject)
    assert said in str(refused.value)
