"""The pictures of a past session, drawn anew where its messages are at hand, and proved against its transcript.

A message is shown only if its text is the one that was read then; where a set is not whole, nothing proves that of any
of its texts (recordings of version 0.1 did). One that is not here is replaced by its place and id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import UNSET

from experiment.design.message import Message, hide_digests, practice_message, read_messages, text_digests
from experiment.design.session import SessionPlan, Trial
from experiment.drawing.pictures import Pictures
from experiment.drawing.scripts import missing_glyphs
from experiment.drawing.stimuli import PILOT_MARK, draw_pictures
from experiment.messages.store import Folder
from experiment.record.events import Event
from experiment.record.finding import Finding, discrepancy
from experiment.record.screen_info import ScreenInfo
from experiment.record.timeline import attempts
from experiment.task.layout import Layout
from experiment.task.scenes import AS_NAMED

SHORT = 12  # digits of a digest
NOT_HERE = "Message {place} of {count}\n\n{message_id}\n\n(The text is not on this computer.)"


def redraw(events: Sequence[Event], messages: Path | Folder | None) -> tuple[Pictures, list[Finding]]:
    """The session's pictures for a screen as it was, and how far they are what the participant saw.

    `messages`: a file of messages, or the participants' folder. Raises BadInput if a named file cannot be read.
    """
    every = [attempt.started for attempt in attempts(events)]
    session, screen = every[0].session, every[0].screen
    known = (practice_message(session.protocol), *_read(messages, session.subject))
    digests, here = text_digests(known, session.message_digests), {message.message_id: message for message in known}
    findings = list(_texts(session, digests))
    shown = [
        here[trial.message_id] if digests.get(trial.message_id) == trial.message_sha256 else _absent(session, trial)
        for trial in (session.practice, *session.trials)
    ]
    mark = None if every[0].mode == "run" else PILOT_MARK
    layout, labels = Layout(screen.width_px, screen.height_px), [one.screen.key_labels or AS_NAMED for one in every]
    pictures = draw_pictures(session.protocol, shown, layout, mark, photodiode=screen.photodiode, labels=labels[0])
    for other in labels[1:]:
        if other != labels[0]:  # another keyboard after a resume: its pages beside those of the first
            again = draw_pictures(session.protocol, shown[:1], layout, labels=other)
            pictures = replace(pictures, scenes={**again.scenes, **pictures.scenes})
    drawn = hide_digests(pictures.message_sha256, known, session.message_digests)
    for started in every:
        findings += _pixels(started.screen, screen, drawn, {finding.place or "" for finding in findings})
    return pictures, findings


def _read(messages: Path | Folder | None, subject: str) -> tuple[Message, ...]:
    if messages is None:
        return ()
    if isinstance(messages, Folder):
        return messages.read(subject) if messages.has(subject) else ()
    return read_messages(messages)


def _texts(session: SessionPlan, here: dict[str, str]) -> Iterator[Finding]:
    """Which texts are not those of the transcript, by the digests of those that are here."""
    another = "another one is here" if session.message_digests is UNSET else "it, or another of the set, differs here"
    for trial in (session.practice, *session.trials):
        digest, recorded = here.get(trial.message_id), f"recorded {trial.message_sha256[:SHORT]}"
        if digest is None:
            yield discrepancy(_name(trial), "text", recorded, "not on this computer")
        elif digest != trial.message_sha256:
            yield discrepancy(_name(trial), "text", recorded, f"{another} ({digest[:SHORT]})")


def _absent(session: SessionPlan, trial: Trial) -> Message:
    known = ascii(trial.message_id) if missing_glyphs(trial.message_id, "en") else trial.message_id
    text = NOT_HERE.format(place=trial.trial, count=len(session.trials), message_id=known)
    return Message(trial.message_id, "", trial.relationship, "en", text)


def _pixels(screen: ScreenInfo, first: ScreenInfo, here: dict[str, str], absent: set[str]) -> Iterator[Finding]:
    """Which messages are drawn here in other pixels, if those of the session are known."""
    size, usual = (screen.width_px, screen.height_px), (first.width_px, first.height_px)
    if size != usual:
        yield discrepancy("later sitting", "screen", "shown as the first", f"was {size[0]} x {size[1]} pixels")
        return
    for message_id, digest in screen.pictures_sha256.items():
        drawn = here.get(message_id, "")
        if drawn != digest and not any(message_id in where for where in absent):
            why = ", maybe in another size, as messages are missing" if absent else ""
            found = f"drawn here {drawn[:SHORT]}{why}"
            yield discrepancy(f"message {message_id}", "pixels", f"recorded {digest[:SHORT]}", found)


def _name(trial: Trial) -> str:
    return f"message {trial.message_id} (trial {trial.trial})"
