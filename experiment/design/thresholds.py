"""From when on a person should look: every number of the quality assurance, each with its reason."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=9_999)]
Days = Annotated[int, Meta(ge=0, le=9_999)]

FASTEST_READER = 450.0  # words a minute


class Thresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """Times in seconds, shares from 0 to 1; their reasons are in `REASONS`, and on the page."""

    reading_words_per_minute: Annotated[float, Meta(ge=1, le=99_999)] | UnsetType = UNSET
    reading_minimum_s: Seconds | UnsetType = UNSET  # of protocols before words were recorded; nothing is judged by it
    fast_messages: Count = 2
    rating_minimum_s: Seconds = 0.3
    fast_ratings: Count = 3
    alike_ratings: Count = 6
    missed_share: Share = 0.01
    standstill_s: Seconds = 0.25
    refresh_deviation: Share = 0.02
    clock_step_s: Seconds = 1.0
    focus_losses: Count = 1
    paused_s: Seconds = 120.0
    gap_minimum_days: Days = 14
    overdue_days: Days = 42
    judged_sessions: Count = 3
    affected_share: Share = 0.2

    @property
    def fastest_reader(self) -> float:
        """The rate beyond which nobody reads, in words a minute."""
        return self.reading_words_per_minute or FASTEST_READER


REASONS = {
    "reading_words_per_minute": "Silent reading of English has a mean of 238 words a minute, and hardly anyone reaches "
    "450 (Brysbaert 2019, J Mem Lang 109:104047): a message that took less time was not read word by word.",
    "fast_messages": "One message that was only glanced at is human; two in a session are a habit.",
    "rating_minimum_s": "A simple reaction takes 0.2 s and a choice among several longer (Hick 1952, Q J Exp Psychol "
    "4:11): a faster first choice was made before the scale was seen.",
    "fast_ratings": "A first choice can slip; three in a session mean that the scale was not looked at.",
    "alike_ratings": "So many confirmed ratings, all of one value over all questions, come about by pressing on.",
    "missed_share": "Of the refreshes during messages and scales. A sound computer misses fewer than 1 in 1,000.",
    "standstill_s": "A picture that stands still for longer is noticed, and a key then seems to do nothing.",
    "refresh_deviation": "Between the screen's rate as measured before the session and as it was during it.",
    "clock_step_s": "Keeping a clock in time moves it by less; more means that its date and time were wrong.",
    "focus_losses": "Each means that another program came between the participant and a message.",
    "paused_s": "After a longer interruption the mood that a message left is no longer the same.",
    "gap_minimum_days": "Between day fours: 10 days of washout and the four days of the second course.",
    "overdue_days": "A next session is usually run within six weeks; later, the participant may have dropped out.",
    "judged_sessions": "A computer or an assistant with fewer sessions says nothing about the rest.",
    "affected_share": "Of a computer's or an assistant's sessions: more than one in five is no accident.",
}
"""By each threshold's name; none of what is not judged by any more."""
