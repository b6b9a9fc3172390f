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
