"""Synthetic participants: each has its habit, uses what it has, and sees only what pictures are made for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from experiment.design.message import practice_message, read_messages
from experiment.design.scale import Scale
from experiment.design.session import draw_session
from experiment.drawing.stimuli import draw_pictures
from experiment.record.events import (
    Click,
    Ended,
    Key,
    Marked,
    MessageScene,
    Paused,
    Rated,
    Read,
    ScaleScene,
    Shown,
    TrialBegan,
    TrialEnded,
)
from experiment.screens.personas import HABITS, Persona
from tests import strategies
from tests.scripted_screen import LAYOUT, chord, held, instead, of, session_of, short
from tests.strategies import PROTOCOL

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol
    from experiment.record.events import Event

EXAMPLE = read_messages(Path(__file__).parents[1] / "stimuli" / "examples" / "english.csv")


def lived(habit: str, protocol: Protocol = PROTOCOL, seed: int = 1) -> list[Event]:
    """A session of one of the habits with the example messages."""
    session = draw_session(protocol, EXAMPLE[: protocol.messages], subject="sim1", session=1, seed=seed)
    return strategies.held(session, habit)


def reading_s(transcript: list[Event]) -> float:
    """The median time between a message's onset and going on."""
    onsets_s = {
        one.scene.message_id: one.onset_s
        for one in reversed(of(Shown, transcript))
        if isinstance(one.scene, MessageScene)
    }
    return median(one.time_s - onsets_s[one.message_id] for one in of(Read, transcript) if one.time_s is not None)


def test_a_steady_participant_rates_once_and_everything() -> None:
    """The steady one marks each scale once and confirms it."""
    transcript = lived("steady")
    assert len(of(Marked, transcript)) == len(of(Rated, transcript)) == 14
    assert of(Paused, transcript) == []


def test_quick_is_quicker_and_slow_is_slower() -> None:
    """The median reading times are about those of the habits, beyond the minimum."""
    minimum_s = PROTOCOL.timing.message_minimum_s
    for habit in ("quick", "steady", "slow"):
        assert reading_s(lived(habit)) - minimum_s == pytest.approx(HABITS[habit].message_s, rel=0.4)


def test_a_changing_participant_changes_her_mind() -> None:
    """She marks many scales more than once, by digits and arrows, and never the same point twice in a row."""
    transcript = lived("changing")
    assert len(of(Marked, transcript)) > 2 * len(of(Rated, transcript))
    assert {one.key for one in of(Key, transcript)} > {"left", "right"}
    markers = [one.scene.marker for one in of(Shown, transcript) if isinstance(one.scene, ScaleScene)]
    assert all(now != then for now, then in pairwise(markers))


def test_an_early_participant_presses_before_it_is_possible() -> None:
    """She presses before the button is there, and while the scale is unmarked, and nothing comes of it."""
    early, steady = lived("early"), lived("steady")
    assert len(of(Key, early)) > len(of(Key, steady)) + 40
    assert [one.value is None for one in of(Rated, early)] == [False] * 14
    assert reading_s(early) > PROTOCOL.timing.message_minimum_s


def test_a_silent_participant_never_rates() -> None:
    """Without a limit the assistant ends the session after a while; with one every rating is missing."""
    patient = lived("silent")
    assert patient[-1] == Ended("aborted", "other")
    assert of(Marked, patient) == []
    limited = lived("silent", short(6, rating_maximum_s=20.0))
    assert limited[-1] == Ended("completed", None)
    assert [one.value for one in of(Rated, limited)] == [None] * 14


@pytest.mark.parametrize(("messages", "done"), [(6, [0, 1, 2]), (3, [0, 1, 2]), (1, [0])])
def test_an_aborting_participant_leaves_while_reading(messages: int, done: list[int]) -> None:
    """He withdraws at the third message, or the last of fewer, and what was rated before stays."""
    transcript = lived("aborting", short(messages))
    assert transcript[-1] == Ended("aborted", "withdrew")
    assert [one.trial for one in of(TrialEnded, transcript)] == done
    assert of(TrialBegan, transcript)[-1].trial == len(done)
    assert [one.cause for one in of(Paused, transcript)] == ["chord"]


def test_a_mouse_participant_only_clicks() -> None:
    """Every input is a click, each mark at the point that was clicked."""
    transcript = lived("mouse")
    assert of(Key, transcript) == []
    clicked = [LAYOUT.scale(Scale()).number_at(one.x_px, one.y_px) for one in of(Click, transcript) if one.down]
    assert [point for point in clicked if point] == [one.value for one in of(Marked, transcript)]


@pytest.mark.parametrize("habit", HABITS)
def test_what_goes_down_comes_up(habit: str) -> None:
    """Every key and button that goes down comes up before it goes down again, and all are the robot's."""
    down: set[str] = set()
    for one in lived(habit):
        if isinstance(one, Key | Click):
            name = one.key if isinstance(one, Key) else "button"
            assert (name in down) is not one.down
            (down.add if one.down else down.discard)(name)
            assert one.timed_by == "robot"


@pytest.mark.parametrize("habit", HABITS)
def test_inputs_come_in_order_of_time(habit: str) -> None:
    """As the port promises, no input is older than the one before it."""
    for seed in range(20):
        times_s = [one.time_s for one in lived(habit, seed=seed) if isinstance(one, Key | Click)]
        assert times_s == sorted(times_s)


@settings(max_examples=60)
@given(strategies.sessions(), st.sampled_from([*HABITS]))
def test_every_habit_gets_through_every_protocol(session: object, habit: str) -> None:
    """With any scales, limits and switches, a session is completed, or ended by the assistant as the habit has it."""
    ended = strategies.held(session, habit)[-1]  # type: ignore[arg-type]
    aborts = habit == "aborting" or (habit == "silent" and session.protocol.timing.rating_maximum_s is None)  # type: ignore[attr-defined]
    assert isinstance(ended, Ended)
    assert ended.status == ("aborted" if aborts else "completed")


def test_no_arrow_keys_are_needed() -> None:
    """Under a protocol without arrow keys a participant who changes her mind uses digits alone."""
    keys = replace(PROTOCOL.keys, left=(), right=())
    transcript = lived("changing", replace(PROTOCOL, keys=keys))
    assert {one.key for one in of(Key, transcript)} <= {*"1234567", "space"}
    assert transcript[-1] == Ended("completed", None)


def test_a_participant_is_due_when_it_is_time() -> None:
    """Nothing comes before a scene was seen and its time has come, and each input comes once."""
    session = session_of(short())
    somebody = Persona(session, LAYOUT, HABITS["quick"], "1")
    assert somebody.due(1e9) is None
    somebody.see(MessageScene("m1", PROTOCOL.wording.next_button), 10.0)
    assert somebody.due(10.0) is None
    taken = [somebody.due(1e9) for _ in range(3)]
    assert [one.down for one in taken if isinstance(one, Key)] == [True, False]
    assert taken[2] is None


def test_all_that_is_shown_has_its_picture() -> None:
    """Every scene of every habit, and of paused and ended sessions, has its pictures and its marker's place."""
    pictures = draw_pictures(PROTOCOL, (practice_message(PROTOCOL), *EXAMPLE), LAYOUT)
    paused = held(instead({MessageScene("practice", unready=PROTOCOL.wording.next_button): [chord(1.0)]}))
    scenes = {one.scene for habit in HABITS for one in of(Shown, [*lived(habit), *paused])}
    for scene in {one for one in scenes if getattr(one, "message_id", "") != "m1"}:
        parts = pictures.parts(scene)
        beside = [getattr(scene, name, None) for name in ("button", "unready", "hint", "progress")]
        is_blank = scene.__class__.__name__ == "BlankScene"
        assert len(parts) == (0 if is_blank else 1 + sum(isinstance(one, str) for one in beside))
        if isinstance(scene, ScaleScene):
            assert (pictures.marker_at(scene) is None) is (scene.marker is None)
    assert len(scenes) > 40
