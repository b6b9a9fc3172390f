"""The program under Windows' own Python on the Windows bench, as the tests of this folder start it.

Paths are handed over as on drive Z:, which is the whole of this computer's disk. All three standard streams are pipes:
Windows' Python does not start with others here.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from experiment.record.dataset import DataSet
from tests.lab import Lab, Sitting

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv-windows"
OVERRIDES = "ucrtbase,api-ms-win-crt-math-l1-1-0=n,b"  # Microsoft's C runtime where it lies beside the program
LIMIT_S = 240.0  # Wine starts a Python with PsychoPy in some 20 s, on a busy computer in more
MAIN = "from experiment.__main__ import main; main()"


def on_windows(path: Path) -> str:
    """The same path on drive Z:."""
    return str(PureWindowsPath(f"Z:{path.absolute()}"))


@dataclass(frozen=True)
class Bench:
    """Windows' Python with the locked packages; `display`: an X display for windows."""

    folder: Path = FOLDER
    display: str | None = None
    limit_s: float = LIMIT_S

    def python(self, code: str, *arguments: object, typed: str = "") -> tuple[int, str, str]:
        """Run this Python there: exit status, standard output, standard error."""
        return ends(self.start(*self.command(code, *arguments)), typed, self.limit_s)

    def dayfour(self, *arguments: object, typed: str = "") -> tuple[int, str, str]:
        """A command of the program."""
        return self.python(MAIN, *arguments, typed=typed)

    def command(self, code: str, *arguments: object) -> list[str]:
        """What runs this Python there; paths among the arguments become those of drive Z:."""
        given = [on_windows(one) if isinstance(one, Path) else str(one) for one in arguments]
        return [*self.wine, str(self.folder / "python" / "python.exe"), "-c", code, *given]

    @property
    def wine(self) -> list[str]:
        """What runs a program of Windows."""
        return [
            "/usr/bin/env", f"WINEPREFIX={self.folder / 'prefix'}", f"WINEDLLOVERRIDES={OVERRIDES}", "WINEDEBUG=-all",
            "LC_ALL=C.UTF-8", "/usr/lib/wine/wine64",
        ]  # fmt: skip

    def start(self, *command: str, cwd: Path = ROOT, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """A program that goes on while the test does something."""
        environment = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "PYTHONPATH"}}
        if self.display:
            environment["DISPLAY"] = self.display
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=stdin, stdout=pipe, stderr=pipe, text=True,
            encoding="utf-8", errors="replace",
        )  # fmt: skip


@dataclass(frozen=True)
class WindowsLab(Lab):
    """The lab of the other tests, where the program runs on the bench."""

    def begins(self, *arguments: object, script: str = "", **_: object) -> Sitting:
        """The program, or a script, with these arguments."""
        data = DataSet(self.data).pilot.root if arguments[:1] == ("pilot",) else self.data
        sitting = Sitting(Bench().command(script or MAIN, *arguments), self.display, data)
        self.sittings.append(sitting)
        return sitting


def ends(process: subprocess.Popen[str], typed: str = "", limit_s: float = LIMIT_S) -> tuple[int, str, str]:
    """How it ended, and what it printed."""
    try:
        out, told = process.communicate(typed, timeout=limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, told
