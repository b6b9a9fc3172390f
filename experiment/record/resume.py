"""Whether a session was cut off, and from where it can go on: pure readings of its transcript."""

from __future__ import annotations

from collections.abc import Sequence

from experiment.design.session import Trial
from experiment.record.events import Event, MessageScene, Rated, Resumption, Shown, Started, TrialBegan, parse_utc
from experiment.record.transcript import Transcript

CUT_OFF = "interrupted"
INCOMPLETE = "incomplete"


def is_interrupted(transcript: Transcript) -> bool:
    """Whether nobody decided that it ended: the program or the computer died, failed, or was stopped from outside."""
    ended = transcript.ended
    return ended is None or ended.status == "failed" or ended.reason == CUT_OFF


def resume_point(transcript: Transcript, now_utc: str) -> Resumption:
    """The first trial without all its ratings, and what is known of the time before; `now_utc` as ISO 8601."""
    session = transcript.started.session
    trials = (session.practice, *session.trials)
    open_trials = [trial for trial in trials if not _is_rated(trial, transcript.events)]
    shown = {event.scene.message_id for event in transcript.events if _shows_message(event)}  # type: ignore[union-attr]
    return Resumption(
        trial=open_trials[0].trial if open_trials else len(trials),
        seen=tuple(trial.trial for trial in open_trials if trial.message_id in shown),
        gap_s=round(max(0.0, _last_s(transcript.events, now_utc)), 3),
        torn_bytes=transcript.torn_bytes,
    )


def rated_messages(transcript: Transcript) -> int:
    """How many of the session's messages have all their ratings."""
    return sum(_is_rated(trial, transcript.events) for trial in transcript.started.session.trials)


def _is_rated(trial: Trial, events: Sequence[Event]) -> bool:
    """Whether the last time that the trial was begun, every question came to its end, be it without an answer."""
    began = [at for at, event in enumerate(events) if isinstance(event, TrialBegan) and event.trial == trial.trial]
    if not began:
        return False
    rated = set()
    for event in events[began[-1] + 1 :]:
        if isinstance(event, TrialBegan | Started):
            break
        if isinstance(event, Rated):
            rated.add(event.question)
    return rated == set(trial.questions)


def _shows_message(event: Event) -> bool:
    return isinstance(event, Shown) and isinstance(event.scene, MessageScene)


def _last_s(events: Sequence[Event], now_utc: str) -> float:
    """How long ago the last line was written, by the wall clock."""
    start = max(at for at, event in enumerate(events) if isinstance(event, Started))
    sitting = events[start]
    last_s = max((_time_s(event) for event in events[start:]), default=0.0)
    zero_utc = sitting.zero_utc if isinstance(sitting, Started) else now_utc
    return (parse_utc(now_utc) - parse_utc(zero_utc)).total_seconds() - last_s


def _time_s(event: Event) -> float:
    return getattr(event, "onset_s", None) or getattr(event, "time_s", None) or 0.0
