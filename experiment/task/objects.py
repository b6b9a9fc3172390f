"""The object task: the assistant hands over an object, the participant holds it with closed eyes, then rates."""

from __future__ import annotations

from msgspec.structs import replace

from experiment.design.objects import Holding, Measure, Objects
from experiment.record.events import BlankScene, Key, TrialBegan
from experiment.record.events_of_tasks import Handed, Measured, TakenBack
from experiment.task.asking import ask_each, close, end_trial, wait_for_assistant, welcome
from experiment.task.scenes import assistant_page, hand_over_page, measure_page, participant_page
from experiment.task.stage import Stage

ENTER, POINT, DELETE = ("return", "num_enter"), ("period", "comma", "num_decimal"), "backspace"
MOST_TYPED = 5  # characters, such as 36.45


def run_session(stage: Stage, objects: Objects, first_trial: int) -> None:
    """Welcome, instructions, the holdings, and the closing page; a session that died goes on at `first_trial`."""
    holdings = stage.session.holdings or ()
    welcome(stage, first_trial, len(holdings))
    for holding in holdings:
        if holding.trial >= first_trial:
            _hold(stage, objects, holding)
    close(stage)


def _hold(stage: Stage, objects: Objects, holding: Holding) -> None:
    """Eyes closed, the object handed over, held and taken back, eyes open, each question on its scale, a rest."""
    stage.emit(TrialBegan(holding.trial))
    _tell_assistant(stage, objects.close_eyes)
    _measure(stage, objects, holding, "before")
    handed = wait_for_assistant(stage, hand_over_page(stage.protocol, objects, holding.object, stage.labels))
    stage.emit(Handed(holding.object, handed.time_s))
    stay = stage.show(participant_page(stage.protocol, objects.holding))
    stay.since_s = handed.time_s
    stage.keep(stay, objects.hold_s)
    stage.emit(TakenBack(holding.object, _tell_assistant(stage, objects.take_back)))
    _measure(stage, objects, holding, "after")
    _tell_assistant(stage, objects.open_eyes)
    ask_each(stage, holding.questions)
    stage.keep(stage.show(BlankScene()), objects.rest_s)
    end_trial(stage, holding.trial)


def _tell_assistant(stage: Stage, text: str) -> float:
    """A page for the assistant, until it is confirmed; when that was."""
    return wait_for_assistant(stage, assistant_page(stage.protocol, text, stage.labels)).time_s


def _measure(stage: Stage, objects: Objects, holding: Holding, when: str) -> None:
    """Whatever is measured before or after the holding."""
    for measure in objects.measures:
        if measure.when == when:
            _read_number(stage, objects, measure, holding.object)


def _read_number(stage: Stage, objects: Objects, measure: Measure, name: str) -> None:
    """A number that the assistant types, until one is confirmed that the measure allows."""
    typed, stay = "", stage.show(replace(measure_page(objects, measure, name), typed=""))
    while (press := stage.next_press(stay, None)) is not None:
        if not isinstance(press, Key):
            continue
        value = _number(typed) if press.key in ENTER else None
        if value is not None and measure.minimum <= value <= measure.maximum:
            stage.emit(Measured(measure.id, value, press.time_s))
            return
        before, typed = typed, typed_after(typed, press.key)
        if typed != before:
            stage.change(stay, typed=typed)


def typed_after(typed: str, key: str) -> str:
    """What stands there after a key; a number that was confirmed, but is not allowed, goes."""
    if key in ENTER:
        return ""
    if key == DELETE:
        return typed[:-1]
    character = "." if key in POINT and "." not in typed else key if key.isdecimal() else ""
    return (typed + character)[:MOST_TYPED]


def _number(typed: str) -> float | None:
    return float(typed) if typed.strip(".") else None
