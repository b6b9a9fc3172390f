"""Verification: whatever was changed, lost, moved or added in a session's files is found and named by its place."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from experiment.design.message import Message
from experiment.design.session import draw_session
from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record import events
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.finding import describe
from experiment.replay.verify import verify, verify_all
from experiment.screens.personas import HABITS, Persona
from experiment.screens.simulated_screen import SimulatedScreen, simulated_info
from experiment.task import procedure
from experiment.task.layout import Layout
from tests.strategies import PROTOCOL, held

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from experiment.record.events import Event

MESSAGES = [Message(f"m{number}", "Ana", "friend", "en", f"text {number}") for number in range(6)]


def told(habit: str = "steady", subject: str = "DF1") -> list[Event]:
    """The events of a simulated session."""
    return held(draw_session(PROTOCOL, MESSAGES, subject=subject, session=1, seed=1), habit)


def kept(root: Path, events_told: Sequence[Event]) -> Path:
    """The transcript of a session that was saved with all its files."""
    started, data = events_told[0], DataSet(root)
    assert isinstance(started, events.Started)
    path = data.transcript(started.session.visit, PROTOCOL.task)
    with log.Writer(path) as transcript:
        for event in events_told:
            transcript.append(event)
    data.save(events_told)
    return path


def found(path: Path) -> list[str]:
    """What verifying finds, as lines."""
    return [describe(finding) for finding in verify(path, pilot=True).findings]


def lines(path: Path) -> list[bytes]:
    """The transcript's lines."""
    return path.read_bytes().splitlines()


def rewrite(path: Path, changed: Sequence[bytes]) -> None:
    """A transcript of these lines."""
    path.write_bytes(b"\n".join(changed) + b"\n")


def line_of(path: Path, kind: str, number: int = 0) -> int:
    """The line of the nth event of a kind, counted from 1."""
    return [at for at, line in enumerate(lines(path), 1) if json.loads(line)["event"]["event"] == kind][number]


def table_of(path: Path) -> Path:
    """The session's trial table."""
    return DataSet(path.parents[3]).table(Visit("DF1", 1), PROTOCOL.task)


def edited(path: Path, change: Callable[[list[list[str]]], object]) -> list[str]:
    """What verifying finds after a change of the table's cells."""
    table = table_of(path)
    cells = [row.split("\t") for row in table.read_text(encoding="utf-8").splitlines()]
    change(cells)
    table.write_text("".join("\t".join(row) + "\n" for row in cells), encoding="utf-8")
    return found(path)


@pytest.mark.parametrize("habit", HABITS)
def test_an_untouched_session_verifies(tmp_path: Path, habit: str) -> None:
    """The repeated task tells what every kind of participant did, and the files follow from it."""
    done = verify(kept(tmp_path, told(habit)), pilot=True)
    assert not done.findings
    assert not done.is_wanting


def test_a_changed_rating_in_the_transcript_is_named(tmp_path: Path) -> None:
    """One changed byte: the line and the field, what is recorded and what follows; the chain finds the line too."""
    path = kept(tmp_path, told())
    at = line_of(path, "rated", 3)
    value = json.loads(lines(path)[at - 1])["event"]["value"]
    other = 1 if value != 1 else 2
    changed = lines(path)
    changed[at - 1] = changed[at - 1].replace(b'"value":%d' % value, b'"value":%d' % other)
    rewrite(path, changed)
    chain, rated = found(path)
    assert chain.startswith(f"line {at}: digest: ")
    assert rated == f"line {at}: rated.value: recorded {other}, replayed {value}"


@pytest.mark.parametrize("kind", ["shown", "elapsed", "key", "rated", "marked", "read", "trial_began", "refreshes"])
def test_a_deleted_line_is_located(tmp_path: Path, kind: str) -> None:
    """What stood there is told where it follows from the rest, and the other lines are in order."""
    path = kept(tmp_path, told())
    at = line_of(path, kind, 1)
    rewrite(path, lines(path)[: at - 1] + lines(path)[at:])
    assert found(path)[0].startswith(f"line {at - 1}: digest: ")
    assert all(f"line {at}: lost" in line for line in found(path)[1:])


def test_swapped_lines_are_located(tmp_path: Path) -> None:
    """Each line that stands elsewhere is named with its place, and no other."""
    path = kept(tmp_path, told())
    changed = lines(path)
    changed[40], changed[41] = changed[41], changed[40]
    rewrite(path, changed)
    assert found(path) == [
        "line 41: previous: it was after line 42, it follows line 40",
        "line 42: previous: it was after line 40, it follows line 41",
        "line 43: previous: it was after line 41, it follows line 42",
    ]


def test_a_line_that_is_there_twice_is_located(tmp_path: Path) -> None:
    """The second one is out of the chain."""
    path = kept(tmp_path, told())
    rewrite(path, [*lines(path)[:90], lines(path)[20], *lines(path)[90:]])
    assert [line.split(":")[0] for line in found(path)] == ["line 91", "line 92"]


def test_a_lost_last_line_is_found(tmp_path: Path) -> None:
    """The sessions file knows that the session had an end."""
    path = kept(tmp_path, told())
    rewrite(path, lines(path)[:-1])
    assert f"after line {len(lines(path))}: ended: lost, sub-DF1_sessions.tsv says completed" in found(path)
    assert verify(path, pilot=True).unfinished


@pytest.mark.parametrize("habit", ["steady", "aborting"])
def test_every_byte_of_the_last_line_counts(tmp_path: Path, habit: str) -> None:
    """The chain does not cover the last line, but what is replayed has one way to be written."""
    path = kept(tmp_path, told(habit))
    content = path.read_bytes()
    for at in range(len(content) - len(lines(path)[-1]) - 1, len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert found(path), at


def test_an_edited_table_is_named_cell_by_cell(tmp_path: Path) -> None:
    """The file, the row, the column, and both values."""
    path, name = kept(tmp_path, told()), "sub-DF1_ses-1_task-lovedones_beh.tsv"
    row = dict(zip(*[line.split("\t") for line in table_of(path).read_text().splitlines()][:4:3], strict=True))
    value = row["connection"]

    def edit(cells: list[list[str]]) -> None:
        cells[3][cells[0].index("connection")] = "8"
        cells[6][cells[0].index("pleasure")] = "n/a"

    first, second = edited(path, edit)
    assert first == f"{name} row 3: connection: table says 8, log says {value}"
    assert second.startswith(f"{name} row 6: pleasure: table says n/a, log says ")


def test_other_columns_and_rows_are_named(tmp_path: Path) -> None:
    """A changed order of columns, an added row, a lost row, and other bytes for the same cells."""
    path = kept(tmp_path, told())
    text = table_of(path).read_bytes()

    def swap(cells: list[list[str]]) -> None:
        for row in cells:
            row[6], row[7] = row[7], row[6]

    assert "header: column 7" in edited(path, swap)[0]
    table_of(path).write_bytes(text)
    assert any("row 7: row" in line for line in edited(path, lambda cells: cells.append(["7", *cells[6][1:]])))
    table_of(path).write_bytes(text)
    assert "rows: table says 5, log says 6" in edited(path, lambda cells: cells.pop(2))[0]
    table_of(path).write_bytes(text)
    swapped = edited(path, lambda cells: cells.insert(1, cells.pop(2)))
    assert [line.split("tsv ")[1] for line in swapped] == [
        "row 1: place: table says here, log says row 2",
        "row 2: place: table says here, log says row 1",
    ]
    table_of(path).write_bytes(text.replace(b"\n", b"\r\n"))
    assert found(path)[0].endswith("bytes: table was saved anew, log gives the same cells in other bytes")


def test_the_data_dictionary_and_the_visit_are_verified(tmp_path: Path) -> None:
    """A level of a scale, and status, end, assistant, time and seed of the session's row."""
    path = kept(tmp_path, told())
    sidecar, visits = table_of(path).with_suffix(".json"), DataSet(tmp_path).sessions("DF1")
    sidecar.write_text(sidecar.read_text(encoding="utf-8").replace('"Not at all"', '"At all"'), encoding="utf-8")
    assert [line.split(": ")[1] for line in found(path)] == ["connection.Levels.1"]
    header, row = visits.read_text(encoding="utf-8").splitlines()
    visits.write_text(f"{header}\n" + "\t".join("9" if cell != "ses-1" else cell for cell in row.split("\t")) + "\n")
    columns = [line.split(": ")[1] for line in found(path)[1:]]
    assert columns == ["acq_time", "operator", "seed", "status", "end_reason"]


def test_the_protocol_s_digest_is_verified(tmp_path: Path) -> None:
    """The digest in the first line has to be that of the protocol in it."""
    started, *rest = told()
    assert isinstance(started, events.Started)
    path = kept(tmp_path, [replace(started, protocol_sha256="0" * 64), *rest])
    assert [line.split(": ")[1] for line in found(path)] == ["started.protocol_sha256"]


def test_an_unfinished_session_is_verified_as_far_as_it_goes(tmp_path: Path) -> None:
    """Its transcript is right and its table is that of the start, which is one finding."""
    path = kept(tmp_path, told()[:1])
    path.unlink()
    with log.Writer(path) as transcript:
        for event in told()[:150]:
            transcript.append(event)
    done = verify(path, pilot=True)
    assert done.unfinished
    assert [finding.kind for finding in done.findings] == ["table"]


def test_a_running_session_needs_no_table_yet(tmp_path: Path) -> None:
    """While a session runs, that its table is that of the start is no finding."""
    path = kept(tmp_path, told()[:1])
    path.unlink()
    with log.Writer(path) as transcript:
        for event in told()[:150]:
            transcript.append(event)
        assert transcript.settle(10.0)
        done = verify(path, pilot=True)
    assert (done.unfinished, done.findings) == (True, ())


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_session_that_was_stopped_verifies(tmp_path: Path, error: type[BaseException]) -> None:
    """An interruption and a failure come again where they came."""
    info, session = simulated_info(), draw_session(PROTOCOL, MESSAGES, subject="DF1", session=1, seed=1)
    screen = SimulatedScreen(Persona(session, Layout(1280, 720), HABITS["steady"], "1"), info)
    started = replace(told()[0], session=session)
    assert isinstance(started, events.Started)
    recorded: list[Event] = []

    def emit(event: Event) -> None:
        recorded.append(event)
        if len(recorded) == 120:
            raise error

    try:
        procedure.run(started, screen, emit)
    except RuntimeError:
        assert error is RuntimeError
    assert found(kept(tmp_path, recorded)) == []


def test_a_resumed_session_verifies(tmp_path: Path) -> None:
    """Each sitting in one transcript is repeated by itself, and the table is that of both."""
    first = told()[:150]
    started, info = first[0], simulated_info()
    assert isinstance(started, events.Started)
    session = started.session
    again = replace(started, resumes=events.Resumption(trial=4, seen=(4,), gap_s=60.0, torn_bytes=0))
    second: list[Event] = []
    procedure.run(
        again, SimulatedScreen(Persona(session, Layout(1280, 720), HABITS["quick"], "2"), info), second.append
    )
    path = kept(tmp_path, [*first, *second])
    assert found(path) == []
    changed = lines(path)
    at = line_of(path, "rated", -1)
    rewrite(path, changed[: at - 1] + changed[at:])
    assert f"before line {at}: lost: recorded nothing, replayed rated" in found(path)


def test_a_sitting_of_another_session_is_found(tmp_path: Path) -> None:
    """Two transcripts in one file are not one session, even if the chain is right."""
    path = kept(tmp_path, [*told()[:150], *told(subject="DF2")])
    assert any(line.startswith("later sitting: started.session") for line in found(path))


def test_a_session_closed_after_the_program_died_verifies(tmp_path: Path) -> None:
    """The end that somebody put to it follows from nothing, and is accepted as the last line only."""
    closed = events.Ended("aborted", "incomplete")
    assert found(kept(tmp_path, [*told()[:150], closed])) == []


def changed_bytes(content: bytes, draw: Random) -> bytes:
    """One byte changed, lost or added, or one line lost, moved or doubled."""
    at, kind = draw.randrange(len(content)), draw.randrange(6)
    if kind < 3:
        middle = (bytes([(content[at] + draw.randrange(1, 256)) % 256]), b"", content[at : at + 1] + b"7")[kind]
        return content[:at] + middle + content[at + 1 :]
    whole = content.splitlines(keepends=True)
    line = whole[draw.randrange(len(whole))]
    at = draw.randrange(len(whole))
    left = whole if kind == 3 else [one for one in whole if one is not line]
    return b"".join(left if kind == 4 else [*left[:at], line, *left[at:]])


@pytest.mark.parametrize("what", ["transcript", "table"])
def test_random_single_changes_are_all_found(tmp_path: Path, what: str) -> None:
    """Of 200 random changes of a transcript, or of a table, none goes unseen."""
    path = kept(tmp_path, told("changing"))
    file, draw = path if what == "transcript" else table_of(path), Random(7)
    content = file.read_bytes()
    for _ in range(200):
        changed = changed_bytes(content, draw)
        if changed != content:
            file.write_bytes(changed)
            done = verify(path, pilot=True)
            assert done.is_wanting
            assert done.findings


def test_a_data_set_is_verified_whole(tmp_path: Path) -> None:
    """Every session, in order, with progress; also what cannot be read, and a table whose transcript is gone."""
    paths = [kept(tmp_path, told(subject=f"DF{number}")) for number in range(1, 11)]
    done: list[tuple[int, int]] = []
    assert not any(one.is_wanting for one in verify_all(tmp_path, pilot=True, progress=lambda *at: done.append(at)))
    assert done == [(number, 10) for number in range(1, 11)]
    paths[0].write_bytes(b"no transcript\n")
    paths[4].unlink()
    wanting = [one.transcript for one in verify_all(tmp_path, pilot=True) if one.is_wanting]
    assert set(wanting) == {paths[0], paths[4]}


def test_pilots_and_real_sessions_are_not_mixed(tmp_path: Path) -> None:
    """A simulated session is refused by itself and a finding among real ones, unless it is asked for."""
    path = kept(tmp_path, told())
    with pytest.raises(BadInput, match="--pilot"):
        verify(path)
    with pytest.raises(BadInput, match="--pilot"):
        verify_all(tmp_path)
    real = tmp_path / "sourcedata" / "sub-B1" / "ses-1" / "sub-B1_ses-1_task-lovedones_transcript.jsonl"
    real.parent.mkdir(parents=True)
    real.write_bytes(b"no transcript\n")  # it may have been a real one
    assert any("not a real session" in str(finding) for one in verify_all(tmp_path) for finding in one.findings)
    with pytest.raises(BadInput, match="no sessions"):
        verify_all(tmp_path / "nothing")
