"""Which column is what: told by its name, never guessed where it is not obvious, and no cell is ever shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from experiment.errors import BadInput
from experiment.messages.importing.columns import guess, offer_columns, resolve, with_header
from experiment.messages.importing.table import Table, table
from tests.message_files import HEADER, LONG, guessed_names, saved, separated, taken, texts


def named(*names: str, rows: int = 3) -> Table:
    """A table with these columns; every cell is alike but for the row."""
    return table("a.csv", [(1, names), *((row, [f"Sekret{row}"] * len(names)) for row in range(2, rows + 2))])


@pytest.mark.parametrize(
    "names",
    [
        ("Participant ID", "Your name", "Relationship", "Message"),
        ("participantId", "Written by:", "Relation to participant", "Message text"),
        ("Teilnehmer-ID", "Verfasserin", "Beziehung", "Nachricht"),
        ("Numéro participant", "Expéditeur", "Lien de parenté", "Lettre"),
        ("ID participante", "Remitente", "Relación", "Mensaje"),
        ("Partecipante", "Mittente", "Relazione", "Messaggio"),
        ("被験者番号", "差出人", "続柄", "メッセージ"),
        ("참가자", "보낸사람", "관계", "메시지"),
        ("被试编号", "作者", "关系", "留言"),
        ("Участник", "Автор", "Отношение", "Сообщение"),
        ("subject", "writer", "relationship", "text"),
    ],
)
def test_columns_are_told_by_their_names_in_many_languages(names: tuple[str, ...]) -> None:
    """Each field has its column, whatever their order."""
    for ordered in (names, names[::-1]):
        assert guessed_names(named(*ordered)) == dict(zip(HEADER, names, strict=True))


def test_names_of_participants_are_no_writers() -> None:
    """The participant's name, ID and writer are three columns."""
    found = guessed_names(named("participant_id", "participant_name", "sender_name", "relationship", "message"))
    assert (found["subject"], found["participant_name"], found["writer"]) == (
        "participant_id", "participant_name", "sender_name",
    )  # fmt: skip


def test_the_longest_column_is_the_text() -> None:
    """Without a name that tells, texts are three times as long as all else, or nobody guesses."""
    rows = [(1, ("subject", "writer", "relationship", "C7", "C8"))]
    long = table("a.csv", [*rows, (2, ("DF1", "A", "b", LONG, "x"))])
    assert guessed_names(long)["text"] == "C7"
    assert "text" not in guess(table("a.csv", [*rows, (2, ("DF1", "A", "b", LONG, LONG))]))


def test_what_is_not_obvious_is_not_guessed() -> None:
    """Two columns that could be it are listed without a cell of them, with what to type."""
    unclear = named("subject", "writer", "relationship", "message a", "message b")
    with pytest.raises(BadInput) as error:
        resolve(unclear, {})
    assert '4. "message a": 3 filled, median 7 characters' in str(error.value)
    assert '--column text="NAME OR NUMBER"' in str(error.value)
    assert "Sekret" not in str(error.value)
    for name in ("message b", "MESSAGE B", "5"):
        assert resolve(unclear, {"text": name})["text"].name == "message b"
    with pytest.raises(BadInput, match="there is no column 'Q9' for text"):
        resolve(unclear, {"text": "Q9"})
    with pytest.raises(BadInput, match="Please write one of subject, writer"):
        resolve(unclear, {"texts": "5"})


def test_a_person_is_asked_what_is_not_obvious() -> None:
    """Only the open fields are asked for, with the columns' descriptions."""
    asked: list[str] = []

    def ask(name: str, field: str, listed: Sequence[str]) -> int:
        asked.append(f"{name}: {field}")
        assert len(listed) == 5
        return 3

    assert resolve(named("subject", "writer", "relationship", "x", "y"), {}, ask)["text"].name == "x"
    assert asked == ["a.csv: text"]


def test_a_table_without_header_shows_nothing_of_its_first_row() -> None:
    """Names and texts in the place of the header are not told, and the person is told to add one."""
    bare = table("a.csv", [(1, ("DF1", "Sekretname", "mum", "Sekret text")), (2, ("DF1", "Bo", "dad", "words"))])
    with pytest.raises(BadInput, match="the first row does not look like column names") as error:
        with_header(bare, {})
    assert "Sekret" not in str(error.value)
    assert "\n  column 1: 1 filled, median 3 characters" in str(error.value)


@pytest.mark.parametrize("pattern", ["{} {}", "{}_{}", "{}{}", "{1}_{0}", "{1}. {0}"])
def test_wide_tables_have_a_row_a_participant(tmp_path: Path, pattern: str) -> None:
    """Numbered columns are a message each, in their order; what is not there is no message."""
    fields = ("writer", "relationship", "message")
    header = ["subject", *(pattern.format(field, number) for number in range(1, 7) for field in fields)]
    cells = [cell for number in range(1, 7) for cell in (f"W{number}", "friend", f"{LONG} {number}")]
    path = saved(tmp_path, "wide.csv", separated([header, ["DF1", *cells], ["DF2", *cells[:-3], "", "", ""]]))
    plan = taken([path], tmp_path / "into")
    assert [len(one.messages) for one in plan.subjects] == [6, 5]
    assert [(one.writer, one.text[-1]) for one in plan.subjects[0].messages] == [(f"W{n}", str(n)) for n in range(1, 7)]
    assert plan.findings == ()


def test_columns_of_one_name_are_a_wide_table(tmp_path: Path) -> None:
    """A form that names every message alike is numbered from left to right."""
    rows = [("subject", *("writer", "relationship", "message") * 2), ("DF1", "A", "aunt", "one", "B", "boss", "two")]
    plan = taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")
    assert [(one.writer, one.text) for one in plan.subjects[0].messages] == [("A", "one"), ("B", "two")]


def test_a_wide_table_is_given_with_a_sign_for_the_number(tmp_path: Path) -> None:
    """Columns whose names tell nothing are named with # for their number."""
    rows = [("code", "a1", "b1", "c1", "a2", "b2", "c2"), ("DF1", "A", "aunt", "one", "B", "boss", "two")]
    given = ["subject=code", "writer=a#", "relationship=b#", "text=c#"]
    plan = taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into", given=given)
    assert texts(plan) == {"DF1": ["one", "two"]}


def refused(rows: Sequence[Sequence[str]], folder: Path, **options: object) -> str:
    """Why a table cannot be taken in; none of its texts is in it."""
    with pytest.raises(BadInput) as error:
        taken([saved(folder, "a.csv", separated(rows))], folder / "into", **options)
    assert "Sekret" not in str(error.value)
    assert not (folder / "into").exists()
    return str(error.value)


MESSAGE = ("DF1", "Ada", "friend", LONG)


# What was said for all


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("subject", "DF2", "row 3: the participant's ID differs from --subject"),
        ("writer", "Bo", "row 3: the writer differs from --writer"),
        ("relationship", "mother", "row 3: the relationship differs from --relationship"),
        ("language", "de", "row 3: the language differs from --language"),
    ],
)
def test_a_row_that_contradicts_an_option_is_refused(tmp_path: Path, field: str, value: str, says: str) -> None:
    """What an option says for all overrides no cell: the row and the option are named."""
    header = (*HEADER, "language")
    cells = {"subject": "DF1", "writer": "Ada", "relationship": "friend", "text": "Sekret.", "language": "en"}
    empty = tuple((cells | {field: ""})[name] for name in header)
    rows = [header, empty, tuple(cells.values())]
    assert says in refused(rows, tmp_path, constants={field: value})
    path = saved(tmp_path, "b.csv", separated([header, empty, (*MESSAGE, "en")]))
    agreeing = {field: cells[field]}
    assert [len(one.new) for one in taken([path], tmp_path / "into", constants=agreeing).subjects] == [2]


def test_options_agree_with_cells_in_other_words(tmp_path: Path) -> None:
    """sub-DF1 is DF1, German is de, and capitals say nothing."""
    path = saved(tmp_path, "a.csv", separated([(*HEADER, "language"), (*MESSAGE, "German")]))
    said = {"subject": "sub-DF1", "writer": "ADA", "relationship": "Friend", "language": "Deutsch"}
    (one,) = taken([path], tmp_path / "into", constants=said).subjects
    assert (one.messages[0].writer, one.messages[0].language) == ("Ada", "de")


def test_an_option_makes_no_message_of_a_blank_row(tmp_path: Path) -> None:
    """A row with an ID alone is none, also where --writer would fill its cell."""
    path = saved(tmp_path, "a.csv", separated([HEADER, ("DF1", "", "b", LONG), ("DF2", "", "", "")]))
    plan = taken([path], tmp_path / "into", constants={"writer": "Ada"})
    assert (texts(plan), plan.findings) == ({"DF1": [LONG]}, ())


def test_a_text_files_name_contradicts_no_option(tmp_path: Path) -> None:
    """Whoever the name says wrote it is not overridden either."""
    path = saved(tmp_path, "DF1_mother_Anna.txt", LONG)
    with pytest.raises(BadInput, match=r"DF1_mother_\.\.\.\.txt \(file 1\): the writer differs from --writer"):
        taken([path], tmp_path / "into", constants={"writer": "Bo"})


# Headers


BARE = [MESSAGE, ("DF1", "Bo", "brother", LONG + "!")]


def test_a_table_without_names_loses_no_message(tmp_path: Path) -> None:
    """Where the first row may be a message, columns by number, or chosen by a person, do not make it a header."""
    numbers = [f"{field}={at}" for at, field in enumerate(HEADER, start=1)]
    assert "the first row does not look like column names" in refused(BARE, tmp_path, given=numbers)
    assert "the first row does not look like column names" in refused(BARE, tmp_path, ask=lambda *_: 0)
    path = saved(tmp_path, "a.csv", separated([("a", "b", "c", "d"), *BARE]))
    named = [f"{field}={name}" for field, name in zip(HEADER, "abcd", strict=True)]
    assert texts(taken([path], tmp_path / "into", given=named)) == {"DF1": [LONG, LONG + "!"]}


@pytest.mark.parametrize(
    "first",
    [
        ("DF1", "Ada", "friend", "I kept your letter under my pillow, love."),
        ("DF1", "Sender of this letter", "friend", "A message for my dear brother"),
        ("Ada", "my relation", "I kept your letter under my pillow, love."),
        ("Mum's letter", "friend", "A message, my dear, for your birthday!"),
        ("7", "Your name", "best friend", "A letter"),
    ],
)
def test_somebodys_words_are_no_header_and_never_shown(tmp_path: Path, first: tuple[str, ...]) -> None:
    """A cell that only has a word such as letter in it makes no header, and is told as column N."""
    said = refused([first, ("9", *"xy", LONG)[: len(first)]], tmp_path)
    assert "\n  column 2: 1 filled" in said
    assert not any(cell in said for cell in first if len(cell) > 1)


def test_a_long_question_among_names_is_not_shown(tmp_path: Path) -> None:
    """Of a certain header too, a cell that may be a sentence of somebody is told as column N."""
    rows = [("subject", "writer", "relationship", "I love you, and I always have."), (*MESSAGE[:3], "short")]
    said = refused(rows, tmp_path)
    assert "4. column 4: 1 filled, median 5 characters" in said
    assert "love" not in said


def test_questions_of_a_form_are_names() -> None:
    """Names such as Q1 are no IDs where the answers below are none, and brackets belong to a name."""
    names = ("Person 1 - Your name", "Relationship (mother, friend ...)", "Person 1 - Message", "Q1", "Q2")
    read = table("a.csv", [(1, names), (2, ("Ada", "friend", LONG, "yes", "no"))])
    assert read.is_headed
    assert not table("a.csv", [(1, names), (2, ("Ada", "friend", LONG, "X1", "no"))]).is_headed


@pytest.mark.parametrize("titles", [[("Letters, spring 2026",)], [("Letters", ""), ("for the study",)]])
def test_titles_above_the_names_are_passed_over(tmp_path: Path, titles: list[tuple[str, ...]]) -> None:
    """The header is found in the first rows, rows are counted as in the file, and a note says which were titles."""
    plan = taken([saved(tmp_path, "a.csv", separated([*titles, HEADER, *BARE]))], tmp_path / "into")
    assert texts(plan) == {"DF1": [LONG, LONG + "!"]}
    assert [(one.severity, one.text[:14]) for one in plan.findings] == [
        ("note", f"a.csv, row {at}: ") for at in range(1, len(titles) + 1)
    ]
    rows = [*titles, HEADER, *BARE, ("DF1", "", "friend", LONG)]
    assert f"row {len(titles) + 4}: there is a text but no " in refused(rows, tmp_path)


def test_a_row_as_full_as_the_names_is_no_title(tmp_path: Path) -> None:
    """What stands above the names and may be a message is not thrown away: the person is told what to do."""
    said = refused([MESSAGE, HEADER, *BARE], tmp_path)
    assert "If there is a title above them, delete it" in said


# What is obvious


@pytest.mark.parametrize(
    "names",
    [
        ("Teilnehmer-Nr.", "Name des Absenders", "Beziehung zum Teilnehmer", "Brief"),
        ("Für", "Wie heißen Sie?", "Wie stehen Sie zur Teilnehmerin?", "Ihre Nachricht"),
        ("Probanden-ID", "Vorname", "Verwandtschaft", "Nachricht"),
        ("ID del participante", "Nombre del remitente", "Relación con el participante", "Escriba su mensaje"),
        ("Código del participante", "¿Cómo se llama usted?", "Parentesco", "Carta"),
        ("N° participant", "Prénom", "Lien avec le participant", "Votre message"),
        ("Code du participant", "Nom de l'expéditeur", "Lien", "Lettre"),
        ("Participant's code", "Your first name", "How are you related to the participant?", "Your message to them"),
        ("Participant number", "Sent by", "Relationship to you", "Text of the message"),
    ],
)
def test_names_as_people_write_them_are_known(names: tuple[str, ...]) -> None:
    """Each field has its column in usual English, German, Spanish and French tables."""
    read = table("a.csv", [(1, names), (2, MESSAGE)])
    assert read.is_headed
    assert guessed_names(read) == dict(zip(HEADER, names, strict=True))


@pytest.mark.parametrize(
    ("short", "long"), [("Message sent on", "Content"), ("Note", "Brief an Teilnehmer"), ("Message", "Q7")]
)
def test_a_column_much_shorter_than_another_is_not_taken_for_the_text(tmp_path: Path, short: str, long: str) -> None:
    """Dates and notes are not taken in as messages beside a column of letters."""
    rows = [(*HEADER[:3], short, long), (*MESSAGE[:3], "2026-01-01", LONG)]
    assert "expected a column for text; none is obvious" in refused(rows, tmp_path)
    path = saved(tmp_path, "a.csv", separated(rows))
    assert texts(taken([path], tmp_path / "into", given=[f"text={long}"])) == {"DF1": [LONG]}


def test_the_columns_that_are_used_are_told(tmp_path: Path) -> None:
    """Each field's column is named with its filled cells and length, once for tables alike; so are unused texts."""
    first = saved(tmp_path, "a.csv", separated([(*HEADER, "comment", "date"), (*MESSAGE, LONG, "2026")]))
    second = saved(tmp_path, "b.csv", separated([HEADER, ("DF2", "Bo", "aunt", "x")]))
    plan = taken([first, second], tmp_path / "into")
    assert [line.splitlines()[0] for line in plan.used] == [
        "a.csv is read with these columns:", "b.csv is read with these columns:",
    ]  # fmt: skip
    assert '\n  text = "text": 1 filled, median 66 characters' in plan.used[0]
    assert '\n  text = "text": 1 filled, median 1 character' in plan.used[1]
    assert [(one.severity, one.text[:28]) for one in plan.findings] == [("warning", 'a.csv: not imported: "commen')]
    assert taken([second, saved(tmp_path, "c.csv", second.read_bytes())], tmp_path / "into").used == (
        plan.used[1].replace("b.csv", "b.csv and 1 more"),
    )


def test_columns_are_told_with_a_refusal_too(tmp_path: Path) -> None:
    """Whoever reads which row is wrong also reads which columns were taken."""
    assert 'writer = "writer": empty' in refused([HEADER, ("DF1", "", "friend", LONG)], tmp_path)


def test_a_redcap_record_is_no_participant_beside_a_study_number(tmp_path: Path) -> None:
    """Where another column looks like the participant's ID, the record's is not taken."""
    names = ("record_id", "redcap_repeat_instrument", "Participant's study number", *HEADER[1:])
    path = saved(tmp_path, "a.csv", separated([names, ("1", "", *MESSAGE)]))
    assert texts(taken([path], tmp_path / "into")) == {"DF1": [LONG]}


# Wide tables


@pytest.mark.parametrize(
    "names",
    [
        ("subject", "writer", "relationship", "writer", "text"),
        ("subject", "writer", "relationship", "Message part 1", "Message part 2"),
        ("subject", "writer", "relationship", "Message", "Message"),
        ("subject", "writer 1", "writer 2", "relationship", "message"),
    ],
)
def test_columns_that_occur_again_make_no_message_each(tmp_path: Path, names: tuple[str, ...]) -> None:
    """One writer for two texts, or two for one, is asked about and not guessed."""
    assert "none is obvious" in refused([names, ("DF1", "Sekret A", "Sekret B", "Sekret C", LONG)], tmp_path)


def test_an_empty_column_of_the_same_name_is_none(tmp_path: Path) -> None:
    """A second Message without a cell is no reason to ask."""
    path = saved(tmp_path, "a.csv", separated([(*HEADER, "text"), (*MESSAGE, "")]))
    assert texts(taken([path], tmp_path / "into")) == {"DF1": [LONG]}


def test_numbered_fields_belong_together(tmp_path: Path) -> None:
    """Columns that are given need the text numbered, and all other numbered fields over the same numbers."""
    names = ("subject", "a1", "a2", "b1", "b2", "b3", "c1", "c2", "d")
    rows = [names, ("DF1", "A", "B", "x", "y", "z", "Sekret 1", "Sekret 2", "Sekret")]
    fits, other = ["subject=subject", "writer=a#", "relationship=d", "text=c#"], ["subject=subject", "writer=a#"]
    assert "relationship =" in refused(rows, tmp_path, given=[*other, "relationship=b#", "text=c#"])
    assert "a row has several messages, so each column for" in refused(
        rows, tmp_path, given=[*other, "relationship=d", "text=d"]
    )
    path = saved(tmp_path, "a.csv", separated(rows))
    assert texts(taken([path], tmp_path / "into", given=fits)) == {"DF1": ["Sekret 1", "Sekret 2"]}


def test_the_same_text_twice_in_a_row_is_an_error(tmp_path: Path) -> None:
    """Two writers do not write the same: the columns may be wrong."""
    names = ("subject", *(f"{field} {at}" for at in (1, 2) for field in HEADER[1:]))
    path = saved(tmp_path, "a.csv", separated([names, (*MESSAGE, "Bo", "brother", LONG)]))
    plan = taken([path], tmp_path / "into")
    assert [(one.severity, one.text[:58]) for one in plan.findings] == [
        ("error", "a.csv, row 2, number 2: the same text as a.csv, row 2, num")
    ]


@pytest.mark.parametrize("pattern", ["Person {} - {}", "lo{}_{}", "{1} no. {0} (please fill in)", "Q5_{}: {}"])
def test_the_number_may_stand_anywhere(tmp_path: Path, pattern: str) -> None:
    """Numbered columns are known, and given with # in the number's place, wherever it stands."""
    fields = ("Writer", "Relationship", "Message")
    names = ("subject", *(pattern.format(at, field) for at in (1, 2) for field in fields))
    path = saved(tmp_path, "a.csv", separated([names, (*MESSAGE, "Bo", "brother", LONG + "!")]))
    given = [f"{name}={pattern.format('#', field)}" for name, field in zip(HEADER[1:], fields, strict=True)]
    for options in ({}, {"given": given}):
        (one,) = taken([path], tmp_path / "into", **options).subjects
        assert [(message.writer, message.text) for message in one.messages] == [("Ada", LONG), ("Bo", LONG + "!")]


def test_columns_that_belong_together_are_offered_first() -> None:
    """A person chooses from groups, then from single columns; questions that only have numbers make no group."""
    names = (
        "subject",
        "Person 1 - Name",
        "Person 1 - Message",
        "Person 2 - Name",
        "Person 2 - Message",
        "Q1",
        "Q2",
        "Q3",
    )
    read = table("a.csv", [(1, names), (2, ("DF1", "Ada", LONG, "Bo", LONG + "!", "yes", "no", "no"))])
    offers = [one.name for one in offer_columns(read)]
    assert offers == ["Person # - Name", "Person # - Message", *names]


def test_what_is_chosen_may_make_the_rest_obvious() -> None:
    """Once the writers' columns are known, those of the same numbers are not asked for."""
    names = ("subject", *(f"{at} {field}" for at in (1, 2) for field in ("Who", "relationship", "message")))
    read = replace(table("a.csv", [(1, names), (2, (*MESSAGE, "Bo", "brother", LONG + "!"))]), is_headed=True)
    asked = list[str]()

    def ask(name: str, field: str, listed: Sequence[str]) -> int:
        asked.append(f"{name}: {field}")
        return next(at for at, line in enumerate(listed) if line.startswith('"# Who"'))

    assert resolve(read, {}, ask)["text"].name == "# message"
    assert asked == ["a.csv: writer"]
