"""Where the procedure takes place: scenes are shown and inputs waited for, with transcript and pauses woven in."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import UnsetType
from msgspec.structs import replace

from experiment.design.protocol import MODIFIERS, Keys
from experiment.design.session import SessionPlan
from experiment.record.events import (
    Click,
    Drag,
    Elapsed,
    Event,
    Focus,
    Input,
    Key,
    PauseAsked,
    PauseCause,
    Paused,
    Resumed,
    Scene,
    Shown,
    Storage,
    StorageCause,
)
from experiment.record.events_beside import OutputState
from experiment.task.layout import Layout
from experiment.task.port import Screen
from experiment.task.scenes import AS_NAMED, ending_page, pause_page

Emit = Callable[[Event], None]
Press = Key | Click
Given = Press | Drag


class EndedByAssistant(Exception):
    """The assistant ended the session on the pause page, with a reason."""


class PauseWanted(Exception):
    """Something asked for a pause where a schedule goes on, which cannot wait for it."""

    def __init__(self, cause: PauseCause) -> None:
        super().__init__(cause)
        self.cause: PauseCause = cause


@dataclass
class Stay:
    """A scene's stay on the screen, in which its button or marker may change.

    `since_s`: a time's distance from it is time on the screen: the onset, later by the length of each pause. A press
    from before `answerable_s` answers nothing: such as a key that was down already, or a press on the pause page.
    """

    scene: Scene
    since_s: float
    answerable_s: float


class Stage:
    """Everything shown and received goes through here, and from here to the transcript (`emit`)."""

    def __init__(self, session: SessionPlan, screen: Screen, emit: Emit) -> None:
        """The session's protocol decides the rest."""
        self.session, self.protocol, self.screen, self.emit = session, session.protocol, screen, emit
        self.layout = Layout(screen.info.width_px, screen.info.height_px)
        self.labels = screen.info.key_labels or AS_NAMED
        self._assistant = _AssistantKeys(session.protocol.keys)
        # A scene that follows at a fixed time is asked for one and a half refreshes ahead: the flip nearest to its time
        # then shows it. A maximum needs no such lead: it bounds when an answer may come, not when a scene does.
        self._lead_s = 1.5 / screen.info.refresh_hz

    def show(self, scene: Scene) -> Stay:
        """Bring a scene on the screen."""
        onset_s = self.screen.show(scene)
        self.emit(Shown(scene, onset_s))
        return Stay(scene, onset_s, onset_s)

    @staticmethod
    def stay(scene: Scene) -> Stay:
        """Of a scene that is not on the screen yet."""
        return Stay(scene, math.inf, math.inf)

    def change(self, stay: Stay, **controls: int | str | UnsetType | None) -> float:
        """Show the scene with another `marker` or `button`, or without a hint; when that came."""
        stay.scene = replace(stay.scene, **controls)
        return self.show(stay.scene).since_s

    def keep(self, stay: Stay, duration_s: float) -> None:
        """Keep the scene on the screen for so long. What is pressed meanwhile is recorded, and answers nothing."""
        while self.next_input(stay, duration_s - self._lead_s) is not None:
            pass

    def next_press(self, stay: Stay, maximum_s: float | None) -> Press | None:
        """The next press that answers this scene, or None once the scene was on the screen for its maximum."""
        while (received := self.next_given(stay, maximum_s)) is not None:
            if isinstance(received, Press) and received.down:
                return received
        return None

    def next_given(self, stay: Stay, maximum_s: float | None) -> Given | None:
        """The same of all that a participant does, releases and drags too."""
        while (received := self.next_input(stay, math.inf if maximum_s is None else maximum_s)) is not None:
            if isinstance(received, Given) and received.time_s >= stay.answerable_s:
                return received
        return None

    def next_until(self, due_s: float) -> Input | None:
        """The next input before a scene that is due at a time of the session's clock, or None; or PauseWanted."""
        received = self._receive(due_s - self._lead_s)
        if received is not None and (cause := self._assistant.pause_cause(received)) is not None:
            raise PauseWanted(cause)
        return received

    def keep_until(self, due_s: float) -> None:
        """Keep what is on the screen until a scene is due; what comes in meanwhile is recorded. Or PauseWanted."""
        while self.next_until(due_s) is not None:
            pass

    def next_input(self, stay: Stay, limit_s: float) -> Input | None:
        """The next input while the scene has been on the screen for less than `limit_s`, or None; pauses when asked."""
        received = self._receive(stay.since_s + limit_s)
        if received is not None and (cause := self._assistant.pause_cause(received)) is not None:
            self.pause(stay, cause)
        return received

    def _receive(self, until_s: float) -> Input | None:
        """The next input before a time of the session's clock, or None."""
        received = self.screen.wait(until_s)
        self.emit(Elapsed(until_s) if received is None else received)
        if received is not None:
            self._assistant.follow(received)
        return received

    def pause(self, stay: Stay, cause: PauseCause) -> None:
        """The pause page until the assistant resumes; EndedByAssistant if the assistant ends the session instead."""
        keys = self.protocol.keys
        began_s = self._show_pause_page()
        self.emit(Paused(began_s, cause))
        reasons = {key: reason for reason, key in keys.reasons.items()}
        while (key := self._assistant_presses(keys.resume, *reasons)) != keys.resume:
            if key is not None:
                self._offer_ending(reasons[key])
                if keys.resume_at_once:
                    break
            self._show_pause_page()
        stay.answerable_s = self.show(stay.scene).since_s
        stay.since_s += stay.answerable_s - began_s
        self.emit(Resumed(stay.answerable_s))

    def _show_pause_page(self) -> float:
        trouble, failing = self._assistant.storage_trouble, self._assistant.failing
        return self.show(pause_page(self.protocol, self.labels, unsaved=trouble, failing=failing)).since_s

    def _offer_ending(self, reason: str) -> None:
        """EndedByAssistant if the assistant confirms this reason."""
        keys = self.protocol.keys
        self.show(ending_page(self.protocol, reason, self.labels))
        while (key := self._assistant_presses(keys.resume, keys.pause)) != keys.resume:
            if key == keys.pause:
                raise EndedByAssistant(reason)

    def _assistant_presses(self, *wanted: str) -> str | None:
        """Which of these keys, or the pause chord if it is among them, comes first; None if disk or outputs report."""
        while not isinstance(received := self._receive(math.inf), Storage | OutputState):
            if received is not None and (name := self._assistant.pressed(received)) in wanted:
                return name
        return None


class _AssistantKeys:
    """What stops a session for the assistant: the pause chord, the window's close button, a window without keyboard.

    It follows every input, since a chord is made of keys that went down earlier; and it knows whether the disk takes
    data and the outputs take signals, which the pause page tells.
    """

    def __init__(self, keys: Keys) -> None:
        """None is down."""
        self.storage_trouble: StorageCause | None = None  # why the disk does not hold all of the transcript, if so
        self.failing = frozenset[str]()  # outputs that take no signals
        self._keys = keys
        self._down: set[str] = set()

    def follow(self, received: Input) -> None:
        """Told of every input, in order."""
        match received:
            case Key(key=key, down=True):
                self._down.add(key)
            case Key(key=key):
                self._down.discard(key)
            case Focus():  # a key that is let go of in another window may never be reported
                self._down.clear()
            case Storage():
                self.storage_trouble = None if received.saved else received.cause or "refused"
            case OutputState():
                self.failing = self.failing - {received.output} if received.works else self.failing | {received.output}

    def pause_cause(self, received: Input) -> PauseCause | None:
        """Why the session is to pause, if this input asks for it."""
        match received:
            case PauseAsked():
                return "window_closed"
            case Focus(gained=False):
                return "focus_lost"
            case Key() if self._completes_chord(received):
                return "chord"
        return None

    def pressed(self, received: Input) -> str | None:
        """The key that went down, or the whole chord if this key completes it; None if it was no press of a key."""
        if not isinstance(received, Key) or not received.down:
            return None
        return self._keys.pause if self._completes_chord(received) else received.key

    def _completes_chord(self, received: Key) -> bool:
        """Whether this is the chord's last key, with just its modifiers down, left or right (`lctrl`, `rctrl`)."""
        *modifiers, last = self._keys.pause.split("+")
        modifiers_down = {key[1:] for key in self._down if key[1:] in MODIFIERS}
        return received.down and received.key == last and modifiers_down == set(modifiers)
