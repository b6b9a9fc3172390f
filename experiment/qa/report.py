"""The quality assurance of a data set: every transcript read, on all cores; a page and a table of findings written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from experiment.design.thresholds import Thresholds
from experiment.qa.findings import Answers, session_findings, sort_findings, with_answers
from experiment.qa.page import StudyPage, render
from experiment.qa.resolutions import COLUMNS, read_resolutions, table_rows
from experiment.qa.session_summary import SessionSummary, UnreadableSession, read_session, unreadable
from experiment.qa.study_findings import JudgedSession, stray_findings, study_findings
from experiment.record.find_sessions import find_sessions
from experiment.record.finding import Finding
from experiment.record.strays import find_strays
from experiment.record.tsv import tsv
from experiment.storage.atomic_file import write_whole
from experiment.system.processes import Progress, map_on_all_cores

CHUNK = 32  # sessions that a process is given at a time
FEW = 150  # sessions that are read sooner than further processes start

EMPTY: Answers = MappingProxyType({})
NO_COUNTS: Mapping[str, int] = MappingProxyType({})


class QaReport(Struct, frozen=True):
    """What was written, and the findings that a person has to look at; `beside`: those of no single session."""

    page: Path
    table: Path
    sessions: int
    wanting: int
    beside: int
    open_findings: tuple[Finding, ...]

    @property
    def needs_person(self) -> bool:
        """Whether anything is open."""
        return bool(self.open_findings)


def build_report(
    folder: Path,
    *,
    out: Path | None = None,
    thresholds: Thresholds = Thresholds(),  # noqa: B008 - frozen
    pilot: bool = False,
    changed: Mapping[Path, Sequence[str]] | None = None,
    besides: Sequence[Finding] = (),
    answers: Answers = EMPTY,
    answered: Collection[str] | None = None,
    reports: Mapping[str, int] = NO_COUNTS,
    today: datetime | None = None,
    progress: Progress = lambda _done, _all: None,
) -> QaReport:
    """Judge all sessions of the data set in a folder; with `pilot`, its pilots instead, or a simulated data set.

    Writes `qa.html` and `qa_findings.tsv` to `out`, by default the data set's `derivatives/qa`; what people wrote into
    that table stays. `changed`: what the
    verification found, by transcript; None if nothing was verified. `besides`: what is known from elsewhere, and
    `answers`: what was said of the other findings, as the study's register has them. `answered`: who has
    answered the closing questions; None if there are none. `reports`: counts of daily reports. `progress` is told how
    many sessions of how many are read. Raises BadInput if there is no session, and for pilots and simulations unless
    `pilot`.
    """
    data, paths = find_sessions(folder, pilot=pilot)
    read = partial(read_session, pilot=pilot)
    readings = map_on_all_cores(read, paths, few=FEW, chunk=CHUNK, progress=progress)
    name, day = data.root.resolve().name, today or datetime.now(timezone.utc)
    left_out = with_answers(stray_findings(find_strays(data), data.root), answers)
    study = judge_all(name, readings, thresholds, changed, day, (*besides, *left_out), answers, answered, reports)
    out = out or data.root / "derivatives" / "qa"
    page, table = out / "qa.html", out / "qa_findings.tsv"
    written = [one for one in read_resolutions(table) if not one.is_recorded(answers)] if table.exists() else []
    write_whole(page, render(study))
    write_whole(table, tsv(COLUMNS, table_rows(_in_order(study), written)))
    found = (*study.findings, *(one for session in study.sessions for one in session.findings))
    wanted = tuple(one for one in found if one.needs_person)
    beside = sum(one.needs_person for one in study.findings)
    return QaReport(page, table, len(study.sessions), len(study.wanting), beside, wanted)


def judge_all(
    name: str,
    readings: Sequence[SessionSummary | UnreadableSession],
    thresholds: Thresholds,
    changed: Mapping[Path, Sequence[str]] | None,
    today: datetime,
    besides: Sequence[Finding] = (),
    answers: Answers = EMPTY,
    answered: Collection[str] | None = None,
    reports: Mapping[str, int] = NO_COUNTS,
) -> StudyPage:
    """The study with all its findings; pure. A session that only the verification knows has lost its transcript."""
    known = changed or {}
    lost = [unreadable(path, "The log is missing.") for path in sorted(set(known) - {r.path for r in readings})]
    sessions = tuple(
        JudgedSession(one, with_answers(session_findings(one, thresholds, known.get(one.path, ())), answers))
        for one in (*readings, *lost)
    )
    found = (*with_answers(study_findings(sessions, thresholds, today, answered), answers), *besides)
    return StudyPage(name, sessions, sort_findings(found), thresholds, today, changed is not None, reports)


def _in_order(study: StudyPage) -> list[Finding]:
    """Those that need a person first, in the page's order."""
    own = [found for one in study.sessions for found in one.findings]
    return sorted([*study.findings, *own], key=lambda one: not one.needs_person)
