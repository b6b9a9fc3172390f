"""The study's register on real disks: nothing readable unblinds, and no place is lost, skipped or given twice."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

import msgspec
import pytest

from experiment.design.visit import Visit
from experiment.errors import BadInput, EquipmentFailure
from experiment.record.dataset import DataSet
from experiment.storage import encryption
from experiment.storage import lock as file_lock
from experiment.storage.atomic_file import write_whole
from experiment.storage.chained_log import LogHead
from experiment.study import seals, setup
from experiment.study.allocation import draw, packing_rows, treatments
from experiment.study.events import (
    Act,
    Begun,
    Consented,
    CourseStarted,
    Dosed,
    Enrolled,
    Locked,
    Recovered,
    Unblinded,
    Withdrew,
)
from experiment.study.location import find_register
from experiment.study.register import ALLOCATION, HEAD, KITS, PACKING, REGISTER, AllocationSlot, Register
from experiment.study.seals import open_packing
from experiment.study.sessions import record_end, update_participants_tsv
from experiment.study.setup import Allocation, enrol, set_up
from experiment.study.snapshot import Snapshot
from experiment.study.study_file import Study, StudyClock
from experiment.study.unblinding import lock, unblind_all, unblind_one
from tests.places import ROOT
from tests.registers import run_session

LIMIT_S = 30.0
FIRST, LAST = (datetime(2026, 11, day, 12, tzinfo=timezone.utc) for day in (1, 28))
STUDY = Study("Invented", 6, ("north", "south"), ("drugazine", "placebo"), (2, 4), 7, StudyClock("Europe/Berlin"))
PASSPHRASE = "correct horse battery"  # noqa: S105 - of keys that are made for these tests


class Keys(NamedTuple):
    """Somebody's key, and what they give away."""

    private: Any
    public: str


def new_keys() -> Keys:
    """A pair without a passphrase, which would take a second."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    return Keys(identity, str(identity.to_public()))


@pytest.fixture(scope="module")
def unblinder() -> Keys:
    """Whoever may unblind."""
    return new_keys()


@pytest.fixture(scope="module")
def pharmacy() -> Keys:
    """The pharmacy."""
    return new_keys()


@pytest.fixture
def register(tmp_path: Path, unblinder: Keys, pharmacy: Keys) -> Register:
    """A study that has begun in a data set on the first of the month; now is the end of it."""
    folder = tmp_path / "data" / "study"
    set_up(Register(folder, lambda: FIRST), STUDY, unblinder.public, pharmacy.public, "PI")
    return Register(folder, lambda: LAST)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def allocation_of(register: Register, unblinder: Keys) -> Allocation:
    """What is hidden."""
    sealed = (register.folder / ALLOCATION).read_bytes()
    return msgspec.json.decode(encryption.decrypt(sealed, unblinder.private), type=Allocation)


def recorded(register: Register, *acts: Act) -> None:
    """Acts that nobody refuses."""
    for act in acts:
        register.act("RA", lambda _, act=act: act)  # type: ignore[misc]


def whole_study(register: Register) -> None:
    """One participant with both sessions, enrolled on the first of the month, and one who left."""
    first = Register(register.folder, lambda: FIRST)
    act = enrol(first, "DF1", "north", "RA").act
    enrol(first, "DF2", "south", "RA")
    assert isinstance(act, Enrolled)
    recorded(register, Consented("DF1", "2026-11-01", "1"))
    data = DataSet(register.folder.parent)
    courses: tuple[Literal[1, 2], ...] = (1, 2)
    for course, day in zip(courses, (2, 23), strict=True):
        recorded(register, CourseStarted("DF1", course, f"2026-11-{day:02}", act.kits[course - 1]))
        began = datetime(2026, 11, day + 3, 12, tzinfo=timezone.utc)
        record_end(register, data, run_session(data, Visit("DF1", course), began), "RA")
    recorded(register, Withdrew("DF2", "moved away"))
    update_participants_tsv(data, register.read())


# --- How a study begins ---


def test_each_file_opens_with_its_own_key_only(register: Register, unblinder: Keys, pharmacy: Keys) -> None:
    """The allocation is the unblinder's, the packing list the pharmacy's, and both tell of the same kits."""
    assert sorted(contents(register.folder)) == sorted([ALLOCATION, HEAD, KITS, PACKING, REGISTER])
    hidden = allocation_of(register, unblinder)
    assert open_packing(register, pharmacy.private) == packing_rows(STUDY, hidden.slots)
    assert register.kits() == tuple(AllocationSlot(slot.stratum, slot.place, slot.kits) for slot in hidden.slots)
    for name, key in ((ALLOCATION, pharmacy), (PACKING, unblinder), (ALLOCATION, new_keys())):
        with pytest.raises(encryption.WrongKey):
            encryption.decrypt((register.folder / name).read_bytes(), key.private)


INIT = """
import json, os, resource, sys
written = []
def note(event, arguments):
    if event == "open" and not isinstance(arguments[0], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
        written.append(os.fsdecode(arguments[0]))
sys.addaudithook(note)
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
from experiment.__main__ import app
try:
    app(["study", *sys.argv[1:]])
finally:
    print(json.dumps([written, resource.getrlimit(resource.RLIMIT_CORE)[0]]))
"""


def test_no_plaintext_touches_the_disk(tmp_path: Path, unblinder: Keys, pharmacy: Keys) -> None:
    """The process writes to the study's folder only, leaves no core dump, and no file there tells the orders."""
    home, study = tmp_path / "home", tmp_path / "study"
    home.mkdir()
    env = {
        **os.environ,
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", INIT, "init", "--operator", "PI", "--unblinder", unblinder.public]
    command += ["--pharmacy", pharmacy.public, "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, check=True)
    written, core_bytes = msgspec.json.decode(done.stdout.splitlines()[-1])
    assert core_bytes == 0
    assert {os.path.dirname(path) for path in written if path != os.devnull} == {str(study)}  # noqa: PTH120 - as noted

    hidden = allocation_of(Register(study), unblinder)
    plain = encryption.decrypt((study / ALLOCATION).read_bytes(), unblinder.private)
    packing = encryption.decrypt((study / PACKING).read_bytes(), pharmacy.private)
    pieces = [text[at : at + 48] for text in (plain, packing) for at in range(0, len(text.rstrip()) - 48, 16)]
    pieces += [hidden.secret, hidden.secret.hex().encode(), msgspec.json.encode(hidden.secret)[1:-1], b'"AB"', b'"BA"']
    known = msgspec.json.encode(hidden.plan) + b'"packing_sha256":"%s"' % str(hidden.packing_sha256).encode()
    public = [piece for piece in pieces if piece in known]
    for path, content in {**contents(tmp_path), "told": done.stdout + done.stderr}.items():
        assert [piece for piece in pieces if piece in content and piece not in public] == [], path
    assert b"AB" not in (study / KITS).read_bytes()  # kits have no vowels


def test_the_sizes_of_the_sealed_files_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sealed is as long with one allocation as with any other, and filled up to whole pages."""
    sizes: set[tuple[int, ...]] = set()
    monkeypatch.setattr(encryption, "encrypt", lambda content, _: content)
    for number in range(50):
        slots = draw(STUDY, b"%d" % number)
        both = Allocation(bytes(32), STUDY, slots), packing_rows(STUDY, slots)
        sizes.add(tuple(len(setup._sealed(one, "")) for one in both))
    assert len(sizes) == 1
    assert all(size % 4096 == 0 for size in sizes.pop())


def test_a_second_beginning_is_refused(register: Register, unblinder: Keys, pharmacy: Keys) -> None:
    """Nothing of a study that has begun is overwritten, also if its register is gone; nothing changes."""
    before = contents(register.folder)
    with pytest.raises(BadInput, match="already a study"):
        set_up(register, STUDY, unblinder.public, pharmacy.public, "PI")
    assert contents(register.folder) == before
    register.path.unlink()
    with pytest.raises(BadInput, match="restore it from a copy"):
        set_up(register, STUDY, unblinder.public, pharmacy.public, "PI")
    with pytest.raises(BadInput, match="missing"):
        register.entries()
    assert contents(register.folder) == {name: text for name, text in before.items() if name != REGISTER}


@pytest.mark.parametrize("step", range(4))
def test_an_interrupted_beginning_looks_like_none(
    tmp_path: Path, unblinder: Keys, pharmacy: Keys, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Whenever it is cut off, no study has begun, and it can begin anew with another allocation."""
    register, steps = Register(tmp_path / "study"), iter(range(9))

    def failing(original: Callable[..., None]) -> Callable[..., None]:
        def one(*arguments: Any, **named: Any) -> None:
            if next(steps) == step:
                raise KeyboardInterrupt
            original(*arguments, **named)

        return one

    with monkeypatch.context() as patch:
        patch.setattr("experiment.study.setup.write_whole", failing(write_whole))
        patch.setattr(file_lock.LockedFile, "write", failing(file_lock.LockedFile.write))
        with pytest.raises(KeyboardInterrupt):
            set_up(register, STUDY, unblinder.public, pharmacy.public, "PI")
    for use in (register.entries, register.kits, lambda: enrol(register, "DF1", "north", "RA")):
        with pytest.raises(BadInput, match="There is no study in"):
            use()
    set_up(register, STUDY, unblinder.public, pharmacy.public, "PI")
    assert len(register.entries()) == 1
    assert len(register.kits()) == 12


def test_two_keys_are_needed(tmp_path: Path, unblinder: Keys) -> None:
    """The pharmacy's key does not unblind: the same key for both is a mistake."""
    with pytest.raises(BadInput, match="two different keys"):
        set_up(Register(tmp_path), STUDY, unblinder.public, unblinder.public, "PI")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("given", ["age1nothing", "none.txt", "private"])
def test_what_is_no_public_key_is_refused(tmp_path: Path, unblinder: Keys, given: str) -> None:
    """Neither a mistyped key, nor a file that is not there, nor a private key, which is never shown."""
    (tmp_path / "private").write_text(str(unblinder.private))
    with pytest.raises(BadInput) as refused:
        seals.read_public(given if given.startswith("age1") else str(tmp_path / given))
    assert "SECRET" not in str(refused.value)


# --- How participants come into it ---


def test_places_are_given_in_turn(register: Register) -> None:
    """Each stratum has its own row of places, with the kits that lie ready for them."""
    kits = {(place.stratum, place.place): place.kits for place in register.kits()}
    for number, (stratum, place) in enumerate([("north", 1), ("south", 1), ("north", 2), ("north", 3), ("south", 2)]):
        entry = enrol(register, f"sub-DF{number}", stratum, " RA ")
        assert entry.act == Enrolled(f"DF{number}", stratum, place, kits[stratum, place])
        assert entry.who == "RA"
        assert register.entries()[-1] == entry


@pytest.mark.parametrize(
    ("subject", "stratum", "who", "why"),
    [
        ("DF1", "north", "RA", "already enrolled"),
        ("DF1", "south", "RA", "already enrolled"),
        ("df1", "south", "RA", "differ in more than capital letters"),
        ("DF 2", "north", "RA", "letters and digits"),
        ("", "north", "RA", "letters and digits"),
        ("DF2", "North", "RA", "north, south"),
        ("DF2", "", "RA", "north, south"),
        ("DF2", "full", "RA", "north, south"),
        ("DF2", "north", " ", "initials"),
        ("DF2", "north", "R\nA", "initials"),
        ("DF2", "north", "R" * 41, "initials"),
    ],
)
def test_a_wrong_enrolment_changes_nothing(register: Register, subject: str, stratum: str, who: str, why: str) -> None:
    """IDs, strata and initials that cannot be meant are refused with the reason."""
    enrol(register, "DF1", "north", "RA")
    before = contents(register.folder)
    with pytest.raises(BadInput, match=why):
        enrol(register, subject, stratum, who)
    assert contents(register.folder) == before


def test_a_full_stratum_is_refused(register: Register) -> None:
    """Nobody gets a place that is not there, and the other stratum has all of its own."""
    for number in range(6):
        enrol(register, f"DF{number}", "north", "RA")
    with pytest.raises(BadInput, match="All 6 places"):
        enrol(register, "DF9", "north", "RA")
    enrol(register, "DF9", "south", "RA")


@pytest.mark.parametrize("name", [ALLOCATION, PACKING, KITS])
@pytest.mark.parametrize("harm", ["changed", "lost"])
def test_nobody_is_enrolled_beside_damaged_files(register: Register, name: str, harm: str) -> None:
    """A sealed file or the list of kits that was changed or lost is named, and nobody gets a place meanwhile."""
    path = register.folder / name
    whole = path.read_bytes()
    path.unlink() if harm == "lost" else path.write_bytes(whole[:-1] + b"?")
    with pytest.raises(BadInput, match=name):
        enrol(register, "DF1", "north", "RA")
    path.write_bytes(whole)
    assert enrol(register, "DF1", "north", "RA").act == Enrolled("DF1", "north", 1, register.kits()[0].kits)


WORKER = """
import os, sys, time
from pathlib import Path
from experiment.errors import BadInput
from experiment.study.register import Register
from experiment.study.setup import enrol

write = os.write
def bit_by_bit(descriptor, data):  # so that kills fall within a line too
    written = write(descriptor, data[:60])
    time.sleep(0.0005)
    return written

os.write = bit_by_bit
register = Register(Path(sys.argv[1]))
for subject in sys.argv[2:]:
    try:
        entry = enrol(register, subject, ("north", "south")[int(subject) % 2], "RA")
        print(subject, entry.act.place, flush=True)
    except BadInput as error:
        if "already enrolled" not in str(error):
            raise
"""


def worker(folder: Path, subjects: Sequence[str]) -> subprocess.Popen[str]:
    """A process that enrols the subjects and tells each place."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), *subjects], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def killed_once(process: subprocess.Popen[str], random: Random) -> list[str]:
    """What the process told, until it was killed at some moment after its first few places."""
    assert process.stdout
    told = [process.stdout.readline() for _ in range(random.randint(1, 3))]
    time.sleep(random.uniform(0, 0.03))
    process.kill()
    rest = process.communicate()[0]
    return [*told, *rest[: rest.rfind("\n") + 1].splitlines()]  # it may have died in the middle of a line


def test_ten_processes_enrol_two_hundred_and_some_are_killed(tmp_path: Path, unblinder: Keys, pharmacy: Keys) -> None:
    """Every participant has one place, none is skipped or given twice, and nothing that was told is lost."""
    register, random = Register(tmp_path / "study"), Random(1)
    set_up(register, msgspec.structs.replace(STUDY, participants=100), unblinder.public, pharmacy.public, "PI")
    shares = [[f"{number:03}" for number in range(first, 200, 10)] for first in range(10)]
    workers = [worker(register.folder, share) for share in shares]
    told = []
    for at in (0, 3, 6, 9, 0, 3):
        told += killed_once(workers[at], random)
        workers[at] = worker(register.folder, shares[at])
    for process in workers:
        told += process.communicate(timeout=LIMIT_S)[0].splitlines()
        assert process.returncode == 0

    acts = [entry.act for entry in register.entries()]
    enrolled = {act.subject: act for act in acts if isinstance(act, Enrolled)}
    assert Counter(type(act) for act in acts if not isinstance(act, Recovered)) == {Begun: 1, Enrolled: 200}
    assert sorted(enrolled) == sorted(subject for share in shares for subject in share)
    for stratum in STUDY.strata:
        assert [act.place for act in enrolled.values() if act.stratum == stratum] == list(range(1, 101))
    kits = {(place.stratum, place.place): place.kits for place in register.kits()}
    assert all(act.kits == kits[act.stratum, act.place] for act in enrolled.values())
    assert all(enrolled[subject].place == int(place) for subject, place in map(str.split, filter(str.strip, told)))


# --- The register ---


def test_a_torn_line_is_cut_off_and_told(register: Register) -> None:
    """Wherever a crash cuts the last line, those before it count, and the next act comes after a note of it."""
    whole, head = register.path.read_bytes(), (register.folder / HEAD).read_bytes()
    enrol(register, "DF1", "north", "RA")
    longer = register.path.read_bytes()
    for size in (*range(len(whole) + 1, len(longer) - 1, 29), len(longer) - 1):
        (register.folder / HEAD).write_bytes(head)
        register.path.write_bytes(longer[:size])
        assert len(register.entries()) == 1
        act = enrol(register, "DF2", "north", "RA").act
        assert isinstance(act, Enrolled)
        assert act.place == 1
        acts = [entry.act for entry in register.entries()]
        assert acts[1:] == [Recovered(size - len(whole)), act]


@pytest.mark.parametrize("lines", [1, 2])
def test_a_lost_head_is_a_loss(register: Register, lines: int) -> None:
    """From the first line on the register is not believed without its head, and gives no kit."""
    enrol(register, "DF1", "north", "RA")
    (register.folder / HEAD).unlink()
    register.path.write_bytes(b"".join(register.path.read_bytes().splitlines(keepends=True)[:lines]))
    for use in (register.entries, lambda: enrol(register, "DF2", "north", "RA")):
        with pytest.raises(BadInput, match=r"head\.json is missing"):
            use()


def test_the_head_is_there_before_the_first_line(
    tmp_path: Path, unblinder: Keys, pharmacy: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the first line is written the head lies beside it; killed between, a register of one line is whole."""
    there, write = list[bool](), file_lock.LockedFile.write

    def noted(self: file_lock.LockedFile, size: int, line: bytes) -> None:
        there.append((tmp_path / "study" / HEAD).exists())
        write(self, size, line)

    monkeypatch.setattr(file_lock.LockedFile, "write", noted)
    register = Register(tmp_path / "study")
    set_up(register, STUDY, unblinder.public, pharmacy.public, "PI")
    assert there == [True]
    empty = LogHead(0, sha256().hexdigest())
    (register.folder / HEAD).write_bytes(msgspec.json.encode(empty))
    assert len(register.entries()) == 1
    enrol(register, "DF1", "north", "RA")
    (register.folder / HEAD).write_bytes(msgspec.json.encode(empty))
    with pytest.raises(BadInput, match="missing"):
        register.entries()


def test_a_refused_beginning_leaves_nothing(
    tmp_path: Path, unblinder: Keys, pharmacy: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused for its initials, its lock or a full disk, `init` leaves no study, and sessions go on without one."""
    register = Register(tmp_path / "study")

    def full(*_: object) -> None:
        raise EquipmentFailure("The disk is full.")

    with pytest.raises(BadInput, match="initials"):
        set_up(register, STUDY, unblinder.public, pharmacy.public, "")
    assert not register.folder.exists()
    places: list[tuple[object, str]] = [
        (file_lock, "_check_locks"),
        (file_lock.LockedFile, "write"),
        (setup, "_sealed"),
    ]
    for where, name in places:
        with monkeypatch.context() as patch:
            patch.setattr(where, name, full)
            with pytest.raises(EquipmentFailure):
                set_up(register, STUDY, unblinder.public, pharmacy.public, "PI")
        assert find_register(tmp_path) is None
    set_up(register, STUDY, unblinder.public, pharmacy.public, "PI")
    assert (found := find_register(tmp_path))
    assert found.path == register.path


def test_a_refused_act_leaves_only_the_note_of_the_torn_line(register: Register) -> None:
    """Whoever is refused after a crash has the register made whole all the same."""
    with register.path.open("ab") as file:
        file.write(b'{"previous":')

    def refuse(_: Snapshot) -> Act:
        raise BadInput("Not now.")

    with pytest.raises(BadInput, match="Not now"):
        register.act("RA", refuse)
    assert [type(entry.act) for entry in register.entries()] == [Begun, Recovered]


def changed(lines: list[bytes], at: int) -> list[bytes]:
    """Other initials in a line."""
    return [*lines[:at], lines[at].replace(b'"who":"', b'"who":"X'), *lines[at + 1 :]]


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize(
    "harm",
    [
        changed,
        lambda lines, at: [*lines[:at], *lines[at + 1 :]],
        lambda lines, at: [*lines[: at + 1], *lines[at:]],
        lambda lines, at: lines[:at],
        lambda lines, at: [*lines[:at], b"{}\n", *lines[at + 1 :]],
        lambda lines, at: [*lines[:at], b"\xff\n", *lines[at + 1 :]],
    ],
    ids=["changed", "lost", "twice", "cut off", "empty", "no text"],
)
def test_a_changed_register_stops_everything(
    register: Register, harm: Callable[[list[bytes], int], list[bytes]], at: int
) -> None:
    """Whichever line was changed, lost or doubled, also the last: the line is named, nothing is read or added."""
    for number in range(4):
        enrol(register, f"DF{number}", "north", "RA")
    harmed = b"".join(harm(register.path.read_bytes().splitlines(keepends=True), at))
    register.path.write_bytes(harmed)
    for use in (register.entries, lambda: enrol(register, "DF9", "north", "RA")):
        with pytest.raises(BadInput, match=r"line \d"):
            use()
    assert register.path.read_bytes() == harmed


def test_another_versions_register_is_named_as_such(register: Register) -> None:
    """It is no damage."""
    register.path.write_bytes(register.path.read_bytes().replace(b'"schema":1', b'"schema":2'))
    for use in (register.entries, register.begun, register.kits):
        with pytest.raises(BadInput, match="schema 2; this version reads 1"):
            use()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, 0])
def test_a_folder_that_cannot_lock_is_refused(
    register: Register, unblinder: Keys, pharmacy: Keys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    """Whether it says so (ENOLCK, EOPNOTSUPP) or grants everybody a lock: nobody is enrolled, and no study begins."""

    def flock(_descriptor: int, _how: int) -> None:
        if number:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    before = contents(register.folder)
    with pytest.raises(EquipmentFailure, match=r"cannot lock(?s:.*)study join"):
        enrol(register, "DF1", "north", "RA")
    assert contents(register.folder) == before
    with pytest.raises(EquipmentFailure, match="cannot lock"):
        set_up(Register(tmp_path / "new"), STUDY, unblinder.public, pharmacy.public, "PI")
    assert contents(tmp_path / "new") == {REGISTER: b""}


def test_who_waits_for_long_is_told(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as another one holds the register nobody adds to it; afterwards they do."""
    monkeypatch.setattr(file_lock, "WAIT_S", 0.1)
    with file_lock.lock_file(register.path), pytest.raises(EquipmentFailure, match="in use"):
        enrol(register, "DF1", "north", "RA")
    enrol(register, "DF1", "north", "RA")


def test_a_full_disk_records_nothing(register: Register) -> None:
    """An act that does not fit leaves the register as it was, and can be repeated once there is room."""
    import resource

    before, (least, most) = contents(register.folder), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (register.path.stat().st_size + 50, most))
    try:
        with pytest.raises(EquipmentFailure, match="Nothing was recorded"):
            enrol(register, "DF1", "north", "RA")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    assert contents(register.folder) == before
    enrol(register, "DF1", "north", "RA")


def test_an_act_is_on_the_disk_before_it_is_told(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """The register is synced after the line was written."""
    synced: list[bytes] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        if os.path.samestat(os.fstat(descriptor), register.path.stat()):
            synced.append(register.path.read_bytes())

    monkeypatch.setattr(os, "fsync", noted)
    enrol(register, "DF1", "north", "RA")
    assert synced == [register.path.read_bytes()]


# --- How the treatments become known ---


def test_the_study_is_locked_when_all_is_done(register: Register, tmp_path: Path) -> None:
    """Sessions that are missing and findings nobody answered are listed; then nothing but unblinding can follow."""
    data = tmp_path / "data"
    with pytest.raises(BadInput, match="No participants are enrolled"):
        lock(register, data, "PI", tuple)
    whole_study(register)
    enrol(register, "DF3", "north", "RA")
    with pytest.raises(BadInput, match=r"sub-DF3 ses-1(?s:.*)sub-DF3 ses-2") as refused:
        lock(register, data, "PI", tuple)
    assert "DF1" not in str(refused.value)
    recorded(register, Withdrew("DF3", "changed their mind"))
    with pytest.raises(BadInput, match="late frames"):
        lock(register, data, "PI", lambda: ["sub-DF1 ses-1: late frames"])
    lock(register, data, "PI", tuple)
    locked = register.read().lock
    assert locked
    assert locked.sessions == 2
    before = contents(register.folder)
    for use in (
        lambda: lock(register, data, "PI", tuple),
        lambda: enrol(register, "DF4", "north", "RA"),
        lambda: recorded(register, Dosed("DF1", "2026-11-02", taken=True)),
    ):
        with pytest.raises(BadInput, match="locked"):
            use()
    assert contents(register.folder) == before


def test_all_are_unblinded_after_the_lock(register: Register, tmp_path: Path, unblinder: Keys) -> None:
    """The table has what the allocation has, for its owner only, and the register says so first."""
    data, out = tmp_path / "data", tmp_path / "unblinded.tsv"
    whole_study(register)
    with pytest.raises(BadInput, match="not locked"):
        unblind_all(register, data, unblinder.private, "PI", "end", out)
    lock(register, data, "PI", tuple)
    assert unblind_all(register, data, unblinder.private, "PI", "end", out) == 2
    assert register.entries()[-1].act == Unblinded(None, "end")
    assert out.stat().st_mode & 0o777 == 0o600
    rows = [line.split("\t") for line in out.read_text().splitlines()]
    assert rows[0] == ["participant_id", "session_id", "stratum", "order", "kit", "treatment"]
    expected = []
    for subject, stratum in (("DF1", "north"), ("DF2", "south")):
        slot = next(one for one in allocation_of(register, unblinder).slots if one.stratum == stratum)
        for session in (0, 1):
            treatment = treatments(STUDY, slot.order)[session]
            row = [f"sub-{subject}", f"ses-{session + 1}", stratum, slot.order, slot.kits[session], treatment]
            expected.append(row)
    assert rows[1:] == expected


def test_locked_tables_that_changed_are_not_unblinded(register: Register, tmp_path: Path, unblinder: Keys) -> None:
    """What was locked is what is analysed: a changed or a new table is refused until all is as before."""
    whole_study(register)
    data, table = tmp_path / "data", next((tmp_path / "data").rglob("*_beh.tsv"))
    lock(register, data, "PI", tuple)
    for path, text in (
        (table, "trial\n2\n"),
        (table.with_name("sub-DF1_more.tsv"), "trial\n1\n"),
        (next(data.rglob("*_transcript.jsonl")), None),
        (data / "phenotype" / "daily.tsv", "new"),
    ):
        before = path.read_text() if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.unlink() if text is None else path.write_text(text)
        with pytest.raises(BadInput, match=f"differ from the locked data(?s:.*){path.name}"):
            unblind_all(register, data, unblinder.private, "PI", "end", tmp_path / "out.tsv")
        path.unlink() if before is None else path.write_text(before)
    assert isinstance(register.entries()[-1].act, Locked)
    assert unblind_all(register, data, unblinder.private, "PI", "end", tmp_path / "out.tsv") == 2


@pytest.mark.parametrize(
    ("out", "why"), [("data/x.tsv", "in the data set"), ("no/x.tsv", "does not exist"), ("old", "already exists")]
)
def test_the_table_goes_nowhere_else(register: Register, tmp_path: Path, unblinder: Keys, out: str, why: str) -> None:
    """Not into the data set, not over another file, not into a folder that is not there; and nothing is recorded."""
    whole_study(register)
    (tmp_path / "old").write_text("something")
    lock(register, tmp_path / "data", "PI", tuple)
    with pytest.raises(BadInput, match=why):
        unblind_all(register, tmp_path / "data", unblinder.private, "PI", "end", tmp_path / out)
    assert isinstance(register.entries()[-1].act, Locked)


def test_an_emergency_is_recorded_before_it_is_shown(
    register: Register, unblinder: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One participant's treatments are shown at any time; if that cannot be recorded, they are not."""
    enrol(register, "DF1", "north", "RA")
    enrol(register, "DF2", "north", "RA")
    slots = [slot for slot in allocation_of(register, unblinder).slots if slot.stratum == "north"]
    for subject, slot in zip(("DF1", "sub-DF2"), slots, strict=False):
        shown = unblind_one(register, unblinder.private, "PI", subject, " seizure ")
        assert shown == treatments(STUDY, slot.order)
        assert register.entries()[-1].act == Unblinded(subject.removeprefix("sub-"), "seizure")
    monkeypatch.setattr("experiment.storage.lock._lock", lambda _: None)
    with pytest.raises(EquipmentFailure, match="cannot lock"):
        unblind_one(register, unblinder.private, "PI", "DF1", "seizure")


@pytest.mark.parametrize(("subject", "reason", "why"), [("DF9", "seizure", "not enrolled"), ("DF1", " ", "reason")])
def test_an_unfounded_emergency_shows_nothing(
    register: Register, unblinder: Keys, subject: str, reason: str, why: str
) -> None:
    """Somebody who is not enrolled, or no reason: refused, and not recorded."""
    enrol(register, "DF1", "north", "RA")
    before = contents(register.folder)
    with pytest.raises(BadInput, match=why):
        unblind_one(register, unblinder.private, "PI", subject, reason)
    assert contents(register.folder) == before


def test_another_key_opens_nothing(register: Register, tmp_path: Path, pharmacy: Keys, unblinder: Keys) -> None:
    """The pharmacy's key does not unblind, the unblinder's does not pack, and nothing is recorded."""
    whole_study(register)
    lock(register, tmp_path / "data", "PI", tuple)
    before = contents(tmp_path)
    for use in (
        lambda: unblind_one(register, pharmacy.private, "PI", "DF1", "seizure"),
        lambda: unblind_all(register, tmp_path / "data", pharmacy.private, "PI", "end", tmp_path / "out.tsv"),
        lambda: open_packing(register, unblinder.private),
    ):
        with pytest.raises(encryption.WrongKey, match="This is not the key for"):
            use()
    assert contents(tmp_path) == before


# --- The same from the command line ---


def study(*arguments: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    """One command, as a person gives it."""
    command = [sys.executable, "-m", "experiment", "study", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, input=typed, capture_output=True, text=True, check=False)


def test_a_study_from_its_keys_to_an_emergency(tmp_path: Path, pharmacy: Keys) -> None:
    """Key, beginning, enrolment and unblinding by the commands; without the key nothing is shown."""
    key, folder = tmp_path / "pi.age", tmp_path / "study"
    made = study("key", "--out", key, typed=PASSPHRASE)
    assert made.stdout == (tmp_path / "pi.age.public.txt").read_text()
    assert key.stat().st_mode & 0o777 == 0o600
    assert "never overwritten" in study("key", "--out", key, typed=PASSPHRASE).stderr

    common = ("--data", tmp_path, "--operator", "PI")
    begun = study("init", "--unblinder", f"{key}.public.txt", "--pharmacy", pharmacy.public, *common)
    assert "40 places in each stratum (north, south)" in begun.stderr
    place = Register(folder).kits()[0]
    assert " and ".join(place.kits).replace(" and", " in course 1, kit") in study(
        "enrol", "--subject", "017", "--stratum", "north", *common
    ).stderr  # fmt: skip

    asked = ("unblind", "--subject", "017", "--reason", "seizure", "--key", key, *common)
    assert "It is needed to break the code" in study(*asked[:-5], tmp_path / "none", *common).stderr
    assert len(Register(folder).entries()) == 2
    shown = study(*asked, typed=PASSPHRASE).stdout.splitlines()
    assert sorted(line.split("\t")[2] for line in shown) == ["naltrexone", "placebo"]
    assert Register(folder).entries()[-1].act == Unblinded("017", "seizure")
