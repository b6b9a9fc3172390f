"""Questions of a form: to the assistant before a session, and to the participant after the last one."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Label = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z")]
Line = Annotated[str, Meta(min_length=1)]
PARTICIPANT_ID = "participant_id"
Limit = Annotated[float, Meta(ge=-1e12, le=1e12)]  # neither nan nor infinite


class Fixed(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the protocol: it cannot change once read, and a key it does not know is an error."""


class AskedQuestion(Fixed, frozen=True):
    """A question in a form, and a column of the table where its answer is saved.

    `kind`: a line of text, a time of day (HH:MM), a number within `minimum` and `maximum`, or one of `choices`.
    """

    id: Label
    text: Line
    kind: Literal["text", "time", "number", "choice"]
    required: bool = False
    choices: tuple[Line, ...] = ()
    minimum: Limit | None = None
    maximum: Limit | None = None
    units: str = ""

    def __post_init__(self) -> None:
        """Choices belong to a choice, limits to a number."""
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("Expected `choices` with kind 'choice', and only there")
        if self.kind != "number" and (self.minimum, self.maximum) != (None, None):
            raise ValueError("Expected `minimum` and `maximum` only with kind 'number'")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("Expected `minimum` not above `maximum`")
        check_distinct("choices", self.choices)


class Funnel(Fixed, frozen=True):
    """What a participant is asked at the very end: what the study was about, and which course was the drug.

    Asked after the last session; whether participants could tell is part of the result.
    """

    heading: Line
    finish_button: Line
    questions: Annotated[tuple[AskedQuestion, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Each question is a column beside the participant's."""
        ids = [question.id for question in self.questions]
        check_distinct("ids of the funnel's questions", ids)
        if PARTICIPANT_ID in ids:
            raise ValueError(
                f"A closing question cannot be called {PARTICIPANT_ID!r}: its column names the participant"
            )


def check_distinct(what: str, names: tuple[str, ...] | list[str]) -> None:
    """ValueError if a name is there twice."""
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise ValueError(f"Expected {what} that differ, got {twice[0]!r} twice")
