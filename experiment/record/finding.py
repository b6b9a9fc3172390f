"""What was found of one thing, and how severe that is: one kind of finding for import, check, preflight, QA and replay.

Nothing private is in a finding: no name of a person, no text of a message, no path below somebody's home.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from experiment.design.visit import session_name, subject_name

Severity = Literal["ok", "note", "warning", "error"]
"""As it should be; worth knowing, or cannot be told; somebody should look; somebody must: a session is refused, or a
command ends with status 1."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note", "ok")
"""The most severe first."""
LONGEST = 80  # characters of a value that is quoted
Grade = Literal["green", "unknown", "amber", "red"]
_GRADES: dict[Severity, Grade] = {"ok": "green", "note": "unknown", "warning": "amber", "error": "red"}


class Finding(Struct, frozen=True):
    """`kind`: the check, the kind of finding or the field, empty if the text says it all. `fix`: what to do.

    `expected`: what follows from everything else. `subject`, `session`, `message_id`, `place`: where, None if it is
    about more than one. `value`: the number in `unit`, or the word, that was measured.
    """

    kind: str
    severity: Severity
    text: str
    fix: str | None = None
    value: float | str | bool | None = None
    unit: str | None = None
    expected: str | None = None
    subject: str | None = None
    session: int | None = None
    message_id: str | None = None
    place: str | None = None

    @property
    def key(self) -> tuple[str, str | None, int | None]:
        """By what it is found again, as for what was said of it."""
        return self.kind, self.subject, self.session

    @property
    def needs_person(self) -> bool:
        """Whether somebody must look."""
        return self.severity == "error"


class Item(Struct, frozen=True):
    """A finding about the computer as a transcript begins with it."""

    name: str
    grade: Grade
    found: str
    fix: str | None = None
    value: float | str | bool | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        """A transcript's line is read back as it was written: whole numbers are floats, and JSON knows no infinity."""
        value = self.value
        if value is not None and not isinstance(value, str | bool):
            force_setattr(self, "value", float(value) if math.isfinite(value) else None)


def message_finding(severity: Severity, subject: str | None, message_id: str | None, text: str) -> Finding:
    """A finding about a message, whose `text` says what is wrong, where, and what to do.

    `subject` and `message_id` are None where it is about more than one, or about a file.
    """
    return Finding("", severity, text, subject=subject, message_id=message_id)


def discrepancy(where: str, what: str, expected: str, found: str) -> Finding:
    """Something that is not as it should be: where, in which field, what follows from the rest, what is there."""
    return Finding(what, "error", found, expected=expected, place=where)


def quote(value: object) -> str:
    """A value in a finding: as in JSON, cut if long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def recorded_item(one: Finding) -> Item:
    """The finding as a transcript has it."""
    return Item(one.kind, _GRADES[one.severity], one.text, one.fix, one.value, one.unit)


def describe(one: Finding) -> str:
    """The finding in a line: where, what, what was found, and what was expected."""
    places = (
        subject_name(one.subject) if one.subject else "",
        session_name(one.session) if one.session else "",
        f"message {one.message_id}" if one.message_id else "",
        one.place or "",
    )
    line = ": ".join(filter(None, (", ".join(filter(None, places)), one.kind, one.text)))
    return f"{line}, {one.expected}" if one.expected else line


def list_first(lines: Sequence[str], most: int) -> str:
    """Lines below the one before, indented; of many the first, and how many there are besides."""
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    return "".join(f"\n  {line}" for line in [*lines[:most], *more])


def name_first(names: Sequence[str], most: int, others: str = "more") -> str:
    """Names in a line; of many the first, and how many there are besides."""
    rest = f" and {len(names) - most} {others}" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def count_in_words(count: int, what: str) -> str:
    """How many there are: `1 participant`, `2 participants`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def severity_by(*, error: bool, warning: bool) -> Severity:
    """The severity of something that has two limits."""
    return "error" if error else "warning" if warning else "ok"


def worst(findings: Iterable[Finding]) -> Severity:
    """The highest severity of them; ok if there are none."""
    return min((one.severity for one in findings), key=SEVERITIES.index, default="ok")


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The most severe first; otherwise by participant."""
    return tuple(sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), one.subject or "")))


def refusal(kind: str, error: Exception | None, ready: str = "ready") -> Finding:
    """What would keep a session from beginning, such as missing messages; ok, in the words `ready`, if nothing."""
    if error is None:
        return Finding(kind, "ok", ready)
    return Finding(kind, "error", str(error).replace(str(Path.home()), "~"), value=type(error).__name__)
