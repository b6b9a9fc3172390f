"""Files are made exclusively, under names that nobody can foresee, following no links, with their final rights."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from experiment.errors import EquipmentFailure
from experiment.storage import atomic_file
from experiment.storage.atomic_file import write_whole
from experiment.storage.read_file import read_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and rights of POSIX")
TEXT = b"Sekret"


def test_links_at_the_names_of_temporary_files_are_not_followed(tmp_path: Path) -> None:
    """Whoever plants links at every name that could be foreseen reads nothing and has nothing overwritten."""
    stranger = tmp_path / "stranger.txt"
    stranger.write_bytes(b"mine")
    for name in (f".a.csv.{os.getpid()}", ".a.csv", ".a.csv.tmp", "a.csv.tmp", "a.csv"):
        (tmp_path / name).symlink_to(stranger)
    write_whole(tmp_path / "a.csv", TEXT, private=True)
    assert (stranger.read_bytes(), (tmp_path / "a.csv").read_bytes()) == (b"mine", TEXT)
    assert not (tmp_path / "a.csv").is_symlink()


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the umask, no file can ever be opened by others, and no two temporary names are the same."""
    seen, write = dict[str, int](), atomic_file._write
    umask = os.umask(0)

    def watched(descriptor: int, data: bytes) -> None:
        seen.update({path.name: path.lstat().st_mode for path in (tmp_path / "new").iterdir()})
        write(descriptor, data)

    monkeypatch.setattr(atomic_file, "_write", watched)
    try:
        for content in (TEXT, TEXT + b"!"):
            write_whole(tmp_path / "new" / "a.csv", content, private=True)
    finally:
        os.umask(umask)
    seen["a.csv"] = (tmp_path / "new" / "a.csv").lstat().st_mode
    assert len(seen) == 3
    assert {stat.S_IMODE(mode) for mode in seen.values()} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_rights_that_are_too_wide_are_mended(tmp_path: Path) -> None:
    """A private file of the same content that others could read is written anew, for its owner only."""
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT)
    path.chmod(0o644)
    write_whole(path, TEXT, private=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Where the place is taken by a folder the error names it, and no temporary file stays."""
    (tmp_path / "a.csv" / "in it").mkdir(parents=True)
    with pytest.raises(EquipmentFailure, match=r"a\.csv cannot be saved"):
        write_whole(tmp_path / "a.csv", TEXT)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "large"])
def test_what_might_never_end_is_not_read(tmp_path: Path, kind: str) -> None:
    """A pipe, a device, a folder and a file beyond its limit each fail at once, with the reason in words."""
    path = tmp_path / "a"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"x" * 11)
    failed: list[OSError] = []

    def read() -> None:
        try:
            read_file(path, 10)
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(5)
    assert failed
    assert failed[0].strerror
