"""What the disk holds of a session, read at that moment: all that is said of saved, rated or complete comes from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import Struct

from experiment.errors import BadInput
from experiment.record.events import Ended
from experiment.record.events_beside import Unwritable
from experiment.record.rescue import find_copy, find_rescued
from experiment.record.resume import count_finished, is_interrupted
from experiment.record.transcript import Transcript, has_begun, read


class OnDisk(Struct, frozen=True):
    """A session's log as it was read: how many messages (or objects) are rated, its end, what could not be written.

    `unanswered`: those that are over though a question was not answered in time.
    """

    rated: int
    messages: int
    ended: Ended | None
    unwritable: tuple[str, ...]
    what: str = "messages have been rated"
    and_saved: str = "these ratings are"
    unanswered: int = 0

    def __str__(self) -> str:
        """In a sentence, or more if something is missing."""
        told = f"{self.rated} of {self.messages} {self.what}{f', and {self.and_saved} saved' if self.rated else ''}."
        if self.unanswered:
            told += f" Of {self.unanswered} more, a question was not answered in time."
        if not self.unwritable:
            return told
        kinds = ", ".join(sorted(set(self.unwritable)))
        return f"{told} NOT saved, because the program could not write them: {len(self.unwritable)} events ({kinds})."


def on_disk(transcript: Transcript) -> OnDisk:
    """What was read from the file just now."""
    unwritable = tuple(event.kind for event in transcript.events if isinstance(event, Unwritable))
    session = transcript.started.session
    done, what = ("shown", "what was rated is") if session.protocol.scan else ("rated", "these ratings are")
    things = f"{'objects' if session.holdings else 'messages'} have been {done}"
    finished, answered = count_finished(transcript)
    rated = finished if session.protocol.scan else answered
    return OnDisk(rated, len(session.steps), transcript.ended, unwritable, things, what, unanswered=finished - rated)


def status_on_disk(path: Path) -> Literal["completed", "aborted", "failed"]:
    """How the session with this transcript ended, as it or a rescued copy has it; "failed" if it can be resumed."""
    transcript = read(find_rescued(path) or path, pilot=True)
    return "failed" if transcript.ended is None or is_interrupted(transcript) else transcript.ended.status


def remake_advice(data: Path) -> str:
    """How tables that are behind are made again."""
    return f"`dayfour table {data} --remake` makes the tables again from the logs."


def describe_saved(path: Path) -> str:
    """What the disk holds of the session with this transcript, in words; whatever is wrong with the file is said so."""
    try:
        if copy := find_copy(path):
            return f"{on_disk(read(copy, pilot=True))} {_beside_copy(path)}; all are in the rescued copy:\n  {copy}"
        return str(
            on_disk(read(path, pilot=True)) if has_begun(path) else "Nothing of this session is saved on the disk."
        )
    except (BadInput, OSError) as error:
        return f"Whether anything of this session is saved could not be seen: {error}"


def _beside_copy(path: Path) -> str:
    """What the data folder holds where a copy elsewhere has all."""
    try:
        here = on_disk(read(path, pilot=True)) if has_begun(path) else None
    except (BadInput, OSError):
        return "The log in the data folder cannot be read"
    return f"The data folder holds the ratings of {f'{here.rated} of them' if here and here.rated else 'none of them'}"
