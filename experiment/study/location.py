"""Where the register of a data set lies: in the folder `study` there, or in one that several computers share.

A computer that shares one has its name in `study/elsewhere.txt`. So no command has to be told, and a computer that has
lost sight of the shared folder holds no session without the register.
"""

from __future__ import annotations

from pathlib import Path

from experiment.errors import BadInput, EquipmentFailure
from experiment.storage.atomic_file import write_whole
from experiment.storage.lock import lock_file
from experiment.study.register import Register

FOLDER, ELSEWHERE = "study", "elsewhere.txt"


def register_in(data: Path) -> Register:
    """The register of this data set, whether it has begun or not; EquipmentFailure if a shared one is out of sight."""
    pointer = data / FOLDER / ELSEWHERE
    if not pointer.exists():
        return Register(data / FOLDER)
    register = Register(Path(pointer.read_text(encoding="utf-8").rstrip("\n")))
    if not register.path.exists():
        raise EquipmentFailure(
            f"The study's register is expected in {register.folder}, and is not there now. Connect that folder, then "
            "start again: without the register nobody knows whether a session may be held today."
        )
    return register


def find_register(data: Path) -> Register | None:
    """The register of this data set; None if it has no study.

    A folder from which the register is gone is a study's all the same: then the register's own words say so.
    """
    return register_in(data) if (data / FOLDER).exists() else None


def share_register(data: Path, folder: Path) -> Register:
    """The register in a folder that this data set may use; BadInput if the data set has its own already."""
    own = Register(data / FOLDER)
    if own.path.exists():
        raise BadInput(f"{data} has a register of its own, in {own.folder}, and keeps it. Choose another --data.")
    return Register(folder.absolute())


def join(data: Path, folder: Path) -> Register:
    """Let this data set use the register in `folder` from now on; the register.

    BadInput if there is none, or if the data set has its own; EquipmentFailure if that folder cannot lock files.
    """
    register = share_register(data, folder)
    register.entries()
    with lock_file(register.path):
        write_whole(data / FOLDER / ELSEWHERE, f"{register.folder}\n")
    return register
