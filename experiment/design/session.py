"""What will happen in a session: its messages, read and checked, and their order, drawn from the seed.

A `SessionPlan` is frozen, holds no message's text and no writer's name, and is in the transcript's first line, whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from experiment.design.message import (
    KEYED,
    Digests,
    Message,
    count_words,
    label_digests,
    other_digests,
    practice_message,
    text_digests,
)
from experiment.design.protocol import Protocol
from experiment.design.visit import Visit, bare_label, subject_name
from experiment.errors import BadInput

SPLITS = 32  # drawn, of which the most even is taken
LONGEST_SUBJECT = 32  # characters
ORDERS = 99  # drawn at most until one is new


Sets = tuple[tuple[str, ...], ...]
Key = Callable[..., str]
"""The digest of something's name, by which things are sorted."""


class Trial(Struct, frozen=True):
    """One message and its questions in the order of asking; trial 0 is the practice.

    `words`: how many the text has. `label_sha256`: of the writer's name and the language, keyed as `message_sha256` is.
    Sessions whose texts have plain digests recorded neither. `others_sha256`: of the session's other texts, since
    a changed text changes the key of all digests.
    """

    trial: int
    message_id: str
    message_sha256: str
    relationship: str
    questions: tuple[str, ...]
    words: int | UnsetType = UNSET
    label_sha256: str | UnsetType = UNSET
    others_sha256: str | UnsetType = UNSET


Named = TypeVar("Named", Message, Trial)
"""What has a message's id, by which it is drawn."""


class Waiver(Struct, frozen=True):
    """What spoke against a session, in words, and the reason to run it anyway."""

    refused: str
    reason: str


class SessionPlan(Struct, frozen=True):
    """All that is decided before a window opens; `subject` and `session` are BIDS labels (`sub-`, `ses-`).

    `sets`: where each session has messages of its own, the ids of session 1, 2, ..., each sorted; else empty.
    `waived`: what spoke against it when it began.
    `message_digests`: how each `message_sha256` was made.
    """

    subject: str
    session: int
    seed: int
    protocol: Protocol
    practice: Trial
    trials: tuple[Trial, ...]
    sets: Sets = ()
    waived: tuple[Waiver, ...] | UnsetType = UNSET
    message_digests: Digests = UNSET

    @property
    def visit(self) -> Visit:
        """Whose visit this is, and which."""
        return Visit(self.subject, self.session)

    @property
    def has_words(self) -> bool:
        """Whether the number of words of each message is known."""
        return self.practice.words is not UNSET


def draw_session(
    protocol: Protocol, messages: Sequence[Message], *, subject: str, session: int, seed: int, sets: Sets = (),
    digests: Digests = KEYED,
) -> SessionPlan:  # fmt: skip
    """The session of a subject: the messages and questions in an order that the seed decides.

    Things are sorted by the SHA-256 of seed, subject, session and their own id: the same order on every computer and
    with every version of every library, whatever the order in the file. `sets`: as an earlier session recorded them;
    else they are drawn. `digests`: as what was recorded of this session has them.

    Raises BadInput for a wrong number of messages, and for other messages than those of the `sets`.
    """
    if len(messages) != protocol.messages_in_all:
        each = "" if protocol.message_sets == "same" else f" and has {protocol.sessions} sessions with their own"
        raise BadInput(
            f"The protocol asks for {protocol.messages} messages a session{each}; {subject_name(subject)} has "
            f"{len(messages)}. Complete the file."
        )
    if protocol.message_sets == "split":
        sets = sets or draw_sets(messages, protocol.sessions, _key(seed, subject, "sets"))
        messages = _of_set(messages, sets, session)
    key, practice = _key(seed, subject, session), practice_message(protocol)
    every = (practice, *messages)
    sha256_of, label_of = text_digests(every, digests), label_digests(every, digests)
    others_of = other_digests(messages) if digests is not UNSET else {}

    def trial(number: int, message: Message) -> Trial:
        questions = _draw_questions(protocol, key, number)
        known = Trial(number, message.message_id, sha256_of[message.message_id], message.relationship, questions)
        if digests is UNSET:
            return known
        return replace(
            known,
            words=count_words(message.text),
            label_sha256=label_of[message.message_id],
            others_sha256=others_of.get(message.message_id, UNSET),
        )

    ordered = _draw_order(protocol, messages, subject=subject, session=session, seed=seed)
    trials = tuple(trial(number, message) for number, message in enumerate(ordered, start=1))
    return SessionPlan(subject, session, seed, protocol, trial(0, practice), trials, sets, message_digests=digests)


def as_recorded(drawn: SessionPlan, recorded: SessionPlan) -> SessionPlan:
    """A session that was drawn again, with no more about its messages than an earlier version recorded."""
    if any(trial.others_sha256 is not UNSET for trial in recorded.trials):
        return drawn
    return replace(drawn, trials=tuple(replace(trial, others_sha256=UNSET) for trial in drawn.trials))


def redraw(plan: SessionPlan) -> tuple[Trial, ...]:
    """The trials of a session in the order that its seed, subject and session decide: its own, if nobody changed it."""
    key = _key(plan.seed, plan.subject, plan.session)
    ordered = _draw_order(plan.protocol, plan.trials, subject=plan.subject, session=plan.session, seed=plan.seed)
    return tuple(
        replace(one, trial=number, questions=_draw_questions(plan.protocol, key, number))
        for number, one in enumerate(ordered, start=1)
    )


def _draw_order(
    protocol: Protocol, messages: Sequence[Named], *, subject: str, session: int, seed: int
) -> Sequence[Named]:
    """The messages of a session in its order."""
    if protocol.message_sets == "split":
        return _ordered(messages, _key(seed, subject, session))
    return _in_new_order(messages, [_key(seed, subject, number) for number in range(1, session + 1)])


def _draw_questions(protocol: Protocol, key: Key, trial: int) -> tuple[str, ...]:
    """The questions of a trial in the order of asking."""
    ids = [question.id for question in protocol.rating.questions]
    if protocol.rating.question_order != "listed":
        drawn_for = trial if protocol.rating.question_order == "trial" else "session"
        ids.sort(key=lambda question_id: key("question", drawn_for, question_id))
    return tuple(ids)


def draw_sets(messages: Sequence[Message], count: int, key: Key) -> Sets:
    """As many sets of equal size, each sorted by id: alike in relationships, and in their texts' summed length.

    Within a relationship, messages of neighbouring length go one to each set, by lot; what is left over of
    relationships is dealt in the same way. Of several such draws the one with the most even lengths is taken.
    """
    groups = _matched(messages, count)

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


def _of_set(messages: Sequence[Message], sets: Sets, session: int) -> list[Message]:
    if sorted(message.message_id for message in messages) != sorted(sum(sets, ())):
        raise BadInput("These are not the messages that were divided when the first session began. Restore them.")
    return [message for message in messages if message.message_id in sets[session - 1]]


def _in_new_order(messages: Sequence[Named], keys: Sequence[Key]) -> list[Named]:
    """The order of the last of the sessions: unlike those of the others, where there are that many."""
    orders: list[list[Named]] = []
    for key in keys:
        draws = (_ordered(messages, key, *([number] if number else [])) for number in range(ORDERS))
        orders.append(next((order for order in draws if order not in orders), _ordered(messages, key)))
    return orders[-1]


def _ordered(messages: Sequence[Named], key: Key, *draw: int) -> list[Named]:
    return sorted(messages, key=lambda message: key("message", *draw, message.message_id))


def _key(*why: object) -> Key:
    return lambda *what: sha256("/".join(map(str, (*why, *what))).encode()).hexdigest()


def check_subject(subject: str) -> str:
    """The subject's label; BadInput unless it is letters and digits, as BIDS asks of `sub-<label>`."""
    label = bare_label(subject)
    if not re.fullmatch(rf"[A-Za-z0-9]{{1,{LONGEST_SUBJECT}}}", label):
        raise BadInput(f"The subject ID may contain only letters and digits, e.g. DF017. {_wrong_in(label, subject)}")
    return label


def _wrong_in(label: str, subject: str) -> str:
    """Why this is no subject's label, naming what cannot be seen."""
    other = next((character for character in label if not (character.isascii() and character.isalnum())), None)
    if other is None:
        return f"{subject!r} has more than {LONGEST_SUBJECT} characters." if label else f"{subject!r} has neither."
    if other == " ":
        return f"{subject!r} contains a space."
    kind = unicodedata.name(other, "a control character").lower()
    if other.isprintable() and not other.isspace() and not unicodedata.combining(other):
        is_alike = other.isalnum()
        return f"{subject!r} contains {other!r}" + (f" (U+{ord(other):04X}, {kind})." if is_alike else ".")
    return f"{subject!r} contains an invisible character (U+{ord(other):04X}, {kind}). Please type the ID again."


def check_session(session: int, protocol: Protocol) -> int:
    """The session's number; BadInput unless the protocol has it."""
    if not 1 <= session <= protocol.sessions:
        raise BadInput(f"The session must be a number from 1 to {protocol.sessions}; you gave {session}.")
    return session
