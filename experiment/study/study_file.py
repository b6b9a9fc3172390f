"""The study file: its courses, washout, strata, block sizes and times of day, typed and checked when read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta
from msgspec.structs import replace

from experiment.design.form_questions import Fixed, Label, Line, refuse
from experiment.storage.toml import read_toml

Days = Annotated[int, Meta(ge=0, le=999)]
Time = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z", title='a time as "HH:MM", e.g. "08:30"')]
Stratum = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9]+\Z")]
_STRATA = 'a list of at least one name of letters and digits, e.g. ["north", "south"]'
Block = Annotated[int, Meta(ge=2, le=100, multiple_of=2)]
_BLOCKS = "a list of even numbers from 2 to 100, e.g. [2, 4, 6]"


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
                "'session_day' plus 'tolerance_days' must not be above 'days': the drug is taken until then."
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
            raise ValueError(
                f'Unknown time zone {self.zone!r}. Please write one such as "Europe/Berlin" or "America/New_York".'
            ) from error


class Analysis(Fixed, frozen=True):
    """What the study is to show, decided before it begins; outcomes by their names in the tables.

    `changed`: what the first treatment is expected to change, in the sessions and in the daily reports: co-primary.
    `unchanged`: what it is expected to leave as it is, each with the number of scale points within which it counts so.
    """

    changed: Annotated[tuple[Label, ...], Meta(min_length=1)]
    unchanged: Mapping[Label, Annotated[float, Meta(gt=0, le=100)]] = {}

    def __post_init__(self) -> None:
        """No outcome is expected to change and not to."""
        if both := set(self.changed) & set(self.unchanged):
            raise ValueError(f"{min(both)!r} is listed both as expected to change and to stay unchanged. Choose one.")


class Study(Fixed, frozen=True):
    """One study, as `stimuli/study.toml` has it.

    `participants`: at most, in each stratum. `treatments`: the two, for the packing list only. `block_sizes`: of the
    permuted blocks, drawn at random from these. `seed`: with a secret of the key holder's it decides the allocation.
    `sites`: the clocks of strata that keep another time than `clock`. `analysis`: without it, nothing is analysed.
    """

    name: Line
    participants: Annotated[int, Meta(ge=1, le=9_999)]
    strata: Annotated[tuple[Stratum, ...], Meta(min_length=1, title=_STRATA)]
    treatments: tuple[Line, Line]
    block_sizes: Annotated[tuple[Block, ...], Meta(min_length=1, title=_BLOCKS)]
    seed: Annotated[int, Meta(ge=0)]
    clock: StudyClock
    courses: Courses = Courses()
    sites: Mapping[str, StudyClock] = {}
    analysis: Analysis | None = None

    def at(self, stratum: str) -> Study:
        """The study as the clocks of this stratum have it."""
        return replace(self, clock=self.sites[stratum], sites={}) if stratum in self.sites else self

    def __post_init__(self) -> None:
        """Strata and treatments differ, and so do the blocks, or the last of each could be foretold."""
        strata, unknown = [stratum.casefold() for stratum in self.strata], set(self.sites) - set(self.strata)
        refuse(
            len(set(self.block_sizes)) < 2 and "'block_sizes' needs at least two different sizes, e.g. [2, 4, 6].",
            len(set(strata)) < len(strata) and "Two strata have the same name or differ only in capital letters.",
            *(f"[sites.{name}] is not a stratum: add it to 'strata', or remove it." for name in sorted(unknown)),
            self.treatments[0] == self.treatments[1] and f"Both treatments are {self.treatments[0]!r}.",
        )


def read_study(path: Path) -> Study:
    """The study in a TOML file; BadInput names the file and every mistake in it."""
    return read_toml(path, Study, "study", "--plan")
