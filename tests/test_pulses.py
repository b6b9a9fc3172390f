"""A scanner's pulses: each is counted once, with its time, and none is taken for a person's key."""

from __future__ import annotations

import os
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from experiment.design.protocol import read_protocol
from experiment.design.scanner import Pulses
from experiment.errors import BadInput, EquipmentFailure
from experiment.qa.devices import PulseCount, count_pulses
from experiment.record.events import Elapsed, Ended, Key, Pulse, Read, TextScene
from experiment.record.events_beside import OutputState
from experiment.record.timeline import Attempt
from experiment.replay.verify import verify
from experiment.signals.serial_port import SerialPulses
from experiment.timing.session import timing_protocol
from tests.lab import LIMIT_S, by_keyboard, chord, finishes, is_paused, short_protocol
from tests.strategies import PROTOCOL, held, session_of, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiment.record.events import Scene
    from tests.lab import Lab
    from tests.xtest import Hands

SCANNER = replace(PROTOCOL, messages=2, pulses=Pulses(tr_s=2.0, key="9"))


def protocol_with(path: Path, section: str) -> Path:
    """The lab's protocol with another section."""
    short_protocol(path)
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{section}\n", encoding="utf-8")
    return path


@contextmanager
def line() -> Iterator[tuple[int, str]]:
    """A serial line without a device: the end that the scanner writes to, and the name of the other."""
    scanner, ours = os.openpty()
    yield scanner, os.ttyname(ours)
    os.close(scanner)
    os.close(ours)


def come(pulses: SerialPulses, number: int) -> list[float]:
    """The next pulses."""
    stamps_s, deadline_s = list[float](), time.monotonic() + LIMIT_S
    while len(stamps_s) < number and time.monotonic() < deadline_s:
        stamps_s += pulses.taken()
        time.sleep(0.001)
    return stamps_s


def test_a_key_of_the_scanner_is_a_pulse_and_no_key(lab: Lab, hands: Hands) -> None:
    """Pulses of 1 ms come in numbered whatever is on the screen, answer nothing, and the session verifies."""
    protocol_with(lab.protocol, '[pulses]\nkey = "9"\ntr_s = 2.0')
    sitting = lab.pilots()
    pressed, answer_by_keyboard = list[float](), by_keyboard(hands)

    def answer(scene: Scene) -> None:
        pressed.append(hands.tap("9", 0.001)[0])
        answer_by_keyboard(scene)

    assert finishes(sitting, answer)[0] == 0
    pulses = [event for event in sitting.events() if isinstance(event, Pulse)]
    assert [pulse.number for pulse in pulses] == list(range(1, len(pressed) + 1))
    assert all(pulse.timed_by != "robot" for pulse in pulses)
    assert "9" not in {event.key for event in sitting.events() if isinstance(event, Key)}
    assert sitting.transcript
    assert verify(sitting.transcript, pilot=True).findings == ()


def test_bytes_of_a_serial_line_are_pulses() -> None:
    """Each byte of the scanner is stamped once when it comes, other bytes and earlier ones are none."""
    with line() as (scanner, name):
        os.write(scanner, b"5")
        with closing(SerialPulses(name, 9600, ord("5"))) as pulses:
            sent_s = []
            for byte in b"5x5\x005":
                time.sleep(0.02)
                sent_s.append(time.perf_counter())
                os.write(scanner, bytes([byte]))
            stamps_s = come(pulses, 3)
            time.sleep(0.05)
            assert pulses.taken() == []
    wanted = [sent_s[0], sent_s[2], sent_s[4]]
    assert [0 <= stamp_s - before_s < 0.5 for stamp_s, before_s in zip(stamps_s, wanted, strict=True)] == [True] * 3


def test_a_zero_byte_can_be_the_pulse() -> None:
    """Byte 0 is a byte like any other; without a byte in the protocol all are pulses."""
    with line() as (scanner, name):
        for byte, number in ((0, 1), (None, 3)):
            with closing(SerialPulses(name, 9600, byte)) as pulses:
                os.write(scanner, b"\x00ab")
                assert len(come(pulses, number)) == number


def test_a_line_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error says which port, what this computer has, and what to do."""
    with pytest.raises(EquipmentFailure, match=r"The serial port .*ttyScanner cannot be opened. Plug the device in"):
        SerialPulses(str(tmp_path / "ttyScanner"), 9600, None)


def test_a_line_that_vanishes_is_known_to_be_lost() -> None:
    """A scanner's box that is pulled out is noticed, and nothing fails."""
    scanner, ours = os.openpty()
    with closing(SerialPulses(os.ttyname(ours), 9600, None)) as pulses:
        os.write(scanner, b"1")
        assert len(come(pulses, 1)) == 1
        os.close(ours)
        os.close(scanner)
        deadline_s = time.monotonic() + LIMIT_S
        while not pulses.is_lost and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert pulses.is_lost


@pytest.mark.parametrize("habit", ["steady", "aborting", "silent"])
def test_a_simulated_scanner_pulses_all_the_time(habit: str) -> None:
    """In a simulation a pulse comes every repetition time, in order with what the participant does."""
    told = held(session_of(SCANNER), habit)
    pulses = [event for event in told if isinstance(event, Pulse)]
    assert [pulse.time_s for pulse in pulses] == [2.0 * number for number in range(1, len(pulses) + 1)]
    assert len(pulses) > 5
    assert isinstance(told[-1], Ended)
    without = held(session_of(replace(SCANNER, pulses=PROTOCOL.pulses)), habit)
    assert [one for one in told if isinstance(one, Read)] == [one for one in without if isinstance(one, Read)]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('key = "t"', "tr_s"),
        ("tr_s = 2.0", "Please give either 'key' or 'port'."),
        ('tr_s = 2.0\nkey = "t"\nport = "COM3"', "Please give either 'key' or 'port'."),
        ('tr_s = 2.0\nkey = "F13"', 'a key, e.g. "5", "t" or "equal"'),
        ('tr_s = 2.0\nkey = "space"', "[pulses]: key = 'space' is also in [keys]."),
        ('tr_s = 2.0\nkey = "c"', "[pulses]: key = 'c' is also in [keys]."),
        ('tr_s = 2.0\nkey = "p"', "[pulses]: key = 'p' is also in [keys]."),
        ('tr_s = 2.0\nkey = "5"', "[pulses]: key = '5' also sets the marker on scales of 7 points."),
    ],
)
def test_a_scanner_that_cannot_be_told_from_a_person_is_refused(tmp_path: Path, section: str, said: str) -> None:
    """A pulse has one way in, and its key is none of the participant's, the assistant's or the scale's."""
    with pytest.raises(BadInput) as refused:
        read_protocol(protocol_with(tmp_path / "protocol.toml", f"[pulses]\n{section}"))
    assert said in str(refused.value)


def test_a_key_beyond_the_scale_can_be_the_scanner_s(tmp_path: Path) -> None:
    """The 9 is free on scales of seven points."""
    with_scanner = read_protocol(protocol_with(tmp_path / "one.toml", '[pulses]\ntr_s = 2.0\nkey = "9"'))
    assert with_scanner.pulses == Pulses(tr_s=2.0, key="9")


def test_timing_hears_no_scanner(tmp_path: Path) -> None:
    """In the session that is timed digits are answers, whatever the scanner's key, and no port is opened."""
    path = tmp_path / "protocol.toml"
    path.write_text('extend = "scan"\n[pulses]\nkey = "3"\n[scan]\nbuttons = ["a", "b", "d", "e"]\n', encoding="utf-8")
    assert not timing_protocol(read_protocol(path), 8).pulses


def pulsed(times_s: Sequence[float], end_s: float, pulses: Pulses) -> PulseCount:
    """What QA counts of pulses at these times in a session of this length."""
    events = [Pulse(number, time_s, "queue") for number, time_s in enumerate(times_s, start=1)]
    first = started(session_of(replace(SCANNER, pulses=pulses)))
    counted = count_pulses([Attempt(first, (*events, Elapsed(end_s)), 0.0)])
    assert counted
    return counted


def test_qa_names_lost_doubled_and_irregular_pulses_by_their_gaps() -> None:
    """Gaps of twice the repetition time, of nearly none, and of more than 2 ms beside it are told apart."""
    two = Pulses(tr_s=2.0, key="9")
    assert pulsed([2, 4, 6.001, 8, 10], 11, two).wrong is None
    found = pulsed([2, 4, 4.01, 6, 10, 14, 16.005, 18.005], 20, two)
    assert found.wrong == "8 pulses came: by their gaps 2 lost, 1 doubled, 1 at irregular times."
    assert pulsed([], 20, two).wrong == "No pulse of the scanner came."


def test_qa_counts_the_pulses_of_each_row() -> None:
    """A row that the scanner ended must have its number of volumes; the last one may still go on."""
    three = Pulses(tr_s=2.0, key="9", volumes=3)
    assert pulsed([2, 4, 6, 100, 102, 104, 200], 201, three).wrong is None
    found = pulsed([2, 4, 100, 102, 104, 200, 202], 300, three)
    assert found.series == (2, 3, 2)
    assert found.wrong == "7 pulses came: 2 in a row instead of 3; 2 in a row instead of 3."


def test_a_scanner_s_line_that_vanishes_is_told_on_the_pause_page(lab: Lab, hands: Hands) -> None:
    """Pulses on a serial line are counted in a session; when the line goes, pause page and transcript say so."""
    scanner, ours = os.openpty()
    protocol_with(lab.protocol, f'[pulses]\nport = "{os.ttyname(ours)}"\ntr_s = 2.0')
    sitting = lab.pilots()
    sitting.shows(lambda scene: getattr(scene, "button", None) is not None)
    os.write(scanner, b"5")
    pulse = sitting.next(Pulse)
    assert (pulse.number, pulse.timed_by) == (1, "serial")
    os.close(ours)
    os.close(scanner)
    assert sitting.next(OutputState).works is False
    chord(hands)
    page = sitting.shows(is_paused)
    assert isinstance(page.scene, TextScene)
    assert "the scanner's pulses cannot be received" in page.scene.text
    hands.tap("w")
    sitting.shows(lambda scene: isinstance(scene, TextScene) and "End the session?" in scene.text)
    chord(hands)
    assert sitting.ends()[0] == 3
    assert sitting.transcript
    assert verify(sitting.transcript, pilot=True).findings == ()
