"""What was damaged on the way of messages that are imported, found in their texts and labels. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from experiment.design.message import Message
from experiment.drawing.scripts import LANGUAGE, needs_language
from experiment.messages import corruption
from experiment.messages.check_message import find_endless
from experiment.messages.findings import message_finding
from experiment.record.finding import Finding


def find_damage(messages: Mapping[str, Sequence[Message]]) -> Iterator[Finding]:
    """What was damaged on the way, by participant and message."""
    every = {(subject, one.message_id): one.text for subject, of in messages.items() for one in of}
    for subject, of in messages.items():
        for one in of:
            for severity, text in list(find_endless(one)) or _damage(one):  # no pattern sees what is endless
                yield message_finding(severity, subject, one.message_id, text)
    for (subject, message_id), (severity, text) in corruption.cut(every):
        yield message_finding(severity, subject, message_id, text)


def _damage(message: Message) -> Iterator[corruption.Told]:
    yield from _language(message)
    yield from _relationship(message)
    yield from _formula(message)
    yield from corruption.findings(message.text)
    for name in ("writer", "relationship"):
        for severity, text in corruption.of_label(getattr(message, name)):
            yield severity, f"Column {name}: {text}"


def _language(message: Message) -> Iterator[corruption.Told]:
    """Whether somebody has to say which language it is; importing the file again could not change it later."""
    if not LANGUAGE.fullmatch(message.language):
        yield "error", "The language is not a tag such as en, ar, zh, zh-Hant, ja or ko. Correct it in the file."
    elif needs_language(message.text, message.language):
        text = "The text has Chinese characters, which Chinese and Japanese draw differently. State which it is"
        yield "error", f"{text}: zh, zh-Hant or ja in the column for the language, or if there is none with --language."


def _formula(message: Message) -> Iterator[corruption.Told]:
    """Names and relationships that a spreadsheet's formula left, or that a spreadsheet would take for one."""
    for name in ("writer", "relationship"):
        if getattr(message, name)[:1] in {"=", "+", "-", "@"}:
            yield "error", f"The {name} begins like a spreadsheet formula. Type it again."


def _relationship(message: Message) -> Iterator[corruption.Told]:
    if message.relationship.isdigit():
        text = "The relationship is a number, perhaps the code of an answer."
        yield "warning", f"{text} Export the file with labels (choice text) instead of codes and import it again."
