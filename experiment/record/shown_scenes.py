"""What was on the screen from when until when, in words, and whether it was what was planned."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

from msgspec import Struct

from experiment.design.protocol import Protocol
from experiment.design.session import Trial
from experiment.record.events import Event, MessageScene, ScaleScene, Scene, Shown, TextScene, TrialBegan, TrialEnded
from experiment.record.timeline import Attempt, last_s, pauses

Kind = Literal["page", "fixation", "message", "scale", "blank", "pause"]
WATCHED = ("message", "scale")


class ShownScene(Struct, frozen=True):
    """A stay on the screen; `shows`: the id of the message or question, a page's name; `trial`: None outside trials.

    `step`: what a trial is about.
    """

    kind: Kind
    trial: int | None
    shows: str | None
    start_s: float
    end_s: float
    step: str = "message"

    @property
    def place(self) -> str:
        """In words, for a person who looks for it."""
        if self.trial is None:
            return self.shows or self.kind
        message = "practice message" if self.trial == 0 else f"{self.step} {self.trial}"
        return message if self.kind == "message" else f"{self.shows or self.kind} of {message}"


def shown_scenes(attempt: Attempt) -> list[ShownScene]:
    """All that was shown in an attempt, in order; a scene's states (a button, another marker) are one stay."""
    pieces = list(_pieces(attempt.events, _names(attempt.started.session.protocol)))
    groups = [next(group) for _, group in groupby(pieces, lambda piece: piece[1:])]
    ends_s = [*(piece[0] for piece in groups[1:]), last_s(attempt.events)]
    step = "object" if attempt.started.session.holdings else "message"
    return [
        ShownScene(kind, trial, shows, start_s + attempt.later_s, end_s + attempt.later_s, step)
        for (start_s, kind, trial, shows), end_s in zip(groups, ends_s, strict=False)
    ]


def _names(protocol: Protocol) -> dict[str, str]:
    """What a question or a page of text is called, by its wording."""
    wording = protocol.wording
    instructions = {text: f"instruction {number}" for number, text in enumerate(wording.instructions, start=1)}
    pages = {wording.welcome: "welcome", wording.practice: "practice page", wording.begin: "begin page"}
    last = {wording.resumed: "resumed page", wording.closing: "closing page"}
    if wording.before_questions:
        last[wording.before_questions] = "closing page"
    return instructions | pages | last | {one.text: one.id for one in protocol.rating.questions}


def _pieces(events: Sequence[Event], names: dict[str, str]) -> Iterator[tuple[float, Kind, int | None, str | None]]:
    """Each state of the screen: since when, what kind, in which trial, which message or question."""
    trial = None
    spans_s = [(one.start_s, one.end_s or math.inf) for one in pauses(events)]
    for event in events:
        if isinstance(event, TrialBegan):
            trial = event.trial
        elif isinstance(event, TrialEnded):
            trial = None
        elif isinstance(event, Shown):
            paused = any(start_s <= event.onset_s < end_s for start_s, end_s in spans_s)
            kind, shows = ("pause", None) if paused else _kind_of(event.scene, names)
            yield event.onset_s, kind, trial, shows


def _kind_of(scene: Scene, names: dict[str, str]) -> tuple[Kind, str | None]:
    match scene:
        case MessageScene():
            return "message", scene.message_id
        case ScaleScene():
            return "scale", names.get(scene.question)
        case TextScene():
            return ("fixation", None) if scene.style == "sign" else ("page", names.get(scene.text))
    return "blank", None


def first_unplanned(attempt: Attempt, shown: Iterable[ShownScene]) -> ShownScene | None:
    """The first message or scale that is not the one that was planned at its place, or None."""
    started = attempt.started
    first = started.resumes.trial if started.resumes else 0
    session = started.session
    practice = () if session.holdings else (session.practice,)
    steps = [one for one in (*practice, *session.steps) if one.trial >= first]
    names = _names(session.protocol)
    called = {one.id: names[one.text] for one in session.protocol.rating.questions}  # another that is worded the same
    planned = [
        (one.trial, shows)
        for one in steps
        for shows in (*([one.message_id] if isinstance(one, Trial) else []), *map(called.get, one.questions))
    ]
    watched = (one for one in shown if one.kind in WATCHED)
    stays = (next(group) for _, group in groupby(watched, lambda one: (one.trial, one.shows)))
    due = (stay for stay, _ in groupby(planned))
    if session.protocol.scan:  # where a pause leaves out the rest of a run
        return next((one for one in stays if (one.trial, one.shows) not in due), None)
    return next((one for one in stays if next(due, None) != (one.trial, one.shows)), None)
