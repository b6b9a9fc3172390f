"""What is said of saved data is what the disk holds: events that cannot be written, lost folders, tables made again."""

from __future__ import annotations

import _thread
import errno
import math
import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from experiment.cli.after_run import accounting_for
from experiment.design.message import read_messages
from experiment.errors import BadInput, EquipmentFailure
from experiment.record import rescue
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Click, Ended, Key, MessageScene, Rated, Shown, Started, Storage, StorageCause
from experiment.record.events_beside import SetAside, Unwritable
from experiment.record.finding import describe
from experiment.record.remake import catch_up, remake
from experiment.record.saved import describe_saved
from experiment.record.trial_table import table_text
from experiment.record.tsv import read_rows
from experiment.record.writable import as_declared
from experiment.replay.verify import verify
from experiment.screens.inputs import WindowEvents
from experiment.session.plan import Interrupted, plan_session, set_aside
from experiment.session.run import run_simulated
from experiment.storage.anchor import anchor_of
from experiment.storage.hash_chain import line_digests
from experiment.study.register import Register
from experiment.task.scenes import pause_page, pause_pages
from tests.places import EXAMPLES
from tests.registers import running, story, write_register
from tests.strategies import PROTOCOL, held, session_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from experiment.record.events import Event

LIMIT_S = 10.0
SUBJECT = "DF001"
NUMPY: Any = Click(np.float64(1.5), np.float32(-2.0), np.bool_(1), np.float64(3.0), "queue")  # type: ignore[arg-type]
BROKEN = {
    "numpy": (NUMPY, "click", "TypeError"),
    "no number": (Click(math.nan, 0.0, down=True, time_s=1.0, timed_by="queue"), "click", "ValidationError"),
    "wrong type": (Key(3, down=True, time_s=1.0, timed_by="queue"), "key", "ValidationError"),  # type: ignore[arg-type]
    "half a letter": (Key("\ud800", down=True, time_s=1.0, timed_by="queue"), "key", "UnicodeEncodeError"),
    "no event": (object(), "object", "TypeError"),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder, empty; disks in trouble are looked at again soon."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(rescue, "LOOK_S", 0.02)
    monkeypatch.setattr("experiment.storage.append_file.RETRY_S", 0.02)
    return folder


def told(habit: str = "steady") -> list[Event]:
    """The events of a session."""
    return held(session_of(), habit)


def written(data: DataSet, events: list[Event]) -> Path:
    """Their transcript, without tables."""
    path = data.transcript(session_of().visit, PROTOCOL.task)
    with log.Writer(path) as transcript:
        for event in events:
            transcript.append(event)
    return path


def until(happened: Callable[[], object]) -> None:
    """Wait for it."""
    deadline_s = time.monotonic() + LIMIT_S
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def no_room(*_: object) -> int:
    """What a full disk says."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_input_is_of_the_types_it_declares() -> None:
    """Numbers and truth values of numpy become Python's; what cannot be meant is left for the transcript to name."""
    plain = as_declared(NUMPY)
    assert plain == Click(1.5, -2.0, down=True, time_s=3.0, timed_by="queue")
    assert [type(value) for value in (plain.x_px, plain.y_px, plain.down, plain.time_s)] == [float, float, bool, float]
    broken = BROKEN["wrong type"][0]
    assert as_declared(broken) is broken


@pytest.mark.parametrize("which", BROKEN)
def test_an_event_that_cannot_be_written_is_named_and_stops_nothing(which: str, tmp_path: Path) -> None:
    """Its kind stands in its place, all that follows is written, verifying names it, and what is said tells of it."""
    data, (broken, kind, why) = DataSet(tmp_path / "data"), BROKEN[which]
    events = told()
    middle = next(at for at, event in enumerate(events) if isinstance(event, Rated)) - 1
    path = written(data, [*events[:middle], broken, *events[middle:]])
    read = log.read(path, pilot=True).events
    assert read == (*events[:middle], Unwritable(kind, why), *events[middle:])
    data.save(read)
    assert [describe(finding) for finding in verify(path, pilot=True).findings] == [
        f"line {middle + 1}: {kind}: unwritable: {why}, expected it"
    ]
    assert describe_saved(path) == (
        "6 of 6 messages have been rated, and these ratings are saved. NOT saved, because the program could not write "
        f"them: 1 events ({kind})."
    )


def test_where_nothing_is_rated_nothing_is_called_saved(tmp_path: Path) -> None:
    """Of a session that died before the first rating only the count is told."""
    events = told()
    first = next(at for at, event in enumerate(events) if isinstance(event, Rated))
    assert describe_saved(written(DataSet(tmp_path / "data"), events[:first])) == "0 of 6 messages have been rated."


def test_a_question_without_an_answer_is_not_called_rated(tmp_path: Path) -> None:
    """Where no answer came in time, the message is told apart from those that were rated, at the next start too."""
    data, events = DataSet(tmp_path / "data"), told()
    rated = [at for at, event in enumerate(events) if isinstance(event, Rated)]
    for at in (rated[3], *rated[6:8]):  # of message 1 the second question, of message 3 both; 0 is the practice
        events[at] = replace(events[at], value=None, time_s=None, timed_by=None)
    path = written(data, events[: rated[9] + 1])
    said = (
        "2 of 6 messages have been rated, and these ratings are saved. Of 2 more, a question was not answered in time."
    )
    assert describe_saved(path) == said
    visit = session_of().visit
    with pytest.raises(Interrupted, match=re.escape(said)):
        plan_session("run", PROTOCOL, (), data, subject=visit.subject, session=visit.session, seed=1, operator="TA")


def test_what_a_rescued_copy_holds_is_counted_too(tmp_path: Path) -> None:
    """Of a log of which the data folder has a part, or nothing, it is said how much is where."""
    data, events = DataSet(tmp_path / "data"), told()
    path = written(data, events)
    content, rated = path.read_bytes(), [at for at, event in enumerate(events) if isinstance(event, Rated)]
    copy = rescue.RescueCopy(path).write(content)
    path.write_bytes(b"".join(content.splitlines(keepends=True)[: rated[3] + 1]))
    everything = "6 of 6 messages have been rated, and these ratings are saved. The data folder holds the ratings of"
    assert describe_saved(path) == f"{everything} 1 of them; all are in the rescued copy:\n  {copy}"
    path.unlink()
    assert describe_saved(path) == f"{everything} none of them; all are in the rescued copy:\n  {copy}"


def test_a_table_that_cannot_be_written_hides_no_anchor(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The session is recorded, so its anchor is given for the paper form, and what is saved is said once."""
    data = DataSet(tmp_path / "data")
    data.root.mkdir()
    (data.root / "sub-A1").write_text("in the place of a folder")
    plan = plan_session(
        "run", PROTOCOL, read_messages(EXAMPLES / "english.csv"), data, subject="A1", session=1, seed=1, operator="TA",
        participant="quick",
    )  # fmt: skip
    with pytest.raises(EquipmentFailure, match="--remake") as failure, accounting_for(plan):
        run_simulated(plan)
    said = " ".join(capfd.readouterr().err.split())
    assert "6 of 6 messages have been rated, and these ratings are saved." in said
    assert (
        f"Anchor, for the paper form of this visit: {anchor_of(line_digests(plan.transcript.read_bytes())[-1])}" in said
    )
    assert "6 of 6" not in str(failure.value)


def test_of_a_session_that_another_program_began_nothing_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two starts at the same moment: the second is refused, gives no anchor, and tells the register nothing."""
    data = DataSet(tmp_path / "data")
    plan = plan_session(
        "run", PROTOCOL, read_messages(EXAMPLES / "english.csv"), data, subject=SUBJECT, session=1, seed=1,
        operator="TA", participant="quick",
    )  # fmt: skip
    write_register(data.root / "study", story(*running()))
    register = Register(data.root / "study")
    before = register.path.read_bytes()
    with log.Writer(plan.transcript) as first:
        first.append(replace(told()[0], mode="run"))
        assert first.settle(LIMIT_S)
        with pytest.raises(log.NotOurs, match="nothing was started here"), accounting_for(plan, register):
            run_simulated(plan)
    assert capfd.readouterr().err == ""
    assert register.path.read_bytes() == before


def test_a_rating_that_cannot_be_written_counts_as_missing(tmp_path: Path) -> None:
    """The table has n/a for it and says so; nothing claims that it is there."""
    data, events = DataSet(tmp_path / "data"), told()
    rated = [at for at, event in enumerate(events) if isinstance(event, Rated)]
    events[rated[2]] = replace(events[rated[2]], time_s=math.nan)
    path = written(data, events)
    assert describe_saved(path).startswith("5 of 6 messages")
    read = log.read(path, pilot=True).events
    data.save(read)
    assert [finding.kind for finding in verify(path, pilot=True).findings] == ["rated"]


def test_a_start_that_cannot_be_written_begins_nothing(tmp_path: Path) -> None:
    """Without its first line no transcript can be read: it is refused before anything is shown."""
    started = told()[0]
    assert isinstance(started, Started)
    with log.Writer(tmp_path / "a") as transcript, pytest.raises(EquipmentFailure, match="nothing was started"):
        transcript.append(replace(started, zero_count_s=math.nan))
    assert not (tmp_path / "a").exists()


def test_the_window_tells_why_not_all_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause page's words fit: an event that could not be written, then a full disk, then the event again."""

    class Handle:
        """A window that nothing happens to."""

        def push_handlers(self, **_: object) -> None:
            """It calls nobody."""

    with log.Writer(tmp_path / "a") as transcript:
        window = WindowEvents(Handle(), lambda: 1.0, transcript, frozenset)
        transcript.append(told()[0])
        assert transcript.settle(LIMIT_S)
        assert window.taken() == []
        transcript.append(NUMPY)
        until(lambda: transcript.cause == "unwritable")
        assert window.taken() == [Storage(saved=False, time_s=1.0, cause="unwritable")]
        with monkeypatch.context() as full:
            full.setattr(os, "write", no_room)
            transcript.append(Ended("completed", None))
            until(lambda: transcript.cause == "full")
            assert window.taken() == [Storage(saved=False, time_s=1.0, cause="full")]
        until(lambda: transcript.cause == "unwritable")
        assert window.taken() == [Storage(saved=False, time_s=1.0, cause="unwritable")]


def test_the_pause_page_has_words_for_each_cause() -> None:
    """Full disk, lost folder and an event that was not recorded are told apart; an older protocol has one for all."""
    pages = {cause: pause_page(PROTOCOL, unsaved=cause).text for cause in get_args(StorageCause)}
    assert [word in pages[cause] for cause, word in (("full", "full"), ("lost", "gone"), ("unwritable", "record"))] == [
        True
    ] * 3
    pause = replace(PROTOCOL.wording.pause, full=UNSET, lost=UNSET, unwritable=UNSET)
    older = replace(PROTOCOL, wording=replace(PROTOCOL.wording, pause=pause))
    assert pause_page(older, unsaved="full") == pause_page(older, unsaved="refused")
    assert pause_page(older, unsaved="unwritable") == pause_page(older)
    assert len(pause_pages(older)) == 2


def test_a_copy_is_kept_while_the_folder_takes_nothing(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds all of it before the session ends, so that it outlives this process, and goes once all is saved."""
    path = tmp_path / "data" / "a_transcript.jsonl"
    with log.Writer(path) as transcript:
        transcript.append(told()[0])
        assert transcript.settle(LIMIT_S)
        with monkeypatch.context() as lost:
            lost.setattr("experiment.storage.append_file.GrowingFile._take", no_room)
            transcript.append(Ended("completed", None))
            until(lambda: b"completed" in b"".join(copy.read_bytes() for copy in home.rglob("*.jsonl")))
            (copy,) = home.rglob("*.jsonl")
            assert copy.stat().st_mode & 0o77 == 0
            assert rescue.find_rescued(path) == copy
        until(lambda: not list(home.rglob("*")))
    assert log.read(path, pilot=True).ended == Ended("completed", None)


def test_what_was_rescued_is_put_back(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start of the subject puts it back where it belongs, with its tables; another file is left alone."""
    monkeypatch.setattr(log, "CLOSE_S", 0.2)
    data, events = DataSet(tmp_path / "data"), told()
    with monkeypatch.context() as full:
        full.setattr("experiment.storage.append_file.GrowingFile._take", no_room)
        with pytest.raises(EquipmentFailure, match="saved only here instead") as error:
            written(data, events)
    (copy,) = home.rglob("*.jsonl")
    assert str(copy) in str(error.value)
    assert [one.did.split(" from ")[0].split(",")[0] for one in catch_up(data, SUBJECT)] == [
        "restored",
        "its tables were missing",
    ]
    table = data.table(session_of().visit, PROTOCOL.task)
    assert table.read_text(encoding="utf-8") == table_text(events)
    assert list(home.rglob("*")) == []


def test_a_copy_that_is_not_needed_any_more_is_no_trouble(tmp_path: Path) -> None:
    """Copied to its place by hand, as an error says, it is no trouble: neither the desk nor the command name it."""
    data = DataSet(tmp_path / "data")
    path = written(data, told())
    data.save(log.read(path, pilot=True).events)
    rescue.RescueCopy(path).write(path.read_bytes())
    assert rescue.find_originals(data.root) == []
    assert list(remake(data)) == []


def test_a_copy_that_does_not_fit_to_its_file_is_told(tmp_path: Path) -> None:
    """Where somebody changed the file meanwhile, both are left as they are, and named until a person has decided."""
    data = DataSet(tmp_path / "data")
    path = written(data, told())
    content = path.read_bytes()
    copy = rescue.RescueCopy(path).write(content)
    changed = b"".join(content.splitlines(keepends=True)[:5]) + b"a note\n"
    path.write_bytes(changed)
    assert rescue.find_originals(data.root) == [path.absolute()]
    said = "these ratings are saved. The log in the data folder cannot be read; all are in the rescued"
    assert said in describe_saved(path)
    failed = [one.did for one in remake(data) if one.failed]
    assert [str(copy) in did and "Compare both" in did for did in failed] == [True, False]  # then the log itself
    assert (path.read_bytes(), copy and copy.read_bytes()) == (changed, content)
    path.write_bytes(content)
    assert [one for one in remake(data) if one.failed] == []


def test_a_log_that_cannot_be_read_hides_no_place_of_its_copy(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where the folder lets nobody read it any more, the end still says that all is saved elsewhere, and where."""
    plan = plan_session(
        "run", PROTOCOL, read_messages(EXAMPLES / "english.csv"), DataSet(tmp_path / "data"), subject=SUBJECT,
        session=1, seed=1, operator="TA", participant="quick",
    )  # fmt: skip
    run_simulated(plan)
    copy = rescue.RescueCopy(plan.transcript).write(plan.transcript.read_bytes())
    plan.transcript.unlink()
    plan.transcript.mkdir()
    with pytest.raises(EquipmentFailure, match="Not everything could be saved"), accounting_for(plan):
        raise EquipmentFailure(log.not_taken(plan.transcript, "no right", copy))
    said = " ".join(capfd.readouterr().err.split())
    assert "6 of 6 messages have been rated, and these ratings are saved. The log in the data folder cannot" in said
    assert said.endswith(str(copy))


def test_what_could_not_be_saved_anywhere_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no room in any folder it waits for some; told to stop, it says what is lost."""
    monkeypatch.setattr(log, "CLOSE_S", 0.2)
    monkeypatch.setattr("experiment.storage.append_file.GrowingFile._take", no_room)
    monkeypatch.setattr(rescue.RescueCopy, "write", lambda *_: None)
    threading.Timer(1.0, _thread.interrupt_main).start()
    with pytest.raises(EquipmentFailure, match="not be saved anywhere else: what is not in that folder is lost"):
        written(DataSet(tmp_path / "data"), told())


def test_tables_that_are_behind_are_made_again(tmp_path: Path) -> None:
    """Missing ones, those of the start, and a missing row; what is current is left as it is."""
    data, events = DataSet(tmp_path), told()
    written(data, events)
    table, sessions = data.table(session_of().visit, PROTOCOL.task), data.sessions(SUBJECT)
    assert [one.did for one in remake(data)] == ["its tables were missing, and were made again"]
    assert list(remake(data)) == list(catch_up(data, SUBJECT)) == []
    data.save(events[:1])
    assert [one.did for one in catch_up(data, SUBJECT)] == ["its tables were behind, and were made again"]
    sessions.unlink()
    assert [one.did for one in catch_up(data, SUBJECT)] == ["its tables were missing, and were made again"]
    assert read_rows(sessions, "session_id")["ses-1"]["status"] == "completed"
    assert table.read_text(encoding="utf-8") == table_text(events)


def test_a_table_that_somebody_changed_is_set_aside(tmp_path: Path) -> None:
    """The next start leaves it for a person; the command makes it again, and says where the changed one is kept."""
    data, events = DataSet(tmp_path), told()
    written(data, events)
    data.save(events)
    table = data.table(session_of().visit, PROTOCOL.task)
    changed = table.read_bytes().replace(b"robot", b"hand")
    table.write_bytes(changed)
    assert list(catch_up(data, SUBJECT)) == []
    (one,) = remake(data)
    assert "changed" in one.did
    (kept,) = (tmp_path / "sourcedata" / "replaced").rglob(table.name)
    assert kept.read_bytes() == changed
    assert table.read_text(encoding="utf-8") == table_text(events)


def test_a_log_that_cannot_be_read_keeps_no_other_from_being_tabled(tmp_path: Path) -> None:
    """It is named as not done, and the others are made."""
    data = DataSet(tmp_path)
    path = written(data, told())
    other = data.transcript(replace(session_of(), subject="DF2").visit, PROTOCOL.task)
    other.parent.mkdir(parents=True)
    other.write_bytes(path.read_bytes().replace(b'"trial":1', b'"trial":2'))
    assert [one.failed for one in remake(data)] == [False, True]


def test_a_session_in_which_no_message_was_seen_is_begun_again(tmp_path: Path) -> None:
    """Its log is kept with the reason, its tables go, and the new session names it; taken away, that is found."""
    data, events, visit = DataSet(tmp_path), told(), session_of().visit
    seen = next(at for at, event in enumerate(events) if shows_message(event))
    first = [*events[:seen], Ended("aborted", "technical")]
    written(data, first)
    data.save(first)
    kept = set_aside(data, visit, "The wrong session was chosen", "TA", "2026-03-01T10:00:00+00:00")
    assert log.read(kept, pilot=True).events[-1] == SetAside(
        "The wrong session was chosen", "TA", "2026-03-01T10:00:00+00:00"
    )
    assert not data.transcript_of(visit)
    assert not data.table_of(visit)
    assert read_rows(data.sessions(SUBJECT), "session_id") == {}
    started = events[0]
    assert isinstance(started, Started)
    digest = line_digests(kept.read_bytes())[-1]
    path = written(data, [replace(started, begun_before=(digest,)), *events[1:]])
    data.save(log.read(path, pilot=True).events)
    assert verify(path, pilot=True).findings == ()
    kept.unlink()
    assert [finding.kind for finding in verify(path, pilot=True).findings] == ["started.begun_before"]


@pytest.mark.parametrize("what", ["message", "unwritable", "not begun"])
def test_a_session_in_which_a_message_may_have_been_seen_is_not_begun_again(what: str, tmp_path: Path) -> None:
    """Nor one with a line that could not be written, or one that has not begun; nothing is changed then."""
    data, events, visit = DataSet(tmp_path), told(), session_of().visit
    seen = next(at for at, event in enumerate(events) if shows_message(event))
    if what != "not begun":
        written(data, events[: seen + 1] if what == "message" else [*events[:seen], object()])  # type: ignore[list-item]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(BadInput, match="cannot be started again" if what != "not begun" else "without --begin-again"):
        set_aside(data, visit, "The wrong session", "TA", "2026-03-01T10:00:00+00:00")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def shows_message(event: Event) -> bool:
    """Whether it shows one of the participant's own messages."""
    return isinstance(event, Shown) and isinstance(event.scene, MessageScene) and event.scene.message_id.startswith("m")
