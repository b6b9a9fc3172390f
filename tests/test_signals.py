"""Signals to other devices: what is sent when, and what becomes of each, whatever the devices do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from experiment.design.message import read_messages
from experiment.design.protocol import read_protocol
from experiment.design.scanner import Pulses
from experiment.design.signals import Codes, Output, Signals
from experiment.drawing.stimuli import PILOT_MARK
from experiment.errors import BadInput
from experiment.preflight import devices as preflight
from experiment.qa.findings import session_findings
from experiment.qa.session_summary import summarise
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Pulse, ScaleScene, TextScene
from experiment.record.events_beside import OutputState, Signal
from experiment.record.events_of_tasks import Handed, RunBegan, RunEnded, TakenBack
from experiment.record.finding import describe
from experiment.replay.verify import verify
from experiment.session.plan import plan_session
from experiment.session.run import run_simulated
from experiment.signals.devices import SignalFile
from experiment.signals.due import DueSignal, due_signals
from experiment.signals.lsl import LslStream
from experiment.signals.outlet import AGAIN_S, MOST, Outlet, PendingSignal
from experiment.signals.serial_port import SerialLine
from tests.lab import LIMIT_S, by_keyboard, chord, differing, finishes, is_paused, participates, pictures_of
from tests.places import EXAMPLES, ROOT
from tests.serial_lines import fill
from tests.strategies import PROTOCOL, eventful_trial, session_of
from tests.test_pulses import line, protocol_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from experiment.record.events import Event
    from experiment.signals.devices import Device
    from tests.lab import Lab
    from tests.xtest import Hands

MESSAGES = read_messages(EXAMPLES / "english.csv")
RECEIVER = """
import time
from experiment.signals.lsl import load_pylsl
lsl = load_pylsl(())
[info] = lsl.resolve_byprop("name", "DayFourTest", 1, 20)
inlet = lsl.StreamInlet(info)
inlet.open_stream(20)
print("connected", flush=True)
sample, stamp_s = inlet.pull_sample(20)
print(sample[0], stamp_s + time.perf_counter() - lsl.local_clock(), flush=True)
"""
CODES = Codes(message_onset=10, scale_onset=20, choice=30, confirmation=40, pause=50, resume=51, end=60)
SIGNALS = Signals(CODES, (Output("file"),))
SECTION = """
[signals.codes]
message_onset = 10
scale_onset = 20
choice = 30
confirmation = 40
pause = 50
resume = 51
end = 60
"""
END = "[signals.codes]\nend = 1\n[[signals.outputs]]\n"
Fate = tuple[int, str | None]


def simulated(folder: Path, signals: Signals = SIGNALS) -> Path:
    """The transcript of a simulated session that sends signals, with its tables."""
    protocol = replace(PROTOCOL, messages=2, signals=signals)
    plan = plan_session(
        "simulate", protocol, MESSAGES[:2], DataSet(folder), subject="DF1", session=1, seed=1, operator="TA",
        participant="changing",
    )  # fmt: skip
    run_simulated(plan)
    return plan.transcript


def pending(number: int, fates: list[Fate], happened_s: float | None = None) -> PendingSignal:
    """A signal with its number as code; what becomes of it is added to `fates`."""

    def told(pending: PendingSignal, _done_s: float, failure: str | None) -> None:
        fates.append((pending.due.number, failure))

    now_s = time.perf_counter()
    return PendingSignal(DueSignal(number, "choice", number, 0.0), "choice", happened_s or now_s, now_s, told)


@contextmanager
def outlet(device: Device, pulse_ms: float = 1.0) -> Iterator[Outlet]:
    """A started output."""
    output = Outlet(Output("serial", port="of the test", pulse_ms=pulse_ms), device)
    output.settle(LIMIT_S)
    try:
        yield output
    finally:
        output.close()


def comes(wanted: object, found: Callable[[], object]) -> bool:
    """Whether that is found soon."""
    deadline_s = time.monotonic() + LIMIT_S
    while found() != wanted and time.monotonic() < deadline_s:
        time.sleep(0.005)
    return found() == wanted


class Reading:
    """All bytes that came at an end of a line up to each call."""

    def __init__(self, end: int) -> None:
        os.set_blocking(end, False)
        self._end, self._seen = end, bytearray()

    def __call__(self) -> bytes:
        """What came."""
        with suppress(BlockingIOError):
            while some := os.read(self._end, 4096):
                self._seen += some
        return bytes(self._seen)


def test_each_event_is_sent_once_with_the_time_of_its_flip_or_press() -> None:
    """Buttons, markers and returns after a pause are no new onsets; an unconfirmed rating has no confirmation."""
    told = [(one.number, one.name, one.code, one.time_s) for one in due_signals(SIGNALS, eventful_trial(session_of()))]
    assert told == [
        (1, "message_onset", 10, 11.0),
        (2, "pause", 50, 14.0),
        (3, "resume", 51, 20.0),
        (4, "scale_onset", 20, 24.0),
        (5, "choice", 30, 25.25),
        (6, "pause", 50, 26.0),
        (7, "resume", 51, 28.0),
        (8, "choice", 30, 29.0),
        (9, "confirmation", 40, 30.0),
        (10, "scale_onset", 20, 31.0),
        (11, "choice", 30, 31.5),
    ]


def test_events_without_a_code_are_not_sent() -> None:
    """Numbers count what is sent; the end has the time of the last thing that happened."""
    events = [*eventful_trial(session_of()), Ended("completed", None)]
    told = [(one.number, one.name, one.time_s) for one in due_signals(Signals(Codes(end=9), SIGNALS.outputs), events)]
    assert told == [(1, "end", 41.0)]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('[signals.codes]\nend = 0\n[[signals.outputs]]\nto = "file"', "a whole number from 1 to 255"),
        ('[signals.codes]\nend = 256\n[[signals.outputs]]\nto = "file"', "a whole number from 1 to 255"),
        ('[signals.codes]\nonset = 1\n[[signals.outputs]]\nto = "file"', "Unknown setting 'onset' in [signals.codes]."),
        ('[signals.codes]\n[[signals.outputs]]\nto = "file"', "Please give at least one event a code."),
        ("[signals.codes]\nend = 1", "'outputs' is missing"),
        (f'{END}to = "serial"', "An output to a serial port needs 'port'."),
        (f'{END}to = "file"\nport = "COM3"', "'port' is for outputs to a serial or parallel port only."),
        (f'{END}to = "serial"\nport = "COM3"\nmachines = ["a"]', "'machines' is for outputs to \"lsl\" only."),
        (f'{END}to = "fax"', 'Please write "file" or "lsl" or "parallel" or "serial"'),
        (f'{END}to = "file"\nevents = ["pause"]', "'pause' has no code"),
        (f'{END}to = "file"\n[[signals.outputs]]\nto = "file"', "Two outputs are 'file'"),
        (f'[signals]\nfailing = "{{device}}"\n{END}to = "file"', "{device}"),
    ],
)
def test_a_wrong_section_is_refused_in_its_own_terms(tmp_path: Path, section: str, said: str) -> None:
    """Codes are bytes, outputs are complete, and each mistake is named."""
    with pytest.raises(BadInput) as refused:
        read_protocol(protocol_with(tmp_path / "protocol.toml", section))
    assert said in str(refused.value)


def test_the_events_of_other_tasks_are_sent_too() -> None:
    """A run begins with its pulse and ends with the last thing before; objects have the assistant's times."""
    codes = Codes(run_begin=1, run_end=2, handed=3, taken_back=4)
    run = RunBegan(1, 7.0), Pulse(9, 11.0, "queue"), RunEnded(1, whole=True)
    events: list[Event] = [*run, Handed("warm", 12.0), TakenBack("warm", 22.0)]
    told = [(one.name, one.time_s) for one in due_signals(Signals(codes, SIGNALS.outputs), events)]
    assert told == [("run_begin", 7.0), ("run_end", 11.0), ("handed", 12.0), ("taken_back", 22.0)]


def test_the_shipped_example_writes_a_file() -> None:
    """The example protocol sends every event to a file, and is the usual protocol otherwise."""
    example = read_protocol(Path(__file__).parents[1] / "stimuli" / "examples" / "signals.toml")
    assert example.signals
    assert [output.title for output in example.signals.outputs] == ["file"]
    assert replace(example, signals=PROTOCOL.signals).sha256 == PROTOCOL.sha256


def test_a_simulated_session_says_what_it_would_have_sent(tmp_path: Path) -> None:
    """Simulations send nothing, have a line for each signal and output, verify, and need nobody."""
    path = simulated(tmp_path, Signals(CODES, (Output("file"), Output("lsl", events=("message_onset", "end")))))
    told = log.read(path, pilot=True).events
    counts = Counter((one.output, one.name) for one in told if isinstance(one, Signal))
    assert counts["file", "message_onset"] == counts["lsl", "message_onset"] == 3  # with the practice's
    assert counts["file", "end"] == counts["lsl", "end"] == 1
    assert counts["file", "confirmation"] == 6
    assert counts["file", "choice"] >= 6
    assert ("lsl", "choice") not in counts
    assert isinstance(told[-1], Ended)
    assert verify(path, pilot=True).findings == ()
    assert not list(tmp_path.rglob("*_signals.tsv"))
    assert session_findings(summarise(path, told), PROTOCOL.qa) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: [], "expected what became of signal 1 (message_onset) at file"),
        (lambda one: [replace(one, code=11)], "replayed message_onset with code 10"),
        (lambda one: [replace(one, name="end")], "recorded end with code 10"),
        (lambda one: [replace(one, time_s=one.time_s + 0.001)], "replayed message_onset"),
        (lambda one: [one, replace(one, number=99)], "recorded signal 99"),
        (lambda one: [replace(one, output="fax")], "recorded signal 1"),
    ],
)
def test_a_changed_signal_is_found_though_its_chain_is_whole(
    tmp_path: Path, change: Callable[[Signal], list[Signal]], said: str
) -> None:
    """What a session had to send follows from its events, so that no signal can be left out, added or moved."""
    path = simulated(tmp_path)
    events = list(log.read(path, pilot=True).events)
    at = next(at for at, event in enumerate(events) if isinstance(event, Signal))
    first = events[at]
    assert isinstance(first, Signal)
    path.unlink()
    with log.Writer(path) as transcript:
        for event in [*events[:at], *change(first), *events[at + 1 :]]:
            transcript.append(event)
    found = [describe(one) for one in verify(path, pilot=True).findings]
    assert any(said in one for one in found), found


def test_a_program_that_died_may_owe_its_last_signals(tmp_path: Path) -> None:
    """What became of them is unknown, which is no change of the transcript, and QA says it."""
    path = simulated(tmp_path)
    events = log.read(path, pilot=True).events
    cut = [event for event in events[:-40] if not isinstance(event, Signal)]
    path.unlink()
    with log.Writer(path) as transcript:
        for event in cut:
            transcript.append(event)
    assert not [one for one in verify(path, pilot=True).findings if "signal" in one.kind]
    unsent = [one for one in session_findings(summarise(path, cut), PROTOCOL.qa) if one.kind == "unsent"]
    assert len(unsent) == 1
    assert "because the program died first" in unsent[0].text


def test_a_serial_line_shows_each_code_and_then_nothing() -> None:
    """A byte with the code is followed by a zero, also where two signals come at once."""
    fates: list[Fate] = []
    with line() as (reader, name), outlet(SerialLine(name, 9600)) as output:
        for number in (7, 255):
            output.send(pending(number, fates))
        assert comes([(7, None), (255, None)], lambda: fates)
        assert comes(b"\x07\x00\xff\x00", Reading(reader))
        assert not output.fails


def test_what_was_never_there_loses_every_signal_and_is_known(tmp_path: Path) -> None:
    """Nobody waits for it, and each signal is told of."""
    fates: list[Fate] = []
    with outlet(SerialLine(str(tmp_path / "ttyNone"), 9600)) as output:
        assert output.fails
        for number in (1, 2, 3):
            output.send(pending(number, fates))
        assert comes([(number, "lost") for number in (1, 2, 3)], lambda: fates)
        assert output.fails


def test_a_line_that_stops_reading_fails_and_works_again() -> None:
    """A full line takes no byte: its signals are lost or too late to be sent; once read again, it takes the next."""
    fates: list[Fate] = []
    with line() as (reader, name), outlet(SerialLine(name, 9600)) as output:
        ours = os.open(name, os.O_WRONLY | os.O_NOCTTY)
        fill(ours)
        for number in (1, 2):
            output.send(pending(number, fates))
        assert comes(2, lambda: len(fates))
        assert [why for _, why in fates] in (["lost", "late"], ["lost", "lost"])
        assert output.fails
        Reading(reader)()
        os.close(ours)
        time.sleep(AGAIN_S)
        output.send(pending(3, fates))
        assert comes((3, None), lambda: fates[-1])
        assert comes(wanted=False, found=lambda: output.fails)


def test_too_many_signals_are_not_kept() -> None:
    """The queue is bounded, and what it does not take is told of at once; the rest is given up at the end."""
    fates: list[Fate] = []
    with line() as (_, name):
        ours = os.open(name, os.O_WRONLY | os.O_NOCTTY)
        with outlet(SerialLine(name, 9600), pulse_ms=1000) as output:
            for number in range(1, MOST + 3):
                output.send(pending(number, fates))
            assert [why for _, why in fates].count("full") >= 1
        os.close(ours)
    assert sorted(number for number, _ in fates) == list(range(1, MOST + 3))
    assert {why for _, why in fates} <= {None, "full", "unwritten", "late"}


def test_a_file_has_a_row_for_each_signal(tmp_path: Path) -> None:
    """Its times are those of the events by the computer's clock, however late it is written."""
    path, fates = tmp_path / "x_signals.tsv", list[Fate]()
    with outlet(SignalFile(path)) as output:
        before = datetime.now(timezone.utc)
        output.send(pending(9, fates, time.perf_counter() - 2.0))
        assert comes([(9, None)], lambda: fates)
    header, row = path.read_text(encoding="utf-8").splitlines()
    assert header == "utc\tcode\tname"
    utc, *cells = row.split("\t")
    assert cells == ["9", "choice"]
    assert 1.9 < (before - datetime.fromisoformat(utc)).total_seconds() < 2.1


def test_a_stream_is_received_on_this_computer() -> None:
    """Another program finds the stream by the loopback and gets the name with the time of the event."""
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    fates: list[Fate] = []
    with receiver, outlet(LslStream("DayFourTest", ())) as output:
        assert receiver.stdout
        assert receiver.stdout.readline() == "connected\n"
        happened_s = time.perf_counter() - 0.5
        output.send(pending(5, fates, happened_s))
        name, stamp_s = receiver.stdout.readline().split()
        assert comes([(5, None)], lambda: fates)
    assert name == "choice"
    assert abs(float(stamp_s) - happened_s) < 0.01


def test_a_missing_device_is_named_by_check_with_what_to_do(tmp_path: Path) -> None:
    """Each output and the scanner's line is tried; a port that works is ready, one that is not there refused."""
    with line() as (_, name):
        outputs = Output("serial", port=name), Output("serial", port=str(tmp_path / "none")), Output("file")
        port = Output("parallel", port=str(tmp_path / "parport0"))
        scanner = Pulses(tr_s=2.0, port=str(tmp_path / "scanner"))
        found = list(preflight.items(replace(PROTOCOL, signals=Signals(CODES, (*outputs, port)), pulses=scanner)))
    assert [one.severity for one in found] == ["ok", "error", "error", "error"]
    assert [one.kind.split()[1] for one in found[:3]] == ["serial", "serial", "parallel"]
    assert all(one.text.endswith("cannot be opened") and one.fix for one in found[1:])
    assert list(preflight.items(PROTOCOL)) == []


def test_a_device_that_is_pulled_out_is_told_on_the_pause_page(lab: Lab, hands: Hands) -> None:
    """The session goes on without it; pause page, transcript and QA say so, and the session verifies."""
    reader, ours = os.openpty()
    name, port = "Amplifier", os.ttyname(ours)
    serial = f'[[signals.outputs]]\nto = "serial"\nname = "{name}"\nport = "{port}"'
    protocol_with(lab.protocol, f'{SECTION}[[signals.outputs]]\nto = "file"\n{serial}')
    messages = lab.messages()
    sitting, answer = lab.pilots(messages=messages), by_keyboard(hands)
    scale = participates(sitting, answer, lambda scene: isinstance(scene, ScaleScene))
    assert comes(b"\x0a\x00\x14\x00", Reading(reader))
    os.close(ours)
    os.close(reader)
    answer(scale.scene)
    state = sitting.next(OutputState)
    assert (state.output, state.works) == (name, False)
    chord(hands)
    page = sitting.shows(is_paused)
    assert isinstance(page.scene, TextScene)
    assert f"signals are not reaching {name}." in page.scene.text
    assert differing(lab, pictures_of(lab, messages, PILOT_MARK), page.scene) == 0
    hands.tap("c")
    assert finishes(sitting, answer)[0] == 0
    assert sitting.transcript
    assert verify(sitting.transcript, pilot=True).findings == ()
    told = [event for event in sitting.events() if isinstance(event, Signal)]
    assert {one.failure for one in told if one.output == "file"} == {None}
    assert {one.failure for one in told if one.output == name} == {None, "lost"}
    summary = summarise(sitting.transcript, sitting.events())
    [unsent] = [one.text for one in session_findings(summary, PROTOCOL.qa) if one.kind == "unsent"]
    lost = sum(one.failure is not None for one in told)
    assert unsent.endswith(f" signals did not reach {name}: {lost} because it could not be reached.")
    rows = sitting.transcript.with_name(sitting.transcript.name.replace("transcript.jsonl", "signals.tsv"))
    sent = [row.split("\t")[2] for row in rows.read_text(encoding="utf-8").splitlines()[1:]]
    assert sent == [one.name for one in told if one.output == "file"]
