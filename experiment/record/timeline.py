"""The one reading of a transcript: attempts, trials, scenes, pauses, presses and answers, from which all else is read.

An attempt is one run of the task: a session that died and was resumed has several, each with a clock zero of its own.
Within an attempt times are seconds since its clock zero; where attempts follow one another, `later_s` is added to them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise

from msgspec import Struct

from experiment.errors import BadInput
from experiment.record.events import (
    Click,
    Elapsed,
    Event,
    Focus,
    Key,
    Marked,
    MessageScene,
    PauseCause,
    Paused,
    Rated,
    Read,
    Refreshes,
    Resumed,
    ScaleScene,
    Scene,
    Shown,
    Started,
    Storage,
    TrialBegan,
    TrialEnded,
)
from experiment.record.events_of_tasks import Handed, RunBegan, RunEnded, TakenBack

CLOCK_STEP_S = 0.05  # a wall clock that was set by less is one that is kept in time


class Pause(Struct, frozen=True):
    """The pause page was on the screen; `end_s` is None if the attempt ended in it."""

    start_s: float
    end_s: float | None
    cause: PauseCause

    @property
    def length_s(self) -> float | None:
        """How long it was, if it came to its end."""
        return None if self.end_s is None else self.end_s - self.start_s


class Press(Struct, frozen=True):
    """A key or the mouse button went down; `place_px` from the screen's centre, y up, for the mouse."""

    time_s: float
    name: str
    place_px: tuple[float, float] | None = None


class Response(Struct, frozen=True):
    """The way to one answer: to `Read` for a message, `TakenBack` for an object, `Rated` for a question.

    `onset_s`: of the flip that first showed the message or the scale. `marks`: each place of the marker. `answer`: None
    if none came. `end_s`: when it left the screen, be it for a pause; None if nothing followed.
    """

    onset_s: float | None = None
    marks: tuple[Marked, ...] = ()
    pauses: tuple[Pause, ...] = ()
    answer: Read | TakenBack | Rated | None = None
    end_s: float | None = None

    @property
    def value(self) -> int | None:
        """The confirmed rating."""
        return self.answer.value if isinstance(self.answer, Rated) else None

    @property
    def answered_s(self) -> float | None:
        """When the press came that went on, or made the rating final."""
        return self.answer.time_s if self.answer else None

    def rt_s(self, time_s: float | None) -> float | None:
        """How long the message or scale had been on the screen at a time, pauses excluded."""
        if self.onset_s is None or time_s is None:
            return None
        within = [one for one in self.pauses if self.onset_s <= one.start_s and (one.end_s or math.inf) <= time_s]
        return time_s - self.onset_s - math.fsum(one.length_s or 0.0 for one in within)


class TrialRun(Struct, frozen=True):
    """A trial in one attempt: from its beginning to its end, or to where the attempt was interrupted.

    `start_s`: the first scene of the trial. `started`: the beginning of the attempt. `zero_s`: the first pulse kept of
    the scanner's run that the trial is in, if it is in one.
    """

    trial: int
    started: Started
    events: tuple[Event, ...]
    start_s: float
    end_s: float
    zero_s: float | None = None

    @property
    def rated(self) -> frozenset[str]:
        """The questions that came to their end, be it without an answer."""
        return frozenset(event.question for event in self.events if isinstance(event, Rated))

    @property
    def answered(self) -> frozenset[str]:
        """Those of them that have an answer."""
        rated = (event for event in self.events if isinstance(event, Rated))
        return frozenset(event.question for event in rated if event.value is not None)

    @property
    def message_onset_s(self) -> float | None:
        """When the message was first on the screen."""
        return next(iter(self.spans_s(MessageScene)), (None, None))[0]

    @property
    def handed_s(self) -> float | None:
        """When the object was first in the hand."""
        return next((event.time_s for event in self.events if isinstance(event, Handed)), None)

    @property
    def is_known(self) -> bool:
        """Whether the participant saw the message, or held the object."""
        return (self.message_onset_s, self.handed_s) != (None, None)

    def spans_s(self, kind: type[Scene]) -> list[tuple[float, float]]:
        """From when until when each state of such a scene was on the screen: until the next came, if one did."""
        shown = onsets(self.events)
        ends_s = [*(onset_s for onset_s, _ in shown[1:]), math.inf]
        pairs = zip(shown, ends_s, strict=False)
        return [(onset_s, end_s) for (onset_s, scene), end_s in pairs if isinstance(scene, kind)]

    @property
    def responses(self) -> list[Response]:
        """The message's, then each question's in the order of asking; at last what came after the last answer."""
        pieces: list[list[Event]] = [[]]
        for event in self.events:
            pieces[-1].append(event)
            if isinstance(event, Read | TakenBack | Rated):
                pieces.append([])
        return [_response(piece, after) for piece, after in zip(pieces, [*pieces[1:], []], strict=True)]


class Attempt(Struct, frozen=True):
    """One run of the task; `later_s`: its clock zero on the clock of all attempts, which follow one another."""

    started: Started
    events: tuple[Event, ...]
    later_s: float


def start_of(events: Sequence[Event | None]) -> Started:
    """The session's start, with which its events begin; BadInput if they do not."""
    first = events[0] if events else None
    if not isinstance(first, Started):
        kind = type(first).__name__ if first else "nothing"
        raise BadInput(f"The log does not begin with the start of a session but with {kind}. Restore it from a copy.")
    return first


def starts(events: Sequence[Event | None]) -> list[int]:
    """Where each attempt begins among the events: at its `Started`."""
    return [at for at, event in enumerate(events) if isinstance(event, Started)]


def attempts(events: Iterable[Event], gap_s: float = 0.0) -> list[Attempt]:
    """The events by attempt, with so much time between two; BadInput if they do not begin with a session's start."""
    every = tuple(events)
    start_of(every)
    later_s, found = 0.0, list[Attempt]()
    for begin, end in pairwise([*starts(every), len(every)]):
        own = every[begin:end]
        found.append(Attempt(start_of(own), own[1:], later_s))
        later_s += last_s(own[1:]) + gap_s
    return found


def last_s(events: Iterable[Event]) -> float:
    """The last time that is recorded, since clock zero."""
    return max((own_s for event in events if (own_s := time_of(event)) is not None), default=0.0)


def time_of(event: Event) -> float | None:
    """When it happened, since clock zero; None if it has no time."""
    match event:
        case Shown(onset_s=time_s) | Elapsed(until_s=time_s):
            return time_s
    return getattr(event, "time_s", None)


def trial_runs(attempt: Attempt) -> list[TrialRun]:
    """The trials that were begun in an attempt, in order."""
    events, runs = attempt.events, list[TrialRun]()
    latest_s = list(accumulate((time_of(event) or 0.0 for event in events), max, initial=0.0))
    begins = [(at, event.trial) for at, event in enumerate(events) if isinstance(event, TrialBegan)]
    limits = [*(at for at, _ in begins[1:]), len(events)]
    for (begin, trial), limit in zip(begins, limits, strict=False):
        end = next((at + 1 for at in range(begin, limit) if isinstance(events[at], TrialEnded)), limit)
        story = events[begin:end]
        start_s = next((onset_s for onset_s, _ in onsets(story)), latest_s[begin])
        runs.append(TrialRun(trial, attempt.started, story, start_s, latest_s[end], _zero_s(events[:begin])))
    return runs


def _zero_s(before: Sequence[Event]) -> float | None:
    """The first pulse kept of the scanner's run that goes on after these events."""
    last = next((event for event in reversed(before) if isinstance(event, RunBegan | RunEnded)), None)
    return last.time_s if isinstance(last, RunBegan) else None


def runs_by_trial(events: Iterable[Event]) -> dict[int, list[TrialRun]]:
    """The runs of each trial over all attempts, in the order of time."""
    runs: dict[int, list[TrialRun]] = {}
    for run in (run for attempt in attempts(events) for run in trial_runs(attempt)):
        runs.setdefault(run.trial, []).append(run)
    return runs


def pauses(events: Iterable[Event]) -> list[Pause]:
    """When the pause page came and went within an attempt."""
    found: list[Pause] = []
    for event in events:
        if isinstance(event, Paused):
            found.append(Pause(event.time_s, None, event.cause))
        elif isinstance(event, Resumed) and found:
            found[-1] = Pause(found[-1].start_s, event.time_s, found[-1].cause)
    return found


def presses(events: Iterable[Event]) -> Iterator[Press]:
    """Every key and mouse button that went down."""
    for event in events:
        match event:
            case Key(key=key, down=True):
                yield Press(event.time_s, key)
            case Click(x_px=x_px, y_px=y_px, down=True):
                yield Press(event.time_s, "mouse", (x_px, y_px))


def onsets(events: Iterable[Event]) -> list[tuple[float, Scene]]:
    """Each state of the screen with the time of the flip that first showed it."""
    return [(event.onset_s, event.scene) for event in events if isinstance(event, Shown)]


def answers(events: Iterable[Event]) -> Iterator[Read | Marked | Rated]:
    """All that was answered and marked."""
    return (event for event in events if isinstance(event, Read | Marked | Rated))


def _response(piece: Sequence[Event], after: Sequence[Event]) -> Response:
    watched = (onset_s for onset_s, scene in onsets(piece) if isinstance(scene, MessageScene | ScaleScene))
    marks = tuple(event for event in piece if isinstance(event, Marked))
    answer = next((event for event in piece if isinstance(event, Read | TakenBack | Rated)), None)
    paused = tuple(pauses(piece))
    ends_s = (*(one.start_s for one in paused), *(onset_s for onset_s, _ in onsets(after)))
    return Response(next(watched, None), marks, paused, answer, next(iter(ends_s), None))


def focus_losses(events: Iterable[Event]) -> int:
    """How often another window took the keyboard."""
    return sum(isinstance(event, Focus) and not event.gained for event in events)


def storage_losses(events: Iterable[Event]) -> int:
    """How often the disk stopped taking the transcript."""
    return sum(isinstance(event, Storage) and not event.saved and event.cause != "unwritable" for event in events)


def clock_steps(attempt: Attempt) -> Iterator[tuple[float, float]]:
    """When the wall clock was found to be set, on the clock of all attempts, and by how many seconds."""
    known_s, time_s = 0.0, 0.0
    for event in attempt.events:
        time_s = max(time_s, event.onset_s if isinstance(event, Shown) else 0.0)
        if isinstance(event, Refreshes) and event.clock_offset_s is not None:
            if abs(event.clock_offset_s - known_s) > CLOCK_STEP_S:
                yield time_s + attempt.later_s, event.clock_offset_s - known_s
            known_s = event.clock_offset_s
