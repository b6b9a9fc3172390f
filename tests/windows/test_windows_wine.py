"""What is Wine's fault on the bench and not the program's: each is shown by a few lines of Python without it.

Where Wine has mended one, its stand-in (README) can go.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from Xlib import X
from Xlib.display import Display

from tests.lab import screenshot
from tests.windows.bench import FOLDER, Bench, ends, on_windows

pytestmark = pytest.mark.windows

OURS = {"bcryptprimitives.dll", "icuuc.dll"}
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
    "a message without content is lost": """
import threading
from multiprocessing import Pipe
from multiprocessing.connection import wait
reader, writer = Pipe(duplex=False)
writer.send_bytes(b"")
wait([reader], 2)
thread = threading.Thread(target=reader.recv_bytes, daemon=True)
thread.start()
thread.join(3)
print(not thread.is_alive())
""",
    "no names of errors of devices": """
import ctypes
print(hasattr(ctypes.WinDLL("cfgmgr32"), "CM_MapCrToWin32Err"))
""",
    "no names of processes": """
import ctypes
class Query(ctypes.Structure):
    _fields_ = [("process", ctypes.c_void_p), ("size", ctypes.c_uint32), ("name", ctypes.c_void_p)]
own, room = ctypes.WinDLL("kernel32").GetCurrentProcessId(), ctypes.create_string_buffer(2000)
query = Query(own, 2000 << 16, ctypes.addressof(room))
print(ctypes.WinDLL("ntdll").NtQuerySystemInformation(88, ctypes.byref(query), ctypes.sizeof(query), None) == 0)
""",
}
LACKS = {
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
# A window in the corner, or a child window that fills it, in which GL draws red; it asks for the keyboard.
DRAWS = """
import ctypes, struct, sys
user32, gdi32, opengl32 = map(ctypes.WinDLL, ("user32", "gdi32", "opengl32"))
for function in (user32.CreateWindowExW, user32.GetDC, opengl32.wglCreateContext):
    function.restype = ctypes.c_void_p
window = user32.CreateWindowExW(0, "STATIC", "", 0x90000000, 0, 0, 200, 200, None, None, None, None)
user32.SetForegroundWindow(ctypes.c_void_p(window))
if WHERE == "child":
    parent = ctypes.c_void_p(window)
    window = user32.CreateWindowExW(0, "STATIC", "", 0x50000000, 0, 0, 200, 200, parent, None, None, None)
surface = ctypes.c_void_p(user32.GetDC(ctypes.c_void_p(window)))
wanted = ctypes.create_string_buffer(struct.pack("<HHIBB30x", 40, 1, 0x25, 0, 32))
gdi32.SetPixelFormat(surface, gdi32.ChoosePixelFormat(surface, wanted), wanted)
opengl32.wglMakeCurrent(surface, ctypes.c_void_p(opengl32.wglCreateContext(surface)))
opengl32.glClearColor(*map(ctypes.c_float, (1, 0, 0, 1)))
for _ in range(10):
    opengl32.glClear(0x4000)
    gdi32.SwapBuffers(surface)
print("drawn", flush=True)
sys.stdin.readline()
"""
RED = (255, 0, 0)


def alone(code: str, folder: Path, stdin: int = subprocess.PIPE, display: str | None = None) -> subprocess.Popen[str]:
    """Windows' Python by itself: no packages, no stand-ins; the code gets the path of a file."""
    python, bench = folder / "python", Bench(display=display)
    python.mkdir()
    for one in (FOLDER / "python").iterdir():
        if one.suffix != "._pth" and one.name not in OURS and "crt" not in one.name:
            (python / one.name).symlink_to(one)
    (folder / "file").write_text("some text")
    return bench.start(
        *bench.wine, str(python / "python.exe"), "-I", "-c", code, on_windows(folder / "file"), stdin=stdin
    )


@pytest.mark.parametrize("what", SHOWN)
def test_wine_is_not_windows(tmp_path: Path, what: str) -> None:
    """On Windows each of these lines prints True."""
    assert ends(alone(SHOWN[what], tmp_path))[:2] == (0, "False\n")


@pytest.mark.parametrize("what", LACKS)
def test_wine_lacks_functions(tmp_path: Path, what: str) -> None:
    """On Windows nothing is said; Wine says it, and ends the program if no debugger goes on with it."""
    told = ends(alone(LACKS[what], tmp_path))[2]
    assert "unimplemented function" in told


@pytest.mark.parametrize(("where", "is_seen"), [("window", True), ("child", False)])
def test_wine_shows_nothing_of_a_child_window_and_gives_no_keyboard(
    tmp_path: Path, small_display: str, where: str, *, is_seen: bool
) -> None:
    """On Windows red is seen in both, and the window has the keyboard."""
    with alone(f"WHERE = {where!r}{DRAWS}", tmp_path, display=small_display) as program:
        assert program.stdout
        assert program.stdout.readline() == "drawn\n"
        time.sleep(1)
        screen, display = screenshot(small_display), Display(small_display)
        focus = getattr(display.get_input_focus().focus, "id", X.PointerRoot)
        display.close()
        ends(program, "\n")
    assert bool((screen == RED).all(axis=2).sum() > 10_000) is is_seen
    assert focus <= X.PointerRoot


def test_wine_takes_no_file_as_standard_input(tmp_path: Path) -> None:
    """On Windows a program can read a file there; here Python does not start."""
    with (tmp_path / "input").open("w+") as file:
        status, _, told = ends(alone("print(1)", tmp_path, stdin=file.fileno()))
    assert (status, "can't initialize sys standard streams" in told) == (1, True)
