"""Lines of a log beside those of the task: what could not be written, signals sent, answers after the end."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from experiment.design.form_questions import AskedQuestion
from experiment.design.signals import SignalName

Answers = dict[str, str | float | None]
"""A form's answers by their questions' ids; null where a question was left out."""


class Unwritable(Struct, frozen=True, tag_field="event", tag="unwritable"):
    """In the place of an event of this kind that could not be written, with the kind of the error: a mistake of ours.

    Whatever it held is lost.
    """

    kind: str
    why: str


class Closing(Struct, frozen=True, tag_field="event", tag="closing"):
    """A participant's answers to the closing questions, in a log of its own, since they follow the end.

    The log's last line counts: there is another before it only if that one was left.

    `utc`: when they were given, ISO 8601. `questions`: as they were asked. `after_session`: when the treatment was
    guessed; the closing questions have none. `left`: the assistant ended it before the last question was answered.
    """

    schema: int
    subject: str
    utc: str
    questions: tuple[AskedQuestion, ...]
    answers: Answers
    after_session: int | UnsetType = UNSET
    left: bool | UnsetType = UNSET


class OutputState(Struct, frozen=True, tag_field="event", tag="output"):
    """An output stopped taking signals, or the port of a scanner is gone, or it works again; by its name."""

    output: str
    works: bool
    time_s: float


SignalFailure = Literal["full", "late", "lost", "unwritten"]
"""Too many signals waited; this one had waited too long for its code to mean this moment; the output cannot be opened
or is gone; the session ended first."""


class Signal(Struct, frozen=True, tag_field="event", tag="signal"):
    """What became of the `number`-th signal since clock zero at one output: taken, or with a `failure` given up.

    Seconds since clock zero. `time_s`: of the flip or press that it tells. `handed_s`: when it was handed over to the
    output's own thread. `done_s`: when the operating system or library had taken it, or it was given up.
    """

    number: int
    output: str
    name: SignalName
    code: int
    time_s: float
    handed_s: float
    done_s: float
    failure: SignalFailure | None = None


class SetAside(Struct, frozen=True, tag_field="event", tag="set_aside"):
    """The last line of the log of a session in which no message was seen, and which was then begun again, and why."""

    reason: str
    operator: str
    utc: str
