"""A study that is under way is brought in from a table: one row for each participant, with past dates.

All of it is recorded as such: nobody gets a place of the allocation here, since theirs was drawn elsewhere; each date
is marked as dated back, with the reason, and each session as run elsewhere. Nothing is recorded of a table in which a
row is wrong; one that has grown adds what is new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import UNSET, Struct
from msgspec.structs import replace

from experiment.design.session import check_subject
from experiment.design.visit import bare_label
from experiment.errors import BadInput
from experiment.messages.importing.files import read_tables
from experiment.record.finding import list_first
from experiment.study import dates, setup
from experiment.study.events import (
    Act,
    Consented,
    CourseStarted,
    Dosed,
    Enrolled,
    Entry,
    Screened,
    SessionHeld,
    Status,
    Withdrew,
)
from experiment.study.participant import Participant, apply
from experiment.study.recording import LONGEST_AGO, meaningful, sensible
from experiment.study.register import AllocationSlot, Register
from experiment.study.screening import OUTCOMES
from experiment.study.snapshot import Snapshot
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
MOST_NAMED = 20


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


def plan_past(
    path: Path, rows: Sequence[PastRow], told: Snapshot, kits: Sequence[AllocationSlot], reason: str, moment: datetime
) -> list[Act]:
    """What is to be recorded of these rows, in order; what was recorded of them before is left out.

    BadInput names every row that cannot be so, and what to do.
    """
    why, acts, wrong = meaningful(reason), list[Act](), list[str]()
    times = Counter(row.cells["participant_id"] for row in rows)
    known, own_kits = [_plain(act) for act in told.acts], {kit for slot in kits for kit in slot.kits}
    for row in rows:
        if times[row.cells["participant_id"]] > 1:
            wrong.append(f"row {row.number}: it is there twice. Delete one.")
            continue
        try:
            new = [act for act in _acts_of(told.study, row, why, moment) if _plain(act) not in known]
            _check(told, own_kits, row.subject, new, moment)
            acts += new
        except (BadInput, ValueError) as error:
            wrong.append(f"row {row.number}: {error}")
    if wrong:
        listed = list_first(wrong, MOST_NAMED)
        raise BadInput(f"{path}: nothing was recorded. Please correct these rows:{listed}")
    told.followed_by(moment, *acts)
    return acts


def record_past(register: Register, who: str, acts: Sequence[Act]) -> None:
    """Add them to the register, one after the other; what was recorded before an error is left out next time."""
    for act in acts:
        register.act(who, partial(_possible, act, register.now()))


def _possible(act: Act, moment: datetime, told: Snapshot) -> Act:
    told.followed_by(moment, act)
    return act


def _plain(act: Act) -> Act:
    """The act without the reason for its date, which may be worded differently next time."""
    if isinstance(act, Enrolled | SessionHeld):
        return replace(act, elsewhere=UNSET)
    return replace(act, dated_back=UNSET) if isinstance(act, Consented | CourseStarted) else act


def _check(told: Snapshot, own_kits: set[str], subject: str, new: Sequence[Act], moment: datetime) -> None:
    """BadInput if these acts cannot follow one another, or what is there; `own_kits`: of the allocation here."""
    one = told.people.get(subject)
    if one and one.place and new:
        raise BadInput(f"{one.name} is enrolled here, with a place of this study's allocation. Delete the row.")
    for act in new:
        if isinstance(act, Screened | Enrolled):
            setup.check_similar(subject, told, is_new=False)
        if isinstance(act, Enrolled):
            if taken := own_kits.intersection(act.kits):
                raise BadInput(f"Kit {min(taken)} belongs to this study's own allocation. Check the number.")
            if subject in told.awaiting_enrolment:
                raise BadInput("Consent is recorded here already. Enrol here, or cancel it (`dayfour study correct`).")
            one = Participant(subject, act.stratum, 0, act.kits, dates.parse_day(str(act.day)))
        elif one:
            one = apply(told.study.at(one.stratum), one, Entry(moment.isoformat(), "", act))


def _acts_of(study: Study, row: PastRow, why: str, moment: datetime) -> Iterator[Act]:
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
