"""What the disk holds of a session, read at that moment: all that is said of saved, rated or complete comes from it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from experiment.errors import BadInput
from experiment.record.events import Ended
from experiment.record.events_beside import Unwritable
from experiment.record.resume import rated_messages
from experiment.record.transcript import Transcript, has_begun, read


class OnDisk(Struct, frozen=True):
    """A session's log as it was read: how many of its messages are rated, its end, and what could not be written."""

    rated: int
    messages: int
    ended: Ended | None
    unwritable: tuple[str, ...]

    def __str__(self) -> str:
        """In a sentence, or two if something is missing."""
        told = f"{self.rated} of {self.messages} messages have been rated, and these ratings are saved."
        if not self.unwritable:
            return told
        kinds = ", ".join(sorted(set(self.unwritable)))
        return f"{told} NOT saved, because the program could not write them: {len(self.unwritable)} events ({kinds})."


def on_disk(transcript: Transcript) -> OnDisk:
    """What was read from the file just now."""
    unwritable = tuple(event.kind for event in transcript.events if isinstance(event, Unwritable))
    messages = len(transcript.started.session.trials)
    return OnDisk(rated_messages(transcript), messages, transcript.ended, unwritable)


def remake_advice(data: Path) -> str:
    """How tables that are behind are made again."""
    return f"`dayfour table {data} --remake` makes the tables again from the logs."


def describe_saved(path: Path) -> str:
    """What the disk holds of the session with this transcript, in words; whatever is wrong with the file is said so."""
    try:
        if not has_begun(path):
            return "Nothing of this session is saved on the disk."
        return str(on_disk(read(path, pilot=True)))
    except (BadInput, OSError) as error:
        return f"Whether anything of this session is saved could not be seen: {error}"
