"""An output with a thread and a queue of its own: whatever its device does, nobody else waits for it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import NamedTuple, cast

from experiment.design.signals import Output
from experiment.record.events_beside import SignalFailure
from experiment.signals.devices import Device, SignalLine
from experiment.signals.due import DueSignal
from experiment.system import make_thread_urgent

MOST = 64  # signals that wait; a session has some in a second at most
LATE_S = 0.1  # later, a code on a line would be taken for another moment
AGAIN_S = 1.0  # until a device that could not be opened is tried again
SILENT_S = 1.0  # a device that takes longer for one signal does not answer
CLOSE_S = 1.0


class PendingSignal(NamedTuple):
    """A signal on its way; times are readings of `time.perf_counter`. `told` hears what became of it, and when."""

    due: DueSignal
    called: str
    happened_s: float
    handed_s: float
    told: Callable[[PendingSignal, float, SignalFailure | None], None]


class Outlet:
    """Each signal that is sent is told of once: when its device has taken it, or when it was given up and why."""

    def __init__(self, output: Output, device: Device | SignalLine) -> None:
        """Its thread opens the device at once."""
        self.output, self._device = output, device
        self._is_line, self._pulse_s = hasattr(device, "reset"), output.pulse_ms / 1000
        self._queue: SimpleQueue[PendingSignal | None] = SimpleQueue()
        self._pending: dict[int, PendingSignal] = {}  # whoever takes a signal out of it tells of it
        self._is_open = self._fails = False
        self._busy_since_s, self._tried_s = math.inf, -math.inf
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=output.title, daemon=True)
        self._thread.start()

    @property
    def fails(self) -> bool:
        """Whether the device cannot be opened, did not take the last signal, or does not answer."""
        return self._fails or time.perf_counter() - self._busy_since_s > SILENT_S + 2 * self._pulse_s

    def settle(self, patience_s: float) -> None:
        """Wait for the first try to open the device."""
        self._opened.wait(patience_s)

    def send(self, signal: PendingSignal) -> None:
        """Hand a signal over; returns at once."""
        if len(self._pending) >= MOST:
            signal.told(signal, time.perf_counter(), "full")
            return
        self._pending[signal.due.number] = signal
        self._queue.put(signal)

    def close(self) -> None:
        """Wait a moment for what is on its way, and give up the rest; Ctrl+C cuts the waiting short."""
        self._queue.put(None)
        with suppress(KeyboardInterrupt):
            self._thread.join(CLOSE_S)
        for number in list(self._pending):
            self._tell(number, "unwritten")

    def _tell(self, number: int, failure: SignalFailure | None) -> None:
        if signal := self._pending.pop(number, None):
            signal.told(signal, time.perf_counter(), failure)

    def _serve(self) -> None:
        if self._is_line:
            make_thread_urgent()
        self._try(self._open)
        self._opened.set()
        while (signal := self._queue.get()) is not None:
            self._try(self._take, signal)
        self._try(self._device.close)

    def _try(self, step: Callable[..., None], *signals: PendingSignal) -> None:
        """Do it; if that fails, the device is let go of, to be opened again."""
        self._busy_since_s = time.perf_counter()
        try:
            step(*signals)
        except Exception:  # noqa: BLE001 - drivers raise what they like, and the session must not end for it
            self._fails, self._is_open = True, False
            for signal in signals:
                self._tell(signal.due.number, "lost")
        self._busy_since_s = math.inf

    def _open(self) -> None:
        now_s, before_s = time.perf_counter(), self._tried_s
        if now_s - before_s < AGAIN_S:
            raise OSError("it could not be opened just now")
        self._tried_s = now_s
        self._device.close()
        self._device.open()
        self._is_open = True

    def _take(self, signal: PendingSignal) -> None:
        if not self._is_open:
            self._open()
        if self._is_line and time.perf_counter() - signal.happened_s > LATE_S:
            self._tell(signal.due.number, "late")
            return
        self._device.write(signal.due.code, signal.called, signal.happened_s)
        came_s = time.perf_counter()
        self._fails = False
        self._tell(signal.due.number, None)
        if self._is_line:
            self._end_pulse(cast("SignalLine", self._device), came_s)

    def _end_pulse(self, line: SignalLine, came_s: float) -> None:
        """The code that came then stays for so long, and the zero after it, so that two signals in a row are two."""
        time.sleep(max(0.0, came_s + self._pulse_s - time.perf_counter()))
        line.reset()
        time.sleep(self._pulse_s)
