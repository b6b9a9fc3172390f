"""What speaks against a session that could be run: a wrong visit, or a task or messages that are not as they were.

It is asked before the session; if there is a reason to run it anyway, both are recorded in the transcript. Where a
study has a register, that decides about the visit (`study/admission.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace as with_changes
from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from experiment.design.changed_texts import describe_changes
from experiment.design.message import PRACTICE, Message
from experiment.design.protocol import Protocol
from experiment.design.session import SessionPlan, Waiver
from experiment.design.visit import Visit, subject_name
from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import parse_utc
from experiment.record.resume import WITHDREW, is_interrupted
from experiment.session.plan import Plan, read_begun_sessions


class Doubtful(BadInput):
    """Something speaks against this session, and nobody said why it is to be run anyway."""

    def __init__(self, doubts: Sequence[str]) -> None:
        self.doubts = tuple(doubts)
        super().__init__(
            "\n".join(doubts) + "\nCheck the subject, the session and the messages. To run it anyway, add "
            "--override-study 'REASON'; the reason is recorded with the data."
        )


def waive_doubts(plan: Plan, doubts: Sequence[str], reason: str | None) -> Plan:
    """The plan with what spoke against it and the reason to run it anyway; Doubtful if there is none.

    A session that is resumed was asked about when it began.
    """
    if not doubts or plan.after:
        return plan
    if reason is None:
        raise Doubtful(doubts)
    waived = tuple(Waiver(doubt, reason) for doubt in doubts)
    return with_changes(plan, session=replace(plan.session, waived=waived))


def find_doubts(plan: Plan, now: datetime, *, has_register: bool) -> list[str]:
    """All that speaks against the session now; about the visit, only where no register decides."""
    of_visit = [] if has_register else visit_doubts(plan.data, plan.session.visit, plan.protocol, now)
    return [*of_visit, *session_doubts(plan)]


def visit_doubts(data: DataSet, visit: Visit, protocol: Protocol, now: datetime) -> list[str]:
    """What the other sessions in the data set say against this one now."""
    others = [Visit(visit.subject, number) for number in range(1, protocol.sessions + 1) if number != visit.session]
    return [doubt for other in others for doubt in _visit_doubts(data, visit, other, protocol, now)]


def _visit_doubts(data: DataSet, visit: Visit, other: Visit, protocol: Protocol, now: datetime) -> Iterator[str]:
    path, is_earlier = data.transcript_of(other), other.session < visit.session
    if path is None or not log.has_begun(path):
        if is_earlier:
            yield f"{other} must come before session {visit.session}, but is not in this data folder."
        return
    read = log.read(path, pilot=True)
    began = parse_utc(read.started.zero_utc)
    if not is_earlier:
        yield f"{other} was run already, on {began:%Y-%m-%d}, and session {visit.session} comes before it."
        return
    least = protocol.qa.gap_minimum_days
    if (now - began).days < least:
        yield f"{other} began {_ago(now, began)}, on {began:%Y-%m-%d}; at least {least} days between are usual."
    if read.ended and read.ended.reason == WITHDREW:
        yield f"{subject_name(visit.subject)} withdrew in session {other.session}, on {began:%Y-%m-%d}."
    elif is_interrupted(read):
        yield f"{other} was interrupted, and neither resumed nor closed."


def _ago(now: datetime, began: datetime) -> str:
    minutes = int((now - began).total_seconds() // 60)
    if minutes < 0:
        return "in the future by this computer's clock"
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{minutes // 60} hours ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


def session_doubts(plan: Plan) -> list[str]:
    """What is not as in the participant's other sessions: the task's name, and what is shown of each message."""
    others = read_begun_sessions(plan.protocol, plan.data, plan.session.subject, but=plan.session.session)
    own = [message for message in plan.messages if message.message_id != PRACTICE]
    return [doubt for other in others for doubt in _session_doubts(plan.session, other, own)]


def _session_doubts(session: SessionPlan, other: SessionPlan, messages: Sequence[Message]) -> Iterator[str]:
    if session.protocol.task != other.protocol.task:
        yield (
            f"The protocol's task is {session.protocol.task!r}, but was {other.protocol.task!r} in session "
            f"{other.session}. Check --protocol."
        )
    changes = [] if other.sets else list(describe_changes(messages, other))  # a set is shown in one session only
    for change in changes:
        yield f"{change} Restore the file that was used then, if it is not a correction."
    if not changes:
        yield from _label_doubts(session, other)


def _label_doubts(session: SessionPlan, other: SessionPlan) -> Iterator[str]:
    """Of messages whose texts are as they were, since the digests are keyed with all texts."""
    before = {trial.message_id: trial for trial in other.trials}
    for trial in session.trials:
        known = before.get(trial.message_id)
        if known and trial.relationship != known.relationship:
            yield (
                f"Message {trial.message_id} now has the relationship {trial.relationship!r}, but had "
                f"{known.relationship!r} in session {other.session}."
            )
        if known and UNSET not in (trial.label_sha256, known.label_sha256) and trial.label_sha256 != known.label_sha256:
            yield (
                f"Message {trial.message_id} has a different writer or language than in session {other.session}. "
                "Compare with the file that was used then."
            )
