"""The task on a simulated screen: what is shown when, what answers, what pauses, and how a session ends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from experiment.design.protocol import KEY_NAMES
from experiment.design.scale import Scale
from experiment.record.events import (
    BlankScene,
    Click,
    Elapsed,
    Ended,
    Focus,
    Key,
    Marked,
    MessageScene,
    PauseAsked,
    Paused,
    Rated,
    Read,
    Resumed,
    ScaleScene,
    Shown,
    Started,
    TextScene,
    TrialBegan,
    TrialEnded,
    encode,
)
from experiment.screens.personas import HABITS
from experiment.task import procedure, scenes
from tests import strategies
from tests.scripted_screen import (
    CHORD,
    ENDINGS,
    LAYOUT,
    Recorded,
    chord,
    click,
    held,
    instead,
    key,
    obliging,
    of,
    screen,
    session_of,
    short,
    started,
    tap,
)
from tests.strategies import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiment.design.protocol import Protocol
    from experiment.record.events import Event, Input, Scene
    from tests.scripted_screen import Script

REFRESH_S = 1 / 60
WORDING = PROTOCOL.wording
SIGN = TextScene(WORDING.fixation, "sign")
PAUSE = scenes.pause_page(PROTOCOL)
MESSAGE = MessageScene("practice", unready=WORDING.next_button)
WELCOME = TextScene(WORDING.welcome, unready=WORDING.next_button)
MESSAGE_DONE = MessageScene("practice", WORDING.next_button)
STATUS = dict.fromkeys(HABITS, "completed") | {"silent": "aborted", "aborting": "aborted"}


def scale_of(protocol: Protocol, marker: int | None = None) -> ScaleScene:
    """The first question, as it stands on the screen."""
    scene = scenes.question_scene(protocol, protocol.rating.questions[0])
    return scene if marker is None else marked(scene, marker)


def marked(scene: ScaleScene, marker: int) -> ScaleScene:
    """A question with its marker on a number: then it can be confirmed, and needs no hint."""
    return replace(scene, marker=marker, button=WORDING.confirm_button, unready=UNSET, hint=UNSET)


SCALE = scale_of(PROTOCOL)
LINE = LAYOUT.scale(Scale())
BUTTON = (LAYOUT.button.x_px, LAYOUT.button.y_px)


def rating(*given: Input, protocol: Protocol | None = None) -> list[Event]:
    """What happens from the onset of the first question to its rating, when this is what comes in, and no more."""
    protocol = protocol or short()
    return first_rating(held(instead({scale_of(protocol): [given]}), protocol))


def first_rating(transcript: list[Event]) -> list[Event]:
    """The events from the onset of the first question to its rating."""
    begin = next(
        i for i, event in enumerate(transcript) if isinstance(event, Shown) and isinstance(event.scene, ScaleScene)
    )
    end = next(i for i, event in enumerate(transcript) if isinstance(event, Rated))
    return transcript[begin : end + 1]


def answers(visit: list[Event]) -> list[tuple[int | None, float | None]]:
    """Each place of the marker and at last the rating, with its time after the scale's onset."""
    onset_s = of(Shown, visit)[0].onset_s
    found: list[Marked | Rated] = [*of(Marked, visit), *of(Rated, visit)]
    return [(one.value, None if one.time_s is None else round(one.time_s - onset_s, 6)) for one in found]


def onset_s(transcript: Iterable[Event], scene: Scene, nth: int = 0) -> float:
    """When a scene came on the screen."""
    return [event.onset_s for event in of(Shown, transcript) if event.scene == scene][nth]


def with_rating(**changes: object) -> Protocol:
    """A short protocol with other ratings."""
    return replace(short(), rating=replace(PROTOCOL.rating, **changes))


# The procedure


def test_frames_come_in_the_order_of_the_protocol() -> None:
    """Welcome, instructions and practice come first, then the messages in the session's order, then the closing."""
    protocol = short(messages=3)
    scales = [scenes.question_scene(protocol, one) for one in protocol.rating.questions]

    def trial(message_id: str, number: int) -> list[Scene]:
        progress = f"Message {number} of 3" if number else UNSET
        return [SIGN, MessageScene(message_id, None, WORDING.next_button, progress), *scales, BlankScene()]

    def page(text: str) -> TextScene:
        return TextScene(text.format(first=1, last=7), unready=WORDING.next_button)

    expected: list[Scene] = [page(text) for text in (WORDING.welcome, *WORDING.instructions, WORDING.practice)]
    expected += [*trial("practice", 0), page(WORDING.begin)]
    for planned in session_of(protocol).trials:
        expected += trial(planned.message_id, planned.trial)
    bare = [one.scene for one in of(Shown, held(protocol=protocol)) if getattr(one.scene, "button", None) is None]
    assert bare == [*expected, page(scenes.closing_page(protocol, 1))]


def test_the_practice_is_trial_0() -> None:
    """Trials are numbered from the practice, which is 0, and each ends before the next begins."""
    bounds = [one for one in held(protocol=short(messages=2)) if isinstance(one, (TrialBegan, TrialEnded))]
    assert bounds == [kind(number) for number in range(3) for kind in (TrialBegan, TrialEnded)]


@pytest.mark.parametrize(("order", "orders"), [("listed", 1), ("session", 1), ("trial", 2)])
def test_questions_are_asked_in_the_protocols_order(order: str, orders: int) -> None:
    """Questions come as listed, or as drawn once a session, or as drawn for each trial, the practice too."""
    protocol = replace(short(messages=6), rating=replace(PROTOCOL.rating, question_order=order))
    listed = [question.id for question in protocol.rating.questions]
    session = (
        next(one for seed in range(9) if (one := session_of(protocol, seed)).practice.questions[0] != listed[0])
        if order != "listed"
        else session_of(protocol)
    )
    told: list[Event] = []
    procedure.run(started(session), screen(obliging), told.append)
    asked = [one.question for one in of(Rated, told)]
    assert asked == [question for trial in (session.practice, *session.trials) for question in trial.questions]
    assert len({trial.questions for trial in (session.practice, *session.trials)}) == orders


@given(
    fixation_s=st.floats(0.05, 3), blank_s=st.floats(0.05, 3), page_s=st.floats(0.05, 3), message_s=st.floats(0.05, 30)
)
def test_frames_last_what_the_protocol_says(fixation_s: float, blank_s: float, page_s: float, message_s: float) -> None:
    """Fixation and blank last, and buttons wait, for their time in the protocol to half a refresh."""
    protocol = short(fixation_s=fixation_s, blank_s=blank_s, page_minimum_s=page_s, message_minimum_s=message_s)
    lasts_s = {SIGN: fixation_s, BlankScene(): blank_s, MESSAGE: message_s, WELCOME: page_s}
    checked = 0
    for now, then in pairwise(of(Shown, held(protocol=protocol))):
        if now.scene in lasts_s:
            assert then.onset_s - now.onset_s == pytest.approx(lasts_s[now.scene], abs=REFRESH_S / 2 + 1e-6)
            checked += 1
    assert checked == 6


# Reading


@pytest.mark.parametrize("scene", [MESSAGE, WELCOME])
def test_what_is_pressed_before_the_button_is_ready_answers_nothing(scene: TextScene | MessageScene) -> None:
    """A press in the minimum time, even a moment before the button is ready, does not go on."""
    minimum_s = PROTOCOL.timing.message_minimum_s if scene == MESSAGE else PROTOCOL.timing.page_minimum_s
    early = (*tap("space", 0.3), key("return", minimum_s - 0.001), *click(BUTTON, 0.4))
    transcript = held(instead({scene: [early]}))
    shown = of(Shown, transcript)
    at = next(i for i, one in enumerate(shown) if one.scene == scene)
    assert shown[at + 1].scene == replace(scene, button=WORDING.next_button, unready=UNSET)
    assert shown[at + 2].onset_s - shown[at + 1].onset_s > 1.0
    assert len(of(Key, transcript)) - len(of(Key, held())) == 3


@pytest.mark.parametrize("given", [*(tap(name, 1.5) for name in PROTOCOL.keys.confirm), click(BUTTON, 1.5)])
def test_confirming_goes_on_from_a_message(given: tuple[Input, ...]) -> None:
    """Every confirming key and a click on the button go on, at the time of the press."""
    transcript = held(instead({MESSAGE_DONE: [given]}))
    pressed_s = onset_s(transcript, MESSAGE_DONE) + 1.5
    assert of(Read, transcript)[0] == Read("practice", pytest.approx(pressed_s), "robot")  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [tap("5", 0.5), tap("left", 0.5), tap("escape", 0.5), click((0.0, 0.0), 0.5)])
def test_nothing_else_goes_on_from_a_message(given: tuple[Input, ...]) -> None:
    """Digits, arrows, other keys and clicks beside the button leave the message where it is."""
    transcript = held(instead({MESSAGE_DONE: [(*given, *tap("space", 3.0))]}))
    assert of(Read, transcript)[0].time_s == pytest.approx(onset_s(transcript, MESSAGE_DONE) + 3.0)


def test_a_message_goes_by_itself_after_its_maximum() -> None:
    """After message_maximum_s the next scene comes, and the reading has no time."""
    transcript = held(instead({MESSAGE_DONE: [()]}), short(message_maximum_s=8.0))
    assert of(Read, transcript)[0] == Read("practice", None, None)
    assert onset_s(transcript, SCALE) - onset_s(transcript, MESSAGE) == pytest.approx(8.0, abs=1.5 * REFRESH_S)


# Rating


def test_a_digit_marks_and_a_confirming_key_ends() -> None:
    """The scale starts unmarked and without a button; a digit places the marker, space confirms, each at its time."""
    visit = rating(*tap("6", 1.25), *tap("space", 2.5))
    assert [one.scene for one in of(Shown, visit)] == [SCALE, scale_of(PROTOCOL, 6)]
    assert answers(visit) == [(6, 1.25), (6, 2.5)]


def test_every_change_has_its_own_time() -> None:
    """Each change of the marker by digit, arrow or click is recorded once, with its time."""
    place = LINE.number_place(2)
    visit = rating(*tap("6", 1.0), *tap("left", 1.4), *click(place, 1.9), *tap("right", 2.2), *tap("return", 3.0))
    assert answers(visit) == [(6, 1.0), (5, 1.4), (2, 1.9), (3, 2.2), (3, 3.0)]
    assert [one.scene.marker for one in of(Shown, visit) if isinstance(one.scene, ScaleScene)] == [None, 6, 5, 2, 3]


def test_the_same_point_again_is_no_change() -> None:
    """Pressing the digit that is marked already, or an arrow at the end of the scale, records and shows nothing new."""
    visit = rating(
        *tap("7", 1.0), *tap("7", 1.5), *tap("right", 2.0), *click(LINE.number_place(7), 2.2), *tap("space", 3.0)
    )
    assert answers(visit) == [(7, 1.0), (7, 3.0)]
    assert len(of(Shown, visit)) == 2


def test_the_first_arrow_takes_the_middle() -> None:
    """On an unmarked scale an arrow marks the middle, and the next one moves."""
    assert answers(rating(*tap("right", 1.0), *tap("right", 2.0), *tap("space", 3.0))) == [(4, 1.0), (5, 2.0), (5, 3.0)]


def test_confirming_needs_a_marker() -> None:
    """Confirming keys and clicks on the button's place do nothing while the scale is unmarked."""
    visit = rating(*tap("space", 0.5), *tap("return", 0.6), *click(BUTTON, 0.7), *tap("2", 1.0), *tap("space", 2.0))
    assert answers(visit) == [(2, 1.0), (2, 2.0)]


def test_digits_beyond_the_scale_do_nothing() -> None:
    """On five points, the keys 6 to 9 and 0 mark nothing."""
    beyond = [one for name in "67890" for one in tap(name, 0.5)]
    visit = rating(*beyond, *tap("5", 1.0), *tap("space", 2.0), protocol=with_rating(points=5))
    assert answers(visit) == [(5, 1.0), (5, 2.0)]


def test_overlapping_keys_are_one_choice_each() -> None:
    """Keys that overlap each mark once, in the order of going down."""
    rolled = [key("2", 1.0), key("5", 1.02), key("2", 1.04, down=False), key("5", 1.06, down=False)]
    assert answers(rating(*rolled, *tap("space", 2.0))) == [(2, 1.0), (5, 1.02), (5, 2.0)]


def test_releases_answer_nothing() -> None:
    """A key or button that only comes up on the scale marks and confirms nothing."""
    up = [key("4", 0.5, down=False), key("space", 0.6, down=False), click(LINE.number_place(4), 0.7)[1]]
    assert answers(rating(*up, *tap("2", 1.0), *up[1:2], *tap("space", 2.0))) == [(2, 1.0), (2, 2.0)]


@pytest.mark.parametrize("early", [tap("5", 1.005), click(LINE.number_place(5), 1.005)])
def test_what_went_down_before_the_scale_answers_nothing(early: tuple[Input, ...]) -> None:
    """A key or button that went down before the scale's onset marks nothing, though it comes in after it."""
    transcript = held(instead({MESSAGE_DONE: [(*tap("space", 1.0), *early)]}))
    visit = first_rating(transcript)
    down = next(
        one
        for one in transcript
        if isinstance(one, (Key, Click)) and one.time_s == pytest.approx(onset_s(transcript, MESSAGE_DONE) + 1.005)
    )
    assert down in visit
    assert answers(visit) == [(3, 1.0), (3, 2.0)]


def test_the_first_press_can_be_final() -> None:
    """With first_press_is_final a digit or click is the rating at its own time, and a quick second key is nothing."""
    protocol = with_rating(first_press_is_final=True)
    transcript = held(
        instead({scale_of(protocol): [(*tap("right", 0.4), *tap("space", 0.5), *tap("6", 1.0), *tap("2", 1.004))]}),
        protocol,
    )
    assert answers(first_rating(transcript)) == [(6, 1.0), (6, 1.0)]
    assert [one.value for one in of(Rated, transcript)] == [6, 3, 3, 3]
    assert not [one for one in of(Shown, transcript) if isinstance(one.scene, ScaleScene) and one.scene.marker]
    assert answers(rating(*click(LINE.number_place(1), 1.0), protocol=protocol)) == [(1, 1.0), (1, 1.0)]


def test_a_rating_that_was_not_confirmed_in_time_is_missing() -> None:
    """At the time limit the rating is null even where the marker stands."""
    visit = rating(*tap("5", 1.0), protocol=short(rating_maximum_s=4.0))
    assert answers(visit) == [(5, 1.0), (None, None)]
    assert visit[-1] == Rated("connection", None, None, None)


def test_an_answer_in_time_counts_however_late_it_comes_in() -> None:
    """A confirmation from before the limit counts although it comes in after it; one from after the limit does not."""
    protocol = short(rating_maximum_s=4.0)
    visit = rating(*tap("5", 3.99), *tap("space", 3.999), protocol=protocol)
    assert of(Shown, visit)[-1].onset_s - of(Shown, visit)[0].onset_s >= 4.0
    assert answers(visit) == [(5, 3.99), (5, 3.999)]
    assert answers(rating(*tap("5", 3.99), *tap("space", 4.001), protocol=protocol))[-1] == (None, None)


@pytest.mark.parametrize(("habit", "other"), [("mouse", Key), ("changing", Click)])
def test_mouse_or_keyboard_alone_do_a_whole_session(habit: str, other: type[Event]) -> None:
    """A session is completed with the mouse alone and with the keyboard alone, every rating given."""
    transcript = strategies.held(session_of(short(messages=6)), habit)
    assert of(other, transcript) == []
    assert len([one for one in of(Rated, transcript) if one.value is not None]) == 14
    assert transcript[-1] == Ended("completed", None)


# Pausing


@pytest.mark.parametrize("ctrl", ["lctrl", "rctrl"])
@pytest.mark.parametrize("shift", ["lshift", "rshift"])
def test_the_chord_pauses_with_either_hand(ctrl: str, shift: str) -> None:
    """Left and right modifiers, in either order, pause with the key, and the message is hidden."""
    for modifiers in ((ctrl, shift), (shift, ctrl)):
        transcript = held(instead({MESSAGE: [chord(2.0, *modifiers, "p")]}))
        assert [one.cause for one in of(Paused, transcript)] == ["chord"]
        scenes = [one.scene for one in of(Shown, transcript)]
        assert scenes[scenes.index(MESSAGE) + 1] == PAUSE


@pytest.mark.parametrize(
    ("given", "cause"), [(PauseAsked(2.0), "window_closed"), (Focus(gained=False, time_s=2.0), "focus_lost")]
)
def test_closing_and_losing_the_window_pause(given: Input, cause: str) -> None:
    """A window that is asked to close, or loses the keyboard, pauses the session and ends nothing."""
    transcript = held(instead({MESSAGE: [(given,)]}))
    assert [one.cause for one in of(Paused, transcript)] == [cause]
    assert transcript[-1] == Ended("completed", None)


@pytest.mark.parametrize(
    "given",
    [
        tap("p", 2.0),
        tap("escape", 2.0),
        chord(2.0, "lctrl", "p"),
        chord(2.0, "lshift", "p"),
        chord(2.0, "lctrl", "rctrl", "p"),
        chord(2.0, "lctrl", "lalt", "p"),
        chord(2.0, "lctrl", "lshift", "lalt", "p"),
        chord(2.0, "lctrl", "lshift", "q"),
        chord(2.0, "p", "lctrl", "lshift"),
        (*chord(2.0, "lctrl", "lshift"), *tap("p", 2.2)),
        (Focus(gained=True, time_s=2.0),),
    ],
)
def test_nothing_less_than_the_chord_pauses(given: tuple[Input, ...]) -> None:
    """One modifier, another one more, another key, or the key before or after the modifiers do not pause."""
    transcript = held(instead({MESSAGE: [given]}))
    assert of(Paused, transcript) == []
    assert transcript[-1] == Ended("completed", None)


def test_a_modifier_let_go_elsewhere_does_not_stay_down() -> None:
    """Alt that went down before the window lost the keyboard, and came up elsewhere, does not spoil the next chord."""
    away = (key("lalt", 2.0), Focus(gained=False, time_s=2.1))
    transcript = held(instead({MESSAGE: [away, chord(1.0)]}))
    assert [one.cause for one in of(Paused, transcript)] == ["focus_lost", "chord"]


ANY_KEY = st.sampled_from(
    [*sorted(KEY_NAMES), "escape", "lctrl", "rctrl", "lshift", "rshift", "lalt", "f4", "delete", "²"]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(ANY_KEY, st.floats(0.06, 2.0)), max_size=60))
def test_no_single_keys_end_or_pause_a_session(taps: list[tuple[str, float]]) -> None:
    """Whatever keys a participant hits one after the other, the session is neither paused nor ended before its end."""
    given: list[Input] = []
    at_s = 0.0
    for name, gap_s in taps:
        at_s += gap_s
        given += tap(name, at_s)

    def hitting(scene: Scene) -> Iterable[Input]:
        return (*given, *obliging(scene)) if scene == WELCOME else obliging(scene)

    transcript = held(hitting)
    assert of(Paused, transcript) == []
    assert transcript[-1] == Ended("completed", None)
    assert len(of(TrialEnded, transcript)) == 2


def test_a_pause_leaves_its_time_out_of_the_minimum() -> None:
    """The minimum reading time goes on where it was when the pause came."""
    transcript = held(instead({MESSAGE: [chord(2.0), ()], PAUSE: [tap("c", 100.0)]}))
    paused_s = of(Resumed, transcript)[0].time_s - of(Paused, transcript)[0].time_s
    assert paused_s > 100
    waited_s = onset_s(transcript, MESSAGE_DONE) - onset_s(transcript, MESSAGE)
    assert waited_s - paused_s == pytest.approx(PROTOCOL.timing.message_minimum_s, abs=REFRESH_S / 2 + 1e-6)


@pytest.mark.parametrize(("confirmed_s", "value"), [(1.9, 3), (2.1, None)])
def test_a_pause_leaves_its_time_out_of_the_limit(confirmed_s: float, value: int | None) -> None:
    """Of a limit of 4 s, 2 s are left after a pause that came after 2 s, however long it was."""
    turns = {SCALE: [(*tap("3", 1.0), *chord(2.0))], PAUSE: [tap("c", 100.0)]}
    script = instead({**turns, scale_of(PROTOCOL, 3): [(), tap("space", confirmed_s)]})
    assert of(Rated, held(script, short(rating_maximum_s=4.0)))[0].value == value


def test_a_pause_leaves_its_time_out_of_a_fixed_frame() -> None:
    """A fixation is as long on the screen as without the pause in it."""
    transcript = held(instead({SIGN: [chord(0.5), ()], PAUSE: [tap("c", 30.0)]}))
    paused_s = of(Resumed, transcript)[0].time_s - of(Paused, transcript)[0].time_s
    lasted_s = onset_s(transcript, MESSAGE) - onset_s(transcript, SIGN) - paused_s
    assert lasted_s == pytest.approx(PROTOCOL.timing.fixation_s, abs=REFRESH_S / 2 + 1e-6)


def test_the_same_frame_comes_back_with_its_marker() -> None:
    """After a pause the scale stands as it stood, and can be confirmed."""
    marked = scale_of(PROTOCOL, 6)
    visit = first_rating(held(instead({SCALE: [(*tap("6", 1.0), *chord(2.0))], marked: [(), tap("space", 1.0)]})))
    assert [one.scene for one in of(Shown, visit)] == [SCALE, marked, PAUSE, marked]
    assert [one.value for one in of(Marked, visit)] == [6]
    assert visit[-1] == Rated("connection", 6, of(Resumed, visit)[0].time_s + 1.0, "robot")


def test_what_is_pressed_on_the_pause_page_answers_nothing() -> None:
    """Keys, clicks, the chord and a lost window on the pause page, or a moment before the scale is back, do nothing."""
    marked = scale_of(PROTOCOL, 6)
    meanwhile = (
        *tap("2", 0.3), *tap("space", 0.4), *click(LINE.number_place(1), 0.5), *click(BUTTON, 0.5), *chord(0.6),
        Focus(gained=False, time_s=0.7), PauseAsked(0.8), *tap("c", 1.0), key("4", 1.001), key("space", 1.002),
    )  # fmt: skip
    turns = {SCALE: [(*tap("6", 1.0), *chord(2.0))], PAUSE: [meanwhile], marked: [(), tap("space", 5.0)]}
    visit = first_rating(held(instead(turns)))
    assert [one.value for one in of(Marked, visit)] == [6]
    assert len(of(Paused, visit)) == 1
    assert of(Rated, visit)[0].time_s == pytest.approx(of(Resumed, visit)[0].time_s + 5.0)


def test_pauses_can_follow_each_other() -> None:
    """A session can be paused again and again, in every kind of scene, and is completed all the same."""
    paused: set[Scene] = set()

    def pausing(scene: Scene) -> Iterable[Input]:
        if scene in (PAUSE, *ENDINGS.values()) or scene in paused:
            return obliging(replace(scene, marker=None)) if isinstance(scene, ScaleScene) else obliging(scene)
        paused.add(scene)
        return chord(0.3)

    transcript = held(pausing)
    assert len(of(Paused, transcript)) == len(of(Resumed, transcript)) == len(paused) > 20
    assert [one.value for one in of(Rated, transcript)] == [3, 3, 3, 3]


# Ending


@pytest.mark.parametrize("reason", PROTOCOL.keys.reasons)
def test_ending_needs_a_reason_and_the_chord(reason: Literal["withdrew", "technical", "other"]) -> None:
    """On the pause page the reason's key, then the chord, end the session, and the reason is recorded."""
    asked = {PAUSE: [tap(PROTOCOL.keys.reasons[reason], 1.0)], ENDINGS[reason]: [chord(1.0)]}
    transcript = held(instead({MESSAGE: [chord(2.0)], **asked}))
    assert transcript[-1] == Ended("aborted", reason)
    assert of(Shown, transcript)[-1].scene == ENDINGS[reason]
    assert of(Resumed, transcript) == []
    assert of(TrialEnded, transcript) == []


def test_on_the_ending_page_only_the_chord_ends() -> None:
    """No single key ends there; the resuming key leads back to the message at once."""
    keys = [one for name in ("space", "return", "w", "t", "o", "p", "escape", "1") for one in tap(name, 0.5)]
    asked = {PAUSE: [tap("w", 1.0)], ENDINGS["withdrew"]: [(*keys, *tap("c", 1.0))]}
    transcript = held(instead({MESSAGE: [chord(2.0)], **asked}))
    scenes = [one.scene for one in of(Shown, transcript)]
    at = scenes.index(PAUSE)
    assert scenes[at - 1 : at + 4] == [MESSAGE, PAUSE, ENDINGS["withdrew"], MESSAGE, MESSAGE_DONE]
    assert transcript[-1] == Ended("completed", None)


def test_with_an_older_protocol_resuming_leads_back_to_the_pause_page() -> None:
    """Without `resume_at_once` the resuming key leads from the ending page to the pause page, as its wording said."""
    protocol = replace(short(), keys=replace(PROTOCOL.keys, resume_at_once=UNSET))
    transcript = held(instead({MESSAGE: [chord(2.0)], PAUSE: [tap("w", 1.0)]}), protocol)
    shown = [one.scene for one in of(Shown, transcript)]
    at = shown.index(PAUSE)
    assert shown[at - 1 : at + 4] == [MESSAGE, PAUSE, ENDINGS["withdrew"], PAUSE, MESSAGE]


def raising(failure: BaseException) -> Script:
    """Somebody whose computer fails as soon as the first message is there."""

    def script(scene: Scene) -> Iterable[Input]:
        if scene == MESSAGE:
            raise failure
        return obliging(scene)

    return script


def test_an_interrupt_is_an_end_by_the_assistant() -> None:
    """Ctrl+C in the terminal ends the session as aborted, and the command goes on to save."""
    told: list[Event] = []
    ended = procedure.run(started(session_of(short())), screen(raising(KeyboardInterrupt())), told.append)
    assert ended == told[-1] == Ended("aborted", "interrupted")


@pytest.mark.parametrize("failure", [RuntimeError("private words"), SystemExit("private words")])
def test_a_failure_is_recorded_by_its_kind_alone(failure: BaseException) -> None:
    """What goes wrong behind the screen is recorded without its words, and is raised again."""
    told: list[Event] = []
    with pytest.raises(type(failure), match="private words"):
        procedure.run(started(session_of(short())), screen(raising(failure)), told.append)
    assert told[-1] == Ended("failed", type(failure).__name__)
    assert not any(b"private words" in encode(event) for event in told)


# All personas

SESSION = session_of(short(messages=6))


@pytest.mark.parametrize("habit", HABITS)
def test_every_persona_comes_to_its_end(habit: str) -> None:
    """A transcript begins with Started and ends with Ended, once each, with one end of each trial that was done."""
    transcript = strategies.held(SESSION, habit)
    assert isinstance(transcript[0], Started)
    assert of(Ended, transcript) == [transcript[-1]]
    assert transcript[-1].status == STATUS[habit]  # type: ignore[union-attr]
    done = {"silent": 0, "aborting": HABITS["aborting"].leaves_at}.get(habit, 7)
    assert [one.trial for one in of(TrialEnded, transcript)] == list(range(done or 0))


@pytest.mark.parametrize("habit", HABITS)
def test_the_same_seed_gives_the_same_transcript(habit: str) -> None:
    """Two sessions of one seed are equal byte for byte, and one of another seed is not."""
    first, again = ([encode(event) for event in strategies.held(SESSION, habit)] for _ in range(2))
    assert first == again
    other = strategies.held(replace(SESSION, seed=2), habit)
    assert first[1:] != [encode(event) for event in other][1:]


@pytest.mark.parametrize("habit", HABITS)
def test_times_never_go_back(habit: str) -> None:
    """Onsets follow each other on the refreshes of the simulated screen, each at another one."""
    refreshes = [one.onset_s / REFRESH_S for one in of(Shown, strategies.held(SESSION, habit))]
    assert refreshes == pytest.approx([round(one) for one in refreshes], abs=1e-6)
    assert all(round(now) < round(then) for now, then in pairwise(refreshes))


def replayed(transcript: list[Event]) -> list[Event]:
    """What the task does on a screen that repeats the transcript."""
    told: list[Event] = []
    first = transcript[0]
    assert isinstance(first, Started)
    procedure.run(first, Recorded(transcript), told.append)
    return told


@pytest.mark.parametrize("habit", HABITS)
def test_a_transcript_leads_the_task_to_itself(habit: str) -> None:
    """The task on a screen that answers from a transcript makes exactly this transcript."""
    transcript = strategies.held(SESSION, habit)
    assert replayed(transcript) == transcript


@settings(max_examples=60)
@given(data=st.data())
def test_any_session_leads_the_task_to_itself(data: st.DataObject) -> None:
    """Whatever comes in, with pauses, clicks and late presses, the transcript holds all that decided the session."""
    names = st.sampled_from(["1", "7", "space", "left", "right", *CHORD, "c", "w", "escape"])
    places = st.sampled_from([BUTTON, LINE.number_place(1), LINE.number_place(6), (0, 300)])
    after_s = st.floats(-0.05, 8.0)
    some = st.one_of(
        st.builds(key, names, after_s, down=st.booleans()),
        st.builds(lambda place, s, which: click(place, s)[which], places, after_s, st.integers(0, 1)),
        st.builds(Focus, st.booleans(), after_s),
        st.builds(PauseAsked, after_s),
    )

    def restless(scene: Scene) -> Iterable[Input]:
        return (
            *data.draw(st.lists(some, max_size=4)),
            *obliging(replace(scene, marker=None) if isinstance(scene, ScaleScene) else scene),
        )

    protocol = replace(
        short(rating_maximum_s=9.0, message_maximum_s=20.0),
        rating=replace(PROTOCOL.rating, first_press_is_final=data.draw(st.booleans())),
    )
    transcript = held(restless, protocol)
    assert replayed(transcript) == transcript
    assert all(one.until_s >= 0 for one in of(Elapsed, transcript))
