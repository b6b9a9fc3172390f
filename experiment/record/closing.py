"""What participants answer after a session, each time in a log of its own, and the tables that follow from them.

The closing questions come once, after the last session; the guess of the treatment after each.

What a person wrote into the table stays; so do answers that an earlier version saved nowhere else. Those that were
left and given again are in the log alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import UNSET

from experiment.design.columns import SESSIONS_COLUMNS
from experiment.design.form_questions import AskedQuestion
from experiment.design.visit import LABEL, NUMBER, Visit, session_name, subject_label, subject_name
from experiment.errors import BadInput, DayFourError, EquipmentFailure
from experiment.record.data_dictionary import PARTICIPANTS_COLUMNS, describe_question
from experiment.record.dataset import DataSet, cell
from experiment.record.events import SCHEMA, decode, encode
from experiment.record.events_beside import Answers, Closing
from experiment.record.rescue import RescueCopy
from experiment.record.transcript import Transcript, Writer, has_begun, not_taken
from experiment.record.tsv import MISSING, describe_columns, read_keyed, read_rows, write_rows
from experiment.storage.hash_chain import chain_line, read_chain
from experiment.storage.read_file import read_file

# Copies and hidden files are no logs.
LOG = re.compile(rf"sub-{LABEL}(_closing|_ses-{NUMBER}_guess)\.jsonl")


def closing_log(data: DataSet, subject: str) -> Path:
    """Where a participant's answers are recorded."""
    name = subject_name(subject)
    return data.root / "sourcedata" / name / f"{name}_closing.jsonl"


def guess_log(data: DataSet, visit: Visit) -> Path:
    """Where a visit's guess of the treatment is recorded."""
    return data.root / "sourcedata" / visit.folder / f"{visit.stem}_guess.jsonl"


def has_answered(data: DataSet, subject: str) -> bool:
    """Whether this participant has answered; a table that cannot be read keeps nobody from being asked."""
    with suppress(OSError):
        if has_begun(log := closing_log(data, subject)):
            return not _lines_left(log)
    with suppress(DayFourError, OSError):
        return subject_name(subject) in read_rows(data.funnel, "participant_id")
    return False


def find_answered(data: DataSet) -> set[str]:
    """Who has answered, by the log or by the table."""
    tabled = {label for name in read_rows(data.funnel, "participant_id") if (label := subject_label(name))}
    logs = {subject: log for subject in sorted(data.labels()) if has_begun(log := closing_log(data, subject))}
    left = {subject for subject, log in logs.items() if _lines_left(log)}
    return (tabled | set(logs)) - left


def record_closing(
    data: DataSet, subject: str, utc: str, questions: tuple[AskedQuestion, ...], answers: Answers, *, left: bool = False
) -> Path:
    """Record a participant's answers, and the table with them; where they are recorded.

    `left`: the assistant ended it before the last question, so it can be asked again. The log comes first, whatever the
    state of the table. EquipmentFailure says what was saved anyway, and where; BadInput if it is answered already.
    """
    closing = Closing(SCHEMA, subject, utc, questions, answers, left=left or UNSET)
    return _record(data, closing_log(data, subject), closing)


def record_guess(
    data: DataSet, visit: Visit, utc: str, questions: tuple[AskedQuestion, ...], answers: Answers, *, left: bool = False
) -> Path:
    """Record what a participant took the treatment for after a session; the same."""
    event = Closing(SCHEMA, visit.subject, utc, questions, answers, visit.session, left or UNSET)
    return _record(data, guess_log(data, visit), event)


def _record(data: DataSet, path: Path, closing: Closing) -> Path:
    before, writer = b"", Writer(path)
    try:
        if before := _make_room(path):
            writer = Writer(path, Transcript((), len(before), path.stat().st_size - len(before)))
        with writer:
            writer.append(closing)
    except (EquipmentFailure, OSError) as error:
        if writer.began:  # it has told where the answers are
            raise
        line = chain_line(before, encode(closing))
        raise EquipmentFailure(not_taken(path, str(error), RescueCopy(path).write(before + line))) from error
    try:
        list_closing(data)
    except (DayFourError, OSError) as error:
        raise EquipmentFailure(
            f"{error}\nThe answers are saved:\n  {path}\n`dayfour table {data.root} --remake` adds them to the table."
        ) from error
    return path


def _make_room(path: Path) -> bytes:
    """What the log holds if it was left, which is followed; BadInput if it has answers.

    One without a whole line, in which nothing was recorded, goes.
    """
    if has_begun(path):
        if before := _lines_left(path):
            return before
        raise BadInput(f"The closing questions were already answered, so these answers were NOT saved: {path}")
    path.unlink(missing_ok=True)
    return b""


def _lines_left(path: Path) -> bytes:
    """The whole lines of a log whose last one was left; none of one with answers, or that is not sound."""
    try:
        closing = _read(path)[-1]
    except BadInput:
        return b""
    lines = path.read_bytes()
    return lines[: lines.rfind(b"\n") + 1] if closing.left is True else b""


def list_closing(data: DataSet) -> None:
    """Bring both tables up to date with all logs; without any there is nothing to do."""
    _list(data, data.funnel, _read_logs(data, "*_closing.jsonl"), PARTICIPANTS_COLUMNS)
    visits = PARTICIPANTS_COLUMNS | {"session_id": SESSIONS_COLUMNS["session_id"]}
    _list(data, data.guesses, _read_logs(data, "ses-*/*_guess.jsonl"), visits)


def _list(data: DataSet, path: Path, logs: list[list[Closing]], keys: Mapping[str, Any]) -> None:
    if not logs:
        return
    with data.writing():
        columns, before = read_keyed(path, tuple(keys))
        rows = {tuple(row[key] for key in keys): row for row in before}
        for *left, closing in logs:
            named = {"participant_id": subject_name(closing.subject)}
            if closing.after_session is not UNSET:
                named["session_id"] = session_name(closing.after_session)
            name = tuple(named.values())
            replaced = {answer for one in left for answer in _cells(one).items()}  # so nobody wrote it into the table
            there = {
                column: value
                for column, value in rows.get(name, {}).items()
                if value != MISSING and (column, value) not in replaced
            }
            rows[name] = _cells(closing) | there | named
        write_rows(path, [rows[name] for name in sorted(rows)], first=[*keys, *columns])
        asked: dict[str, list[AskedQuestion]] = {}
        for question in (question for *_, closing in logs for question in closing.questions):
            asked.setdefault(question.id, []).append(question)
        described = {name: _describe(questions) for name, questions in asked.items()}
        describe_columns(path.with_suffix(".json"), {**keys, **described})


def _cells(closing: Closing) -> dict[str, str]:
    return {column: cell(value) for column, value in closing.answers.items()}


def _describe(questions: list[AskedQuestion]) -> dict[str, Any]:
    """What a column holds; choices in other words, such as another language's, mean the first's at their places."""
    first, *others = questions
    described = describe_question(first, "participant")
    for one in others:
        if one.choices != first.choices and len(one.choices) == len(first.choices):
            described["Levels"] = dict(zip(one.choices, first.choices, strict=True)) | described["Levels"]
    return described


def _read_logs(data: DataSet, pattern: str) -> list[list[Closing]]:
    folders = [data.root / "sourcedata" / name for name in sorted(data.subjects())]
    paths = (path for folder in folders for path in sorted(folder.glob(pattern)) if LOG.fullmatch(path.name))
    return [_read(path) for path in paths if has_begun(path)]


def _read(path: Path) -> list[Closing]:
    """The lines of a log, of which the last counts."""
    lines = read_file(path).split(b"\n")[:-1]
    events = read_chain(path, lines, decode)
    closings = [event for event in events if isinstance(event, Closing)]
    if len(closings) < len(events):
        raise BadInput(f"{path} is not a log of closing answers. Restore the file.")
    return closings
