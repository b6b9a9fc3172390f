"""A parallel port by PsychoPy's drivers: inpoutx64 or DLPortIO on Windows, ppdev on Linux."""

from __future__ import annotations

import sys
from typing import Any

from experiment.errors import EquipmentFailure
from experiment.screens.settings_folder import provide_settings_folder


class ParallelLine:
    """The eight data pins, by a device ("/dev/parport0") or an address ("0x378")."""

    def __init__(self, port: str) -> None:
        self._name = port
        self._port: Any = None

    def open(self) -> None:
        """Open the port, with all pins low."""
        provide_settings_folder()
        try:
            from psychopy.parallel import ParallelPort

            self._port = ParallelPort(self._name)
            self.reset()
        except Exception as error:  # each driver has errors of its own
            raise EquipmentFailure(f"The parallel port {self._name} cannot be opened. {_advice(error)}") from error

    def write(self, code: int, _name: str, _happened_s: float) -> None:
        """Set the pins to the code."""
        self._port.setData(code)

    def reset(self) -> None:
        """All pins low."""
        self._port.setData(0)

    def close(self) -> None:
        """Let go of the port."""
        self._port = None


def _advice(error: Exception) -> str:
    """What to do about a port that gave this error."""
    if sys.platform == "win32":
        return "Install the driver inpoutx64 (or DLPortIO), and check the port's address in the Device Manager."
    if sys.platform == "darwin":
        return "PsychoPy has no driver for parallel ports on macOS. Use a serial port."
    if isinstance(error, ImportError):
        return "The package pyparallel is missing. Install it with: pip install pyparallel"
    if isinstance(error, PermissionError):
        return "Add this user to the group that owns it (sudo usermod -a -G lp $USER), then log out and in again."
    if isinstance(error, FileNotFoundError):
        return "This computer has no such port, or its driver is not loaded (sudo modprobe ppdev)."
    return (
        "Free the port of the printer's driver (sudo rmmod lp; sudo modprobe ppdev), and blacklist lp in "
        "/etc/modprobe.d if it comes back."
    )
