"""Which texts a session showed that are others now: told by digests alone, and so without any text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import UNSET, UnsetType

from experiment.design.message import Message, other_digests, text_digests
from experiment.design.session import SessionPlan

Others = Mapping[str, str | UnsetType]
"""By message id, the digest of all other texts."""


def describe_changes(messages: Sequence[Message], before: SessionPlan) -> Iterator[str]:
    """How a participant's messages differ from those that a session showed, a sentence for each kind of change."""
    meant = {one for own in before.sets[before.session - 1 : before.session] for one in own}
    shown = [message for message in messages if not meant or message.message_id in meant]
    recorded, here = {trial.message_id for trial in before.trials}, {message.message_id for message in shown}
    if gone := sorted(recorded - here):
        yield f"{_named(gone)} of session {before.session} {'are' if gone[1:] else 'is'} no longer there."
    if new := sorted(here - recorded):
        yield f"{_named(new)} {'were' if new[1:] else 'was'} not in session {before.session}."
    if here & recorded and not (gone or new):
        keyed = before.message_digests is not UNSET
        changed = find_changed(
            before, text_digests(shown, before.message_digests), other_digests(shown) if keyed else {}
        )
        yield from describe_changed(changed, before)


def find_changed(before: SessionPlan, sha256_of: Mapping[str, str], others_of: Others) -> tuple[str, ...]:
    """The ids of the texts that differ from a session's, all of its ids if it cannot be told which.

    One changed text changes the key of all keyed digests: then it is the one whose others are as they were.
    """
    differing = [one for one in before.trials if sha256_of.get(one.message_id, "") != one.message_sha256]
    alone = [one for one in differing if UNSET != one.others_sha256 == others_of.get(one.message_id, UNSET)]
    is_key_changed = before.message_digests is not UNSET and len(differing) == len(before.trials)
    return tuple(sorted(one.message_id for one in (alone if is_key_changed and alone else differing)))


def describe_changed(changed: Sequence[str], before: SessionPlan) -> Iterator[str]:
    """In words; of several, which of them it is may not be known."""
    is_unsure = before.message_digests is not UNSET and len(changed) == len(before.trials) > 1
    if is_unsure:
        yield f"Some of the messages {', '.join(changed)} have other texts than in session {before.session}."
    elif changed:
        has = "has another text" if len(changed) == 1 else "have other texts"
        yield f"{_named(changed)} {has} than in session {before.session}."


def _named(ids: Sequence[str]) -> str:
    return f"Message{'s' * (len(ids) > 1)} {', '.join(ids)}"
