"""Stands in, on the bench's Python, for queries that Wine 8 lacks; nothing of the program is changed."""

import _winapi
import os
import sys
import types
from concurrent.futures import process
from typing import Any

os.getppid = lambda: 1  # PssCaptureSnapshot
if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2  # shutil copies without it, as before Python 3.12
_wakeup: Any = getattr(process, "_ThreadWakeup")  # noqa: B009 - its own
_wakeup.wakeup = lambda self: self._closed or self._writer.send_bytes(b"1")  # a message without content gets lost
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
