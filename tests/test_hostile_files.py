"""Files from strangers that ask too much are refused by name, at once, and the rest of their folder is read."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from experiment.cli.options import ROOT
from experiment.design.message import Message, messages_csv
from experiment.design.protocol import read_protocol
from experiment.design.session import draw_session
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.messages.check import check_folder, check_set
from experiment.messages.store import Folder
from experiment.qa.report import build_report
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.tsv import read_table
from experiment.replay.verify import verify_all
from experiment.task.layout import Layout
from tests.message_files import ROWS, only, saved, separated, taken, workbook
from tests.registers import run_session
from tests.strategies import PROTOCOL
from tests.test_recorded import DATA_SETS

LAYOUT = Layout(1920, 1080)
SHEET = "xl/worksheets/sheet1.xml"
SIX = tuple(
    Message(f"m{at}", "Ada", "friend", "en", f"Word number {at} to a friend, of many kind words.") for at in range(6)
)
AREA = b'<mergeCell ref="A1:XFD1048576"/>'


def with_parts(path: Path, changes: dict[str, Callable[[bytes], bytes]]) -> Path:
    """A workbook of four rows with some of its parts changed."""
    workbook(path, {"a": ROWS})
    with zipfile.ZipFile(path) as parts:
        contents = {name: parts.read(name) for name in parts.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        for name in contents | changes:
            change = changes.get(name)
            parts.writestr(name, change(contents.get(name, b"")) if change else contents[name])
    return path


def in_sheet(rows: bytes, areas: bytes = b"") -> dict[str, Callable[[bytes], bytes]]:
    """A change of a sheet: more rows, and areas of merged cells."""
    merged = b"</sheetData>" + (b"<mergeCells>" + areas + b"</mergeCells>" if areas else b"")
    return {SHEET: lambda xml: xml.replace(b"</sheetData>", rows + merged)}


def test_one_merged_area_over_all_cells_costs_nothing(tmp_path: Path) -> None:
    """A workbook of five kilobytes whose merged area has 17 billion cells is read like any other."""
    assert only(with_parts(tmp_path / "a.xlsx", in_sheet(b"", AREA))).rows == ROWS[1:]


@pytest.mark.parametrize(
    "changes",
    [
        {"xl/theme/theme1.xml": lambda _: b" " * 30_000_000},
        in_sheet(b'<row r="9"><c t="inlineStr"><is><t>' + b"a" * 30_000_000 + b"</t></is></c></row>"),
        in_sheet(b"<row/>" * 200_000),
        in_sheet(b"<row>" + b"<c/>" * 1_100_000 + b"</row>"),
        in_sheet(b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (at, at) for at in range(9, 200))),
        in_sheet(b"", AREA * 210_000),
        {"xl/styles.xml": lambda xml: xml.replace(b"</cellXfs>", b"<xf/>" * 210_000 + b"</cellXfs>")},
        {f"xl/a{at}.xml": lambda _: b"<a/>" for at in range(1_100)},
    ],
    ids=["unpacked", "text", "rows", "cells", "far cells", "areas", "styles", "parts"],
)
def test_workbooks_that_unpack_to_too_much_are_refused(
    tmp_path: Path, changes: dict[str, Callable[[bytes], bytes]]
) -> None:
    """Each is refused by its name, with what to do, before its content is looked at."""
    with pytest.raises(BadInput, match=r"^a\.xlsx: the workbook is too large to be opened safely\. Copy the sheet"):
        only(with_parts(tmp_path / "a.xlsx", changes))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a," * 5_000 + "\n", "more than 4000 columns"),
        ("x" * (16 * 2**20 + 1), "larger than 16 MiB"),
        (separated((*ROWS, ("DF9", "A", "b", "c" * 40_000))), "text: it has 40,000 characters"),
    ],
    ids=["columns", "bytes", "letters"],
)
def test_tables_beyond_a_limit_are_refused(tmp_path: Path, text: str, says: str) -> None:
    """Too many columns, bytes or characters are named."""
    with pytest.raises(BadInput, match=says):
        taken([saved(tmp_path, "a.csv", text)], tmp_path / "into")


def test_a_bad_file_is_one_finding_and_the_rest_of_its_folder_is_read(tmp_path: Path) -> None:
    """Of a folder with a bomb and a pipe both are named, and the messages of the good file are all there."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    saved(inbox, "good.csv", separated(ROWS))
    with_parts(inbox / "bomb.xlsx", in_sheet(b"<row/>" * 200_000))
    os.mkfifo(inbox / "pipe.csv")
    plan = taken([inbox], tmp_path / "into")
    assert sum(len(one.new) for one in plan.subjects) == 3
    errors = [one.text for one in plan.findings if one.severity == "error"]
    assert len(errors) == 1
    assert errors[0].startswith("bomb.xlsx: ")
    assert any("pipe.csv: left out" in one.text for one in plan.findings)
    with pytest.raises(BadInput, match="not a regular file"):
        taken([inbox / "pipe.csv"], tmp_path / "into")


@pytest.mark.parametrize(
    "text",
    [
        *("<p a=" + " " * 8_000, "a" * 32_700, "a" + "\u0301" * 5_000, "a" + "\u0301" * 20_000, "a\n" * 5_000),
        *("\U0001f1e9" * 7_000, "\uac00" * 9_000, "a\u200d" * 5_000),
    ],
    ids=["tag", "letters", "marks", "more marks", "lines", "flags", "hangul", "joiners"],
)  # fmt: skip
def test_no_text_stops_the_check(text: str) -> None:
    """Whatever a text is made of, an error says soon that it cannot be shown."""
    one = Message("m0", "Ada", "friend", "en", text)
    found = check_set("DF1", (one, *SIX[1:]), PROTOCOL, LAYOUT)
    assert all(finding.severity != "error" or finding.message_id == "m0" for finding in found)
    assert any(finding.severity == "error" for finding in found)


def test_a_folder_with_a_pipe_is_checked_to_its_end(tmp_path: Path) -> None:
    """A pipe in place of a participant's messages is an error of that participant; the other one is checked."""
    folder = Folder(tmp_path)
    folder.write("DF1", SIX)
    os.mkfifo(tmp_path / "sub-DF2.csv")
    checked = check_folder(folder, PROTOCOL, LAYOUT)
    errors = [one for one in checked.findings if one.severity == "error"]
    assert [one.subject for one in errors] == ["DF2"]
    assert "not a regular file" in errors[0].text


def test_a_file_of_too_many_messages_is_refused(tmp_path: Path) -> None:
    """Messages are compared each with each, so one participant has at most a thousand."""
    path = saved(tmp_path, "sub-DF1.csv", messages_csv([Message(f"m{at}", "A", "b", "en", "c") for at in range(1_001)]))
    with pytest.raises(BadInput, match="1001 messages; one participant has at most 1000"):
        Folder(tmp_path).read(path.stem.removeprefix("sub-"))


@pytest.mark.parametrize(
    "text",
    ["a" + ".a" * 90_000 + " = 1\n", "[" + "a." * 90_000 + "a]\n", "x = " + "[" * 90_000 + "\n", "x = 1\n" * 50_000],
    ids=["dotted key", "dotted table", "nested", "large"],
)  # fmt: skip
def test_toml_that_would_take_all_memory_is_refused(tmp_path: Path, text: str) -> None:
    """A protocol of a few hundred kilobytes is refused in words, whatever is in it."""
    with pytest.raises(BadInput, match=r"p\.toml"):
        read_protocol(saved(tmp_path, "p.toml", text))


def deep(path: Path) -> None:
    """A transcript whose second line nests 100,000 lists."""
    first = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(first + b'{"previous":"' + b"0" * 64 + b'","event":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n")


def pipe(path: Path) -> None:
    """A pipe in place of a transcript."""
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", [deep, pipe])
def test_one_hostile_transcript_leaves_the_page_of_all_others(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """QA still writes its page, and verification ends: the one session is a finding, the others are judged."""
    import shutil

    data = Path(shutil.copytree(DATA_SETS["simulated"], tmp_path / "data"))
    paths = sorted(data.rglob("*_transcript.jsonl"))
    damage(paths[0])
    report = build_report(data, out=tmp_path / "page", pilot=True, today=datetime(2026, 12, 1, tzinfo=timezone.utc))
    assert any(one.subject and one.subject in paths[0].name for one in report.open_findings)
    assert len(list((tmp_path / "page").glob("*.html"))) >= 1
    wrong = [one.transcript.name for one in verify_all(data, pilot=True) if one.is_wanting]
    assert wrong == [paths[0].name]
    with pytest.raises(BadInput):
        log.read(paths[0], pilot=True)


def test_a_pipe_in_place_of_a_table_is_refused(tmp_path: Path) -> None:
    """A table that is a pipe is named instead of waited for."""
    os.mkfifo(tmp_path / "participants.tsv")
    with pytest.raises(BadInput, match="is not a file"):
        read_table(tmp_path / "participants.tsv", "participant_id")


@pytest.mark.parametrize("name", ["sourcedata/sub-A1/sub-A1_closing.jsonl", "phenotype/funnel.tsv", "participants.tsv"])
def test_a_pipe_in_a_data_set_stops_no_command(tmp_path: Path, name: str) -> None:
    """Making tables again ends with a word about it, whichever file is a pipe."""
    data = DataSet(tmp_path)
    run_session(data, Visit("A1", 1), datetime(2026, 11, 2, 9, tzinfo=timezone.utc))
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    command = [sys.executable, "-m", "experiment", "table", str(tmp_path), "--remake"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "unexpected" not in done.stderr
    assert done.returncode in {1, 2}, done.stderr
    assert "not a regular file" in done.stderr or "is not a file" in done.stderr


def test_a_session_is_drawn_of_the_longest_messages() -> None:
    """The most that a text may have is digested and drawn without delay."""
    longest = [Message(one.message_id, "A", "b", "en", "word " * 6_553) for one in SIX]
    assert len(draw_session(PROTOCOL, longest, subject="DF1", session=1, seed=1).trials) == 6
    assert io.BytesIO(messages_csv(longest)).getbuffer().nbytes > 190_000
