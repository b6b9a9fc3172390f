"""The data folder: a BIDS data set whatever happened, in which nothing is lost, half written or overwritten."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.message import Message
from experiment.design.session import draw_session
from experiment.design.visit import Visit
from experiment.errors import BadInput, DayFourError, EquipmentFailure
from experiment.record import transcript as log
from experiment.record.closing import record_closing
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Event, Started
from experiment.record.tsv import read_rows, write_rows
from experiment.session.plan import plan_session
from experiment.session.run import run_simulated
from experiment.storage.atomic_file import write_whole
from tests import strategies
from tests.strategies import PROTOCOL, held
from tests.trial_tables import read_table, trial_table

if TYPE_CHECKING:
    from collections.abc import Mapping

VALIDATOR = Path(sys.executable).with_name("bids-validator-deno")
ANSWERS = {"last_dose": "08:30", "symptoms": "none", "notes": 'slept badly, "a bit" tired'}
TEXT = "Dear you, a secret that no file may tell"


def session_events(
    subject: str, session: int, habit: str = "steady", answers: Mapping[str, str | float | None] = ANSWERS
) -> list[Event]:
    """The events of a simulated session, before which the assistant gave these answers."""
    messages = [Message(f"m{n}", "Ana", "friend", "en", f"{TEXT} {n}") for n in range(6)]
    started, *rest = held(draw_session(PROTOCOL, messages, subject=subject, session=session, seed=1), habit)
    assert isinstance(started, Started)
    return [replace(started, answers=dict(answers)), *rest]


def saved(data: DataSet, told: list[Event]) -> list[Event]:
    """The events, after their transcript and tables were written as a session does."""
    started = told[0]
    assert isinstance(started, Started)
    with log.Writer(data.transcript(started.session.visit, PROTOCOL.task)) as transcript:
        data.save([started])
        for event in told:
            transcript.append(event)
    data.save(told)
    return told


def faults(root: Path) -> dict[str, list[str]]:
    """What the BIDS validator says, without network: its codes by severity."""
    command = [str(VALIDATOR), "--format", "json", str(root)]
    said = subprocess.run(command, capture_output=True, check=False)
    found: dict[str, list[str]] = {"error": [], "warning": []}
    for issue in json.loads(said.stdout)["issues"]["issues"]:
        found[issue["severity"]].append(f"{issue['code']} {issue.get('subCode', '')} {issue['location']}".strip())
    return found


def test_the_validator_finds_no_error(tmp_path: Path) -> None:
    """After whole, aborted, failed and died sessions, beside a pilot; what it recommends is for the lab to add."""
    data = DataSet(tmp_path)
    data.prepare()
    data.pilot.prepare()
    saved(data.pilot, session_events("pilot001", 1, "mouse"))
    data.pilot.list_participants()
    assert faults(tmp_path)["error"] == []
    saved(data, session_events("DF001", 1))
    saved(data, session_events("DF001", 2, "aborting", {"last_dose": None}))
    saved(data, [*session_events("DF002", 1)[:100], Ended("failed", "OSError")])
    saved(data, session_events("DF003", 1)[:100])
    data.list_participants()
    found = faults(tmp_path)
    assert found["error"] == []
    unknown_here = {"HEDVersion", "License", "SourceDatasets", "CogAtlasID", "CogPOID"}
    unknown_here |= {"InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName"}
    recommended = {line.split()[1] for line in found["warning"] if "_RECOMMENDED" in line}
    assert recommended <= unknown_here
    assert {line.split()[0] for line in found["warning"] if "_RECOMMENDED" not in line} <= {"TOO_FEW_AUTHORS"}


def test_a_session_is_saved_where_bids_wants_it(tmp_path: Path) -> None:
    """The table, its dictionary and the visit stand by subject and session, the transcript under sourcedata."""
    data = DataSet(tmp_path)
    told = saved(data, session_events("DF001", 1))
    beh = tmp_path / "sub-DF001/ses-1/beh/sub-DF001_ses-1_task-lovedones_beh"
    assert read_table(beh.with_suffix(".tsv")).equals(trial_table(told))
    assert json.loads(beh.with_suffix(".json").read_text(encoding="utf-8"))["TaskName"] == "lovedones"
    transcript = tmp_path / "sourcedata/sub-DF001/ses-1/sub-DF001_ses-1_task-lovedones_transcript.jsonl"
    assert list(log.read(transcript, pilot=True).events) == told


def test_no_file_holds_a_text(tmp_path: Path) -> None:
    """A message is known by its id and its digest only."""
    data = DataSet(tmp_path)
    data.prepare()
    saved(data, session_events("DF001", 1))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 8
    assert not [path for path in files if TEXT.encode() in path.read_bytes()]


def test_a_visit_tells_how_it_ended(tmp_path: Path) -> None:
    """Its status is missing until it ended, then completed, or aborted with the reason; answers stand beside it."""
    data = DataSet(tmp_path)
    told = session_events("DF001", 1)
    data.save(told[:1])
    running = read_rows(data.sessions("DF001"), "session_id")["ses-1"]
    assert running == {
        "session_id": "ses-1",
        "acq_time": "2026-03-01T09:30:00Z",
        "operator": "RA",
        "seed": "1",
        "status": "n/a",
        "end_reason": "n/a",
        **ANSWERS,
    }
    data.save(told)
    data.save(session_events("DF001", 2, "aborting", {"last_dose": None, "weight": 61.5}))
    visits = read_rows(data.sessions("DF001"), "session_id")
    assert visits["ses-1"] == running | {"status": "completed", "weight": "n/a"}
    assert (visits["ses-2"]["status"], visits["ses-2"]["end_reason"]) == ("aborted", "withdrew")
    assert {visits["ses-2"][name] for name in ANSWERS} == {"n/a"}
    assert visits["ses-2"]["weight"] == "61.5"


def test_a_table_made_again_keeps_what_people_wrote(tmp_path: Path) -> None:
    """An answer that somebody corrected by hand stays as it is; one that is missing comes from the transcript again."""
    data = DataSet(tmp_path)
    told = saved(data, session_events("DF001", 1))
    path = data.sessions("DF001")
    before = path.read_bytes()
    path.write_bytes(before.replace(b"08:30", b"09:30").replace(b"none", b"n/a"))
    data.save(told)
    assert path.read_bytes() == before.replace(b"08:30", b"09:30")
    path.unlink()
    data.save(told)
    assert path.read_bytes() == before


def test_the_visits_dictionary_tells_the_assistants_questions(tmp_path: Path) -> None:
    """Every column of the sessions file is described, a choice with its levels."""
    data = DataSet(tmp_path)
    saved(data, session_events("DF001", 1))
    described = json.loads(data.sessions("DF001").with_suffix(".json").read_text(encoding="utf-8"))
    assert list(described) == list(read_rows(data.sessions("DF001"), "session_id")["ses-1"])
    choice = next(question for question in PROTOCOL.assistant if question.kind == "choice")
    assert list(described[choice.id]["Levels"]) == list(choice.choices)


def test_a_second_run_of_a_session_is_refused(tmp_path: Path) -> None:
    """A transcript or a table is enough; another session or subject is free."""
    data = DataSet(tmp_path)
    data.check_free(Visit("DF001", 1))
    saved(data, session_events("DF001", 1))
    data.check_free(Visit("DF001", 2))
    data.check_free(Visit("DF002", 1))
    for path in (data.table(Visit("DF001", 1), "lovedones"), data.transcript(Visit("DF001", 1), "lovedones")):
        with pytest.raises(BadInput, match="never overwritten"):
            data.check_free(Visit("DF001", 1))
        path.unlink()
    data.check_free(Visit("DF001", 1))


def test_subjects_that_differ_only_by_case_are_refused(tmp_path: Path) -> None:
    """On many computers they would share their files."""
    data = DataSet(tmp_path)
    saved(data, session_events("DF001", 1))
    with pytest.raises(BadInput, match="only in capital letters"):
        data.check_free(Visit("df001", 2))


SPOILT = {
    "another heading": (b"visit\tnotes\nses-1\tn\n", "line 1: the column 'session_id' is missing"),
    "a cell too few": (b"session_id\tnotes\n\nses-1\n", "line 3: 1 cells in 2 columns"),
    "a cell below no heading": (b"session_id\tnotes\nses-1\tn\tmore\n", "line 2: 3 cells in 2 columns"),
    "a row twice": (b"session_id\tnotes\nses-1\ta\nses-1\tb\n", "line 3: ses-1 is already in line 2"),
    "a column twice": (b"session_id\tnotes\tnotes\nses-1\ta\tb\n", "line 1: the column 'notes' is there twice"),
    "a row without a name": (b"session_id\tnotes\n\tb\n", "line 2: the column 'session_id' is empty"),
    "another encoding": ("session_id\nses-1\n".encode("utf-16"), "not tab-separated UTF-8"),
    "Latin letters": (b"session_id\tnotes\nses-1\tm\xfcde\n", "not tab-separated UTF-8"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_sessions_file_that_was_spoilt_is_found_before_the_session(what: str, tmp_path: Path) -> None:
    """With file, line and what to do, and the file stays as it was."""
    data = DataSet(tmp_path)
    saved(data, session_events("DF001", 1))
    content, found = SPOILT[what]
    data.sessions("DF001").write_bytes(content)
    with pytest.raises(BadInput, match=re.escape(found)) as error:
        data.check_tables("DF001")
    assert str(data.sessions("DF001")) in str(error.value)
    with pytest.raises(BadInput, match=re.escape(found)):
        data.save(session_events("DF001", 2))
    assert data.sessions("DF001").read_bytes() == content


@pytest.mark.parametrize("name", ["participants.json", "phenotype/funnel.json", "sub-DF001/sub-DF001_sessions.json"])
@pytest.mark.parametrize(
    ("content", "found"),
    [(b'{"age": {"Units": "years"},}', "line 1, column"), (b"[]", "begins with {"), (b"\xff\xfe", "not JSON in UTF-8"),
     (b'{"age": {}, "age": {}}', "'age' is described twice"), (b"[" * 100_000, "not JSON")],
    ids=["comma", "list", "encoding", "twice", "deep"],
)  # fmt: skip
def test_a_dictionary_that_was_spoilt_is_named_before_the_session(
    name: str, content: bytes, found: str, tmp_path: Path
) -> None:
    """A stray comma in a description stops nobody with an unnamed error, and nothing is written over it."""
    data = DataSet(tmp_path)
    data.prepare()
    saved(data, session_events("DF001", 1))
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(BadInput, match=found) as error:
        data.check_tables("DF001") if "sessions" in name else data.prepare()
    assert path.name in str(error.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["participants.json", "participants.tsv", "sub-sim01/sub-sim01_sessions.json"])
def test_what_is_spoilt_during_a_session_does_not_end_it(name: str, tmp_path: Path) -> None:
    """Somebody edits a table while the participant reads: all is in the log, and at the end the file is named."""
    data = DataSet(tmp_path)
    messages = [Message(f"m{n}", "Ana", "friend", "en", f"{TEXT} {n}") for n in range(6)]
    given = {"subject": "sim01", "seed": 1, "operator": "TA", "participant": "quick"}
    run_simulated(plan_session("pilot", PROTOCOL, messages, data, session=1, **given))  # type: ignore[arg-type]
    plan = plan_session("pilot", PROTOCOL, messages, data, session=2, **given)  # type: ignore[arg-type]
    (tmp_path / name).write_bytes(b"\xff{")
    with pytest.raises(DayFourError, match=Path(name).name):
        run_simulated(plan)
    assert log.read(plan.transcript, pilot=True).ended == Ended("completed", None)
    assert (tmp_path / name).read_bytes() == b"\xff{"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Editors of Windows write one before tables and dictionaries, and both are read."""
    data = DataSet(tmp_path)
    data.prepare()
    saved(data, session_events("DF001", 1))
    data.list_participants()
    paths = [tmp_path / "participants.tsv", data.sessions("DF001")]
    for path in (*paths, *(one.with_suffix(".json") for one in paths)):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    data.prepare()
    data.check_tables("DF001")
    data.save(session_events("DF001", 2))
    assert list(read_rows(data.sessions("DF001"), "session_id")) == ["ses-1", "ses-2"]


def test_participants_that_are_listed_twice_are_refused(tmp_path: Path) -> None:
    """Neither of two rows of a participant, nor of two columns of a name, is deleted."""
    data = DataSet(tmp_path)
    data.prepare()
    path = tmp_path / "participants.tsv"
    for content in (b"participant_id\tage\nsub-A\t1\nsub-A\t2\n", b"participant_id\tage\tage\nsub-A\t1\t2\n"):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"Delete one\.|Rename or delete"):
            data.prepare()
        assert path.read_bytes() == content


def test_columns_without_rows_stay(tmp_path: Path) -> None:
    """A lab may write its headings before anybody came."""
    data = DataSet(tmp_path)
    (tmp_path / "participants.tsv").write_text("participant_id\tage\n")
    saved(data, session_events("DF001", 1))
    data.prepare()
    assert (tmp_path / "participants.tsv").read_text() == "participant_id\tage\nsub-DF001\tn/a\n"


def test_descriptions_that_people_wrote_stay(tmp_path: Path) -> None:
    """Of columns of their own and of ours, in all three dictionaries; what is new is added."""
    data = DataSet(tmp_path)
    funnel = PROTOCOL.funnel
    assert funnel is not None
    question = funnel.questions[0].id
    own = {"age": {"Description": "In years."}, question: {"Description": "Our words."}}
    for path in (data.funnel, tmp_path / "participants.tsv", data.sessions("DF001")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json").write_text(json.dumps(own), encoding="utf-8")
    saved(data, session_events("DF001", 1))
    data.list_participants()
    record_closing(
        data, "DF001", "2026-03-01T11:00:00+00:00", funnel.questions, {one.id: "x" for one in funnel.questions}
    )
    for path in (data.funnel, tmp_path / "participants.tsv", data.sessions("DF001")):
        described = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert described.items() >= own.items()
        columns = path.read_text(encoding="utf-8").splitlines()[0].split("\t")
        assert set(columns) <= set(described)


def test_a_visit_has_one_transcript_whatever_its_task(tmp_path: Path) -> None:
    """A translated protocol with a task of its own finds the same visit; two transcripts of one are refused."""
    data, visit = DataSet(tmp_path), Visit("DF001", 1)
    saved(data, session_events("DF001", 1))
    own = data.transcript(visit, PROTOCOL.task)
    assert data.transcript_of(visit) == own
    own.rename(data.transcript(visit, "geliebte"))
    assert data.transcript_of(visit) == data.transcript(visit, "geliebte")
    with pytest.raises(BadInput, match="never overwritten"):
        data.check_free(visit)
    own.touch()
    with pytest.raises(BadInput, match="2 transcripts"):
        data.transcript_of(visit)


def test_what_people_added_stays(tmp_path: Path) -> None:
    """A description, a README, participants who did not come yet and their columns outlive later sessions."""
    data = DataSet(tmp_path)
    (tmp_path / "README.txt").write_text("Ours", encoding="utf-8")
    data.prepare()
    description = tmp_path / "dataset_description.json"
    description.write_text('{"Name": "Ours"}', encoding="utf-8")
    saved(data, session_events("DF002", 1))
    data.list_participants()
    (tmp_path / "participants.tsv").write_bytes(
        b"\xef\xbb\xbfparticipant_id\tage\r\nsub-DF002\t31\r\nsub-DF003\t40\r\n"
    )
    saved(data, session_events("DF001", 1))
    data.prepare()
    ages = {name: row["age"] for name, row in read_rows(tmp_path / "participants.tsv", "participant_id").items()}
    assert ages == {"sub-DF001": "n/a", "sub-DF002": "31", "sub-DF003": "40"}
    assert description.read_text(encoding="utf-8") == '{"Name": "Ours"}'
    assert [path.name for path in tmp_path.glob("README*")] == ["README.txt"]


def test_pilots_are_numbered_on(tmp_path: Path) -> None:
    """The next subject is after the highest there is, also if only its transcript is there."""
    data = DataSet(tmp_path)
    assert data.next_subject("pilot") == "pilot001"
    (tmp_path / "sub-pilot001").mkdir()
    (tmp_path / "sourcedata" / "sub-pilot007").mkdir(parents=True)
    (tmp_path / "sub-pilotage").mkdir()
    assert data.next_subject("pilot") == "pilot008"


def test_a_folder_where_nothing_can_be_saved_is_an_equipment_failure(tmp_path: Path) -> None:
    """It is found before anything opens."""
    (tmp_path / "file").touch()
    with pytest.raises(EquipmentFailure, match="--data"):
        DataSet(tmp_path / "file").prepare()


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Neither half a table stands there nor anything beside it."""
    resource = pytest.importorskip("resource", reason="Windows cannot limit a process's files")
    path = tmp_path / "table.tsv"
    write_whole(path, "old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(EquipmentFailure, match="cannot be saved"):
            write_whole(path, "new" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {one.name: one.read_text(encoding="utf-8") for one in tmp_path.iterdir()} == {"table.tsv": "old"}


@given(st.dictionaries(strategies.question_ids, strategies.cells | st.just("a\rb"), min_size=1))
def test_answers_are_read_back_identical(answers: dict[str, str]) -> None:
    """Whatever an assistant types."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.tsv")
        write_rows(path, [{"session_id": "ses-1"} | answers], first=["session_id"])
        assert read_rows(path, "session_id") == {"ses-1": {"session_id": "ses-1"} | answers}
