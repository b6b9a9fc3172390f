"""A screen that answers as a transcript has it: before it, `task.run` repeats a session line by line.

It also compares: what the task tells now with what it told then. Of a damaged transcript it repeats as much as can be.
What a lost or unreadable line would have answered is unknown: a time of minus infinity, from which nothing derived is
finite, and which no comparison counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, get_args

from msgspec import Struct, to_builtins

from experiment.record.events import (
    Elapsed,
    Ended,
    Event,
    Input,
    Key,
    Marked,
    Rated,
    Read,
    Refreshes,
    Scene,
    Shown,
    Started,
    TrialBegan,
)

UNKNOWN_S = -math.inf
REACH = 4  # lines to look ahead for one that stands too late; a scene comes back after a pause no sooner than this
PATIENCE = 100  # unanswered waits in a row before the repetition is given up

Answer = TypeVar("Answer")
Fits = Callable[[Event], bool]


class Difference(Struct, frozen=True):
    """A line (counted from 1) that is not as replayed; `recorded` null: it is lost, `replayed` null: it is too much."""

    line: int
    recorded: Event | None
    replayed: Event | None


class RecordEnds(Exception):
    """There is no more to answer with."""


class RecordedScreen:
    """One run of the task: the `Screen` port, and the `emit` that belongs to it."""

    def __init__(self, started: Started, lines: Sequence[tuple[int, Event | None]]) -> None:
        """The run's lines with their numbers in the file, from 1; null for one that cannot be read."""
        self.info, self._trials = started.screen, started.session.trials
        self._confirm = started.session.protocol.keys.confirm[0]
        self.replayed: list[Event] = []
        self.differences: list[Difference] = []
        self.unsure: set[int | None] = set()  # trials in which an answer is unknown; None before the first
        self._numbers, self._recorded, self._at = [number for number, _ in lines], [event for _, event in lines], 0
        self._unanswered, self._lost, self._interrupted, self._over = 0, False, False, False
        self._trial: int | None = None

    @property
    def next_line(self) -> int:
        """The number of the line that comes next."""
        return self._numbers[self._at] if self._at < len(self._numbers) else self._numbers[-1] + 1

    def show(self, scene: Scene) -> float:
        """The onset that the scene had."""
        told = self._sought(_is(Shown), lambda event: isinstance(event, Shown) and event.scene == scene)
        return told.onset_s if isinstance(told, Shown) else self._unknown(UNKNOWN_S)

    def wait(self, until_s: float) -> Input | None:
        """The input that came, or None."""
        answers = _is(Elapsed, *get_args(Input))
        # Nothing but an input comes before another answer, so an unreadable line there was one that meant nothing.
        unreadable = self._recorded[self._at : self._at + 1] == [None]
        told = self._sought(answers, answers if unreadable else lambda event: event == Elapsed(until_s))
        self._unanswered = 0 if told else self._unanswered + 1
        if self._unanswered > PATIENCE:
            self.unsure.update(trial.trial for trial in self._trials)
            self._stop()
        if isinstance(told, Input):
            return told
        return None if told else self._decided() or self._unknown(None)

    def refreshes(self) -> Refreshes:
        """The flips that there were."""
        told = self._sought(_is(Refreshes), _is(Refreshes))
        return told if isinstance(told, Refreshes) else self._unknown(Refreshes(None, (), None))

    def emit(self, event: Event) -> None:
        """Compare with the recorded line, and go on to the next."""
        if self._over:
            return
        self._trial = event.trial if isinstance(event, TrialBegan) else self._trial
        here = None if self._lost else self._sought(_like(event), _like(event), event)
        self._lost = False
        self.replayed.append(event)
        unreadable = here is None and self._recorded[self._at] is None
        if not unreadable and (here is None or not same(here, event)):
            self.differences.append(Difference(self.next_line, here, event))
        self._at += here is not None or unreadable

    def close(self) -> None:
        """What the task did not come to is too much, but for the end that was put to a session cut off."""
        match self._recorded[self._at :]:
            case [Ended("aborted") as put]:
                self.replayed.append(put)
                self._at += 1
        self._pass_over(len(self._recorded))

    def _sought(self, fits: Fits, fits_later: Fits, like: Event | None = None) -> Event | None:
        """The line for what is wanted now, or None if it is lost or unreadable; lines passed over are too much.

        `like`: a line of this kind will do, changed as it is.
        """
        self._end_as_recorded(like)
        here = self._recorded[self._at]
        if here is not None and fits(here):
            return here
        if (at := self._later(fits_later, like)) is not None:
            self._pass_over(at)
            return self._recorded[at]
        return here if like is not None and type(here) is type(like) else None

    def _later(self, fits: Fits, like: Event | None) -> int | None:
        """Where it stands instead: a little later, or anywhere if it is the beginning of a trial."""
        anywhere = isinstance(like, TrialBegan)
        reach = 1 if self._recorded[self._at] is None else REACH
        for at in range(self._at + 1, len(self._recorded) if anywhere else self._at + 1 + reach):
            event = self._recorded[at] if at < len(self._recorded) else None
            if event is not None and fits(event):
                return at
            if isinstance(event, TrialBegan) and not anywhere:
                return None
        return None

    def _end_as_recorded(self, like: Event | None) -> None:
        """The program died, was interrupted or failed where the record says so."""
        match self._recorded[self._at : self._at + 2]:
            case []:
                self._stop()
            case [Refreshes(), Ended("aborted", "interrupted")] if not self._interrupted:
                self._interrupted = True
                raise KeyboardInterrupt
            case [Ended("failed", str(kind)), *_] if not isinstance(like, Ended):
                raise type(kind, (Exception,), {})
            case [Ended("aborted")] if not isinstance(like, Ended):
                self._stop()

    def _decided(self) -> Key | None:
        """The press that a lost line must have held, if the decision that it led to comes next."""
        after = self._at + (self._recorded[self._at] is None)
        match self._recorded[after : after + 1]:
            case [Marked(_, value, time_s, timed_by)]:
                key = str(value)
            case [Read(_, float(time_s), str(timed_by)) | Rated(_, _, float(time_s), str(timed_by))]:
                key = self._confirm
            case _:
                return None
        self._lost = True
        return Key(key, down=True, time_s=time_s, timed_by=timed_by)

    def _stop(self) -> None:
        self._over = True
        raise RecordEnds

    def _unknown(self, answer: Answer) -> Answer:
        self.unsure.add(self._trial)
        self._lost = True
        return answer

    def _pass_over(self, until: int) -> None:
        """The lines up to there are too much."""
        passed = range(self._at, until)
        found = (Difference(self._numbers[at], event, None) for at in passed if (event := self._recorded[at]))
        self.differences.extend(found)
        self._at = until


def changes(recorded: object, replayed: object, at: str = "") -> Iterator[tuple[str, object, object]]:
    """Where two contents of JSON differ: the path to the place and what stands there, None for nothing.

    What is unknown differs from nothing.
    """
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        for key in {**recorded, **replayed}:
            yield from changes(recorded.get(key), replayed.get(key), f"{at}.{key}" if at else str(key))
    elif isinstance(recorded, list) and isinstance(replayed, list) and len(recorded) == len(replayed):
        for number, (one, other) in enumerate(zip(recorded, replayed, strict=True)):
            yield from changes(one, other, f"{at}[{number}]")
    elif recorded != replayed and not (isinstance(replayed, float) and not math.isfinite(replayed)):
        yield at, recorded, replayed


def same(recorded: Event, replayed: Event) -> bool:
    """Whether two events are equal as far as all is known."""
    if recorded == replayed or type(recorded) is not type(replayed):
        return recorded == replayed
    return next(changes(to_builtins(recorded), to_builtins(replayed)), None) is None


def _like(event: Event) -> Fits:
    return lambda other: same(other, event)


def _is(*kinds: type[Event]) -> Fits:
    return lambda event: isinstance(event, kinds)
