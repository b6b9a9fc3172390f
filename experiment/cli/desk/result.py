"""What a command said, for the assistant: after a session, a check, or the page over all sessions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from experiment.cli.desk.facts import Facts
from experiment.cli.desk.jobs import Outcome
from experiment.cli.desk.places import Command, Places
from experiment.cli.desk.widgets import COLOURS, Act
from experiment.cli.form_widgets import label, push_button
from experiment.errors import DayFourError
from experiment.preflight.report import VERDICTS, WORDS
from experiment.record.finding import Finding, worst
from experiment.record.saved import describe_saved, status_on_disk

HEADINGS = {
    "completed": "The session is complete",
    "aborted": "The session was ended early",
    "failed": "The session was interrupted",
}
ANCHOR = "Anchor, "  # begins the line that names it


class Result(QWidget):
    """A heading, what was said, and where to go from here."""

    def __init__(self, heading: str, body: Sequence[QWidget], acts: Sequence[Act], back: Callable[[], None]) -> None:
        """`acts`: buttons besides the one that goes back to the desk, which has the focus."""
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 40, 48, 32)
        column.setSpacing(16)
        column.addWidget(label(heading, "heading"))
        column.addWidget(_scrolled(body), stretch=1)
        row = QHBoxLayout()
        self.back = push_button("&Back to the desk", back, "start")
        row.addWidget(self.back)
        for act in acts:
            row.addWidget(push_button(*act))
        row.addStretch(1)
        column.addLayout(row)


def _scrolled(body: Sequence[QWidget]) -> QScrollArea:
    page, area = QWidget(), QScrollArea()
    page.setObjectName("page")
    rows = QVBoxLayout(page)
    rows.setContentsMargins(0, 0, 12, 0)
    rows.setSpacing(10)
    for part in body:
        rows.addWidget(part)
    rows.addStretch(1)
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def said(text: str) -> list[QWidget]:
    """What a command said, a paragraph for each line; it can be selected and copied."""
    return [_selectable(line.strip()) for line in text.splitlines() if line.strip()]


def heading_after(transcript: Path | None) -> str:
    """How the session ended, by what the disk has of it."""
    try:
        return HEADINGS[status_on_disk(transcript)] if transcript else ""
    except (DayFourError, OSError):
        return "The log of the session cannot be read"


def told_after(outcome: Outcome, facts: Facts) -> list[QWidget]:
    """What the disk has of a session, the anchor, and what is due next; `facts` as they are since."""
    body = said("\n".join(line for line in outcome.said.splitlines() if not line.startswith(ANCHOR)))
    if outcome.was_killed and outcome.transcript:
        body += said(describe_saved(outcome.transcript))
    if anchor := outcome.told.get("anchor"):
        body += [*said("Write this anchor on the paper form of this visit:"), *said(anchor)]
        body[-1].setObjectName("anchor")
    subject = outcome.visit.subject if outcome.visit else None
    for line in facts.lines:
        if line.subject == subject and line.needs:
            body += [label("Next", "question"), *said(f"{line.subject}: {line.needs}")]
    return body


def acts_after(outcome: Outcome, heading: str, places: Places, run: Callable[[Command], None]) -> list[Act]:
    """The buttons for what can be done after a session that ended as the heading says."""
    visit, acts = outcome.visit, list[Act]()
    if visit and heading == HEADINGS["failed"]:
        acts.append(("&Resume or close", lambda: run(places.run(visit.subject, visit.session))))
    if subject := outcome.told.get("ask_again"):
        acts.append(("Ask the closing &questions", lambda: run(places.funnel(subject))))
    return acts


def findings_of(printed: str) -> list[Finding]:
    """What `check --json` found; nothing if it printed no such list."""
    try:
        rows = json.loads(printed)
    except ValueError:
        return []
    return [Finding(one["name"], one["severity"], one["found"], one["fix"]) for one in rows]


def checked(found: Sequence[Finding]) -> list[QWidget]:
    """A line for each finding, with what to do beneath whatever is not right."""
    return [_selectable(VERDICTS[worst(found)]), *map(_finding, found)]


def _finding(one: Finding) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    word = label(WORDS[one.severity][0], "word")
    word.setFixedWidth(90)
    word.setStyleSheet(f"color: {COLOURS[one.severity]}; font-weight: 600")
    fix = f"\n{one.fix}" if one.fix and one.severity != "ok" else ""
    kind = label(one.kind, "kind")
    kind.setFixedWidth(140)
    for part in (word, kind):
        row.addWidget(part, alignment=Qt.AlignmentFlag.AlignTop)
    row.addWidget(_selectable(one.text + fix), stretch=1)
    return line


def _selectable(text: str) -> QLabel:
    shown = label(text, "said")
    shown.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return shown
