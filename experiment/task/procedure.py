"""The procedure of a session, from the welcome to the closing page: one `run` for every mode.

A real session, a pilot, a simulation and a replay are this same function with another screen. All that is shown, comes
in and is decided goes to `emit`, in order; nothing else is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from experiment.design.protocol import MODIFIERS, Question
from experiment.design.session import SessionPlan, Trial
from experiment.record.events import (  # fmt: skip
    BlankScene,
    Click,
    Elapsed,
    Ended,
    Event,
    Focus,
    Input,
    Key,
    Marked,
    MessageScene,
    PauseAsked,
    PauseCause,
    Paused,
    Rated,
    Read,
    Resumed,
    ScaleScene,
    Scene,
    Shown,
    Started,
    Storage,
    StorageCause,
    TextScene,
    TimedBy,
    TrialBegan,
    TrialEnded,
)
from experiment.task.layout import Layout
from experiment.task.port import Screen
from experiment.task.rating_scale import Confirm, MoveMarker, SetMarker, interpret, is_confirmation, marker_after
from experiment.task.scenes import AS_NAMED, ending_page, participant_page, pause_page

Emit = Callable[[Event], None]
Press = Key | Click


class EndedByAssistant(Exception):
    """The assistant ended the session on the pause page, with a reason."""


@dataclass
class _Visit:
    """A scene's stay on the screen.

    `onset_s` moves on by the length of each pause, so that differences from it are times on the screen. A press from
    before `open_s` (a key already down, a press on the pause page) answers nothing.
    """

    scene: Scene
    onset_s: float
    open_s: float


def run(started: Started, screen: Screen, emit: Emit) -> Ended:
    """The whole session. It ends as completed, or aborted by the assistant; a failure is recorded and raised again."""
    emit(started)
    try:
        _procedure(_Stage(started.session, screen, emit), started.resumes.trial if started.resumes else 0)
        ended = Ended("completed", None)
    except EndedByAssistant as decision:
        ended = Ended("aborted", str(decision))
    except KeyboardInterrupt:
        ended = Ended("aborted", "interrupted")
    except BaseException as failure:
        emit(Ended("failed", type(failure).__name__))
        raise
    emit(screen.refreshes())
    emit(ended)
    return ended


def _procedure(stage: _Stage, first_trial: int) -> None:
    """All of it, or from the first trial that a session which died has still to do."""
    session, wording = stage.session, stage.session.protocol.wording
    stage.page(wording.resumed if first_trial > 0 else wording.welcome)
    if first_trial <= len(session.trials):
        for instruction in wording.instructions:
            stage.page(instruction)
    if first_trial == 0:
        stage.page(wording.practice)
        _trial(stage, session.practice)
        stage.page(wording.begin)
    for trial in session.trials:
        if trial.trial >= first_trial:
            _trial(stage, trial)
    stage.page(wording.closing)


def _trial(stage: _Stage, trial: Trial) -> None:
    protocol = stage.session.protocol
    questions = {question.id: question for question in protocol.rating.questions}
    stage.emit(TrialBegan(trial.trial))
    stage.hold(TextScene(protocol.wording.fixation, "sign"), protocol.timing.fixation_s)
    stage.read(trial.message_id)
    for question_id in trial.questions:
        stage.rate(questions[question_id])
    stage.hold(BlankScene(), protocol.timing.blank_s)
    stage.emit(stage.screen.refreshes())
    stage.emit(TrialEnded(trial.trial))


class _Stage:
    """Shows scenes and takes answers, with the transcript and the assistant's pause woven in."""

    def __init__(self, session: SessionPlan, screen: Screen, emit: Emit) -> None:
        """The session's protocol decides the rest."""
        self.session, self.screen, self.emit = session, screen, emit
        self.keys, self.timing, self.wording = session.protocol.keys, session.protocol.timing, session.protocol.wording
        self.labels = screen.info.key_labels or AS_NAMED
        self.layout = Layout(screen.info.width_px, screen.info.height_px)
        self.held: set[str] = set()
        self.unsaved: StorageCause | None = None
        # A scene that is due is asked for one and a half refreshes ahead: the flip nearest to its time then shows it.
        self.lead_s = 1.5 / screen.info.refresh_hz

    def page(self, text: str) -> None:
        """A page of text, until the participant goes on."""
        visit = self.show(participant_page(self.session.protocol, text))
        self._until_gone_on(visit, self.timing.page_minimum_s, None)

    def hold(self, scene: Scene, duration_s: float) -> None:
        """A scene for a fixed time."""
        self._pass_time(self.show(scene), duration_s)

    def read(self, message_id: str) -> None:
        """A message, at the participant's own pace within the protocol's times."""
        visit = self.show(MessageScene(message_id))
        answer = self._until_gone_on(visit, self.timing.message_minimum_s, self.timing.message_maximum_s)
        self.emit(Read(message_id, *_stamp(answer)))

    def rate(self, question: Question) -> None:
        """A question with its scale, until the rating is confirmed or its time has passed."""
        rating = self.session.protocol.rating
        visit = self.show(ScaleScene(question.text, question.low, question.high, rating.points))
        marker: int | None = None
        while (given := self._press(visit, self.timing.rating_maximum_s)) is not None:
            done = interpret(given, rating.points, self.keys, self.layout)
            if isinstance(done, Confirm) and marker is not None:
                break
            if isinstance(done, SetMarker) or (isinstance(done, MoveMarker) and not rating.first_press_is_final):
                before, marker = marker, marker_after(marker, done, rating.points)
                if marker != before:
                    self._mark(visit, question, marker, given)
                if rating.first_press_is_final:
                    break
        self.emit(Rated(question.id, None if given is None else marker, *_stamp(given)))

    def show(self, scene: Scene) -> _Visit:
        """Bring a scene on the screen."""
        onset_s = self.screen.show(scene)
        self.emit(Shown(scene, onset_s))
        return _Visit(scene, onset_s, onset_s)

    def _change(self, visit: _Visit, scene: Scene) -> float:
        """Another state of the scene that is on the screen already; returns when it came."""
        visit.scene = scene
        return self.show(scene).onset_s

    def _mark(self, visit: _Visit, question: Question, marker: int, given: Press) -> None:
        self.emit(Marked(question.id, marker, given.time_s, given.timed_by))
        if not self.session.protocol.rating.first_press_is_final:
            self._change(visit, replace(visit.scene, marker=marker, button=self.wording.confirm_button))

    def _until_gone_on(self, visit: _Visit, minimum_s: float, maximum_s: float | None) -> Press | None:
        """The press that went on, once the button is there; None if the maximum passed."""
        self._pass_time(visit, minimum_s)
        visit.open_s = self._change(visit, replace(visit.scene, button=self.wording.next_button))
        while (given := self._press(visit, maximum_s)) is not None:
            if is_confirmation(given, self.keys, self.layout):
                return given
        return None

    def _pass_time(self, visit: _Visit, duration_s: float) -> None:
        while self._next(visit, duration_s - self.lead_s) is not None:
            pass

    def _press(self, visit: _Visit, maximum_s: float | None) -> Press | None:
        """The next press that answers this scene, or None once the scene was on the screen for its maximum."""
        while (given := self._next(visit, math.inf if maximum_s is None else maximum_s)) is not None:
            if isinstance(given, Key | Click) and given.down and given.time_s >= visit.open_s:
                return given
        return None

    def _next(self, visit: _Visit, until_s: float) -> Input | None:
        """The next input while the scene has been on the screen for less than `until_s`, or None; pauses when asked."""
        given = self._input(visit.onset_s + until_s)
        if given is not None and (cause := self._pause_cause(given)) is not None:
            self._pause(visit, cause)
        return given

    def _input(self, until_s: float) -> Input | None:
        given = self.screen.wait(until_s)
        self.emit(Elapsed(until_s) if given is None else given)
        if isinstance(given, Key):
            (self.held.add if given.down else self.held.discard)(given.key)
        if isinstance(given, Storage):
            self.unsaved = None if given.saved else given.cause or "refused"
        if isinstance(given, Focus):  # what is let go of in another window may never be heard
            self.held.clear()
        return given

    def _pause_cause(self, given: Input) -> PauseCause | None:
        match given:
            case PauseAsked():
                return "window_closed"
            case Focus(gained=False):
                return "focus_lost"
            case Key() if self._is_chord(given):
                return "chord"
        return None

    def _is_chord(self, given: Key) -> bool:
        *modifiers, last = self.keys.pause.split("+")
        down = {key[1:] for key in self.held if key[1:] in MODIFIERS}
        return given.down and given.key == last and down == set(modifiers)

    def _pause(self, visit: _Visit, cause: PauseCause) -> None:
        """The pause page until the assistant continues; EndedByAssistant if the assistant ends the session instead."""
        began_s = self.show(pause_page(self.session.protocol, self.labels, unsaved=self.unsaved)).onset_s
        self.emit(Paused(began_s, cause))
        reasons = {key: reason for reason, key in self.keys.reasons.items()}
        while (key := self._assistant_presses(self.keys.resume, *reasons)) != self.keys.resume:
            if key is not None:
                self._offer_ending(reasons[key])
            self.show(pause_page(self.session.protocol, self.labels, unsaved=self.unsaved))
        visit.open_s = self.show(visit.scene).onset_s
        visit.onset_s += visit.open_s - began_s
        self.emit(Resumed(visit.open_s))

    def _offer_ending(self, reason: str) -> None:
        """EndedByAssistant if the assistant confirms this reason."""
        self.show(ending_page(self.session.protocol, reason, self.labels))
        while (key := self._assistant_presses(self.keys.resume, self.keys.pause)) != self.keys.resume:
            if key == self.keys.pause:
                raise EndedByAssistant(reason)

    def _assistant_presses(self, *wanted: str) -> str | None:
        """Which of these keys, or the pause chord if it is among them, comes first; None if the disk has news first."""
        while True:
            given = self._input(math.inf)
            if isinstance(given, Storage):
                return None
            if isinstance(given, Key) and given.down:
                name = self.keys.pause if self._is_chord(given) else given.key
                if name in wanted:
                    return name


def _stamp(given: Press | None) -> tuple[float | None, TimedBy | None]:
    return (None, None) if given is None else (given.time_s, given.timed_by)
