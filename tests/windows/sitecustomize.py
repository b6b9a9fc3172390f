"""Stands in, on the bench's Python, for queries that Wine 8 lacks; nothing of the program is changed."""

import _winapi
import msvcrt
import os
import sys
import types
from typing import Any

os.getppid = lambda: 1  # PssCaptureSnapshot
if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2  # shutil copies without it, as before Python 3.12
_ports: Any = types.ModuleType("serial.tools.list_ports_windows")  # CM_MapCrToWin32Err
_ports.comports = lambda **_: []
sys.modules[_ports.__name__] = _ports
try:
    import psutil
except ImportError:
    pass
else:
    _name = psutil.Process.name

    def _name_or_python(self: Any) -> str:
        try:
            return str(_name(self))
        except OSError:  # SystemProcessIdInformation
            return "python.exe"

    psutil.Process.name = _name_or_python

_locking = getattr(msvcrt, "locking")  # noqa: B009 - typed only on Windows


def _locking_with_errno(descriptor: int, mode: int, count: int) -> None:
    try:
        _locking(descriptor, mode, count)
    except OSError as error:  # Wine's _locking leaves errno as it was before
        raise PermissionError(13, "Permission denied") from error


setattr(msvcrt, "locking", _locking_with_errno)  # noqa: B010 - the same
