"""The trial table: one row for each message, read from a session's events, with its data dictionary.

Everything here is derived. Times in the table are seconds; an onset counts from the session's clock zero, a reaction
time from the flip that first showed the message or the scale, without the time of any pause. What is missing is `n/a`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiment.errors import BadInput
from experiment.record.data_dictionary import SECONDS
from experiment.record.events import (
    Marked,
    MessageScene,
    Paused,
    Rated,
    Read,
    Refreshes,
    Resumed,
    ScaleScene,
    Shown,
    Started,
    TrialBegan,
    TrialEnded,
    parse_utc,
)
from experiment.record.tsv import MISSING, tsv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from experiment.design.session import Trial
    from experiment.record.events import Event, Scene

    Cell = str | int | float | None
    Story = Sequence[Event]

_TEXTS = frozenset({"message_id", "message_sha256", "relationship", "question_order", "timed_by"})


def trial_table(events: Iterable[Event]) -> pd.DataFrame:
    """One row for each message of the session, in the order of showing, also for those that were never reached.

    All tables of a protocol have the columns of its `data_dictionary`, in that order. The practice is left out.
    """
    import pandas as pd

    rows = trial_rows(events)
    table: pd.DataFrame = pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=_dtype(name)) for name in rows[0]}
    )
    return table


def trial_rows(events: Iterable[Event]) -> list[dict[str, Cell]]:
    """The rows of the trial table as plain values: None for what is missing."""
    started, *rest = events
    if not isinstance(started, Started):
        raise BadInput(f"Expected a session's events from its start, found {type(started).__name__} as the first.")
    takes = _takes(started, rest)
    return [_row(trial, takes.get(trial.trial, [_Take(started)]), started) for trial in started.session.trials]


@dataclass
class _Take:
    """A trial in one sitting: a session that died and went on has several sittings, each with a start of its own."""

    sitting: Started
    story: list[Event] = field(default_factory=list)

    @property
    def is_rated(self) -> bool:
        """Whether any question came to its end."""
        return any(isinstance(event, Rated) for event in self.story)


def _takes(started: Started, events: Iterable[Event]) -> dict[int, list[_Take]]:
    """The takes of each trial, in the order of time."""
    takes: dict[int, list[_Take]] = {}
    take = _Take(started)
    for event in events:
        if isinstance(event, Started):
            started, take = event, _Take(event)
        elif isinstance(event, TrialBegan):
            take = _Take(started)
            takes.setdefault(event.trial, []).append(take)
        take.story.append(event)
        if isinstance(event, TrialEnded):
            take = _Take(started)
    return takes


def _row(trial: Trial, takes: Sequence[_Take], started: Started) -> dict[str, Cell]:
    """The last take counts in which anything was rated: one that was cut off before its last rating was done again."""
    counts = max((at for at, take in enumerate(takes) if take.is_rated), default=len(takes) - 1)
    sitting, story = takes[counts].sitting, takes[counts].story
    later_s = _after_s(sitting.zero_utc, started.zero_utc)
    message, *scales = _visits(story)
    read = next((event for event in message if isinstance(event, Read)), None)
    scale_of = dict(zip_longest(trial.questions, scales[: len(trial.questions)], fillvalue=()))
    row: dict[str, Cell] = {
        "trial": trial.trial,
        "message_id": trial.message_id,
        "message_sha256": trial.message_sha256,
        "relationship": None if trial.relationship == MISSING else trial.relationship,
        "message_onset": _rounded(_onset_s(message, MessageScene), later_s),
        "reading_time": _after_onset_s(message, MessageScene, read.time_s if read else None),
    }
    for question in started.session.protocol.rating.questions:
        row |= _rating(question.id, scale_of[question.id], later_s)
    row["question_order"] = ",".join(trial.questions)
    row |= _circumstances(story, sitting.screen.refresh_hz)
    shown_before = sum(_onset_s(take.story, MessageScene) is not None for take in takes[:counts])
    return row | {"shown_before": shown_before if story else None}


def _after_s(utc: str, first_utc: str) -> float:
    """How long one time of the wall clock is after another, both ISO 8601."""
    return 0.0 if utc == first_utc else (parse_utc(utc) - parse_utc(first_utc)).total_seconds()


def _visits(story: Story) -> list[Story]:
    """The story in pieces that each end with an answer: the message's, then each scale's in the order of asking."""
    visits: list[list[Event]] = [[]]
    for event in story:
        visits[-1].append(event)
        if isinstance(event, (Read, Rated)):
            visits.append([])
    return list(visits)


def _rating(question_id: str, visit: Story, later_s: float) -> dict[str, Cell]:
    marks = [event for event in visit if isinstance(event, Marked)]
    rated = next((event for event in visit if isinstance(event, Rated)), None)
    return {
        question_id: rated.value if rated else None,
        f"{question_id}_onset": _rounded(_onset_s(visit, ScaleScene), later_s),
        f"{question_id}_rt": _after_onset_s(visit, ScaleScene, marks[0].time_s) if marks else None,
        f"{question_id}_confirm_rt": _after_onset_s(visit, ScaleScene, rated.time_s) if rated else None,
        f"{question_id}_changes": len(marks) - 1 if marks else None,
    }


def _circumstances(story: Story, refresh_hz: float) -> dict[str, Cell]:
    pauses = _pauses(story)
    sources = {event.timed_by for event in story if isinstance(event, (Read, Marked, Rated)) and event.timed_by}
    return {
        "pauses": sum(isinstance(event, Paused) for event in story) if story else None,
        "focus_losses": sum(event.cause == "focus_lost" for event in story if isinstance(event, Paused))
        if story
        else None,
        "paused_time": _rounded(math.fsum(end_s - start_s for start_s, end_s in pauses)) if story else None,
        "missed_frames": _missed_frames(story, refresh_hz),
        "timed_by": "+".join(sorted(sources)) or None,
    }


def _onset_s(visit: Story, kind: type[Scene]) -> float | None:
    return next((event.onset_s for event in visit if isinstance(event, Shown) and isinstance(event.scene, kind)), None)


def _after_onset_s(visit: Story, kind: type[Scene], time_s: float | None) -> float | None:
    """How long this kind of scene had been on the screen at a time, pauses excluded."""
    onset_s = _onset_s(visit, kind)
    if onset_s is None or time_s is None:
        return None
    paused_s = math.fsum(end_s - start_s for start_s, end_s in _pauses(visit) if onset_s <= start_s and end_s <= time_s)
    return _rounded(time_s - onset_s - paused_s)


def _pauses(story: Story) -> list[tuple[float, float]]:
    """When the pause page came and went; a pause in which the session ended has no end and is not here."""
    began = [event.time_s for event in story if isinstance(event, Paused)]
    return list(zip(began, (event.time_s for event in story if isinstance(event, Resumed)), strict=False))


def _missed_frames(story: Story, refresh_hz: float) -> int | None:
    """How many refreshes passed without a flip while the message itself was on the screen; None if no flip is known.

    An interval is judged by its middle, since the flips' microseconds were rounded and the onsets were not.
    """
    records = [event for event in story if isinstance(event, Refreshes)]
    flips_s = np.concatenate([np.empty(0), *map(_flips_s, records)])
    spans_s = _message_spans_s(story)
    if not flips_s.size or not spans_s:
        return None
    middles_s = (flips_s[1:] + flips_s[:-1]) / 2
    missed = np.maximum(np.rint(np.diff(flips_s) * refresh_hz) - 1, 0)
    return int(sum(missed[(start_s < middles_s) & (middles_s < end_s)].sum() for start_s, end_s in spans_s))


def _flips_s(record: Refreshes) -> np.ndarray[Any, np.dtype[np.float64]]:
    if record.first_s is None:
        return np.empty(0)
    intervals_us = np.array((0, *record.intervals_us), dtype=np.int64)
    return record.first_s + np.cumsum(intervals_us) / 1e6


def _message_spans_s(story: Story) -> list[tuple[float, float]]:
    """From when until when each state of the message was on the screen: until the next scene came, if one did."""
    shown = [event for event in story if isinstance(event, Shown)]
    ends_s = [*(event.onset_s for event in shown[1:]), math.inf]
    return [
        (event.onset_s, end_s)
        for event, end_s in zip(shown, ends_s, strict=False)
        if isinstance(event.scene, MessageScene)
    ]


def _rounded(time_s: float | None, later_s: float = 0.0) -> float | None:
    """To the microsecond: finer than any clock here."""
    return None if time_s is None else round(time_s + later_s, 6)


def as_text(table: pd.DataFrame) -> str:
    """The table as a TSV file has it."""
    columns = [table[name].to_numpy(object, na_value=MISSING) for name in table.columns]
    return tsv(list(table.columns), zip(*columns, strict=True))


def read_table(path: Path) -> pd.DataFrame:
    """A trial table from its file, equal to the one that was written."""
    import pandas as pd

    texts = pd.read_csv(path, sep="\t", dtype="string", keep_default_na=False, na_values=[MISSING])
    table: pd.DataFrame = texts.astype({name: _dtype(name) for name in texts.columns})
    return table


def _dtype(column: str) -> Literal["string", "Float64", "Int64"]:
    """The column's type in pandas: those that know missing values."""
    if column in _TEXTS:
        return "string"
    return "Float64" if column.endswith(SECONDS) else "Int64"
