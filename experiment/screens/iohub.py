"""Keys and mouse buttons by PsychoPy's ioHub, for users without real-time rights on Linux.

A process of its own takes the times, as well as the queue does: median error 0.2 ms. It takes two to three seconds to
start and half a second to end; a call that reads it takes 0.3 ms, at times 4.

Three faults of ioHub (PsychoPy 2026.2.5) are made good here. It tells a repeat from a press by the character, so that
after a key went down as "p" and up as "P", its next press counts as a repeat and is dropped: repeats are asked for, and
recognised by the key. Its process goes on when ours is killed: another process waits for our end. And its answers are
datagrams, of which the system drops those that find no room, after which ours waits for ever: there is room for all
that ioHub keeps, and an answer that does not come is an equipment failure.
"""

import contextlib
import socket
import subprocess
from typing import Any

from experiment.errors import EquipmentFailure
from experiment.record.screen_info import TimedBy
from experiment.screens.key_event import KeyEvent
from experiment.screens.keynames import BUTTON_NAMES, KeyNames
from experiment.screens.settings_folder import provide_settings_folder

_SLOTS = 768  # strokes of keys, and of buttons, that wait for us: half a minute of a key that repeats
_ROOM_BYTES = 212_992  # for answers: what Linux allows unless it is told otherwise (socket(7), rmem_max), and enough
_ANSWER_S = 5.0  # after so long none comes any more
_BUTTON_NUMBERS = {1: 1, 4: 2, 2: 3}  # ioHub's bits for left, middle and right


class IohubKeys:
    """All keyboards and mice of the X display. The other process ends with this source or with this process."""

    timed_by: TimedBy = "iohub"
    hears_buttons = True

    def __init__(self, names: KeyNames) -> None:
        provide_settings_folder()
        from psychopy.iohub import launchHubServer
        from psychopy.iohub.devices import Computer

        self._name = names.name
        buttons = ["MouseButtonPressEvent", "MouseButtonReleaseEvent"]
        self._hub = launchHubServer(
            Keyboard={"event_buffer_length": _SLOTS, "report_auto_repeat_press_events": True},
            Mouse={"event_buffer_length": _SLOTS, "monitor_event_types": buttons},
            udp_port=_free_port(),  # by its fixed one, two sessions on a computer would hear each other
        )
        self._guard = _guard(Computer.iohub_process_id)
        self._hub.udp_client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_BYTES)
        self._hub.udp_client.sock.settimeout(_ANSWER_S)
        self._down: set[str] = set()
        if not hasattr(self._hub.devices, "keyboard"):
            self.close()
            raise EquipmentFailure("PsychoPy's ioHub started without its keyboard.")
        self._zero_s: float = Computer.global_clock.getLastResetTime()  # ioHub counts from here; this is on GetSecs

    def strokes(self) -> list[KeyEvent]:
        """All since the last call; EquipmentFailure if ioHub does not answer."""
        try:
            events = self._hub.getEvents()
        except TypeError as error:  # what it makes of an answer that did not come
            raise EquipmentFailure(
                f"PsychoPy's ioHub, which hears the keys, has not answered for {_ANSWER_S:.0f} s. Start again."
            ) from error
        found = [stroke for event in events if (stroke := self._stroke(event))]
        return [stroke for stroke in sorted(found, key=lambda stroke: stroke.time_s) if not self._repeats(stroke)]

    def close(self) -> None:
        """End ioHub's process."""
        with contextlib.redirect_stdout(None):  # it reports its end
            self._hub.quit()
        self._guard.kill()
        self._guard.communicate()

    def _repeats(self, stroke: KeyEvent) -> bool:
        repeats = stroke.down and stroke.key in self._down
        (self._down.add if stroke.down else self._down.discard)(stroke.key)
        return repeats

    def _stroke(self, event: Any) -> KeyEvent | None:
        kind = type(event).__name__
        if kind.startswith("Keyboard"):
            return KeyEvent(self._name(event.scan_code), kind.startswith("KeyboardPress"), self._zero_s + event.time)
        if kind.startswith("MouseButton") and event.button_id in _BUTTON_NUMBERS:
            key = BUTTON_NAMES[_BUTTON_NUMBERS[event.button_id]]
            return KeyEvent(key, kind.startswith("MouseButtonPress"), self._zero_s + event.time)
        return None


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        port: int = udp.getsockname()[1]
        return port


def _guard(process_id: int) -> "subprocess.Popen[bytes]":
    """A shell that ends a process when we end, however we end: then its standard input closes."""
    return subprocess.Popen(["/bin/sh", "-c", 'read -r _; kill -9 "$0"', str(process_id)], stdin=subprocess.PIPE)  # noqa: S603
