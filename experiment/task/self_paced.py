"""The self-paced task, from the welcome to the closing page: messages, read at the participant's own pace and rated."""

from __future__ import annotations

from experiment.design.session import Trial
from experiment.record.events import BlankScene, Read, TrialBegan, TrialEnded
from experiment.task.asking import ask, read_scene, show_page, time_of
from experiment.task.scenes import closing_page, fixation, message_scene
from experiment.task.stage import Stage


def run_session(stage: Stage, first_trial: int) -> None:
    """Welcome, instructions, practice (trial 0), the trials, and the closing page.

    A session that died is resumed at `first_trial`. The instructions are read again, since time has passed and somebody
    talked; the practice comes again only if it was not completed.
    """
    session, wording = stage.session, stage.protocol.wording
    show_page(stage, wording.resumed if first_trial > 0 else wording.welcome)
    if first_trial <= len(session.trials):
        for instruction in wording.instructions:
            show_page(stage, instruction)
    if first_trial == 0:
        show_page(stage, wording.practice)
        _run_trial(stage, session.practice)
        show_page(stage, wording.begin)
    for trial in session.trials:
        if trial.trial >= first_trial:
            _run_trial(stage, trial)
    show_page(stage, closing_page(stage.protocol, session.session))


def _run_trial(stage: Stage, trial: Trial) -> None:
    """Fixation, the message, each question on its scale, a blank screen."""
    timing = stage.protocol.timing
    questions = {question.id: question for question in stage.protocol.rating.questions}
    stage.emit(TrialBegan(trial.trial))
    stage.keep(stage.show(fixation(stage.protocol)), timing.fixation_s)
    _show_message(stage, trial)
    for question_id in trial.questions:
        ask(stage, questions[question_id])
    stage.keep(stage.show(BlankScene()), timing.blank_s)
    stage.emit(stage.screen.refreshes())
    stage.emit(TrialEnded(trial.trial))


def _show_message(stage: Stage, trial: Trial) -> None:
    """A message, read at the participant's own pace within the protocol's times."""
    timing = stage.protocol.timing
    scene = message_scene(stage.protocol, trial.message_id, trial.trial)
    press = read_scene(stage, scene, timing.message_minimum_s, timing.message_maximum_s)
    stage.emit(Read(trial.message_id, *time_of(press)))
