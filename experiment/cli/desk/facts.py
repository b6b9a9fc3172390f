"""What the desk shows: who is expected and what they need, what is wrong, and how the computer is. No Qt here.

It is read anew at each look: from the study's register, or from data set and messages where there is none. No message
is opened, and no drug is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from experiment.cli.desk.places import Places
from experiment.cli.desk.troubles import (
    REASON,
    WHO,
    Trouble,
    no_messages,
    of_closing_questions,
    of_register,
    of_sessions,
    of_tables,
)
from experiment.design.protocol import Protocol, read_protocol
from experiment.design.visit import Visit, session_name
from experiment.errors import DayFourError
from experiment.messages.store import Folder
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding, Severity, worst
from experiment.record.tsv import read_rows
from experiment.reports.standings import reports_in, standings_of
from experiment.study import status
from experiment.study.agreement import lost_register
from experiment.study.clock import clock_trouble
from experiment.study.location import find_register
from experiment.study.register import Register
from experiment.study.snapshot import Snapshot
from experiment.study.status import ReportsIn, Urgency

NO_REGISTER = "Participants of this data folder (no study register)"
HELD = ("completed", "aborted")
OF_FOLDER = ("free disk", "data place", "data folder", "file locks")
VERDICTS: dict[Severity, str] = {
    "ok": "no problems found",
    "note": "no problems found, but some things could not be checked",
    "warning": "look at",
    "error": "NOT FIT",
}


class ParticipantLine(Struct, frozen=True):
    """A participant. `session`: the one that can be run now, None if none is due."""

    subject: str
    needs: str
    messages: str
    now: str
    notes: str
    urgency: Urgency
    session: int | None = None

    @property
    def is_today(self) -> bool:
        """Whether there is something to do for this participant today."""
        return self.urgency <= Urgency.waiting


class Facts(Struct, frozen=True):
    """All of it at one moment; `heading`: the study's day, and how many there are."""

    heading: str
    lines: tuple[ParticipantLine, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def read_facts(places: Places) -> Facts:
    """Who needs what; what cannot be read is a trouble, never an error."""
    troubles = list[Trouble]()
    try:
        protocol, register = read_protocol(places.protocol), find_register(places.data)
        if protocol.messages and not places.messages.is_dir():
            text = f"No messages have been imported: the folder {places.messages} does not exist."
            troubles.append(no_messages(text, places))
        here = frozenset(Folder(places.messages).subjects()) if protocol.messages else None
        if register is None:
            heading, lines = NO_REGISTER, tuple(_of_data(DataSet(places.data), protocol, here))
            if lost := lost_register(DataSet(places.data)):
                troubles.append(Trouble(lost))
        else:
            told = register.read()
            heading, lines = _of_register(register, told, here, places, troubles)
    except (DayFourError, OSError) as error:
        return Facts("", (), (*troubles, Trouble(str(error))))
    return Facts(heading, lines, tuple(troubles))


def with_troubles(facts: Facts, places: Places) -> Facts:
    """The same with what is found only in files of single sessions, which takes longer."""
    data, found = DataSet(places.data), list[Trouble]()
    due = ((Visit(line.subject, line.session), line.messages == "missing") for line in facts.lines if line.session)
    try:
        found += of_sessions(due, data, places)
        found += of_tables(data, places)
        found += of_closing_questions(read_protocol(places.protocol), data, places)
    except (DayFourError, OSError) as error:
        found.append(Trouble(str(error)))
    return replace(facts, troubles=(*facts.troubles, *dict.fromkeys(one for one in found if one not in facts.troubles)))


def _of_register(
    register: Register, told: Snapshot, here: AbstractSet[str] | None, places: Places, troubles: list[Trouble]
) -> tuple[str, tuple[ParticipantLine, ...]]:
    """Everybody in the register, the most urgent first; what is wrong with it goes to `troubles`."""
    moment = register.now()
    if trouble := clock_trouble(told.entries, moment):
        troubles.append(Trouble(trouble, "This clock is right ...", places.confirm_clock, asks=(WHO, REASON)))
    rows = status.rows(told.people.values(), told.study, moment, _reports(places, told, moment, troubles))
    troubles += of_register(rows, places)
    return status.summary(rows, told.study, moment), tuple(_line(row, here) for row in rows)


def _reports(places: Places, told: Snapshot, moment: datetime, troubles: list[Trouble]) -> dict[str, ReportsIn]:
    try:
        return reports_in(standings_of(places.data, told, moment))
    except DayFourError as error:
        troubles.append(Trouble(f"Daily reports are not shown: {error}"))
        return {}


def _line(row: status.StatusRow, here: AbstractSet[str] | None) -> ParticipantLine:
    due = next((need for need in row.needs if need.kind == "session"), None)
    notes = [row.notes, f"Needs a reason: {due.against}" if due and due.against else ""]
    return ParticipantLine(
        row.subject, row.next, _messages(row.subject, here), row.now, "; ".join(filter(None, notes)), row.urgency,
        due.course if due else None,
    )  # fmt: skip


def _messages(subject: str, here: AbstractSet[str] | None) -> str:
    return "" if here is None else "imported" if subject in here else "missing"


def _of_data(data: DataSet, protocol: Protocol, here: AbstractSet[str] | None) -> Iterator[ParticipantLine]:
    """Everybody who has messages or data, with the next session, by ID."""
    for subject in sorted((here or frozenset()) | data.labels()):
        rows = read_rows(data.sessions(subject), "session_id")
        held = {number: rows[session_name(number)].get("status", "") for number in range(1, protocol.sessions + 1)
                if session_name(number) in rows}  # fmt: skip
        left = [number for number in range(1, protocol.sessions + 1) if held.get(number) not in HELD]
        now = ", ".join(f"session {number} {_in_words(told)}" for number, told in held.items())
        yield ParticipantLine(
            subject, f"session {left[0]}" if left else "", _messages(subject, here), now or "not begun", "",
            Urgency.due if left else Urgency.done, left[0] if left else None,
        )  # fmt: skip


def _in_words(told: str) -> str:
    return told if told in HELD else "not finished"


class State(Struct, frozen=True):
    """In a line how something is, and how severe that is."""

    text: str
    severity: Severity


def states(found: Sequence[Finding], data: Path) -> tuple[State, State]:
    """Of the computer, and of the data folder."""
    of_folder = [one for one in found if one.kind in OF_FOLDER]
    others = [one for one in found if one.kind not in OF_FOLDER]
    room = next((f", {one.text} free" for one in of_folder if one.kind == "free disk"), "")
    return _state("This computer", others), _state(f"Data folder {data}{room}", of_folder)


def _state(what: str, found: Sequence[Finding]) -> State:
    severity = worst(found)
    named = [f"{one.kind} ({one.text})" for one in found if one.severity == severity]
    told = f": {VERDICTS[severity]}"
    return State(what + told + (f": {'; '.join(named)}" if severity in {"warning", "error"} else ""), severity)
