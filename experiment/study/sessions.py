"""A session and the register: let in before it begins, recorded when it has ended."""

from __future__ import annotations

from pathlib import Path

from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.resume import is_interrupted
from experiment.storage.append_file import is_written
from experiment.study import admission, dates, participants, recording
from experiment.study.events import Status
from experiment.study.participants_tsv import update_participants_tsv
from experiment.study.register import Register


def session_today(register: Register, subject: str, *, asked: int | None = None, override: str | None = None) -> int:
    """The session that the participant may be in now; gate.Refused says why none, and when. Nothing is recorded.

    `asked`: the session that the assistant named, if any. `override`: why it is to be held against the study's rules
    about days and doses.
    """
    return _decided(register, subject, asked, override)[0]


def admit(register: Register, subject: str, who: str, *, asked: int | None = None, override: str | None = None) -> int:
    """The same for a session that begins now: an override that is needed is recorded, with the initials `who`."""
    session, is_refused = _decided(register, subject, asked, override)
    if is_refused and override is not None:
        reason = override
        register.act(who, lambda entries: recording.override_rules(entries, subject, reason, register.now(), asked))
    return session


def _decided(register: Register, subject: str, asked: int | None, override: str | None) -> tuple[int, bool]:
    """The session, and whether the gate refuses it but for the override."""
    try:
        return admission.session_at(register.entries(), subject, register.now(), asked), False
    except admission.Refused as refused:
        if refused.session is None or override is None:
            raise
        return refused.session, True


def record(register: Register, subject: str, session: int, who: str, status: Status, began_utc: str) -> None:
    """A session has ended that began then (ISO 8601): `failed` if it can go on (`resume.is_cut_off`)."""
    register.act(
        who, lambda entries: recording.record_session(entries, subject, session, status, began_utc, register.now())
    )


def record_end(register: Register, data: DataSet, transcript: Path, who: str) -> None:
    """Let register and `participants.tsv` know how a session ended, as its transcript has it, if it began."""
    if not log.has_begun(transcript):
        return
    read = log.read(transcript)
    session = read.started.session
    status = "failed" if read.ended is None or is_interrupted(read) else read.ended.status
    record(register, session.subject, session.session, who, status, read.started.zero_utc)
    update_participants_tsv(data, register.entries())


def catch_up(register: Register, data: DataSet, subject: str, who: str) -> list[int]:
    """Record the subject's sessions that ended while the register could not be told, such as on a lost network.

    Those that go on or were cut off are left alone. Which sessions were recorded.
    """
    one, caught = register.participant(subject), []
    for course in range(1, len(one.starts) + 1):
        path = data.transcript_of(Visit(one.subject, course))
        if path and not one.is_held(course) and log.has_begun(path) and not is_written(path) and _is_over(path):
            record_end(register, data, path, who)
            caught.append(course)
    return caught


def _is_over(transcript: Path) -> bool:
    read = log.read(transcript)
    return read.ended is not None and not is_interrupted(read)


def check_never_held(data: DataSet, visit: Visit) -> None:
    """BadInput if this session did begin: then it is no session to which nobody came."""
    if (path := data.transcript_of(visit)) and log.has_begun(path):
        raise BadInput(
            f"{visit} did begin, and was cut off. Go on with `dayfour run --resume`, or end it with `dayfour run "
            "--close`."
        )


def check_open(register: Register, subject: str) -> None:
    """BadInput if nothing more can be asked of this participant: unknown, or the study is locked."""
    if register.participant(subject).locked:
        raise BadInput("The study is locked: nothing of its data can change any more.")


def unknown_doses(register: Register, subject: str) -> str | None:
    """Which doses before today the register does not know of, in a sentence; None if it knows of all."""
    entries = register.entries()
    study = participants.study_of(entries)
    one = participants.get_participant(participants.read_participants(study, entries), subject)
    unknown = admission.unrecorded_doses(one, study, dates.today(study.at(one.stratum), register.now()))
    if not unknown:
        return None
    listed = ", ".join(map(dates.short, unknown))
    return f"Nobody recorded whether {one.name} took the dose of {listed}. Ask, and record it: `dayfour study dosed`."
