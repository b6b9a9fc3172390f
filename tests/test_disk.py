"""A growing file on real disks that are full, slow or lost: what was said is in it, in order and once."""

from __future__ import annotations

import os
import queue
import resource
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment.storage import append_file
from experiment.storage.lock import is_written
from tests.places import ROOT
from tests.small_disks import resize, small_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LIMIT_S = 10.0
LINE = b"0123456789" * 10 + b"\n"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk in trouble is tried again after a moment."""
    monkeypatch.setattr(append_file, "RETRY_S", 0.01)


def growing(path: Path, kept: int = 0, torn: int = 0) -> append_file.GrowingFile[bytes]:
    """A growing file of bytes."""
    return append_file.GrowingFile(path, lambda text, _: text, kept, torn)


@contextmanager
def most_bytes(count: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def until(happened: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline_s = time.monotonic() + LIMIT_S
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def child(code: str, *arguments: object, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A Python process that runs this code."""
    start = "import os, signal, sys\nfrom pathlib import Path\nfrom experiment.storage.append_file import GrowingFile\n"
    command = [*prefix, sys.executable, "-c", start + code]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *map(str, arguments)], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


def test_what_is_said_is_in_the_file(tmp_path: Path) -> None:
    """Folders are made, and after closing the file holds all of it."""
    file = growing(tmp_path / "a" / "b" / "file")
    for number in range(100):
        file.say(b"%d\n" % number, sync=number % 10 == 0)
    assert file.close(LIMIT_S) is None
    assert file.path.read_bytes() == b"".join(b"%d\n" % number for number in range(100))


def test_it_goes_on_after_what_is_kept(tmp_path: Path) -> None:
    """The torn rest is cut off, what was kept stays byte for byte, and what is said follows it."""
    path = tmp_path / "file"
    path.write_bytes(b"kept\ntorn")
    file = growing(path, 5, 4)
    file.say(b"new\n", sync=True)
    assert file.close(LIMIT_S) is None
    assert path.read_bytes() == b"kept\nnew\n"


@pytest.mark.parametrize(("kept", "torn"), [(0, 0), (5, 3), (5, 5), (9, 9)])
def test_a_file_of_another_size_is_refused(tmp_path: Path, kept: int, torn: int) -> None:
    """A file that somebody wrote to since it was looked at stays as it is, also after the refusal."""
    path = tmp_path / "file"
    path.write_bytes(b"kept\ntorn")
    with pytest.raises(FileExistsError):
        growing(path, kept, torn)
    assert path.read_bytes() == b"kept\ntorn"
    assert not is_written(path)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """Nobody else gets a file that is written, in this process or another; a killed process leaves no lock behind."""
    path = tmp_path / "file"
    other = child(
        "file = GrowingFile(Path(sys.argv[1]), lambda text, _: text); print('open', flush=True); input()", path
    )
    assert other.stdout
    assert other.stdout.readline() == "open\n"
    assert is_written(path)
    with pytest.raises(BlockingIOError):
        growing(path)
    other.kill()
    other.communicate()
    assert not is_written(path)
    file = growing(path)
    with pytest.raises(BlockingIOError):
        growing(path)
    assert file.close(LIMIT_S) is None


def test_a_full_disk_is_told_and_waited_for(tmp_path: Path) -> None:
    """Once there is room again all of it is in the file, in order and once, and the trouble is over."""
    file = growing(tmp_path / "file")
    with most_bytes(1000):
        for _ in range(50):
            file.say(LINE, sync=True)
        until(lambda: file.trouble is not None)
        troubles = set()
        for _ in range(200):
            troubles.add(file.trouble)
            time.sleep(0.0005)
        assert troubles == {"File too large"}
        assert not file.settled(0.02)
        assert file.path.stat().st_size == 1000  # a part of a line, too, is taken once
    until(lambda: file.trouble is None)
    assert file.close(LIMIT_S) is None
    assert file.path.read_bytes() == LINE * 50


def test_a_full_file_system_is_waited_for(tmp_path: Path) -> None:
    """The same on a disk without any room left, which is found by nobody but the system."""
    with small_disk(tmp_path / "mount", 64) as folder:
        file = growing(folder / "file")
        for _ in range(2000):
            file.say(LINE, sync=False)
        until(lambda: file.trouble is not None)
        assert file.trouble == "No space left on device"
        resize(folder, 10_000)
        until(lambda: file.trouble is None)
        assert file.close(LIMIT_S) is None
        assert file.path.read_bytes() == LINE * 2000


def test_what_could_not_be_saved_is_given_back(tmp_path: Path) -> None:
    """All of it, also what the disk has taken already and what was there before."""
    path = tmp_path / "file"
    path.write_bytes(LINE)
    file = growing(path, len(LINE))
    with most_bytes(500):
        file.say(LINE * 10, sync=True)
        assert file.close(0.1) == LINE * 11
    assert (LINE * 11).startswith(path.read_bytes())


@pytest.mark.parametrize("rename", [True, False])
def test_a_lost_folder_is_made_anew(tmp_path: Path, rename: bool) -> None:  # noqa: FBT001
    """Deleted or renamed, the file is soon there again with all of it, also what stood in it before this process."""
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    path.write_bytes(LINE)
    file = growing(path, len(LINE))
    file.say(b"1\n", sync=True)
    assert file.settled(LIMIT_S)
    if rename:
        path.parent.rename(tmp_path / "elsewhere")
    else:
        path.unlink()
        path.parent.rmdir()
    file.say(b"2\n", sync=False)
    until(lambda: path.exists() and path.read_bytes() == LINE + b"1\n2\n")
    assert is_written(path)
    file.say(b"3\n", sync=True)
    assert file.close(LIMIT_S) is None
    assert path.read_bytes() == LINE + b"1\n2\n3\n"


PULLED = """
import time
place = Path(sys.argv[1])
file = GrowingFile(place / "drive" / "file", lambda said, _: said)
file.say(b"1", sync=True)
assert file.settled(10)
(place / "drive").rename(place / "pulled")
place.chmod(0o555)
file.say(b"2", sync=True)
while "denied" not in str(file.trouble):
    time.sleep(0.01)
place.chmod(0o755)
print(file.cause)
os._exit(0)
"""


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write anywhere")
def test_a_folder_that_is_gone_is_told_whatever_keeps_it_from_being_made(tmp_path: Path) -> None:
    """As that of a drive that was pulled out, where its place cannot be written: it is lost, not refused."""
    plain = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"] if os.geteuid() == 0 else []
    assert child(PULLED, tmp_path, prefix=plain).communicate()[0] == "lost\n"


def test_another_file_in_its_place_is_never_touched(tmp_path: Path) -> None:
    """It is told as trouble; what was said is given back."""
    path = tmp_path / "file"
    file = growing(path)
    file.say(b"1\n", sync=True)
    assert file.settled(LIMIT_S)
    path.rename(tmp_path / "moved")
    path.write_bytes(b"somebody else's")
    file.say(b"2\n", sync=False)
    until(lambda: file.trouble is not None)
    assert "in its place" in str(file.trouble)
    assert file.close(0.1) == b"1\n2\n"
    assert path.read_bytes() == b"somebody else's"


def test_a_changed_file_is_never_touched(tmp_path: Path) -> None:
    """A disk in trouble comes back, and somebody has written to the file meanwhile: it stays as it is."""
    file = growing(tmp_path / "file")
    file.say(LINE, sync=True)
    assert file.settled(LIMIT_S)
    with most_bytes(150):
        file.say(LINE, sync=True)
        until(lambda: file.trouble is not None)
        write_into(file.path, b"changed")
        changed = file.path.read_bytes()
        until(lambda: "in its place" in str(file.trouble))
    assert file.close(0.1) == LINE * 2
    assert file.path.read_bytes() == changed


def write_into(path: Path, content: bytes) -> None:
    """Another program writes at the beginning of a file, in one step."""
    with path.open("r+b") as other:
        other.write(content)


@pytest.mark.parametrize("late", [True, False])
def test_what_is_said_to_be_saved_was_read_back(tmp_path: Path, late: bool) -> None:  # noqa: FBT001
    """What another program changed within the file is found at the end: all of it is given back, and it stays so."""
    file = growing(tmp_path / "file")
    file.say(LINE * (1 + late), sync=True)
    until(file.is_saved)
    write_into(file.path, b"changed")
    if not late:
        file.say(LINE, sync=True)
    assert file.close(0.3) == LINE * 2
    assert "in its place" in str(file.trouble)
    assert file.path.read_bytes() == (LINE * 2).replace(LINE[:7], b"changed", 1)


def test_what_another_program_appends_is_told_and_not_written_over(tmp_path: Path) -> None:
    """All goes on in memory until somebody has taken it away; then the file is whole."""
    file = growing(tmp_path / "file")
    file.say(LINE, sync=True)
    assert file.settled(LIMIT_S)
    with file.path.open("ab") as other:
        other.write(b"a note")
    file.say(LINE, sync=True)
    until(lambda: "in its place" in str(file.trouble))
    assert file.path.read_bytes() == LINE + b"a note"
    os.truncate(file.path, len(LINE))
    until(lambda: file.trouble is None)
    assert file.close(LIMIT_S) is None
    assert file.path.read_bytes() == LINE * 2


def test_what_another_program_cuts_off_is_written_again(tmp_path: Path) -> None:
    """A file that was made shorter is whole again with the next line."""
    file = growing(tmp_path / "file")
    file.say(LINE * 3, sync=True)
    assert file.settled(LIMIT_S)
    os.truncate(file.path, 5)
    file.say(LINE, sync=True)
    until(lambda: file.path.read_bytes() == LINE * 4)
    assert file.close(LIMIT_S) is None


@pytest.mark.alone
def test_a_slow_sync_delays_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a sync takes 200 ms, saying takes a small part of a frame, and what is said outlives this process soon."""
    file, sync = growing(tmp_path / "file"), os.fsync

    def slow(descriptor: int) -> None:
        time.sleep(0.2)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    said_s, settled = [], []
    for _ in range(60):
        start_s = time.perf_counter()
        file.say(LINE, sync=True)
        said_s.append(time.perf_counter() - start_s)
        settled.append(file.settled(0.1))
        time.sleep(0.01)
    assert sorted(said_s)[-2] < 0.005
    assert all(settled)
    assert file.close(LIMIT_S) is None
    assert file.path.read_bytes() == LINE * 60


def test_what_another_thread_says_meanwhile_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting ends with what was said before it, though more was said once the disk's thread slept again."""
    monkeypatch.setattr(append_file, "LOOK_S", LIMIT_S)
    file = growing(tmp_path / "log")

    class Interrupted(queue.SimpleQueue[None]):
        def get(self, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - as the queue's
            super().get(block, timeout)
            time.sleep(0.1)
            file.say(LINE, sync=False)

    monkeypatch.setattr(file, "_done", Interrupted())
    file.say(LINE, sync=False)
    assert file.settled(1.0)
    monkeypatch.undo()
    assert file.close(LIMIT_S) is None
    assert (tmp_path / "log").read_bytes() == len(file.said) * LINE


def test_a_disk_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not answer for long is in trouble until it does, and closing does not wait for it for ever."""
    monkeypatch.setattr(append_file, "ANSWER_S", 0.1)
    file, answers, sync = growing(tmp_path / "file"), threading.Event(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (answers.wait(LIMIT_S), sync(descriptor)))
    file.say(LINE, sync=True)
    until(lambda: file.trouble == "it does not answer")
    file.say(LINE, sync=True)
    assert file.trouble is not None
    answers.set()
    until(lambda: file.trouble is None)
    answers.clear()
    file.say(LINE, sync=True)
    assert file.close(0.1) == LINE * 3
    answers.set()


def test_what_cannot_be_worded_is_no_silence(tmp_path: Path) -> None:
    """A mistake in the program is trouble, and raised at the end at the latest."""
    file = append_file.GrowingFile[int](tmp_path / "file", lambda number, _: b"%d\n" % (1 // number))
    file.say(1, sync=True)
    assert file.settled(LIMIT_S)
    file.say(0, sync=True)
    until(lambda: file.trouble == "ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        file.close(0.1)
    assert (tmp_path / "file").read_bytes() == b"1\n"


def test_after_a_failed_sync_it_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux forgets what it could not sync, and the next sync succeeds: so all of it is written once more before."""
    file, sync, write, written = growing(tmp_path / "file"), os.fsync, os.write, list[bytes]()
    failures = iter([OSError(5, "Input/output error")])

    def failing(descriptor: int) -> None:
        for error in failures:
            raise error
        sync(descriptor)

    def noted(descriptor: int, text: bytes) -> int:
        written.append(bytes(text))
        return write(descriptor, text)

    monkeypatch.setattr(os, "fsync", failing)
    monkeypatch.setattr(os, "write", noted)
    file.say(LINE, sync=True)
    assert file.close(LIMIT_S) is None
    assert b"".join(written) == LINE * 2
    assert file.path.read_bytes() == LINE


SETTLING = """
file = GrowingFile(Path(sys.argv[1]), lambda text, _: text)
for number in range(int(sys.argv[2])):
    file.say(b"%d\\n" % number, sync=number % 3 == 0)
assert file.settled(10)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("count", [1, 100, 3000])
def test_what_has_settled_outlives_the_process(tmp_path: Path, count: int) -> None:
    """SIGKILL right after `settled` loses nothing."""
    process = child(SETTLING, tmp_path / "file", count)
    process.communicate()
    assert process.returncode == -9
    assert (tmp_path / "file").read_bytes() == b"".join(b"%d\n" % number for number in range(count))


happenings = st.one_of(
    st.tuples(st.just("say"), st.binary(min_size=1, max_size=300), st.booleans()),
    st.tuples(st.sampled_from(["full", "room", "rename", "delete", "settle", "rest"]), st.none(), st.none()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(happenings, max_size=30))
def test_whatever_happens_all_of_it_is_there(happened: list[tuple[str, Any, Any]]) -> None:
    """Full disks, lost folders and rests in any order: at the end the file holds what was said, in order and once."""
    with TemporaryDirectory() as folder, most_bytes(-1):
        path, said, most = Path(folder, "data", "file"), b"", resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        file = growing(path)
        for number, (what, text, sync) in enumerate(happened):
            match what:
                case "say":
                    file.say(text, sync=sync)
                    said += text
                case "full" | "room":
                    size = len(said) + 20 if what == "full" else most
                    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
                case "rename" if path.parent.exists():
                    path.parent.rename(Path(folder, str(number)))
                case "delete":
                    path.unlink(missing_ok=True)
                case "settle":
                    file.settled(0.005)
                case "rest":
                    time.sleep(0.01)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        file.say(b"end", sync=True)
        assert file.close(LIMIT_S) is None
        assert path.read_bytes() == said + b"end"
