"""What a row of a table says of somebody in a study that is under way: acts with past dates, marked as such. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from experiment.design.session import check_subject
from experiment.design.visit import bare_label
from experiment.errors import BadInput
from experiment.messages.importing.files import read_tables
from experiment.study import dates
from experiment.study.events import (
    Act,
    Consented,
    CourseStarted,
    Dosed,
    Enrolled,
    Screened,
    SessionHeld,
    Status,
    Withdrew,
)
from experiment.study.recording import LONGEST_AGO, meaningful, sensible
from experiment.study.screening import OUTCOMES
from experiment.study.study_file import Study

NEEDED = ("participant_id",)
OF_PERSON = (
    *("stratum", "enrolled", "consented", "consent_version"),
    *("screened", "screening_outcome", "screening_reason", "withdrawn", "withdrawal_reason"),
)
OF_COURSE = ("kit", "start", "missed", "session", "session_status")
COLUMNS = (*NEEDED, *OF_PERSON, *(f"{name}_{course}" for course in (1, 2) for name in OF_COURSE))
NOTHING = ("", "n/a")
ALL_TAKEN = "none"
STATUSES: tuple[Status, ...] = ("completed", "aborted", "never_held")


class PastRow(Struct, frozen=True):
    """A row: its number in the file, and its cells by column, "" where there is nothing."""

    number: int
    cells: Mapping[str, str]

    @property
    def subject(self) -> str:
        """Whose it is; BadInput unless it is an ID."""
        return check_subject(bare_label(self.cells["participant_id"]))


def read_past(path: Path, sheet: str | None = None) -> list[PastRow]:
    """The rows of a table in any usual form, or of a workbook; BadInput for a column that is not known, or missing."""
    (table,) = read_tables([path], sheet=sheet)
    if unknown := [name for name in table.header if name not in COLUMNS]:
        raise BadInput(f"{path}: the column {unknown[0]!r} is unknown. The columns are {', '.join(COLUMNS)}.")
    if missing := [name for name in NEEDED if name not in table.header]:
        raise BadInput(f"{path}: the column {missing[0]!r} is missing.")
    return [
        PastRow(number, {name: _cell(cell) for name, cell in zip(table.header, cells, strict=True)})
        for number, cells in zip(table.numbers, table.rows, strict=True)
    ]


def _cell(text: str) -> str:
    """The cell; of a workbook's date, the date without midnight."""
    return "" if text.strip() in NOTHING else text.strip().removesuffix(" 00:00:00").removesuffix("T00:00:00")


def acts_of(study: Study, row: PastRow, why: str, moment: datetime) -> Iterator[Act]:
    """All that a row says, in the order in which it happened; BadInput for what cannot be. `why`: its reason."""
    subject, cells = row.subject, row.cells
    stratum = cells.get("stratum", "")
    today = dates.today(study.at(stratum), moment)

    def day(column: str) -> str:
        return sensible(dates.parse_day(cells[column]), today, LONGEST_AGO["dated back"]).isoformat()

    if cells.get("screened"):
        yield _screened(subject, cells, day("screened"))
    if not stratum:
        if not cells.get("screened") or any(cells.get(name) for name in ("enrolled", "consented", "start_1")):
            raise BadInput(f"The stratum is missing. Please give one of {', '.join(study.strata)}.")
        return
    if stratum not in study.strata:
        raise BadInput(f"{stratum!r} is not a stratum of this study. Please give one of {', '.join(study.strata)}.")
    _check_given(cells, "consented", "consent_version", "kit_1", "kit_2")
    consented = day("consented")
    enrolled = day("enrolled") if cells.get("enrolled") else consented
    yield Enrolled(subject, stratum, 0, (cells["kit_1"], cells["kit_2"]), why, enrolled)
    yield Consented(subject, consented, cells["consent_version"], why)
    for course in (1, 2):
        if cells.get(f"start_{course}"):
            yield from _course(study, subject, course, cells, why, today)
    if cells.get("withdrawn"):
        _check_given(cells, "withdrawal_reason")
        yield Withdrew(subject, meaningful(cells["withdrawal_reason"]), day("withdrawn"))


def _screened(subject: str, cells: Mapping[str, str], day: str) -> Screened:
    outcome = next((one for one in OUTCOMES if one == cells.get("screening_outcome", "eligible")), None)
    if outcome is None:
        raise BadInput(f"screening_outcome must be one of {', '.join(OUTCOMES)}.")
    reason = cells.get("screening_reason", "")
    if outcome != "eligible" and not reason:
        raise BadInput("screening_reason is missing.")
    return Screened(subject, day, outcome, reason)


def _course(
    study: Study, subject: str, course: Literal[1, 2], cells: Mapping[str, str], why: str, today: date
) -> Iterator[Act]:
    """A course that began: its doses as far as they are known, and the session."""
    start = sensible(dates.parse_day(cells[f"start_{course}"]), today, LONGEST_AGO["dated back"])
    yield CourseStarted(subject, course, start.isoformat(), cells[f"kit_{course}"], why)
    if missed := cells.get(f"missed_{course}"):
        numbers = _numbers(missed, study.courses.days)
        for number, day in enumerate(dates.all_days(study.courses, start), start=1):
            if number > 1 and day < today:
                yield Dosed(subject, day.isoformat(), number not in numbers)
    held, status = cells.get(f"session_{course}"), cells.get(f"session_status_{course}") or "completed"
    if held:
        known = next((one for one in STATUSES if one == status), None)
        day = sensible(dates.parse_day(held), today)
        if known is None:
            raise BadInput(f"session_status_{course} must be one of {', '.join(STATUSES)}.")
        if day < start:
            raise BadInput(f"session_{course} ({held}) is before the start of the course. Check the dates.")
        yield SessionHeld(subject, course, day.isoformat(), known, elsewhere=why)


def _numbers(text: str, days: int) -> set[int]:
    """The days of a course that are listed, such as `2 3`; none for ALL_TAKEN."""
    if text == ALL_TAKEN:
        return set()
    parts = text.replace(",", " ").replace(";", " ").split()
    if not all(part.isdecimal() and 2 <= int(part) <= days for part in parts):
        raise BadInput(f"{text!r} are not days of a course: write e.g. 2 3, or {ALL_TAKEN} if every dose was taken.")
    return {int(part) for part in parts}


def _check_given(cells: Mapping[str, str], *names: str) -> None:
    if missing := [name for name in names if not cells.get(name)]:
        raise BadInput(f"{missing[0]} is missing.")
