"""The tables made again from the logs, whatever became of them; what somebody wrote into one is kept or set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from msgspec import Struct

from experiment.design.visit import subject_name, visit_of_file
from experiment.errors import DayFourError
from experiment.record import transcript as log
from experiment.record.closing import list_closing
from experiment.record.dataset import DataSet, visit_row
from experiment.record.events import Ended, Event
from experiment.record.rescue import find_originals, find_unlike, put_back
from experiment.record.session_files import session_files
from experiment.record.timeline import start_of
from experiment.record.tsv import read_rows
from experiment.storage.atomic_file import write_whole
from experiment.storage.lock import is_written
from experiment.storage.read_file import read_file

UNLIKE = "it was changed after the program wrote it, so it is not the beginning of its rescued copy:"
DECIDE = "Compare both. Put the right one in the first place, and delete the copy's folder"
State = Literal["current", "missing", "behind", "changed"]


class Remade(Struct, frozen=True):
    """What was done about a session, or about the closing answers, in words."""

    what: str
    did: str
    failed: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.did.removesuffix('.')}."


def remake(data: DataSet) -> Iterator[Remade]:
    """Make every table that does not say what its log says once more; all that was done, or could not be.

    A table that somebody changed is set aside first, under `sourcedata/replaced`.
    """
    yield from _put_back(data.root)
    for path in data.transcripts_of_all():
        yield from _remake(data, path, only_behind=False)
    yield from _remake_closing(data)
    data.list_participants()


def catch_up(data: DataSet, subject: str) -> Iterator[Remade]:
    """The same for one subject, but for tables that somebody changed: those are left for a person to look at."""
    yield from _put_back(data.root / "sourcedata" / subject_name(subject))
    for path in data.transcripts_of_all():
        visit = visit_of_file(path)
        if visit and visit.subject == subject and not is_written(path):
            yield from _remake(data, path, only_behind=True)


def find_behind(data: DataSet) -> list[Path]:
    """Logs of sessions that have ended, whose tables are missing, or are older than the log and say less than it."""
    return [path for path in data.transcripts_of_all() if _may_be_behind(data, path) and _is_behind(data, path)]


def _may_be_behind(data: DataSet, path: Path) -> bool:
    """By the files' times alone, so that only few are read."""
    visit = visit_of_file(path)
    table = data.table_of(visit) if visit else None
    return table is None or table.stat().st_mtime < path.stat().st_mtime


def _is_behind(data: DataSet, path: Path) -> bool:
    try:
        if is_written(path) or not log.has_begun(path):
            return False
        events = log.read(path, pilot=True).events
        return isinstance(events[-1], Ended) and state_of_tables(data, events) in {"missing", "behind"}
    except DayFourError:
        return False  # `qa` tells of a log that cannot be read


def _put_back(folder: Path) -> Iterator[Remade]:
    """Copies that were rescued while a folder took nothing."""
    for path in find_originals(folder):
        try:
            if copy := put_back(path):
                yield Remade(path.name, f"restored from {copy}")
            for copy in find_unlike(path):
                yield Remade(path.name, f"NOT restored: {UNLIKE}\n  {path}\n  {copy}\n{DECIDE}", failed=True)
        except (DayFourError, OSError) as error:  # noqa: PERF203 - one that cannot be put back keeps no other
            yield Remade(path.name, f"NOT restored: {error}", failed=True)


def _remake(data: DataSet, path: Path, *, only_behind: bool) -> Iterator[Remade]:
    try:
        if not log.has_begun(path):
            return
        events = log.read(path, pilot=True).events
        state = state_of_tables(data, events)
        if state == "current" or (only_behind and state == "changed"):
            return
        kept = set_tables_aside(data, events) if state == "changed" else None
        data.save(events)
    except DayFourError as error:
        yield Remade(path.name, f"NOT made again: {error}", failed=True)
        return
    aside = f"; the earlier file is kept in {kept}" if kept else ""
    yield Remade(path.name, f"its tables were {state}, and were made again{aside}")


def _remake_closing(data: DataSet) -> Iterator[Remade]:
    tables = (data.funnel, data.guesses)
    try:
        before = [read_file(path) if path.exists() else b"" for path in tables]
        list_closing(data)
    except (DayFourError, OSError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        yield Remade(data.funnel.name, f"NOT made again: {why}", failed=True)
        return
    for path, content in zip(tables, before, strict=True):
        if path.exists() and read_file(path) != content:
            yield Remade(path.name, "made again")


def state_of_tables(data: DataSet, events: Sequence[Event]) -> State:
    """How a session's table, its dictionary and its row of the sessions file stand to its log's events.

    "behind": they are what an earlier moment of the same log gave, as when the program died.
    """
    # Until where the log goes, and went when its tables were saved before: after its start, and after each earlier end.
    ends = [len(events), 1, *(at + 1 for at, event in enumerate(events[:-1]) if isinstance(event, Ended))]
    started, files = start_of(events), [session_files(data, events[:end]) for end in ends]
    states = {_state(_text(path), [one.get(path) for one in files]) for path in files[0]}
    rows = [visit_row(started, events[end - 1]) for end in ends]
    row = read_rows(data.sessions(started.session.subject), "session_id").get(rows[0]["session_id"])
    states.add(_state(row and {name: row.get(name) for name in rows[0]}, rows))
    order: tuple[State, ...] = ("changed", "behind", "missing", "current")
    return next(state for state in order if state in states)


def _state(found: object, expected: Sequence[object]) -> State:
    """Of something as it was found; what is expected there now comes first, then what was before."""
    if found is None:
        return "missing"
    if found == expected[0]:
        return "current"
    return "behind" if found in expected else "changed"


def set_tables_aside(data: DataSet, events: Sequence[Event]) -> Path:
    """Copy a session's tables as they are; the folder."""
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%f")
    folder = data.root / "sourcedata" / "replaced" / now
    for path in (*session_files(data, events), data.sessions(start_of(events).session.subject)):
        if path.exists():
            write_whole(folder / path.relative_to(data.root), read_file(path))
    return folder


def _text(path: Path) -> str | None:
    try:
        return read_file(path).decode(errors="replace")
    except FileNotFoundError:
        return None
