"""Every kind of scale in a real window, answered by keyboard alone and by mouse alone, from left to right and back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from experiment.design.protocol import read_protocol
from experiment.record.dataset import DataSet
from experiment.record.events import Drag, Ended, Marked, Rated, ScaleScene, Shown
from experiment.replay.verify import verify_all
from experiment.task.layout import MINIMUM_SIZE_PX, Layout
from tests.lab import differing, pictures_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from experiment.record.events import Scene
    from tests.lab import Lab, Place, Sitting
    from tests.xtest import Hands

SCALES = """
extend = "{extend}"
without = ["guess", "funnel", "daily", "assistant"]
language = "{language}"
messages = 1

[timing]
fixation_s = 0.1
blank_s = 0.1
page_minimum_s = 0.1
message_minimum_s = 0.1

[rating]
labels = ["A", "B"]

[[rating.questions]]
id = "ten"
text = "From 0 to 10?"
points = 11
first = 0

[[rating.questions]]
id = "each"
text = "Which of these?"
labels = ["a", "b", "c", "d", "e", "f", "g"]

[[rating.questions]]
id = "middle"
text = "Which of these, with a middle?"
points = 5
labels = ["a", "b", "c"]

[[rating.questions]]
id = "line"
text = "Where on the line?"
points = "line"

[wording]
instructions = []
"""
WANTED = {"From 0 to 10?": 10, "Which of these?": 2, "Which of these, with a middle?": 5, "Where on the line?": 61}
LAYOUT = Layout(*MINIMUM_SIZE_PX)


def scales_protocol(path: Path, language: str) -> Path:
    """A protocol of one message with every kind of scale; the words around them in Arabic where there are such."""
    path.write_text(SCALES.format(extend="ar" if language == "ar" else "en", language=language), encoding="utf-8")
    return path


def taken_to_its_end(sitting: Sitting, answer: Callable[[Scene], None]) -> None:
    """Answer each scene until the session has ended."""
    while not isinstance(event := sitting.next(object, lambda one: isinstance(one, Shown | Ended)), Ended):
        if isinstance(event, Shown):
            answer(event.scene)
    assert event.status == "completed"
    assert sitting.ends()[0] == 0


def by_keys(hands: Hands) -> Callable[[Scene], None]:
    """A participant who types numbers and moves along lines with the arrow keys."""

    def answer(scene: Scene) -> None:
        if not isinstance(scene, ScaleScene):
            if scene.__class__.__name__ != "BlankScene" and scene.button:  # type: ignore[union-attr]
                hands.tap("space", 0.005)
            return
        wanted = WANTED[scene.question]
        upwards = "left" if scene.is_mirrored else "right"
        if scene.marker == wanted:
            hands.tap("space", 0.005)
        elif not scene.scale.is_line and scene.marker is None:
            for digit in str(wanted):
                hands.tap(digit, 0.005)
        elif scene.scale.is_line:
            hands.tap(upwards if scene.marker is None or wanted - scene.marker >= 5 else "up", 0.005)

    return answer


def by_mouse(hands: Hands) -> Callable[[Scene], None]:
    """A participant who clicks on points, and drags the marker along lines."""

    def at(place_px: Place) -> Place:
        return LAYOUT.width_px // 2 + place_px[0], LAYOUT.height_px // 2 - place_px[1]

    def answer(scene: Scene) -> None:
        if isinstance(scene, ScaleScene) and scene.marker is None:
            places, wanted = LAYOUT.scale(scene.scale), WANTED[scene.question]
            if not scene.scale.is_line:
                hands.click(*at(places.number_place(wanted)), 0.005)
                return
            hands.point(*at(places.number_place(20)))
            hands.press("mouse_1")
            for number in (30, 45, wanted):
                time.sleep(0.06)
                hands.point(*at(places.number_place(number)))
            time.sleep(0.06)
            hands.release("mouse_1")
        elif getattr(scene, "button", None) and (
            not isinstance(scene, ScaleScene) or scene.marker == WANTED[scene.question]
        ):
            hands.click(*at((LAYOUT.button.x_px, LAYOUT.button.y_px)), 0.005)

    return answer


@pytest.mark.parametrize(
    ("language", "with_mouse"), [("en", False), ("ar", False), ("he", True), ("en", True)],
    ids=["English keyboard", "Arabic keyboard", "Hebrew mouse", "English mouse"],
)  # fmt: skip
def test_every_scale_is_answered_by_either_hand(lab: Lab, hands: Hands, language: str, *, with_mouse: bool) -> None:
    """The screen is as prepared before and after the choice, the record has each answer, and the session verifies."""
    scales_protocol(lab.protocol, language)
    messages = lab.messages(("english", 0))
    pictures, act = pictures_of(lab, messages, "PILOT"), (by_mouse if with_mouse else by_keys)(hands)
    seen = set[tuple[str, bool]]()

    def answer(scene: Scene) -> None:
        if isinstance(scene, ScaleScene) and scene.marker in {None, WANTED[scene.question]}:
            assert bool(scene.is_mirrored) is (language != "en")
            assert differing(lab, pictures, scene) == 0, scene
            seen.add((scene.question, scene.marker is None))
        act(scene)

    sitting = lab.pilots(messages=messages)
    taken_to_its_end(sitting, answer)
    assert seen == {(question, is_empty) for question in WANTED for is_empty in (True, False)}
    events = sitting.events()
    rated = [event.value for event in events if isinstance(event, Rated)]
    assert rated == 2 * [*WANTED.values()]
    on_line = [event.value for event in events if isinstance(event, Marked) and event.question == "line"]
    assert on_line == 2 * ([20, 61] if with_mouse else [50, 55, 60, 61])
    assert any(isinstance(event, Drag) for event in events) is with_mouse
    assert [one for one in verify_all(DataSet(lab.data).pilot.root, pilot=True) if one.is_wanting] == []
    assert read_protocol(lab.protocol).rating.questions[3].id == "line"
