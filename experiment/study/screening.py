"""The screening log: who was assessed for the study, what came of it, and the counts of a flow chart (CONSORT).

Somebody is an ID as in the study, never a name. The last assessment of somebody counts; whoever was enrolled without
one was found eligible at some time. Source of the counts: CONSORT 2025, figure 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from msgspec import Struct

from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.study.events import Consented, Enrolled, Entry, Screened, ScreeningOutcome
from experiment.study.participants import counting_acts

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


def screening_log(entries: Sequence[Entry]) -> list[ScreeningRow]:
    """Everybody who was assessed, by the day of the last assessment."""
    acts = counting_acts(entries)
    last = {act.subject: act for act in acts if isinstance(act, Screened)}
    enrolled = {act.subject for act in acts if isinstance(act, Enrolled)}
    consented = {act.subject for act in acts if isinstance(act, Consented)}
    rows = [
        ScreeningRow(
            act.subject, act.day, act.outcome, act.reason,
            "enrolled" if act.subject in enrolled else "consented" if act.subject in consented else "",
        )
        for act in last.values()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.day, row.subject))


def screening_counts(entries: Sequence[Entry]) -> ScreeningCounts | None:
    """For a flow chart; None if no screening is recorded."""
    log = screening_log(entries)
    if not log:
        return None
    enrolled = {act.subject for act in counting_acts(entries) if isinstance(act, Enrolled)}
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


def check_eligible(subject: str, entries: Sequence[Entry]) -> None:
    """BadInput if the last assessment of this ID found them not eligible."""
    row = next((one for one in screening_log(entries) if one.subject == subject), None)
    if row and row.outcome != "eligible":
        why = f" ({row.reason})" if row.reason else ""
        raise BadInput(
            f"{subject_name(subject)} was screened on {row.day}: {OUTCOME_WORDS[row.outcome]}{why}. If that has "
            "changed, screen again and record it: `dayfour study screen --outcome eligible`."
        )
