"""Where a register lies: in the data set, in a folder that computers share, or out of sight."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from experiment.errors import BadInput, EquipmentFailure
from experiment.record.dataset import DataSet
from experiment.record.tsv import read_rows
from experiment.study import setup
from experiment.study.location import FOLDER, find_register, join, register_in
from experiment.study.register import Register
from tests.places import ROOT
from tests.registers import PUBLIC_KEYS, STUDY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shared(tmp_path: Path) -> Register:
    """A study in a folder that computers share."""
    register = Register(tmp_path / "share" / "our study")
    setup.set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    return register


def test_a_data_set_without_a_study_has_no_register(tmp_path: Path) -> None:
    """Nobody is asked then; a register can begin in its folder."""
    assert find_register(tmp_path) is None
    assert register_in(tmp_path).folder == tmp_path / FOLDER


def test_computers_share_a_register(tmp_path: Path, shared: Register) -> None:
    """Two data sets that joined it give the places of one allocation, each once."""
    for name in ("one", "two"):
        join(tmp_path / name, shared.folder)
        join(tmp_path / name, shared.folder)
    found = [find_register(tmp_path / name) for name in ("one", "two")]
    for register, subject in zip(found, ("DF1", "DF2"), strict=True):
        assert register is not None
        setup.enrol(register, subject, "north", "RA")
    assert [getattr(entry.act, "place", None) for entry in shared.entries()] == [None, 1, 2]


def test_a_shared_register_out_of_sight_is_no_absent_study(tmp_path: Path, shared: Register) -> None:
    """While the folder is not connected, whoever asks is told so, and no session goes by without the register."""
    join(tmp_path, shared.folder)
    shared.folder.rename(tmp_path / "unplugged")
    with pytest.raises(EquipmentFailure, match="Connect that folder"):
        find_register(tmp_path)


def test_a_register_that_is_gone_is_no_absent_study(tmp_path: Path) -> None:
    """Where its file was deleted, and even all files of its folder, there is a study all the same."""
    register = Register(tmp_path / FOLDER)
    setup.set_up(register, STUDY, *PUBLIC_KEYS, "PI")
    for path in (register.path, *register.folder.iterdir()):
        path.unlink(missing_ok=True)
        found = find_register(tmp_path)
        assert found is not None
        with pytest.raises(BadInput, match=r"copy|study init"):
            found.entries()


def test_a_pointer_beside_a_register_is_refused(tmp_path: Path, shared: Register) -> None:
    """Nobody is led to another register while the data set's own, or what is left of it, lies there."""
    own = Register(tmp_path / FOLDER)
    setup.set_up(own, STUDY, *PUBLIC_KEYS, "PI")
    (own.folder / "elsewhere.txt").write_text(f"{shared.folder}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="A study has only one"):
        find_register(tmp_path)
    own.path.unlink()
    with pytest.raises(BadInput, match="A study has only one"):
        find_register(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff", b"study", b"../other"])
def test_a_pointer_to_no_folder_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty or damaged file, or a folder without its whole path, is named."""
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "elsewhere.txt").write_bytes(content)
    with pytest.raises(BadInput, match="study join FOLDER"):
        find_register(tmp_path)


def test_only_a_register_can_be_joined_and_only_once(tmp_path: Path, shared: Register) -> None:
    """A folder without a register is refused, and a data set that has its own keeps it."""
    with pytest.raises(BadInput, match="There is no study in"):
        join(tmp_path, tmp_path / "nothing")
    assert find_register(tmp_path) is None
    setup.set_up(Register(tmp_path / FOLDER), STUDY, *PUBLIC_KEYS, "PI")
    with pytest.raises(BadInput, match="of its own"):
        join(tmp_path, shared.folder)
    with pytest.raises(BadInput, match="own register folder"):
        join(tmp_path, tmp_path / FOLDER)


def test_the_commands_use_a_shared_register_and_participants_follow(tmp_path: Path) -> None:
    """Begun elsewhere, joined from another data set: an act there stands in its participants.tsv."""
    one, two, folder = tmp_path / "one", tmp_path / "two", tmp_path / "share"
    keys = ("--unblinder", PUBLIC_KEYS[0], "--pharmacy", PUBLIC_KEYS[1])
    _study("init", *keys, "--folder", folder, "--operator", "PI", "--data", one)
    assert "from now on" in _study("join", folder, "--data", two)
    data_set = DataSet(two)
    (data_set.root / "sub-DF1").mkdir()
    place = ("--subject", "sub-DF1", "--operator", "RA", "--data", two)
    _study("enrol", "--stratum", "north", *place)
    _study("withdraw", "--reason", "moved away", *place)
    row = read_rows(data_set.root / "participants.tsv", "participant_id")["sub-DF1"]
    assert row["stratum"] == "north"
    assert row["withdrawn"] == row["enrolled"] != "n/a"
    assert "withdrawn" in _study("status", "--data", one)


def _study(*arguments: object) -> str:
    """A command that succeeds, as a person gives it; what it says."""
    command = [sys.executable, "-m", "experiment", "study", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
