"""A serial port: signals go out on it, and a scanner's pulses come in, as bytes that a thread of their own stamps."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from experiment.design.scanner import Baud, PortName
from experiment.errors import EquipmentFailure
from experiment.system import make_thread_urgent

if TYPE_CHECKING:
    from serial import Serial

WRITE_S = 0.5  # a port that does not take a byte within this time is in trouble
WAIT_S = 0.1  # for a byte, until the thread looks whether it is to end
AGAIN_S = 0.5  # until a port that vanished is tried again
_GROUP = "Add this user to the group that owns it (sudo usermod -a -G dialout $USER), then log out and in again."
_TAKEN = "Close the other programs that use it, and check again."


def open_serial(name: str, baud: int, wait_s: float) -> Serial:
    """The port; a read or write ends after `wait_s`. EquipmentFailure says why it cannot be opened and what to do."""
    import serial
    from serial.tools.list_ports import comports

    try:
        return serial.Serial(name, baud, timeout=wait_s, write_timeout=wait_s)
    except (OSError, ValueError) as error:  # pyserial's own errors are OSErrors
        advice = _advice(error, sorted(port.device for port in comports()))
        raise EquipmentFailure(f"The serial port {name} cannot be opened. {advice}") from error


def _advice(error: Exception, names: list[str]) -> str:
    """What to do about a port that gave this error; `names`: of the ports that there are."""
    if "PermissionError" in str(error) or "Permission denied" in str(error):
        return _GROUP if sys.platform == "linux" and "busy" not in str(error) else _TAKEN
    if "busy" in str(error) or "lock" in str(error):
        return _TAKEN
    ports = f"this computer has {', '.join(names)}" if names else "this computer has no serial port"
    return f"Plug the device in, or correct the port's name in the protocol: {ports}."


class SerialLine:
    """A serial port: a byte with the code, then a zero."""

    def __init__(self, port: str, baud: int) -> None:
        self._asked = port, baud
        self._port: Serial | None = None

    def open(self) -> None:
        """Open the port."""
        self._port = open_serial(*self._asked, WRITE_S)

    def write(self, code: int, _name: str, _happened_s: float) -> None:
        """Send the code."""
        assert self._port  # noqa: S101 - nobody writes before it is open
        self._port.write(bytes([code]))

    def reset(self) -> None:
        """Send a zero."""
        self.write(0, "", 0.0)

    def close(self) -> None:
        """Close the port."""
        if self._port:
            self._port.close()


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
