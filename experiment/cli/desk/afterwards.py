"""The assistant's page after a session: how it ended, what the disk has, the anchor, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtWidgets import QWidget

from experiment.cli.desk.facts import Facts
from experiment.cli.desk.jobs import Outcome
from experiment.cli.desk.places import Command, Places
from experiment.cli.desk.result import said
from experiment.cli.desk.widgets import Act
from experiment.cli.form_widgets import label
from experiment.design.visit import Visit, visit_of_file
from experiment.errors import DayFourError
from experiment.record.saved import describe_saved, status_on_disk

HEADINGS = {
    "completed": "The session is complete",
    "aborted": "The session was ended early",
    "failed": "The session was interrupted",
}
BY_ASSISTANT = (0, 3)  # exit status of a program that the assistant led to its end
ANCHOR = "Anchor, "  # begins the line that names it


def is_left_alone(outcome: Outcome) -> bool:
    """Whether a participant may sit before a session of which the program died, or failed."""
    return outcome.transcript is not None and outcome.status not in BY_ASSISTANT


def heading_after(transcript: Path | None) -> str:
    """How the session ended, by what the disk has of it."""
    try:
        return HEADINGS[status_on_disk(transcript)] if transcript else ""
    except (DayFourError, OSError):
        return "The log of the session cannot be read"


def page_after(outcome: Outcome, facts: Facts) -> tuple[str, list[QWidget]]:
    """Heading and contents; `facts` as they are since."""
    body = said("\n".join(line for line in outcome.said.splitlines() if not line.startswith(ANCHOR)))
    if outcome.was_killed and outcome.transcript:
        body += said(describe_saved(outcome.transcript))
    if anchor := outcome.told.get("anchor"):
        body += [*said("Write this anchor on the paper form of this visit:"), *said(anchor)]
        body[-1].setObjectName("anchor")
    visit = visit_of(outcome)
    for line in facts.lines if visit else ():
        if visit and line.subject == visit.subject and line.needs:
            body += [label("Next", "question"), *said(f"{line.subject}: {line.needs}")]
    return heading_after(outcome.transcript), body


def acts_after(outcome: Outcome, places: Places, run: Callable[[Command], None]) -> list[Act]:
    """The buttons for what can be done now."""
    visit, acts = visit_of(outcome), list[Act]()
    if visit and heading_after(outcome.transcript) == HEADINGS["failed"]:
        acts.append(("&Resume or close", lambda: run(places.run(visit.subject, visit.session))))
    if subject := outcome.told.get("ask_again"):
        acts.append(("Ask the closing &questions", lambda: run(places.funnel(subject))))
    return acts


def visit_of(outcome: Outcome) -> Visit | None:
    """Which session it was."""
    return visit_of_file(outcome.transcript) if outcome.transcript else None
