"""What is pressed when, in a session that somebody outside answers."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from random import Random

from msgspec import Struct

from experiment.design.protocol import Protocol
from experiment.design.rating import Question


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
