"""One long table over all sessions: the trial tables below each other, with whose they are, and their dictionary."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from experiment.design.columns import TableColumn
from experiment.design.visit import session_name, subject_name
from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.data_dictionary import table_columns
from experiment.record.find_sessions import find_sessions
from experiment.record.trial_table import data_frame, trial_rows
from experiment.record.tsv import MISSING, json_text, tsv
from experiment.storage.atomic_file import write_whole
from experiment.system.processes import Progress, map_on_all_cores

if TYPE_CHECKING:
    import pandas as pd


FEW, CHUNK = 150, 32  # sessions that are read sooner than further processes start; that one is given at a time
MISSING_IN_CSV = "NA"
"""What R and pandas take for a missing value by themselves; a TSV file has `n/a`, as BIDS wants it."""
KEYS = (
    TableColumn("participant_id", "text", "The participant's ID, with the prefix sub-."),
    TableColumn(
        "session_id", "text", "The session: the day fours of a participant in time. It does not tell the drug."
    ),
)


class SessionTable(Struct, frozen=True):
    """A session's rows with its keys, and what its columns mean."""

    columns: tuple[TableColumn, ...]
    rows: list[dict[str, str | int | float | None]]


def read_sessions(place: Path, *, pilot: bool, progress: Progress) -> tuple[list[SessionTable], list[str]]:
    """The tables of all sessions of a data set, or of one transcript, and why any cannot be read.

    With `pilot` those of its pilots, or of a simulated data set. BadInput if there is no session that can be read.
    """
    paths = find_sessions(place, pilot=pilot)[1] if place.is_dir() else [place]
    read = map_on_all_cores(partial(_read_session, pilot=pilot), paths, few=FEW, chunk=CHUNK, progress=progress)
    sessions = [one for one in read if isinstance(one, SessionTable)]
    unread = [one for one in read if isinstance(one, str)]
    if not sessions:
        raise BadInput(unread[0])
    return sessions, unread


def _read_session(path: Path, *, pilot: bool) -> SessionTable | str:
    """The trial table of a transcript, or why it cannot be read; a pilot or a simulation only if `pilot`."""
    try:
        read = log.read(path, pilot=pilot)
    except BadInput as error:
        return str(error)
    session = read.started.session
    keys = {"participant_id": subject_name(session.subject), "session_id": session_name(session.session)}
    columns = (*KEYS, *table_columns(session))
    return SessionTable(columns, [{**keys, **row} for row in trial_rows(read.events)])


def long_table(sessions: Sequence[SessionTable]) -> pd.DataFrame:
    """A row for each message of each session; columns that only some protocols have are missing in the others."""
    return data_frame(_columns(sessions), [row for session in sessions for row in session.rows])


def columns_and_rows(sessions: Sequence[SessionTable]) -> tuple[list[str], list[list[str | int | float | None]]]:
    """The same for a program: the columns' names, and the rows, None for what is missing."""
    names = [column.name for column in _columns(sessions)]
    return names, [[row.get(name) for name in names] for session in sessions for row in session.rows]


def long_dictionary(sessions: Sequence[SessionTable]) -> dict[str, Any]:
    """What each column means; where protocols differ in it, all that it means."""
    return {column.name: column.entry for column in _columns(sessions)}


def save_long_table(sessions: Sequence[SessionTable], out: Path) -> Path:
    """Write the table as its name ends, with its dictionary beside it; the dictionary's file.

    BadInput for another ending than .tsv, .csv or .parquet, and for a file that is there already.
    """
    dictionary = out.with_suffix(".json")
    for path in (out, dictionary):
        if path.exists():
            raise BadInput(f"{path} already exists and is not overwritten. Choose another --out, or delete it.")
    write_whole(out, _content(long_table(sessions), out))
    write_whole(dictionary, json_text(long_dictionary(sessions)))
    return dictionary


def table_as_tsv(table: pd.DataFrame) -> str:
    """The table as tab-separated values, as BIDS has them."""
    cells = [table[name].to_numpy(object, na_value=MISSING) for name in table.columns]
    return tsv(list(table.columns), zip(*cells, strict=True))


def _content(table: pd.DataFrame, out: Path) -> str | bytes:
    if out.suffix == ".tsv":
        return table_as_tsv(table)
    if out.suffix == ".csv":
        return str(table.to_csv(index=False, na_rep=MISSING_IN_CSV, lineterminator="\n"))
    if out.suffix == ".parquet":
        file = io.BytesIO()
        table.to_parquet(file, index=False)
        return file.getvalue()
    raise BadInput(f"--out must end in .tsv, .csv or .parquet (you wrote {out.name}).")


def _columns(sessions: Iterable[SessionTable]) -> list[TableColumn]:
    """The columns of all sessions, those of one protocol that another does not have after its own last."""
    merged: dict[str, TableColumn] = {}
    for session in sessions:
        new = {column.name: column for column in session.columns}
        merged = {name: _merge(merged.get(name), new.get(name)) for name in _order(merged, new)}
    return list(merged.values())


def _order(known: dict[str, TableColumn], new: dict[str, TableColumn]) -> list[str]:
    """The known names, and each new one after the one that it follows in its own table."""
    names = list(known)
    before: str | None = None
    for name in new:
        if name not in known:
            names.insert(names.index(before) + 1 if before else 0, name)
        before = name
    return names


def _merge(known: TableColumn | None, new: TableColumn | None) -> TableColumn:
    one = known or new
    assert one is not None  # noqa: S101 - each name is in at least one of them
    if new is None or new == one or new.description in one.description:
        return one
    return replace(one, description=f"{one.description} In other sessions: {new.description}")
