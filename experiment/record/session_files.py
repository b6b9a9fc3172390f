"""Every file of a session that follows from its log: its table, a scanner's runs, and what their columns mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiment.record.data_dictionary import data_dictionary
from experiment.record.events import Started
from experiment.record.scan_runs import run_dictionary, run_rows
from experiment.record.trial_table import table_text
from experiment.record.tsv import json_text, tsv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiment.design.visit import Visit
    from experiment.record.dataset import DataSet
    from experiment.record.events import Event


def session_files(data: DataSet, events: Sequence[Event]) -> dict[Path, str]:
    """By path what each of them holds, as far as `events` tell; a run is among them once it began."""
    started = events[0]
    assert isinstance(started, Started)  # noqa: S101 - whoever reads a log lets no other through
    session, task = started.session, started.session.protocol.task
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
