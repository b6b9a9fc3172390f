"""Which session shows which of a participant's messages, where each has its own: shares that are as alike as can be."""

from __future__ import annotations

from collections.abc import Sequence

from experiment.design.message import Message
from experiment.design.orders import Key
from experiment.design.sources import CLOSE, SOURCES
from experiment.errors import BadInput

SPLITS = 32  # drawn, of which the most even is taken
Sets = tuple[tuple[str, ...], ...]
"""The ids of the messages of session 1, 2, ..., each sorted."""


def draw_sets(messages: Sequence[Message], count: int, key: Key) -> Sets:
    """As many sets of equal size, each sorted by id: alike in relationships, and in their texts' summed length.

    Within a relationship, messages of neighbouring length go one to each set, by lot; what is left over of
    relationships is dealt in the same way, those of each source by themselves. Of several such draws the one with the
    most even lengths is taken.
    """
    by_source = [[one for one in messages if (one.source or CLOSE) == source] for source in SOURCES]
    if any(len(of) % count for of in by_source) and sum(map(bool, by_source)) > 1:
        counts = ", ".join(f"{len(of)} {source}" for source, of in zip(SOURCES, by_source, strict=True) if of)
        raise BadInput(
            f"Messages of each source must divide into {count} sessions; there are {counts}. Complete the file."
        )
    groups = [group for of in by_source for group in _matched(of, count)]

    def draw(number: int) -> list[list[Message]]:
        dealt = [sorted(group, key=lambda message: key(number, message.message_id)) for group in groups]
        return [[group[one] for group in dealt] for one in range(count)]

    def unevenness(sets: list[list[Message]]) -> int:
        lengths = [sum(len(message.text) for message in one) for one in sets]
        return max(lengths) - min(lengths)

    sets = min((draw(number) for number in range(SPLITS)), key=unevenness)
    return tuple(tuple(sorted(message.message_id for message in one)) for one in sets)


def _matched(messages: Sequence[Message], count: int) -> list[list[Message]]:
    """Groups of `count` messages, as like each other as can be."""
    by_length = sorted(messages, key=lambda message: (len(message.text), message.message_id))
    relationships: dict[str, list[Message]] = {}
    for message in by_length:
        relationships.setdefault(message.relationship.strip().casefold(), []).append(message)
    whole = {name: len(of) // count * count for name, of in relationships.items()}
    rest = [message for name, of in relationships.items() for message in of[whole[name] :]]
    rest.sort(key=by_length.index)
    rows = [*(of[: whole[name]] for name, of in sorted(relationships.items())), rest]
    return [row[at : at + count] for row in rows for at in range(0, len(row), count)]


def messages_of_set(messages: Sequence[Message], sets: Sets, session: int) -> list[Message]:
    """A session's own messages; BadInput if they are not those of the sets."""
    if sorted(message.message_id for message in messages) != sorted(sum(sets, ())):
        raise BadInput("These are not the messages that were divided when the first session began. Restore them.")
    return [message for message in messages if message.message_id in sets[session - 1]]
