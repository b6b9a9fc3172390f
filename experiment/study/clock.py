"""Whether the times in the register can be right: they only go forward, and no further than the plan explains. Pure.

An act is refused while the computer's clock cannot be right, since its day decides what may happen; but never a session
that took place, nor an emergency. What is in the register anyway is a finding, until somebody resolves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from experiment.errors import BadInput
from experiment.study.events import Begun, ClockConfirmed, Entry, Recovered, SessionHeld, Unblinded

CLOCKS_APART = timedelta(minutes=5)  # of computers that share a register
QUIET = timedelta(days=92)  # a summer in which nobody is enrolled, beyond the longest wait in a participant's courses
LONGEST_CONFIRMED = timedelta(days=3660)
SIMULATOR = "simulate"  # who begins a simulated study
ALWAYS = (Begun, SessionHeld, Unblinded, ClockConfirmed, Recovered)  # recorded whatever the clock says


class Step(Struct, frozen=True):
    """Between entry `number` (from 1) and the one before, time did not pass as it should: what happened, in words."""

    number: int
    text: str


def clock_trouble(entries: Sequence[Entry], moment: datetime) -> str | None:
    """Why the time cannot be right, after these entries, and what to do; None if it can."""
    last, computer = entries[-1].moment, entries[-1].computer
    words = _unlikely(last, moment, _longest_wait(entries))
    if words is None:
        return None
    on = f" on {computer}" if computer else ""
    return (
        f"This computer's clock says {moment:%Y-%m-%d %H:%M} UTC: {words} the study's last entry, which was recorded "
        f"at {last:%Y-%m-%d %H:%M} UTC{on}. Set the wrong clock. If this one is right, run `dayfour "
        "study clock --reason REASON`."
    )


def future_entry(entries: Sequence[Entry], moment: datetime) -> str | None:
    """What to do if the last entry is dated after now; None if it is not."""
    return clock_trouble(entries, moment) if entries[-1].moment - moment > CLOCKS_APART else None


def moment_of(entries: Sequence[Entry], now: datetime) -> datetime:
    """Now; in a simulated study, which is of another year, the moment of its last entry."""
    return entries[-1].moment if is_simulated(entries) else now


def is_simulated(entries: Sequence[Entry]) -> bool:
    """Whether the study is a synthetic one."""
    return entries[0].who == SIMULATOR


def confirm_clock(entries: Sequence[Entry], reason: str, moment: datetime) -> ClockConfirmed:
    """Somebody looked: the clock is right; BadInput if nothing is wrong with it, or if it cannot be right at all."""
    last = entries[-1].moment
    words = _unlikely(last, moment, _longest_wait(entries))
    if words is None:
        raise BadInput("This computer's clock is not in doubt, so there is nothing to confirm.")
    if moment - last > LONGEST_CONFIRMED:
        raise BadInput(f"{moment:%Y-%m-%d} cannot be right: it is {words} the last entry. Set the clock.")
    return ClockConfirmed(f"{words} the entry before", reason)


def clock_steps(entries: Sequence[Entry]) -> Iterator[Step]:
    """Every place where the register's times do not follow one another as they should."""
    longest = _longest_wait(entries)
    for number, (before, after) in enumerate(pairwise(entries), start=2):
        words = _unlikely(before.moment, after.moment, longest)
        if words:
            text = f"Entry {number} was recorded {words} entry {number - 1}{_clocks(before, after)}."
        elif step := _stepped(before, after):
            way = "ahead" if step > timedelta() else "back"
            text = f"Before entry {number}, the clock of {after.computer} was set {way} by {_lasting(abs(step))}."
        else:
            continue
        if isinstance(after.act, ClockConfirmed):
            text += f" {after.who} confirmed that the clock is right: {after.act.reason}"
        yield Step(number, text)


def _clocks(before: Entry, after: Entry) -> str:
    """Whose clocks say so, if it is known."""
    if not (before.computer and after.computer):
        return ""
    if before.computer == after.computer:
        return f", both on {after.computer}"
    return f": the clocks of {after.computer} and {before.computer} disagree"


def _unlikely(last: datetime, moment: datetime, longest: timedelta) -> str | None:
    if last - moment > CLOCKS_APART:
        return f"{_lasting(last - moment)} before"
    return f"{_lasting(moment - last)} after" if moment - last > longest else None


def _stepped(before: Entry, after: Entry) -> timedelta | None:
    """By how much one computer's clock was set meanwhile, by the counter that nobody can set, if it was not off."""
    same = before.boot and (before.computer, before.boot) == (after.computer, after.boot)
    if not same or before.uptime_s is None or after.uptime_s is None:
        return None
    step = after.moment - before.moment - timedelta(seconds=after.uptime_s - before.uptime_s)
    return step if abs(step) > CLOCKS_APART else None


def _longest_wait(entries: Sequence[Entry]) -> timedelta:
    """As long as nothing at all may happen in this study; any time in a simulated one, which is of another year."""
    if is_simulated(entries):
        return timedelta.max
    begun = entries[0].act
    courses = begun.plan.courses if isinstance(begun, Begun) else None
    return QUIET + timedelta(days=courses.washout_days + 2 * courses.days) if courses else QUIET


def _lasting(time: timedelta) -> str:
    if time >= timedelta(days=2):
        return f"{time.days} days"
    return f"{time / timedelta(hours=1):.1f} hours" if time >= timedelta(hours=2) else f"{time.seconds // 60} minutes"
