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


def admitted(register: Register, subject: str, who: str, *, asked: int | None = None, override: str = "") -> int:
    """The session that the participant may be in now; gate.Refused says why none, and when.

    `asked`: the session that the assistant named, if any. `override`: why it is to be held against the study's rules
    about days and doses; it is recorded with the initials `who`, unless the gate lets in anyway.
    """
    try:
        return _let_in(register, subject, asked)
    except gate.Refused as refused:
        if refused.session is None or not override:
            raise
        register.act(who, lambda entries: recording.overridden(entries, subject, override, register.now(), asked))
        return refused.session


def session_today(register: Register, subject: str) -> int:
    """The session that the participant may be in now, be it by an override; gate.Refused if there is none."""
    try:
        return _let_in(register, subject)
    except gate.Refused as refused:
        if refused.session is None:
            raise
        return refused.session


def _let_in(register: Register, subject: str, asked: int | None = None) -> int:
    """The gate's word on the register as it stands."""
    entries = register.entries()
    study = state.study_of(entries)
    one = state.found(state.of(study, entries), subject)
    return gate.session_of(one, study, days.today(study, register.now()), asked)


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
