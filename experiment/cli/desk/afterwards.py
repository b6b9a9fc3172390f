"""The assistant's page after a session: how it ended, what the disk has, the anchor, and what to do next."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtWidgets import QWidget

from experiment.cli.desk.facts import Facts
from experiment.cli.desk.jobs import Outcome
from experiment.cli.desk.places import Command, Places
from experiment.cli.desk.result import Act, said
from experiment.cli.form_widgets import label
from experiment.design.visit import Visit, visit_of_file

HEADINGS = {0: "The session is complete", 3: "The session was ended early"}
ANCHOR = "Anchor, "  # begins the line that names it


def is_interrupted(outcome: Outcome) -> bool:
    """Whether a participant may sit before a session that nobody ended."""
    return outcome.transcript is not None and outcome.status not in HEADINGS


def page_after(outcome: Outcome, facts: Facts) -> tuple[str, list[QWidget]]:
    """Heading and contents; `facts` as they are since."""
    body = said("\n".join(line for line in outcome.said.splitlines() if not line.startswith(ANCHOR)))
    if anchor := outcome.told.get("anchor"):
        body += [*said("Write this anchor on the paper form of this visit:"), *said(anchor)]
        body[-1].setObjectName("anchor")
    visit = visit_of(outcome)
    for line in facts.lines if visit else ():
        if visit and line.subject == visit.subject and line.needs:
            body += [label("Next", "question"), *said(f"{line.subject}: {line.needs}")]
    return HEADINGS.get(outcome.status, "The session was interrupted"), body


def acts_after(outcome: Outcome, places: Places, run: Callable[[Command], None]) -> list[Act]:
    """The buttons for what can be done now."""
    visit, acts = visit_of(outcome), list[Act]()
    if is_interrupted(outcome) and visit:
        acts.append(("&Resume or close", lambda: run(places.run(visit.subject, visit.session))))
    if subject := outcome.told.get("ask_again"):
        acts.append(("Ask the closing &questions", lambda: run(places.funnel(subject))))
    return acts


def visit_of(outcome: Outcome) -> Visit | None:
    """Which session it was."""
    return visit_of_file(outcome.transcript) if outcome.transcript else None
