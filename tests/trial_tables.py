"""Trial tables as data frames, from events and from their files, for tests to look at."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiment.record.data_dictionary import table_columns
from experiment.record.events import Event, Started
from experiment.record.trial_table import data_frame, trial_rows
from experiment.record.tsv import MISSING

TEXTS = ("message_id", "message_sha256", "relationship", "question_order", "timed_by", "answered_with")
SECONDS = ("_onset", "_rt", "_time")


def read_table(path: Path) -> pd.DataFrame:
    """A trial table from its file, equal to the one that was written."""
    texts = pd.read_csv(path, sep="\t", dtype="string", keep_default_na=False, na_values=[MISSING])
    types = {name: "string" if name in TEXTS else _number(str(name)) for name in texts.columns}
    table: pd.DataFrame = texts.astype(types)
    return table


def _number(column: str) -> str:
    return "Float64" if column.endswith(SECONDS) else "Int64"


def trial_table(told: Sequence[Event]) -> pd.DataFrame:
    """The trial table of a session's events."""
    rows = trial_rows(told)
    assert isinstance(told[0], Started)
    return data_frame(table_columns(told[0].session), rows)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of any table, as texts."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
