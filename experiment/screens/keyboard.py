"""Every press and release of every keyboard, with the time at which it happened.

Three sources give the same `Stroke`s, best first:

- the event queues of psychtoolbox, stamped in a thread of its own (error below 1 ms, nothing lost while a frame is slow);
- ioHub, stamped in a process of its own (Linux only, for a user without the right to real-time priority);
- the window's own events, stamped when they are polled (an error of up to a frame: for piloting only).

On Linux the first two also hear the mouse buttons. All times are psychtoolbox's GetSecs, in seconds.

psychtoolbox cannot be tried and caught: two lacks end the process with a segmentation fault instead of an exception. Both
are therefore asked for beforehand. Without an X display that has XInput 2, the first call of PsychHID crashes. Without
the right to real-time priority, the queue's thread prints a warning although it does not hold Python's lock, which
crashes most times but not always; so a trial run in a child process may survive and prove nothing, whereas asking the
system for the very right that the thread asks for takes under a millisecond and is certain.

PsychoPy's own `Keyboard` must not exist beside a source: they share one queue, and the first to read takes all.
"""

import contextlib
import ctypes
import os
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec

from experiment.errors import EquipmentFailure
from experiment.screens.keynames import BUTTON_NAMES, name_of_pyglet, name_of_queue, name_of_x11

RIGHTS_ADVICE = """\
Give the user the right to real-time priority (once, as an administrator), then log out and in again:
  sudo groupadd --force psychopy
  sudo usermod -a -G psychopy $USER
and write these lines to /etc/security/limits.d/99-psychopylimits.conf:
  @psychopy - nice -20
  @psychopy - rtprio 50
  @psychopy - memlock unlimited"""  # PsychoPy, platform_specific/linux.py

_SLAVE_POINTERS = 3  # psychtoolbox's class for mice and touch screens on X11
_SLOTS = 10_000  # strokes that a queue holds: hours of typing
_IOHUB_SLOTS = 2048  # the most that ioHub allows


def _psychtoolbox() -> Any:
    """psychtoolbox, also where the sound library is missing that it wants on import and that we never use."""
    try:
        import psychtoolbox
    except ImportError as error:
        if "libjack" not in str(error):
            message = f"The keyboard library psychtoolbox does not load: {error}. Run ./dayfour again to complete the set-up."
            raise EquipmentFailure(message) from error
        audio: Any = types.ModuleType("psychtoolbox.PsychPortAudio")
        audio.PsychPortAudio = None
        sys.modules[audio.__name__] = audio
        import psychtoolbox
    return psychtoolbox


now_s: Callable[[], float] = _psychtoolbox().GetSecs


class Stroke(msgspec.Struct, frozen=True):
    """A key or mouse button that went down or up.

    `key` is a name of `keynames`, or "mouse_1" (left), "mouse_2" (middle), "mouse_3" (right). `time_s` is on GetSecs.
    Keys that repeat because they are held give one press.
    """

    key: str
    down: bool
    time_s: float


class KeySource(Protocol):
    """What the window needs of a keyboard.

    `timed_by` is "queue", "iohub" or "poll". `hears_buttons` says whether mouse buttons are among the strokes, wherever on
    the screen they were pressed; if not, the window's own mouse events are all there is.
    """

    timed_by: str
    hears_buttons: bool

    def strokes(self) -> list[Stroke]:
        """All since the last call, in order of time, none lost or doubled."""

    def close(self) -> None:
        """Stop listening."""


class QueueKeys:
    """psychtoolbox's queues: one for each keyboard and, on Linux, each mouse that was plugged in at the start.

    The X server's master keyboard repeats what its keyboards say and has no queue, so no stroke comes twice.
    """

    timed_by = "queue"
    hears_buttons = sys.platform == "linux"

    def __init__(self) -> None:
        from psychtoolbox import hid

        self._queues = [(hid.Keyboard(index, _SLOTS), name_of_queue) for index in _keyboards(hid)]
        if self.hears_buttons:
            mice = [int(device["index"]) for device in hid.devices(_SLAVE_POINTERS)]
            self._queues += [(hid.Keyboard(index, _SLOTS), BUTTON_NAMES.get) for index in mice]
        for queue, _ in self._queues:
            queue.queue_start()

    def strokes(self) -> list[Stroke]:
        """All since the last call.

        One thread fills all queues, so a round over them that finds nothing proves that nothing earlier is still to come.
        """
        found: list[Stroke] = []
        while some := [stroke for queue, name in self._queues for stroke in _drained(queue, name)]:
            found += some
        return sorted(found, key=lambda stroke: stroke.time_s)

    def close(self) -> None:
        """Stop and free the queues."""
        for queue, _ in self._queues:
            queue.queue_stop()
            queue._release_queue()
        self._queues = []


def _keyboards(hid: Any) -> list[int | None]:
    """Indices of all keyboards; Windows has one queue for all, which has no index."""
    return [None] if sys.platform == "win32" else [int(index) for index in hid.get_keyboard_indices()[0]]


def _drained(queue: Any, name: Callable[[int], str | None]) -> Iterator[Stroke]:
    while queue.flush(0):  # 0 counts what waits; any other flush type can drop it on Windows
        event, _ = queue.queue_get_event()
        if key := name(int(event["Keycode"])):  # no name: the mouse wheel
            yield Stroke(key, bool(event["Pressed"]), event["Time"])


class IohubKeys:
    """PsychoPy's ioHub: a process that records what the X server hears. It ends with this source or with this process."""

    timed_by = "iohub"
    hears_buttons = True

    def __init__(self) -> None:
        from psychopy.iohub import launchHubServer
        from psychopy.iohub.devices import Computer

        self._hub = launchHubServer(
            Keyboard={"event_buffer_length": _IOHUB_SLOTS},
            Mouse={
                "event_buffer_length": _IOHUB_SLOTS,
                "monitor_event_types": ["MouseButtonPressEvent", "MouseButtonReleaseEvent"],
            },
            udp_port=_free_port(),  # its fixed one would let two sessions of a computer hear each other
        )
        if not hasattr(self._hub.devices, "keyboard"):
            self.close()
            message = "PsychoPy's ioHub did not start its keyboard; see iohub_last_session.log in PsychoPy's settings folder."
            raise EquipmentFailure(message)
        self._zero_s: float = Computer.global_clock.getLastResetTime()  # ioHub counts from here, on GetSecs

    def strokes(self) -> list[Stroke]:
        """All since the last call."""
        found = [_of_iohub(event, self._zero_s) for event in self._hub.getEvents()]
        return sorted((stroke for stroke in found if stroke), key=lambda stroke: stroke.time_s)

    def close(self) -> None:
        """End ioHub's process."""
        with contextlib.redirect_stdout(None):
            self._hub.quit()


def _of_iohub(event: Any, zero_s: float) -> Stroke | None:
    kind = type(event).__name__
    if kind.startswith("Keyboard"):
        return Stroke(name_of_x11(event.scan_code), kind.startswith("KeyboardPress"), zero_s + event.time)
    if kind.startswith("MouseButton"):
        button = {1: 1, 4: 2, 2: 3}.get(event.button_id, 0)  # ioHub's bits for left, middle, right
        key = BUTTON_NAMES.get(button)
        return Stroke(key, kind.startswith("MouseButtonPress"), zero_s + event.time) if key else None
    return None


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        port: int = udp.getsockname()[1]
        return port


class PollKeys:
    """The key events of a pyglet window, which come one by one, so none is lost; their time is that of the poll."""

    timed_by = "poll"
    hears_buttons = False

    def __init__(self, window: Any) -> None:
        from pyglet.window import key

        self._window = window
        self._symbol_string = key.symbol_string
        self._waiting: list[Stroke] = []
        window.push_handlers(on_key_press=self._press, on_key_release=self._release)

    def strokes(self) -> list[Stroke]:
        """All since the last call; also hands the window its other events."""
        self._window.dispatch_events()
        found, self._waiting = self._waiting, []
        return found

    def close(self) -> None:
        """Leave the window to its own handlers."""
        self._window.remove_handlers(on_key_press=self._press, on_key_release=self._release)

    def _press(self, symbol: int, _modifiers: int) -> bool:
        return self._note(symbol, down=True)

    def _release(self, symbol: int, _modifiers: int) -> bool:
        return self._note(symbol, down=False)

    def _note(self, symbol: int, *, down: bool) -> bool:
        self._waiting.append(Stroke(name_of_pyglet(self._symbol_string(symbol)), down, now_s()))
        return True  # handled: else pyglet closes its window on escape, and PsychoPy keeps every key for ever


def open_keys(*, allow_poll: bool, window: Any = None) -> KeySource:
    """Open the best source that works here.

    `window` is pyglet's (PsychoPy's `Window.winHandle`) and is needed only to poll it, which `allow_poll` permits.
    Raises EquipmentFailure, with what to do, where keys cannot be timed well enough.
    """
    if lack := lacks_for_queue():
        return _second_best(lack, window if allow_poll else None)
    try:
        return QueueKeys()
    except Exception as error:
        return _second_best(f"The keyboard queue does not open: {error}.", window if allow_poll else None, error)


def _second_best(lack: str, window: Any, cause: Exception | None = None) -> KeySource:
    if sys.platform == "linux" and _has_xinput():
        with contextlib.suppress(Exception):  # whatever ioHub fails of, what to do is the same
            return IohubKeys()
    if window is not None:
        return PollKeys(window)
    raise EquipmentFailure(f"Key presses cannot be timed on this computer. {lack}") from cause


def lacks_for_queue() -> str | None:
    """What keeps psychtoolbox's queue from working here and what to do, in words; None if nothing does. Takes 2 ms."""
    if sys.platform != "linux":
        return None
    if not _has_xinput():
        return "No X display with XInput 2 answers: start from a desktop (Xorg or XWayland), not from a text console."
    return None if _may_run_real_time() else f"This user has no right to real-time priority. {RIGHTS_ADVICE}"


def _has_xinput() -> bool:
    """Whether the X display of this process can be opened and has the extension; PsychHID crashes where not."""
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    x11.XOpenDisplay.restype = ctypes.c_void_p
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    if not display:
        return False
    numbers = [ctypes.byref(ctypes.c_int()) for _ in range(3)]
    found = bool(x11.XQueryExtension(display, b"XInputExtension", *numbers))
    x11.XCloseDisplay(display)
    return found


def _may_run_real_time() -> bool:
    """Ask, in a thread that ends at once, for the priority that the queue's thread asks for: FIFO, one above ours."""
    granted: list[bool] = []

    def ask() -> None:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(os.sched_getparam(0).sched_priority + 1))
            granted.append(True)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return bool(granted)
