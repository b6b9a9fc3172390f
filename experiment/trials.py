"""The trial table: one row for each message, read from a session's events, with its data dictionary.

Everything here is derived. Times in the table are seconds; an onset counts from the session's clock zero, a reaction
time from the flip that first showed the message or the scale, without the time of any pause. What is missing is `n/a`.
"""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiment.errors import BadInput
from experiment.events import (
    Marked,
    Message,
    Paused,
    Rated,
    Read,
    Refreshes,
    Resumed,
    Scale,
    Shown,
    Started,
    TrialBegan,
    TrialEnded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from experiment.design import Trial
    from experiment.events import Event, Frame
    from experiment.protocol import Protocol, Question

    Cell = str | int | float | None
    Story = Sequence[Event]

MISSING = "n/a"
_TEXTS = frozenset({"message_id", "message_sha256", "relationship", "question_order", "timed_by"})
_SECONDS = ("_onset", "_rt", "_time")


def trial_table(events: Iterable[Event]) -> pd.DataFrame:
    """One row for each message of the session, in the order of showing, also for those that were never reached.

    A protocol's tables all have the same columns: those of `data_dictionary`, in its order. The practice is left out.
    """
    import pandas as pd

    started, *rest = events
    if not isinstance(started, Started):
        raise BadInput(f"Expected a session's events from its start, found {type(started).__name__} as the first.")
    stories = _stories(rest)
    rows = [_row(trial, stories.get(trial.trial, ()), started) for trial in started.session.trials]
    table: pd.DataFrame = pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=_dtype(name)) for name in rows[0]}
    )
    return table


def _stories(events: Iterable[Event]) -> dict[int, Story]:
    """The events of each trial; of one that was begun again, the last."""
    stories: dict[int, Story] = {}
    story: list[Event] = []
    for event in events:
        if isinstance(event, TrialBegan):
            story = stories[event.trial] = []
        story.append(event)
        if isinstance(event, TrialEnded):
            story = []
    return stories


def _row(trial: Trial, story: Story, started: Started) -> dict[str, Cell]:
    message, *scales = _visits(story)
    read = next((event for event in message if isinstance(event, Read)), None)
    scale_of = dict(zip_longest(trial.questions, scales[: len(trial.questions)], fillvalue=()))
    row: dict[str, Cell] = {
        "trial": trial.trial,
        "message_id": trial.message_id,
        "message_sha256": trial.message_sha256,
        "relationship": None if trial.relationship == MISSING else trial.relationship,
        "message_onset": _rounded(_onset_s(message, Message)),
        "reading_time": _after_onset_s(message, Message, read.time_s if read else None),
    }
    for question in started.session.protocol.rating.questions:
        row |= _rating(question.id, scale_of[question.id])
    row["question_order"] = ",".join(trial.questions)
    return row | _circumstances(story, started.screen.refresh_hz)


def _visits(story: Story) -> list[Story]:
    """The story in pieces that each end with an answer: the message's, then each scale's in the order of asking."""
    visits: list[list[Event]] = [[]]
    for event in story:
        visits[-1].append(event)
        if isinstance(event, (Read, Rated)):
            visits.append([])
    return list(visits)


def _rating(question_id: str, visit: Story) -> dict[str, Cell]:
    marks = [event for event in visit if isinstance(event, Marked)]
    rated = next((event for event in visit if isinstance(event, Rated)), None)
    return {
        question_id: rated.value if rated else None,
        f"{question_id}_onset": _rounded(_onset_s(visit, Scale)),
        f"{question_id}_rt": _after_onset_s(visit, Scale, marks[0].time_s) if marks else None,
        f"{question_id}_confirm_rt": _after_onset_s(visit, Scale, rated.time_s) if rated else None,
        f"{question_id}_changes": len(marks) - 1 if marks else None,
    }


def _circumstances(story: Story, refresh_hz: float) -> dict[str, Cell]:
    pauses = _pauses(story)
    sources = {event.timed_by for event in story if isinstance(event, (Read, Marked, Rated)) and event.timed_by}
    return {
        "pauses": sum(isinstance(event, Paused) for event in story) if story else None,
        "paused_time": _rounded(math.fsum(end_s - start_s for start_s, end_s in pauses)) if story else None,
        "missed_frames": _missed_frames(story, refresh_hz),
        "timed_by": "+".join(sorted(sources)) or None,
    }


def _onset_s(visit: Story, kind: type[Frame]) -> float | None:
    return next((event.onset_s for event in visit if isinstance(event, Shown) and isinstance(event.frame, kind)), None)


def _after_onset_s(visit: Story, kind: type[Frame], time_s: float | None) -> float | None:
    """How long this kind of frame had been on the screen at a time, pauses excluded."""
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
    """From when until when each state of the message was on the screen: until the next frame came, if one did."""
    shown = [event for event in story if isinstance(event, Shown)]
    ends_s = [*(event.onset_s for event in shown[1:]), math.inf]
    return [
        (event.onset_s, end_s) for event, end_s in zip(shown, ends_s, strict=False) if isinstance(event.frame, Message)
    ]


def _rounded(time_s: float | None) -> float | None:
    """To the microsecond: finer than any clock here."""
    return None if time_s is None else round(time_s, 6)


def data_dictionary(protocol: Protocol) -> dict[str, Any]:
    """The table's BIDS sidecar: the task, then each column with its meaning, units and levels."""
    wording = protocol.wording
    instructions = (wording.welcome, *wording.instructions, wording.practice, wording.begin)
    questions = protocol.rating.questions
    ratings = {name: meaning for question in questions for name, meaning in _explained(question).items()}
    levels = {question.id: {"Levels": _levels(question, protocol.rating.points)} for question in questions}
    return {
        "TaskName": protocol.task,
        "TaskDescription": _TASK.format(messages=protocol.messages, points=protocol.rating.points),
        "Instructions": "\n\n".join(text.strip() for text in instructions),
        "ProtocolSHA256": protocol.sha256,
        **{
            name: {"Description": meaning} | ({"Units": "s"} if name.endswith(_SECONDS) else levels.get(name, {}))
            for name, meaning in (_FIRST_COLUMNS | ratings | _LAST_COLUMNS).items()
        },
    }


_TASK = (
    "The participant reads {messages} messages from loved ones, one at a time, and answers after each of them on "
    "scales of {points} points. A row is a message, in the order of showing. n/a: something did not happen, "
    "such as a rating that was not given in time, or a message that an ended session did not reach."
)
_ZERO = "since the session's clock zero (acq_time in the sessions file)"
_FIRST_COLUMNS = {
    "trial": "Position of the message in the session, from 1.",
    "message_id": "The message's id in the file of messages.",
    "message_sha256": "SHA-256 of the message's text as UTF-8.",
    "relationship": "What the writer is to the participant, as in the file of messages.",
    "message_onset": f"When the message was first on the screen, {_ZERO}.",
    "reading_time": "From message_onset to the press that went on, without pauses; n/a if its maximum time ended it.",
}
_LAST_COLUMNS = {
    "question_order": "The questions' ids in the order of asking, with a comma between them.",
    "pauses": "How often the session was paused within the trial.",
    "paused_time": "Length of these pauses in all; a pause in which the session ended adds nothing.",
    "missed_frames": "Refreshes without a flip while the message was on the screen; n/a if flips were not recorded.",
    "timed_by": (
        "What took the times of the answers, with a plus between several. queue: psychtoolbox's raw event queue, when "
        "the key moved. iohub: ioHub, when the key moved. poll: the window, once a refresh, so up to one refresh late. "
        "robot: a synthetic participant."
    ),
}


def _explained(question: Question) -> dict[str, str]:
    """A rating's five columns."""
    name = question.id
    return {
        name: f'The confirmed answer to "{question.text}"; n/a if none was confirmed in time.',
        f"{name}_onset": f"When the scale of {name} was first on the screen, {_ZERO}.",
        f"{name}_rt": f"From {name}_onset to the first choice, without pauses, even if never confirmed.",
        f"{name}_confirm_rt": f"From {name}_onset to the press that made the answer final, without pauses.",
        f"{name}_changes": "How often the marker moved after the first choice; n/a if there was none.",
    }


def _levels(question: Question, points: int) -> dict[str, str]:
    between = {str(point): f"{point} of {points}, without a label" for point in range(2, points)}
    return {"1": question.low, **between, str(points): question.high}


def as_text(table: pd.DataFrame) -> str:
    """The table as a TSV file has it."""
    columns = [table[name].to_numpy(object, na_value=MISSING) for name in table.columns]
    return tsv(list(table.columns), zip(*columns, strict=True))


def tsv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Tab-separated values as BIDS has them: `n/a` for None, quotes round a cell that needs them and no other."""
    return "".join("\t".join(map(_field, row)) + "\n" for row in (columns, *rows))


def _field(cell: object) -> str:
    text = MISSING if cell is None else str(cell)
    # Quoted here, since Python's csv module leaves a lone carriage return bare in some of its versions.
    return '"' + text.replace('"', '""') + '"' if any(one in text for one in '\t"\n\r') else text


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
    return "Float64" if column.endswith(_SECONDS) else "Int64"
