"""Somebody who acts by a script in front of a simulated screen, and a screen that repeats a transcript."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace

from experiment.design.message import Message
from experiment.design.session import draw_session
from experiment.record import events
from experiment.screens.simulated_screen import SimulatedScreen, simulated_info
from experiment.task import procedure, scenes
from experiment.task.layout import Layout
from tests.strategies import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from experiment.design.protocol import Protocol
    from experiment.design.session import SessionPlan
    from experiment.record.events import Event, Input, Refreshes, Scene
    from experiment.record.screen_info import ScreenInfo
    from experiment.screens.personas import Persona

    # What somebody does once a frame is on the screen; times count from the frame's onset.
    Script = Callable[[Scene], Iterable[Input]]

HOLD_S = 0.05
LAYOUT = Layout(simulated_info().width_px, simulated_info().height_px)
CHORD = ("lctrl", "lshift", "p")

Kind = TypeVar("Kind")


def key(name: str, after_s: float, *, down: bool = True) -> events.Key:
    """One movement of a key."""
    return events.Key(name, down, after_s, "robot")


def tap(name: str, after_s: float) -> tuple[Input, ...]:
    """A key goes down and up again."""
    return key(name, after_s), key(name, after_s + HOLD_S, down=False)


def chord(after_s: float, *names: str) -> tuple[Input, ...]:
    """Keys go down together, the first ones before the last, and up again; by default those that pause."""
    together = names or CHORD
    down = tuple(key(name, after_s) for name in together)
    return *down, *(key(name, after_s + HOLD_S, down=False) for name in reversed(together))


def click(place_px: tuple[float, float], after_s: float) -> tuple[Input, ...]:
    """The mouse button goes down and up at a place."""
    down = events.Click(*place_px, down=True, time_s=after_s, timed_by="robot")
    return down, replace(down, down=False, time_s=after_s + HOLD_S)


def obliging(scene: Scene) -> tuple[Input, ...]:
    """Go on after a second, rate 3 with the digit after one and confirm after two, and continue every pause."""
    match scene:
        case events.TextScene() if scene in (scenes.pause_page(PROTOCOL), *ENDINGS.values()):
            return tap(PROTOCOL.keys.resume, 1.0)
        case events.TextScene(button=str()) | events.MessageScene(button=str()):
            return tap("space", 1.0)
        case events.ScaleScene(marker=None):
            return *tap("3", 1.0), *tap("space", 2.0)
        case _:
            return ()


def instead(turns: Mapping[Any, Sequence[Sequence[Input]]]) -> Script:
    """At each appearance of one of these scenes, do its next turn; without one, as `obliging` does."""
    left = {scene: iter(several) for scene, several in turns.items()}

    def script(scene: Scene) -> Iterable[Input]:
        turn = next(left[scene], None) if scene in left else None
        return obliging(scene) if turn is None else turn

    return script


class Actor:
    """Does what a script says, in order of time, in the place of a `Persona`."""

    def __init__(self, script: Script) -> None:
        self._script, self._planned, self._count = script, list[tuple[float, int, "Input"]](), count()

    def see(self, scene: Scene, onset_s: float) -> None:
        """Plan what the script has for this scene."""
        for given in self._script(scene):
            planned = replace(given, time_s=onset_s + given.time_s)
            heapq.heappush(self._planned, (planned.time_s, next(self._count), planned))

    def due(self, until_s: float) -> Input | None:
        """The next input up to this time."""
        return heapq.heappop(self._planned)[2] if self._planned and self._planned[0][0] <= until_s else None


class Recorded:
    """A screen that answers as a transcript has it, and asserts that it is asked the same."""

    def __init__(self, transcript: Sequence[Event]) -> None:
        first, *rest = transcript
        assert isinstance(first, events.Started)
        self.info: ScreenInfo = first.screen
        port = events.Shown | events.Elapsed | events.Refreshes | events.Input
        self._told = iter([event for event in rest if isinstance(event, port)])

    def show(self, scene: Scene) -> float:
        """The onset that the scene had."""
        told = next(self._told)
        assert isinstance(told, events.Shown)
        assert told.scene == scene
        return told.onset_s

    def wait(self, until_s: float) -> Input | None:
        """The input that came."""
        told = next(self._told)
        if isinstance(told, events.Elapsed):
            assert told.until_s == until_s
            return None
        assert isinstance(told, events.Input)
        return told

    def refreshes(self) -> Refreshes:
        """The flips that there were."""
        told = next(self._told)
        assert isinstance(told, events.Refreshes)
        return told


def short(messages: int = 1, **timing: float | None) -> Protocol:
    """The lab's protocol with one message, and with other times."""
    return replace(PROTOCOL, messages=messages, timing=replace(PROTOCOL.timing, **timing))


def session_of(protocol: Protocol, seed: int = 1) -> SessionPlan:
    """A session of as many invented messages as the protocol asks for."""
    messages = [
        Message(f"m{number}", "Ada", "friend", "en", f"Text {number}") for number in range(1, protocol.messages + 1)
    ]
    return draw_session(protocol, messages, subject="01", session=1, seed=seed)


def started(session: SessionPlan) -> events.Started:
    """The first event of a simulated session."""
    utc = "2026-03-01T09:30:00Z"
    return events.Started(
        events.SCHEMA, "simulate", session, session.protocol.sha256, "RA", "actor", simulated_info(), utc
    )


def screen(script: Script) -> SimulatedScreen:
    """A simulated screen with an actor in front."""
    return SimulatedScreen(cast("Persona", Actor(script)), simulated_info())


def held(script: Script = obliging, protocol: Protocol | None = None) -> list[Event]:
    """The transcript of a whole session with an actor."""
    told: list[Event] = []
    procedure.run(started(session_of(protocol or short())), screen(script), told.append)
    return told


def of(kind: type[Kind], transcript: Iterable[object]) -> list[Kind]:
    """The events of one kind."""
    return [event for event in transcript if isinstance(event, kind)]


ENDINGS = {reason: scenes.ending_page(PROTOCOL, reason) for reason in PROTOCOL.keys.reasons}
