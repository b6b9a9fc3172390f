"""A session's first line against what follows from it, and against that of the participant's session before.

Its digests follow from the protocol in it, its order from the seed; and sessions of one participant share the messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise, zip_longest
from pathlib import Path

from msgspec import UNSET, UnsetType

from experiment.design.changed_texts import find_changed
from experiment.design.message import practice_message
from experiment.design.objects import Holding
from experiment.design.session import SessionPlan, Step, redraw
from experiment.design.visit import Visit, session_name, visit_of_file
from experiment.errors import BadInput
from experiment.record.events import Started, parse_utc
from experiment.record.finding import Finding, discrepancy
from experiment.record.transcript import read_start


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


def between_sessions(paths: Sequence[Path]) -> dict[Path, list[Finding]]:
    """By transcript, what in it does not go with the participant's session before; unreadable ones are left out."""
    began: dict[str, list[tuple[Visit, Path, Started]]] = {}
    for path in paths:
        with suppress(BadInput, OSError):
            if visit := visit_of_file(path):
                began.setdefault(visit.subject, []).append((visit, path, read_start(path)))
    return {
        path: found
        for own in began.values()
        for (before, _, first), (_, path, then) in pairwise(sorted(own, key=lambda one: one[0].session))
        if (found := list(_of_pair(before, first, then)))
    }


def _of_pair(before: Visit, first: Started, then: Started) -> Iterator[Finding]:
    """Sessions are numbered in time, and share out one participant's messages once."""
    name = session_name(before.session)
    with suppress(ValueError):
        if parse_utc(then.zero_utc) < parse_utc(first.zero_utc):
            yield discrepancy(
                "line 1", "started.zero_utc", f"{name} began {first.zero_utc}", f"before: {then.zero_utc}"
            )
    if then.session.sets != first.session.sets:
        yield discrepancy("line 1", "started.session.sets", f"those of {name}", "other sets of messages")
    yield from _of_messages(name, first.session, then.session)


def _of_messages(name: str, first: SessionPlan, then: SessionPlan) -> Iterator[Finding]:
    """Texts, writers, relationships and languages are the same, unless somebody said why not when it began."""
    before = {trial.message_id: trial for trial in first.trials}
    shared = [(before[trial.message_id], trial) for trial in then.trials if trial.message_id in before]
    has_digests = first.message_digests == then.message_digests
    here, others = (
        {two.message_id: getattr(two, of) for _, two in shared} for of in ("message_sha256", "others_sha256")
    )
    other_texts = set(find_changed(first, here, others)) if has_digests else set()
    texts = [two.message_id in other_texts for _, two in shared]
    relationships = [one.relationship != two.relationship for one, two in shared]
    labels = [_differ(one.label_sha256, two.label_sha256) for one, two in shared]
    changed = (
        ("text", not then.waived, texts),
        ("relationship", not then.waived, relationships),
        ("writer or language", not then.waived and not any(texts), labels),  # keyed with all the texts
    )
    for what, is_comparable, differ in changed:
        if is_comparable and any(differ):
            ids = ", ".join(two.message_id for (_, two), is_other in zip(shared, differ, strict=True) if is_other)
            yield discrepancy("line 1", "started.session.trials", f"the {what} of {name}", f"another one in {ids}")


def _differ(one: str | UnsetType, other: str | UnsetType) -> bool:
    return UNSET not in (one, other) and one != other
