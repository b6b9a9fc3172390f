"""Where the register of a data set lies: in the folder `study` there, or in one that several computers share.

A computer that shares one has its name in `study/elsewhere.txt`. So no command has to be told, and a computer that
cannot reach the shared folder runs no session without the register. A data set has one of both, never both.
"""

from __future__ import annotations

from pathlib import Path

from experiment.errors import BadInput, EquipmentFailure
from experiment.storage.atomic_file import write_whole
from experiment.storage.lock import lock_file
from experiment.storage.read_file import read_text
from experiment.study.register import BESIDE, REGISTER, Register

FOLDER, ELSEWHERE = "study", "elsewhere.txt"


def register_in(data: Path) -> Register:
    """The register of this data set, whether it has begun or not; EquipmentFailure if a shared one cannot be reached.

    BadInput if the data set names a shared register beside one of its own, or names none in its file.
    """
    own, pointer = Register(data / FOLDER), data / FOLDER / ELSEWHERE
    if not is_shared(data):
        return own
    if left := [name for name in (REGISTER, *BESIDE) if (own.folder / name).exists()]:
        raise BadInput(
            f"{own.folder} holds a register of its own ({', '.join(left)}) and {ELSEWHERE}, which names another one. "
            f"A study has only one: find out who put {ELSEWHERE} there, and remove the wrong one."
        )
    register = Register(_named(pointer))
    if not register.path.exists():
        raise EquipmentFailure(
            f"The study's register is expected in {register.folder}, which cannot be reached now. Connect that "
            "folder, then start again. Without the register no session can start."
        )
    return register


def is_shared(data: Path) -> bool:
    """Whether this data set uses a register that lies elsewhere, so that other data sets may hold sessions of it."""
    return (data / FOLDER / ELSEWHERE).exists()


def _named(pointer: Path) -> Path:
    try:
        folder = Path(read_text(pointer).strip())
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{pointer} cannot be read. Run `dayfour study join FOLDER` again.") from error
    if not folder.is_absolute():
        raise BadInput(f"{pointer} does not contain a folder's full path. Run `dayfour study join FOLDER` again.")
    return folder


def find_register(data: Path) -> Register | None:
    """The register of this data set; None if it has no study.

    A folder from which the register is gone is still a study's: then the register's own words say so. One with
    an empty register and nothing else was left by a beginning that was refused, and is no study.
    """
    folder = data / FOLDER
    if not folder.exists() or _is_unbegun(folder):
        return None
    return register_in(data)


def _is_unbegun(folder: Path) -> bool:
    return [path.name for path in folder.iterdir()] == [REGISTER] and not (folder / REGISTER).stat().st_size


def share_register(data: Path, folder: Path) -> Register:
    """The register in a folder that this data set may use; BadInput if the data set has its own already."""
    own = Register(data / FOLDER)
    if folder.resolve() == own.folder.resolve():
        raise BadInput(f"{folder} is the data set's own register folder. Leave out --folder, or choose another.")
    if own.path.exists() and not _is_unbegun(own.folder):
        raise BadInput(f"{data} has a register of its own, in {own.folder}, which it keeps. Choose another --data.")
    return Register(folder.absolute())


def join(data: Path, folder: Path) -> Register:
    """Let this data set use the register in `folder` from now on; the register.

    BadInput if there is none, or if the data set has its own; EquipmentFailure if that folder cannot lock files.
    """
    register = share_register(data, folder)
    register.entries()
    with lock_file(register.path):
        (data / FOLDER / REGISTER).unlink(missing_ok=True)  # an empty one, which a refused beginning left
        write_whole(data / FOLDER / ELSEWHERE, f"{register.folder}\n")
    return register
