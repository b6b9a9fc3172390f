"""The data folder: a BIDS data set of trial tables and visits, with the transcripts beside it under `sourcedata/`.

No file is ever half there, nothing of a session is ever overwritten by another one, and what people add (authors, a
README, columns in `participants.tsv`) stays. Source: the Brain Imaging Data Structure 1.10, "Behavioral experiments"
and "Data summary files".
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from experiment.design.columns import SESSIONS_COLUMNS
from experiment.design.visit import (
    LABEL,
    NUMBER,
    Visit,
    bare_label,
    session_name,
    session_number,
    subject_label,
    subject_name,
)
from experiment.errors import BadInput, EquipmentFailure
from experiment.record.data_dictionary import PARTICIPANTS_COLUMNS, sessions_dictionary
from experiment.record.dataset_description import describe_dataset
from experiment.record.events import Ended, Event, Started
from experiment.record.session_files import find_scan_tables, session_files
from experiment.record.timeline import start_of
from experiment.record.tsv import MISSING, describe_columns, read_dictionary, read_table, write_rows
from experiment.storage.atomic_file import write_whole
from experiment.storage.lock import one_at_a_time

Columns = Mapping[str, dict[str, str]]

ENOUGH_BYTES = 100_000_000
PILOT = "pilot"
LEFT_OUT = (PILOT, "timing", "study")  # folders that are no part of the BIDS data set
TRANSCRIPT = re.compile(rf"sub-{LABEL}_ses-{NUMBER}_task-[A-Za-z0-9]+_transcript\.jsonl")
TABLE = re.compile(rf"sub-{LABEL}_ses-{NUMBER}_task-[A-Za-z0-9]+_beh\.tsv")
EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class DataSet:
    """The data set in the folder `root`; `task` and `subject` are BIDS labels without their prefixes."""

    root: Path

    @property
    def pilot(self) -> DataSet:
        """The data set of pilots and synthetic participants: laid out the same, and no part of this one."""
        return DataSet(self.root / PILOT)

    @classmethod
    def of_transcript(cls, path: Path) -> DataSet:
        """The data set in which a transcript is, by its place."""
        parents = path.absolute().parents
        return cls(parents[min(3, len(parents) - 1)])

    def transcript(self, visit: Visit, task: str) -> Path:
        """Where the transcript of a session with this task belongs."""
        return self.root / "sourcedata" / visit.folder / f"{visit.stem}_task-{task}_transcript.jsonl"

    def transcript_of(self, visit: Visit) -> Path | None:
        """The transcript of a visit, whatever its task; None if there is none. BadInput if there are two."""
        found = self._transcripts(visit)
        if len(found) > 1:
            raise BadInput(
                f"{visit} has {len(found)} transcripts; only one can be right:\n"
                + "".join(f"  {path}\n" for path in found)
                + "Move the others out of the data folder, or ask the person who leads the study."
            )
        return found[0] if found else None

    def _transcripts(self, visit: Visit) -> list[Path]:
        folder = self.root / "sourcedata" / visit.folder
        return sorted(path for path in folder.glob("*_transcript.jsonl") if TRANSCRIPT.fullmatch(path.name))

    def chosen(self, *, pilot: bool) -> DataSet:
        """With `pilot` the data set of its pilots; itself if it has none, as if it is simulated."""
        return self.pilot if pilot and self.pilot.root.is_dir() else self

    def transcripts_of_all(self) -> list[Path]:
        """The transcripts of all visits; copies and hidden files are none (`strays`)."""
        folders = self.root.glob("sourcedata/sub-*/ses-*")
        own = [visit for path in folders if (visit := _visit_of_folder(path))]
        return sorted(path for visit in own for path in self._transcripts(visit))

    def set_aside(self, visit: Visit) -> Path:
        """Where logs of this visit are that were set aside, since it was begun again."""
        return self.root / "sourcedata" / visit.folder / "set-aside"

    def logs_set_aside(self, visit: Visit) -> list[Path]:
        """Those logs, in the order of time."""
        return sorted(self.set_aside(visit).glob("*_transcript.jsonl"))

    def table(self, visit: Visit, task: str) -> Path:
        """Where the trial table of a session with this task belongs; its dictionary beside it ends in `.json`."""
        return self.root / visit.folder / "beh" / f"{visit.stem}_task-{task}_beh.tsv"

    def table_of(self, visit: Visit) -> Path | None:
        """The trial table of a visit, whatever its task; None if there is none."""
        found = (self.root / visit.folder / "beh").glob("*_beh.tsv")
        return next((path for path in sorted(found) if TABLE.fullmatch(path.name)), None)

    def tables_of_all(self) -> list[Path]:
        """The trial tables of all visits."""
        own = (table for path in self.root.glob("sub-*/ses-*") if (visit := _visit_of_folder(path))
               for table in [self.table_of(visit)])  # fmt: skip
        return sorted(path for path in own if path)

    def sessions(self, subject: str) -> Path:
        """Where a subject's visits stand, with the assistant's answers; the dictionary beside it ends in `.json`."""
        name = subject_name(subject)
        return self.root / name / f"{name}_sessions.tsv"

    def prepare(self) -> None:
        """Make the folder a data set, if it is none; EquipmentFailure if nothing can be saved there.

        BadInput names what is wrong in a table of all participants that people edited.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                free_bytes = shutil.disk_usage(self.root).free
        except OSError as error:
            raise EquipmentFailure(
                f"Cannot save data in {self.root}: {error.strerror}. Choose another --data."
            ) from error
        if free_bytes < ENOUGH_BYTES:
            found = f"{free_bytes // 10**6} MB are free; {ENOUGH_BYTES // 10**6} MB are needed"
            raise EquipmentFailure(f"The disk of {self.root} is nearly full: {found}. Free space or choose --data.")
        describe_dataset(self.root, LEFT_OUT)
        self.list_participants()
        read_table(self.funnel, "participant_id")
        read_dictionary(self.funnel.with_suffix(".json"))

    def check_free(self, visit: Visit) -> None:
        """BadInput if this visit has data already, or if the subject differs from an older one only by case."""
        for path in (self.transcript_of(visit), self.table_of(visit)):
            if path:
                raise BadInput(
                    f"{visit} has data already, and data are never overwritten:\n  {path}\n"
                    "Check the subject and the session; the next visit has the next session's number. `dayfour qa` "
                    "shows what was recorded. A session in which no message was seen can be begun again with "
                    '`--begin-again "REASON"`.'
                )
        own = subject_name(visit.subject)
        for name in self.subjects():
            if name != own and name.casefold() == own.casefold():
                raise BadInput(
                    f"There is already a {name}, which differs from {own} only in capital letters. Use that spelling."
                )

    def check_tables(self, subject: str) -> None:
        """BadInput if a table that people may edit is such that this subject's session could not be added later."""
        read_table(self.sessions(subject), "session_id")
        read_dictionary(self.sessions(subject).with_suffix(".json"))

    def next_subject(self, prefix: str) -> str:
        """A subject that is not there yet: the prefix and the number after the highest in use."""
        own = subject_name(prefix)
        ends = (name.removeprefix(own) for name in self.subjects() if name.startswith(own))
        numbers = (int(end) for end in ends if end.isdecimal())
        return f"{prefix}{max(numbers, default=0) + 1:03}"

    def save(self, events: Sequence[Event]) -> None:
        """Write a session's table and dictionary and its row of the sessions file, as far as `events` tell.

        May be repeated, at any time. Other sessions' rows stay, and so does what is there of the assistant's answers:
        somebody may have corrected it.
        """
        started = start_of(events)
        for path, text in session_files(self, events).items():
            write_whole(path, text)
        self._add_visit(started, visit_row(started, events[-1]))
        describe_dataset(self.root, LEFT_OUT)  # somebody may have deleted the folder since the start

    def forget(self, visit: Visit) -> None:
        """Take a visit out of the tables; EquipmentFailure if that cannot be."""
        path = self.sessions(visit.subject)
        with self.writing():
            columns, before = read_table(path, "session_id")
            rows = [row for name, row in before.items() if name != session_name(visit.session)]
            if len(rows) < len(before):
                write_rows(path, rows, first=columns)
        beh = self.table_of(visit)
        tables = [beh, beh.with_suffix(".json")] if beh else []
        for file in (*tables, *find_scan_tables(self, visit)):
            _remove(file)

    def _add_visit(self, started: Started, row: dict[str, str]) -> None:
        path = self.sessions(started.session.subject)
        with self.writing():
            columns, before = read_table(path, "session_id")
            there = {name: cell for name, cell in before.get(row["session_id"], {}).items() if cell != MISSING}
            answers = {name: cell(value) for name, value in (started.answers or {}).items()}
            rows = before | {row["session_id"]: answers | there | row}
            write_rows(path, [rows[visit] for visit in sorted(rows)], first=[*SESSIONS_COLUMNS, *columns])
            describe_columns(path.with_suffix(".json"), sessions_dictionary(started.session.protocol))

    def list_participants(self, known: Mapping[str, Mapping[str, str]] = EMPTY, columns: Columns = EMPTY) -> None:
        """Add the subjects with a folder to `participants.tsv`; rows and columns that others added stay.

        Without any subject there is no such file: the validator wants it so. `known`: cells of those subjects, by their
        names, and what their columns mean.
        """
        path = self.root / "participants.tsv"
        dictionary = path.with_suffix(".json")
        with self.writing():
            named, before = read_table(path, "participant_id")
            read_dictionary(dictionary)  # refused before anything is written
            rows = {name: {"participant_id": name} for name in self._folders(self.root)} | before
            if rows:
                told = [{**rows[name], **known.get(name, {})} for name in sorted(rows)]
                write_rows(path, told, first=["participant_id", *named])
                describe_columns(dictionary, {**PARTICIPANTS_COLUMNS, **columns})

    @property
    def funnel(self) -> Path:
        """Where the answers to the funnel stand, a row for each participant."""
        return self.root / "phenotype" / "funnel.tsv"

    @property
    def guesses(self) -> Path:
        """Where it stands what participants took each session's treatment for, a row for each visit."""
        return self.root / "phenotype" / "guess.tsv"

    def writing(self) -> AbstractContextManager[None]:
        """Within it no other program changes the tables that several sessions share."""
        return one_at_a_time(self.root / "sourcedata")

    def subjects(self) -> set[str]:
        """The names of all subjects who have a folder, be it without a table."""
        return self._folders(self.root) | self._folders(self.root / "sourcedata")

    def labels(self) -> set[str]:
        """The same subjects by their labels."""
        return set(map(bare_label, self.subjects()))

    def _folders(self, parent: Path) -> set[str]:
        """The subjects' folders in this one; quick with thousands of them."""
        if not parent.is_dir():
            return set()
        with os.scandir(parent) as entries:
            return {entry.name for entry in entries if subject_label(entry.name) and entry.is_dir()}


def _visit_of_folder(folder: Path) -> Visit | None:
    """The visit of a folder such as `sub-DF001/ses-1`; None if it is named otherwise, as a copy is."""
    subject, session = subject_label(folder.parent.name), session_number(folder.name)
    return Visit(subject, session) if subject and session else None


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise EquipmentFailure(f"{file} cannot be removed: {error.strerror}. Close it in other programs.") from error


def visit_row(started: Started, last: Event | None) -> dict[str, str]:
    """A visit's row of the sessions file, as far as the transcript tells; `last`: its last event."""
    ended = last if isinstance(last, Ended) else None
    row: dict[str, str | float | None] = {
        "session_id": session_name(started.session.session),
        "acq_time": started.zero_utc.replace("+00:00", "Z"),
        "operator": started.operator,
        "seed": started.session.seed,
        "status": ended.status if ended else None,
        "end_reason": ended.reason if ended else None,
    }
    return {name: cell(value) for name, value in row.items()}


def cell(value: str | float | None) -> str:
    """An answer as a table has it."""
    return MISSING if value is None or value == "" else str(value)
