"""How this computer and the data folder are, in a line each: the part of `check` that needs no window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from experiment.record.finding import Finding, Severity, worst

OF_FOLDER = ("free disk", "data place", "data folder", "file locks")
VERDICTS: dict[Severity, str] = {
    "ok": "no problems found",
    "note": "no problems found, but some things could not be checked",
    "warning": "look at",
    "error": "NOT FIT",
}


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
