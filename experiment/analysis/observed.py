"""What was observed, as the data set's tables hold it: ratings of messages, daily reports, guesses, symptoms.

Which columns are ratings, and what belongs together, is read from the tables' dictionaries and not from a protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from experiment.analysis.models import RatedItem
from experiment.design.visit import Visit, subject_name
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.events import parse_utc
from experiment.record.tsv import MISSING, read_dictionary, read_records, read_rows
from experiment.study.unblinding import SESSIONS

Treatments = Mapping[tuple[str, int], str]
"""The treatment of each participant's sessions."""


class DailyReport(Struct, frozen=True):
    """A day on which a report was due, and whether one came."""

    participant: str
    session: int
    day: str
    is_given: bool


def session_rows(
    data: DataSet, visit: Visit, treatment: str, wording: dict[str, str], lengths: dict[str, float]
) -> Iterator[RatedItem]:
    """A row for each message; ratings are the columns whose dictionary has levels. `lengths`: of their scales."""
    if path := data.table_of(visit):
        columns = read_dictionary(path.with_suffix(".json"))
        rated = {name: told for name, told in columns.items() if isinstance(told, dict) and "Levels" in told}
        wording |= {f"session_{name}": _question(told["Description"]) for name, told in rated.items()}
        lengths |= {f"session_{name}": _length(told["Levels"]) for name, told in rated.items()}
        for row in read_rows(path, "trial").values():
            values = {name: _number(row[name], path) for name in rated if row.get(name, MISSING) != MISSING}
            yield RatedItem(subject_name(visit.subject), visit.session, treatment, row["message_id"], values)


def daily_rows(
    data: DataSet,
    treatments: Treatments,
    wording: dict[str, str],
    lengths: dict[str, float],
    revealed: Mapping[str, datetime],
) -> tuple[list[RatedItem], list[RatedItem], list[DailyReport]]:
    """The daily reports: the mean of each block's items that were answered, reversed ones turned round.

    Rows that count; those of reports that were sent by whoever's treatment had been `revealed` by then (when it was
    shown to somebody, by participant); and which reports came.
    """
    path = data.root / "phenotype" / "daily.tsv"
    blocks: dict[str, list[tuple[str, float | None]]] = {}
    for name, told in read_dictionary(path.with_suffix(".json")).items():
        if isinstance(told, dict) and "Block" in told:
            numbers = _numbers(told.get("Levels", ()))
            turned = min(numbers) + max(numbers) if told.get("Reversed") and numbers else None
            lengths[f"daily_{told['Block']}"] = _length(told.get("Levels", ()))
            blocks.setdefault(told["Block"], []).append((name, turned))
            item = f"“{_question(told['Description'])}”" + (" (reversed)" if turned else "")
            known = wording.get(f"daily_{told['Block']}")
            wording[f"daily_{told['Block']}"] = f"{known}, {item}" if known else f"mean of {item}"
    rows: dict[bool, list[RatedItem]] = {False: [], True: []}
    reports = []
    for row in read_records(path, "participant_id", "session_id", "run"):
        who, session, day = row["participant_id"], int(row["session_id"].removeprefix("ses-")), row["run"]
        if session not in SESSIONS:
            continue  # a day outside the courses, on which no treatment was taken
        if (who, session) not in treatments:
            raise BadInput(f"{path}: {who} is not enrolled, so has no treatment. Find out why.")
        values = {block: mean for block, items in blocks.items() if (mean := _mean(row, items, path)) is not None}
        if values:
            is_late = who in revealed and parse_utc(row["submitted"]) > revealed[who]
            rows[is_late].append(RatedItem(who, session, treatments[who, session], day, values))
        reports.append(DailyReport(who, session, day, bool(values)))
    return rows[False], rows[True], reports


def _mean(row: Mapping[str, str], items: Sequence[tuple[str, float | None]], path: Path) -> float | None:
    given = [(_number(row[name], path), turned) for name, turned in items if row.get(name, MISSING) != MISSING]
    values = [value if turned is None else turned - value for value, turned in given]
    return sum(values) / len(values) if values else None


def read_guesses(data: DataSet) -> dict[str, dict[str, int | None]]:
    """When it was asked, and by participant which course was taken for the drug's; None: could not tell.

    Choices are known by their places, which every language keeps: the first course or the drug, the second or placebo.
    """
    asked: dict[str, dict[str, int | None]] = {}
    choices = _choices(data.guesses, "treatment")
    for row in read_records(data.guesses, "participant_id", "session_id"):
        if (guess := row.get("treatment", MISSING)) != MISSING:
            session = int(row["session_id"].removeprefix("ses-"))
            when = asked.setdefault(f"after session {session}", {})
            when[row["participant_id"]] = {0: session, 1: 3 - session}.get(choices.get(guess, -1))
    choices = _choices(data.funnel, "drug_course")
    for row in read_records(data.funnel, "participant_id"):
        if (guess := row.get("drug_course", MISSING)) != MISSING:
            is_sure = row.get("certainty") not in {"0", "0.0"}
            when = asked.setdefault("at the very end", {})
            when[row["participant_id"]] = {0: 1, 1: 2}.get(choices.get(guess, -1)) if is_sure else None
    return {when: asked[when] for when in sorted(asked)}


def _choices(path: Path, question: str) -> dict[str, int]:
    """The place of each choice; those of several languages mean the first one's, as the dictionary says."""
    levels = read_dictionary(path.with_suffix(".json")).get(question, {}).get("Levels", {})
    own = [choice for choice, meaning in levels.items() if meaning == choice or meaning not in levels]
    return {choice: own.index(meaning if meaning in own else choice) for choice, meaning in levels.items()}


def read_symptoms(data: DataSet, subjects: Sequence[str]) -> dict[tuple[str, int], float]:
    """How strong the symptoms were that the assistant recorded before a session, from 0."""
    found = {}
    for subject in subjects:
        path = data.sessions(subject)
        levels = _choices(path, "symptoms")
        for row in read_rows(path, "session_id").values():
            if (given := row.get("symptoms", MISSING)) in levels:
                found[subject_name(subject), int(row["session_id"].removeprefix("ses-"))] = float(levels[given])
    return found


def _numbers(levels: Iterable[str]) -> list[float]:
    return [float(level) for level in levels if level.isdecimal()]


def _length(levels: Iterable[str]) -> float:
    """How far it is from one end of a scale to the other."""
    numbers = _numbers(levels)
    return max(numbers) - min(numbers) if numbers else 0.0


def _question(description: str) -> str:
    return description.partition('"')[2].rpartition('"')[0] or description


def _number(cell: str, path: Path) -> float:
    try:
        return float(cell)
    except ValueError:
        raise BadInput(
            f"{path}: {cell!r} is not a number. Make the table again (`dayfour table DATA --remake`)."
        ) from None
