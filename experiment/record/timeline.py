"""What stood on the screen from when until when, and which of its refreshes were missed: pure readings of the events.

A session that died and went on has several sittings, each with a clock zero of its own; here they follow one another
without the time between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from experiment.design.protocol import Protocol
from experiment.record.events import (
    Event,
    MessageScene,
    Paused,
    Refreshes,
    Resumed,
    ScaleScene,
    Scene,
    Shown,
    Started,
    TextScene,
    TrialBegan,
    TrialEnded,
)

Kind = Literal["page", "fixation", "message", "scale", "blank", "pause"]
Times = npt.NDArray[np.float64]
WATCHED = ("message", "scale")
KEPT = 50


class Attempt(Struct, frozen=True):
    """One run of the task; `later_s` after the first sitting's clock zero if there were no time between sittings."""

    started: Started
    events: tuple[Event, ...]
    later_s: float


class ShownScene(Struct, frozen=True):
    """A stay on the screen; `shows`: the id of the message or question, a page's name; `trial`: None outside trials."""

    kind: Kind
    trial: int | None
    shows: str | None
    start_s: float
    end_s: float

    @property
    def place(self) -> str:
        """In words, for a person who looks for it."""
        if self.trial is None:
            return self.shows or self.kind
        message = "practice message" if self.trial == 0 else f"message {self.trial}"
        return message if self.kind == "message" else f"{self.shows or self.kind} of {message}"


class Late(Struct, frozen=True):
    """A flip that came late: when (the middle of the interval before it), after how long, and where in the session."""

    time_s: float
    length_s: float
    place: str
    watched: bool


class Refreshed(Struct, frozen=True):
    """The session's refreshes: how many were due and how many missed, in all and while a message or scale was there.

    `hz`: the rate at which they came. `late`: the longest waits, those at messages
    and scales before others, in the order of time. All zero, None and empty if no
    flips were recorded.
    """

    due: int = 0
    missed: int = 0
    due_watched: int = 0
    missed_watched: int = 0
    hz: float | None = None
    late: tuple[Late, ...] = ()


def attempts(events: Iterable[Event]) -> list[Attempt]:
    """The events in runs of the task, each from its start."""
    runs: list[list[Event]] = []
    for event in events:
        if isinstance(event, Started):
            runs.append([])
        runs[-1].append(event)
    found: list[Attempt] = []
    later_s = 0.0
    for started, *rest in runs:
        assert isinstance(started, Started)  # noqa: S101 - as above
        found.append(Attempt(started, tuple(rest), later_s))
        later_s += last_s(rest)
    return found


def last_s(events: Iterable[Event]) -> float:
    """The last time that is told, since clock zero."""
    return max((getattr(event, "onset_s", getattr(event, "time_s", None)) or 0.0 for event in events), default=0.0)


def screens(sitting: Attempt) -> list[ShownScene]:
    """All that was shown in a sitting, in order; a scene's states (a button, another marker) are one stay."""
    pieces = list(_pieces(sitting.events, _names(sitting.started.session.protocol)))
    groups = [next(group) for _, group in groupby(pieces, lambda piece: piece[1:])]
    ends_s = [*(piece[0] for piece in groups[1:]), last_s(sitting.events)]
    return [
        ShownScene(kind, trial, shows, start_s + sitting.later_s, end_s + sitting.later_s)
        for (start_s, kind, trial, shows), end_s in zip(groups, ends_s, strict=False)
    ]


def _names(protocol: Protocol) -> dict[str, str]:
    """What a question or a page of text is called, by its wording."""
    wording = protocol.wording
    instructions = {text: f"instruction {number}" for number, text in enumerate(wording.instructions, start=1)}
    pages = {wording.welcome: "welcome", wording.practice: "practice page", wording.begin: "begin page"}
    last = {wording.resumed: "resumed page", wording.closing: "closing page"}
    return instructions | pages | last | {one.text: one.id for one in protocol.rating.questions}


def _pieces(events: Sequence[Event], names: dict[str, str]) -> Iterator[tuple[float, Kind, int | None, str | None]]:
    """Each state of the screen: since when, what kind, in which trial, which message or question."""
    trial = None
    pauses = _pauses_s(events)
    for event in events:
        if isinstance(event, TrialBegan):
            trial = event.trial
        elif isinstance(event, TrialEnded):
            trial = None
        elif isinstance(event, Shown):
            paused = any(start_s <= event.onset_s < end_s for start_s, end_s in pauses)
            kind, shows = ("pause", None) if paused else _seen(event.scene, names)
            yield event.onset_s, kind, trial, shows


def _pauses_s(events: Sequence[Event]) -> list[tuple[float, float]]:
    ends_s = [event.time_s for event in events if isinstance(event, Resumed)]
    starts_s = [event.time_s for event in events if isinstance(event, Paused)]
    return list(zip(starts_s, [*ends_s, float("inf")], strict=False))


def _seen(scene: Scene, names: dict[str, str]) -> tuple[Kind, str | None]:
    match scene:
        case MessageScene():
            return "message", scene.message_id
        case ScaleScene():
            return "scale", names.get(scene.question)
        case TextScene():
            return ("fixation", None) if scene.style == "sign" else ("page", names.get(scene.text))
    return "blank", None


def strayed(sitting: Attempt, shown: Iterable[ShownScene]) -> ShownScene | None:
    """The first message or scale that is not the one that was planned at its place, or None."""
    started = sitting.started
    first = started.resumes.trial if started.resumes else 0
    trials = [one for one in (started.session.practice, *started.session.trials) if one.trial >= first]
    called = _called(started.session.protocol)
    planned = [(one.trial, shows) for one in trials for shows in (one.message_id, *map(called.get, one.questions))]
    watched = (one for one in shown if one.kind in WATCHED)
    visits = (next(group) for _, group in groupby(watched, lambda one: (one.trial, one.shows)))
    due = (visit for visit, _ in groupby(planned))
    return next((one for one in visits if next(due, None) != (one.trial, one.shows)), None)


def _called(protocol: Protocol) -> dict[str, str]:
    """What a question is called by its wording: itself, or another one that is worded the same."""
    names = _names(protocol)
    return {one.id: names[one.text] for one in protocol.rating.questions}


def refreshed(all_sittings: Iterable[Attempt], shown: Sequence[ShownScene]) -> Refreshed:
    """How the screen kept pace over all sittings."""
    parts = [_intervals(sitting) for sitting in all_sittings]
    middles_s, lengths_s, missed = (np.concatenate([part[index] for part in parts]) for index in range(3))
    if not lengths_s.size:
        return Refreshed()
    at = np.searchsorted([screen.start_s for screen in shown], middles_s, side="right") - 1
    is_watched = np.array([screen.kind in WATCHED for screen in shown])[at]
    late_ones = np.flatnonzero(missed)
    kept = late_ones[np.lexsort((lengths_s[late_ones], is_watched[late_ones]))[::-1][:KEPT]]
    late = [
        Late(float(middles_s[one]), float(lengths_s[one]), shown[at[one]].place, bool(is_watched[one]))
        for one in sorted(kept)
    ]
    due = missed + 1
    return Refreshed(
        due=int(due.sum()),
        missed=int(missed.sum()),
        due_watched=int(due[is_watched].sum()),
        missed_watched=int(missed[is_watched].sum()),
        hz=round(1 / float(np.median(lengths_s)), 2),
        late=tuple(late),
    )


def _intervals(sitting: Attempt) -> tuple[Times, Times, Times]:
    """Of the flips: the middle of each interval in session time, its length, and how many refreshes passed within."""
    records = [event for event in sitting.events if isinstance(event, Refreshes) and event.first_s is not None]
    flips_s = np.concatenate([np.empty(0), *map(_flips_s, records)])
    lengths_s = np.diff(flips_s)
    missed = np.maximum(np.rint(lengths_s * sitting.started.screen.refresh_hz) - 1, 0)
    return (flips_s[1:] + flips_s[:-1]) / 2 + sitting.later_s, lengths_s, missed


def _flips_s(record: Refreshes) -> Times:
    intervals_us = np.array((0, *record.intervals_us), dtype=np.float64)
    return (record.first_s or 0.0) + np.cumsum(intervals_us) / 1e6
