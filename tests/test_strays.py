"""Copies, hidden files and other spellings in a data folder are no data: left out everywhere, and named once."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path

import pytest

from experiment.design.visit import Visit
from experiment.qa.report import build_report
from experiment.record.dataset import DataSet
from experiment.record.strays import find_strays
from experiment.record.tsv import read_rows
from experiment.replay.verify import verify_all

SIMULATED = Path(__file__).parent / "recorded" / "simulated"
NAME = "sub-sim00001_ses-1_task-lovedones"
SESSION = "sourcedata/sub-sim00001/ses-1"
TODAY = datetime(2026, 12, 1, tzinfo=timezone.utc)
STRAYS = {
    "sub-sim00001": ["sub-sim00001 - Copy", "sub-", "._sub-sim00001", "sub-sim00001 (1)", "Sub-sim00009", "sub-ä"],
    "sourcedata/sub-sim00001": ["sourcedata/sub-sim00001 - Kopie", "sourcedata/.sub-sim00001"],
    "sub-sim00001/ses-1": ["sub-sim00001/ses-1 - Copy", "sub-sim00001/ses-", "sub-sim00001/ses-01"],
    SESSION: [f"{SESSION} (1)"],
    f"{SESSION}/{NAME}_transcript.jsonl": [
        f"{SESSION}/{NAME}_transcript{end}" for end in (" - Copy.jsonl", " (1).jsonl", ".jsonl.bak", ".json", "~.jsonl")
    ] + [f"{SESSION}/._{NAME}_transcript.jsonl"],
    f"sub-sim00001/ses-1/beh/{NAME}_beh.tsv": [f"sub-sim00001/ses-1/beh/{NAME}_beh (1).tsv"],
    "sub-sim00001/sub-sim00001_sessions.tsv": ["sub-sim00001/sub-sim00001_sessions - Copy.tsv"],
}  # fmt: skip
EACH = [(source, stray) for source, several in STRAYS.items() for stray in several]


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    """A data set of three synthetic participants."""
    shutil.copytree(SIMULATED, tmp_path / "data")
    return DataSet(tmp_path / "data")


def put(data: DataSet, source: str, stray: str) -> Path:
    """A copy of a file or folder under another name."""
    path = data.root / stray
    (shutil.copytree if (data.root / source).is_dir() else shutil.copy)(data.root / source, path)
    return path


@pytest.mark.parametrize(("source", "stray"), EACH, ids=[stray for _, stray in EACH])
def test_a_copy_is_no_data(data: DataSet, source: str, stray: str) -> None:
    """It is neither a participant nor a session nor a table, and is named."""
    before = data.transcripts_of_all(), data.tables_of_all()
    path = put(data, source, stray)
    data.prepare()
    assert find_strays(data) == [path]
    assert (data.transcripts_of_all(), data.tables_of_all()) == before
    assert list(read_rows(data.root / "participants.tsv", "participant_id")) == [f"sub-sim0000{n}" for n in (1, 2, 3)]
    assert data.transcript_of(Visit("sim00001", 1)) == data.root / SESSION / f"{NAME}_transcript.jsonl"


def test_what_people_keep_beside_is_none(data: DataSet) -> None:
    """Other recordings, notes and what systems leave are not named."""
    beside = ["notes.txt", ".DS_Store", "sub-sim00001/ses-1/eeg/x", f"{SESSION}/photodiode.wav", "code/sub.py"]
    beside += ["sub-sim00001/ses-1/sub-sim00001_ses-1_scans.tsv", "sub-sim00001/Thumbs.db", "derivatives/sub-x/y"]
    for name in beside:
        (data.root / name).parent.mkdir(parents=True, exist_ok=True)
        (data.root / name).touch()
    assert find_strays(data) == []


def test_all_are_one_finding(data: DataSet, tmp_path: Path) -> None:
    """The quality assurance names the first of them and counts the rest; verifying is not disturbed."""
    for source, stray in EACH:
        put(data, source, stray)
    report = build_report(data.root, out=tmp_path / "qa", pilot=True, today=TODAY)
    (found,) = [one for one in report.open_findings if one.kind == "copies"]
    assert f"and {len(EACH) - 5} more" in found.text
    assert report.sessions == len(verify_all(data.root, pilot=True)) == 6


def test_two_logs_of_one_session_are_a_finding(data: DataSet, tmp_path: Path) -> None:
    """A session that an older version held twice, under another task's name, is named; no log of it is left out."""
    log = data.root / SESSION / f"{NAME}_transcript.jsonl"
    shutil.copy(log, log.with_name(log.name.replace("lovedones", "geliebte")))
    report = build_report(data.root, out=tmp_path / "qa", pilot=True, today=TODAY)
    assert [(one.subject, one.session) for one in report.open_findings if one.kind == "twice"] == [("sim00001", 1)]
    assert report.sessions == 7
