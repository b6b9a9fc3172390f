"""Scan and object sessions in a real window, by keys and pulses from outside: whole, paused, and killed."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from experiment.design.protocol import read_protocol
from experiment.design.visit import Visit
from experiment.qa.findings import session_findings
from experiment.qa.session_summary import SessionSummary, read_session
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import MessageScene, Pulse, Rated, ScaleScene, Shown, Started, TextScene
from experiment.record.events_of_tasks import Handed, Measured, RunBegan, RunEnded
from experiment.replay.verify import verify
from experiment.task import scenes
from tests.lab import SUBJECT, Lab, Sitting, by_keyboard, chord, participates
from tests.trial_tables import rows_of
from tests.xtest import Hands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from experiment.design.protocol import Protocol
    from experiment.record.events import Event, Scene

VISIT, TR_S, KEPT = Visit(SUBJECT, 1), 0.5, 2
SCAN = f"""
extend = "scan"
messages = 6
[timing]
page_minimum_s = 0.1
[pulses]
tr_s = {TR_S}
[scan]
runs = 2
first_pulse = {KEPT}
block_messages = 1
message_s = 0.6
interval_s = [0.2, 0.4]
rest_s = 0.4
rating_s = 0.8
"""
OBJECTS = """
extend = "objects"
[timing]
page_minimum_s = 0.1
[objects]
repeats = 1
hold_s = 0.3
rest_s = 0.1
"""
MESSAGES = [("scan", row) for source in (0, 8, 16) for row in (source, source + 1)]


class Scanner:
    """Presses the key of its box once a repetition time, with hands of its own, and counts."""

    def __init__(self, display: str) -> None:
        self.pulses = 0
        self._began, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._pulse, args=(display,), daemon=True)
        self._thread.start()

    def start(self) -> None:
        """From now on, if not before."""
        self._began.set()

    def stop(self) -> None:
        """No further pulse comes."""
        self._ended.set()
        self._began.set()
        self._thread.join()

    def _pulse(self, display: str) -> None:
        self._began.wait()
        due_s = time.monotonic()
        with Hands(display) as hands:
            while not self._ended.wait(max(0.0, due_s - time.monotonic())):
                hands.tap("5", 0.005)
                self.pulses += 1
                due_s += TR_S


@contextmanager
def scanner(display: str) -> Iterator[Scanner]:
    """A scanner beside this display."""
    one = Scanner(display)
    yield one
    one.stop()


def prepare(lab: Lab, section: str) -> Protocol:
    """The lab's protocol is this one, with messages if it shows any."""
    lab.protocol.write_text(section, encoding="utf-8")
    protocol = read_protocol(lab.protocol)
    if protocol.messages:
        lab.messages(*MESSAGES)
    return protocol


def people(protocol: Protocol, hands: Hands, machine: Scanner | None = None) -> Callable[[Scene], None]:
    """A participant who rates everything with 3, an assistant who goes on and types 20, and a scanner that starts."""
    by_participant, for_assistant = by_keyboard(hands), scenes.pages_for_assistant(protocol)
    asked = [""]

    def answer(scene: Scene) -> None:
        page = scene.text if isinstance(scene, TextScene) else ""
        if isinstance(scene, TextScene) and scene.typed == "" and page != asked[0]:
            for key in ("2", "0", "return"):
                hands.tap(key, 0.005)
        elif scene in for_assistant:
            hands.tap("c", 0.005)
        elif machine and protocol.scan and scene == scenes.waiting_page(protocol, protocol.scan, 1):
            machine.start()
        else:
            by_participant(scene)
        asked[0] = page

    return answer


def is_closing(protocol: Protocol) -> Callable[[Scene], bool]:
    """Whether this is the last page, and can be left."""
    text = scenes.participant_page(protocol, protocol.wording.closing).text
    return lambda scene: isinstance(scene, TextScene) and scene.text == text and scene.button is not None


def ends(sitting: Sitting, protocol: Protocol, answer: Callable[[Scene], None]) -> tuple[int, str]:
    """To the end of the session: exit status, and what the program said."""
    answer(participates(sitting, answer, is_closing(protocol)).scene)
    return sitting.ends()


def is_killed(lab: Lab, sitting: Sitting) -> None:
    """By SIGKILL; `run` then says how to go on."""
    sitting.process.kill()
    sitting.ends()
    status, said = lab.runs().ends()
    assert (status, "--resume" in said) == (2, True)


def resumes(lab: Lab) -> Sitting:
    """The session that was cut off goes on; its sitting tells only what is new."""
    path = next((lab.data / "sourcedata").rglob("*_transcript.jsonl"))
    before = log.read(path)
    who = ("--subject", SUBJECT, "--session", 1, "--operator", "TB", "--resume", "--override", "no screen here")
    sitting = lab.begins("run", *who, *lab.places())
    sitting._file, sitting._offset = path, before.size_bytes
    return sitting


def of(events: Sequence[Event], kind: type) -> list[Event]:
    """Those of a kind."""
    return [event for event in events if isinstance(event, kind)]


def table(lab: Lab, protocol: Protocol) -> list[dict[str, str]]:
    """The session's trial table."""
    return rows_of(DataSet(lab.data).table(VISIT, protocol.task))


def run_table(lab: Lab, run: int) -> list[dict[str, str]]:
    """The table of a scanner's run."""
    return rows_of(lab.data / f"{VISIT.folder}/func/{VISIT.stem}_task-lovedonesscan_run-{run}_events.tsv")


def summary(path: Path) -> SessionSummary:
    """What quality assurance knows of a session."""
    read = read_session(path)
    assert isinstance(read, SessionSummary)
    return read


def findings(path: Path) -> dict[str, str]:
    """What it finds, by kind."""
    one = summary(path)
    return {found.kind: found.text for found in session_findings(one, read_protocol(Path("scan")).qa)}


@pytest.fixture(scope="module")
def scanned(small_display: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Sitting, int]:
    """A whole session in a scanner: where, its record, and how many pulses the scanner gave."""
    lab = Lab(small_display, tmp_path_factory.mktemp("scanned"))
    protocol = prepare(lab, SCAN)
    with Hands(small_display) as hands, scanner(small_display) as machine:
        sitting = lab.runs()
        participates(sitting, people(protocol, hands, machine), is_closing(protocol))
        machine.stop()
        hands.tap("space")
        assert sitting.ends()[0] == 0
    return lab, sitting, machine.pulses


def test_a_scanner_starts_its_runs_and_buttons_answer(scanned: tuple[Lab, Sitting, int]) -> None:
    """Every pulse is there once; a run counts from the second one; tables hold each message and answer; it verifies."""
    lab, sitting, pulses = scanned
    events = sitting.events()
    told = cast("list[Pulse]", of(events, Pulse))
    assert [pulse.number for pulse in told] == list(range(1, pulses + 1))
    waits = [at for at, event in enumerate(events) if isinstance(event, Shown) and _waits(event.scene)]
    for at, began in zip(waits, cast("list[RunBegan]", of(events, RunBegan)), strict=True):
        since = [event for event in events[at:] if isinstance(event, Pulse)]
        assert began.time_s == since[KEPT - 1].time_s
    assert [event.value for event in cast("list[Rated]", of(events, Rated))] == [3] * 6
    protocol = read_protocol(lab.protocol)
    assert [row["connection"] for row in table(lab, protocol)] == ["3"] * 6
    for run in (1, 2):
        rows = run_table(lab, run)
        assert [row["trial_type"] == "rating" for row in rows] == [False, True] * 3
    assert sitting.transcript
    assert verify(sitting.transcript).findings == ()


def _waits(scene: Scene) -> bool:
    return isinstance(scene, TextScene) and scene.text.startswith("The scan begins in a moment.")


@pytest.mark.parametrize(
    ("change", "lost", "doubled", "short"),
    [("none", 0, 0, False), ("out", 1, 0, True), ("twice", 0, 1, False), ("end", 0, 0, True)],
)
def test_a_pulse_taken_out_or_put_in_twice_is_found(
    scanned: tuple[Lab, Sitting, int], tmp_path: Path, change: str, lost: int, doubled: int, *, short: bool
) -> None:
    """In the record of a real session one pulse less is a lost one, and one more a doubled one.

    A scanner that stopped before a run was over gave too few for it, though no gap tells.
    """
    _, sitting, _ = scanned
    events = list(sitting.events())
    began = next(at for at, event in enumerate(events) if isinstance(event, RunBegan) and event.run == 2)
    inside = [at for at, event in enumerate(events) if at > began and isinstance(event, Pulse)]
    if change == "out":
        del events[inside[3]]
    elif change == "twice":
        first = cast("Pulse", events[inside[3]])
        events.insert(inside[3] + 1, Pulse(first.number, first.time_s + 0.004, first.timed_by))
    elif change == "end":
        events = [event for at, event in enumerate(events) if at not in inside[4:]]
    assert sitting.transcript
    path = tmp_path / sitting.transcript.name
    with log.Writer(path) as writer:
        for event in events:
            writer.append(event)
    was, found = summary(sitting.transcript).pulses, summary(path).pulses
    assert was
    assert found
    assert (found.lost - was.lost, found.doubled - was.doubled) == (lost, doubled)
    runs = {one.run: one.number < one.needed for one in found.runs}
    assert runs == {1: False, 2: short}
    said = findings(path).get("pulses", "")
    assert (" in run 2" in said, "lost" in said, "doubled" in said) == (short, lost > 0, doubled > 0)


def test_a_scan_that_was_killed_goes_on_with_the_next_run(lab: Lab, hands: Hands) -> None:
    """After SIGKILL `run` says how to go on; what the first run showed stays in both tables, and it is not repeated."""
    protocol = prepare(lab, SCAN)
    assert lab.display
    with scanner(lab.display) as machine:
        answer, sitting = people(protocol, hands, machine), lab.runs()
        participates(sitting, answer, lambda scene: isinstance(scene, ScaleScene) and scene.marker == 3)
        participates(sitting, answer, lambda scene: isinstance(scene, MessageScene))
        is_killed(lab, sitting)
        again = resumes(lab)
        assert ends(again, protocol, answer)[0] == 0
    assert sitting.transcript
    assert verify(sitting.transcript).findings == ()
    begun = cast("list[RunBegan]", of(log.read(sitting.transcript).events, RunBegan))
    assert [event.run for event in begun] == [1, 2]
    assert [row["connection"] for row in table(lab, protocol)] == ["3", "n/a", "n/a", "3", "3", "3"]
    assert [len(run_table(lab, run)) for run in (1, 2)] == [3, 6]
    assert "resumed" in findings(sitting.transcript)


def test_a_pause_ends_a_scanner_s_run(lab: Lab, hands: Hands) -> None:
    """The assistant's chord in a message ends the run at once; the next run begins, and quality assurance says so."""
    protocol = prepare(lab, SCAN)
    assert lab.display
    with scanner(lab.display) as machine:
        answer, sitting = people(protocol, hands, machine), lab.runs()
        participates(sitting, answer, lambda scene: isinstance(scene, MessageScene))
        chord(hands)
        sitting.shows(lambda scene: scene in scenes.pause_pages(protocol))
        hands.tap("c")
        assert ends(sitting, protocol, answer)[0] == 0
    assert cast("list[RunEnded]", of(sitting.events(), RunEnded)) == [RunEnded(1, whole=False), RunEnded(2, whole=True)]
    assert [row["connection"] for row in table(lab, protocol)] == ["n/a"] * 3 + ["3"] * 3
    assert sitting.transcript
    assert verify(sitting.transcript).findings == ()
    assert {"run_ended", "paused"} <= set(findings(sitting.transcript))


def test_objects_are_handed_over_held_and_rated(lab: Lab, hands: Hands) -> None:
    """With what the assistant typed and when each was in the hand; no folder of messages is there, and none asked for.

    The session verifies.
    """
    protocol = prepare(lab, OBJECTS)
    assert not (lab.folder / "participants").exists()
    sitting = lab.runs()
    assert ends(sitting, protocol, people(protocol, hands))[0] == 0
    assert {event.value for event in cast("list[Measured]", of(sitting.events(), Measured))} == {20.0}
    rows = table(lab, protocol)
    assert {row["object"] for row in rows} == {"warm", "neutral", "cold"}
    assert {(row["connection"], row["pleasure"], row["object_temperature"]) for row in rows} == {("3", "3", "20.0")}
    assert all(float(row["held_time"]) >= 0.25 for row in rows)
    assert sitting.transcript
    assert verify(sitting.transcript).findings == ()


def test_an_object_that_was_in_the_hand_is_handed_over_again(lab: Lab, hands: Hands) -> None:
    """After SIGKILL with the second object in the hand, `run --resume` begins with it, and the table says so."""
    protocol = prepare(lab, OBJECTS)
    answer, sitting = people(protocol, hands), lab.runs()
    holding = scenes.holding_page(protocol)
    for _ in range(2):
        participates(sitting, answer, lambda scene: scene == holding)
    is_killed(lab, sitting)
    again = resumes(lab)
    first = again.next(Started).session.holdings
    assert first
    assert ends(again, protocol, answer)[0] == 0
    assert sitting.transcript
    handed = cast("list[Handed]", of(log.read(sitting.transcript).events, Handed))
    assert [event.object for event in handed] == [first[at].object for at in (0, 1, 1, 2)]
    assert [row["shown_before"] for row in table(lab, protocol)] == ["0", "1", "0"]
    assert verify(sitting.transcript).findings == ()
