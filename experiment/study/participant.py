"""All that the register says about one participant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from experiment.design.visit import subject_name
from experiment.study import dates
from experiment.study.events import SessionHeld


class Override(Struct, frozen=True):
    """What was allowed against the rules, on which day, by whom and why."""

    day: date
    who: str
    refused: str
    reason: str


class Participant(Struct, frozen=True):
    """All that the register says about one participant. Never which drug.

    `place`: of the stratum's allocation, from 1; 0 for who was allocated elsewhere, before the study was brought in.
    `starts`: day 1 of each course begun. `doses`: whether it was taken, as recorded last for a day. `sessions`: how
    each ended. `unblinded`: why the order was shown to somebody. `locked`: nothing can change any more.
    """

    subject: str
    stratum: str
    place: int
    kits: tuple[str, str]
    enrolled: date
    consented: date | None = None
    consent_version: str | None = None
    starts: tuple[date, ...] = ()
    doses: Mapping[date, bool] = {}
    sessions: Mapping[int, SessionHeld] = {}
    overrides: tuple[Override, ...] = ()
    withdrawn: date | None = None
    unblinded: str | None = None
    locked: bool = False

    @property
    def name(self) -> str:
        """How a message calls the participant."""
        return subject_name(self.subject)

    @property
    def is_over(self) -> bool:
        """Whether nothing is due or open any more: after a withdrawal, or the study's lock."""
        return self.withdrawn is not None or self.locked

    def is_held(self, session: int) -> bool:
        """Whether a session was held that cannot go on: one that failed can be resumed."""
        return session in self.sessions and self.sessions[session].status != "failed"

    def past(self, session: int) -> str:
        """How a session that is over came to its end, in a sentence."""
        held = self.sessions[session]
        day = dates.in_words(dates.parse_day(held.day))
        if held.status == "never_held":
            return f"Session {session} of {self.name} was recorded as not run on {day}."
        return f"Session {session} of {self.name} was held on {day} ({held.status})."
