"""What stops a session for the assistant: the pause chord, the window's close button, a window that lost the keyboard.

It follows every input, since a chord is made of keys that went down earlier; and it knows whether the disk takes data
and the outputs take signals, which the pause page tells.
"""

from __future__ import annotations

from experiment.design.protocol import MODIFIERS, Keys
from experiment.record.events import Focus, Input, Key, PauseAsked, PauseCause, Storage, StorageCause
from experiment.record.events_beside import OutputState


class AssistantKeys:
    """The keys that are down, and what they ask for by the protocol's `keys`."""

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
