"""What import suspects is refused or recorded; corrected files replace; and nothing of a hand-made file is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from experiment.__main__ import app
from experiment.cli.terminal import console
from experiment.design.message import read_messages
from experiment.errors import BadInput
from experiment.messages.importing import merge
from experiment.messages.store import Folder
from tests.message_files import HEADER, LONG, ROWS, saved, separated, taken, texts, workbook


@pytest.mark.parametrize(
    "text",
    [
        "subject,writer,relationship,text\nDF1,A,mother,One line\nand the rest of it\n",
        "subject,text,writer,relationship\nDF1,One line\nand the rest of it,A,mother\n",
    ],
    ids=["text last", "text within"],
)
def test_a_text_cut_at_a_line_break_refuses_the_file(tmp_path: Path, text: str) -> None:
    """A row that ends before a needed column is a part of the text above it, wherever that column stands."""
    with pytest.raises(BadInput, match="the text before it was cut at a line break"):
        taken([saved(tmp_path, "a.csv", text)], tmp_path / "into")


def test_a_row_that_lacks_only_what_nobody_needs_is_kept(tmp_path: Path) -> None:
    """Columns behind the needed ones may be missing, with the warning that there was."""
    plan = taken([saved(tmp_path, "a.csv", f'subject,writer,relationship,text,notes\nDF1,A,b,"{LONG}"\n')], tmp_path)
    assert texts(plan) == {"DF1": [LONG]}


@pytest.mark.parametrize("heading", ["Open-Ended Response", "Response", "Respuesta abierta"])
def test_a_second_row_of_headings_is_no_message(tmp_path: Path, heading: str) -> None:
    """What survey programs write below their questions is left out and named, also where options fill its row."""
    path = saved(tmp_path, "a.csv", separated((("text",), (heading,), (LONG,))))
    plan = taken(
        [path], tmp_path / "into", given=["text=text"],
        constants={"subject": "DF1", "writer": "Ada", "relationship": "friend"},
    )  # fmt: skip
    assert texts(plan) == {"DF1": [LONG]}
    assert any("second header row" in one.text for one in plan.findings)


def test_a_row_of_one_word_throughout_is_refused(tmp_path: Path) -> None:
    """Headings in another language are told by standing in every column alike."""
    rows = (HEADER, ("Svar", "Svar", "Svar", "Svar"), *ROWS[1:])
    with pytest.raises(BadInput, match="row 2: ID, writer, relationship and text are the same"):
        taken([saved(tmp_path, "a.csv", separated(rows))], tmp_path / "into")


def test_a_formula_without_a_result_is_no_name(tmp_path: Path) -> None:
    """A writer's cell that Excel never calculated refuses its row; one that came as text is an error."""
    path = workbook(tmp_path / "a.xlsx", {"a": [HEADER, ["DF1", "=VLOOKUP(A2,B:C,2)", "mother", LONG]]})
    with pytest.raises(BadInput, match="writer: the cell is a formula without a result"):
        taken([path], tmp_path / "into")
    plan = taken(
        [saved(tmp_path, "a.csv", separated((HEADER, ("DF1", "A", "=HYPERLINK(1)", LONG))))], tmp_path / "into"
    )
    assert any(one.severity == "error" and "begins like a spreadsheet formula" in one.text for one in plan.findings)


def test_hidden_rows_and_columns_are_named(tmp_path: Path) -> None:
    """Rows that a filter hides, hidden columns and a hidden sheet are imported, and a warning says which they are."""
    from openpyxl import load_workbook

    path = workbook(tmp_path / "a.xlsx", {"a": [*ROWS, ("DF3", "A", "b", LONG)], "b": []})
    book = load_workbook(path)
    for row in (3, 4):
        book.worksheets[0].row_dimensions[row].hidden = True
    book.worksheets[0].column_dimensions["C"].hidden = True
    book.worksheets[0].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    plan = taken([path], tmp_path / "into")
    (told,) = [one.text for one in plan.findings if "sheet is hidden" in one.text]
    assert "the sheet is hidden; rows that are hidden or filtered out: 3 to 4; columns that are" in told
    assert sum(len(one.new) for one in plan.subjects) == 4


def test_a_text_that_is_a_formula_without_a_result_is_refused(tmp_path: Path) -> None:
    """What Excel never calculated has no text: the row is refused by its place."""
    path = workbook(tmp_path / "a.xlsx", {"a": [HEADER, ["DF1", "A", "mother", '="Dear "&A2']]})
    with pytest.raises(BadInput, match="row 2: text: the cell is a formula without a result"):
        taken([path], tmp_path / "into")


@pytest.mark.parametrize("text", ["a" + "\u0301" * 20_000, "x" * 32_700], ids=["marks", "letters"])
def test_a_text_that_no_screen_shows_is_no_import(tmp_path: Path, text: str) -> None:
    """It is refused when it comes, not weeks later; nothing is written, and nothing counts as new."""
    into = tmp_path / "into"
    path = saved(tmp_path, "a.csv", separated((HEADER, ("DF1", "A", "mother", text))))
    done = CliRunner().invoke(app, ["messages", "import", str(path), "--messages", str(into)], env={"COLUMNS": "200"})
    said = " ".join(done.output.split())
    assert (done.exit_code, "The text cannot be shown: too long for any screen" in said) == (1, True), said
    assert "new, NOT written" in said
    assert not Folder(into).has("DF1")


def test_what_import_suspected_is_told_until_somebody_accepts_it(tmp_path: Path) -> None:
    """A row that was hidden in the workbook is a warning of each check, also when its text shows nothing."""
    from openpyxl import load_workbook

    path, into = workbook(tmp_path / "a.xlsx", {"a": [HEADER, ["DF1", "A", "mother", LONG]]}), tmp_path / "into"
    book = load_workbook(path)
    book.worksheets[0].row_dimensions[2].hidden = True
    book.save(path)
    merge.write(taken([path], into), Folder(into))

    def warned() -> bool:
        listed = CliRunner().invoke(app, ["messages", "check", "--messages", str(into), "--subject", "DF1", "--tsv"])
        return any(line.startswith("warning") and "was hidden or" in line for line in listed.output.splitlines())

    assert warned()
    merge.write(taken([path], into), Folder(into))  # again, which changes nothing
    assert warned()
    accepting = ["messages", "accept", "--messages", str(into), "--subject", "DF1", "--message", "m01", "--yes"]
    assert CliRunner().invoke(app, accepting).exit_code == 0
    assert not warned()


def test_a_corrected_file_replaces_and_it_is_recorded(tmp_path: Path) -> None:
    """With --replace a writer's new text has the old one's id, and the folder says when; without, it comes behind."""
    into = tmp_path / "into"
    merge.write(taken([saved(tmp_path, "a.csv", separated(ROWS))], into), Folder(into))
    rows = (ROWS[0], (*ROWS[1][:3], "Corrected: a text of many kind words to you."), *ROWS[2:])
    path = saved(tmp_path, "a.csv", separated(rows))
    assert len(texts(taken([path], into))["DF1"]) == 3
    merge.write(taken([path], into, corrects=True), Folder(into))
    assert [(one.message_id, one.text) for one in Folder(into).read("DF1")] == [
        ("m01", rows[1][3]),
        ("m02", rows[2][3]),
    ]
    assert "sub-DF1: the texts of m01 were replaced" in (into / "changes.log").read_text(encoding="utf-8")
    assert "Corrected" not in (into / "changes.log").read_text(encoding="utf-8")


def test_a_corrected_text_may_come_alone(tmp_path: Path) -> None:
    """The file has only that one, and it is the second there: it takes the place of the second."""
    into = tmp_path / "into"
    merge.write(taken([saved(tmp_path, "a.csv", separated(ROWS))], into), Folder(into))
    corrected = (*ROWS[2][:3], "Corrected: a text of many kind words to you.")
    plan = taken([saved(tmp_path, "b.csv", separated((ROWS[0], corrected)))], into, corrects=True)
    assert plan.subjects[0].replaced == ("m02",)
    assert [(one.message_id, one.text[:20]) for one in plan.findings] == [
        ("m02", "Its text was replace"),
        ("m01", "Imported earlier and"),
    ]


def test_further_columns_of_a_hand_made_file_stay(tmp_path: Path) -> None:
    """`messages accept` writes the file anew, and its own columns are still there."""
    content = f'message_id,writer,relationship,language,text,sent by,notes\nm1,A,b,en,"{LONG}",post,blue ink\n'
    path = saved(tmp_path, "sub-DF1.csv", content)
    Folder(tmp_path).write("DF1", read_messages(path))
    assert path.read_text(encoding="utf-8").splitlines()[0].endswith("sent by,notes")
    assert path.read_text(encoding="utf-8").splitlines()[1].endswith("post,blue ink")


def test_a_writers_name_is_neither_in_the_command_nor_told_of_a_file(tmp_path: Path) -> None:
    """`--writer NAME` is refused, `--writer -` reads it; a file that is left out is named without its writer."""
    inbox, into = tmp_path / "inbox", tmp_path / "into"
    inbox.mkdir()
    saved(inbox, "DF1_mother_Anneliese.docx", b"PK")
    saved(inbox, "letter.txt", LONG)
    common = ["messages", "import", str(inbox), "--messages", str(into), "--subject", "DF1", "--relationship", "mother"]
    done = CliRunner().invoke(app, [*common, "--writer", "Anneliese"])
    assert isinstance(done.exception, BadInput)
    done = CliRunner().invoke(app, [*common, "--writer", "-"], input="Anneliese\n")
    assert done.exit_code == 0, done.output
    assert "Anneliese" not in done.output
    assert "DF1_mother_....docx: left out" in done.output
    assert [one.writer for one in Folder(into).read("DF1")] == ["Anneliese"]


def test_nothing_that_is_printed_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and marks of direction from a file are shown as such, in texts and in tables."""
    from rich.table import Table

    table = Table("a\x1b[2J")
    table.add_row("b\x1b]0;owned\x07\u202e")
    console().print(table)
    console().print("c\x1b[31m\x9b")
    said = capsys.readouterr().err
    assert not any(one in said for one in "\x1b\x07\x9b\u202e")
    assert all(one in said for one in ("a\ufffd[2J", "b\ufffd]0;owned", "c\ufffd[31m"))
