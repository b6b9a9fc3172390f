"""What can happen in a study: one frozen type for each act, one line of the register. The drug is in none of them.

Who and when stand in the `Entry` around an act. Days are dates of the study's own time zone (ISO 8601, `2026-11-23`);
what is derived (which day of a course it is, what is due) is never stored.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from experiment.study.study_file import Study

SCHEMA = 1
ALL_TABLES = ("sub-*/**/*.tsv", "phenotype/*.tsv")
"""What every lock covers."""


class Begun(Struct, frozen=True, tag_field="act", tag="begun"):
    """The study was set up: its plan, and the digests of the sealed allocation and packing list, and of the kits."""

    schema: int
    plan: Study
    allocation_sha256: str
    packing_sha256: str
    kits_sha256: str
    unblinder: str  # public keys
    pharmacy: str


ScreeningOutcome = Literal["eligible", "not_eligible", "declined", "other"]


class Screened(Struct, frozen=True, tag_field="act", tag="screened"):
    """Somebody was assessed for the study on this day, be they enrolled later or not; the last assessment counts.

    `reason`: why not, in words that are the same for the same reason, since they are counted; "" for `eligible`.
    """

    subject: str
    day: str
    outcome: ScreeningOutcome
    reason: str = ""


class Enrolled(Struct, frozen=True, tag_field="act", tag="enrolled"):
    """A participant got the next place of a stratum, and with it the kits of both courses.

    `elsewhere`: who was allocated before the study was brought in here, and why it was; `place` is 0 then, the kits
    are those of that allocation, and `day` is when they were enrolled.
    """

    subject: str
    stratum: str
    place: int
    kits: tuple[str, str]
    elsewhere: str | UnsetType = UNSET
    day: str | UnsetType = UNSET


class Consented(Struct, frozen=True, tag_field="act", tag="consented"):
    """Informed consent was given, on this day, to this version of the form; it may come before the enrolment.

    `dated_back`: why it is recorded long after that day.
    """

    subject: str
    day: str
    version: str
    dated_back: str | UnsetType = UNSET


class CourseStarted(Struct, frozen=True, tag_field="act", tag="started"):
    """A course begins: day 1 is `day`, with the first dose of this kit, which was handed out.

    `dated_back`: why it began before the participant was enrolled here, as in a study that was under way.
    """

    subject: str
    course: Literal[1, 2]
    day: str
    kit: str
    dated_back: str | UnsetType = UNSET


class Dosed(Struct, frozen=True, tag_field="act", tag="dosed"):
    """A dose was taken, or missed (`taken` false), on this day."""

    subject: str
    day: str
    taken: bool


Status = Literal["completed", "aborted", "failed", "never_held"]


class SessionHeld(Struct, frozen=True, tag_field="act", tag="session_held"):
    """A session that began on this day has ended so, as its transcript has it; or it never began, and never will.

    `failed` is one that was interrupted and can be resumed. `last_line_sha256`: the digest of the transcript's last
    line, which stands for all of them; null if there is none, or if the version that recorded this kept none.
    `elsewhere`: why there is no transcript here, of a study that was under way.
    """

    subject: str
    session: int
    day: str
    status: Status
    last_line_sha256: str | None = None
    elsewhere: str | UnsetType = UNSET


class BegunAgain(Struct, frozen=True, tag_field="act", tag="begun_again"):
    """A session in which no message was seen counts as not held, and is run once more: why."""

    subject: str
    session: int
    reason: str


class Overridden(Struct, frozen=True, tag_field="act", tag="overridden"):
    """A session was let in that the study's rules refuse: what they said, and why it was held all the same."""

    subject: str
    session: int
    refused: str
    reason: str


class Withdrew(Struct, frozen=True, tag_field="act", tag="withdrew"):
    """A participant left the study; `day`: when, if it was not on the day of the entry."""

    subject: str
    reason: str
    day: str | UnsetType = UNSET


class Corrected(Struct, frozen=True, tag_field="act", tag="corrected"):
    """An earlier entry was a mistake, and counts no more. Entries are numbered from 1, the study's beginning."""

    entry: int
    reason: str


class Answered(Struct, frozen=True, tag_field="act", tag="answered"):
    """Somebody looked at what the quality assurance found, and says what it was; a finding by its kind and place."""

    kind: str
    subject: str | None
    session: int | None
    reason: str


class Locked(Struct, frozen=True, tag_field="act", tag="locked"):
    """Nothing of the data will change any more: the condition of unblinding all.

    `data_sha256`: of the list of all files that match the `patterns`, each with its digest (`unblinding`). What locked
    before there were patterns covered the tables alone.
    """

    sessions: int
    data_sha256: str
    patterns: tuple[str, ...] = ALL_TABLES


class Unblinded(Struct, frozen=True, tag_field="act", tag="unblinded"):
    """One participant's order was shown in an emergency, or (`subject` null) everybody's, after the lock."""

    subject: str | None
    reason: str


class ClockConfirmed(Struct, frozen=True, tag_field="act", tag="clock_confirmed"):
    """The computer's clock is right, though its time does not follow from the entry before: `found` says how."""

    found: str
    reason: str


class Recovered(Struct, frozen=True, tag_field="act", tag="recovered"):
    """A line that a crash cut off was taken away: so many bytes of an act that nobody was told of."""

    torn_bytes: int


Act = (
    Begun | Screened | Enrolled | Consented | CourseStarted | Dosed | SessionHeld | BegunAgain | Overridden | Withdrew
    | Corrected | Answered | Locked | Unblinded | ClockConfirmed | Recovered
)  # fmt: skip


class Entry(Struct, frozen=True, omit_defaults=True):
    """An act with the moment (ISO 8601, UTC) and the initials of who did it.

    `computer`, `boot`, `uptime_s`: the computer by its name in the network, which of its starts it was, and seconds
    since then by a clock that nobody can set; empty and null where they are not known.
    """

    utc: str
    who: str
    act: Act
    computer: str = ""
    boot: str = ""
    uptime_s: float | None = None

    def __post_init__(self) -> None:
        """It says when it was, with its time zone."""
        if self.moment.tzinfo is None:
            raise ValueError(f"{self.utc!r} has no time zone")
        if self.moment.year in {MINYEAR, MAXYEAR}:  # which in another time zone may be in a year that no date has
            raise ValueError(f"{self.utc!r} cannot be when it was")

    @property
    def moment(self) -> datetime:
        """When it was."""
        return datetime.fromisoformat(self.utc)
