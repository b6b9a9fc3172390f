"""Every press and release of every keyboard, with the time at which it happened.

Three sources give the same `KeyEvent`s, best first:

- psychtoolbox's event queues, stamped in a thread of its own (error below 1 ms, nothing lost while a frame is slow);
- ioHub, stamped in a process of its own (Linux only, for a user without the right to real-time priority);
- the window's own events, stamped when they are polled (an error of up to a frame: for piloting only).

On Linux the first two also hear the mouse buttons. All times are psychtoolbox's GetSecs, in seconds.

psychtoolbox cannot be tried and caught: two lacks end the process with a segmentation fault instead of an exception.
Both are therefore asked for beforehand. Without an X display that has XInput, the first call of PsychHID crashes.
Without the right to real-time priority, the queue's thread prints a warning although it does not hold Python's lock,
which crashes often but not always: a trial run in a child process may survive and prove nothing. Asking the system for
the very right that the thread will ask for takes under a millisecond and is certain.

PsychoPy's own `Keyboard` must not exist beside a source: they share one queue, and the first to read takes all.
"""

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from experiment.errors import EquipmentFailure
from experiment.record.screen_info import TimedBy
from experiment.screens.iohub import IohubKeys
from experiment.screens.key_event import KeyEvent, KeySource, now_s
from experiment.screens.keynames import BUTTON_NAMES, KeyNames, name_of_pyglet, read_key_names
from experiment.system.linux import RIGHTS_ADVICE

_PERMISSION = {"darwin": "Allow the terminal in System Settings, Privacy & Security, Input Monitoring."}
_SLAVE_POINTERS = 3  # psychtoolbox's class for mice and touch screens on X11
_CODE_BITS = 32  # pyglet.window.key.user_key
_SLOTS = 10_000  # strokes that a queue holds: hours of typing
# What X11 and the kernel also list among the keyboards.
_NO_KEYBOARDS = ("xtest", "power button", "sleep button", "video bus", "lid switch", "camera", "consumer control")


class QueueKeys:
    """psychtoolbox's queues: one for each keyboard and, on Linux, each mouse.

    They hear what was plugged in at the first call in this process, from a few milliseconds after it on. The X server's
    master devices, which repeat what the others say, have no queue here, so no stroke comes twice.
    """

    timed_by: TimedBy = "queue"
    hears_buttons = sys.platform == "linux"

    def __init__(self, names: KeyNames) -> None:
        from psychtoolbox import hid

        self._queues: list[tuple[Any, Callable[[int], str | None]]]
        self._queues = [(hid.Keyboard(index, _SLOTS), names.name_of_queue) for index in _keyboards(hid)]
        if self.hears_buttons:
            mice = [int(device["index"]) for device in hid.devices(_SLAVE_POINTERS)]
            self._queues += [(hid.Keyboard(index, _SLOTS), BUTTON_NAMES.get) for index in mice]
        for queue, _ in self._queues:
            queue.queue_start()

    def strokes(self) -> list[KeyEvent]:
        """All since the last call.

        One thread fills all queues, so when a round over them finds nothing, nothing earlier is still to come.
        """
        found: list[KeyEvent] = []
        while some := [stroke for queue, name in self._queues for stroke in _drained(queue, name)]:
            found += some
        return sorted(found, key=lambda stroke: stroke.time_s)

    def close(self) -> None:
        """Stop and free the queues."""
        for queue, _ in self._queues:
            queue.queue_stop()
            queue._release_queue()  # noqa: SLF001  the only way
        self._queues = []


def _keyboards(hid: Any) -> list[int | None]:
    """Indices of all keyboards; Windows has one queue for all, which has no index."""
    return [None] if sys.platform == "win32" else [int(index) for index in hid.get_keyboard_indices()[0]]


def _drained(queue: Any, name: Callable[[int], str | None]) -> Iterator[KeyEvent]:
    while queue.flush(0):  # 0 counts what waits; any other flush type can drop it on Windows
        event, _ = queue.queue_get_event()
        if key := name(int(event["Keycode"])):  # no name: the mouse wheel
            yield KeyEvent(key, bool(event["Pressed"]), event["Time"])


class PollKeys:
    """The key events of a pyglet window, which come one by one, so none is lost; their time is that of the poll."""

    timed_by: TimedBy = "poll"
    hears_buttons = False

    def __init__(self, window: Any, names: KeyNames) -> None:
        from pyglet.window import key

        self._window, self._waiting = window, list[KeyEvent]()
        self._name: Callable[[int], str] = lambda symbol: name_of_pyglet(key.symbol_string(symbol))
        if sys.platform == "linux":
            _ask_for_single_presses(window)
            _ask_for_codes(window)
            self._name = lambda symbol: names.name(symbol >> _CODE_BITS)
        window.push_handlers(on_key_press=self._press, on_key_release=self._release)

    def strokes(self) -> list[KeyEvent]:
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
        self._waiting.append(KeyEvent(self._name(symbol), down, now_s()))
        return True  # handled: else pyglet closes its window on escape, and PsychoPy keeps every key for ever


def _ask_for_single_presses(window: Any) -> None:
    """Have X11 send no releases for a key that repeats; pyglet asks on its first connection, PsychoPy opens another."""
    from pyglet.window.xlib import XkbSetDetectableAutoRepeat

    XkbSetDetectableAutoRepeat(window.display._display, 1, ctypes.byref(ctypes.c_int()))  # noqa: SLF001


def _ask_for_codes(window: Any) -> None:
    """Have pyglet give each key by its X11 code, as it gives keys without a symbol: a symbol changes with the locks."""
    look_up = window._event_text_symbol  # noqa: SLF001 - pyglet has no other way

    def by_code(event: Any) -> tuple[Any, Any]:
        text, symbol = look_up(event)
        return text, symbol and event.xkey.keycode << _CODE_BITS

    window._event_text_symbol = by_code  # noqa: SLF001


def open_keys(*, allow_poll: bool, window: Any = None, names: KeyNames | None = None) -> KeySource:
    """Open the best source that works here.

    `names`: of the keys; else those of the layout in use now. `window` is pyglet's (PsychoPy's `Window.winHandle`) and
    is needed only to poll it, which `allow_poll` permits.
    Raises EquipmentFailure, with what to do, where keys cannot be timed well enough.
    """
    lack, names = lacks_for_queue(), names or read_key_names()
    if lack is None:
        try:
            return QueueKeys(names)
        except Exception as error:  # noqa: BLE001  psychtoolbox raises nothing narrower
            lack = f"psychtoolbox's keyboard queue cannot be opened: {error}. {_PERMISSION.get(sys.platform, '')}"
    if _x11_has(b"RECORD"):
        with contextlib.suppress(Exception):  # of whatever ioHub fails, the cure is the queue's
            return IohubKeys(names)
    if allow_poll and window is not None:
        return PollKeys(window, names)
    raise EquipmentFailure(f"Key presses cannot be timed on this computer. {lack}")


def lacks_for_queue() -> str | None:
    """What keeps psychtoolbox's queue from working here and what to do, in words; None if nothing does. Takes 2 ms."""
    if sys.platform != "linux":
        return None
    if not _x11_has(b"XInputExtension"):
        return "There is no X display with the XInput extension. Start from a desktop, not a text console."
    return None if _may_run_real_time() else f"This user may not use real-time priority. {RIGHTS_ADVICE}"


def _x11_has(extension: bytes) -> bool:
    """Whether this process can open its X display, and that has an extension."""
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    x11.XOpenDisplay.restype = ctypes.c_void_p
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    if not display:
        return False
    numbers = [ctypes.byref(ctypes.c_int()) for _ in range(3)]
    found = bool(x11.XQueryExtension(display, extension, *numbers))
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


def connected_keyboards() -> int | None:
    """How many keyboards a person can type on; None where psychtoolbox lists none though there are (Windows)."""
    from psychtoolbox import hid

    names = typed_on(hid.get_keyboard_indices()[1])
    return None if sys.platform == "win32" and not names else len(names)


def typed_on(names: Any) -> list[str]:
    """Of the names of all that the system calls a keyboard, those of keyboards."""
    return [name for name in names if not any(other in str(name).lower() for other in _NO_KEYBOARDS)]
