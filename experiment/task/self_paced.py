"""The self-paced task, from the welcome to the closing page: messages, read at the participant's own pace and rated."""

from __future__ import annotations

from experiment.design.session import Trial
from experiment.record.events import BlankScene, Read, TrialBegan
from experiment.task.asking import ask_each, close, end_trial, read_scene, show_page, time_of, welcome
from experiment.task.scenes import fixation, message_scene
from experiment.task.stage import Stage


def run_session(stage: Stage, first_trial: int) -> None:
    """Welcome, instructions, practice (trial 0), the trials, and the closing page.

    A session that died is resumed at `first_trial`; the practice comes again only if it was not completed.
    """
    session, wording = stage.session, stage.protocol.wording
    welcome(stage, first_trial, len(session.trials))
    if first_trial == 0:
        show_page(stage, wording.practice)
        _run_trial(stage, session.practice)
        show_page(stage, wording.begin)
    for trial in session.trials:
        if trial.trial >= first_trial:
            _run_trial(stage, trial)
    close(stage)


def _run_trial(stage: Stage, trial: Trial) -> None:
    """Fixation, the message for as long as it is read, each question on its scale, a blank screen."""
    timing = stage.protocol.timing
    stage.emit(TrialBegan(trial.trial))
    stage.keep(stage.show(fixation(stage.protocol)), timing.fixation_s)
    scene = message_scene(stage.protocol, trial.message_id, trial.trial)
    press = read_scene(stage, scene, timing.message_minimum_s, timing.message_maximum_s)
    stage.emit(Read(trial.message_id, *time_of(press)))
    ask_each(stage, trial.questions)
    stage.keep(stage.show(BlankScene()), timing.blank_s)
    end_trial(stage, trial.trial)
