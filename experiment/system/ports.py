"""What to do where a port of this computer cannot be opened."""

from __future__ import annotations

import sys

_GROUP = "Add this user to the group that owns it (sudo usermod -a -G dialout $USER), then log out and in again."
_TAKEN = "Close the other programs that use it, and check again."


def serial_advice(error: Exception, names: list[str]) -> str:
    """For a serial port that gave this error; `names`: of the ports that there are."""
    if "PermissionError" in str(error) or "Permission denied" in str(error):
        return _GROUP if sys.platform == "linux" and "busy" not in str(error) else _TAKEN
    if "busy" in str(error) or "lock" in str(error):
        return _TAKEN
    ports = f"this computer has {', '.join(names)}" if names else "this computer has no serial port"
    return f"Plug the device in, or correct the port's name in the protocol: {ports}."


def parallel_advice(error: Exception) -> str:
    """For a parallel port that gave this error."""
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
