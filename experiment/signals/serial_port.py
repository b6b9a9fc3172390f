"""A serial port, opened with plain words for what hinders it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiment.errors import EquipmentFailure
from experiment.system.ports import serial_advice

if TYPE_CHECKING:
    from serial import Serial


def open_serial(name: str, baud: int, wait_s: float) -> Serial:
    """The port; a read or write ends after `wait_s`. EquipmentFailure says why it cannot be opened and what to do."""
    import serial
    from serial.tools.list_ports import comports

    try:
        return serial.Serial(name, baud, timeout=wait_s, write_timeout=wait_s)
    except (OSError, ValueError) as error:  # pyserial's own errors are OSErrors
        advice = serial_advice(error, sorted(port.device for port in comports()))
        raise EquipmentFailure(f"The serial port {name} cannot be opened. {advice}") from error
