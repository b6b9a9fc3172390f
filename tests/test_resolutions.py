"""Findings are resolved many at once: what people write into the table of findings is kept, read back and recorded."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from openpyxl import Workbook

from experiment.errors import BadInput
from experiment.qa.findings import Answers, qa_finding
from experiment.qa.report import QaReport, build_report
from experiment.qa.resolutions import COLUMNS, Resolution, read_resolutions, table_rows
from experiment.record.tsv import for_spreadsheet, tsv
from experiment.study import queries
from experiment.study.register import check_initials

STUDY = Path(__file__).parent / "recorded" / "study"
TODAY = datetime(2026, 12, 1, tzinfo=timezone.utc)
LET_IN = qa_finding("let_in", "On day 3.", subject="DF1", session=1)
TWINS = qa_finding("copies", "Copies: a, b.")


def table(path: Path, *rows: tuple[str, str, str, str, str], encoding: str = "utf-8", delimiter: str = "\t") -> Path:
    """A table as a spreadsheet program saves it: participant, session, finding, resolution, resolved_by."""
    cells = [(*row[:3], "yes", "n/a", "title", 'said "so"', *row[3:]) for row in rows]
    path.write_bytes(tsv(COLUMNS, cells).replace("\t", delimiter).replace("\n", "\r\n").encode(encoding))
    return path


def resolved(path: Path, known: Answers | None = None, who: str = "PI") -> list[tuple[str, str, str]]:
    """What would be recorded of it: who, kind, reason."""
    acts = queries.resolve_all(path, read_resolutions(path), [LET_IN, TWINS], known or {}, who)
    return [(by, act.kind, act.reason) for by, act in acts]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", ["\t", ";", ","])
def test_a_table_of_any_spreadsheet_is_read(tmp_path: Path, encoding: str, delimiter: str) -> None:
    """Whatever separates its cells and however it encodes letters; rows that say nothing are left alone."""
    path = table(
        tmp_path / "findings.csv",
        ("sub-DF1", "ses-1", "let_in", "Geprüft: müde, aber fähig", "RÄ"),
        ("n/a", "n/a", "copies", "n/a", "n/a"),
        ("sub-DF2", "ses-1", "died", "", ""),
        encoding=encoding,
        delimiter="\t",
    )
    text = path.read_bytes().decode(encoding)
    quoted = text.replace("Geprüft: müde, aber fähig", '"Geprüft: müde, aber fähig"').replace("\t", delimiter)
    path.write_bytes(quoted.encode(encoding))
    assert resolved(path) == [("RÄ", "let_in", "Geprüft: müde, aber fähig")]


def test_a_workbook_is_read(tmp_path: Path) -> None:
    """A table that was saved as a workbook says the same as one in text."""
    book, path = Workbook(), tmp_path / "findings.xlsx"
    sheet = book.active
    assert sheet
    sheet.append(COLUMNS)
    sheet.append(["sub-DF1", "ses-1", "let_in", "yes", "n/a", "title", "On day 3.", "Geprüft: müde, aber fähig", "RÄ"])
    sheet.append(["sub-DF2", "ses-1", "died", "yes"])
    book.save(path)
    assert resolved(path) == [("RÄ", "let_in", "Geprüft: müde, aber fähig")]


FORMULA = '=HYPERLINK("http://x","seen")'


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """Whatever a computer or an assistant is called or wrote: a spreadsheet shows it, and it is read back as it was."""
    found = qa_finding("computer", f"{FORMULA}: screen problems.", place="@PC")
    rows = list(table_rows([found], [Resolution(2, found.key, "-no display was there", "=RA")]))
    assert [cell for cell in rows[0] if str(cell).startswith("'")] == [
        "'@PC", f"'{FORMULA}: screen problems.", "'-no display was there", "'=RA",
    ]  # fmt: skip
    path = tmp_path / "t.tsv"
    path.write_text(tsv(COLUMNS, rows))
    (read,) = read_resolutions(path)
    assert (read.reason, read.who) == ("-no display was there", "=RA")
    with pytest.raises(BadInput, match="= \\+ - @ first"):
        check_initials(read.who)


def test_a_data_set_keeps_what_was_typed() -> None:
    """Its tables are data: notes and answers stay as they were written, and numbers are never quoted anywhere."""
    assert tsv(("notes",), [(FORMULA,)]).splitlines()[1].startswith('"=HYPERLINK')
    assert [for_spreadsheet(cell) for cell in (FORMULA, "-1.5", "+3", -2, None)] == [
        f"'{FORMULA}",
        "-1.5",
        "+3",
        -2,
        None,
    ]


def test_who_looked_can_be_said_once(tmp_path: Path) -> None:
    """A row without initials has those of the command, and a finding about no participant is one like others."""
    path = table(tmp_path / "t.tsv", ("", "", "copies", "they were backups", ""))
    assert resolved(path) == [("PI", "copies", "they were backups")]


def test_every_wrong_line_is_named_and_nothing_recorded(tmp_path: Path) -> None:
    """A finding that is not open, a reason without words, initials that are none."""
    path = table(
        tmp_path / "t.tsv",
        ("sub-DF1", "ses-1", "let_in", "agreed with the sponsor", "PI"),
        ("sub-DF1", "ses-2", "let_in", "agreed with the sponsor", "PI"),
        ("n/a", "n/a", "copies", "ok", "PI"),
        ("n/a", "n/a", "copies", "they were backups", "P" * 99),
    )
    with pytest.raises(BadInput, match="nothing was recorded") as error:
        resolved(path)
    assert [line.split(":")[0].strip() for line in str(error.value).splitlines()[1:]] == ["row 3", "row 4", "row 5"]


def test_what_needs_nobody_is_left_out(tmp_path: Path) -> None:
    """Whoever fills a column down to its end also fills rows that are mere notes."""
    path = table(tmp_path / "t.tsv", ("n/a", "n/a", "copies", "they were backups", "PI"))
    row = path.read_bytes().splitlines(keepends=True)[1].replace(b"copies\tyes", b"unjudged\tno")
    path.write_bytes(path.read_bytes() + row)
    assert resolved(path) == [("PI", "copies", "they were backups")]


def test_what_was_recorded_before_is_left_out(tmp_path: Path) -> None:
    """The same table can be read again after an interruption; what is open again is recorded again."""
    path = table(tmp_path / "t.tsv", ("sub-DF9", "ses-1", "died", "a power cut", "PI"))
    assert resolved(path, {("died", "DF9", 1): "PI: a power cut"}) == []
    with pytest.raises(BadInput, match="row 2"):
        resolved(path, {("died", "DF9", 1): "PI: something else"})
    path = table(tmp_path / "t.tsv", ("sub-DF1", "ses-1", "let_in", "agreed with the sponsor", "PI"))
    assert len(resolved(path, {LET_IN.key: "PI: agreed with the sponsor"})) == 1


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"PK\x03\x04", "workbook"), (b"a\tb\n1\t2\n", "missing"), (b"", "is empty"),
     (b"participant_id\tsession_id\tfinding\tresolution\nDF1\tses-1\tdied\tseen\n", "row 2: DF1, ses-1, died"),
     (b"participant_id\tsession_id\tfinding\tresolution\nsub-1\tses-1\tghost\tseen\n", "ghost is not a finding"),
     (b"participant_id\tsession_id\tfinding\tresolution\nsub-1\tses-1\tdied\tn/a\n", "'resolution' is empty")],
    ids=["workbook", "another", "empty", "subject", "kind", "nothing"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    """With the file, the line and what to do."""
    path = tmp_path / "t.tsv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=found):
        resolved(path)


def judged(out: Path, answers: Answers | None = None) -> QaReport:
    """The study of the recorded data, judged."""
    return build_report(STUDY, out=out, pilot=True, today=TODAY, answers=answers or {})


def test_what_was_written_outlives_the_next_qa(tmp_path: Path) -> None:
    """Until it is recorded; also of a finding that is no more."""
    report = judged(tmp_path)
    row = ("sub-sim00002", "ses-1", "missing", "never came", "RA")
    gone = ("sub-sim00009", "ses-1", "died", "a power cut", "")
    table(report.table, row, gone)
    judged(tmp_path)
    kept = {one.key: (one.reason, one.who) for one in read_resolutions(report.table)}
    assert kept == {("missing", "sim00002", 1): ("never came", "RA"), ("died", "sim00009", 1): ("a power cut", "")}
    judged(tmp_path, {("missing", "sim00002", 1): "RA: never came"})
    assert [one.key for one in read_resolutions(report.table)] == [("died", "sim00009", 1)]
    assert "Resolved by RA: never came" in report.table.read_text(encoding="utf-8")


def test_a_table_that_was_spoilt_is_not_written_over(tmp_path: Path) -> None:
    """What somebody wrote into it could be lost."""
    report = judged(tmp_path)
    report.table.write_bytes(b"PK\x03\x04 saved as a workbook under this name")
    with pytest.raises(BadInput, match="workbook"):
        judged(tmp_path)


def test_a_table_of_an_earlier_version_has_no_resolutions(tmp_path: Path) -> None:
    """It is replaced."""
    path = tmp_path / "qa_findings.tsv"
    path.write_text("\t".join(COLUMNS[:7]) + "\n")
    assert read_resolutions(path) == []
    assert judged(tmp_path).table.read_text(encoding="utf-8").startswith("\t".join(COLUMNS))


def test_a_resolution_knows_whether_it_is_recorded() -> None:
    """Whoever recorded it."""
    one = Resolution(2, ("died", "DF1", 1), "a power cut", "")
    assert one.is_recorded({("died", "DF1", 1): "PI: a power cut"})
    assert not one.is_recorded({("died", "DF1", 1): "PI: no power cut"})
