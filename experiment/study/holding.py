"""A session and the register: let in before it begins, recorded when it has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from experiment import log
from experiment.bids import DataSet
from experiment.resume import is_cut_off
from experiment.study import days, gate, recording, state
from experiment.study.listing import list_participants
from experiment.study.register import Register


def session_today(register: Register, subject: str, *, asked: int | None = None, override: str | None = None) -> int:
    """The session that the participant may be in now; gate.Refused says why none, and when. Nothing is recorded.

    `asked`: the session that the assistant named, if any. `override`: why it is to be held against the study's rules
    about days and doses.
    """
    return _decided(register, subject, asked, override)[0]


def admitted(
    register: Register, subject: str, who: str, *, asked: int | None = None, override: str | None = None
) -> int:
    """The same for a session that begins now: an override that is needed is recorded, with the initials `who`."""
    session, is_refused = _decided(register, subject, asked, override)
    if is_refused and override is not None:
        reason = override
        register.act(who, lambda entries: recording.overridden(entries, subject, reason, register.now(), asked))
    return session


def _decided(register: Register, subject: str, asked: int | None, override: str | None) -> tuple[int, bool]:
    """The session, and whether the gate refuses it but for the override."""
    entries = register.entries()
    study = state.study_of(entries)
    one = state.found(state.of(study, entries), subject)
    try:
        return gate.session_of(one, study, days.today(study, register.now()), asked), False
    except gate.Refused as refused:
        if refused.session is None or override is None:
            raise
        return refused.session, True


def record(
    register: Register, subject: str, session: int, who: str, status: Literal["completed", "aborted", "failed"]
) -> None:
    """A session has ended: `failed` if it can go on (`resume.is_cut_off`)."""
    register.act(who, lambda entries: recording.session_held(entries, subject, session, status, register.now()))


def record_end(register: Register, data: DataSet, transcript: Path) -> None:
    """Let register and `participants.tsv` know how a session ended, as its transcript has it, if it began."""
    if not log.has_begun(transcript):
        return
    read = log.read(transcript)
    session = read.started.session
    status = "failed" if read.ended is None or is_cut_off(read) else read.ended.status
    record(register, session.subject, session.session, read.started.operator, status)
    list_participants(data, register.entries())
