"""Hands without eyes: presses keys as a session's log goes on, where no other program can see its pixels.

The keys go in as the system lets programs press them (Windows: SendInput, macOS: CGEventPost, X11: XTEST), at known
times, so the log's time of each press can be compared. When anything was on the screen stays unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from experiment.errors import EquipmentFailure
from experiment.record.events import MessageScene, ScaleScene, Shown, decode
from experiment.storage.hash_chain import Line
from experiment.system.facts import PressKey
from experiment.timing.observations import Glow, Observation, OutsidePress, Span
from experiment.timing.schedule import GO_ON, IDLE_PRESSES, PATIENCE_S, Schedule, Script

LOOK_S = 0.004  # from one look at the log to the next


class Unheard(EquipmentFailure):
    """No press reached the session."""


class Presser:
    """Answers the session whose transcript this is with `press`."""

    def __init__(self, transcript: Path, press: PressKey) -> None:
        """Nothing is pressed yet."""
        self._transcript, self._press = transcript, press
        self._read_bytes = 0
        self._agenda, self._asks = Schedule(), False
        self._trials: dict[str, list[OutsidePress]] = {}  # by message, in the order of the session

    def watch(self, scripts: Sequence[Script], *, lives: Callable[[], bool]) -> Observation:
        """Answer one message after the other with a script each, until the session has ended.

        Where the log stands still for long, `space` goes on from a page, and at a message or scale the script is tried
        once more. Unheard if even that does nothing.
        """
        began_s = moved_s = time.perf_counter()
        idle = 0
        while lives():
            for scene in self._shown():
                moved_s, idle, self._asks = time.perf_counter(), 0, isinstance(scene, MessageScene | ScaleScene)
                if isinstance(scene, MessageScene) and scene.message_id not in self._trials:
                    self._agenda.add(scripts[len(self._trials) % len(scripts)], moved_s)
                    self._trials[scene.message_id] = []
            self._act()
            if self._agenda.is_empty and time.perf_counter() - moved_s > PATIENCE_S:
                moved_s, idle = time.perf_counter(), idle + 1
                if idle > IDLE_PRESSES:
                    raise Unheard(f"none of {idle} simulated presses of the space bar arrived")
                self._agenda.add(scripts[(len(self._trials) - 1) % len(scripts)] if self._asks else GO_ON, moved_s)
            time.sleep(max(0.0, min(LOOK_S, self._agenda.next_s - time.perf_counter())))
        glows = tuple(Glow(None, None, tuple(presses)) for presses in self._trials.values())
        return Observation(glows, 0, time.perf_counter() - began_s, 0.0)

    def _shown(self) -> Iterator[object]:
        """The scenes that were shown since the last look, as far as whole lines are there."""
        with self._transcript.open("rb") as file:
            file.seek(self._read_bytes)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        for line in whole.splitlines():
            event = decode(msgspec.json.decode(line, type=Line).event)
            if isinstance(event, Shown):
                yield event.scene

    def _act(self) -> None:
        """Press and release what is due."""
        for key, down in self._agenda.take(time.perf_counter()):
            before_s = time.perf_counter()
            self._press(key, down)
            if down and self._asks:
                next(reversed(self._trials.values())).append(OutsidePress(key, Span(before_s, time.perf_counter())))
