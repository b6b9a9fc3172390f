"""Events and the transcript: what is written is read back, and no change or loss goes unseen."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.errors import BadInput, EquipmentFailure
from experiment.record import transcript as log
from experiment.record.events import Ended, Event, Started, TrialBegan, decode, encode
from experiment.storage.append_file import LOOK_S, GrowingFile
from tests import strategies
from tests.lab import LIMIT_S
from tests.strategies import eventful_trial, session_of, started

if TYPE_CHECKING:
    from collections.abc import Sequence

REAL = [started(session_of()), *eventful_trial(session_of()), Ended("completed", None)]


def written(events: Sequence[Event], folder: str | Path) -> Path:
    """A transcript of these events."""
    path = Path(folder, "a_transcript.jsonl")
    with log.Writer(path) as transcript:
        for event in events:
            transcript.append(event)
    return path


@given(strategies.everything)
def test_an_event_is_read_back_equal(event: Event) -> None:
    """Every kind of event survives its line of JSON, and stays on one line."""
    line = encode(event)
    assert decode(line) == event
    assert b"\n" not in line


@given(strategies.starts, st.lists(strategies.everything.filter(lambda one: not isinstance(one, Started)), max_size=5))
def test_a_transcript_is_read_back_equal(start: Started, rest: list[Event]) -> None:
    """All events in their order, and nothing is torn."""
    with TemporaryDirectory() as folder:
        transcript = log.read(written([start, *rest], folder))
        assert (transcript.events, transcript.torn_bytes) == ((start, *rest), 0)


@given(st.data())
def test_a_changed_byte_is_found(data: st.DataObject) -> None:
    """Wherever it is in the lines that another line follows."""
    with TemporaryDirectory() as folder:
        path = written(REAL, folder)
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, content[:-1].rindex(b"\n")))
        content[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
        path.write_bytes(content)
        with pytest.raises(BadInput, match="line"):
            log.read(path)


@given(st.integers(0, len(REAL) - 2))
def test_a_lost_line_is_found(lost: int) -> None:
    """Any but the last, whose loss is a session that did not end."""
    with TemporaryDirectory() as folder:
        path = written(REAL, folder)
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:lost] + lines[lost + 1 :]))
        with pytest.raises(BadInput, match="line"):
            log.read(path)


@given(st.lists(st.integers(0, len(REAL) - 1), min_size=2, max_size=2, unique=True))
def test_lines_that_changed_places_are_found(places: list[int]) -> None:
    """Any two."""
    with TemporaryDirectory() as folder:
        path = written(REAL, folder)
        lines = path.read_bytes().splitlines(keepends=True)
        one, other = places
        lines[one], lines[other] = lines[other], lines[one]
        path.write_bytes(b"".join(lines))
        with pytest.raises(BadInput, match="line"):
            log.read(path)


@given(st.data())
def test_a_torn_tail_costs_only_itself(data: st.DataObject) -> None:
    """A file that was cut anywhere after its first line gives back every whole line, and tells that one was torn."""
    with TemporaryDirectory() as folder:
        path = written(REAL, folder)
        content = path.read_bytes()
        kept = content[: data.draw(st.integers(content.index(b"\n") + 1, len(content)))]
        path.write_bytes(kept)
        read = log.read(path)
    assert list(read.events) == REAL[: kept.count(b"\n")]
    assert (read.torn_bytes > 0) == (not kept.endswith(b"\n"))


def test_every_line_is_on_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    """Another process can read each event once it is settled, before the file is closed."""
    path = tmp_path / "a_transcript.jsonl"
    with log.Writer(path) as transcript:
        for count, event in enumerate(REAL, start=1):
            transcript.append(event)
            transcript.settle()
            assert path.read_bytes().count(b"\n") == count


def test_a_scene_waits_for_an_answer_whose_thread_waits_for_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy computer, where the disk is reached a moment later, an answer outlives the process all the same."""
    write = os.write

    def late(descriptor: int, content: bytes) -> int:
        time.sleep(0.03)
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", late)
    with log.Writer(tmp_path / "a_transcript.jsonl") as transcript:
        for event in REAL:
            transcript.append(event)
            assert transcript.settle()


def test_a_disk_that_is_stuck_delays_one_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a write hangs for longer than a scene waits, the next scenes do not wait; afterwards they do again."""
    write, answers, waits_s = os.write, threading.Event(), []

    def hanging(descriptor: int, content: bytes) -> int:
        answers.wait(LIMIT_S)
        return write(descriptor, content)

    with log.Writer(tmp_path / "a_transcript.jsonl") as transcript:
        transcript.append(REAL[0])
        assert transcript.settle(LIMIT_S)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", hanging)
            patch.setattr(GrowingFile, "settled", lambda _, patience_s: waits_s.append(patience_s))
            transcript.append(REAL[1])
            transcript.settle()
            time.sleep(2 * (log.SETTLE_S + LOOK_S))
            transcript.settle()
            answers.set()
        assert waits_s == [log.SETTLE_S, 0.0]
        transcript.append(REAL[2])
        assert transcript.settle(LIMIT_S)
        assert transcript.settle()


def test_a_transcript_is_never_overwritten(tmp_path: Path) -> None:
    """A second writer is refused, and the first one's lines stay as they are."""
    content = written(REAL, tmp_path).read_bytes()
    with pytest.raises(BadInput, match="never overwritten"):
        written(REAL, tmp_path)
    assert (tmp_path / "a_transcript.jsonl").read_bytes() == content


def test_a_pilot_is_read_only_when_asked(tmp_path: Path) -> None:
    """A pilot or a simulation is no data, so that the reader has to say that it knows."""
    for mode in ("pilot", "simulate"):
        path = written([replace(REAL[0], mode=mode), *REAL[1:]], tmp_path / mode)
        with pytest.raises(BadInput, match=mode):
            log.read(path)
        assert log.read(path, pilot=True).started.mode == mode


def test_another_schema_is_refused(tmp_path: Path) -> None:
    """What its lines mean is not known."""
    with pytest.raises(BadInput, match="schema 99"):
        log.read(written([replace(REAL[0], schema=99)], tmp_path))


@pytest.mark.parametrize("content", [b"", b"\n", b"trial\tmessage_id\n", b"\xff\n", encode(TrialBegan(1)) + b"\n"])
def test_another_file_is_no_transcript(content: bytes, tmp_path: Path) -> None:
    """An empty file, a table, noise or a bare event is refused in words."""
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="other"):
        log.read(path)


def test_a_transcript_without_its_start_is_refused(tmp_path: Path) -> None:
    """Its first line must tell how the session started."""
    with pytest.raises(BadInput, match="started"):
        log.read(written(REAL[1:], tmp_path))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """In words, not as a traceback."""
    with pytest.raises(BadInput, match="cannot be read"):
        log.read(tmp_path / "none")


def test_a_place_where_nothing_can_be_saved_is_an_equipment_failure(tmp_path: Path) -> None:
    """It is found before the session, at the making of the transcript."""
    (tmp_path / "file").touch()
    with pytest.raises(EquipmentFailure, match="--data"):
        log.Writer(tmp_path / "file" / "folder" / "a_transcript.jsonl").append(REAL[0])
