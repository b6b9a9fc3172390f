"""What every task does with a participant: it welcomes, shows pages to read, asks on scales, and closes."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET

from experiment.design.rating import Question
from experiment.record.events import Drag, Marked, Rated, TextScene, TrialEnded
from experiment.record.screen_info import TimedBy
from experiment.task.rating_scale import Confirm, MoveMarker, SetMarker, interpret, is_confirmation, marker_after
from experiment.task.scenes import SceneWithButton, closing_page, participant_page, question_scene, with_quiet_button
from experiment.task.stage import Press, Stage, Stay


def welcome(stage: Stage, first_trial: int, last_trial: int) -> None:
    """The first page, and the instructions where a trial is left.

    In a session that is resumed at `first_trial` they are read again, since time has passed and somebody talked.
    """
    wording = stage.protocol.wording
    show_page(stage, wording.resumed if first_trial > 0 else wording.welcome)
    for instruction in wording.instructions if first_trial <= last_trial else ():
        show_page(stage, instruction)


def end_trial(stage: Stage, trial: int) -> None:
    """Record that a trial is complete, and the refreshes since the one before."""
    stage.emit(stage.screen.refreshes())
    stage.emit(TrialEnded(trial))


def close(stage: Stage) -> None:
    """The last page."""
    show_page(stage, closing_page(stage.protocol, stage.session.session))


def show_page(stage: Stage, text: str) -> None:
    """A page of text, until the participant goes on."""
    read_scene(stage, participant_page(stage.protocol, text), stage.protocol.timing.page_minimum_s, None)


def read_scene(stage: Stage, scene: SceneWithButton, minimum_s: float, maximum_s: float | None) -> Press | None:
    """Show what is to be read: the press that went on, once the button can be pressed after the minimum.

    None if the maximum passed without one.
    """
    button = stage.protocol.wording.next_button
    stay = stage.show(with_quiet_button(stage.protocol, scene, button))
    stage.keep(stay, minimum_s)
    stay.answerable_s = stage.change(stay, button=button, unready=UNSET)
    while (press := stage.next_press(stay, maximum_s)) is not None:
        if is_confirmation(press, stage.protocol.keys, stage.layout):
            return press
    return None


def wait_for_assistant(stage: Stage, page: TextScene) -> Press:
    """The press of the assistant's key that goes on from a page for the assistant."""
    stay = stage.show(page)
    while (press := stage.next_press(stay, None)) is None or getattr(press, "key", None) != stage.protocol.keys.resume:
        pass
    return press


def ask_each(stage: Stage, question_ids: Iterable[str]) -> None:
    """Questions by their ids, one after the other."""
    for question in stage.protocol.rating.chosen(question_ids):
        ask(stage, question)


def ask(stage: Stage, question: Question) -> None:
    """A question with its scale, until the rating is confirmed or its time has passed.

    The marker can be moved until it is confirmed. A marker that was not confirmed in time is no answer: the rating is
    missing then, and only the transcript keeps where the marker was.
    """
    protocol, scale = stage.protocol, stage.protocol.scale(question)
    is_final = protocol.rating.first_press_is_final
    stay, marker = stage.show(question_scene(protocol, question)), _Marker(stage, question)
    before: Press | Drag | None = None
    while (given := stage.next_given(stay, protocol.timing.rating_maximum_s)) is not None:
        action = interpret(given, scale, protocol.keys, stage.layout, before)
        if isinstance(action, Confirm) and marker.number is not None:
            marker.settle(before)
            break
        # Where the first press is final, arrows mean nothing: they move a marker, and there is none to be moved.
        if isinstance(action, SetMarker) or (isinstance(action, MoveMarker) and not is_final):
            marker.put(marker_after(marker.number, action, scale), given, stay)
            if is_final:
                break
        before = given if action else before
    stage.emit(Rated(question.id, None if given is None else marker.number, *time_of(given)))


class _Marker:
    """Where the marker stands, and where it was last recorded: what the mouse drags is recorded when it is let go."""

    def __init__(self, stage: Stage, question: Question) -> None:
        self.number: int | None = None
        self._recorded: int | None = None
        self._stage, self._question = stage, question

    def put(self, number: int, given: Press | Drag, stay: Stay) -> None:
        """Record it and show it; one that is final leaves the screen at once, and is not shown."""
        if not isinstance(given, Drag):
            self._record(number, given)
        is_moved, self.number = number != self.number, number
        if is_moved and not self._stage.protocol.rating.first_press_is_final:
            button = self._stage.protocol.wording.confirm_button
            self._stage.change(stay, marker=number, button=button, unready=UNSET, hint=UNSET)

    def settle(self, last: Press | Drag | None) -> None:
        """Record where it was dragged to, if it is confirmed before the mouse lets go."""
        if self.number is not None and last is not None:
            self._record(self.number, last)

    def _record(self, number: int, given: Press | Drag) -> None:
        if number != self._recorded:
            self._stage.emit(Marked(self._question.id, number, given.time_s, given.timed_by))
        self._recorded = number


def time_of(press: Press | Drag | None) -> tuple[float | None, TimedBy | None]:
    """When a press was, and who took its time; nothing of none."""
    return (None, None) if press is None else (press.time_s, press.timed_by)
