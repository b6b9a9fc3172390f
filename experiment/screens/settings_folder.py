"""The folder that PsychoPy keeps settings in: it makes it when it is imported, and cannot be imported where it cannot.

To be called before PsychoPy is imported, here or in a process that this one starts.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

_VARIABLE, _FOLDER = ("APPDATA", "psychopy3") if sys.platform == "win32" else ("HOME", ".psychopy3")


def provide_settings_folder() -> None:
    """Have PsychoPy use a folder of its own until this process ends, where the user's cannot be written.

    None of our settings are in it. The user's is unusable where HOME (on Windows APPDATA) is not set or not writable,
    or the folder belongs to somebody else, as after a first start as root.
    """
    home = os.environ.get(_VARIABLE)
    if not (home and _is_usable(Path(home) / _FOLDER)):
        home = tempfile.mkdtemp(prefix="dayfour-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ[_VARIABLE] = home


def _is_usable(folder: Path) -> bool:
    """Whether files and folders can be made there, and those that are there can be changed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return all(os.access(path, os.R_OK | os.W_OK) for path in folder.iterdir())
    except OSError:
        return False
