"""What is Wine's fault on the bench and not the program's: each is shown by a few lines of Python without it.

Where Wine has mended one, its stand-in (README) can go.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.windows.bench import FOLDER, Bench, ends, on_windows

pytestmark = pytest.mark.windows

OURS = {"bcryptprimitives.dll", "icuuc.dll", "xpi-ms-win-crt-math-l1-1-0.dll"}
SHOWN = {
    "no ProcessPrng": "import os; print(os.path.exists(r'C:\\windows\\system32\\bcryptprimitives.dll'))",
    "no icuuc": "import os; print(os.path.exists(r'C:\\windows\\system32\\icuuc.dll'))",
    "an errno left over": """
import errno, msvcrt, os, sys
first, second = (os.open(sys.argv[1], os.O_RDWR) for _ in range(2))
msvcrt.locking(first, msvcrt.LK_NBLCK, 1)
try:
    msvcrt.locking(second, msvcrt.LK_NBLCK, 1)
except OSError as error:
    print(error.errno == errno.EACCES)
""",
    "a file set read-only is replaced": """
import os, sys
os.chmod(sys.argv[1], 0o444)
open(sys.argv[1] + ".new", "w").close()
try:
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    print(False)
except PermissionError:
    print(True)
""",
}
ABORTS = {
    "no complex functions": """
import ctypes
pair = type("Complex", (ctypes.Structure,), {"_fields_": [("real", ctypes.c_double), ("imag", ctypes.c_double)]})
sine = ctypes.CDLL("ucrtbase").casin
sine.argtypes, sine.restype = [pair], pair
assert sine(pair(0, 0)).real == 0
""",
    "no CopyFile2": "import _winapi, sys; _winapi.CopyFile2(sys.argv[1], sys.argv[1] + '.copy', 0)",
    "no PssCaptureSnapshot": "import os; os.getppid()",
}


def alone(code: str, folder: Path, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Windows' Python by itself: no packages, no stand-ins; the code gets the path of a file."""
    python, bench = folder / "python", Bench()
    python.mkdir()
    for one in (FOLDER / "python").iterdir():
        if one.suffix != "._pth" and one.name not in OURS:
            (python / one.name).symlink_to(one)
    (folder / "file").write_text("some text")
    return bench.start(
        *bench.wine, str(python / "python.exe"), "-I", "-c", code, on_windows(folder / "file"), stdin=stdin
    )


@pytest.mark.parametrize("what", SHOWN)
def test_wine_is_not_windows(tmp_path: Path, what: str) -> None:
    """On Windows each of these lines prints True."""
    assert ends(alone(SHOWN[what], tmp_path))[:2] == (0, "False\n")


@pytest.mark.parametrize("what", ABORTS)
def test_wine_ends_what_asks_for_a_function_that_it_lacks(tmp_path: Path, what: str) -> None:
    """On Windows these lines end with 0."""
    status, _, told = ends(alone(ABORTS[what], tmp_path))
    assert status != 0, told


def test_wine_takes_no_file_as_standard_input(tmp_path: Path) -> None:
    """On Windows a program can read a file there; here Python does not start."""
    with (tmp_path / "input").open("w+") as file:
        status, _, told = ends(alone("print(1)", tmp_path, stdin=file.fileno()))
    assert (status, "can't initialize sys standard streams" in told) == (1, True)
