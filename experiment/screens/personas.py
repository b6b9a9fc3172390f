"""Synthetic participants: they see a scene and plan key presses or clicks, in a simulation or in a real window.

A `Habit` is data: a new kind of participant is a new line of `HABITS`. Times are drawn from the seed.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from random import Random

from msgspec import UNSET

from experiment.design.objects import Holding, Measure
from experiment.design.scale import Scale
from experiment.design.session import SessionPlan, Trial
from experiment.design.synthetic import Ratings
from experiment.record.events import Click, Input, Key, MessageScene, Pulse, ScaleScene, Scene, TextScene
from experiment.task.layout import Layout
from experiment.task.scenes import ending_page, holding_page, measures_by_page, pages_for_assistant, pause_pages

PRESS_S = 0.08
REST = 10  # repetition times between two runs of a synthetic scanner
STEP_S = 0.15  # from one digit of a number, or step along a line, to the next


@dataclass(frozen=True)
class Habit:
    """How somebody answers; medians in seconds, `changes_mind` and `early` as probabilities for each screen.

    `early`: presses before it is possible. `silent`: never answers a scale; without a time limit, the assistant ends
    the session after `patience_s`. `leaves_at`: withdraws while reading this trial's message; the assistant ends it.
    """

    page_s: float = 4.0
    message_s: float = 20.0
    decide_s: float = 2.0
    confirm_s: float = 0.8
    changes_mind: float = 0.0
    early: float = 0.0
    silent: bool = False
    leaves_at: int | None = None
    mouse: bool = False
    patience_s: float = 300.0


HABITS = {
    "steady": Habit(),
    "quick": Habit(page_s=0.3, message_s=0.5, decide_s=0.4, confirm_s=0.2),
    "slow": Habit(page_s=15.0, message_s=90.0, decide_s=12.0, confirm_s=4.0),
    "silent": Habit(silent=True),
    "changing": Habit(changes_mind=0.8),
    "early": Habit(early=0.8),
    "aborting": Habit(leaves_at=3),
    "mouse": Habit(mouse=True, changes_mind=0.3),
}


class Persona:
    """One of `HABITS`, with the assistant and a scanner beside.

    Plans what comes in after each scene, and hands it out when due.
    """

    def __init__(
        self, session: SessionPlan, layout: Layout, habit: Habit, seed: str, ratings: Ratings | None = None
    ) -> None:
        """The same seed gives the same answers; without `ratings`, every point of a scale is as likely."""
        self._keys, self._layout, self._habit, self._random = session.protocol.keys, layout, habit, Random(seed)
        self._limit_s = session.protocol.timing.rating_maximum_s
        self._pauses = pause_pages(session.protocol)
        self._endings = {reason: ending_page(session.protocol, reason) for reason in self._keys.reasons}
        self._buttons = session.protocol.scan.buttons if session.protocol.scan else ()
        self._for_assistant = pages_for_assistant(session.protocol)
        self._holding, self._measured = holding_page(session.protocol), measures_by_page(session.protocol)
        leaving = habit.leaves_at and min(habit.leaves_at, len(session.steps))
        last = session.steps[leaving - 1] if leaving else None
        self._last_message = last.message_id if isinstance(last, Trial) else None
        self._holdings_left = last.trial if isinstance(last, Holding) else 0
        self._reason = "withdrew" if leaving else "other"
        self._ratings = ratings
        self._questions = {question.text: question.id for question in session.protocol.rating.questions}
        self._message_id = ""
        self._wanted = 0
        self._planned: list[tuple[float, int, Input]] = []
        self._count = 0
        self._scanner = session.protocol.pulses or None
        self._pulse(1, 0.0)

    def see(self, scene: Scene, onset_s: float) -> None:
        """Plan what follows this scene."""
        if isinstance(scene, MessageScene):
            self._message_id = scene.message_id
        if not self._assist(scene, onset_s):
            self._answer(scene, onset_s)

    def _assist(self, scene: Scene, onset_s: float) -> bool:
        """What the assistant does with this scene, or is called for; whether it is anything."""
        match scene:
            case TextScene() if scene in self._pauses:
                self._press(self._keys.reasons[self._reason], onset_s + self._some(2.0))  # type: ignore[index]
            case TextScene() if scene in self._endings.values():
                self._call_assistant(onset_s + self._some(2.0))
            case TextScene() if scene in self._for_assistant:
                self._press(self._keys.resume, onset_s + self._some(2.0))
            case TextScene(typed=""):
                self._type(self._measured[scene.text], onset_s)
            case MessageScene(message_id=message_id) if message_id == self._last_message:
                self._call_assistant(onset_s + self._some(self._habit.message_s))
            case TextScene() if scene == self._holding and self._is_last_holding():
                self._call_assistant(onset_s + self._some(2.0))
            case _:
                return isinstance(scene, TextScene) and scene.typed is not UNSET
        return True

    def _answer(self, scene: Scene, onset_s: float) -> None:
        """What the participant does with this scene."""
        match scene:
            case TextScene(style="page", button=None) | MessageScene(button=None):
                self._hurry(onset_s)
            case TextScene(button=str()):
                self._go_on(onset_s + self._some(self._habit.page_s))
            case MessageScene(button=str()):
                self._go_on(onset_s + self._some(self._habit.message_s))
            case ScaleScene() if self._buttons:
                self._push(scene, onset_s)
            case ScaleScene():
                self._rate(scene, onset_s)

    def due(self, until_s: float) -> Input | None:
        """The next input that happens up to this time."""
        if not (self._planned and self._planned[0][0] <= until_s):
            return None
        given = heapq.heappop(self._planned)[2]
        if isinstance(given, Pulse):
            self._pulse(given.number + 1, given.time_s)
        return given

    def _rate(self, scene: ScaleScene, onset_s: float) -> None:
        if scene.marker is None:
            self._hurry(onset_s)
            if not self._habit.silent:
                self._mark(scene, self._choose(scene), onset_s + self._some(self._habit.decide_s))
            elif self._limit_s is None:
                self._call_assistant(onset_s + self._habit.patience_s)
        elif scene.marker != self._wanted and (nearer := self._nearer(scene.scale, scene.marker)):
            self._press(nearer, onset_s + STEP_S)
        elif scene.marker != self._wanted and self._is_typing:
            pass
        elif self._random.random() < self._habit.changes_mind:
            numbers = range(scene.scale.first, scene.scale.last + 1)
            self._wanted = self._random.choice([number for number in numbers if number != scene.marker])
            self._mark(scene, self._wanted, onset_s + self._some(self._habit.decide_s))
        elif self._ratings and scene.marker != self._choose(scene):
            self._mark(scene, self._wanted, onset_s + self._some(self._habit.decide_s))
        else:
            self._go_on(onset_s + self._some(self._habit.confirm_s))

    def _push(self, scene: ScaleScene, onset_s: float) -> None:
        """A button of the box; the scale goes by itself."""
        if scene.marker is None and not self._habit.silent:
            self._press(
                self._buttons[self._choose(scene) - scene.scale.first], onset_s + self._some(self._habit.decide_s)
            )

    def _is_last_holding(self) -> bool:
        """Whether the object that is now in the hand is the one at which the participant leaves."""
        self._holdings_left -= 1
        return self._holdings_left == 0

    def _type(self, measure: Measure, onset_s: float) -> None:
        """The assistant types a number that is allowed, and confirms."""
        number = f"{self._random.uniform(measure.minimum, measure.maximum):.1f}"
        keys = [*("period" if one == "." else one for one in number), "return"]
        for place, key in enumerate(keys, start=1):
            self._press(key, onset_s + place * 2 * PRESS_S)

    def _choose(self, scene: ScaleScene) -> int:
        """What is to be rated."""
        scale = scene.scale
        if self._ratings is None:
            self._wanted = self._random.randint(scale.first, scale.last)
        else:
            question = self._questions[scene.question]
            self._wanted = self._ratings.rate(question, self._message_id, scale.points, scale.first)
        return self._wanted

    def _mark(self, scene: ScaleScene, number: int, time_s: float) -> None:
        scale, marker = scene.scale, scene.marker
        if self._habit.mouse:
            self._click(*self._layout.scale(scale).number_place(number), time_s)
        elif scale.is_line:
            self._press(self._nearer(scale, marker) or self._keys.right[0], time_s)
        elif marker is not None and abs(number - marker) == 1 and (arrows := self._arrows(scale, number > marker)):
            self._press(arrows[0], time_s)
        else:
            for at, digit in enumerate(str(number)):
                self._press(digit, time_s + at * STEP_S)

    def _nearer(self, scale: Scale, marker: int | None) -> str | None:
        """The arrow that brings the marker on a line nearer to what is wanted; None if none does, or there are none."""
        if not scale.is_line or self._habit.mouse or marker is None:
            return None
        by = self._wanted - marker
        if abs(by) >= scale.step:
            return self._arrows(scale, by > 0)[0]
        fine = (self._keys.more if by > 0 else self._keys.less) or ()
        return fine[0] if fine else None

    def _arrows(self, scale: Scale, upwards: bool) -> tuple[str, ...]:  # noqa: FBT001 - one of two ways
        """The keys that move the marker towards the high end, or towards the low one."""
        return self._keys.right if upwards != scale.is_mirrored else self._keys.left

    @property
    def _is_typing(self) -> bool:
        """Whether a key is still to go down, such as the second digit of a number."""
        return any(isinstance(given, Key) and given.down for _, _, given in self._planned)

    def _go_on(self, time_s: float) -> None:
        if self._habit.mouse:
            self._click(self._layout.button.x_px, self._layout.button.y_px, time_s)
        else:
            self._press(self._keys.confirm[0], time_s)

    def _hurry(self, onset_s: float) -> None:
        if self._random.random() < self._habit.early:
            # Once the key that led here is up again.
            self._press(self._keys.confirm[0], onset_s + self._random.uniform(PRESS_S, 0.4))

    def _call_assistant(self, time_s: float) -> None:
        *modifiers, key = self._keys.pause.split("+")
        for modifier in modifiers:
            self._press("l" + modifier, time_s, hold_s=0.5)
        self._press(key, time_s + 0.2)

    def _press(self, key: str, time_s: float, hold_s: float = PRESS_S) -> None:
        for down, at_s in ((True, time_s), (False, time_s + hold_s)):
            self._plan(Key(key, down, at_s, "robot"))

    def _click(self, x_px: float, y_px: float, time_s: float) -> None:
        for down, at_s in ((True, time_s), (False, time_s + PRESS_S)):
            self._plan(Click(x_px, y_px, down, at_s, "robot"))

    def _pulse(self, number: int, before_s: float) -> None:
        """The scanner, if there is one, pulses all the time, and rests after its volumes if it has a number of them."""
        if scanner := self._scanner:
            rests = scanner.volumes and number > 1 and number % scanner.volumes == 1 % scanner.volumes
            self._plan(Pulse(number, before_s + scanner.tr_s * (REST if rests else 1), "robot"))

    def _plan(self, given: Input) -> None:
        self._count += 1
        heapq.heappush(self._planned, (given.time_s, self._count, given))

    def _some(self, median_s: float) -> float:
        """A time with the right skew of human ones."""
        return median_s * math.exp(self._random.gauss(0.0, 0.3))
