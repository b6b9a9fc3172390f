"""All that the analysis reads: the register, the tables, the treatments; which rows count, and which do not and why.

Treatments are those that unblinding wrote, after the lock, or random labels before it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from experiment.analysis.models import ModelledOutcome, RatedItem, Source
from experiment.analysis.observed import DailyReport, Treatments, daily_rows, read_guesses, read_symptoms, session_rows
from experiment.design.visit import Visit, session_name, subject_label, subject_name
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.events import Started
from experiment.record.transcript import has_begun, read_start
from experiment.record.tsv import read_records
from experiment.study.events import Overridden, Unblinded, Withdrew
from experiment.study.location import register_in
from experiment.study.participant import Participant
from experiment.study.screening import ScreeningCounts, screening_counts
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Analysis, Study
from experiment.study.unblinding import COLUMNS, SESSIONS, check_locked

MOST_NAMED = 10
NOT_LOCKED = (
    "The study is not locked, and drug effects stay hidden until it is. Run `dayfour study lock` and `dayfour "
    "study unblind`, or try the analysis with --blinded."
)


class LeftOut(Struct, frozen=True):
    """A session that does not count, why, and how many of its messages were rated."""

    participant: str
    session: int
    reason: str
    rated: int


class StudyData(Struct, frozen=True):
    """What was read. `guesses`: by when they were asked, the course that a participant took for the drug's, or None.

    `withdrawals`: reasons by participant. `wording`: the question of each outcome, `lengths`: how long its scale is.
    `set_aside`: what sessions and reports that do not count hold. `is_blinded`: the treatments are random labels.
    `screening`: None where it was not recorded.
    """

    study: Study
    people: tuple[Participant, ...]
    withdrawals: Mapping[str, str]
    treatments: Treatments
    observations: Mapping[Source, tuple[RatedItem, ...]]
    set_aside: Mapping[Source, tuple[RatedItem, ...]]
    left_out: tuple[LeftOut, ...]
    reports: tuple[DailyReport, ...]
    guesses: Mapping[str, Mapping[str, int | None]]
    symptoms: Mapping[tuple[str, int], float]
    wording: Mapping[str, str]
    lengths: Mapping[str, float]
    is_synthetic: bool
    is_blinded: bool
    screening: ScreeningCounts | None = None

    @property
    def plan(self) -> Analysis:
        """What the study is to show; without it, nothing is read."""
        assert self.study.analysis is not None  # noqa: S101 - `read_study_data` lets no other through
        return self.study.analysis

    @property
    def drug(self) -> str:
        """The treatment whose effect is estimated: the first of the plan."""
        return self.study.treatments[0]

    @property
    def contrast(self) -> str:
        """How the tables call that effect."""
        return " - ".join(self.study.treatments)

    def has_one_scale(self, measure: ModelledOutcome) -> bool:
        """Whether a point of either outcome, of a difference of two, is the same share of its scale."""
        own = {self.lengths.get(f"{measure.source}_{name}") for name in (measure.outcome, measure.minus) if name}
        return len(own) == 1

    def drug_first(self, participant: str) -> bool:
        """Whether somebody had the drug in the first course."""
        return self.treatments[participant, 1] == self.drug


def read_study_data(data: Path, treatments: Path | None) -> StudyData:
    """Everything, once it may be seen; without a table of `treatments` on random labels.

    BadInput before the lock, if the tables are not those that were locked, if a row has no treatment, or if the plan
    does not say what the study is to show.
    """
    register = register_in(data)
    told = register.read()
    study, people = told.study, [*told.people.values()]
    if study.analysis is None or not study.analysis.unchanged:
        raise BadInput(
            "The study's plan does not set [analysis.unchanged], by how many scale points an outcome may differ and "
            "still count as unchanged. It must be set before `dayfour study init`."
        )
    if treatments is None:
        known = random_labels(study, people)
    else:
        check_unblinded(told, data, register.folder)
        known = read_treatments(treatments, study, people)
    return _read(DataSet(data), told, known, is_blinded=treatments is None)


def _read(data: DataSet, told: Snapshot, treatments: Treatments, *, is_blinded: bool) -> StudyData:
    people = tuple(told.people.values())
    _check_strangers(data, {one.name for one in people})
    visits = {Visit(one.subject, session): one for one in people for session in SESSIONS}
    starts = {visit: start for visit in visits if (start := _read_start(data, visit))}
    is_synthetic = {start.mode for start in starts.values()} == {"simulate"}
    overridden, wording, lengths = _overridden(told), dict[str, str](), dict[str, float]()
    rows: dict[bool, list[RatedItem]] = {True: [], False: []}
    left_out = [LeftOut(name, 0, "a pilot, in data/pilot", 0) for name in _pilots(data)]
    for visit, one in visits.items():
        own = list(session_rows(data, visit, treatments[one.name, visit.session], wording, lengths))
        start = starts.get(visit)
        reason = overridden.get(visit) or _unfit(start, is_synthetic=is_synthetic) or _why_not(one, visit.session)
        if reason is None and not own:
            raise BadInput(f"The table of {visit} is missing. Make it again (`dayfour table DATA --remake`).")
        rows[reason is None] += own
        if reason:
            left_out.append(LeftOut(one.name, visit.session, reason, sum(bool(row.values) for row in own)))
    daily, late, reports = daily_rows(data, treatments, wording, lengths, _revealed(told))
    return StudyData(
        told.study, people, _withdrawals(told), treatments,
        {"session": tuple(rows[True]), "daily": tuple(daily)},
        {"session": tuple(rows[False]), "daily": tuple(late)},
        tuple(sorted(left_out, key=lambda one: (one.participant, one.session))), tuple(reports), read_guesses(data),
        read_symptoms(data, [one.subject for one in people]), wording, lengths, is_synthetic=is_synthetic,
        is_blinded=is_blinded, screening=screening_counts(told),
    )  # fmt: skip


def _check_strangers(data: DataSet, enrolled: set[str]) -> None:
    """Every row has a treatment."""
    people = {path.name for path in data.root.glob("sub-*") if path.is_dir() and subject_label(path.name)}
    if strangers := sorted(people - enrolled):
        named = ", ".join(strangers[:MOST_NAMED])
        raise BadInput(f"{named}: in the data but not enrolled, so without a treatment. Find out why.")


def _read_start(data: DataSet, visit: Visit) -> Started | None:
    path = data.transcript_of(visit)
    return read_start(path) if path and has_begun(path) else None


def _why_not(one: Participant, session: int) -> str | None:
    """Why a session does not count, as the register has it."""
    held = one.sessions.get(session)
    if held is None:
        return f"no session: left the study on {one.withdrawn}" if one.withdrawn else "no session so far"
    if held.elsewhere:
        return "run elsewhere, before the study was set up here"
    reasons = {"aborted": "ended early", "failed": "interrupted and not resumed", "never_held": "not attended"}
    return reasons.get(held.status)


def _overridden(told: Snapshot) -> dict[Visit, str]:
    """Sessions that were run against the study's rules: what the rules said, and why it was done."""
    acts = [act for act in told.acts if isinstance(act, Overridden)]
    words = "run against the study's rules ({}): {}".format
    return {Visit(act.subject, act.session): words(act.refused.partition(".")[0], act.reason) for act in acts}


def _unfit(start: Started | None, *, is_synthetic: bool) -> str | None:
    if start and start.mode != "run" and not is_synthetic:
        return f"not a real session ({start.mode})"
    return f"run on a computer that failed its check: {start.override}" if start and start.override else None


def _withdrawals(told: Snapshot) -> dict[str, str]:
    return {subject_name(act.subject): act.reason for act in told.acts if isinstance(act, Withdrew)}


def _revealed(told: Snapshot) -> dict[str, datetime]:
    """When treatments were shown in an emergency, the first time."""
    acts = [(one.act.subject, one.moment) for one in reversed(told.entries) if isinstance(one.act, Unblinded)]
    return {subject_name(subject): moment for subject, moment in acts if subject}


def _pilots(data: DataSet) -> list[str]:
    return sorted(path.name for path in (data.pilot.root / "sourcedata").glob("sub-*"))


def check_unblinded(told: Snapshot, data: Path, folder: Path) -> None:
    """BadInput unless the study is locked, unblinded, and its data are as they were; `folder`: the register's."""
    if not told.lock:
        raise BadInput(NOT_LOCKED)
    if not any(isinstance(act, Unblinded) and act.subject is None for act in told.acts):
        raise BadInput("The study has not been unblinded. Run `dayfour study unblind` first.")
    check_locked(data, folder, told.lock)


def read_treatments(path: Path, study: Study, people: Sequence[Participant]) -> Treatments:
    """The treatments as `study unblind` wrote them; BadInput unless they are those of all who are enrolled."""
    rows = read_records(path, *COLUMNS[:2])
    if not rows:
        raise BadInput(
            f"{path} cannot be read or is empty. Please give the table that `dayfour study unblind --out` wrote."
        )
    if missing := [name for name in COLUMNS if name not in rows[0]]:
        raise BadInput(
            f"{path} has no column {missing[0]!r}. Please give the table that `dayfour study unblind` wrote."
        )
    found = {(row["participant_id"], row["session_id"]): row for row in rows}
    known: dict[tuple[str, int], str] = {}
    for one in people:
        for session in SESSIONS:
            row = found.pop((one.name, session_name(session)), None)
            if row is None or row["treatment"] not in study.treatments:
                raise BadInput(
                    f"{path}: {Visit(one.subject, session)} has no treatment, or one that is not of this study."
                )
            if row["kit"] != one.kits[session - 1]:
                raise BadInput(f"{path} belongs to another study: {Visit(one.subject, session)} has another kit here.")
            known[one.name, session] = row["treatment"]
        if known[one.name, 1] == known[one.name, 2]:
            raise BadInput(f"{path}: {one.name} has the same treatment twice. Unblind again, and do not edit the file.")
    if found:
        raise BadInput(f"{path}: {min(found)[0]} is not enrolled in this study.")
    return known


def random_labels(study: Study, people: Sequence[Participant]) -> Treatments:
    """Labels that say nothing: half of each stratum in either order, drawn anew from the plan's seed."""
    known: dict[tuple[str, int], str] = {}
    for stratum in study.strata:
        names = [one.name for one in people if one.stratum == stratum]
        random.Random(f"{study.seed}/{stratum}/blinded").shuffle(names)
        for place, name in enumerate(names):
            both = study.treatments if place % 2 else study.treatments[::-1]
            known |= {(name, session): both[session - 1] for session in SESSIONS}
    return known
