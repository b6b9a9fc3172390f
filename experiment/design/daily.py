"""The daily report: its questions, hours and words, as the protocol's section `[daily]` has them.

An item is answered on a scale from 1 to `points`. It belongs to a block, which the analysis takes a mean of; a
`reversed` one counts the other way round there, and is recorded as it was given.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from experiment.design.form_questions import Fixed, Label, Line, find_repeated, refuse, wrong_braces
from experiment.design.language import LanguageTag

Time = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z", title='a time of day as "HH:MM", e.g. "20:00"')]
Block = Literal["connection", "mood", "symptoms"]
# Columns of the table that are always there: no item may be named like them.
COLUMNS = (
    *("participant_id", "session_id", "run", "date", "opened", "submitted", "lag", "status", "source", "corrections"),
)
# What may stand in braces in some of the page's words; in the others, nothing.
FILLED = {
    "about": ("date", "day"), "today": ("date",), "yesterday": ("date",), "open_until": ("date", "time"),
    "received": ("date",), "next_opens": ("date", "time"), "card": ("opens", "closes"),
    "mail_text": ("date", "link"),
}  # fmt: skip


class DailyItem(Fixed, frozen=True):
    """A question: its column in the table, and its scale of `points`, 1 first.

    `labels`: the words at the two ends, or one for each point.
    """

    id: Label
    block: Block
    text: Line
    labels: Annotated[tuple[Line, ...], Meta(min_length=2)]
    points: Annotated[int, Meta(ge=2, le=11)] = 7
    reversed: bool = False

    def __post_init__(self) -> None:
        fits = len(self.labels) in {2, self.points}
        refuse(
            not fits and f"'labels' are {len(self.labels)}: give 2, or one for each of the {self.points} points.",
            *find_repeated("labels", self.labels),
        )

    @property
    def levels(self) -> dict[int, str]:
        """The points that have words."""
        places = range(1, self.points + 1) if len(self.labels) == self.points else (1, self.points)
        return dict(zip(places, self.labels, strict=True))


class DailyWording(Fixed, frozen=True):
    """Every word of the pages, cards and reminders. The title is neutral: it must reveal nothing of the study.

    `date` and `time`: how dates and times of day are written, as Unicode's CLDR has it (`EEEE d MMMM`, `HH:mm`).
    """

    title: Line
    date: Line
    time: Line
    about: Line
    today: Line
    yesterday: Line
    open_until: Line
    instruction: Line
    send: Line
    unanswered: Line
    unanswered_item: Line
    thanks: Line
    received: Line
    correct: Line
    nothing_open: Line
    next_opens: Line
    too_late: Line
    practice: Line
    practice_done: Line
    calendar: Line
    unknown_link: Line
    busy: Line
    unsent: Line
    sending: Line
    card: Line
    mail_subject: Line
    mail_text: Line

    def __post_init__(self) -> None:
        """What cannot be filled in is found now, not when a page is opened."""
        refuse(*(wrong_braces(name, getattr(self, name), FILLED.get(name, ())) for name in self.__struct_fields__))


class Daily(Fixed, frozen=True):
    """When a day's report may be given, and what it asks.

    It opens at `opens` of its day and closes at `closes`, on the next day if that is no later hour. Until
    `yesterday_until` of the next day it may still be given, and counts as late; without it, no longer. What was begun
    before the end is accepted for `grace_min` minutes after it. `plausible_s`: given in fewer seconds, nobody read it.
    `language`: if it is another one than the protocol's.
    """

    opens: Time
    closes: Time
    items: Annotated[tuple[DailyItem, ...], Meta(min_length=1)]
    wording: DailyWording
    language: LanguageTag | None = None
    yesterday_until: Time | None = None
    grace_min: Annotated[int, Meta(ge=0, le=600)] = 30
    plausible_s: Annotated[float, Meta(ge=0, le=600)] = 0.0

    def __post_init__(self) -> None:
        """Each item is a column, and yesterday's report stays open for longer than it is in time."""
        ids = [item.id for item in self.items]
        ends_early = self.closes_next_day and self.yesterday_until is not None and self.yesterday_until <= self.closes
        refuse(
            *find_repeated("ids of daily items", ids),
            *(
                f"A daily item cannot have the id {one!r}: another column has that name."
                for one in ids
                if one in COLUMNS
            ),
            ends_early and f"'yesterday_until' is not after {self.closes}, when the report closes.",
        )

    @property
    def closes_next_day(self) -> bool:
        """Whether a report closes after midnight."""
        return self.closes <= self.opens
