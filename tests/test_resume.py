"""Sessions that died at any place go on to a complete table, or are closed as they are, and never silently."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from msgspec.structs import replace

from experiment.design.message import Message, read_messages
from experiment.design.protocol import read_protocol
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, MessageScene, Rated, Shown, Started, TextScene, TrialBegan
from experiment.record.resume import resume_point
from experiment.session import plan as plans
from experiment.session import run as sessions
from experiment.session.doubts import session_doubts
from experiment.storage.lock import is_written
from experiment.task.scenes import closing_page, participant_page
from tests.places import EXAMPLES, ROOT
from tests.trial_tables import read_table

if TYPE_CHECKING:
    from experiment.record.events import Event
    from experiment.record.transcript import Transcript
    from experiment.session.plan import Plan

LAB = read_protocol(ROOT / "stimuli" / "protocol.toml")
FEW = replace(LAB, messages=3)
TIMED = replace(FEW, timing=replace(FEW.timing, rating_maximum_s=30.0, message_maximum_s=180.0))
MESSAGES = read_messages(EXAMPLES / "english.csv")[:3]
PROTOCOLS = {"quick": FEW, "changing": FEW, "early": FEW, "mouse": FEW, "silent": TIMED, "steady": TIMED}
IDS = {"trial", "message_id", "message_sha256", "relationship", "question_order"}


def planned(data: DataSet, participant: str, **changes: Any) -> Plan:
    """A simulated session of this participant."""
    given: dict[str, Any] = {"messages": MESSAGES, "protocol": PROTOCOLS.get(participant, FEW), "session": 1, "seed": 5}
    return plans.plan_session(
        "simulate", data=data, subject="A1", operator="TA", participant=participant, **(given | changes)
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DataSet]:
    """A data set with one complete session of each participant."""
    sets = {}
    for participant in PROTOCOLS:
        sets[participant] = DataSet(tmp_path_factory.mktemp(participant))
        sessions.run_simulated(planned(sets[participant], participant))
    return sets


def cut(whole: DataSet, folder: Path, size: int) -> DataSet:
    """The data set as it was when the session's transcript had so many bytes."""
    data = DataSet(folder)
    place = transcript(data)
    place.parent.mkdir(parents=True)
    place.write_bytes(transcript(whole).read_bytes()[:size])
    return data


def transcript(data: DataSet) -> Path:
    """Where the session's transcript stands."""
    return data.transcript(Visit("A1", 1), LAB.task)


def table(data: DataSet) -> pd.DataFrame:
    """The session's table on disk."""
    return read_table(data.table(Visit("A1", 1), LAB.task))


def line_ends(data: DataSet) -> list[int]:
    """After how many bytes each line of the transcript ends."""
    content = transcript(data).read_bytes()
    return [at + 1 for at, byte in enumerate(content) if byte == ord("\n")]


def fully_rated(events: tuple[Event, ...]) -> dict[int, list[Rated]]:
    """The trials in which both questions came to their end, with the ratings of the last time."""
    found: dict[int, list[Rated]] = {}
    rated: list[Rated] = []
    for event in events:
        if isinstance(event, TrialBegan):
            found[event.trial] = rated = []
        if isinstance(event, Rated):
            rated.append(event)
    return {trial: both for trial, both in found.items() if len(both) == 2}


def assert_went_on(data: DataSet, before: Transcript, content: bytes) -> None:
    """The session is complete, what was there is there, and all between the sittings is told."""
    after = log.read(transcript(data), pilot=True)  # which checks the chain
    assert after.ended == Ended("completed", None)
    assert after.torn_bytes == 0
    assert transcript(data).read_bytes().startswith(content[: before.size_bytes])
    assert after.events[: len(before.events)] == before.events
    sitting, *told = after.events[len(before.events) :]
    assert isinstance(sitting, Started)
    assert sitting.resumes is not None
    assert sitting.resumes.torn_bytes == len(content) - before.size_bytes
    assert_asks_what_is_missing(sitting, tuple(told), before)
    assert_complete(table(data), after, sitting.resumes.seen)


def assert_asks_what_is_missing(sitting: Started, told: tuple[Event, ...], before: Transcript) -> None:
    """The trials from the first without both ratings on, after the instructions, and no practice that was finished."""
    assert sitting.resumes is not None
    done = fully_rated(before.events)
    missing = [trial for trial in range(len(MESSAGES) + 1) if trial not in done]
    assert [event.trial for event in told if isinstance(event, TrialBegan)] == missing
    shown_before = {event.scene.message_id for event in before.events if is_message(event)}  # type: ignore[union-attr]
    ids = {trial.trial: trial.message_id for trial in (sitting.session.practice, *sitting.session.trials)}
    assert [trial for trial in missing if ids[trial] in shown_before] == list(sitting.resumes.seen)
    wording = sitting.session.protocol.wording
    pages = {event.scene.text for event in told if isinstance(event, Shown) and isinstance(event.scene, TextScene)}
    instructions = [participant_page(sitting.session.protocol, page).text for page in wording.instructions]
    assert pages.issuperset(instructions) == bool(missing)
    assert ((wording.welcome in pages), (wording.practice in pages)) == (0 in missing, 0 in missing)
    assert (wording.resumed in pages) == (0 not in missing)
    assert closing_page(sitting.session.protocol, sitting.session.session) in pages
    assert {trial: rated for trial, rated in fully_rated((*before.events, *told)).items() if trial in done} == done


def is_message(event: Event) -> bool:
    """Whether a message came on the screen."""
    return isinstance(event, Shown) and isinstance(event.scene, MessageScene)


def assert_complete(table: pd.DataFrame, after: Transcript, seen: tuple[int, ...]) -> None:
    """Each message once, with the ratings that its trial ended with; those that came twice are marked."""
    values = fully_rated(after.events)
    assert table["trial"].to_list() == [1, 2, 3]
    assert sorted(table["message_id"]) == sorted(message.message_id for message in MESSAGES)
    assert sorted(values) == [0, 1, 2, 3]
    for row in table.to_dict("records"):
        rated = {one.question: one.value for one in values[row["trial"]]}
        assert {name: None if pd.isna(row[name]) else row[name] for name in rated} == rated
        assert row["shown_before"] == (row["trial"] in seen)


def goes_on(whole: DataSet, participant: str, folder: Path, size: int) -> None:
    """Cut off there, the session goes on to a complete table."""
    data = cut(whole, folder, size)
    content = transcript(data).read_bytes()
    before = log.read(transcript(data), pilot=True)
    sessions.run_simulated(planned(data, participant, resume=True))
    assert_went_on(data, before, content)
    shutil.rmtree(folder)


def test_cut_off_at_any_line_it_goes_on(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """After each line of a transcript but the last."""
    for size in line_ends(whole["quick"])[:-1]:
        goes_on(whole["quick"], "quick", tmp_path / str(size), size)


@pytest.mark.parametrize("participant", PROTOCOLS)
def test_cut_off_at_any_byte_it_goes_on(whole: dict[str, DataSet], tmp_path: Path, participant: str) -> None:
    """Within lines and at their ends, whatever the participant is like."""
    first, *_, last = line_ends(whole[participant])
    random = Random(participant)
    for size in {first, first + 1, last - 1, *(random.randrange(first, last) for _ in range(25))}:
        goes_on(whole[participant], participant, tmp_path / str(size), size)


def test_cut_off_before_its_first_line_it_begins_anew(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """Nothing had been shown: a plain run begins, there is nothing to resume and nothing to close."""
    first = line_ends(whole["quick"])[0]
    for size in (0, 1, first - 1):
        data = cut(whole["quick"], tmp_path / str(size), size)
        with pytest.raises(BadInput, match="not begun yet"):
            planned(data, "quick", resume=True)
        data = cut(whole["quick"], tmp_path / f"again{size}", size)
        with pytest.raises(BadInput, match="nothing to close"):
            plans.close_as_incomplete(data, Visit("A1", 1))
        assert sessions.run_simulated(planned(data, "quick")).status == "completed"
        assert transcript(data).read_bytes() == transcript(whole["quick"]).read_bytes()


def test_it_can_be_cut_off_again_and_again(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """Each sitting stands in the one transcript, and each way on starts at the first message that is not rated."""
    data, sittings = cut(whole["changing"], tmp_path, line_ends(whole["changing"])[40]), 1
    random = Random(3)
    for _ in range(12):
        content = transcript(data).read_bytes()
        sessions.run_simulated(planned(data, "changing", resume=True))
        sittings += 1
        grown = transcript(data).read_bytes()
        assert sum(isinstance(event, Started) for event in log.read(transcript(data), pilot=True).events) == sittings
        started = grown.index(b"\n", len(content))
        transcript(data).write_bytes(grown[: random.randrange(started + 1, len(grown) - 1)])
    before = log.read(transcript(data), pilot=True)
    sessions.run_simulated(planned(data, "changing", resume=True))
    after = log.read(transcript(data), pilot=True)
    assert after.ended == Ended("completed", None)
    done = fully_rated(before.events)
    assert {trial: rated for trial, rated in fully_rated(after.events).items() if trial in done} == done
    assert table(data)["connection"].notna().all()


def test_a_rating_stays_until_it_is_given_again(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """Cut off between two ratings, and once more before the message came again: the first rating is in the table."""
    events = log.read(transcript(whole["quick"]), pilot=True).events
    began = next(at for at, event in enumerate(events) if isinstance(event, TrialBegan) and event.trial == 1)
    at, rated = next((at, event) for at, event in enumerate(events) if at > began and isinstance(event, Rated))
    data = cut(whole["quick"], tmp_path, line_ends(whole["quick"])[at])
    size = transcript(data).stat().st_size
    sessions.run_simulated(planned(data, "quick", resume=True))
    grown = transcript(data).read_bytes()
    again = grown.index(b'"trial_began"', size)
    transcript(data).write_bytes(grown[: grown.index(b"\n", again) + 1])
    plans.close_as_incomplete(data, Visit("A1", 1))
    row = table(data).to_dict("records")[0]
    assert (row["connection"], pd.isna(row["pleasure"]), row["shown_before"]) == (rated.value, True, 0)


def test_the_gap_is_told(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """From the last line to the next start, by the wall clock; a clock that was set back makes it nothing, not less."""
    ends = line_ends(whole["quick"])
    before = log.read(transcript(cut(whole["quick"], tmp_path, ends[50])), pilot=True)
    last_s = max(getattr(event, "onset_s", getattr(event, "time_s", 0.0)) for event in before.events[1:])
    assert resume_point(before, "2000-01-01T10:00:00.000+00:00").gap_s == round(3600 - last_s, 3)
    assert resume_point(before, "2000-01-01T08:00:00Z").gap_s == 0.0


def test_a_plain_run_of_a_cut_off_session_is_refused(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """It says how many messages are rated and what can be done, and leaves every byte."""
    events = log.read(transcript(whole["quick"]), pilot=True).events
    pleasures = [at for at, event in enumerate(events) if isinstance(event, Rated) and event.question == "pleasure"]
    for rated, at in enumerate(pleasures):  # of the practice, and of each message
        data = cut(whole["quick"], tmp_path / str(rated), line_ends(whole["quick"])[at] + 7)
        content = transcript(data).read_bytes()
        with pytest.raises(plans.Interrupted, match=f"{rated} of 3 messages have been rated") as refused:
            planned(data, "quick")
        assert "--resume" in str(refused.value)
        assert "--close" in str(refused.value)
        assert transcript(data).read_bytes() == content


def test_an_ended_session_cannot_go_on(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """Neither a completed one nor one that the assistant ended; nor can it be closed."""
    for participant in ("quick", "aborting"):
        data = DataSet(tmp_path / participant)
        sessions.run_simulated(planned(data, participant))
        content = transcript(data).read_bytes()
        with pytest.raises(BadInput, match="has data already"):
            planned(data, participant, protocol=FEW, resume=True)
        with pytest.raises(BadInput, match="nothing to close"):
            plans.close_as_incomplete(data, Visit("A1", 1))
        assert transcript(data).read_bytes() == content
    assert transcript(DataSet(tmp_path / "quick")).read_bytes() == transcript(whole["quick"]).read_bytes()


@pytest.mark.parametrize("reason", [Ended("failed", "RuntimeError"), Ended("aborted", "interrupted")])
def test_what_nobody_decided_can_go_on(whole: dict[str, DataSet], tmp_path: Path, reason: Ended) -> None:
    """A session that failed, or was stopped from outside, is resumable though its transcript says that it ended."""
    data = cut(whole["quick"], tmp_path, line_ends(whole["quick"])[60])
    with log.Writer(transcript(data), log.read(transcript(data), pilot=True)) as writer:
        writer.append(reason)
    content, before = transcript(data).read_bytes(), log.read(transcript(data), pilot=True)
    sessions.run_simulated(planned(data, "quick", resume=True))
    assert_went_on(data, before, content)


def test_other_messages_or_another_protocol_are_refused(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """One changed letter of a message or one changed time is enough; nothing is written."""
    data = cut(whole["quick"], tmp_path, line_ends(whole["quick"])[60])
    content = transcript(data).read_bytes()
    others: list[dict[str, Any]] = [
        {"messages": (replace(MESSAGES[0], text=MESSAGES[0].text + "."), *MESSAGES[1:])},
        {"messages": (*MESSAGES[:2], read_messages(EXAMPLES / "english.csv")[3])},
        {"protocol": replace(FEW, timing=replace(FEW.timing, blank_s=2.5))},
    ]
    for changed in others:
        with pytest.raises(BadInput, match="another protocol or other messages"):
            planned(data, "quick", resume=True, **changed)
    assert transcript(data).read_bytes() == content
    assert planned(data, "quick", resume=True).session.seed == 5


def test_another_task_is_the_same_visit(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """A translated protocol with a task of its own neither holds a session twice nor resumes it in another language."""
    translated = replace(FEW, task="geliebte", language="de")
    with pytest.raises(BadInput, match="never overwritten"):
        planned(whole["quick"], "quick", protocol=translated)
    data = cut(whole["quick"], tmp_path, line_ends(whole["quick"])[30])
    with pytest.raises(plans.Interrupted):
        planned(data, "quick", protocol=translated)
    with pytest.raises(BadInput, match="another protocol"):
        planned(data, "quick", protocol=translated, resume=True)
    plans.close_as_incomplete(data, Visit("A1", 1))
    assert len(list(tmp_path.rglob("*_transcript.jsonl"))) == 1


def test_a_later_session_with_another_task_shows_what_the_first_did(whole: dict[str, DataSet]) -> None:
    """Session 2 with a translated protocol is held against session 1: texts, order and seed."""
    translated = replace(FEW, task="geliebte")
    changed = [replace(one, text=f"{one.text}.") if at == 0 else one for at, one in enumerate(MESSAGES)]
    told = session_doubts(planned(whole["quick"], "quick", protocol=translated, session=2, messages=changed))
    assert [doubt.split(" than ")[0] for doubt in told] == [
        "The protocol's task is 'geliebte', but was 'lovedones' in session 1. Check --protocol.",
        f"Message {MESSAGES[0].message_id} has another text",
    ]
    first = log.read_start(transcript(whole["quick"])).session
    second = planned(whole["quick"], "quick", protocol=translated, session=2).session
    assert [one.message_id for one in second.trials] != [one.message_id for one in first.trials]


def test_a_later_session_shows_what_the_first_did(tmp_path: Path) -> None:
    """A text or an id that changed since session 1 is asked about by the id, another way of sharing out is refused."""
    data = DataSet(tmp_path)
    sessions.run_simulated(planned(data, "quick"))
    split = replace(FEW, message_sets="split", messages=1, sessions=3)
    with pytest.raises(BadInput, match="differ from those in session 1"):
        planned(data, "quick", session=2, protocol=split)
    m01, m02 = (one.message_id for one in MESSAGES[:2])
    others: list[tuple[list[Message], list[str]]] = [
        ([replace(MESSAGES[1], text=MESSAGES[1].text + ".")], [f"Message {m02} has another text"]),
        ([replace(one, text=one.text + ".") for one in MESSAGES[:2]], ["Some of the messages"]),
        ([replace(MESSAGES[0], message_id="x")], [f"Message {m01} of session 1 is", "Message x was not in"]),
    ]
    for changed, expected in others:
        given = {one.message_id: one for one in (*MESSAGES, *changed)}
        shown = [one for one in given.values() if len(given) == len(MESSAGES) or one.message_id != m01]
        told = session_doubts(planned(data, "quick", session=2, messages=shown))
        assert [doubt[: len(start)] for doubt, start in zip(told, expected, strict=True)] == expected
    assert planned(data, "quick", session=2).session.session == 2


def test_a_later_session_keeps_the_recorded_sets(tmp_path: Path) -> None:
    """Sets are drawn once: a text that grew since, or another seed, moves no message to another session."""
    data, split = DataSet(tmp_path), replace(FEW, message_sets="split", messages=1, sessions=3)
    first = planned(data, "quick", protocol=split)
    sessions.run_simulated(first)
    grown = [replace(message, text=message.text * number) for number, message in enumerate(MESSAGES, start=1)]
    for number in (2, 3):
        later = planned(data, "quick", protocol=split, session=number, messages=grown, seed=77).session
        assert (later.sets, [trial.message_id for trial in later.trials]) == (
            first.session.sets,
            list(first.session.sets[number - 1]),
        )


def test_a_closed_session_stays_closed(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """It ends as aborted and incomplete, its table has what was rated, and neither a run nor a resumption follows."""
    events = log.read(transcript(whole["quick"]), pilot=True).events
    at = [at for at, event in enumerate(events) if isinstance(event, Rated)][3]
    data = cut(whole["quick"], tmp_path, line_ends(whole["quick"])[at] + 9)
    before = log.read(transcript(data), pilot=True)
    plans.close_as_incomplete(data, Visit("A1", 1))
    after = log.read(transcript(data), pilot=True)
    assert after.events == (*before.events, Ended("aborted", "incomplete"))
    assert table(data)["pleasure"].notna().to_list() == [True, False, False]
    assert "aborted\tincomplete" in data.sessions("A1").read_text()
    for resume in (False, True):
        with pytest.raises(BadInput, match="has data already"):
            planned(data, "quick", resume=resume)


def test_a_running_session_does_not_look_cut_off(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """Run, resumption and closing are told that it is still running, until its process ends or dies."""
    data = cut(whole["quick"], tmp_path, line_ends(whole["quick"])[60])
    with log.Writer(transcript(data), log.read(transcript(data), pilot=True)) as writer:
        writer.append(TrialBegan(1))
        assert is_written(transcript(data))
        for resume in (False, True):
            with pytest.raises(BadInput, match="still running"):
                planned(data, "quick", resume=resume)
        with pytest.raises(BadInput, match="still running"):
            plans.close_as_incomplete(data, Visit("A1", 1))
    assert planned(data, "quick", resume=True).after is not None


def test_only_one_of_two_goes_on(whole: dict[str, DataSet], tmp_path: Path) -> None:
    """Two that planned to go on at the same time: the second is refused, also once the first is through."""
    data = cut(whole["quick"], tmp_path, line_ends(whole["quick"])[60] + 5)
    plans = [planned(data, "quick", resume=True) for _ in range(2)]
    with log.Writer(plans[0].transcript, plans[0].after) as first:
        first.append(TrialBegan(1))
        first.settle()
        content = transcript(data).read_bytes()
        with pytest.raises(BadInput, match="Another program is writing"):
            sessions.run_simulated(plans[1])
        assert transcript(data).read_bytes() == content
    with pytest.raises(BadInput, match="was changed since"):
        sessions.run_simulated(plans[1])
    assert transcript(data).read_bytes() == content
    assert sessions.run_simulated(planned(data, "quick", resume=True)).status == "completed"
