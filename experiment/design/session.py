"""What will happen in a session: its messages, read and checked, and their order, drawn from the seed.

A `SessionPlan` is frozen, holds no message's text and no writer's name, and is in the transcript's first line, whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

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
from experiment.design.message_sets import Sets, draw_sets, messages_of_set
from experiment.design.objects import Holding, Objects, draw_holdings
from experiment.design.orders import Key, draw_new_order, draw_order, key_of
from experiment.design.protocol import Protocol
from experiment.design.scan import Scan, ScheduleSlot, draw_slots
from experiment.design.sources import CLOSE
from experiment.design.visit import Visit, bare_label, subject_name
from experiment.errors import BadInput

LONGEST_SUBJECT = 32  # characters


class Trial(Struct, frozen=True):
    """One message and its questions in the order of asking; trial 0 is the practice.

    `words`: how many the text has. `label_sha256`: of the writer's name and the language, keyed as `message_sha256` is.
    Sessions whose texts have plain digests recorded neither. `others_sha256`: of the session's other texts, since
    a changed text changes the key of all digests. `source`: whom the message is from, where not all are from somebody
    close. `slot`: when it comes, in the timed task.
    """

    trial: int
    message_id: str
    message_sha256: str
    relationship: str
    questions: tuple[str, ...]
    words: int | UnsetType = UNSET
    label_sha256: str | UnsetType = UNSET
    others_sha256: str | UnsetType = UNSET
    source: str | UnsetType = UNSET
    slot: ScheduleSlot | UnsetType = UNSET


Step = Trial | Holding
"""What a session goes through in its order: messages, or objects."""


class Waiver(Struct, frozen=True):
    """What spoke against a session, in words, and the reason to run it anyway."""

    refused: str
    reason: str


class SessionPlan(Struct, frozen=True):
    """All that is decided before a window opens; `subject` and `session` are BIDS labels (`sub-`, `ses-`).

    `sets`: where each session has messages of its own, the ids of session 1, 2, ..., each sorted; else empty.
    `waived`: what spoke against it when it began.
    `message_digests`: how each `message_sha256` was made. `holdings`: of the object task, which has no `trials`.
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
    holdings: tuple[Holding, ...] | UnsetType = UNSET

    @property
    def steps(self) -> tuple[Step, ...]:
        """What it goes through, the practice left out."""
        return self.holdings or self.trials

    @property
    def visit(self) -> Visit:
        """Whose visit this is, and which."""
        return Visit(self.subject, self.session)

    @property
    def keys(self) -> list[Key]:
        """By which orders are drawn: of each session up to this one."""
        return [key_of(self.seed, self.subject, number) for number in range(1, self.session + 1)]

    @property
    def key(self) -> Key:
        """By which this session's orders are drawn."""
        return self.keys[-1]

    @property
    def has_words(self) -> bool:
        """Whether the number of words of each message is known."""
        return self.practice.words is not UNSET

    @property
    def has_sources(self) -> bool:
        """Whether it is recorded whom each message is from."""
        return any(trial.source for trial in self.trials)


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
        sets = sets or draw_sets(messages, protocol.sessions, key_of(seed, subject, "sets"))
        messages = messages_of_set(messages, sets, session)
    practice = practice_message(protocol)
    every = (practice, *messages)
    sha256_of, label_of = text_digests(every, digests), label_digests(every, digests)
    others_of = other_digests(messages) if digests is not UNSET else {}
    has_sources = bool(protocol.scan) or any(one.source not in {"", CLOSE} for one in messages)

    def trial(message: Message) -> Trial:
        known = Trial(0, message.message_id, sha256_of[message.message_id], message.relationship, ())
        if digests is UNSET:
            return known
        return replace(
            known,
            words=count_words(message.text),
            label_sha256=label_of[message.message_id],
            others_sha256=others_of.get(message.message_id, UNSET),
            source=message.source or CLOSE if has_sources and message is not practice else UNSET,
        )

    plan = SessionPlan(
        subject, session, seed, protocol, trial(practice), tuple(map(trial, messages)), sets, message_digests=digests
    )
    first = replace(plan.practice, questions=_draw_questions(protocol, plan.key, 0))
    if protocol.objects:
        return replace(plan, practice=first, holdings=_draw_holdings(plan, protocol.objects))
    return replace(plan, practice=first, trials=_draw_trials(plan))


def as_recorded(drawn: SessionPlan, recorded: SessionPlan) -> SessionPlan:
    """A session that was drawn again, with no more about its messages than an earlier version recorded."""
    if any(trial.others_sha256 is not UNSET for trial in recorded.trials):
        return drawn
    return replace(drawn, trials=tuple(replace(trial, others_sha256=UNSET) for trial in drawn.trials))


def redraw(plan: SessionPlan) -> tuple[Step, ...]:
    """The steps of a session as its seed, subject and session decide them: its own, if nobody changed it."""
    objects = plan.protocol.objects
    return _draw_holdings(plan, objects) if objects else _draw_trials(plan)


def _draw_holdings(plan: SessionPlan, objects: Objects) -> tuple[Holding, ...]:
    drawn = enumerate(draw_holdings(objects, plan.keys), start=1)
    return tuple(Holding(trial, name, _draw_questions(plan.protocol, plan.key, trial)) for trial, name in drawn)


def _draw_trials(plan: SessionPlan) -> tuple[Trial, ...]:
    """The trials of a session in its order, each with its number, its questions and its place in the schedule."""
    protocol, by_id = plan.protocol, {trial.message_id: trial for trial in plan.trials}
    ids, is_split = list(by_id), protocol.message_sets == "split"
    order = draw_order(ids, plan.key, "message") if is_split else draw_new_order(ids, plan.keys, "message")
    if protocol.scan:
        return _draw_timed(plan, protocol.scan, {name: by_id[name] for name in order})
    return tuple(
        replace(by_id[name], trial=number, questions=_draw_questions(protocol, plan.key, number))
        for number, name in enumerate(order, start=1)
    )


def _draw_timed(plan: SessionPlan, scan: Scan, by_id: Mapping[str, Trial]) -> tuple[Trial, ...]:
    """The trials in the order of the schedule; questions are asked after the last message of each block."""
    sources = {name: trial.source or CLOSE for name, trial in by_id.items()}
    asked = len(plan.protocol.rating.questions)

    def trial(number: int, name: str, slot: ScheduleSlot) -> Trial:
        is_rated = scan.rating_s and number % scan.block_messages == 0
        questions = _draw_questions(plan.protocol, plan.key, number) if is_rated else ()
        return replace(by_id[name], trial=number, questions=questions, slot=slot)

    slots = draw_slots(scan, sources, plan.keys, questions=asked)
    return tuple(trial(number, *slot) for number, slot in enumerate(slots.items(), start=1))


def _draw_questions(protocol: Protocol, key: Key, trial: int) -> tuple[str, ...]:
    """The questions of a trial in the order of asking."""
    ids = [question.id for question in protocol.rating.questions]
    if protocol.rating.question_order != "listed":
        drawn_for = trial if protocol.rating.question_order == "trial" else "session"
        ids.sort(key=lambda question_id: key("question", drawn_for, question_id))
    return tuple(ids)


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
