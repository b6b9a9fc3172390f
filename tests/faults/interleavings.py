"""Random interleavings of keys, clicks, focus changes, pauses, kills and restarts in simulated sittings, and the truth.

Each sitting is a process of its own, which may be killed at any moment. It writes down every input before the task gets
it, and how many of them had settled when something was shown: those have to be in the transcript, whatever comes next.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import cast

import msgspec
from msgspec import Struct

from experiment.design.protocol import Protocol
from experiment.design.scale import Scale
from experiment.design.visit import Visit
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import (
    Click,
    Event,
    Focus,
    Input,
    Key,
    MessageScene,
    PauseAsked,
    Pulse,
    Rated,
    Refreshes,
    Scene,
    Shown,
    Started,
    TrialBegan,
)  # fmt: skip
from experiment.record.events_of_tasks import Handed
from experiment.record.screen_info import ScreenInfo
from experiment.replay.verify import verify
from experiment.screens.clock import Zero
from experiment.screens.simulated_screen import simulated_info
from experiment.session import run as sessions
from experiment.session.plan import Interrupted, close_as_incomplete, plan_session
from experiment.task.layout import Layout
from tests.faults.tasks import task_of

VISIT, UTC = Visit("DF001", 1), "2026-03-01T09:00:00.000+00:00"
KEYS = ("space", "space", "return", "1", "4", "7", "left", "right", "c", "w", "p", "lctrl", "lshift", "x")
MOST_SITTINGS, STOP_AFTER = 12, 400


class Noted(Struct, tag=True):
    """An input that was handed to the task."""

    given: Input


class Settled(Struct, tag=True):
    """What came before outlives the process."""


_notes: msgspec.json.Decoder[Noted | Settled] = msgspec.json.Decoder(Noted | Settled)


class RandomScreen:
    """Somebody who does anything at any time, and a computer that may die; all of it decided by the dice."""

    def __init__(self, dice: Random, notes: Path, transcript: log.Writer, protocol: Protocol, *, deadly: bool) -> None:
        """`notes`: the file in which every input is written down first."""
        self._pulses, self._has_pulses = 0, bool(protocol.pulses)
        self.info: ScreenInfo = simulated_info()
        self._layout = Layout(self.info.width_px, self.info.height_px)
        self._dice, self._transcript, self._now_s, self._count = dice, transcript, 0.0, 0
        self._notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._dies_at = dice.randrange(1, STOP_AFTER) if deadly else 0
        self._down: list[str] = []

    def show(self, scene: Scene) -> float:  # noqa: ARG002 - whoever does anything looks at nothing
        """At the next refresh, when what led here has settled."""
        if self._transcript.settle(5.0):
            self._write(Settled())
        self._now_s += 1 / 60
        return self._now_s

    def wait(self, until_s: float) -> Input | None:
        """The next input, if it comes before that time."""
        due_s = self._now_s + self._dice.choice((0.001, 0.05, 0.5, 3.0))
        if due_s > until_s:
            self._now_s = until_s
            return None
        self._now_s, self._count = due_s, self._count + 1
        if self._count == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        given = self._input()
        self._write(Noted(given))
        return given

    def refreshes(self) -> Refreshes:
        """None."""
        return Refreshes(None, (), None)

    def _input(self) -> Input:
        if self._has_pulses and self._dice.random() < 0.5:
            self._pulses += 1
            return Pulse(self._pulses, self._now_s, "queue")
        match self._dice.randrange(20):
            case 0:
                return Focus(gained=self._dice.random() < 0.5, time_s=self._now_s)
            case 1:
                return PauseAsked(self._now_s)
            case 2 | 3 | 4:
                return self._click()
        if self._down and self._dice.random() < 0.5:
            return Key(self._down.pop(), down=False, time_s=self._now_s, timed_by="queue")
        self._down.append(self._dice.choice(KEYS))
        return Key(self._down[-1], down=True, time_s=self._now_s, timed_by="queue")

    def _click(self) -> Click:
        scale, button = self._layout.scale(Scale()), self._layout.button
        places = [scale.number_place(self._dice.randint(1, 7)), (button.x_px, button.y_px), (5, 5)]
        x_px, y_px = self._dice.choice(places)
        return Click(float(x_px), float(y_px), self._dice.random() < 0.7, self._now_s, "queue")

    def _write(self, note: Noted | Settled) -> None:
        os.write(self._notes, msgspec.json.encode(note) + b"\n")


def interleave(folder: Path, seed: int, task: str = "messages") -> tuple[int, int, list[str]]:
    """Sittings until a session ends: how many there were, how many inputs were handed on, and what was wrong."""
    protocol, _ = task_of(task)
    dice, data, notes = Random(seed), DataSet(folder / "data"), folder / "notes"
    wrong: list[str] = []
    for sitting in range(MOST_SITTINGS):
        deadly = sitting < MOST_SITTINGS - 1 and dice.random() < 0.8
        _in_a_child(folder, dice.random(), task, deadly=deadly)
        path = data.transcript(VISIT, protocol.task)
        wrong += _judged(path, notes)
        read = log.read(path)
        if read.ended:
            break
        wrong += _claims(data, task)
    else:
        close_as_incomplete(data, VISIT)
    data.save(log.read(path).events)
    wrong += [f"verified: {finding}" for finding in verify(path).findings]
    return sitting + 1, len([one for one in _noted(notes) if isinstance(one, Noted)]), wrong


def _in_a_child(folder: Path, seed: float, task: str, *, deadly: bool) -> None:
    child = os.fork()
    if child == 0:
        try:
            _sit(folder, Random(seed), task, deadly=deadly)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _sit(folder: Path, dice: Random, task: str, *, deadly: bool) -> None:
    data, (protocol, messages) = DataSet(folder / "data"), task_of(task)
    again = data.transcript_of(VISIT) is not None and log.has_begun(data.transcript(VISIT, protocol.task))
    plan = plan_session(
        "run", protocol, messages, data, subject=VISIT.subject, session=VISIT.session, seed=1, operator="RA",
        resume=again,
    )  # fmt: skip
    with sessions._recording(plan) as transcript:
        screen = RandomScreen(dice, folder / "notes", transcript, protocol, deadly=deadly)
        sessions._run_task(plan, screen, Zero(UTC, None), transcript)


def _noted(notes: Path) -> list[Noted | Settled]:
    return [_notes.decode(line) for line in notes.read_bytes().splitlines()] if notes.exists() else []


def _judged(path: Path, notes: Path) -> Iterator[str]:
    """Whether the transcript's inputs are those handed on, but for the last ones of a sitting that was killed."""
    told = _noted(notes)
    injected = [one.given for one in told if isinstance(one, Noted)]
    last_settled = max((at for at, one in enumerate(told) if isinstance(one, Settled)), default=0)
    settled = sum(isinstance(one, Noted) for one in told[:last_settled])
    logged = [one for one in log.read(path).events if isinstance(one, Input)]
    if logged != injected[: len(logged)]:
        yield "inputs were logged that were not handed on, or in another order"
    if len(logged) < settled:
        yield f"{settled - len(logged)} inputs were lost that had settled"
    # What a killed sitting had not brought to the disk is lost with it, and nobody claims it: the notes forget it too.
    keep, seen = [], 0
    for one in told:
        seen += isinstance(one, Noted)
        if seen <= len(logged):
            keep.append(one)
    notes.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in keep))


def _claims(data: DataSet, task: str) -> Iterator[str]:
    """The next start's count, against the ratings in the file."""
    protocol, messages = task_of(task)
    events = log.read(data.transcript(VISIT, protocol.task)).events
    try:
        plan_session(
            "run", protocol, messages, data, subject=VISIT.subject, session=VISIT.session, seed=1, operator="RA"
        )
    except Interrupted as error:
        found = re.search(r"(\d+) of \d+ (messages|objects)", str(error))
        if found is None or int(found[1]) != (rated := _rated_trials(events)):
            yield f"{found and found[1]} were said to be rated, and {rated} are"
    else:
        yield "a session that was interrupted could begin once more"


def _rated_trials(events: Sequence[Event]) -> int:
    """Counted once more, in another way: a trial that is begun anew starts unseen and without a rating."""
    asked = {step.trial: set(step.questions) for step in cast("Started", events[0]).session.steps}
    rated: dict[int, set[str]] = {}
    seen: set[int] = set()
    trial = 0
    for event in events:
        match event:
            case TrialBegan(trial):
                rated[trial] = set()
                seen.discard(trial)
            case Shown(scene=MessageScene()) | Handed():
                seen.add(trial)
            case Rated(question):
                rated[trial].add(question)
            case _:
                pass
    return sum(trial in seen and rated.get(trial) == questions for trial, questions in asked.items())
