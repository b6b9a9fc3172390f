"""What the assistant is asked before a session, what counts as an answer, and what can be decided about a problem.

Answers come in as they were typed, keyed by field: `subject`, `session`, `operator`, and the ids of the protocol's own
questions. They leave checked and typed, or as `WrongAnswers` that names every field that is wrong, not only the first.
Pure, for dialog and command line alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from experiment.design.form_questions import AskedQuestion
from experiment.design.protocol import Protocol
from experiment.design.session import check_session, check_subject
from experiment.errors import BadInput
from experiment.record.tsv import looks_like_formula
from experiment.study.snapshot import near_ids

SUBJECT, SESSION, OPERATOR = "subject", "session", "operator"
# No question of a protocol can have this name.
PASSPHRASE = AskedQuestion("passphrase-of-messages", "Passphrase of the messages", "text", required=True)
NO_PASSPHRASE = "Please enter the passphrase of the messages."  # noqa: S105 - it is a sentence
OPERATOR_LENGTH, LEAST_WORDS = 40, 2
NOTHING = ("", "n/a")  # a table holds n/a for a missing value, so who types it has given none

_TIME = re.compile(r"([01]?[0-9]|2[0-3])(?:[:.]([0-5][0-9]))?|([01][0-9]|2[0-3])([0-5][0-9])")
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}([.,][0-9]{1,12})?")
_PERHAPS_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_NOT_ON_A_LINE = ("Cc", "Cs", "Zl", "Zp")  # Unicode's controls (tab, newline), lone surrogates, line and paragraph ends

Given = Mapping[str, str]
"""What was typed or chosen, by the questions' ids."""
Decided = Mapping[str, str]
"""The offers that were taken, by their ids, each with its reason; "" where none was asked for."""


class Wrong(NamedTuple):
    """What is wrong with an answer, and what may have been meant."""

    text: str
    instead: tuple[str, ...] = ()


class Offer(NamedTuple):
    """Something an assistant can decide about a problem: a button; `asks_reason`: with a reason in words."""

    id: str
    button: str
    asks_reason: bool = False

    def takes(self, reason: str) -> bool:
        """Whether that is a reason in words, where one is asked for."""
        return not self.asks_reason or len(reason.split()) >= LEAST_WORDS


class Problem(NamedTuple):
    """What keeps a session from beginning, and what can be decided about it; `again`: the form's button then."""

    text: str = ""
    offers: tuple[Offer, ...] = ()
    again: str = ""


RESUME = Offer("resume", "Resume the session")
CLOSE = Offer("close", "Close it as incomplete")
BEGIN_AGAIN = Offer("begin-again", "Begin it again", asks_reason=True)
RUN_DESPITE = Offer("despite-rules", "Run it anyway", asks_reason=True)
RUN_ANYWAY = Offer("unfit", "Start anyway", asks_reason=True)


class Answers(Struct, frozen=True):
    """The assistant's answers, checked; `extra` has every question of the protocol by its id, None if unanswered.

    A text or a choice is a str, a time of day "HH:MM" on the laboratory's clock, a number a float in its question's
    units. `session` is None where it was not asked, because the study's register knows it.
    """

    subject: str
    session: int | None
    operator: str
    extra: dict[str, str | float | None]


class WrongAnswers(BadInput):
    """At least one answer cannot be used; `errors` says for each such field what was expected and what was found."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        """As one message, a line a field."""
        lines = [f"  {field}: {error}" for field, error in errors.items()]
        super().__init__("\n".join(["Some answers are missing or cannot be used.", *lines]))
        self.errors = dict(errors)


def fields(protocol: Protocol, *, with_session: bool = True) -> tuple[AskedQuestion, ...]:
    """Everything that is asked, in the order of asking; BadInput if a question of the protocol takes a field's name.

    `with_session`: whether it is asked which session this is.
    """
    numbers = tuple(str(number) for number in range(1, protocol.sessions + 1))
    always = (
        AskedQuestion(SUBJECT, "Subject", "text", required=True),
        AskedQuestion(SESSION, "Session", "choice", required=True, choices=numbers),
        AskedQuestion(OPERATOR, "Assistant", "text", required=True),
    )
    if taken := {field.id for field in always} & {question.id for question in protocol.assistant}:
        raise BadInput(f"Question {min(taken)!r} of the protocol has the id of a built-in question. Rename it.")
    asked = always if with_session else tuple(field for field in always if field.id != SESSION)
    return asked + protocol.assistant


def check(protocol: Protocol, raw: Mapping[str, str], *, with_session: bool = True) -> Answers:
    """The typed answers (`raw`, by field; one that is not there is unanswered); raises WrongAnswers."""
    asked = fields(protocol, with_session=with_session)
    values = check_questions(asked, raw, protocol)
    return Answers(values.pop(SUBJECT), values.pop(SESSION, None), values.pop(OPERATOR), values)


def check_field(
    field: AskedQuestion, given: str, protocol: Protocol | None = None, people: Collection[str] | None = None
) -> Wrong | None:
    """What is wrong with one answer, if anything; for a subject who is not among these people, who may be meant."""
    if field.id == PASSPHRASE.id:
        return None if given else Wrong(NO_PASSPHRASE)
    try:
        value = _checked(field, given.strip(), protocol)
    except BadInput as error:
        return Wrong(str(error))
    if field.id != SUBJECT or people is None or value in people:
        return None
    near = tuple(near_ids(value, people))
    return Wrong(f"Nobody here has the ID {value}." + (" Did you mean:" if near else " Check the ID."), near)


def check_questions(
    questions: Iterable[AskedQuestion], raw: Mapping[str, str], protocol: Protocol | None = None
) -> dict[str, Any]:
    """The same for questions alone, such as the funnel's: the answers by id, None where there is none.

    `protocol`: of a session, whose subject, number and assistant may be among the questions.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for question in questions:
        try:
            values[question.id] = _checked(question, raw.get(question.id, "").strip(), protocol)
        except BadInput as error:  # noqa: PERF203 - every wrong field is told, not only the first
            errors[question.id] = str(error)
    if errors:
        raise WrongAnswers(errors)
    return values


def parse_answers(protocol: Protocol, pairs: Iterable[str]) -> dict[str, str]:
    """The values of `--answer ID=VALUE`, still unchecked; BadInput for another form, an unknown id or a second one."""
    raw: dict[str, str] = {}
    ids = [question.id for question in protocol.assistant]
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise BadInput(f"--answer {pair!r}: please write the question's id, '=' and the answer.")
        if name not in ids:
            known = ", ".join(ids) or "none"
            raise BadInput(f"The protocol has no question {name!r} for --answer. Its questions: {known}.")
        if name in raw:
            raise BadInput(f"There are two --answer for {name!r}. Please keep the right one.")
        raw[name] = value
    return raw


def _checked(field: AskedQuestion, given: str, protocol: Protocol | None) -> Any:
    """One answer in its type, None for no answer to a question that allows it."""
    if given in NOTHING and not field.required:
        return None
    value = None if given in NOTHING else _value(field, given, protocol)
    if value is None:
        shown = given if len(given) <= OPERATOR_LENGTH else given[:OPERATOR_LENGTH] + "..."
        wrote = f" (You wrote {shown!r}.)" if shown else ""
        raise BadInput(f"Please {_request(field, is_empty=not shown)}.{wrote}")
    return value


def _value(field: AskedQuestion, given: str, protocol: Protocol | None) -> str | float | None:
    """What was meant, or None where it cannot be known."""
    if protocol:
        match field.id:
            case "subject":
                return check_subject(given)
            case "session":
                return check_session(int(given), protocol) if re.fullmatch("[0-9]{1,3}", given) else None
            case "operator" if len(given) > OPERATOR_LENGTH or looks_like_formula(given):
                return None
    match field.kind:
        case "number":
            return _number(given, field)
        case "choice":
            return next((choice for choice in field.choices if choice.strip() == given), None)
    return _time(given) if field.kind == "time" else _line(given)


def _line(given: str) -> str | None:
    return None if any(unicodedata.category(one) in _NOT_ON_A_LINE for one in given) else given


def _time(given: str) -> str | None:
    """HH:MM from 8:30, 08.30, 0830 or a whole hour such as 9; three digits are as likely a slip of the finger."""
    found = _TIME.fullmatch(given)
    if not found:
        return None
    hours, *minutes = (part for part in found.groups() if part is not None)
    return f"{int(hours):02}:{minutes[0] if minutes else '00'}"


def _number(given: str, field: AskedQuestion) -> float | None:
    """A number with a decimal point or comma; 1,234 is refused, because it is thousands to some and not to others."""
    if not _NUMBER.fullmatch(given) or _PERHAPS_THOUSANDS.fullmatch(given):
        return None
    number = float(given.replace(",", ".")) + 0.0  # turns -0 into 0
    too_low = field.minimum is not None and number < field.minimum
    too_high = field.maximum is not None and number > field.maximum
    return None if too_low or too_high else number


def _request(field: AskedQuestion, *, is_empty: bool) -> str:
    """What to do, after the word 'Please'."""
    special = {
        SUBJECT: "enter the subject ID (letters and digits, e.g. DF017)",
        SESSION: f"choose the session, from 1 to {len(field.choices)}",
        OPERATOR: f"enter your name or initials, at most {OPERATOR_LENGTH} characters, without = + - @ first",
    }
    by_kind = {
        "text": "enter an answer on one line",
        "time": "enter a time as HH:MM, e.g. 08:30",
        "number": "enter a plain number" + _limits(field),
        "choice": "choose an answer" if is_empty else "choose one of " + ", ".join(map(repr, field.choices)),
    }
    return special.get(field.id) or by_kind[field.kind]


def _limits(field: AskedQuestion) -> str:
    low, high = (None if limit is None else f"{limit:.12g}" for limit in (field.minimum, field.maximum))
    if low and high:
        return f" from {low} to {high}"
    return f" of at least {low}" if low else f" of at most {high}" if high else ""
