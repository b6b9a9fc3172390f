"""What is pressed when, in a session that is answered from outside; and hands without eyes, which press it.

Where no other program can see the session's pixels, keys are pressed as its log goes on. They go in as the system lets
programs press them (Windows: SendInput, macOS: CGEventPost, X11: XTEST), at known times, so the log's time of each
press can be compared. When anything was on the screen stays unknown.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from experiment.design.protocol import Protocol
from experiment.design.rating import Question
from experiment.errors import EquipmentFailure
from experiment.record.events import MessageScene, ScaleScene, Shown, decode
from experiment.storage.hash_chain import Line
from experiment.system.facts import PressKey
from experiment.timing.observations import Glow, Observation, OutsidePress, Span

LOOK_S = 0.004  # from one look at the log to the next


class PlannedPress(Struct, frozen=True):
    """A press to be made: so long after the message came or after the press before, and for how long."""

    key: str
    delay_s: float
    hold_s: float


Script = tuple[PlannedPress, ...]
"""What is pressed in one trial, each key released before the next is pressed."""

GO_ON: Script = (PlannedPress("space", 0.0, 0.04),)
PATIENCE_S = 1.0  # without a change for longer, the program stands on a page that wants a key
IDLE_PRESSES = 20  # after which it does not answer


def draw_schedules(count: int, seed: str, protocol: Protocol) -> list[Script]:
    """For each trial a reading time, then for each question a key, and a confirmation where it wants one."""
    random = Random(seed)

    def stroke(key: str, least_s: float, most_s: float) -> PlannedPress:
        return PlannedPress(key, random.uniform(least_s, most_s), random.uniform(0.03, 0.08))

    def answer(question: Question) -> Script:
        key = stroke(random.choice(answer_keys(protocol, question)), 0.12, 0.2)
        return (key,) if protocol.rating.first_press_is_final else (key, stroke("space", 0.12, 0.2))

    def trial() -> Script:
        reading = stroke("space", 0.08, 0.4)
        return (reading, *(press for question in protocol.rating.questions for press in answer(question)))

    return [trial() for _ in range(count)]


def answer_keys(protocol: Protocol, question: Question) -> tuple[str, ...]:
    """The keys of which each answers a question by itself: digits, or on a line an arrow."""
    scale = protocol.scale(question)
    if scale.is_line:
        return protocol.keys.right[:1]
    return tuple(str(number) for number in range(scale.first, min(scale.last, 9) + 1))


class Schedule:
    """Presses and releases in the order of time, in seconds on the caller's clock."""

    def __init__(self) -> None:
        """Nothing is due."""
        self._due: list[tuple[float, str, bool]] = []

    def add(self, script: Script, at_s: float) -> None:
        """A script that begins then."""
        for stroke in script:
            at_s += stroke.delay_s
            heapq.heappush(self._due, (at_s, stroke.key, True))
            heapq.heappush(self._due, (at_s + stroke.hold_s, stroke.key, False))

    @property
    def next_s(self) -> float:
        """When something is due; infinite if nothing is."""
        return self._due[0][0] if self._due else math.inf

    @property
    def is_empty(self) -> bool:
        """Whether nothing is due at any time."""
        return not self._due

    def take(self, now_s: float) -> Iterator[tuple[str, bool]]:
        """What is due by then: each key, and whether it goes down."""
        while self.next_s <= now_s:
            _, key, down = heapq.heappop(self._due)
            yield key, down


class Unheard(EquipmentFailure):
    """No press reached the session."""


class Presser:
    """Answers the session whose transcript this is with `press`."""

    def __init__(self, transcript: Path, press: PressKey) -> None:
        """Nothing is pressed yet."""
        self._transcript, self._press = transcript, press
        self._read_bytes = 0
        self._agenda, self._asks = Schedule(), False
        self._trials: dict[str, list[OutsidePress]] = {}  # by message, in the order of the session

    def watch(self, scripts: Sequence[Script], *, lives: Callable[[], bool]) -> Observation:
        """Answer one message after the other with a script each, until the session has ended.

        Where the log stands still for long, `space` goes on from a page, and at a message or scale the script is tried
        once more. Unheard if even that does nothing.
        """
        began_s = moved_s = time.perf_counter()
        idle = 0
        while lives():
            for scene in self._shown():
                moved_s, idle, self._asks = time.perf_counter(), 0, isinstance(scene, MessageScene | ScaleScene)
                if isinstance(scene, MessageScene) and scene.message_id not in self._trials:
                    self._agenda.add(scripts[len(self._trials) % len(scripts)], moved_s)
                    self._trials[scene.message_id] = []
            self._act()
            if self._agenda.is_empty and time.perf_counter() - moved_s > PATIENCE_S:
                moved_s, idle = time.perf_counter(), idle + 1
                if idle > IDLE_PRESSES:
                    raise Unheard(f"none of {idle} simulated presses of the space bar arrived")
                self._agenda.add(scripts[(len(self._trials) - 1) % len(scripts)] if self._asks else GO_ON, moved_s)
            time.sleep(max(0.0, min(LOOK_S, self._agenda.next_s - time.perf_counter())))
        glows = tuple(Glow(None, None, tuple(presses)) for presses in self._trials.values())
        return Observation(glows, 0, time.perf_counter() - began_s, 0.0)

    def _shown(self) -> Iterator[object]:
        """The scenes that were shown since the last look, as far as whole lines are there."""
        with self._transcript.open("rb") as file:
            file.seek(self._read_bytes)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        for line in whole.splitlines():
            event = decode(msgspec.json.decode(line, type=Line).event)
            if isinstance(event, Shown):
                yield event.scene

    def _act(self) -> None:
        """Press and release what is due."""
        for key, down in self._agenda.take(time.perf_counter()):
            before_s = time.perf_counter()
            self._press(key, down)
            if down and self._asks:
                next(reversed(self._trials.values())).append(OutsidePress(key, Span(before_s, time.perf_counter())))
