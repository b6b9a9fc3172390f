"""Whether a session was interrupted, and where it can continue: pure readings of its transcript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiment.design.session import SessionPlan, Step, Trial
from experiment.record.events import INTERRUPTED, Resumption, parse_utc
from experiment.record.events_of_tasks import RunBegan
from experiment.record.timeline import TrialRun, attempts, last_s, runs_by_trial
from experiment.record.transcript import Transcript

INCOMPLETE = "incomplete"
WITHDREW = "withdrew"  # an assistant ended it for a participant who wished so


def is_interrupted(transcript: Transcript) -> bool:
    """Whether nobody decided that it ended: the program or the computer died, failed, or was stopped from outside."""
    ended = transcript.ended
    return ended is None or ended.status == "failed" or ended.reason == INTERRUPTED


def resume_point(transcript: Transcript, now_utc: str) -> Resumption:
    """The first trial that is still to come, and what is known of the time before; `now_utc` as ISO 8601."""
    session, runs = transcript.started.session, runs_by_trial(transcript.events)
    attempt = attempts(transcript.events)[-1]
    since_s = (parse_utc(now_utc) - parse_utc(attempt.started.zero_utc)).total_seconds()  # by the wall clock
    open_trials = _unseen_runs(transcript) if session.protocol.scan else _unfinished(session, runs)
    return Resumption(
        trial=open_trials[0].trial if open_trials else len(session.steps) + 1,
        seen=tuple(one.trial for one in open_trials if any(run.is_known for run in runs.get(one.trial, []))),
        gap_s=round(max(0.0, since_s - last_s(attempt.events)), 3),
        torn_bytes=transcript.torn_bytes,
    )


def count_rated(transcript: Transcript) -> tuple[int, int]:
    """How many of the session's messages, or objects, have all their ratings, and how many are over without.

    In a scanner, where nobody waits for a rating, all that are over count.
    """
    session, runs = transcript.started.session, runs_by_trial(transcript.events)
    over = [step for step in session.steps if _is_finished(step, runs)]
    rated = [step for step in over if session.protocol.scan or runs[step.trial][-1].answered == set(step.questions)]
    return len(rated), len(over) - len(rated)


def _unfinished(session: SessionPlan, runs: Mapping[int, Sequence[TrialRun]]) -> list[Step]:
    """The trials whose questions did not all come to their end; the practice too, of a task that has one."""
    practice = () if session.holdings else (session.practice,)
    return [step for step in (*practice, *session.steps) if not _is_finished(step, runs)]


def _unseen_runs(transcript: Transcript) -> list[Trial]:
    """The trials of runs that have not begun: one that was interrupted is over, as after a pause."""
    begun = {event.run for event in transcript.events if isinstance(event, RunBegan)}
    return [trial for trial in transcript.started.session.trials if trial.slot and trial.slot.run not in begun]


def _is_finished(trial: Step, runs: Mapping[int, Sequence[TrialRun]]) -> bool:
    """Whether the last time that the trial was begun, every question came to its end, be it without an answer."""
    return any(run.is_known and run.rated == set(trial.questions) for run in runs.get(trial.trial, [])[-1:])
