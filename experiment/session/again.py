"""A session in which no message was seen is begun again: its log is set aside with a reason, and never deleted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from experiment.design.message import PRACTICE
from experiment.design.visit import Visit
from experiment.errors import BadInput, EquipmentFailure
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Event, MessageScene, Shown
from experiment.record.events_beside import SetAside, Unwritable
from experiment.record.remake import set_tables_aside
from experiment.storage.atomic_file import sync_folder
from experiment.storage.lock import is_written


def check_unseen(data: DataSet, visit: Visit) -> log.Transcript:
    """The log of a session that can be begun again; BadInput if it has not begun, still runs, or showed a message."""
    path = data.transcript_of(visit)
    if path is None or not log.has_begun(path):
        raise BadInput(f"{visit} has not begun yet. Start it without --begin-again.")
    if is_written(path):
        raise BadInput(f"{visit} is still running. Continue in its window, or end it there first.")
    transcript = log.read(path, pilot=True)
    if _may_have_been_seen(transcript.events):
        raise BadInput(
            f"{visit} cannot be started again, because a message was shown. If it was interrupted, continue with "
            "--resume or end it with --close."
        )
    return transcript


def set_aside(data: DataSet, visit: Visit, reason: str, operator: str, utc: str) -> Path:
    """Write the reason into the log's last line, and move it out of the way of a new one; where it is then.

    Its tables are set aside too. Should the disk fail in between, this can be repeated.
    """
    transcript, path = check_unseen(data, visit), data.transcript_of(visit)
    assert path  # noqa: S101 - it was just read
    with log.Writer(path, transcript) as writer:
        writer.append(SetAside(reason, operator, utc))
    set_tables_aside(data, transcript.events)
    data.forget(visit)
    folder = data.set_aside(visit)
    target = folder / f"{len(data.logs_set_aside(visit)) + 1}_{path.name}"
    try:
        folder.mkdir(exist_ok=True)
        path.rename(target)
        sync_folder(folder)
    except OSError as error:
        raise EquipmentFailure(f"{path} cannot be set aside: {error.strerror}. Try again.") from error
    return target


def _may_have_been_seen(events: Iterable[Event]) -> bool:
    """Whether a message other than the practice's was shown, or a line is missing that could have told of it."""
    return any(
        isinstance(event, Unwritable)
        or (isinstance(event, Shown) and isinstance(event.scene, MessageScene) and event.scene.message_id != PRACTICE)
        for event in events
    )
