"""The timed task: runs of messages on a schedule that counts from a scanner's pulse, and that nothing stretches.

A frame that comes late shifts nothing after it, since every scene is due at a time after that pulse. A pause ends the
run; the next one can begin.
"""

from __future__ import annotations

import math

from experiment.design.rating import Question
from experiment.design.scan import Scan
from experiment.design.session import Trial
from experiment.record.events import BlankScene, Key, Marked, MessageScene, Pulse, Rated, Read, TrialBegan
from experiment.record.events_of_tasks import RunBegan, RunEnded
from experiment.task.asking import close, end_trial, time_of, wait_for_assistant, welcome
from experiment.task.scenes import fixation, question_scene, ready_page, waiting_page
from experiment.task.stage import PauseWanted, Stage


def run_session(stage: Stage, scan: Scan, first_trial: int) -> None:
    """Welcome, instructions, the runs, and the closing page; a session that died goes on with the run of a trial."""
    welcome(stage, first_trial, len(stage.session.trials))
    left = [trial for trial in stage.session.trials if trial.trial >= first_trial]
    for run in dict.fromkeys(trial.slot.run for trial in left if trial.slot):
        _run(stage, scan, run, [trial for trial in left if trial.slot and trial.slot.run == run])
    close(stage)


def _run(stage: Stage, scan: Scan, run: int, trials: list[Trial]) -> None:
    """A run, once the assistant is ready and the scanner has begun: rest, the messages, rest."""
    wait_for_assistant(stage, ready_page(stage.protocol, scan, run, stage.labels))
    zero_s = _wait_for_scanner(stage, scan, run)
    stage.emit(RunBegan(run, zero_s))
    try:
        stage.show(fixation(stage.protocol))
        for trial in trials:
            _run_trial(stage, scan, trial, zero_s)
        stage.keep_until(zero_s + scan.run_s(len(trials), len(stage.protocol.rating.questions)))
    except PauseWanted as wanted:
        stage.emit(RunEnded(run, whole=False))
        stage.pause(stage.stay(BlankScene()), wanted.cause)
    else:
        stage.emit(RunEnded(run, whole=True))


def _wait_for_scanner(stage: Stage, scan: Scan, run: int) -> float:
    """The time of the first pulse that is kept; pulses from before a pause do not count."""
    stay, pulses_s = stage.show(waiting_page(stage.protocol, scan, run)), list[float]()
    while len(pulses_s) < scan.first_pulse:
        received = stage.next_input(stay, math.inf)
        if isinstance(received, Pulse):
            pulses_s = [time_s for time_s in (*pulses_s, received.time_s) if time_s >= stay.answerable_s]
    return pulses_s[-1]


def _run_trial(stage: Stage, scan: Scan, trial: Trial, zero_s: float) -> None:
    """A message at its time, the questions after the last one of a block, and the fixation again."""
    assert trial.slot  # noqa: S101 - as every trial of a timed task
    until_s = zero_s + trial.slot.onset_s
    stage.emit(TrialBegan(trial.trial))
    stage.keep_until(until_s)
    stage.show(MessageScene(trial.message_id))
    until_s += scan.message_s
    stage.keep_until(until_s)
    stage.emit(Read(trial.message_id, None, None))
    for question in stage.protocol.rating.chosen(trial.questions):
        until_s += scan.rating_s or 0.0
        _ask(stage, scan, question, until_s)
    stage.show(fixation(stage.protocol))
    end_trial(stage, trial.trial)


def _ask(stage: Stage, scan: Scan, question: Question, until_s: float) -> None:
    """A question with its scale until a time; the button that was pressed last is the answer."""
    stay, last = stage.show(question_scene(stage.protocol, question)), None
    first, marker = stage.protocol.scale(question).first, None
    while (given := stage.next_until(until_s)) is not None:
        point = _point(scan, given.key, first) if isinstance(given, Key) and given.down else None
        if isinstance(given, Key) and point not in {None, marker} and given.time_s >= stay.answerable_s:
            marker, last = point, given
            stage.emit(Marked(question.id, point, given.time_s, given.timed_by))
            stage.change(stay, marker=point)
    stage.emit(Rated(question.id, marker, *time_of(last)))


def _point(scan: Scan, key: str, first: int) -> int | None:
    """The point that a button of the box means, on a scale from `first` on."""
    return first + scan.buttons.index(key) if key in scan.buttons else None
