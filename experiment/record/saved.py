"""What the disk holds of a session, read at that moment: all that is said of saved, rated or complete comes from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from experiment.errors import BadInput
from experiment.record.events_beside import Unwritable
from experiment.record.rescue import find_copy, find_rescued
from experiment.record.resume import count_rated, is_interrupted
from experiment.record.transcript import Transcript, has_begun, read


def on_disk(transcript: Transcript) -> str:
    """How far a session's log goes that was read just now: in a sentence, or more if something is missing."""
    session, (rated, unanswered) = transcript.started.session, count_rated(transcript)
    done, what = ("shown", "what was rated is") if session.protocol.scan else ("rated", "these ratings are")
    things, and_saved = "objects" if session.holdings else "messages", f", and {what} saved" if rated else ""
    told = f"{rated} of {len(session.steps)} {things} have been {done}{and_saved}."
    if unanswered:
        told += f" Of {unanswered} more, a question was not answered in time."
    if unwritable := [event.kind for event in transcript.events if isinstance(event, Unwritable)]:
        kinds = ", ".join(sorted(set(unwritable)))
        told += f" NOT saved, because the program could not write them: {len(unwritable)} events ({kinds})."
    return told


def status_on_disk(path: Path) -> Literal["completed", "aborted", "failed"]:
    """How the session with this transcript ended, as it or a rescued copy has it; "failed" if it can be resumed."""
    transcript = read(find_rescued(path) or path, pilot=True)
    return "failed" if transcript.ended is None or is_interrupted(transcript) else transcript.ended.status


def describe_saved(path: Path) -> str:
    """What the disk holds of the session with this transcript, in words; whatever is wrong with the file is said so."""
    try:
        if copy := find_copy(path):
            return f"{on_disk(read(copy, pilot=True))} {_beside_copy(path)}; all are in the rescued copy:\n  {copy}"
        return on_disk(read(path, pilot=True)) if has_begun(path) else "Nothing of this session is saved on the disk."
    except (BadInput, OSError) as error:
        return f"Whether anything of this session is saved could not be seen: {error}"


def _beside_copy(path: Path) -> str:
    """What the data folder holds where a copy elsewhere has all."""
    try:
        rated = count_rated(read(path, pilot=True))[0] if has_begun(path) else 0
    except (BadInput, OSError):
        return "The log in the data folder cannot be read"
    return f"The data folder holds the ratings of {rated or 'none'} of them"
