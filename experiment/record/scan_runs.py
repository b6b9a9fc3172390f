"""What was on the screen in each run of a scanner, as BIDS has it beside the images: `func/..._events.tsv`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiment.design.columns import TableColumn
from experiment.design.sources import CLOSE, LEVELS
from experiment.record.events import Started
from experiment.record.events_of_tasks import RunBegan
from experiment.record.timeline import attempts, trial_runs
from experiment.record.trial_table import elapsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiment.design.session import SessionPlan, Trial
    from experiment.record.events import Event
    from experiment.record.timeline import TrialRun
    from experiment.record.trial_table import Row

RATING = "rating"


def run_rows(events: Sequence[Event]) -> dict[int, list[Row]]:
    """By run a row for each message and question that was shown, in order; onsets count from the first pulse kept."""
    started = events[0]
    assert isinstance(started, Started)  # noqa: S101 - whoever reads a log lets no other through
    trials = {trial.trial: trial for trial in started.session.trials}
    rows: dict[int, list[Row]] = {event.run: [] for event in events if isinstance(event, RunBegan)}
    for run in (run for attempt in attempts(events) for run in trial_runs(attempt)) if rows else ():
        trial = trials[run.trial]
        if trial.slot:
            rows[trial.slot.run] += _rows(run, trial, trial.slot.block)
    return rows


def run_dictionary(session: SessionPlan) -> dict[str, Any]:
    """What its columns mean."""
    return {column.name: column.entry for column in _columns(session)}


def _columns(session: SessionPlan) -> tuple[TableColumn, ...]:
    rating, levels = session.protocol.rating, {**LEVELS, RATING: "A question with its scale"}
    extents = " or ".join(dict.fromkeys(rating.scale(question).extent for question in rating.questions))
    return (
        TableColumn("onset", "seconds", "When it came on the screen, since the first pulse of the run that was kept."),
        TableColumn("duration", "seconds", "How long it was on the screen."),
        TableColumn("trial_type", "text", "Whom the message was from, or that it was a question.", levels),
        TableColumn("trial", "count", "The message's position in the session, as in the table of the session."),
        TableColumn("block", "count", "The block of messages from one source, from 1 through the session."),
        TableColumn("message_id", "text", "The message's id in the file of messages."),
        TableColumn("question", "text", "The question's id."),
        TableColumn("rating", "count", f"The answer, {extents}; n/a if there was none in time."),
        TableColumn("response_time", "seconds", "From onset to the last press, which made the answer final."),
    )


def _rows(run: TrialRun, trial: Trial, block: int) -> Iterator[Row]:
    """The message of a trial, then each of its questions, as far as they came on the screen."""
    kinds = [(trial.source or CLOSE, None), *((RATING, question) for question in trial.questions)]
    for (kind, question), response in zip(kinds, run.responses, strict=False):
        if response.onset_s is not None:
            yield {
                "onset": elapsed(run.zero_s, response.onset_s),
                "duration": elapsed(response.onset_s, response.end_s),
                "trial_type": kind,
                "trial": trial.trial,
                "block": block,
                "message_id": trial.message_id,
                "question": question,
                "rating": response.value,
                "response_time": elapsed(response.onset_s, response.answered_s),
            }
