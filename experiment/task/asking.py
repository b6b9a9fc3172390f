"""What every task asks of a participant: to read a page and go on, and to rate on a scale."""

from __future__ import annotations

from experiment.design.protocol import Question
from experiment.record.events import Marked, Rated, TextScene, TimedBy
from experiment.task.rating_scale import Confirm, MoveMarker, SetMarker, interpret, is_confirmation, marker_after
from experiment.task.scenes import participant_page, question_scene
from experiment.task.stage import Press, Stage, Stay


def show_page(stage: Stage, text: str) -> None:
    """A page of text, until the participant goes on."""
    stay = stage.show(participant_page(stage.protocol, text))
    wait_for_button(stage, stay, stage.protocol.timing.page_minimum_s, None)


def wait_for_button(stage: Stage, stay: Stay, minimum_s: float, maximum_s: float | None) -> Press | None:
    """The press that went on, once the button is there after the minimum; None if the maximum passed without one."""
    stage.keep(stay, minimum_s)
    stay.answerable_s = stage.change(stay, button=stage.protocol.wording.next_button)
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


def ask(stage: Stage, question: Question) -> None:
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
    stage.emit(Rated(question.id, None if press is None else marker, *time_of(press)))


def _mark(stage: Stage, stay: Stay, question: Question, marker: int, press: Press) -> None:
    """Record the marker and show it; one that is final leaves the screen at once, and is not shown."""
    stage.emit(Marked(question.id, marker, press.time_s, press.timed_by))
    if not stage.protocol.rating.first_press_is_final:
        stage.change(stay, marker=marker, button=stage.protocol.wording.confirm_button)


def time_of(press: Press | None) -> tuple[float | None, TimedBy | None]:
    """When a press was, and who took its time; nothing of none."""
    return (None, None) if press is None else (press.time_s, press.timed_by)
