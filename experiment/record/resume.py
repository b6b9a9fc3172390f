"""Whether a session was interrupted, and where it can continue: pure readings of its transcript."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from experiment.design.session import Trial
from experiment.record.events import INTERRUPTED, Resumption, parse_utc
from experiment.record.timeline import TrialRun, attempts, last_s, runs_by_trial
from experiment.record.transcript import Transcript

INCOMPLETE = "incomplete"
WITHDREW = "withdrew"  # an assistant ended it for a participant who wished so


def is_interrupted(transcript: Transcript) -> bool:
    """Whether nobody decided that it ended: the program or the computer died, failed, or was stopped from outside."""
    ended = transcript.ended
    return ended is None or ended.status == "failed" or ended.reason == INTERRUPTED


def resume_point(transcript: Transcript, now_utc: str) -> Resumption:
    """The first trial without all its ratings, and what is known of the time before; `now_utc` as ISO 8601."""
    session, runs = transcript.started.session, runs_by_trial(transcript.events)
    trials = (session.practice, *session.trials)
    open_trials = [trial for trial in trials if not _is_rated(trial, runs)]
    return Resumption(
        trial=open_trials[0].trial if open_trials else len(trials),
        seen=tuple(trial.trial for trial in open_trials if _was_shown(runs.get(trial.trial, []))),
        gap_s=round(max(0.0, _since_last_s(transcript, now_utc)), 3),
        torn_bytes=transcript.torn_bytes,
    )


def rated_messages(transcript: Transcript) -> int:
    """How many of the session's messages have all their ratings."""
    runs = runs_by_trial(transcript.events)
    return sum(_is_rated(trial, runs) for trial in transcript.started.session.trials)


def _is_rated(trial: Trial, runs: Mapping[int, Sequence[TrialRun]]) -> bool:
    """Whether the last time that the trial was begun, every question came to its end, be it without an answer."""
    return any(run.rated == set(trial.questions) for run in runs.get(trial.trial, [])[-1:])


def _was_shown(runs: Iterable[TrialRun]) -> bool:
    return any(run.message_onset_s is not None for run in runs)


def _since_last_s(transcript: Transcript, now_utc: str) -> float:
    """How long ago the last line was written, by the wall clock."""
    attempt = attempts(transcript.events)[-1]
    return (parse_utc(now_utc) - parse_utc(attempt.started.zero_utc)).total_seconds() - last_s(attempt.events)
