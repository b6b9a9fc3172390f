"""Lines of a log that no task tells: what could not be written, answers after the end, that a log was set aside."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from experiment.design.form_questions import AskedQuestion

Answers = dict[str, str | float | None]
"""A form's answers by their questions' ids; null where a question was left out."""


class Unwritable(Struct, frozen=True, tag_field="event", tag="unwritable"):
    """In the place of an event of this kind that could not be written, with the kind of the error: a mistake of ours.

    Whatever it held is lost.
    """

    kind: str
    why: str


class Closing(Struct, frozen=True, tag_field="event", tag="closing"):
    """A participant's answers to the closing questions: the only line of a log of its own, since they follow the end.

    `utc`: when they were given, ISO 8601. `questions`: as they were asked. `after_session`: when the treatment was
    guessed; the closing questions have none.
    """

    schema: int
    subject: str
    utc: str
    questions: tuple[AskedQuestion, ...]
    answers: Answers
    after_session: int | UnsetType = UNSET


class SetAside(Struct, frozen=True, tag_field="event", tag="set_aside"):
    """The last line of the log of a session in which no message was seen, and which was then begun again, and why."""

    reason: str
    operator: str
    utc: str
