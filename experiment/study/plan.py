"""The study file: its courses, washout, strata, block sizes and times of day, typed and checked when read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta
from msgspec.structs import replace

from experiment.design.questions import Fixed, Line
from experiment.storage.toml import read_toml

Days = Annotated[int, Meta(ge=0, le=999)]
Time = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]
Stratum = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9]+\Z")]
Block = Annotated[int, Meta(ge=2, le=100, multiple_of=2)]


class Courses(Fixed, frozen=True):
    """The two courses: how long each is, on which of its days the session is held, and the days between them.

    Day 1 is the day of the first dose. `tolerance_days`: how many days late a session may be held. `washout_days`: the
    fewest whole days between the last day of course 1 and the first of course 2.
    """

    days: Annotated[int, Meta(ge=1, le=99)] = 4
    session_day: Annotated[int, Meta(ge=1, le=99)] = 4
    tolerance_days: Days = 0
    washout_days: Annotated[int, Meta(ge=10, le=999)] = 10

    def __post_init__(self) -> None:
        """A session is held within its course."""
        if self.session_day + self.tolerance_days > self.days:
            raise ValueError(
                "Expected session_day with its tolerance_days within the course's days, while the drug is taken"
            )


class StudyClock(Fixed, frozen=True):
    """Where the study's days begin and end, and at what time of day its appointments are: HH:MM in `zone` (IANA)."""

    zone: str
    dose: Time = "08:00"
    report: Time = "20:00"
    session: Time = "14:00"

    def __post_init__(self) -> None:
        """The zone is known here."""
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"Expected the name of a time zone, such as 'Europe/Berlin', got {self.zone!r}") from error


class Study(Fixed, frozen=True):
    """One study, as `stimuli/study.toml` has it.

    `participants`: at most, in each stratum. `treatments`: the two, for the packing list only. `block_sizes`: of the
    permuted blocks, drawn at random from these. `seed`: with a secret of the key holder's it decides the allocation.
    `sites`: the clocks of strata that keep another time than `clock`.
    """

    name: Line
    participants: Annotated[int, Meta(ge=1, le=9_999)]
    strata: Annotated[tuple[Stratum, ...], Meta(min_length=1)]
    treatments: tuple[Line, Line]
    block_sizes: Annotated[tuple[Block, ...], Meta(min_length=1)]
    seed: Annotated[int, Meta(ge=0)]
    clock: StudyClock
    courses: Courses = Courses()
    sites: Mapping[str, StudyClock] = {}

    def at(self, stratum: str) -> Study:
        """The study as the clocks of this stratum have it."""
        return replace(self, clock=self.sites[stratum], sites={}) if stratum in self.sites else self

    def __post_init__(self) -> None:
        """Strata and treatments differ, and so do the blocks, or the last of each could be foretold."""
        if len(set(self.block_sizes)) < 2:
            raise ValueError("Expected at least two block_sizes that differ, such as [2, 4, 6]")
        if len({stratum.casefold() for stratum in self.strata}) < len(self.strata):
            raise ValueError("Expected strata that differ, also when written small")
        if unknown := set(self.sites) - set(self.strata):
            raise ValueError(f"Expected sites that are among the strata, got {min(unknown)!r}")
        if self.treatments[0] == self.treatments[1]:
            raise ValueError(f"Expected two treatments that differ, got {self.treatments[0]!r} twice")


def read_study(path: Path) -> Study:
    """The study in a TOML file; BadInput names the file, the key, what was expected and what was found."""
    return read_toml(path, Study, "study", "--plan")
