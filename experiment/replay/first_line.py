"""A session's first line against what follows from it: digests from the protocol, the order from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from experiment.design.message import practice_message
from experiment.design.objects import Holding
from experiment.design.session import SessionPlan, Step, redraw
from experiment.errors import BadInput
from experiment.record.events import Started
from experiment.record.finding import Finding
from experiment.replay.discrepancy import discrepancy


def check_known_before(started: Started) -> Iterator[Finding]:
    """The digests in the first line against the protocol in it."""
    protocol = started.session.protocol
    practice = started.session.practice.message_sha256
    for field, has, says in (
        ("started.protocol_sha256", started.protocol_sha256, protocol.sha256),
        ("started.session.practice.message_sha256", practice, practice_message(protocol).sha256),
    ):
        if has != says:
            yield discrepancy("line 1", field, f"its protocol has {says}", f"recorded {has}")


def check_drawn(plan: SessionPlan) -> Iterator[Finding]:
    """The first trial that is not the one that seed, subject and session decide, as after sessions were exchanged."""
    try:
        drawn = redraw(plan)
    except BadInput as error:
        yield discrepancy("line 1", "started.session", "a session that can be drawn", str(error))
        return
    for recorded, of_seed in zip_longest(plan.steps, drawn):
        if recorded != of_seed:
            says, has = map(_describe_step, (of_seed, recorded))
            yield discrepancy("line 1", f"trial {(recorded or of_seed).trial}", f"drawn {says}", f"recorded {has}")
            return
    ids = sorted(one.message_id for one in plan.trials)
    if plan.sets and (plan.session > len(plan.sets) or ids != sorted(plan.sets[plan.session - 1])):
        yield discrepancy("line 1", "started.session.sets", "the messages of this session's set", "other messages")


def _describe_step(step: Step | None) -> str:
    if step is None:
        return "nothing"
    shows = step.object if isinstance(step, Holding) else step.message_id
    return f"{shows} ({', '.join(step.questions)})"
