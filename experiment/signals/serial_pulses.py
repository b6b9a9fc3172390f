"""A scanner's pulses as bytes on a serial port, each stamped by a thread that does nothing but wait for the next."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from experiment.design.scanner import Baud, PortName
from experiment.errors import EquipmentFailure
from experiment.signals.serial_port import open_serial
from experiment.system import make_thread_urgent

if TYPE_CHECKING:
    from serial import Serial

WAIT_S = 0.1  # for a byte, until the thread looks whether it is to end
AGAIN_S = 0.5  # until a port that vanished is tried again


class SerialPulses:
    """Listens from the first moment on; what came before is forgotten. A port that vanishes is opened again."""

    def __init__(self, port: PortName, baud: Baud, byte: int | None) -> None:
        """Only this `byte` is a pulse; any, if it is None. EquipmentFailure if the port cannot be opened."""
        self._asked, self._byte = (port, baud), byte
        self._stamps_s: deque[float] = deque()
        self._closing = threading.Event()
        self.is_lost = False
        opened = open_serial(port, baud, WAIT_S)
        opened.reset_input_buffer()
        self._thread = threading.Thread(target=self._listen, args=(opened,), name="pulses", daemon=True)
        self._thread.start()

    def taken(self) -> list[float]:
        """When each pulse came since the last call, on `time.perf_counter`."""
        return [self._stamps_s.popleft() for _ in range(len(self._stamps_s))]

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        self._thread.join(5 * WAIT_S)

    def _listen(self, port: Serial | None) -> None:
        make_thread_urgent()
        while not self._closing.is_set():
            with suppress(OSError, TypeError, EquipmentFailure):  # pyserial's TypeError: of a port that is closing
                self._hear(port or open_serial(*self._asked, WAIT_S))
            port, self.is_lost = None, True
            self._closing.wait(AGAIN_S)

    def _hear(self, port: Serial) -> None:
        self.is_lost = False
        with port:
            while not self._closing.is_set():
                byte, now_s = port.read(1), time.perf_counter()
                if byte and self._byte in {None, byte[0]}:
                    self._stamps_s.append(now_s)
