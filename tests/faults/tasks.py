"""The tasks that the campaigns run, each with as many invented messages as it has."""

from __future__ import annotations

from pathlib import Path

from experiment.design.message import Message, read_messages
from experiment.design.protocol import Protocol, read_protocol
from tests.places import EXAMPLES
from tests.strategies import PROTOCOL

TASKS = ("messages", "scan", "objects")


def task_of(name: str) -> tuple[Protocol, list[Message]]:
    """The protocol of a task, and its messages."""
    if name == "messages":
        return PROTOCOL, list(read_messages(EXAMPLES / "english.csv"))
    protocol = read_protocol(Path(name))
    if not (scan := protocol.scan):
        return protocol, []
    sources = scan.sources
    return protocol, [
        Message(f"m{number}", "Ada", "friend", "en", f"Text {number}", source=sources[number % len(sources)])
        for number in range(protocol.messages)
    ]
