"""The screening log: who was assessed for the study, what came of it, and the counts of a flow chart (CONSORT).

Somebody is an ID as in the study, never a name. The last assessment of somebody counts; whoever was enrolled without
one was found eligible at some time. Source of the counts: CONSORT 2025, figure 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from msgspec import Struct

from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.study.events import Screened, ScreeningOutcome
from experiment.study.snapshot import Snapshot

OUTCOMES: tuple[ScreeningOutcome, ...] = get_args(ScreeningOutcome)
OUTCOME_WORDS: Mapping[ScreeningOutcome, str] = {
    "eligible": "eligible",
    "not_eligible": "not meeting the criteria",
    "declined": "declined to take part",
    "other": "other reasons",
}
"""As a flow chart calls them."""
HEADER = ("participant_id", "day", "outcome", "reason", "since")


class ScreeningRow(Struct, frozen=True):
    """Somebody's last assessment, and what followed: nothing yet, consent, or the enrolment."""

    subject: str
    day: str
    outcome: ScreeningOutcome
    reason: str
    since: Literal["", "consented", "enrolled"]

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands under `HEADER`."""
        return (subject_name(self.subject), self.day, self.outcome, self.reason, self.since)


class ScreeningCounts(Struct, frozen=True):
    """How many were assessed, left out (by outcome and reason), and enrolled; `waiting`: eligible, not enrolled yet."""

    assessed: int
    excluded: Mapping[tuple[ScreeningOutcome, str], int]
    waiting: int
    enrolled: int


def screening_log(told: Snapshot) -> list[ScreeningRow]:
    """Everybody who was assessed, by the day of the last assessment."""
    last = {act.subject: act for act in told.acts if isinstance(act, Screened)}
    rows = [
        ScreeningRow(
            act.subject, act.day, act.outcome, act.reason,
            "enrolled" if act.subject in told.people else "consented" if act.subject in told.awaiting_enrolment else "",
        )
        for act in last.values()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.day, row.subject))


def screening_counts(told: Snapshot) -> ScreeningCounts | None:
    """For a flow chart; None if no screening is recorded."""
    log = screening_log(told)
    if not log:
        return None
    enrolled = set(told.people)
    left_out = [row for row in log if row.outcome != "eligible" and row.subject not in enrolled]
    waiting = sum(row.outcome == "eligible" and row.subject not in enrolled for row in log)
    excluded = Counter((row.outcome, row.reason) for row in left_out)
    ordered = sorted(excluded, key=lambda key: (OUTCOMES.index(key[0]), key[1]))
    assessed = len({row.subject for row in log} | enrolled)
    return ScreeningCounts(assessed, {key: excluded[key] for key in ordered}, waiting, len(enrolled))


def excluded_in_words(counts: ScreeningCounts) -> list[str]:
    """A line for each outcome that left somebody out, with the number for each reason."""
    lines = list[str]()
    for outcome in OUTCOMES[1:]:
        own = {reason: count for (which, reason), count in counts.excluded.items() if which == outcome}
        if own:
            reasons = ", ".join(f"{reason} {count}" for reason, count in own.items())
            lines.append(f"{OUTCOME_WORDS[outcome].capitalize()}: {sum(own.values())} ({reasons})")
    return lines


def check_eligible(subject: str, told: Snapshot) -> None:
    """BadInput if the last assessment of this ID found them not eligible."""
    row = next((one for one in screening_log(told) if one.subject == subject), None)
    if row and row.outcome != "eligible":
        why = f" ({row.reason})" if row.reason else ""
        raise BadInput(
            f"{subject_name(subject)} was screened on {row.day}: {OUTCOME_WORDS[row.outcome]}{why}. If that has "
            "changed, screen again and record it: `dayfour study screen --outcome eligible`."
        )
