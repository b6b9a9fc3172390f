"""Another user of the computer can neither read what is private nor have anything read or overwritten."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from experiment.design.message import read_messages
from experiment.messages.preview import preview
from experiment.messages.store import Folder
from experiment.storage.atomic_file import write_whole
from experiment.system import no_core_dumps
from experiment.task.layout import Layout
from tests.places import EXAMPLES
from tests.strategies import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGLISH = read_messages(EXAMPLES / "english.csv")
pytestmark = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or not shutil.which("setpriv"), reason="another user is needed"
)


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder in which everybody may make, rename and delete files, as on a careless network drive."""
    with TemporaryDirectory() as name:  # pytest's own folders let nobody else in
        Path(name).chmod(0o755)
        folder = Path(name) / "shared"
        folder.mkdir()
        folder.chmod(0o777)
        yield folder


def nobody(*command: str) -> subprocess.CompletedProcess[bytes]:
    """What becomes of a command of the user nobody."""
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    return subprocess.run([*user, *command], capture_output=True, check=False)


def test_another_user_reads_no_message_and_no_picture(shared: Path) -> None:
    """Messages, previews and the folder's record of changes are closed to others, wherever they lie."""
    folder = Folder(shared)
    folder.write("DF1", ENGLISH)
    folder.note("something")
    preview("DF1", ENGLISH[:1], PROTOCOL, Layout(1280, 720), shared / "preview")
    files = [path for path in shared.rglob("*") if path.is_file() and path.name != ".gitignore"]
    assert len(files) == 4
    assert nobody("ls", str(shared)).returncode == 0
    for path in files:
        done = nobody("cat", str(path))
        assert (done.returncode, done.stdout) == (1, b""), path


def test_links_that_another_user_plants_lead_nowhere(shared: Path) -> None:
    """A link in place of a file or of a temporary one has nothing written through it."""
    secret = shared.parent / "of root.txt"
    write_whole(secret, b"Keep me", private=True)
    for name in ("sub-DF1.csv", f".sub-DF1.csv.{os.getpid()}", ".sub-DF1.csv"):
        assert nobody("ln", "-s", str(secret), str(shared / name)).returncode == 0
    Folder(shared).write("DF1", ENGLISH)
    assert secret.read_bytes() == b"Keep me"
    assert not (shared / "sub-DF1.csv").is_symlink()
    assert nobody("cat", str(shared / "sub-DF1.csv")).returncode == 1


def core_limit() -> tuple[int, int]:
    """How large a core dump of this process may be, in bytes, now and at most."""
    return resource.getrlimit(resource.RLIMIT_CORE)


def test_no_process_with_messages_leaves_its_memory() -> None:
    """A process of a pool as the check and the drawing have them can write no core dump."""
    with ProcessPoolExecutor(1, get_context("spawn"), no_core_dumps) as pool:
        assert pool.submit(core_limit).result() == (0, 0)
