"""Files as they are sent become participants' messages, to the code point, or are refused by name."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unicodedata import normalize

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from typer.testing import CliRunner

from experiment.cli.messages import import_messages
from experiment.design.message import Message, read_messages
from experiment.drawing.scripts import needs_language
from experiment.errors import BadInput
from experiment.messages.importing import merge
from experiment.messages.importing import run as importing
from experiment.messages.importing.encoding import decode_text
from experiment.messages.language import guess_language, standard_tag
from experiment.messages.store import Folder
from experiment.record.finding import worst
from tests.message_files import HEADER, LONG, ROWS, guessed_names, only, saved, separated, taken, texts, workbook

ROOT = Path(__file__).parents[1]
LATIN = (HEADER, ("DF1", "Jürgen", "Vater", "Größer – „schöner“, à l’été\nZeile zwei"))


# Encodings and delimiters


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_unicode_table_is_read_to_the_code_point(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    """Cells come back as they were, whatever the delimiter and line end, and nothing was assumed."""
    path = saved(tmp_path, "a.csv", separated(ROWS, delimiter, end).encode(encoding))
    read = only(path)
    assert (read.header, *read.rows) == ROWS
    assert (read.findings, read.kind, read.numbers) == ((), "plain", (2, 3, 4))


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp1250"])
def test_an_assumed_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    """What does not say its encoding is read as the likeliest, with a warning; what is said wins, without one."""
    path = saved(tmp_path, "a.csv", separated(LATIN).replace("à", "a").encode(encoding))
    (finding,) = only(path).findings
    assert finding.severity == "warning"
    assert "was read as" in finding.text
    assert only(path).rows[0][1] == "Jürgen"
    assert only(path, encoding=encoding).findings == ()
    marked = saved(tmp_path, "b.csv", separated(LATIN).encode("utf-8-sig"))
    assert only(marked, encoding=encoding).rows == LATIN[1:]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Дорогая Анна, я очень горжусь тобой. Помнишь, как мы ходили на речку?"),
        ("koi8_r", "Дорогая Анна, я очень горжусь тобой. Помнишь, как мы ходили на речку?"),
        ("cp932", "お母さんより。いつもあなたのことを思っています。元気でね。"),
        ("gb18030", "亲爱的女儿，妈妈每天都在想你。记得按时吃饭，天冷了要多穿衣服。"),
        ("cp949", "사랑하는 우리 딸, 항상 건강하고 행복하길 바란다. 엄마가"),
        ("cp1253", "Αγαπημένη μου, είμαι τόσο περήφανη για σένα. Θυμάσαι το καλοκαίρι στο νησί;"),
        ("cp1250", "Kochana córeczko, tęsknię za tobą. Pamiętasz, jak jeździliśmy na łąkę?"),
        ("mac_roman", "Mi niña, ¿cómo estás? Te quiero muchísimo, mañana te llamo."),
    ],
)
def test_other_usual_encodings_are_told_apart(tmp_path: Path, encoding: str, text: str) -> None:
    """A text in the usual encoding of its language is read right, and always with the warning."""
    path = saved(tmp_path, "a.csv", separated((HEADER, ("DF1", "A", "b", text))).encode(encoding))
    assert only(path).rows[0][3] == text
    assert [finding.severity for finding in only(path).findings] == ["warning"]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850", "cp437"])
@pytest.mark.parametrize(
    "text",
    [
        "Ich mag Käse.",
        "Größe, schöne Grüße. Du bist für immer der Größte.",
        "Mi niña, ¿cómo estás?",
        "Où es-tu, ma chérie?",
        "Tu es très chère à ma mère",
        "José",
        "früher ging ich mit dir",
    ],
)
def test_old_computers_encodings_are_told_apart(encoding: str, text: str) -> None:
    """The letters of DOS, Windows and Mac come right also in a short text, and the likely others are named."""
    try:
        data = separated((HEADER, ("DF1", "Jürgen", "père", text))).encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("a character that this encoding lacks")
    read, (finding,) = decode_text(data, "a.csv")
    assert text in read
    assert "are possible too, with other letters" in finding.text
    assert "cp1251" not in finding.text


@pytest.mark.parametrize(
    ("data", "encoding", "says"),
    [
        (b"\xff\xfea\xd8b\x00", None, "not utf-16 as its first bytes say"),
        ("é".encode("cp1252"), "utf-8", "as --encoding says"),
        (b"a", "utf-99", "--encoding 'utf-99' is not known"),
        ("ééé".encode() + b"\xc3", None, "byte 7 is not UTF-8"),
        (b"a\xed\xa0\x80", None, "byte 2 is not UTF-8"),
    ],
)
def test_bytes_that_do_not_fit_are_refused(data: bytes, encoding: str | None, says: str) -> None:
    """Nothing is decoded with replacements: what does not fit is an error with its place."""
    with pytest.raises(BadInput, match=says):
        decode_text(data, "a.csv", encoding)


def test_excels_own_line_about_the_delimiter_is_no_row(tmp_path: Path) -> None:
    """`sep=;` names the delimiter, and rows are counted as in the file."""
    read = only(saved(tmp_path, "a.csv", "sep=;\r\n" + separated(ROWS, ";")))
    assert (read.header, read.rows, read.numbers[0]) == (HEADER, ROWS[1:], 3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("subject,writer,text\nDF1,A,one, two\n", "row 2: 4 instead of 3 cells"),
        ('subject,writer,text\nDF1,A,"one"two\n', "row 2: quotes around a cell are not in pairs"),
        ('subject,writer,text\nDF1,A,"one\n', "quotes around a cell are not in pairs"),
        ("subject,writer,text\nDF1,A\0,\u20ac\n", r"U\+0000 at character 26"),
        ("  \n", "the file is empty"),
    ],
)
def test_broken_tables_are_refused_with_the_row(tmp_path: Path, text: str, says: str) -> None:
    """A row with too many cells or an open quote is named, and no cell is told."""
    with pytest.raises(BadInput, match=says) as error:
        only(saved(tmp_path, "a.csv", text))
    assert "two" not in str(error.value)


def test_lines_above_the_header_may_be_blank(tmp_path: Path) -> None:
    """Empty rows are passed over and counted."""
    read = only(saved(tmp_path, "a.csv", ",,,\r\n\r\n" + separated(ROWS)))
    assert (read.header, read.numbers[0]) == (HEADER, 4)


def test_a_text_of_any_length_is_read(tmp_path: Path) -> None:
    """Python's own limit of 131,072 characters in a cell is none of a text."""
    text = "love. " * 30_000
    assert only(saved(tmp_path, "a.csv", separated((HEADER, ("DF1", "A", "b", text))))).rows[0][3] == text


def test_a_short_row_is_named(tmp_path: Path) -> None:
    """A row with fewer cells than the header may be a text cut in two."""
    read = only(saved(tmp_path, "a.csv", "subject,writer,text\nDF1,A,one\ntwo\n"))
    assert [finding.text.split(": ", 1)[1][:29] for finding in read.findings] == ["1 instead of 3 cells. Check w"]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", r"this is an old workbook\. .* save it as \.xlsx"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"this is an old or locked document\. .* save it as \.xlsx"),
        ("a.pdf", b"%PDF-", r"this is a PDF\. Save each message as a text file"),
        ("a.txt", b"%PDF-", r"this is a PDF\."),
        ("a.rtf", b"{\\rtf1", "this is a text with formats"),
        ("a.txt", b"{\\rtf1", "this is a text with formats"),
        ("a.docx", b"PK\x03\x04", r"this is a Word document\. Save each message as a text file"),
        ("a.html", b"<p>", "this is a web page"),
        ("a.eml", b"From: ", "this is an e-mail"),
        ("a.json", b"[]", "this is JSON.* as CSV or XLSX"),
    ],
)
def test_other_documents_are_refused_by_their_format(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    """What is neither a table nor a text is named with its format and what to do, whatever it is called."""
    with pytest.raises(BadInput, match=says):
        only(saved(tmp_path, name, data))


# Workbooks


def test_a_workbook_is_read_to_the_code_point(tmp_path: Path) -> None:
    """Texts with white space, line breaks and emoji come back; empty sheets are passed over."""
    read = only(workbook(tmp_path / "a.xlsx", {"empty": [], "answers": ROWS}))
    assert (read.header, *read.rows) == ROWS
    assert read.name == "a.xlsx [answers]"


def test_numbers_are_as_they_were_seen(tmp_path: Path) -> None:
    """Whole numbers have no point, a format's leading zeros stay, dates are dates, and errors are named as such."""
    path = workbook(tmp_path / "a.xlsx", {"a": [HEADER, [17, 12345678901, 1.5, 1e20], ["#N/A", datetime(2026, 5, 3)]]})  # noqa: DTZ001
    read = only(path)
    assert read.rows[0] == ("17", "12345678901", "1.5", "1e+20")
    assert read.rows[1][:2] == ("#N/A", "2026-05-03")


def changed(path: Path, change: Callable[[Any], None]) -> Path:
    """The workbook with something changed in its first sheet."""
    from openpyxl import load_workbook

    book = load_workbook(path)
    change(book.worksheets[0])
    book.save(path)
    return path


@pytest.mark.parametrize("size", ["A1", "A1:D2", "A1:B3"])
def test_a_wrong_size_of_a_sheet_loses_nothing(tmp_path: Path, size: str) -> None:
    """What a program writes about a sheet's size is not believed: every row and column is read."""
    path = workbook(tmp_path / "a.xlsx", {"a": ROWS})
    with zipfile.ZipFile(path) as parts:
        contents = {name: parts.read(name) for name in parts.namelist()}
    with zipfile.ZipFile(path, "w") as parts:
        for name, content in contents.items():
            parts.writestr(name, re.sub(rb'<dimension ref="[^"]+"', f'<dimension ref="{size}"'.encode(), content))
    assert only(path).rows == ROWS[1:]


@pytest.mark.parametrize("form", ['"DF"000', "00-000", "0.00", "#,##0"])
def test_an_id_that_is_shown_otherwise_is_refused(tmp_path: Path, form: str) -> None:
    """The number 17 that a sheet shows as DF017 would be another participant's ID."""

    def as_number(sheet: Any) -> None:
        sheet["A3"].value, sheet["A3"].number_format = 17, form

    path = changed(workbook(tmp_path / "a.xlsx", {"a": ROWS}), as_number)
    with pytest.raises(BadInput, match=r"row 3: the participant's ID is a number with a cell format") as error:
        taken([path], tmp_path / "into")
    assert "17" not in str(error.value)


def test_ids_in_merged_cells_are_named_as_such(tmp_path: Path) -> None:
    """Of merged cells only the first has the ID: the others are refused, with what to do."""
    path = changed(workbook(tmp_path / "a.xlsx", {"a": ROWS}), lambda sheet: sheet.merge_cells("A2:A3"))
    with pytest.raises(BadInput, match=r"row 3: .* no participant's ID in these merged cells\. Unmerge them"):
        taken([path], tmp_path / "into")


def test_leading_zeros_of_a_format_stay(tmp_path: Path) -> None:
    """The number 17 that is shown as 0017 is 0017."""
    from openpyxl import load_workbook

    path = workbook(tmp_path / "a.xlsx", {"a": [("subject", "text"), [17, "x"]]})
    book = load_workbook(path)
    book.worksheets[0]["A2"].number_format = "0000"
    book.save(path)
    assert only(path).rows[0][0] == "0017"


@pytest.mark.parametrize(("written", "read"), [("=1+1", "=1+1"), ("=_xFFFE_", "=\ufffe")])
def test_formulas_give_what_was_seen(tmp_path: Path, written: str, read: str) -> None:
    """A formula that was never calculated stands as it is, so that it is named; escapes in it are undone."""
    path = workbook(tmp_path / "a.xlsx", {"a": [HEADER, ["DF1", "A", "b", written]]})
    assert only(path).rows[0][3] == read


SHARED = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
INLINE = b't="inlineStr"><is><t>MARK</t></is>'


def with_text(path: Path, written: str, *, is_shared: bool) -> Path:
    """The workbook with this XML in the cell that says MARK: within its sheet, or shared, as Excel writes it."""
    with zipfile.ZipFile(path) as parts:
        contents = {name: parts.read(name) for name in parts.namelist()}
    sheet, types = "xl/worksheets/sheet1.xml", "[Content_Types].xml"
    assert INLINE in contents[sheet]
    if is_shared:
        contents[sheet] = contents[sheet].replace(INLINE, b't="s"><v>0</v>')
        override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SHARED}" /></Types>'
        contents[types] = contents[types].replace(b"</Types>", override.encode())
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        contents["xl/sharedStrings.xml"] = f'<sst xmlns="{space}"><si>{written}</si></sst>'.encode()
    else:
        contents[sheet] = contents[sheet].replace(INLINE, f't="inlineStr"><is>{written}</is>'.encode())
    with zipfile.ZipFile(path, "w") as parts:
        for name, content in contents.items():
            parts.writestr(name, content)
    return path


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<t>one_x000D_\ntwo</t>", "one\ntwo"),  # Excel's way to write a carriage return
        ("<t>_xD83D__xDE0A_</t>", "😊"),
        ("<t>one_x005F_x000D_two</t>", "one_x000D_two"),  # and its way to write these letters
        ("<r><t>rich</t></r><r><rPr><b/></rPr><t xml:space='preserve'> text </t></r>", "rich text "),
        ("<t>愛</t><rPh sb='0' eb='1'><t>アイ</t></rPh>", "愛"),
        ("<t>a&#13;b&#10;c &amp;amp; &#x1F60A;\u2028</t>", "a\nb\nc &amp; 😊\u2028"),
        ("<t>  two  spaces  </t>", "  two  spaces  "),
    ],
)
def test_a_workbooks_xml_is_what_it_stands_for(tmp_path: Path, written: str, read: str, is_shared: bool) -> None:  # noqa: FBT001
    """Escapes are undone as the format's standard has it; the letters of an escape stay and are an error."""
    path = workbook(tmp_path / "a.xlsx", {"a": [HEADER, ["DF1", "A", "b", "MARK"]]})
    assert only(with_text(path, written, is_shared=is_shared)).rows[0][3] == read
    plan = taken([path], tmp_path / "into", constants={"language": "ja"})
    assert (worst(plan.findings) == "error") == ("_x000D_" in read or "&amp;" in read)


def test_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    """Nobody guesses a sheet: both are listed, and --sheet takes one."""
    path = workbook(tmp_path / "a.xlsx", {"one": ROWS, "two": ROWS[:2]})
    with pytest.raises(BadInput, match=r"\('one', 'two'\)\. Choose one with --sheet"):
        only(path)
    assert len(only(path, sheet="two").rows) == 1
    with pytest.raises(BadInput, match=r"there is no sheet 'three'\. Choose one of 'one', 'two'"):
        only(path, sheet="three")


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    """Half a workbook is no workbook, and the error says what to do."""
    path = workbook(tmp_path / "a.xlsx", {"one": ROWS})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadInput, match="not a workbook that Excel can open"):
        only(path)


# Qualtrics and REDCap


QUALTRICS = (
    ("StartDate", "Status", "Finished", "ResponseId", "DistributionChannel", "UserLanguage", "Q1", "Q2", "Q3", "Q4"),
    ("Start Date", "Response Type", "Finished", "Response ID", "Distribution Channel", "User Language",
     "Please enter the participant code:", "What is your name?", "What is your relationship to them?", "Your message"),
    tuple(json.dumps({"ImportId": f"QID{number}_TEXT", "timeZone": "Z"}) for number in range(10)),
    ("2026-01-01 10:00:00", "IP Address", "True", "R_1abc", "anonymous", "EN", "DF1", "Ada", "friend", LONG),
    ("2026-01-01 10:00:00", "Survey Preview", "True", "R_2abc", "preview", "EN", "DF1", "me", "test", "test"),
    ("2026-01-01 10:00:00", "IP Address", "False", "R_3abc", "anonymous", "EN", "DF1", "Bo", "son", LONG + "!"),
    ("2026-01-01 10:00:00", "IP Address", "True", "R_4abc", "anonymous", "ZH-S", "DF2", "李", "朋友", "妈妈爱你"),
)  # fmt: skip


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8-sig"), ("\t", "utf-16")])
@pytest.mark.parametrize("heads", [1, 2, 3])
def test_qualtrics_exports_are_understood(tmp_path: Path, delimiter: str, encoding: str, heads: int) -> None:
    """Columns are told by their questions; previews and unfinished answers are left out and named by their row."""
    rows = (*QUALTRICS[:heads], *QUALTRICS[3:])
    path = saved(tmp_path, "export.csv", separated(rows, delimiter, "\n").encode(encoding))
    read = only(path)
    assert (read.kind, len(read.rows)) == ("qualtrics", 2)
    assert [finding.text.split(",")[1].split(":")[0] for finding in read.findings] == [
        f" row {heads + 2}", f" row {heads + 3}",
    ]  # fmt: skip
    if heads == 1:
        return
    assert guessed_names(read) == {
        "subject": "Q1", "writer": "Q2", "relationship": "Q3", "text": "Q4", "language": "UserLanguage",
    }  # fmt: skip
    plan = taken([path], tmp_path / "into")
    assert texts(plan) == {"DF1": [LONG], "DF2": ["妈妈爱你"]}
    assert [one.messages[0].language for one in plan.subjects] == ["en", "zh-Hans"]


def test_a_preview_is_known_by_its_channel_too(tmp_path: Path) -> None:
    """Where the column Status was not exported, DistributionChannel tells."""
    rows = [[cell for at, cell in enumerate(row) if at != 1] for row in QUALTRICS]
    assert len(only(saved(tmp_path, "a.csv", separated(rows))).rows) == 2


def test_questions_with_numbers_are_a_wide_table(tmp_path: Path) -> None:
    """A form that asks for each message anew has the number in its questions."""
    asked = [f"{what} {number}" for number in (1, 2) for what in ("Your name", "Relationship", "Message")]
    names = ["ResponseId", "Q1", "Q4", "Q5", "Q9", "Q11", "Q12", "Q20"]
    answers = ["R_1", "DF1", "Ada", "aunt", "one.", "Bo", "boss", "two."]
    path = saved(tmp_path, "a.csv", separated([names, ["Response ID", "Participant code", *asked], answers]))
    assert texts(taken([path], tmp_path / "into")) == {"DF1": ["one.", "two."]}


@pytest.mark.parametrize("is_labelled", [False, True])
def test_redcap_exports_are_understood(tmp_path: Path, is_labelled: bool) -> None:  # noqa: FBT001
    """Repeated forms get the participant's ID from their record's own row, which is no message."""
    names = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "participant_id"]
    labels = ["Record ID", "Repeat Instrument", "Repeat Instance", "Participant ID"]
    rows = [
        [*(labels if is_labelled else names), "writer", "relationship", "message", "message_complete"],
        ["1", "", "", "DF1", "", "", "", ""],
        ["1", "messages", "1", "", "Ada", "friend", LONG, "2"],
        ["1", "messages", "2", "", "Bo", "brother", LONG + "!", "2"],
        ["2", "", "", "DF2", "", "", "", ""],
        ["2", "messages", "1", "", "Cy", "aunt", LONG, "2"],
    ]
    path = saved(tmp_path, "redcap.csv", separated(rows))
    assert only(path).kind == "redcap"
    plan = taken([path], tmp_path / "into")
    assert texts(plan) == {"DF1": [LONG, LONG + "!"], "DF2": [LONG]}
    assert plan.findings == ()


def test_a_redcap_record_may_have_a_message_of_its_own(tmp_path: Path) -> None:
    """A record's own row stays where it fills columns of the repeated form, and those are not carried over."""
    rows = [
        ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "pid", "writer", "relationship", "message"],
        ["1", "", "", "DF1", "Ada", "friend", "one."],
        ["1", "messages", "1", "", "Bo", "brother", "two."],
        ["1", "messages", "2", "", "Cy", "", ""],
    ]
    plan = taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")
    assert texts(plan) == {"DF1": ["one.", "two."]}
    assert [finding.text[:12] for finding in plan.findings] == ["a.csv, row 4"]


def test_redcaps_events_share_an_id_and_unfinished_forms_are_left_out(tmp_path: Path) -> None:
    """The ID may stand in another event of the record; what was not sent off is named with its row."""
    rows = [
        ["record_id", "redcap_event_name", "participant_id", "enrolment_complete",
         "writer", "relationship", "message", "letter_timestamp", "letter_complete"],
        ["1", "enrolment_arm_1", "DF1", "2", "", "", "", "", "0"],
        ["1", "letter_arm_1", "", "", "Ada", "friend", LONG, "2026-01-01 10:00:00", "2"],
        ["1", "letter_2_arm_1", "", "", "Bo", "brother", LONG + "!", "[not completed]", "2"],
        ["1", "letter_3_arm_1", "", "", "Cy", "aunt", LONG + "?", "", "0"],
    ]  # fmt: skip
    plan = taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")
    assert texts(plan) == {"DF1": [LONG]}
    assert [(one.severity, one.text.partition(", because")[0]) for one in plan.findings] == [
        ("warning", f"a.csv, row {row}: left out") for row in (4, 5)
    ]


def test_answers_without_an_id_are_no_questions(tmp_path: Path) -> None:
    """A Qualtrics export whose response IDs were removed keeps its first answers."""
    rows = [("ResponseId", *HEADER), ("", "DF1", "Ada", "friend", LONG), ("", "DF1", "Bo", "brother", LONG + "!")]
    assert texts(taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")) == {"DF1": [LONG, LONG + "!"]}


def test_redcap_without_another_id_is_told_by_its_record(tmp_path: Path) -> None:
    """Where no column has an ID of its own, the record is the participant."""
    rows = [("record_id", "writer", "relationship", "message"), ("DF1", "Ada", "friend", LONG)]
    assert texts(taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")) == {"DF1": [LONG]}


# Text files


def test_text_files_are_a_message_each(tmp_path: Path) -> None:
    """Who wrote to whom stands in the names; the text is the whole file."""
    folder = tmp_path / "sent"
    folder.mkdir()
    saved(folder, "DF017_mother_Anna.txt", "Hello,\r\n  love\n".encode("utf-8-sig"))
    saved(folder, "sub-DF017_best friend_Bo_Li.txt", "שלום ❤️")
    (one,) = taken([folder], tmp_path / "into").subjects
    assert [(m.message_id, m.relationship, m.writer, m.language, m.text) for m in one.messages] == [
        ("m01", "mother", "Anna", "en", "Hello,\n  love\n"), ("m02", "best friend", "Bo_Li", "he", "שלום ❤️"),
    ]  # fmt: skip


def test_what_a_text_files_name_does_not_say_is_given(tmp_path: Path) -> None:
    """A file of any name is taken in with what the command says, and refused without."""
    path = saved(tmp_path, "letter.txt", LONG)
    with pytest.raises(
        BadInput, match=r"letter\.txt: the name does not say who wrote it for whom, as in DF017_mother_Anna\.txt"
    ):
        taken([path], tmp_path / "into")
    said = {"subject": "DF1", "writer": "Ada", "relationship": "friend", "language": None}
    assert texts(taken([path], tmp_path / "into", constants=said)) == {"DF1": [LONG]}


def test_folders_name_what_they_pass_over(tmp_path: Path) -> None:
    """Files of the system, other documents and folders in a folder do not stop the rest, and each is named."""
    sent = tmp_path / "sent"
    (sent / "more").mkdir(parents=True)
    for name in ("DF1_mother_Anna.txt", "Thumbs.db", ".DS_Store", "letter.docx"):
        saved(sent, name, LONG)
    plan = taken([sent], tmp_path / "into")
    assert texts(plan) == {"DF1": [LONG]}
    assert [(one.severity, one.text.partition(". ")[0]) for one in plan.findings] == [
        ("warning", "Thumbs.db: left out, it is neither a table nor a text file."),
        ("warning", "letter.docx: left out, it is a Word document"),
        ("warning", "more: left out, because it is a subfolder"),
    ]
    (sent / "DF1_mother_Anna.txt").unlink()
    with pytest.raises(BadInput, match=r"there are no tables .* Its subfolders are not searched"):
        taken([sent], tmp_path / "into")


def test_unicode_text_of_a_spreadsheet_is_a_table(tmp_path: Path) -> None:
    """Excel saves tables as .txt too: tabs in UTF-16."""
    assert only(saved(tmp_path, "a.txt", separated(ROWS, "\t").encode("utf-16"))).rows == ROWS[1:]


# Languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello ❤️", "en"), ("שלום לך mamma", "he"), ("حبيبتي", "ar"), ("میری پیاری بیٹی", "ur"),
        ("عزیزم گل من", "fa"),
        ("प्यारी", "hi"), ("আমার", "bn"), ("அன்பு", "ta"), ("ప్రియ", "te"), ("รัก", "th"), ("ស្រឡាញ់", "km"),
        ("ፍቅር", "am"), ("მიყვარხარ", "ka"), ("Սիրում եմ", "hy"), ("Αγάπη", "el"), ("люблю тебя", "ru"),
        ("люблю її", "uk"),
        ("사랑해", "ko"), ("愛してる", "ja"), ("我爱你", "en"), ("❤️ 123", "en"), ("Hello, my שלום friend", "en"),
    ],
)  # fmt: skip
def test_languages_are_told_by_script_alone(text: str, language: str) -> None:
    """A script with few languages tells; Latin and Chinese characters do not, and the latter are asked for."""
    assert guess_language(text, "en") == language
    assert needs_language(text, language) == (text == "我爱你")


def test_the_protocols_language_wins_among_those_of_its_script() -> None:
    """Ukrainian labs get Ukrainian, and a form's languages become tags."""
    assert (guess_language("люблю тебе", "uk"), guess_language("سلام", "fa"), guess_language("我爱你", "zh-Hant")) == (
        "uk",
        "fa",
        "zh-Hant",
    )
    assert [standard_tag(one) for one in ("EN", "ZH-S", "ZH-T", "pt_BR", "Elbisch?", "")] == [
        "en", "zh-Hans", "zh-Hant", "pt-BR", "Elbisch?", "",
    ]  # fmt: skip


def test_languages_by_their_usual_names_become_tags() -> None:
    """What people write in a column for the language is understood, but for Chinese, of which there are several."""
    names = ("English", "Deutsch", "Spanish", "español", "Français", "日本語", "Русский", "Traditional Chinese")
    assert [standard_tag(one) for one in names] == ["en", "de", "es", "es", "fr", "ja", "ru", "zh-Hant"]
    assert [standard_tag(one) for one in ("Vietnamese", "thaï", "Norsk", "हिन्दी")] == ["vi", "th", "nb", "hi"]
    assert standard_tag("Chinese") == "Chinese"


# Gathering, joining, writing


def test_messages_are_numbered_in_the_files_order(tmp_path: Path) -> None:
    """Each participant's messages are m01, m02, ..., and all is as it was written."""
    plan = taken([saved(tmp_path, "a.csv", separated(ROWS))], tmp_path / "into")
    assert merge.write(plan, Folder(tmp_path / "into")) == 2
    one, two = read_messages(tmp_path / "into" / "sub-DF1.csv")
    assert (one.message_id, one.writer, one.relationship, one.text) == ("m01", *ROWS[1][1:])
    assert (two.message_id, two.subject) == ("m02", "DF1")


def test_taking_in_again_adds_nothing(tmp_path: Path) -> None:
    """The same file leaves every byte as it was; a grown one adds what is new, with the next ids."""
    into = tmp_path / "into"
    path = saved(tmp_path, "a.csv", separated(ROWS))
    merge.write(taken([path], into), Folder(into))
    before = {one.name: one.read_bytes() for one in into.iterdir()}
    again = taken([path], into)
    assert [(one.new, len(one.known)) for one in again.subjects] == [((), 2), ((), 1)]
    assert merge.write(again, Folder(into)) == 0
    saved(tmp_path, "a.csv", separated((HEADER, ("DF1", "New", "uncle", "In front"), *ROWS[1:])))
    merge.write(taken([path], into), Folder(into))
    assert [one.message_id for one in read_messages(into / "sub-DF1.csv")] == ["m01", "m02", "m03"]
    assert (into / "sub-DF1.csv").read_bytes().startswith(before["sub-DF1.csv"])
    assert (into / "sub-DF2.csv").read_bytes() == before["sub-DF2.csv"]


def test_what_is_gone_from_the_file_stays_and_is_named(tmp_path: Path) -> None:
    """Nothing that was taken in is changed; another text of the same writer may be a correction, and is told so."""
    into = tmp_path / "into"
    merge.write(taken([saved(tmp_path, "a.csv", separated(ROWS))], into), Folder(into))
    changed = (HEADER, (*ROWS[1][:3], "Another text"), ROWS[3])
    plan = taken([saved(tmp_path, "a.csv", separated(changed))], into)
    assert [(one.severity, one.subject, one.message_id) for one in plan.findings] == [
        ("warning", "DF1", "m01"), ("note", "DF1", "m02"),
    ]  # fmt: skip
    assert "a new text, m03: if that is a correction" in plan.findings[0].text
    assert [one.message_id for one in plan.subjects[0].messages] == ["m01", "m02", "m03"]


def test_new_ids_pass_over_those_in_use() -> None:
    """Messages with ids of their own stay, and no id is given twice."""
    there = [Message(one, "A", "b", "en", one) for one in ("mother", "m07")]
    merged = merge.merge("DF1", there, [Message("m01", "A", "b", "en", "x"), Message("m02", "A", "b", "en", "y")])
    assert [one.message_id for one in merged.messages] == ["mother", "m07", "m08", "m09"]


def test_findings_have_the_id_that_a_message_gets(tmp_path: Path) -> None:
    """A spoiled text that comes behind others is named by its own id, not by its place in the file."""
    into = tmp_path / "into"
    merge.write(taken([saved(tmp_path, "a.csv", separated(ROWS))], into), Folder(into))
    plan = taken([saved(tmp_path, "b.csv", separated((HEADER, ("DF1", "X", "y", "one &amp; two"))))], into)
    assert [one.message_id for one in plan.findings if one.severity == "error"] == ["m03"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("", "A", "b", LONG), "row 3: there is a text but no participant's ID"),
        (("DF1", " ", "b", LONG), "row 3: there is a text but no writer"),
        (("DF1", "A", "", LONG), "there is a text but no relationship"),
        (("1.2E+05", "A", "b", LONG), "not a number in scientific notation"),
        (("3-May", "A", "b", LONG), "not a date"),
        (("DF 17!", "A", "b", LONG), "may contain only letters and digits"),
        (("DF1", "A", "b", LONG + "\x07"), r"row 3: text: U\+0007 at character \d+, a control character"),
        (("DF1", "A\x1b", "b", LONG), r"writer: U\+001B at character 2"),
    ],
)
def test_rows_that_cannot_be_kept_refuse_the_file(tmp_path: Path, row: tuple[str, ...], says: str) -> None:
    """Each such row is named with its reason and nothing of its text, and no file is written."""
    path = saved(tmp_path, "a.csv", separated((HEADER, ROWS[3], row)))
    with pytest.raises(BadInput, match=says) as error:
        taken([path], tmp_path / "into")
    assert "Sekret" not in str(error.value)
    assert not (tmp_path / "into").exists()


def test_rows_without_text_are_named(tmp_path: Path) -> None:
    """A writer who sent nothing is a warning with the row; a row with nothing in it is none."""
    rows = (HEADER, ROWS[1], ("DF1", "Bo", "son", " "), ("DF2", "", "", ""), ROWS[3])
    plan = taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")
    assert [(one.severity, one.subject, one.text[:13]) for one in plan.findings] == [
        ("warning", "DF1", "a.csv, row 3:")
    ]


def test_the_same_row_twice_is_one_message(tmp_path: Path) -> None:
    """A copied row is left out, with both places."""
    plan = taken([saved(tmp_path, "a.csv", separated((*ROWS, ROWS[1])))], tmp_path / "into")
    assert len(plan.subjects[0].messages) == 2
    assert "a.csv, row 5: left out, the same text of the same writer as a.csv, row 2" in plan.findings[0].text


def test_ids_that_differ_by_capitals_are_refused(tmp_path: Path) -> None:
    """DF1 and df1 would be one file on many disks: within the files, and against the folder."""
    into = tmp_path / "into"
    path = saved(tmp_path, "a.csv", separated((*ROWS, ("df1", "X", "y", "z"))))
    with pytest.raises(BadInput, match=r"an ID is spelt DF1 and df1 in the files\."):
        taken([path], into)
    merge.write(taken([saved(tmp_path, "a.csv", separated(ROWS))], into), Folder(into))
    path = saved(tmp_path, "b.csv", separated((HEADER, ("df1", "X", "y", "z"))))
    with pytest.raises(BadInput, match="DF1 and df1 in the files and the folder"):
        taken([path], into)


def test_ids_that_differ_by_zeros_are_named(tmp_path: Path) -> None:
    """007 and 7 may be one participant whose zeros a spreadsheet took: a warning, also against the folder."""
    into = tmp_path / "into"
    rows = (HEADER, ("007", "A", "b", "one."), ("7", "A", "b", "two."), ("70", "A", "b", "three."))
    plan = taken([saved(tmp_path, "a.csv", separated(rows))], into)
    assert [(one.severity, one.subject, one.text[:16]) for one in plan.findings] == [
        ("warning", "7", "The IDs 007 and ")
    ]
    merge.write(taken([saved(tmp_path, "a.csv", separated(rows[:2]))], into), Folder(into))
    assert [one.text[:18] for one in taken([saved(tmp_path, "a.csv", separated(rows[::2]))], into).findings] == [
        "The IDs 007 and 7 "
    ]


def test_our_own_files_are_taken_in_by_their_names(tmp_path: Path) -> None:
    """A file sub-DF9.csv in the sessions' own format needs nothing else."""
    path = saved(tmp_path, "sub-DF9.csv", (ROOT / "stimuli" / "examples" / "scripts.csv").read_bytes())
    (one,) = taken([path], tmp_path / "into").subjects
    expected = read_messages(path)
    assert one.subject == "DF9"
    assert [(m.writer, m.language, m.text) for m in one.messages] == [(m.writer, m.language, m.text) for m in expected]


def test_a_files_name_and_its_column_agree(tmp_path: Path) -> None:
    """A column wins where it says something, and must say what the name says."""
    own = [(*HEADER,), ("DF9", "A", "b", "one."), ("", "A", "b", "two.")]
    path = saved(tmp_path, "sub-DF9.csv", separated(own))
    assert texts(taken([path], tmp_path / "into")) == {"DF9": ["one.", "two."]}
    saved(tmp_path, "sub-DF9.csv", separated([*own, ROWS[1]]))
    with pytest.raises(BadInput, match=r"row 4: the participant's ID differs from the file's name"):
        taken([path], tmp_path / "into")


def test_a_language_that_nobody_can_tell_is_an_error(tmp_path: Path) -> None:
    """Chinese characters alone need a language, and a language needs a tag; once said, all is well."""
    han, other = ("DF1", "A", "b", "我爱你"), ("DF1", "A", "b", "Ich hab dich lieb.")
    path = saved(tmp_path, "a.csv", separated((HEADER, han, other)))
    assert [(one.severity, one.message_id) for one in taken([path], tmp_path / "into").findings] == [("error", "m01")]
    assert taken([path], tmp_path / "into", constants={"language": "zh"}).findings == ()
    path = saved(tmp_path, "b.csv", separated([(*HEADER, "language"), (*han, "zh"), (*other, "Elbisch")]))
    assert [(one.severity, one.message_id) for one in taken([path], tmp_path / "into").findings] == [("error", "m02")]


@pytest.mark.parametrize("name", ["english", "emoji", "scripts"])
def test_real_messages_give_no_findings(tmp_path: Path, name: str) -> None:
    """The examples, as CSV and as workbook, are taken in without a word."""
    messages = read_messages(ROOT / "stimuli" / "examples" / f"{name}.csv")
    rows = [("DF1", one.writer, one.relationship, one.text, one.language) for one in messages]
    rows.insert(0, (*HEADER, "language"))
    for path in (saved(tmp_path, "a.csv", separated(rows)), workbook(tmp_path / "a.xlsx", {"a": rows})):
        plan = taken([path], tmp_path / "into")
        assert plan.findings == ()
        assert texts(plan)["DF1"] == [row[3] for row in rows[1:]]


def test_an_encrypted_folder_takes_in_new_participants_without_its_key(tmp_path: Path) -> None:
    """Whoever may not read what is there may add to it; who is there already needs the key."""
    import pyrage

    key = pyrage.x25519.Identity.generate()
    folder = Folder(tmp_path / "into", key)
    folder.path.mkdir()
    saved(folder.path, "recipient.txt", str(key.to_public()))
    folder.write("DF2", [Message("m01", "A", "b", "en", "x")])
    new = saved(tmp_path, "a.csv", separated(ROWS[:3]))
    merge.write(taken([new], folder.path), Folder(folder.path))
    assert sorted(path.name for path in folder.path.glob("*.csv*")) == ["sub-DF1.csv.age", "sub-DF2.csv.age"]
    assert len(folder.read("DF1")) == 2
    with pytest.raises(BadInput, match="no passphrase was given"):
        taken([saved(tmp_path, "b.csv", separated(ROWS))], folder.path)


# The command's part


def test_errors_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    """A spoiled text keeps all from being written, until that is wanted; no word of it is told."""
    folder, said = Folder(tmp_path / "into"), list[object]()
    path = saved(tmp_path, "a.csv", separated((HEADER, ("DF1", "Ada", "friend", "Sekret &amp; words"))))
    plan = importing.plan([path], folder, "en")
    assert not importing.finish(plan, folder, said.append)
    assert not folder.path.exists()
    told = "\n".join(one for one in said if isinstance(one, str))
    assert "error: sub-DF1 m01: Codes of a web page" in told
    assert not any(word in told for word in ("Sekret", "Ada"))
    assert not importing.finish(plan, folder, said.append, despite_errors=True)
    assert folder.read("DF1")[0].text == "Sekret &amp; words"


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """What would be written is told, with a row for each participant."""
    folder, said = Folder(tmp_path / "into"), list[object]()
    plan = importing.plan([saved(tmp_path, "a.csv", separated(ROWS))], folder, "en")
    assert importing.finish(plan, folder, said.append, dry_run=True)
    assert not folder.path.exists()
    assert importing.summary(plan).row_count == 2 + 1
    assert said[-1] == "Nothing was written; 3 new messages would be."


def test_columns_and_constants_do_not_contradict(tmp_path: Path) -> None:
    """An option and a column for the same field are one too many, and NAME=COLUMN needs both parts."""
    path = saved(tmp_path, "a.csv", separated(ROWS))
    with pytest.raises(BadInput, match="cannot be used together"):
        taken([path], tmp_path, given=["writer=writer"], constants={"writer": "Ada"})
    with pytest.raises(BadInput, match='expected NAME="COLUMN"'):
        taken([path], tmp_path, given=["writer"])


def test_a_finding_of_many_messages_is_one_line(tmp_path: Path) -> None:
    """Codes in place of relationships are warned about once, with the first messages and how many more."""
    rows = [HEADER, *((f"DF{number}", "Ada", str(number % 3), f"{LONG} {number}.") for number in range(1, 9))]
    plan = taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")
    (line,) = importing.describe_all(plan.findings)
    assert line.startswith("warning: sub-DF1 m01, sub-DF2 m01, sub-DF3 m01, sub-DF4 m01, sub-DF5 m01 and 3 more: The ")
    assert "perhaps the code of an answer" in line


def test_what_takes_long_is_told(tmp_path: Path) -> None:
    """Reading files and joining participants both tell how far they are."""
    paths = [saved(tmp_path, f"{name}.csv", separated(ROWS)) for name in "ab"]
    told = list[tuple[int, int]]()
    taken(paths, tmp_path / "into", progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2), (1, 2), (2, 2)]


def command(*arguments: object) -> tuple[int, str]:
    """Exit status and words of `messages import`, without a terminal."""
    app = typer.Typer()
    app.command()(import_messages)
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    return done.exit_code, done.stderr


def test_the_command_takes_a_file_in(tmp_path: Path) -> None:
    """It writes, says how many and reminds of the file; a second time it says that all is there."""
    path = saved(tmp_path, "a.csv", separated(ROWS))
    status, said = command(path, "--into", tmp_path / "into")
    assert status == 0
    assert "3 new messages of 2 participants" in said
    assert said.startswith("a.csv is read with these columns:")
    assert "still contain the texts" in said
    assert Folder(tmp_path / "into").subjects() == ("DF1", "DF2")
    assert "0 new messages of 0 participants" in command(path, "--into", tmp_path / "into")[1]


def test_the_command_ends_with_1_when_texts_are_spoiled(tmp_path: Path) -> None:
    """The status tells a script too that something has to be looked at."""
    path = saved(tmp_path, "a.csv", separated((("who", *HEADER[2:]), ("Ada", "friend", "Sekret &amp; words"))))
    status, said = command(path, "--into", tmp_path / "into", "--column", "writer=who", "--subject", "DF7")
    assert status == 1
    assert "Sekret" not in said
    assert not (tmp_path / "into").exists()


def test_many_participants_are_summed_up(tmp_path: Path) -> None:
    """Of more than 40, those are listed in whose messages something was found."""
    rows = [HEADER, *((f"DF{number}", "A", "b", f"{LONG} {number}.") for number in range(50))]
    rows[7] = (*rows[7][:3], "love ???")
    plan = taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")
    assert importing.summary(plan).row_count == 2


# Any text


any_text = st.text(st.characters(exclude_characters="\x00"), max_size=20) | st.text(
    st.sampled_from("a \n\r\t\"',;|=_x000D_\u2028\x85\x0b\x1f\ufeff\ufffe\ud800é😊❤\ufe0f\u202e\x07&<>"), max_size=20
)


def unified(text: str) -> str:
    """The text with one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def one_and_the_same(text: str) -> str:
    """By what two texts of a writer are one message."""
    return normalize("NFC", unified(text)).strip()


def escaped(text: str) -> str:
    """The text as ECMA-376 has it in a workbook: what XML cannot hold, and carriage returns, as escapes."""
    plain = re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]", lambda found: f"_x{ord(found[0]):04X}_", plain)


def is_refused(text: str) -> bool:
    """Whether no file can hold it."""
    return any(
        (one < " " and one not in "\t\n") or one == "\x7f" or "\ud800" <= one <= "\udfff" for one in unified(text)
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(any_text.filter(str.strip), min_size=1, max_size=3, unique_by=one_and_the_same),
    st.sampled_from(["csv", "xlsx"]),
)
def test_any_text_is_kept_or_refused_by_name(given_texts: list[str], kind: str) -> None:
    """From a table through gathering and storage and back no code point changes, or the text is refused by name."""
    rows = [HEADER, *(("DF1", "A", "b", text) for text in given_texts)]
    with TemporaryDirectory() as name:
        into = Folder(Path(name) / "into")
        if kind == "csv":
            data = separated(rows).encode("utf-8", "surrogatepass")
            path = saved(Path(name), "a.csv", data)
        else:
            path = workbook(Path(name) / "a.xlsx", {"a": [[escaped(cell) for cell in row] for row in rows]})
        is_formula = kind == "xlsx" and any(text.startswith("=") and len(text) > 1 for text in given_texts)
        if is_formula or any(map(is_refused, given_texts)):  # which nobody calculated
            with pytest.raises(BadInput, match=r"U\+[0-9A-F]{4} at character|byte \d+ is not UTF-8|without a result"):
                importing.plan([path], into, "en")
            return
        merge.write(importing.plan([path], into, "en"), into)
        assert [one.text for one in into.read("DF1")] == [unified(text) for text in given_texts]


def test_a_text_in_another_form_is_not_added_again(tmp_path: Path) -> None:
    """Another Unicode form, or white space at the ends, makes no new message: what is here stays, with a warning."""
    into, name = tmp_path / "into", "Zoë"
    there = (HEADER, ("DF1", name, "friend", LONG), ("DF1", "Bo", "brother", "Für Zoë."))
    merge.write(taken([saved(tmp_path, "a.csv", separated(there))], into), Folder(into))
    again = (HEADER, ("DF1", normalize("NFD", name), "friend", f"\n{LONG} "), ("DF1", "Bo", "brother", "Für Zoë."))
    plan = taken([saved(tmp_path, "a.csv", separated(again))], into)
    assert [(one.new, one.missing, len(one.known)) for one in plan.subjects] == [((), (), 2)]
    assert [(one.severity, one.message_id) for one in plan.findings] == [("warning", "m01")]
    assert "differs from what is here only in its Unicode form or white space" in plan.findings[0].text


def test_ids_survive_a_replaced_message() -> None:
    """Merging is by writer and text: what else differs does not make a message new."""
    there = Message("m01", "A", "b", "en", "x", "DF1")
    merged = merge.merge("DF1", [there], [replace(there, relationship="other", language="de")])
    assert (merged.messages, merged.new, merged.known) == ((there,), (), ("m01",))


def test_a_column_says_whom_messages_are_from(tmp_path: Path) -> None:
    """Close, stranger or neutral, in any case; a column of that name about something else is not taken for it."""
    rows = [(*ROWS[1], ""), (*ROWS[2], "Stranger"), (*ROWS[3], "close")]
    into = tmp_path / "into"
    merge.write(taken([saved(tmp_path, "a.csv", separated(((*HEADER, "Source"), *rows)))], into), Folder(into))
    found = {one.text: one.source for name in Folder(into).subjects() for one in Folder(into).read(name)}
    assert [found[row[3]] for row in rows] == ["", "stranger", "close"]
    other = saved(tmp_path, "b.csv", separated(((*HEADER, "Source"), (*ROWS[1], "leaflet"))))
    merge.write(taken([other], tmp_path / "other"), Folder(tmp_path / "other"))
    assert {one.source for one in Folder(tmp_path / "other").read(ROWS[1][0])} == {""}
    with pytest.raises(BadInput, match="the source must be close, stranger, neutral, or empty"):
        importing.plan([other], Folder(tmp_path / "third"), "en", given=["source=Source"])
