"""The closing questions' answers: each participant's in a log of its own, and the table of all that follows from them.

What a person wrote into the table stays; so do answers that an earlier version saved nowhere else.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from experiment.design.questions import AskedQuestion
from experiment.design.visit import subject_label, subject_name
from experiment.errors import BadInput, DayFourError, EquipmentFailure
from experiment.record.data_dictionary import PARTICIPANTS_COLUMNS, describe_question
from experiment.record.dataset import DataSet, cell
from experiment.record.events import SCHEMA, decode, encode
from experiment.record.events_beside import Answers, Closing
from experiment.record.rescue import RescueCopy
from experiment.record.transcript import Writer, has_begun, not_taken
from experiment.record.tsv import MISSING, describe_columns, read_rows, read_table, write_rows
from experiment.storage.hash_chain import chain_line, read_chain


def closing_log(data: DataSet, subject: str) -> Path:
    """Where a participant's answers are recorded."""
    name = subject_name(subject)
    return data.root / "sourcedata" / name / f"{name}_closing.jsonl"


def has_answered(data: DataSet, subject: str) -> bool:
    """Whether this participant has answered; a table that cannot be read keeps nobody from being asked."""
    with suppress(OSError):
        if has_begun(closing_log(data, subject)):
            return True
    with suppress(DayFourError, OSError):
        return subject_name(subject) in read_rows(data.funnel, "participant_id")
    return False


def find_answered(data: DataSet) -> set[str]:
    """Who has answered, by the log or by the table."""
    tabled = {label for name in read_rows(data.funnel, "participant_id") if (label := subject_label(name))}
    return tabled | {subject for subject in _subjects(data) if has_begun(closing_log(data, subject))}


def record_closing(
    data: DataSet, subject: str, utc: str, questions: tuple[AskedQuestion, ...], answers: Answers
) -> Path:
    """Record a participant's answers, and the table with them; where they are recorded.

    The log comes first, whatever the state of the table. EquipmentFailure says what was saved nevertheless, and where;
    BadInput if there is such a log already.
    """
    path, closing = closing_log(data, subject), Closing(SCHEMA, subject, utc, questions, answers)
    writer = Writer(path)
    try:
        _make_room(path)
        with writer:
            writer.append(closing)
    except (EquipmentFailure, OSError) as error:
        if writer.began:  # it has told where the answers are
            raise
        raise EquipmentFailure(
            not_taken(path, str(error), RescueCopy(path).write(chain_line(b"", encode(closing))))
        ) from error
    try:
        list_closing(data)
    except (DayFourError, OSError) as error:
        raise EquipmentFailure(
            f"{error}\nThe answers are saved:\n  {path}\n`dayfour table {data.root} --remake` adds them to the table."
        ) from error
    return path


def _make_room(path: Path) -> None:
    """BadInput if there is a log; one without a whole line, in which nothing was recorded, goes."""
    if has_begun(path):
        raise BadInput(f"The closing questions have been answered already, and these answers were NOT saved: {path}")
    path.unlink(missing_ok=True)


def list_closing(data: DataSet) -> None:
    """Bring the table up to date with all logs; without any there is nothing to do."""
    closings = _closings(data)
    if not closings:
        return
    with data.writing():
        table = read_table(data.funnel, "participant_id")
        rows = dict(table.rows)
        for closing in closings:
            name = subject_name(closing.subject)
            there = {column: value for column, value in rows.get(name, {}).items() if value != MISSING}
            given = {column: cell(value) for column, value in closing.answers.items()}
            rows[name] = given | there | {"participant_id": name}
        write_rows(data.funnel, [rows[name] for name in sorted(rows)], first=["participant_id", *table.columns])
        asked = {question.id: question for closing in closings for question in closing.questions}
        described = {name: describe_question(question, "participant") for name, question in asked.items()}
        describe_columns(data.funnel.with_suffix(".json"), PARTICIPANTS_COLUMNS | described)


def _closings(data: DataSet) -> list[Closing]:
    return [_read(path) for subject in _subjects(data) if has_begun(path := closing_log(data, subject))]


def _subjects(data: DataSet) -> list[str]:
    return sorted(label for name in data.subjects() if (label := subject_label(name)))


def _read(path: Path) -> Closing:
    lines = path.read_bytes().split(b"\n")[:-1]
    closing = read_chain(path, lines, decode)[0]
    if not isinstance(closing, Closing):
        raise BadInput(f"{path} is not a log of closing answers. Put back the file as it was.")
    return closing
