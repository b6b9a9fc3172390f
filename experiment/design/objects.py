"""The object task: what the protocol's section `[objects]` says, and the order of a session, drawn from the seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from experiment.design.columns import ZERO, TableColumn
from experiment.design.form_questions import Fixed, Label, Limit, Line, find_repeated, refuse, wrong_braces
from experiment.design.orders import Key, draw_new_order, rotate

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol

_PAGES = ("close_eyes", "take_back", "open_eyes")
Length = Annotated[float, Meta(gt=0, le=3600)]


class Holding(Struct, frozen=True):
    """One object to hold, and the questions in the order of asking; trials count from 1."""

    trial: int
    object: str
    questions: tuple[str, ...]


class HandedObject(Fixed, frozen=True):
    """An object by its id in the data; `name`: as the assistant calls it."""

    id: Label
    name: Line


class Measure(Fixed, frozen=True):
    """A number that the assistant reads off and types, `before` or `after` the holding: a column of the table.

    `text`: what is measured, in a line; {object} becomes the object's name.
    """

    id: Label
    when: Literal["before", "after"]
    text: Line
    minimum: Limit
    maximum: Limit
    units: str = ""

    def __post_init__(self) -> None:
        """What cannot be filled in, or never be typed, is found now."""
        refuse(
            wrong_braces("text", self.text, ("object",)),
            self.minimum > self.maximum and "'minimum' is above 'maximum'.",
            self.minimum < 0 and "'minimum' is below 0, but only digits and a point can be typed.",
        )


class Objects(Fixed, frozen=True):
    """Each of the `things` is held for `hold_s`, `repeats` times; then rated; then there is a rest.

    Pages for the participant name no object; those for the assistant are there while the participant's eyes are closed,
    and go on with the assistant's key, {resume}. `measure` is the page on which a number is typed: {what}, {minimum}
    and {maximum} are filled in.
    """

    repeats: Annotated[int, Meta(ge=1, le=99)]
    hold_s: Length
    rest_s: Length
    things: Annotated[tuple[HandedObject, ...], Meta(min_length=1)]
    close_eyes: Line
    hand_over: Line
    holding: Line
    take_back: Line
    open_eyes: Line
    measure: Line
    measures: tuple[Measure, ...] = ()

    def __post_init__(self) -> None:
        """Objects and measures differ, and what cannot be filled in is found now."""
        refuse(
            *find_repeated("ids of objects", [one.id for one in self.things]),
            *find_repeated("ids of measures", [one.id for one in self.measures]),
            wrong_braces("hand_over", self.hand_over, ("object", "resume")),
            wrong_braces("measure", self.measure, ("what", "minimum", "maximum")),
            *(wrong_braces(name, getattr(self, name), ("resume",)) for name in _PAGES),
        )

    def name_of(self, thing_id: str) -> str:
        """What the assistant calls an object."""
        return next(one.name for one in self.things if one.id == thing_id)


def find_object_mistakes(protocol: Protocol, objects: Objects) -> Iterator[str]:
    """What `[objects]` and the other sections say against each other, as sentences."""
    if protocol.messages:
        yield "[objects]: no message is read in this task. Please write messages = 0."
    questions = {question.id for question in protocol.rating.questions}
    for measure in objects.measures:
        if measure.id in questions:
            yield f"[objects]: a measure and a question have the id {measure.id!r}. Please choose another."


def draw_holdings(objects: Objects, keys: Sequence[Key]) -> list[str]:
    """The objects' ids in the order of holding. `keys`: of this session and those before it.

    The repeats are rows of a Latin square: each object comes once in each row, and in each place of a row in turn. A
    later session has another square.
    """
    first = draw_new_order([one.id for one in objects.things], keys, "object")
    return [name for number in range(objects.repeats) for name in rotate(first, number)]


def object_columns(objects: Objects) -> tuple[TableColumn, ...]:
    """What the table has before the ratings."""
    names = {one.id: one.name for one in objects.things}
    handed = "When the assistant confirmed that it was in the participant's hand"
    return (
        TableColumn("trial", "count", "Position of the holding in the session, from 1."),
        TableColumn("object", "text", "The object.", names),
        TableColumn("object_onset", "seconds", f"{handed}, {ZERO}."),
        TableColumn("held_time", "seconds", "From object_onset until the assistant confirmed that it was taken back."),
        *(
            TableColumn(one.id, "number", f"{one.text.format(object='object')}, {one.when} the holding.", {}, one.units)
            for one in objects.measures
        ),
    )
