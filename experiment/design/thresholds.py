"""From when on a person should look: every number of the quality assurance, each with its reason."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.inspect import Metadata, StructType, UnionType, type_info

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=9_999)]
Days = Annotated[int, Meta(ge=0, le=9_999)]


FASTEST_READER = 450.0  # words a minute


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """Times in seconds, shares from 0 to 1; the reasons stand on the page too."""

    reading_words_per_minute: (
        Annotated[
            float,
            Meta(
                ge=1,
                le=99_999,
                description="Silent reading of English has a mean of 238 words a minute, and hardly anyone reaches 450 "
                "(Brysbaert 2019, J Mem Lang 109:104047): a message that took less time was not read word by word.",
            ),
        ]
        | UnsetType
    ) = UNSET
    reading_minimum_s: Seconds | UnsetType = UNSET  # of protocols before words were recorded; nothing is judged by it
    fast_messages: Annotated[
        Count, Meta(description="One message that was only glanced at is human; two in a session are a habit.")
    ] = 2
    rating_minimum_s: Annotated[
        Seconds,
        Meta(
            description="A simple reaction takes 0.2 s and a choice among several longer (Hick 1952, Q J Exp Psychol "
            "4:11): a faster first choice was made before the scale was seen."
        ),
    ] = 0.3
    fast_ratings: Annotated[
        Count, Meta(description="A first choice can slip; three in a session mean that the scale was not looked at.")
    ] = 3
    alike_ratings: Annotated[
        Count,
        Meta(description="So many confirmed ratings, all of one value over all questions, come about by pressing on."),
    ] = 6
    missed_share: Annotated[
        Share,
        Meta(description="Of the refreshes during messages and scales. A sound computer misses fewer than 1 in 1,000."),
    ] = 0.01
    standstill_s: Annotated[
        Seconds,
        Meta(description="A picture that stands still for longer is noticed, and a key then seems to do nothing."),
    ] = 0.25
    refresh_deviation: Annotated[
        Share, Meta(description="Between the screen's rate as measured before the session and as it was during it.")
    ] = 0.02
    clock_step_s: Annotated[
        Seconds,
        Meta(description="Keeping a clock in time moves it by less; more means that its date and time were wrong."),
    ] = 1.0
    focus_losses: Annotated[
        Count, Meta(description="Each means that another program came between the participant and a message.")
    ] = 1
    paused_s: Annotated[
        Seconds, Meta(description="After a longer interruption the mood that a message left is no longer the same.")
    ] = 120.0
    gap_minimum_days: Annotated[
        Days,
        Meta(description="Between day fours: 10 days of washout and the four days of the second course."),
    ] = 14
    overdue_days: Annotated[
        Days,
        Meta(
            description="A next session is usually run within six weeks; later, the participant may have dropped out."
        ),
    ] = 42
    judged_sessions: Annotated[
        Count, Meta(description="A computer or an assistant with fewer sessions says nothing about the rest.")
    ] = 3
    affected_share: Annotated[
        Share,
        Meta(description="Of a computer's or an assistant's sessions: more than one in five is no accident."),
    ] = 0.2

    @property
    def fastest_reader(self) -> float:
        """The rate beyond which nobody reads, in words a minute."""
        return self.reading_words_per_minute or FASTEST_READER


def reasons() -> dict[str, str]:
    """Each threshold's reason by its name; none of what is not judged by any more."""
    info = type_info(Thresholds)
    assert isinstance(info, StructType)  # noqa: S101 - it is a Struct
    return {field.name: reason for field in info.fields if (reason := _description(field.type))}


def _description(field_type: object) -> str:
    if isinstance(field_type, UnionType):
        return "".join(map(_description, field_type.types))
    schema = field_type.extra_json_schema if isinstance(field_type, Metadata) else None
    return str((schema or {}).get("description", ""))
