"""A parallel port by PsychoPy's drivers: inpoutx64 or DLPortIO on Windows, ppdev on Linux."""

from __future__ import annotations

from typing import Any

from experiment.errors import EquipmentFailure
from experiment.screens.settings_folder import provide_settings_folder
from experiment.system.ports import parallel_advice


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
            advice = parallel_advice(error)
            raise EquipmentFailure(f"The parallel port {self._name} cannot be opened. {advice}") from error

    def write(self, code: int, _name: str, _happened_s: float) -> None:
        """Set the pins to the code."""
        self._port.setData(code)

    def reset(self) -> None:
        """All pins low."""
        self._port.setData(0)

    def close(self) -> None:
        """Let go of the port."""
        self._port = None
