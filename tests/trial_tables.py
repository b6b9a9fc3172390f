"""Trial tables read from their files, for tests to look at."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

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
