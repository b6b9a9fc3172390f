"""The trial table: one row for each message or object, read from a session's events.

Everything here is derived. Times in the table are seconds; an onset counts from the session's clock zero, a reaction
time from the flip that first showed the message or the scale, without the time of any pause. What is missing is `n/a`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from experiment.design.columns import TableColumn
from experiment.design.objects import Holding
from experiment.design.scan import ScheduleSlot
from experiment.design.session import Step, Trial
from experiment.record.data_dictionary import table_columns
from experiment.record.events import Click, Drag, Event, Key, MessageScene, Started, parse_utc
from experiment.record.events_of_tasks import Measured, TakenBack
from experiment.record.timeline import Response, TrialRun, answers, pauses, runs_by_trial, start_of
from experiment.record.tsv import MISSING, tsv

if TYPE_CHECKING:
    import pandas as pd

Cell = str | int | float | None
Row = dict[str, Cell]

DTYPES = {"text": "string", "count": "Int64", "seconds": "Float64", "number": "Float64"}
"""The columns' types in pandas: those that know missing values."""


def trial_rows(events: Sequence[Event]) -> list[Row]:
    """A row for each message or object of the session, in its order, also for those that were never reached.

    Each row has the columns of the protocol, in their order; None for what is missing. The practice is left out.
    """
    runs, started = runs_by_trial(events), start_of(events)
    return [_row(step, runs.get(step.trial, []), started) for step in started.session.steps]


def table_text(events: Sequence[Event]) -> str:
    """The session's trial table as its TSV file has it."""
    rows = trial_rows(events)
    return tsv(list(rows[0]), (list(row.values()) for row in rows))


def data_frame(columns: Sequence[TableColumn], rows: Sequence[Row]) -> pd.DataFrame:
    """Rows of trial tables with these columns; a cell that a row does not have is missing."""
    import pandas as pd

    series = {
        column.name: pd.Series([row.get(column.name) for row in rows], dtype=DTYPES[column.kind]) for column in columns
    }
    table: pd.DataFrame = pd.DataFrame(series)
    return table


def _row(step: Step, runs: Sequence[TrialRun], started: Started) -> Row:
    """The last run counts in which anything was rated: one interrupted before its last rating was done again."""
    session = started.session
    counts = max((at for at, run in enumerate(runs) if run.rated), default=len(runs) - 1)
    run = runs[counts] if runs else None
    later_s = _after_s(run.started.zero_utc, started.zero_utc) if run else 0.0
    first, *scales = run.responses if run else [Response()]
    scale_of = dict(zip_longest(step.questions, scales[: len(step.questions)], fillvalue=Response()))
    row = _of_message(step, first, later_s) if isinstance(step, Trial) else _of_object(step, run, later_s)
    if isinstance(step, Trial) and step.slot:
        row |= _of_slot(step.slot, first, run.zero_s if run else None)
    for question in session.protocol.rating.questions:
        row |= _rating(question.id, scale_of.get(question.id, Response()), later_s)
    row["question_order"] = ",".join(step.questions) or None
    row |= _circumstances(run)
    shown_before = sum(one.is_known for one in runs[:counts])
    row |= {"answered_with": answered_with(run) if run else None, "shown_before": shown_before if run else None}
    return {column.name: row.get(column.name) for column in table_columns(session)}


def _of_message(trial: Trial, response: Response, later_s: float) -> Row:
    return {
        "trial": trial.trial,
        "message_id": trial.message_id,
        "message_sha256": trial.message_sha256,
        "relationship": None if trial.relationship == MISSING else trial.relationship,
        "message_words": trial.words or 0,
        "message_onset": _rounded(response.onset_s, later_s),
        "reading_time": _rounded(response.rt_s(response.answered_s)),
        "source": trial.source or None,
    }


def _of_slot(slot: ScheduleSlot, message: Response, zero_s: float | None) -> Row:
    """Where a message is in its scanner's run, as planned and as it was."""
    return {
        "run": slot.run,
        "block": slot.block,
        "planned_onset": slot.onset_s,
        "run_onset": elapsed(zero_s, message.onset_s),
        "shown_time": elapsed(message.onset_s, message.end_s),
    }


def _of_object(holding: Holding, run: TrialRun | None, later_s: float) -> Row:
    handed_s = run.handed_s if run else None
    events = run.events if run else ()
    back_s = next((event.time_s for event in events if isinstance(event, TakenBack)), None)
    return {
        "trial": holding.trial,
        "object": holding.object,
        "object_onset": _rounded(handed_s, later_s),
        "held_time": elapsed(handed_s, back_s),
        **{event.measure: event.value for event in events if isinstance(event, Measured)},
    }


def _after_s(utc: str, first_utc: str) -> float:
    """How long one time of the wall clock is after another, both ISO 8601."""
    return 0.0 if utc == first_utc else (parse_utc(utc) - parse_utc(first_utc)).total_seconds()


def _rating(question_id: str, response: Response, later_s: float) -> Row:
    marks = response.marks
    return {
        question_id: response.value,
        f"{question_id}_onset": _rounded(response.onset_s, later_s),
        f"{question_id}_rt": _rounded(response.rt_s(marks[0].time_s)) if marks else None,
        f"{question_id}_confirm_rt": _rounded(response.rt_s(response.answered_s)),
        f"{question_id}_changes": len(marks) - 1 if marks else None,
    }


def _circumstances(run: TrialRun | None) -> Row:
    """What happened around the answers; all missing if the trial was never begun."""
    if run is None:
        return dict.fromkeys(("pauses", "focus_losses", "paused_time", "missed_frames", "timed_by"))
    paused = pauses(run.events)
    sources = {event.timed_by for event in answers(run.events) if event.timed_by}
    from experiment.record.refreshes import flips_s, missed_within  # with numpy, which only a table needs

    flips, spans_s, hz = flips_s(run.events), run.spans_s(MessageScene), run.started.screen.refresh_hz
    return {
        "pauses": len(paused),
        "focus_losses": sum(one.cause == "focus_lost" for one in paused),
        "paused_time": _rounded(math.fsum(one.length_s or 0.0 for one in paused)),
        "missed_frames": missed_within(flips, hz, spans_s) if flips.size and spans_s else None,
        "timed_by": "+".join(sorted(sources)) or None,
    }


def answered_with(run: TrialRun) -> str | None:
    """Keyboard, mouse or both: whatever moved when an answer was given; None if none was."""
    times_s = {event.time_s for event in answers(run.events) if event.time_s is not None}
    moved = [event for event in run.events if isinstance(event, Key | Click | Drag) and event.time_s in times_s]
    return "+".join(sorted({"keyboard" if isinstance(event, Key) else "mouse" for event in moved})) or None


def _rounded(time_s: float | None, later_s: float = 0.0) -> float | None:
    """To the microsecond: finer than any clock here."""
    return None if time_s is None else round(time_s + later_s, 6)


def elapsed(from_s: float | None, to_s: float | None) -> float | None:
    """From one time to the other, if both are known."""
    return None if from_s is None or to_s is None else _rounded(to_s - from_s)
