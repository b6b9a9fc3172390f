"""A session that is about to begin: drawn, and checked against what was saved before, with nothing opened yet.

What was saved of an earlier try can be closed as it is, or set aside with a reason, and is never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from experiment.design.message import KEYED, PRACTICE, Digests, Message, practice_message
from experiment.design.message_sets import Sets
from experiment.design.protocol import Protocol
from experiment.design.session import SessionPlan, as_recorded, check_session, draw_session
from experiment.design.visit import Visit, subject_name
from experiment.errors import BadInput, EquipmentFailure
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, Event, MessageScene, Mode, Shown
from experiment.record.events_beside import SetAside, Unwritable
from experiment.record.remake import set_tables_aside
from experiment.record.resume import INCOMPLETE, is_interrupted
from experiment.record.saved import on_disk
from experiment.storage.atomic_file import sync_folder
from experiment.storage.lock import is_written

PERSON = "person"


class Interrupted(BadInput):
    """This session began before, and the program or the computer died: it can go on, or be closed as it is."""

    def __init__(self, transcript: log.Transcript) -> None:
        self.why = f"{transcript.started.session.visit} was interrupted earlier. {on_disk(transcript)}"
        super().__init__(
            f"{self.why}\n"
            "Use --resume to continue with the first unrated message, or --close to end the session as it is."
        )


@dataclass(frozen=True)
class Plan:
    """A session that is about to begin: everything checked, nothing opened yet."""

    mode: Mode
    session: SessionPlan
    messages: tuple[Message, ...]
    operator: str
    answers: Mapping[str, str | float | None]
    data: DataSet
    participant: str = PERSON
    after: log.Transcript | None = None  # what there is of an interrupted session

    @property
    def transcript(self) -> Path:
        """Where the session's transcript stands, or will."""
        return self.data.transcript(self.session.visit, self.protocol.task)

    @property
    def is_synthetic(self) -> bool:
        """Whether no person takes part."""
        return self.participant != PERSON

    @property
    def protocol(self) -> Protocol:
        """The session's."""
        return self.session.protocol


def plan_session(
    mode: Mode,
    protocol: Protocol,
    messages: Sequence[Message],
    data: DataSet,
    *,
    subject: str,
    session: int,
    seed: int,
    operator: str,
    answers: Mapping[str, str | float | None] | None = None,
    participant: str = PERSON,
    resume: bool = False,
) -> Plan:
    """A session, checked before anything opens: its messages, its number, and that nothing of it was saved before.

    With `resume`, an interrupted one, whose answers to the form are kept. Raises CutOff for such a one without it.
    """
    check_session(session, protocol)
    messages = messages if protocol.messages else ()  # a task without any shows none
    visit = Visit(subject, session)
    after = read_interrupted(data, visit)
    data.check_tables(subject)
    if after is None:
        _forget_unbegun(data, visit)
        data.check_free(visit)
        if resume:
            raise BadInput(f"{visit} has not begun yet. Start it without --resume.")
    elif not resume:
        raise Interrupted(after)
    else:
        seed = after.started.session.seed
    digests = after.started.session.message_digests if after else KEYED
    drawn = _drawn(protocol, messages, data, visit, seed, digests)
    if after is not None:
        drawn = as_recorded(replace(drawn, waived=after.started.session.waived), after.started.session)
    if after is not None and drawn != after.started.session:
        raise BadInput(
            f"{visit} began with another protocol or other messages. Restore the files, or close the session with "
            "--close."
        )
    shown = (practice_message(protocol), *messages)
    return Plan(mode, drawn, shown, operator, answers or {}, data, participant, after)


def _drawn(
    protocol: Protocol, messages: Sequence[Message], data: DataSet, visit: Visit, seed: int, digests: Digests
) -> SessionPlan:
    """The session as the seed decides it, of the messages that the subject's other sessions were drawn from."""
    others = read_begun_sessions(protocol, data, visit.subject, but=visit.session)
    sets = _sets(others)
    drawn = draw_session(
        protocol, messages, subject=visit.subject, session=visit.session, seed=seed, sets=sets, digests=digests
    )
    for other in others:
        if other.sets != drawn.sets:
            raise BadInput(
                f"The sets of messages of {subject_name(visit.subject)}, or the protocol's message_sets, differ from "
                f"those in session {other.session}. Restore the files from then."
            )
    return drawn


def recorded_sets(protocol: Protocol, data: DataSet, subject: str) -> Sets:
    """The ids of each session's messages as the subject's first session recorded them; none if nothing was drawn."""
    return _sets(read_begun_sessions(protocol, data, subject))


def read_begun_sessions(protocol: Protocol, data: DataSet, subject: str, but: int | None = None) -> list[SessionPlan]:
    """The subject's sessions that have begun, but one."""
    visits = [Visit(subject, number) for number in range(1, protocol.sessions + 1) if number != but]
    paths = [path for visit in visits if (path := data.transcript_of(visit))]
    return [log.read_start(path).session for path in paths if log.has_begun(path)]


def _sets(sessions: Sequence[SessionPlan]) -> Sets:
    return next((session.sets for session in sessions if session.sets), ())


def read_interrupted(data: DataSet, visit: Visit) -> log.Transcript | None:
    """The transcript of this session if it was interrupted, such as by a power cut; None if it ended, or never began.

    Raises BadInput if it is still running.
    """
    path = data.transcript_of(visit)
    if path and is_written(path):
        raise BadInput(f"{visit} is still running. Continue in its window, or end it there first.")
    if path is None or not log.has_begun(path):
        return None
    transcript = log.read(path, pilot=True)
    return transcript if is_interrupted(transcript) else None


def _forget_unbegun(data: DataSet, visit: Visit) -> None:
    """Take away what a program left that died before its transcript had a line, and so before anything was shown."""
    path = data.transcript_of(visit)
    if path and not log.has_begun(path):
        path.unlink()


def close_as_incomplete(data: DataSet, visit: Visit) -> None:
    """End an interrupted session as incomplete; BadInput if there is none."""
    transcript, path = read_interrupted(data, visit), data.transcript_of(visit)
    if transcript is None or path is None:
        raise BadInput(f"{visit} was not interrupted, so there is nothing to close.")
    data.check_tables(visit.subject)
    with log.Writer(path, transcript) as writer:
        writer.append(Ended("aborted", INCOMPLETE))
    data.save(log.read(path, pilot=True).events)


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
