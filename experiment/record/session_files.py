"""Every file of a session that follows from its log: its table, a scanner's runs, and what their columns mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiment.design.columns import TableColumn
from experiment.design.session import SessionPlan, Trial
from experiment.design.sources import CLOSE, LEVELS
from experiment.design.visit import Visit
from experiment.record.data_dictionary import data_dictionary
from experiment.record.events import Event
from experiment.record.events_of_tasks import RunBegan
from experiment.record.timeline import TrialRun, attempts, start_of, trial_runs
from experiment.record.trial_table import Row, elapsed, table_text
from experiment.record.tsv import json_text, tsv

if TYPE_CHECKING:
    from experiment.record.dataset import DataSet


RATING = "rating"


def session_files(data: DataSet, events: Sequence[Event]) -> dict[Path, str]:
    """By path what each of them holds, as far as `events` tell; a run is among them once it began."""
    session = start_of(events).session
    task = session.protocol.task
    table = data.table(session.visit, task)
    files = {table: table_text(events), table.with_suffix(".json"): json_text(data_dictionary(session))}
    for run, rows in run_rows(events).items():
        path = _scan_folder(data, session.visit) / f"{session.visit.stem}_task-{task}_run-{run}_events.tsv"
        columns = run_dictionary(session)
        files[path] = tsv(list(columns), ([row.get(name) for name in columns] for row in rows))
        files[path.with_suffix(".json")] = json_text(columns)
    return files


def find_scan_tables(data: DataSet, visit: Visit) -> list[Path]:
    """The tables of a visit's runs that are there, with their dictionaries."""
    return sorted(_scan_folder(data, visit).glob(f"{visit.stem}_*_events.*"))


def _scan_folder(data: DataSet, visit: Visit) -> Path:
    """Where BIDS has what goes with functional images."""
    return data.root / visit.folder / "func"


def run_rows(events: Sequence[Event]) -> dict[int, list[Row]]:
    """By run a row for each message and question that was shown, in order; onsets count from the first pulse kept."""
    trials = {trial.trial: trial for trial in start_of(events).session.trials}
    rows: dict[int, list[Row]] = {event.run: [] for event in events if isinstance(event, RunBegan)}
    for run in (run for attempt in attempts(events) for run in trial_runs(attempt)) if rows else ():
        trial = trials[run.trial]
        if trial.slot:
            rows[trial.slot.run] += _rows(run, trial, trial.slot.block)
    return rows


def run_dictionary(session: SessionPlan) -> dict[str, Any]:
    """What the columns of a run's table mean."""
    rating, levels = session.protocol.rating, {**LEVELS, RATING: "A question with its scale"}
    extents = " or ".join(dict.fromkeys(rating.scale(question).extent for question in rating.questions))
    columns = (
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
    return {column.name: column.entry for column in columns}


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
