"""The data folder: a BIDS data set of trial tables and visits, with the transcripts beside it under `sourcedata/`.

No file is ever half there, nothing of a session is ever overwritten by another one, and what people add (authors, a
README, columns in `participants.tsv`) stays. Source: the Brain Imaging Data Structure 1.10, "Behavioral experiments"
and "Data summary files".
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from experiment.errors import BadInput, EquipmentFailure
from experiment.record.data_dictionary import data_dictionary
from experiment.record.events import Ended, Started
from experiment.record.trial_table import as_text, trial_table
from experiment.record.tsv import MISSING, json_text, read_rows, write_new, write_rows
from experiment.storage.atomic_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiment.design.protocol import Protocol
    from experiment.design.questions import AskedQuestion, Funnel
    from experiment.record.events import Event

    Answers = Mapping[str, str | float | None]
    Columns = Mapping[str, dict[str, str]]
    Rows = dict[str, dict[str, str]]

BIDS_VERSION = "1.10.0"
ENOUGH_BYTES = 100_000_000
PILOT = "pilot"
EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class DataSet:
    """The data set in the folder `root`; `subject`, `session` and `task` are BIDS labels without their prefixes."""

    root: Path

    @property
    def pilot(self) -> DataSet:
        """The data set of pilots and synthetic participants: laid out the same, and no part of this one."""
        return DataSet(self.root / PILOT)

    def transcript(self, subject: str, session: int, task: str) -> Path:
        """Where a session's transcript stands."""
        visit = f"sub-{subject}/ses-{session}"
        return self.root / "sourcedata" / visit / f"{_stem(subject, session, task)}_transcript.jsonl"

    def transcripts(self, subject: str, session: int) -> list[Path]:
        """The transcripts of a session that are there, whatever its task."""
        return sorted((self.root / f"sourcedata/sub-{subject}/ses-{session}").glob("*_transcript.jsonl"))

    def table(self, subject: str, session: int, task: str) -> Path:
        """Where a session's trial table stands; its data dictionary beside it ends in `.json`."""
        return self.root / f"sub-{subject}/ses-{session}/beh" / f"{_stem(subject, session, task)}_beh.tsv"

    def sessions(self, subject: str) -> Path:
        """Where a subject's visits stand, with the assistant's answers; the dictionary beside it ends in `.json`."""
        return self.root / f"sub-{subject}" / f"sub-{subject}_sessions.tsv"

    def prepare(self) -> None:
        """Make the folder a data set, if it is none; EquipmentFailure if nothing can be saved there."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                free_bytes = shutil.disk_usage(self.root).free
        except OSError as error:
            raise EquipmentFailure(f"No data can be saved in {self.root}: {error.strerror}. Choose --data.") from error
        if free_bytes < ENOUGH_BYTES:
            found = f"expected {ENOUGH_BYTES // 10**6} MB free, found {free_bytes // 10**6} MB"
            raise EquipmentFailure(f"The disk of {self.root} is nearly full: {found}. Free some or choose --data.")
        write_new(self.root / "dataset_description.json", json_text(_DESCRIPTION))
        # Without a slash after it: the validator looks at a folder's bare name.
        write_new(self.root / ".bidsignore", "".join(f"/{folder}\n" for folder in (PILOT, "timing", "study")))
        if not any(self.root.glob("README*")):
            write_new(self.root / "README.md", _README)
        self.list_participants()

    def check_free(self, subject: str, session: int, task: str) -> None:
        """BadInput if this session has data already, or if the subject differs from an older one only by case."""
        for path in (self.transcript(subject, session, task), self.table(subject, session, task)):
            if path.exists():
                raise BadInput(
                    f"sub-{subject} ses-{session} has data already, and data are never overwritten:\n  {path}\n"
                    "Check the subject and the session; the next visit has the next session's number. If the program "
                    "died, the transcript holds all that was confirmed (`dayfour table` shows it): ask whoever runs "
                    "the study how to go on."
                )
        for name in self._subjects():
            if name != f"sub-{subject}" and name.casefold() == f"sub-{subject}".casefold():
                raise BadInput(
                    f"There is a {name} already, and some computers do not tell it from sub-{subject}. Type the ID "
                    "with the same capital and small letters."
                )
        read_rows(self.sessions(subject), "session_id")

    def next_subject(self, prefix: str) -> str:
        """A subject that is not there yet: the prefix and the number after the highest in use."""
        ends = (name[len(f"sub-{prefix}") :] for name in self._subjects() if name.startswith(f"sub-{prefix}"))
        numbers = (int(end) for end in ends if end.isdecimal())
        return f"{prefix}{max(numbers, default=0) + 1:03}"

    def save(self, events: Sequence[Event], answers: Answers) -> None:
        """Write a session's table and dictionary and its row of the sessions file, as far as `events` tell.

        May be repeated as the session goes on. Other sessions' rows stay, and so do answers that are not given again.
        """
        started, ended = events[0], events[-1]
        if not isinstance(started, Started):
            raise BadInput(f"Expected a session's events from its start, found {type(started).__name__} as the first.")
        session = started.session
        table = self.table(session.subject, session.session, session.protocol.task)
        write_whole(table, as_text(trial_table(events)))
        write_whole(table.with_suffix(".json"), json_text(data_dictionary(session.protocol)))
        row = {name: _cell(value) for name, value in answers.items()}
        row |= visit_row(started, ended if isinstance(ended, Ended) else None)
        self._save_visit(self.sessions(session.subject), row, started)

    def _save_visit(self, path: Path, row: dict[str, str], started: Started) -> None:
        rows = read_rows(path, "session_id")
        rows[row["session_id"]] = rows.get(row["session_id"], {}) | row
        write_rows(path, [rows[visit] for visit in sorted(rows)], first=_SESSIONS_COLUMNS)
        dictionary = path.with_suffix(".json")
        older = json.loads(dictionary.read_text(encoding="utf-8")) if dictionary.exists() else {}
        write_whole(dictionary, json_text(older | _sessions_dictionary(started.session.protocol)))

    def list_participants(self, known: Mapping[str, Mapping[str, str]] = EMPTY, columns: Columns = EMPTY) -> None:
        """Add the subjects with a folder to `participants.tsv`; rows and columns that others added stay.

        Without any subject there is no such file: the validator wants it so. `known`: cells of those subjects, by their
        names, and what their columns mean.
        """
        path = self.root / "participants.tsv"
        rows = {name: {"participant_id": name} for name in self._folders(self.root)} | read_rows(path, "participant_id")
        if rows:
            told = [{**rows[name], **known.get(name, {})} for name in sorted(rows)]
            write_rows(path, told, first=["participant_id"])
            dictionary = path.with_suffix(".json")
            older = json.loads(dictionary.read_text(encoding="utf-8")) if dictionary.exists() else {}
            write_whole(dictionary, json_text({**_PARTICIPANTS_COLUMNS, **columns, **older}))

    @property
    def funnel(self) -> Path:
        """Where the answers to the funnel stand, a row for each participant."""
        return self.root / "phenotype" / "funnel.tsv"

    def has_funnel(self, subject: str) -> bool:
        """Whether this participant has answered."""
        return subject in self.funnel_subjects()

    def funnel_subjects(self) -> set[str]:
        """Who has answered."""
        return {name.removeprefix("sub-") for name in read_rows(self.funnel, "participant_id")}

    def save_funnel(self, subject: str, answers: Answers, funnel: Funnel) -> None:
        """Add a participant's answers; what is there already stays, and BadInput is raised."""
        if self.has_funnel(subject):
            raise BadInput(f"sub-{subject} has answered already, and answers are never overwritten: {self.funnel}")
        row = {"participant_id": f"sub-{subject}"} | {name: _cell(value) for name, value in answers.items()}
        rows = [*read_rows(self.funnel, "participant_id").values(), row]
        write_rows(self.funnel, sorted(rows, key=lambda row: row["participant_id"]), first=["participant_id"])
        described = {question.id: _described(question, "participant") for question in funnel.questions}
        write_whole(self.funnel.with_suffix(".json"), json_text(_PARTICIPANTS_COLUMNS | described))

    def _subjects(self) -> set[str]:
        return self._folders(self.root) | self._folders(self.root / "sourcedata")

    def _folders(self, parent: Path) -> set[str]:
        """The subjects' folders in this one; quick with thousands of them."""
        if not parent.is_dir():
            return set()
        with os.scandir(parent) as entries:
            return {entry.name for entry in entries if entry.name.startswith("sub-") and entry.is_dir()}


def _stem(subject: str, session: int, task: str) -> str:
    return f"sub-{subject}_ses-{session}_task-{task}"


def visit_row(started: Started, ended: Ended | None) -> dict[str, str]:
    """A visit's row of the sessions file, as far as the transcript tells."""
    row: dict[str, str | float | None] = {
        "session_id": f"ses-{started.session.session}",
        "acq_time": started.zero_utc.replace("+00:00", "Z"),
        "operator": started.operator,
        "seed": started.session.seed,
        "status": ended.status if ended else None,
        "end_reason": ended.reason if ended else None,
    }
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: str | float | None) -> str:
    return MISSING if value is None or value == "" else str(value)


def _sessions_dictionary(protocol: Protocol) -> dict[str, Any]:
    """The sessions file's columns: those of every session, then the protocol's questions to the assistant."""
    return _SESSIONS_COLUMNS | {question.id: _described(question) for question in protocol.assistant}


def _described(question: AskedQuestion, who: str = "assistant") -> dict[str, Any]:
    limits = {"Minimum": question.minimum, "Maximum": question.maximum, "Units": question.units or None}
    form = " Local time of day, HH:MM." if question.kind == "time" else ""
    levels = {"Levels": {choice: choice for choice in question.choices}} if question.choices else {}
    description = {"Description": f'The {who}\'s answer to "{question.text}".{form} n/a if there was none.'}
    return description | levels | {name: value for name, value in limits.items() if value is not None}


_SESSIONS_COLUMNS: dict[str, Any] = {
    "session_id": {"Description": "The visit: the day fours of a participant in time. It does not tell the drug."},
    "acq_time": {"Description": "The session's clock zero, UTC: all onsets in its table count from there."},
    "operator": {"Description": "The research assistant."},
    "seed": {"Description": "From this number the order of messages and questions was drawn."},
    "status": {
        "Description": "How the session ended; n/a while it is running, or if the program or the computer died.",
        "Levels": {
            "completed": "The participant saw the closing page to its end",
            "aborted": "The assistant ended the session",
            "failed": "The program stopped with an error",
        },
    },
    "end_reason": {
        "Description": "Why a session was not completed: withdrew, technical or other as the assistant chose, "
        "interrupted if somebody stopped the program, or the kind of the error; n/a if it was completed."
    },
}
_README = """\
# Day Four: connection and pleasure after messages from loved ones

A BIDS data set, written by the Day Four program. On the fourth day of each course of a crossover study, a participant
reads messages that loved ones wrote beforehand, and rates each of them.

- `sub-<ID>/ses-<n>/beh/*_beh.tsv`: one row for each message; the `.json` beside it explains every column.
- `sub-<ID>/sub-<ID>_sessions.tsv`: when each visit was, how it ended, and what the assistant noted.
- `phenotype/funnel.tsv`: what each participant thought of the study after the last session.
- `sourcedata/`: the transcripts, from which the tables were read and can be read again. Never change them.

No file here holds a message's text or tells the drug. Please complete the authors and the license in
`dataset_description.json`.
"""
_DESCRIPTION = {
    "Name": "Day Four: connection and pleasure after messages from loved ones",
    "BIDSVersion": BIDS_VERSION,
    "DatasetType": "raw",
    "Authors": [],
    "GeneratedBy": [{"Name": "Day Four"}],
}
_PARTICIPANTS_COLUMNS = {"participant_id": {"Description": "The participant's ID, with the prefix sub-."}}
