"""The program under Windows' Python on the Windows bench: what it writes, what it refuses, and what survives."""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np
import pytest

from experiment.design.message import read_messages
from experiment.messages.store import Folder
from experiment.record.dataset import DataSet
from experiment.replay.video import FPS
from tests.lab import some_messages
from tests.test_recorded import DATA_SETS
from tests.test_scales_in_window import scales_protocol
from tests.windows.bench import ROOT, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.windows
VERIFIES = """
import sys
from pathlib import Path
from experiment.replay.verify import verify_all
for data in sys.argv[1:]:
    print([one for one in verify_all(Path(data), pilot=True) if one.is_wanting])
"""
PHRASE = "sieben grüne Schäfchen"
KINDS = {"utf-8-sig": "Schön, dass es dich gibt ❤", "cp1252": "Schön, dass es dich gibt – €", "utf-16": "Grüße 🌻"}


@pytest.fixture(scope="module")
def bench() -> Bench:
    """The bench without a display."""
    return Bench()


@pytest.fixture(scope="module", params=["lovedones", "scan", "objects", "scales"])
def data(request: pytest.FixtureRequest, bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same simulated data set, made under Windows and here, in folders with spaces and umlauts: each task.

    "scales" has every kind of scale, from 0 to 10 and a line among them.
    """
    folder = tmp_path_factory.mktemp("Läb Süd")
    there, here = folder / "Windows", folder / "Linux"
    protocols: dict[str, tuple[object, ...]] = {"scan": ("--protocol", "scan"), "objects": ("--protocol", "objects")}
    message = some_messages(folder / "one.csv", ("english", 0))
    protocols["scales"] = ("--protocol", scales_protocol(folder / "scales.toml", "en"), "--messages", message)
    simulate = ("simulate", "--subjects", "2", "--seed", "1", *protocols.get(request.param, ()), "--out")
    status, _, told = bench.dayfour(*simulate, there)
    assert status == 0, told
    run_here(*simulate, here)
    return there, here


def run_here(*arguments: object) -> None:
    """A command of the program on this computer, which must succeed."""
    command = [sys.executable, "-m", "experiment", *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def test_both_systems_write_the_same_files(data: tuple[Path, Path]) -> None:
    """Every file of a simulated data set is the same byte for byte, line ends included."""
    there, here = data
    names = [path.relative_to(here) for path in here.rglob("*") if path.is_file()]
    assert sorted(names) == sorted(path.relative_to(there) for path in there.rglob("*") if path.is_file())
    assert filecmp.cmpfiles(here, there, map(str, names), shallow=False)[1:] == ([], [])


def test_each_system_verifies_the_other_ones_sessions(bench: Bench, data: tuple[Path, Path]) -> None:
    """`replay --verify` finds Windows' sessions as recorded here, and ours as recorded there."""
    there, here = data
    count = len(DataSet(here).transcripts_of_all())
    status, out, told = bench.dayfour("replay", here, "--verify", "--pilot")
    assert (status, f"{count} of {count} sessions" in out) == (0, True), told
    run_here("replay", there, "--verify", "--pilot")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # imageio-ffmpeg leaves a pipe open
def test_each_system_films_the_other_ones_session(bench: Bench, data: tuple[Path, Path], tmp_path: Path) -> None:
    """The film that is made there of our session is as long as the one made here of theirs, and shows the same."""
    there, here = (next(folder.rglob("*_transcript.jsonl")) for folder in data)
    options = ("--pilot", "--speed", "50", "--video")
    status, _, told = bench.dayfour("replay", here, *options, tmp_path / "there.mp4")
    assert status == 0, told
    run_here("replay", there, *options, tmp_path / "here.mp4")
    films = [list(frames(tmp_path / name)) for name in ("there.mp4", "here.mp4")]
    assert len(films[0]) == len(films[1]) > FPS
    for one, other in zip(*films, strict=True):
        assert abs(one.astype(int) - other).mean() < 1


def frames(film: Path) -> Iterator[np.ndarray]:
    """The pictures of a film."""
    read = imageio_ffmpeg.read_frames(str(film))
    next(read)
    return (np.frombuffer(one, np.uint8) for one in read)


def test_what_an_earlier_version_recorded_verifies_there(bench: Bench) -> None:
    """Repeating each recorded session and comparing all its files finds nothing."""
    status, out, told = bench.python(VERIFIES, *DATA_SETS.values())
    assert (status, out.split()) == (0, ["[]"] * len(DATA_SETS)), told


def test_sessions_are_judged_and_tabled(bench: Bench, data: tuple[Path, Path]) -> None:
    """`qa` writes its page, and `table` prints the table that lies there."""
    there, _ = data
    assert bench.dayfour("qa", there, "--pilot")[0] in {0, 1}
    assert next(there.rglob("qa.html")).stat().st_size > 0
    transcript = next(there.rglob("*_transcript.jsonl"))
    status, table, _ = bench.dayfour("table", transcript, "--pilot")
    stem = transcript.name.removesuffix("_transcript.jsonl")
    assert (status, table) == (0, next(there.rglob(f"{stem}_beh.tsv")).read_text(encoding="utf-8"))


@pytest.mark.parametrize("encoding", KINDS)
def test_files_of_windows_programs_are_imported_unchanged(bench: Bench, tmp_path: Path, encoding: str) -> None:
    """Windows' line ends and encodings: the text arrives to the code point."""
    rows = ["participant;writer;relationship;text", f"DF1;Änne;mother;{KINDS[encoding]}"]
    (tmp_path / "sent.csv").write_bytes("\r\n".join(rows).encode(encoding))
    into = tmp_path / "taken"
    status, _, told = bench.dayfour("messages", "import", tmp_path / "sent.csv", "--messages", into)
    assert status == 0, told
    assert [(one.writer, one.text) for one in Folder(into).read("DF1")] == [("Änne", KINDS[encoding])]


def test_encrypted_messages_open_on_both_systems(bench: Bench, tmp_path: Path) -> None:
    """What is encrypted there opens here with the passphrase, umlauts and all, and no plain file is left."""
    shutil.copy(ROOT / "stimuli" / "examples" / "english.csv", tmp_path / "sub-DF1.csv")
    before = read_messages(tmp_path / "sub-DF1.csv")
    status, _, told = bench.dayfour("messages", "encrypt", "--messages", tmp_path, typed=f"{PHRASE}\n" * 2)
    assert status == 0, told
    assert not (tmp_path / "sub-DF1.csv").exists()
    folder = Folder(tmp_path).unlocked(PHRASE)
    assert tuple(folder.read("DF1")) == before


def test_the_display_is_measured(small_display: str) -> None:
    """`check` gets resolution and scaling by ctypes also after pyglet has given the shared libraries its types."""
    code = (
        "import pyglet.libs.win32; from experiment.system.windows import Windows, libraries; "
        "screen = Windows(libraries()).screen(); print(screen.width_px, screen.height_px, screen.scaling)"
    )
    status, out, told = Bench(display=small_display).python(code)
    assert (status, out.strip()) == (0, "1280 720 1.0"), told


@pytest.mark.parametrize("name", ["trail. ", "con"])
def test_a_name_that_windows_cannot_have_is_refused(bench: Bench, tmp_path: Path, name: str) -> None:
    """Nothing is made under another name."""
    status, _, told = bench.dayfour("simulate", "--subjects", "1", "--out", tmp_path / name)
    assert (status, f"Windows cannot have a file or folder named '{name}'" in told) == (2, True), told
    assert not [*tmp_path.iterdir()]
