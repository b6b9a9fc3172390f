"""The launcher, started as a person starts it, in a small checkout of its own: nothing here needs the network.

The system packages and the Pythons of other computers are played by small programs on PATH; the environment, pip and
the package that is installed are real.
"""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
TOOLS = ("cat", "chmod", "cmp", "cut", "dirname", "grep", "id", "mkdir", "readlink", "rm", "sed", "sh", "sync", "tail")
PROGRAM = """import os, sys, probe
print(probe.VERSION, os.getcwd(), *sys.argv[1:], sep='|')
sys.exit(7 if 'seven' in sys.argv else 0)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="dayfour is the launcher of Linux and macOS")


def executable(path: Path, text: str) -> None:
    """Writes a small program."""
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def wheel(folder: Path, version: str, name: str = "probe") -> str:
    """Makes a package of one module as a wheel in `folder`; returns its line for a lock."""
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = '{version}'\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


class Checkout:
    """A fresh clone with a tiny program and one locked package, on a computer whose PATH is `tools`."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "Tag vier äöü 第四天"
        self.tools = folder / "bin"
        self.wheels = folder / "wheels"
        self.lock = self.root / "requirements.lock"
        for path in (self.root / "experiment", self.tools, self.wheels):
            path.mkdir(parents=True)
        shutil.copy(ROOT / "dayfour", self.root)
        (self.root / "experiment" / "__init__.py").touch()
        (self.root / "experiment" / "__main__.py").write_text(PROGRAM)
        for tool in TOOLS:
            (self.tools / tool).symlink_to(str(shutil.which(tool)))
        self.python(sys.executable)

    def python(self, command: str) -> None:
        """Puts one Python on PATH."""
        executable(self.tools / "python3", f'exec "{command}" "$@"\n')
        for name in ("python3.10", "python3.11", "python3.12", "python"):
            executable(self.tools / name, "exit 127\n")

    def start(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Starts Day Four from `cwd` with no way to any package but `wheels`."""
        environment = {"PATH": str(self.tools), "HOME": str(self.root.parent), "LC_ALL": "C.UTF-8"}
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri()}
        environment |= {"PIP_USER": "1", "PYTHONPATH": "/nowhere"}  # what another program may have left there
        command = [str(self.root / "dayfour"), *arguments]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    def copied(self, folder: Path) -> "Checkout":
        """The same in another place, environment and all."""
        copy = Checkout(folder)
        shutil.rmtree(copy.root)
        shutil.copytree(self.root, copy.root, symlinks=True)
        shutil.copytree(self.wheels, copy.wheels, dirs_exist_ok=True)
        return copy


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh checkout."""
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout after its first start. Tests leave it as it is."""
    checkout = Checkout(tmp_path_factory.mktemp("made"))
    checkout.lock.write_text(wheel(checkout.wheels, "1.0"))
    first = checkout.start()
    assert (first.returncode, "the environment is ready" in first.stderr) == (0, True), first.stderr
    return checkout


def pinned(lock: str) -> list[str]:
    """The entries of a lock, each with its hashes, without comments."""
    text = re.sub(r"^ *#.*\n", "", lock, flags=re.MULTILINE)
    return text.replace("\\\n", "").splitlines()


def test_lock_holds_no_address() -> None:
    """The lock names packages, versions and hashes, and no place to fetch them from."""
    lock = LOCK.read_text()
    assert not re.search(r"://|www\.|@|^ *-", re.sub(r"^ +--hash=sha256:", "", lock, flags=re.MULTILINE), re.MULTILINE)


def test_lock_pins_every_package_with_its_hashes() -> None:
    """Every entry of the lock is one version of one package with at least one SHA-256."""
    entry = re.compile(r"[a-z0-9-]+==[\w.]+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{64})+ *")
    entries = pinned(LOCK.read_text())
    assert len(entries) > 100
    assert [line[:60] for line in entries if not entry.fullmatch(line)] == []


def test_lock_holds_every_named_package() -> None:
    """Every package that pyproject.toml names is locked, and where it names a version, in that one."""
    project = (ROOT / "pyproject.toml").read_text().split("[build-system]")[0]
    named = re.findall(r'^    "([A-Za-z0-9-]+)(?:==([\d.]+))?[;"]', project, re.MULTILINE)
    locked = {tuple(line.split(" ")[0].split("==")) for line in pinned(LOCK.read_text())}
    assert len(named) > 20
    assert {name for name, _ in named} <= {name for name, _ in locked}
    assert {(name, version) for name, version in named if version} <= locked


def test_environment_is_made_once(made: Checkout) -> None:
    """A second start uses the environment as it is, in the caller's folder, with its arguments and exit status."""
    stamp = made.root / ".venv" / "stamp"
    before = stamp.stat()
    started = made.start("pilot", "two words", "seven", cwd=made.wheels)
    assert (started.returncode, started.stdout) == (7, f"1.0|{made.wheels}|pilot|two words|seven\n")
    assert started.stderr == ""
    assert (stamp.stat().st_ino, stamp.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_dayfour_works_inside_the_environment(made: Checkout) -> None:
    """The environment's own `dayfour` and its Python find the program from any folder."""
    folder = made.root / ".venv" / "bin"
    for command in ([str(folder / "dayfour"), "check"], [str(folder / "python"), "-m", "experiment", "check"]):
        assert subprocess.check_output(command, cwd="/", text=True) == "1.0|/|check\n"


def test_changed_lock_is_installed_anew(made: Checkout, tmp_path: Path) -> None:
    """After an update of the lock the environment holds the new versions and nothing of the old."""
    checkout = made.copied(tmp_path)
    checkout.lock.write_text(wheel(checkout.wheels, "2.0", "successor"))
    program = checkout.root / "experiment" / "__main__.py"
    program.write_text(program.read_text().replace("probe", "successor"))
    updated = checkout.start()
    assert updated.stdout.startswith("2.0|"), updated.stderr
    assert list((checkout.root / ".venv").rglob("probe*")) == []


def test_moved_checkout_is_set_up_again(made: Checkout, tmp_path: Path) -> None:
    """An environment that was made in another place is made anew, for its scripts name that place."""
    checkout = made.copied(tmp_path)
    moved = checkout.start()
    assert (moved.returncode, moved.stdout.split("|")[0]) == (0, "1.0"), moved.stderr
    assert str(tmp_path) in (checkout.root / ".venv" / "bin" / "pip").read_text()


def test_package_with_another_hash_is_refused(checkout: Checkout) -> None:
    """A package that is not the locked one ends the set-up with exit status 4, and nothing trusts what was made."""
    wheel(checkout.wheels, "1.0")
    checkout.lock.write_text("probe==1.0 --hash=sha256:" + "0" * 64 + "\n")
    refused = checkout.start()
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "not the one that was locked" in refused.stderr
    assert not (checkout.root / ".venv" / "stamp").exists()


@pytest.mark.parametrize("version", ["3.9", "3.13"])
def test_other_python_is_refused(checkout: Checkout, version: str) -> None:
    """With another Python only, the launcher names the versions that PsychoPy needs and the one it found."""
    executable(checkout.tools / "fake", f"echo {version}\n")
    checkout.python(str(checkout.tools / "fake"))
    text = (checkout.root / "dayfour").read_text()
    (checkout.root / "dayfour").write_text(text.replace(" /usr/bin/python3 ", " "))  # this computer's own
    refused = checkout.start("pilot")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert "PsychoPy 2026.2.5 needs Python 3.10 to 3.12. Found:" in refused.stderr
    assert f"python3 is {version};" in refused.stderr
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize(("t64", "sound"), [("", "libasound2"), ("un ;ii ;", "libasound2t64")])
def test_without_root_the_one_command_is_printed(checkout: Checkout, t64: str, sound: str) -> None:
    """On Debian without root one command with that release's names of the missing packages is printed, nothing made."""
    states = f'case "$*" in *"lib*t64"*) printf "{t64}" ;; *) printf "ii  xvfb\\nun  xauth\\n" ;; esac\n'
    executable(checkout.tools / "dpkg-query", states)
    (checkout.tools / "id").unlink()
    executable(checkout.tools / "id", "echo 1000\n")
    refused = checkout.start("pilot")
    assert refused.returncode == 4
    commands = [line for line in refused.stderr.splitlines() if line.startswith("sudo apt-get install ")]
    assert len(commands) == 1
    packages = commands[0].split()[4:]
    assert {sound, "libxcb-cursor0", "xauth"} <= set(packages)
    assert "xvfb" not in packages
    assert not (checkout.root / ".venv").exists()


def test_test_alone_wants_the_packages_of_the_tests(made: Checkout, tmp_path: Path) -> None:
    """Every command but `test` starts without them; `test` names those that are missing, and starts when they came."""
    checkout = made.copied(tmp_path)
    assert checkout.start("check").returncode == 0  # made anew in this place
    text = (ROOT / "dayfour").read_text()
    wanted = re.findall(r"^test_packages='([^']+)'", text, re.MULTILINE)[0].split()
    found = 'for name in "$@"; do [ "$name" = "{}" ] || printf "ii  %s\\n" "$name"; done\n'
    executable(checkout.tools / "dpkg-query", found.format(wanted[0]))
    (checkout.tools / "id").unlink()
    executable(checkout.tools / "id", "echo 1000\n")
    assert checkout.start("check").returncode == 0
    refused = checkout.start("test", "-k", "name")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert f"sudo apt-get install --no-install-recommends {wanted[0]}\n" in refused.stderr
    executable(checkout.tools / "dpkg-query", found.format("nothing"))
    assert checkout.start("test", "-k", "name").stdout.endswith("|test|-k|name\n")


def test_packages_of_the_tests_are_installed_as_root(made: Checkout, tmp_path: Path) -> None:
    """As root they are installed, without touching the environment; what apt-get cannot do is said in its words."""
    checkout = made.copied(tmp_path)
    assert checkout.start("check").returncode == 0
    stamp = (checkout.root / ".venv" / "stamp").stat().st_mtime_ns
    executable(checkout.tools / "dpkg-query", "exit 1\n")
    (checkout.tools / "id").unlink()
    executable(checkout.tools / "id", "echo 0\n")
    executable(checkout.tools / "apt-get", f'echo "$*" >>"{tmp_path}/asked"\n')
    assert checkout.start("test").returncode == 0
    assert "install --no-install-recommends x11-xkb-utils" in (tmp_path / "asked").read_text()
    assert (checkout.root / ".venv" / "stamp").stat().st_mtime_ns == stamp
    (checkout.tools / "head").symlink_to(str(shutil.which("head")))
    executable(checkout.tools / "apt-get", 'echo "E: no such package"; exit 100\n')
    refused = checkout.start("test")
    assert refused.returncode == 4
    assert "E: no such package" in refused.stderr


def test_a_python_for_everybody_comes_before_ones_own(checkout: Checkout) -> None:
    """Where there are two, the environment is made with the Python that the computer's other users can use too."""
    checkout.lock.write_text(wheel(checkout.wheels, "1.0"))
    own = checkout.root.parent / ".pyenv" / "python"
    own.parent.mkdir()
    answers = 'case "$3" in *base_prefix*) echo ;; *version_info*) echo 3.12 ;; *) exit 3 ;; esac\n'
    executable(own, answers)  # as one in this user's home answers
    executable(checkout.tools / "python3.12", f'exec "{own}" "$@"\n')
    started = checkout.start("check")
    assert (started.returncode, started.stdout.split("|")[0]) == (0, "1.0"), started.stderr


@pytest.mark.skipif(not shutil.which("setpriv") or os.getuid() != 0, reason="only root can start as somebody else")
def test_a_python_out_of_reach_is_named_with_the_cure(made: Checkout) -> None:
    """A second user, who may not use the Python in the first one's home, is told whose it is and what helps."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        checkout = made.copied(Path(folder) / "all")
        python = checkout.root / ".venv" / "bin" / "python"
        hidden = Path(folder) / "home" / "python"
        hidden.parent.mkdir(mode=0o700)
        shutil.copy(python.resolve(), hidden)
        python.unlink()
        python.symlink_to(hidden)
        (checkout.root / ".venv" / "pyvenv.cfg").write_text(f"home = {hidden.parent}\n")
        somebody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
        environment = {"PATH": str(checkout.tools), "HOME": "/nonexistent"}
        command = [str(shutil.which(somebody[0])), *somebody[1:], str(checkout.root / "dayfour"), "check"]
        refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert f"a Python that you may not use: {hidden.parent}." in refused.stderr
    assert "install Python 3.10 to 3.12 for everybody" in refused.stderr


HOLD = """
import fcntl, os, struct, sys
for path in sys.argv[2:]:
    descriptor = os.open(path, os.O_RDWR if sys.argv[1] == "alone" else os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    if os.path.isfile(path):
        kind = fcntl.F_WRLCK if sys.argv[1] == "alone" else fcntl.F_RDLCK
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack("hhqqixxxx", kind, 0, 0, 0, 0))
    if sys.argv[1] != "alone":
        fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere readers can hold a lock")
def test_a_start_waits_for_who_makes_the_environment(made: Checkout, tmp_path: Path) -> None:
    """While somebody has the environment alone a start waits and says so; then it starts."""
    checkout = made.copied(tmp_path)
    assert checkout.start("check").returncode == 0
    command = [sys.executable, "-c", HOLD, "alone", str(checkout.root / ".venv.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        threading.Timer(1.0, other.terminate).start()
        started = checkout.start("check")
    assert (started.returncode, "waiting until it ends" in started.stderr) == (0, True)


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("setpriv"), reason="another user is needed"
)
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_another_user_who_may_only_read_holds_up_nobody(made: Checkout, system: str) -> None:
    """Whatever locks a reader takes on the folder and on every file in it, a start does not wait.

    As macOS has it, too: without the locks of Linux, with those that both have, which any reader can take.
    """
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders let nobody else in
        Path(name).chmod(0o755)
        checkout = made.copied(Path(name) / "lab")
        launcher = checkout.root / "dayfour"
        launcher.write_text(launcher.read_text().replace('sys.platform == "linux"', f'"{system}" == "linux"'))
        assert checkout.start("check").returncode == 0
        own = [str(one) for one in (checkout.root, *checkout.root.iterdir())]
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", HOLD]
        with subprocess.Popen(
            [*nobody, "read", *own], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout
            assert other.stdout.readline() == "held\n"
            started = checkout.start("check")
            other.terminate()
    assert (started.returncode, started.stderr) == (0, "")
