"""The procedure of a session, from the welcome to the closing page: one `run` for every mode.

A real session, a pilot, a simulation and a replay are this same function with another screen. All that is shown, comes
in and is decided goes to `emit`, in order; nothing else is kept.
"""

from __future__ import annotations

from experiment.design.protocol import Question
from experiment.design.session import Trial
from experiment.record.events import (
    INTERRUPTED,
    BlankScene,
    Ended,
    Marked,
    MessageScene,
    Rated,
    Read,
    Started,
    TimedBy,
    TrialBegan,
    TrialEnded,
)
from experiment.task.port import Screen
from experiment.task.rating_scale import Confirm, MoveMarker, SetMarker, interpret, is_confirmation, marker_after
from experiment.task.scenes import fixation, participant_page, question_scene
from experiment.task.stage import Emit, EndedByAssistant, Press, Stage, Stay


def run(started: Started, screen: Screen, emit: Emit) -> Ended:
    """The whole session. It ends as completed, or aborted by the assistant; a failure is recorded and raised again."""
    emit(started)
    try:
        _run_session(Stage(started.session, screen, emit), started.resumes.trial if started.resumes else 0)
        ended = Ended("completed", None)
    except EndedByAssistant as decision:
        ended = Ended("aborted", str(decision))
    except KeyboardInterrupt:
        ended = Ended("aborted", INTERRUPTED)
    except BaseException as failure:
        emit(Ended("failed", type(failure).__name__))
        raise
    emit(screen.refreshes())
    emit(ended)
    return ended


def _run_session(stage: Stage, first_trial: int) -> None:
    """Welcome, instructions, practice (trial 0), the trials, and the closing page.

    A session that died is resumed at `first_trial`. The instructions are read again, since time has passed and somebody
    talked; the practice comes again only if it was not completed.
    """
    session, wording = stage.session, stage.protocol.wording
    _show_page(stage, wording.resumed if first_trial > 0 else wording.welcome)
    if first_trial <= len(session.trials):
        for instruction in wording.instructions:
            _show_page(stage, instruction)
    if first_trial == 0:
        _show_page(stage, wording.practice)
        _run_trial(stage, session.practice)
        _show_page(stage, wording.begin)
    for trial in session.trials:
        if trial.trial >= first_trial:
            _run_trial(stage, trial)
    _show_page(stage, wording.closing)


def _run_trial(stage: Stage, trial: Trial) -> None:
    """Fixation, the message, each question on its scale, a blank screen."""
    timing = stage.protocol.timing
    questions = {question.id: question for question in stage.protocol.rating.questions}
    stage.emit(TrialBegan(trial.trial))
    stage.keep(stage.show(fixation(stage.protocol)), timing.fixation_s)
    _show_message(stage, trial.message_id)
    for question_id in trial.questions:
        _ask(stage, questions[question_id])
    stage.keep(stage.show(BlankScene()), timing.blank_s)
    stage.emit(stage.screen.refreshes())
    stage.emit(TrialEnded(trial.trial))


def _show_page(stage: Stage, text: str) -> None:
    """A page of text, until the participant goes on."""
    stay = stage.show(participant_page(stage.protocol, text))
    _wait_for_button(stage, stay, stage.protocol.timing.page_minimum_s, None)


def _show_message(stage: Stage, message_id: str) -> None:
    """A message, read at the participant's own pace within the protocol's times."""
    timing = stage.protocol.timing
    stay = stage.show(MessageScene(message_id))
    press = _wait_for_button(stage, stay, timing.message_minimum_s, timing.message_maximum_s)
    stage.emit(Read(message_id, *_time_of(press)))


def _wait_for_button(stage: Stage, stay: Stay, minimum_s: float, maximum_s: float | None) -> Press | None:
    """The press that went on, once the button is there after the minimum; None if the maximum passed without one."""
    stage.keep(stay, minimum_s)
    stay.answerable_s = stage.change(stay, button=stage.protocol.wording.next_button)
    while (press := stage.next_press(stay, maximum_s)) is not None:
        if is_confirmation(press, stage.protocol.keys, stage.layout):
            return press
    return None


def _ask(stage: Stage, question: Question) -> None:
    """A question with its scale, until the rating is confirmed or its time has passed.

    The marker can be moved until it is confirmed. A marker that was not confirmed in time is no answer: the rating is
    missing then, and only the transcript keeps where the marker was.
    """
    protocol, rating = stage.protocol, stage.protocol.rating
    stay = stage.show(question_scene(protocol, question))
    marker: int | None = None
    while (press := stage.next_press(stay, protocol.timing.rating_maximum_s)) is not None:
        action = interpret(press, rating.points, protocol.keys, stage.layout)
        if isinstance(action, Confirm) and marker is not None:
            break
        # Where the first press is final, arrows mean nothing: they move a marker, and there is none to be moved.
        if isinstance(action, SetMarker) or (isinstance(action, MoveMarker) and not rating.first_press_is_final):
            before, marker = marker, marker_after(marker, action, rating.points)
            if marker != before:
                _mark(stage, stay, question, marker, press)
            if rating.first_press_is_final:
                break
    stage.emit(Rated(question.id, None if press is None else marker, *_time_of(press)))


def _mark(stage: Stage, stay: Stay, question: Question, marker: int, press: Press) -> None:
    """Record the marker and show it; one that is final leaves the screen at once, and is not shown."""
    stage.emit(Marked(question.id, marker, press.time_s, press.timed_by))
    if not stage.protocol.rating.first_press_is_final:
        stage.change(stay, marker=marker, button=stage.protocol.wording.confirm_button)


def _time_of(press: Press | None) -> tuple[float | None, TimedBy | None]:
    return (None, None) if press is None else (press.time_s, press.timed_by)
