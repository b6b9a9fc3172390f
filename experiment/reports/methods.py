"""The paragraph that reviewers ask for: how the daily reports were asked for, and how many came; from the data.

What it holds follows the checklist for ambulatory assessment of Trull & Ebner-Priemer (2020, J Abnorm Psychol 129:56).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import mean, median, quantiles, stdev

from experiment.design.daily import Daily
from experiment.errors import BadInput
from experiment.reports.open_times import Status
from experiment.reports.table import ReportRow
from experiment.study.study_file import Study


def paragraph(of: Sequence[ReportRow], daily: Daily, study: Study) -> str:
    """The paragraph on reports whose time is over or that came; BadInput if there are none."""
    if not of:
        raise BadInput("There are no daily reports yet, so there is nothing to report.")
    return " ".join([_asked(of, daily, study), _came(of), _timing(of), _patterns(of), _items(of, daily)])


def _asked(of: Sequence[ReportRow], daily: Daily, study: Study) -> str:
    is_elsewhere = {row.source for row in of if row.submitted} == {"import"}  # nobody saw a page of ours
    how = (
        "with another program"
        if is_elsewhere
        else "on their own phones through a personal link to a web page (Day Four)"
    )
    once = " Participants were asked once about items left out, and could leave them unanswered."
    blocks = Counter(item.block for item in daily.items)
    listed = ", ".join(f"{count} on {block}" for block, count in blocks.items())
    closes = f"{daily.closes} of the next day" if daily.closes_next_day else daily.closes
    late = f" and accepted as late until {daily.yesterday_until} of the next day" if daily.yesterday_until else ""
    hours = sorted({study.at(stratum).clock.report for stratum in study.strata})
    return (
        f"On each of the {study.courses.days} days of both courses, participants gave a report {how}, in the evening "
        f"from {daily.opens} to {closes}{late}, local time; reports begun before a deadline were accepted for "
        f"{daily.grace_min} minutes after it. They were reminded at {' or '.join(hours)}. A report had "
        f"{len(daily.items)} items ({listed}).{'' if is_elsewhere else once}"
    )


def _came(of: Sequence[ReportRow]) -> str:
    came = [row for row in of if row.submitted]
    shares = [
        100 * sum(row.submitted is not None for row in own) / len(own)
        for subject in {row.subject for row in of}
        if (own := [row for row in of if row.subject == subject])
    ]
    spread = f", SD {stdev(shares):.1f}" if len(shares) > 1 else ""
    by = Counter(row.status for row in came)
    how = ", ".join(f"{by[status]} {words}" for status, words in _STATUS.items() if by[status])
    imported = sum(row.source == "import" for row in came)
    other = f" {imported} were imported from another program." if imported else ""
    return (
        f"Of {len(of)} reports that were due from {len(shares)} participants, {len(came)} came "
        f"({_percent(len(came), len(of))}): {how or 'none'}. Per participant, compliance was {mean(shares):.1f} % on "
        f"average{spread}, from {min(shares):.0f} to {max(shares):.0f} %.{other}"
    )


def _timing(of: Sequence[ReportRow]) -> str:
    lags = [row.lag_s / 60 for row in of if row.lag_s is not None]
    took = [row.took_s for row in of if row.took_s is not None]
    lag = f"The median lag from reminder to report was {median(lags):.0f} min{_iqr(lags)}." if lags else ""
    return " ".join(filter(None, [lag, f"A report took a median of {median(took):.0f} s{_iqr(took)}." if took else ""]))


def _patterns(of: Sequence[ReportRow]) -> str:
    """Which were missing: by day over both courses, and in which course."""
    missing = [row for row in of if not row.submitted]
    if not missing:
        return "No report was missing."
    by_day = _shares((row.day, not row.submitted) for row in of)
    by_course = _shares((row.course, not row.submitted) for row in of)
    people = Counter(row.subject for row in missing)
    most = max(people.values())
    return f"Missing were, by day: {by_day}; by course: {by_course}; at most {most} of one participant."


def _items(of: Sequence[ReportRow], daily: Daily) -> str:
    came = [row for row in of if row.submitted]
    left_out = sum(row.answers.get(item.id) is None for row in came for item in daily.items)
    corrected = sum(row.corrections > 0 for row in came)
    asked = len(came) * len(daily.items)
    return (
        f"Of the answers in reports that came, {_percent(left_out, asked)} were left out. {corrected} "
        f"report{'' if corrected == 1 else 's'} {'was' if corrected == 1 else 'were'} corrected by the participant; "
        "the last version counts. No report was excluded."
    )


def _shares(of: Iterable[tuple[int, bool]]) -> str:
    """The share of those that are so, for each number."""
    pairs = list(of)
    every, those = Counter(number for number, _ in pairs), Counter(number for number, is_so in pairs if is_so)
    return ", ".join(f"{number}: {_percent(those[number], every[number])}" for number in sorted(every))


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _iqr(values: Sequence[float]) -> str:
    if len(values) < 2:
        return ""
    low, _, high = quantiles(values, n=4, method="inclusive")
    return f" (interquartile range {low:.0f} to {high:.0f})"


_STATUS: dict[Status, str] = {"in_time": "in time", "grace": "begun in time and sent shortly after", "late": "late"}
