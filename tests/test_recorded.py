"""What an earlier version recorded is read, verified, judged, tabled, shown again and resumed as it was then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from experiment.cli.simulate import SIMULATED_PASSPHRASE
from experiment.design.message import KEYED, Message, read_messages
from experiment.qa.report import build_report
from experiment.record import transcript as log
from experiment.record.data_dictionary import data_dictionary
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Started, encode
from experiment.record.resume import is_interrupted, resume_point
from experiment.record.transcript import Transcript
from experiment.record.trial_table import table_text
from experiment.replay.player import Player
from experiment.replay.verify import verify_all
from experiment.session.doubts import session_doubts
from experiment.session.plan import Plan, plan_session
from experiment.storage.hash_chain import chain_line
from experiment.study.register import Register
from experiment.study.seals import open_packing, read_key
from experiment.study.snapshot import Snapshot

RECORDED = Path(__file__).parent / "recorded"
DATA_SETS = {
    "simulated": RECORDED / "simulated",
    "study": RECORDED / "study",
    "pilot": RECORDED / "pilot" / "pilot",
    "real": RECORDED / "real",
}
TRANSCRIPTS = sorted(path for folder in DATA_SETS.values() for path in folder.rglob("*_transcript.jsonl"))
JUDGED_ON = datetime(2026, 12, 1, tzinfo=timezone.utc)
FOUND = {
    "simulated": {("aborted", "sim00001", 1), ("aborted", "sim00001", 2)},
    "study": {("missing", "sim00002", 1)},
    "pilot": set(),
    "real": {(kind, "11", 1) for kind in ("unseen", "overridden", "unsynced", "resumed")},
}


def table_of(path: Path) -> Path:
    """The trial table that was saved with this transcript."""
    data = DataSet(path.parents[3])
    session = log.read_start(path).session
    return data.table(session.visit, session.protocol.task)


def test_there_are_as_many_as_were_recorded() -> None:
    """Nineteen sessions are there: none of the tests below is about nothing."""
    assert len(TRANSCRIPTS) == 19


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.name)
def test_each_event_is_written_as_it_was(path: Path) -> None:
    """Every line of each transcript is read, and writing the events again gives the same bytes."""
    content = b""
    for event in log.read(path, pilot=True).events:
        content += chain_line(content, encode(event))
    assert content == path.read_bytes()


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.name)
def test_each_table_is_made_again_byte_for_byte(path: Path) -> None:
    """The trial table and its data dictionary follow from the transcript as they were saved."""
    read, table = log.read(path, pilot=True), table_of(path)
    session, saved = read.started.session, json.loads(table.with_suffix(".json").read_bytes())
    assert table_text(read.events).encode() == table.read_bytes()
    assert data_dictionary(session) == saved


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_session_verifies(name: str) -> None:
    """Repeating each session and comparing all its files finds nothing."""
    assert [one for one in verify_all(DATA_SETS[name], pilot=True) if one.is_wanting] == []


@pytest.mark.parametrize("name", DATA_SETS)
def test_each_data_set_is_judged_as_before(name: str, tmp_path: Path) -> None:
    """The quality assurance finds in it what it found then, but for what it found unfairly."""
    report = build_report(DATA_SETS[name], out=tmp_path, pilot=True, today=JUDGED_ON)
    assert {(one.kind, one.subject, one.session) for one in report.open_findings} == FOUND[name]


def test_a_session_resumes_from_where_it_did() -> None:
    """The beginning of the session that was killed gives the same place to go on from as it gave then."""
    (path,) = DATA_SETS["real"].rglob("*_transcript.jsonl")
    events = log.read(path).events
    again = next(at for at, event in enumerate(events) if at and isinstance(event, Started))
    later = events[again]
    assert isinstance(later, Started)
    assert later.resumes is not None
    before = Transcript(events[:again], 0, later.resumes.torn_bytes)
    assert is_interrupted(before)
    assert resume_point(before, later.zero_utc) == later.resumes


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.name)
def test_each_session_can_be_shown_again(path: Path) -> None:
    """The replay finds the trials of each session that reached them, and its end."""
    events = log.read(path, pilot=True).events
    player = Player(events)
    is_complete = isinstance(last := events[-1], Ended) and last.status == "completed"
    shown = {span.trial for span in player.trials if span.trial > 0}
    assert shown == set(range(1, 7)) if is_complete else shown < set(range(1, 7))
    assert player.end_s > 0


def test_the_messages_are_those_that_were_shown() -> None:
    """The messages of the session of subject 11 have the digests that its transcript recorded."""
    (path,) = DATA_SETS["real"].rglob("*_transcript.jsonl")
    shown = {trial.message_id: trial.message_sha256 for trial in log.read_start(path).session.trials}
    assert {one.message_id: one.sha256 for one in read_messages(RECORDED / "real-messages" / "sub-11.csv")} == shown


def test_the_register_is_read_and_its_files_open(tmp_path: Path) -> None:
    """The study's six participants are in its register, and its keys open what was sealed for them."""
    shutil.copytree(DATA_SETS["study"] / "study", folder := tmp_path / "study")
    register = Register(folder)
    entries = register.entries()
    people = Snapshot(entries).people
    assert [len(one.sessions) for one in people.values()] == [2] * 6
    opened = open_packing(register, read_key(folder / "pharmacy.key", SIMULATED_PASSPHRASE))
    assert {kit for one in people.values() for kit in one.kits} <= {one.kit for one in opened}


def test_the_next_session_finds_the_texts_of_one_with_plain_digests(tmp_path: Path) -> None:
    """Session 2 after a session of the earlier version accepts the same messages, names others, and hides its own."""
    data = DataSet(Path(shutil.copytree(DATA_SETS["real"], tmp_path / "real")))
    (path,) = data.root.rglob("*_transcript.jsonl")
    first = log.read_start(path).session
    messages = read_messages(RECORDED / "real-messages" / "sub-11.csv")

    def plan(texts: Sequence[Message]) -> Plan:
        return plan_session("run", first.protocol, texts, data, subject="11", session=2, seed=1, operator="AB")

    later = plan(messages).session
    assert (first.message_digests, later.message_digests) == (UNSET, KEYED)
    assert {one.message_sha256 for one in first.trials} & {one.message_sha256 for one in later.trials} == set()
    assert session_doubts(plan(messages)) == []
    (doubt,) = session_doubts(plan([replace(messages[0], text="another"), *messages[1:]]))
    assert doubt.startswith(f"Message {messages[0].message_id} has another text than in session 1.")


def test_an_interrupted_session_goes_on_with_the_digests_that_it_began_with(tmp_path: Path) -> None:
    """The beginning of the session that was killed resumes with the same messages, its digests plain as before."""
    data = DataSet(Path(shutil.copytree(DATA_SETS["real"], tmp_path / "real")))
    (path,) = data.root.rglob("*_transcript.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    again = [at for at, event in enumerate(log.read(path).events) if isinstance(event, Started)][1]
    path.write_bytes(b"".join(lines[:again]))
    first, messages = log.read_start(path).session, read_messages(RECORDED / "real-messages" / "sub-11.csv")
    plan = plan_session(
        "run", first.protocol, messages, data, subject="11", session=1, seed=1, operator="AB", resume=True
    )
    assert plan.session == first
