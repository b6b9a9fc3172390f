"""Questions of a form: to the assistant before a session, and to the participant after the last one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import Formatter
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

_LABEL = 'a name of small letters, digits and "_" that begins with a letter, in quotes'
Label = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z", title=_LABEL)]
Line = Annotated[str, Meta(min_length=1)]
PARTICIPANT_ID, SESSION_ID = "participant_id", "session_id"
_AFTER = '"each", "last" or a list of sessions, e.g. [1]'
After = Annotated[Literal["each", "last"] | tuple[Annotated[int, Meta(ge=1)], ...], Meta(title=_AFTER)]
Limit = Annotated[float, Meta(ge=-1e12, le=1e12)]  # neither nan nor infinite


class Fixed(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the protocol: it cannot change once read, and a key it does not know is an error."""


class AskedQuestion(Fixed, frozen=True):
    """A question in a form, and a column of the table where its answer is saved.

    `kind`: a line of text, a time of day (HH:MM), a number within `minimum` and `maximum`, or one of `choices`.
    `after`: which sessions a question of the guess is asked after; each, if that is left out.
    """

    id: Label
    text: Line
    kind: Literal["text", "time", "number", "choice"]
    required: bool = False
    choices: tuple[Line, ...] = ()
    minimum: Limit | None = None
    maximum: Limit | None = None
    units: str = ""
    after: After | UnsetType = UNSET

    def __post_init__(self) -> None:
        is_choice, is_number = self.kind == "choice", self.kind == "number"
        needless_limits = not is_number and (self.minimum, self.maximum) != (None, None)
        crossed = self.minimum is not None and self.maximum is not None and self.minimum > self.maximum
        refuse(
            is_choice and not self.choices and "A question of kind \"choice\" needs 'choices'.",
            self.choices and not is_choice and "'choices' are for questions of kind \"choice\" only.",
            needless_limits and "'minimum' and 'maximum' are for questions of kind \"number\" only.",
            crossed and "'minimum' is above 'maximum'.",
            *find_repeated("choices", self.choices),
        )

    def is_asked_after(self, session: int, sessions: int) -> bool:
        """Whether it is asked after this one of so many sessions."""
        match self.after:
            case "last":
                return session == sessions
            case tuple():
                return session in self.after
        return True


class FormWords(Fixed, frozen=True):
    """The other words of a participant's questions: the button, and below an answer that cannot be used.

    `next_button`: of all questions but the last one. `choose` is of older protocols.
    """

    next_button: Line = "Continue  (Enter)"
    choose: Line = "choose"
    no_answer: Line = "(no answer)"
    optional: Line = "(optional)"
    missing: Line = "Please answer this question."
    not_a_time: Line = "Please enter a time as HH:MM, e.g. 08:30."
    not_a_number: Line = "Please enter a number that the question allows."
    not_a_line: Line = "Please write your answer on one line."

    def of_error(self, question: AskedQuestion, given: str) -> str:
        """What is wrong with the answer to a question."""
        by_kind = {"time": self.not_a_time, "number": self.not_a_number, "text": self.not_a_line}
        return by_kind.get(question.kind, self.missing) if given.strip() else self.missing


class Funnel(Fixed, frozen=True):
    """What a participant is asked after a session: whether they can tell the drug, or what the study was about.

    One question follows the other, and none leads back: a later one may tell what an earlier one asks.
    """

    heading: Line
    finish_button: Line
    questions: Annotated[tuple[AskedQuestion, ...], Meta(min_length=1)]
    words: FormWords | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Each question is a column beside the participant's."""
        ids = [question.id for question in self.questions]
        refuse(
            *find_repeated("ids of closing questions", ids),
            *(
                f"A closing question cannot have the id {name!r}, which names the table's rows."
                for name in (PARTICIPANT_ID, SESSION_ID)
                if name in ids
            ),
        )

    def asked_after(self, session: int, sessions: int) -> Funnel | None:
        """The questions of this one of so many sessions; None if there are none."""
        due = tuple(question for question in self.questions if question.is_asked_after(session, sessions))
        return replace(self, questions=due) if due else None


def refuse(*mistakes: object) -> None:
    """ValueError with every mistake among these, each on a line; what is false or empty is none."""
    if found := [str(mistake) for mistake in mistakes if mistake]:
        raise ValueError("\n".join(found))


def find_repeated(what: str, names: Sequence[str]) -> Iterator[str]:
    """What to say of each name that is there twice."""
    yield from (f"Two {what} are {name!r}: they must differ." for name in sorted(set(names)) if names.count(name) > 1)


def wrong_braces(what: str, text: str, names: Sequence[str]) -> str | None:
    """What is wrong with the braces of a text into which these names are filled; None if nothing is."""
    known = f"Names in braces: {', '.join(f'{{{name}}}' for name in names) or 'none'}."
    try:
        fields = [tuple(field) for _, *field in Formatter().parse(text) if field[0] is not None]
    except ValueError:
        return f"{what!r} has a single brace. Write a brace twice to show it. {known}"
    other = [field for field in fields if field not in {(name, "", None) for name in names}]
    return f"{what!r} has {{{other[0][0]}}}, which is no name. {known}" if other else None
