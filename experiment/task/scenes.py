"""The pages of text that a session can show, worded by the protocol."""

from __future__ import annotations

from experiment.design.protocol import Protocol
from experiment.record.events import (  # fmt: skip
    TextScene,
)


def pages(protocol: Protocol) -> tuple[TextScene, ...]:
    """Every page of text that a session can show."""
    wording = protocol.wording
    read = (
        wording.welcome, *wording.instructions, wording.practice, wording.begin, wording.resumed, wording.closing,
    )  # fmt: skip
    endings = tuple(ending_page(protocol, reason) for reason in protocol.keys.reasons)
    pauses = (pause_page(protocol, unsaved=unsaved) for unsaved in (False, True))
    return (*(TextScene(text) for text in read), *pauses, *endings)


def pause_page(protocol: Protocol, *, unsaved: bool = False) -> TextScene:
    """What stands on the screen while a session is paused; `unsaved`: with a warning that the disk takes no data."""
    pause = protocol.wording.pause
    text = f"{pause.page}\n\n{pause.unsaved}" if unsaved else pause.page
    return TextScene(text.format(**_key_names(protocol)))


def ending_page(protocol: Protocol, reason: str) -> TextScene:
    """What asks the assistant whether to end the session for this reason."""
    return TextScene(protocol.wording.pause.ending.format(**_key_names(protocol), reason=reason))


def _key_names(protocol: Protocol) -> dict[str, str]:
    keys = {"pause": protocol.keys.pause.title(), "resume": protocol.keys.resume.upper()}
    return keys | {reason: key.upper() for reason, key in protocol.keys.reasons.items()}
