"""How the daily reports stand: in, due, missing, straight-lined, too fast; one answer for status, pages and QA."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

from msgspec import Struct

from experiment.design.daily import Daily
from experiment.design.visit import session_name
from experiment.errors import DayFourError
from experiment.qa.findings import qa_finding
from experiment.record.finding import Finding
from experiment.reports.log import LogLine, journal, questions, sendings
from experiment.reports.open_times import ReportWindow, open_windows
from experiment.reports.table import ReportRow, rows, verify
from experiment.study import dates
from experiment.study.snapshot import Snapshot
from experiment.study.status import ReportsIn

WORDS = ("in", "due", "missing", "all alike", "too fast")
MIN_SCALES = 3  # fewer scales of one answer mean nothing
MIN_JUDGED, HABIT = 4, 0.5  # from this share of so many reports on, somebody should look


class Standing(Struct, frozen=True):
    """The reports of one participant. `came`: those that are in; `due`: open now, and not in.

    `alike`: all scales with one answer, though one of them is reversed or there are several; `fast`: sent in less than
    the plausible time.
    """

    subject: str
    came: tuple[ReportRow, ...]
    due: tuple[ReportWindow, ...]
    missing: tuple[ReportRow, ...]
    alike: tuple[ReportRow, ...]
    fast: tuple[ReportRow, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        kinds = (self.came, self.due, self.missing, self.alike, self.fast)
        return {word: len(those) for word, those in zip(WORDS, kinds, strict=True)}

    @property
    def note(self) -> str:
        """In a few words, for one screen; nothing before the first report could be given."""
        number = self.counts
        if not (asked := sum(number[word] for word in WORDS[:3])):
            return ""
        opened = [f"{dates.short(one.date)} open since {one.opens:%H:%M}" for one in self.due]
        others = [f"{number[word]} {word}" for word in WORDS[2:] if number[word]]
        return ", ".join([f"reports {number['in']} of {asked}", *opened, *others])


def judge_reports(data: Path, told: Snapshot, now: datetime) -> tuple[list[Finding], dict[str, int]]:
    """What the quality assurance should know of a data set's reports, and their counts; nothing if there are none.

    Where the log cannot be read, that is the finding.
    """
    changed = [qa_finding("report_changed", text) for text in verify(data, told, now)]
    try:
        every = standings_of(data, told, now)
    except DayFourError:
        return changed, {}
    return [*changed, *findings(every)], counts(every) if every else {}


def standings_of(data: Path, told: Snapshot, now: datetime) -> list[Standing]:
    """Everybody's, as log and register have them now; BadInput if the log was changed."""
    return standings(told, journal(data).entries(), told.as_of(now))


def reports_in(of: Iterable[Standing]) -> dict[str, ReportsIn]:
    """For `study status` and the coordinator's page, by participant."""
    return {
        one.subject: ReportsIn(
            _days(one.came), one.note, _days(one.due), _days(one.missing), _days(one.alike), _days(one.fast)
        )
        for one in of
    }


def _days(of: Iterable[ReportRow | ReportWindow]) -> frozenset[date]:
    return frozenset(one.date for one in of)


def standings(told: Snapshot, entries: Sequence[LogLine], now: datetime) -> list[Standing]:
    """Everybody's, by participant; none if there never were daily reports."""
    if not entries:
        return []
    daily, given = questions(entries).latest, sendings(entries)
    own: dict[str, list[ReportRow]] = defaultdict(list)
    for row in rows(told, entries, now):
        own[row.subject].append(row)
    return [
        _standing(subject, own[subject], daily, open_windows(one, told.study, daily, now), given)
        for subject, one in sorted(told.people.items())
    ]


def counts(of: Sequence[Standing]) -> dict[str, int]:
    """Over all participants."""
    return {word: sum(one.counts[word] for one in of) for word in WORDS}


def findings(of: Sequence[Standing]) -> list[Finding]:
    """For the quality assurance: a finding for each kind and participant, to be looked at where it is a habit."""
    found = list[Finding]()
    for one in of:
        every = len(one.came) + len(one.missing)
        for kind, which, text in (
            ("report_missing", one.missing, "Daily reports that did not come"),
            ("report_alike", one.alike, "Daily reports with the same answer on every scale"),
            ("report_fast", one.fast, "Daily reports in less than the plausible time"),
        ):
            if which:
                is_habit = every >= MIN_JUDGED and len(which) >= HABIT * every
                days = ", ".join(f"{session_name(row.course)} day {row.day}" for row in which)
                words = f"{text}: {len(which)} of {every} ({days})."
                found.append(qa_finding(kind, words, one.subject, needs_person=is_habit))
    return found


def _standing(
    subject: str,
    own: Sequence[ReportRow],
    daily: Daily,
    opened: Sequence[ReportWindow],
    given: Iterable[tuple[str, date]],
) -> Standing:
    came = tuple(row for row in own if row.submitted)
    return Standing(
        subject,
        came,
        tuple(window for window in opened if (subject, window.date) not in given),
        tuple(row for row in own if row.status == "missing"),
        tuple(row for row in came if is_alike(row, daily)),
        tuple(row for row in came if row.took_s is not None and row.took_s < daily.plausible_s),
    )


def is_alike(row: ReportRow, daily: Daily) -> bool:
    """Whether every scale has one and the same answer: items of symptoms, which are often all absent, do not count."""
    scales = [item for item in daily.items if item.block != "symptoms"]
    answers = [row.answers.get(item.id) for item in scales]
    return len(answers) >= MIN_SCALES and None not in answers and len({*answers}) == 1
