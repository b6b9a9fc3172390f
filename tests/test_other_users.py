"""Another user of the computer can neither read what is private nor have anything read or overwritten."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from experiment.design.message import read_messages
from experiment.errors import EquipmentFailure
from experiment.messages.preview import preview
from experiment.messages.store import Folder
from experiment.storage.atomic_file import write_whole
from experiment.study import setup
from experiment.study.register import Register
from experiment.system import no_core_dumps
from experiment.task.layout import Layout
from tests.lab import LIMIT_S, Lab, by_keyboard, is_message, participates
from tests.places import EXAMPLES, ROOT
from tests.registers import MONDAY, PUBLIC_KEYS, STUDY, noon
from tests.strategies import PROTOCOL
from tests.test_privacy import PASSPHRASE, sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.xtest import Hands

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


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def nobody(*command: str) -> subprocess.CompletedProcess[bytes]:
    """What becomes of a command of the user nobody."""
    return subprocess.run([*NOBODY, *command], capture_output=True, check=False)


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


def test_no_attack_succeeds_where_the_program_has_no_rights() -> None:
    """All attacks on register, seals, sessions and lock, and all hostile files, with the program run by nobody."""
    if nobody(sys.executable, "-c", "import pytest").returncode:
        pytest.skip("the environment is in a folder that others cannot enter")
    with TemporaryDirectory() as home:
        Path(home).chmod(0o777)
        clean = ["env", "-i", f"PATH={os.environ['PATH']}", f"HOME={home}", f"TMPDIR={home}"]
        suite = [str(ROOT / "tests" / f"test_{name}.py") for name in ("attacks", "hostile_files", "atomic_file")]
        plain = [
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "--rootdir",
            str(ROOT),
            "-c",
            f"{ROOT}/pyproject.toml",
        ]
        done = nobody(*clean, sys.executable, "-B", "-m", "pytest", *plain, *suite)
    assert done.returncode == 0, done.stdout.decode()[-2000:]
    assert b" skipped" not in done.stdout


DIES = """
import os, signal, sys
from pathlib import Path
from experiment.design.message import read_messages
from experiment.messages.store import Folder
folder, messages = Folder(Path(sys.argv[1])), read_messages(Path(sys.argv[2]))
folder.write("DF1", messages[:1])
os.replace = os.rename = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
folder.write("DF1", messages)
"""


def test_what_a_killed_program_leaves_is_closed_to_others(shared: Path) -> None:
    """Killed between writing messages and giving the file its name: the rest that lies there is read by nobody else."""
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(shared), str(EXAMPLES / "english.csv")], cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    left = list(shared.glob(".sub-DF1.csv.*"))
    assert [path.stat().st_size > 1000 for path in left] == [True]
    assert nobody("cat", str(left[0])).returncode == 1


LOCKS = """
import fcntl, os, sys
for path in sys.argv[1:]:
    fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_who_may_only_read_can_hold_up_an_act_but_loses_none(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a reader locks the register an act is refused with what to do, and nothing is written; then it is."""
    monkeypatch.setattr("experiment.storage.lock.WAIT_S", 0.3)
    register = Register(shared / "study", lambda: noon(MONDAY))
    setup.set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    before = register.path.read_bytes()
    command = [*NOBODY, "/usr/bin/python3", "-c", LOCKS, str(register.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(EquipmentFailure, match="Check which other computer uses it, and try again"):
            setup.enrol(register, "DF001", "north", "RA")
        other.terminate()
    assert register.path.read_bytes() == before
    assert setup.enrol(register, "DF001", "north", "RA")


# What a process tells others of itself, and what it has open or shares: as the user nobody sees it.
LOOKS = """
import os, sys
seen = b""
for pid in sys.argv[1:]:
    for name in ("cmdline", "environ", "status", "maps", "mem"):
        try:
            seen += open(f"/proc/{pid}/{name}", "rb").read()
        except OSError:
            pass
for folder in sys.stdin.read().splitlines():
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                seen += open(os.path.join(here, name), "rb").read(1 << 22)
            except OSError:
                pass
sys.stdout.buffer.write(seen)
"""


def test_another_user_learns_nothing_while_a_message_is_shown(
    shared: Path, small_display: str, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process of the session, no file of the lab, no temporary and no shared memory shows nobody a word or name."""
    monkeypatch.setenv("TMPDIR", str(shared))
    lab = Lab(small_display, shared)
    secret = sealed(lab) | {PASSPHRASE} | {message.writer for message in ENGLISH[:2]}
    sitting = lab.runs(typed=f"{PASSPHRASE}\n")
    participates(sitting, by_keyboard(hands), is_message)
    family = family_of(sitting.process.pid)
    assert len(family) > 0
    looked = subprocess.run(
        [*NOBODY, "/usr/bin/python3", "-c", LOOKS, *map(str, family)], capture_output=True, check=True,
        input=f"{shared}\n/dev/shm\n".encode(),
    ).stdout.decode("utf-8", "replace")  # fmt: skip
    sitting.process.kill()
    sitting.process.communicate()
    assert [one for one in ("--operator", lab.protocol.read_text()[:200]) if one not in looked] == []  # it did look
    assert {word for word in secret if word in looked} == set()


def family_of(pid: int) -> list[int]:
    """A process and all that it started, which live."""
    children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(one for child in children for one in family_of(child))]


@pytest.mark.parametrize("command", ["run", "preview --subject DF1", "decrypt", "check"])
def test_a_crash_writes_no_memory_of_whoever_opens_messages(
    command: str, shared: Path, small_display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is given the passphrase a program may not be dumped any more, nor what it begins; here nobody's.

    The system gives a process's memory in /proc to root where neither a file nor a collector may have it.
    """
    monkeypatch.setenv("HOME", str(shared))
    lab = Lab(small_display, shared)
    sealed(lab)
    for path in (shared / "participants").iterdir():
        os.chown(path, 65534, 65534)
    given = ("messages", *command.split(), *lab.places()[-2:])
    waits = lab.runs(prefix=NOBODY) if command == "run" else lab.begins(*given, prefix=NOBODY)
    deadline_s = time.monotonic() + LIMIT_S
    while not (is_nobodys(here := Path(f"/proc/{waits.process.pid}")) and (here / "mem").stat().st_uid == 0):
        assert time.monotonic() < deadline_s, "it can still be dumped"
        assert waits.process.poll() is None, waits.ends()
        time.sleep(0.02)
    limits = (here / "limits").read_text().splitlines()
    waits.process.kill()
    waits.process.communicate()
    assert [line.split()[4:6] for line in limits if "core" in line] == [["0", "0"]]


def is_nobodys(process: Path) -> bool:
    """Whether the user nobody has begun the program there; `setpriv` itself may not be dumped either."""
    begun = (process / "cmdline").read_text().split("\0")
    return "\nUid:\t65534" in (process / "status").read_text() and "setpriv" not in begun and "experiment" in begun
