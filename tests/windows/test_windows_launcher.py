"""`dayfour.cmd` from `cmd.exe` on the Windows bench; the embeddable Python makes no environments, so one is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.windows.bench import FOLDER, ROOT, Bench, ends, on_windows

pytestmark = pytest.mark.windows

# A Python as far as the launcher can tell: it answers its question, and notes what it is asked.
STANDALONE = r"""#include <stdio.h>
int main(int count, char **words) {
    FILE *file = fopen("Z:%s", "a");
    for (int at = 1; at < count; at++) fprintf(file, "%%s ", words[at]);
    fprintf(file, "\n");
    return fclose(file);
}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with spaces and umlauts and an environment that was made there."""
    root = tmp_path / "Läb Süd" / "day four"
    venv = root / ".venv"
    venv.mkdir(parents=True)
    shutil.copy(ROOT / "dayfour.cmd", root)
    for path in (root / "requirements.lock", venv / "stamp"):
        path.write_bytes(b"probe==1\n")
    (venv / "Scripts").symlink_to(FOLDER / "python")
    (venv / "packages").symlink_to(FOLDER / "packages")
    (venv / "place").write_text(on_windows(venv), encoding="utf-8")
    return root


def started(root: Path, *arguments: str) -> tuple[int, str, str]:
    """The launcher, as it is typed in its folder."""
    bench = Bench()
    return ends(bench.start(*bench.wine, "cmd", "/c", "dayfour.cmd", *arguments, cwd=root))


def test_the_launcher_starts_the_program(checkout: Path) -> None:
    """From a folder with spaces and umlauts, arguments and exit status pass through."""
    status, _, told = started(checkout, "simulate", "--subjects", "1", "--seed", "1", "--out", "Ergebnis ü")
    assert status == 0, told
    assert len([*(checkout / "Ergebnis ü").rglob("*_transcript.jsonl")]) == 2
    assert started(checkout, "nonsense")[0] == 2


def test_the_launcher_finds_the_python_of_an_installed_psychopy(checkout: Path, tmp_path: Path) -> None:
    """Where there is no other Python, PsychoPy's own makes the environment; nothing is installed into it."""
    shutil.rmtree(checkout / ".venv")
    asked, program = tmp_path / "asked", FOLDER / "prefix" / "drive_c" / "Program Files" / "PsychoPy" / "python.exe"
    (tmp_path / "standalone.c").write_text(STANDALONE % asked)
    program.parent.mkdir(parents=True, exist_ok=True)
    compiler = "/usr/bin/x86_64-w64-mingw32-gcc"
    subprocess.run([compiler, "-o", program, tmp_path / "standalone.c"], check=True)
    try:
        status, _, told = started(checkout, "check")
    finally:
        shutil.rmtree(program.parent)
    assert (status, "could not be made" in told) == (4, True), told
    questions = asked.read_text(encoding="cp1252").splitlines()
    assert any(line.startswith("-I -m venv ") for line in questions)
    assert not any("-m pip" in line for line in questions)
