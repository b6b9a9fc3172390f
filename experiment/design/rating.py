"""What is asked after each message, and on which scales."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from experiment.design.columns import RATING_ENDINGS, TRIAL_COLUMNS
from experiment.design.form_questions import Fixed, Label, Line, find_repeated, refuse
from experiment.design.scale import LINE_POINTS, Scale

ScalePoints = Annotated[
    Annotated[int, Meta(ge=2, le=11)] | Literal["line"], Meta(title='a whole number from 2 to 11, or "line"')
]
FirstPoint = Literal[0, 1]


class Question(Fixed, frozen=True):
    """A rating: its column in the table, its wording, and what of its scale differs from the others' (`Rating`).

    `low` and `high`: the labels of the two ends, instead of `labels`.
    """

    id: Label
    text: Line
    low: Line | UnsetType = UNSET
    high: Line | UnsetType = UNSET
    labels: tuple[Line, ...] | UnsetType = UNSET
    points: ScalePoints | UnsetType = UNSET
    first: FirstPoint | UnsetType = UNSET

    def __post_init__(self) -> None:
        refuse(
            (self.low is UNSET) != (self.high is UNSET) and "Please give both 'low' and 'high', or 'labels'.",
            UNSET not in {self.low, self.labels} and "Please give 'low' and 'high', or 'labels', not both.",
        )

    @property
    def own_labels(self) -> tuple[str, ...]:
        """The labels that it gives itself; none if those of all scales are its own."""
        if self.low is UNSET or self.high is UNSET:
            return self.labels or ()
        return self.low, self.high


class Rating(Fixed, frozen=True):
    """The scales that follow each message: `points`, `first` number and `labels` of those that say nothing else.

    `question_order`: as `listed`, or drawn from the seed once a `session` or for each `trial`. `low_end`: on which side
    it is; "start": where lines of the protocol's language begin. Older protocols have it on the left.
    """

    points: ScalePoints
    questions: Annotated[tuple[Question, ...], Meta(min_length=1)]
    question_order: Literal["listed", "session", "trial"] = "listed"
    first_press_is_final: bool = False
    first: FirstPoint | UnsetType = UNSET
    labels: tuple[Line, ...] | UnsetType = UNSET
    low_end: Literal["start", "left", "right"] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Each question is a column of the table, beside those that are always there, and has a scale."""
        ids = [question.id for question in self.questions]
        taken = [one for one in ids if one in TRIAL_COLUMNS or one.endswith(RATING_ENDINGS)]
        scales = {question.id: self.scale(question) for question in self.questions}
        refuse(
            *find_repeated("ids of questions", ids),
            *map(taken_name, taken),
            *(f"Question {one!r}: {wrong}" for one, scale in scales.items() if (wrong := scale.wrong_labels())),
            *(
                f"Question {one!r}: with 'first_press_is_final', each point needs a key of its own. Please use at most "
                "10 points, or remove the setting."
                for one, scale in scales.items()
                if self.first_press_is_final and not _has_keys(scale)
            ),
        )

    def chosen(self, question_ids: Iterable[str]) -> Iterator[Question]:
        """Questions by their ids, in the order of these."""
        by_id = {question.id: question for question in self.questions}
        return (by_id[one] for one in question_ids)

    def scale(self, question: Question, *, is_rtl: bool = False) -> Scale:
        """The scale of a question, in a language that is written from right to left or not."""
        labels, points = question.own_labels or self.labels or (), question.points or self.points
        is_mirrored = self.low_end == "right" or (self.low_end == "start" and is_rtl)
        if points == "line":
            return Scale(LINE_POINTS, 0, labels, is_line=True, is_mirrored=is_mirrored)
        firsts = (first for first in (question.first, self.first) if not isinstance(first, UnsetType))
        return Scale(points, next(firsts, 1), labels, is_mirrored=is_mirrored)


def _has_keys(scale: Scale) -> bool:
    """Whether a single key means each of its numbers: 0 means ten where there is no 0."""
    return not scale.is_line and scale.last <= (10 if scale.first else 9)


def taken_name(name: str) -> str:
    """That a question has the name of another column."""
    return f"A question cannot have the id {name!r}: another column of the table has that name."
