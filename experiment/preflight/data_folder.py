"""The data folder: room, whether it takes data, how soon, and whether it lies on this computer."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from experiment.errors import EquipmentFailure
from experiment.record.finding import Finding, severity_by
from experiment.storage.append_file import ANSWER_S, GrowingFile
from experiment.storage.atomic_file import write_whole
from experiment.storage.lock import is_written
from experiment.system.facts import Computer, Volume

# A session writes some megabytes at most; what else the computer writes meanwhile takes the rest.
LEAST_FREE_MB, LOW_FREE_MB = 100, 1000
SLOW_S = 0.25  # a disk of this computer needs some milliseconds, one that turns or is busy some tens
_WRITES = 5
_CLOUDS = ("dropbox", "google drive", "icloud", "nextcloud", "onedrive", "owncloud")


def items(data: Path, computer: Computer) -> Iterator[Finding]:
    """What can be said of the folder; where it is not there yet, of the one that it will be made in."""
    folder = next(parent for parent in (data.absolute(), *data.absolute().parents) if parent.is_dir())
    yield room(shutil.disk_usage(folder).free)
    yield place(computer.volume(folder), folder)
    yield from writing(folder)


def room(free_bytes: int) -> Finding:
    """Free space."""
    free_mb = free_bytes / 1e6
    found = f"{free_mb / 1000:.1f} GB" if free_mb >= LOW_FREE_MB else f"{free_mb:.0f} MB"
    severity = severity_by(error=free_mb < LEAST_FREE_MB, warning=free_mb < LOW_FREE_MB)
    fix = "Delete files that are not needed and empty the bin, or choose --data on another disk."
    return Finding("free disk", severity, found, None if severity == "ok" else fix, value=round(free_mb, 1), unit="MB")


def place(volume: Volume | None, folder: Path) -> Finding:
    """Where the folder lies."""
    fix = "Choose --data on this computer's own disk, and copy the data after the session."
    if any(cloud in part.lower() for part in folder.parts for cloud in _CLOUDS):
        return Finding("data place", "warning", "a folder that is synchronised with other computers", fix)
    if volume is None:
        return Finding("data place", "note", "could not be determined whether it is on this computer", fix)
    if volume.far:
        return Finding("data place", "warning", f"on another computer ({volume.kind})", fix, value=volume.kind)
    return Finding("data place", "ok", f"on this computer ({volume.kind})", value=volume.kind)


def writing(folder: Path) -> Iterator[Finding]:
    """Save a file some times, as sessions save their tables, and keep one open, as they keep their transcript."""
    try:
        probe = Path(mkdtemp(prefix=".check-", dir=folder))
    except OSError as error:
        yield _refused(error.strerror)
        return
    try:
        yield saving(_save_s(probe / "table"))
        yield locking(held=_holds_locks(probe / "transcript"))
    except EquipmentFailure as error:
        yield _refused(getattr(error.__cause__, "strerror", None))
    except OSError as error:
        yield _refused(error.strerror)
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def saving(times_s: list[float]) -> Finding:
    """How long it takes until a file is safe."""
    slowest_s = max(times_s)
    found = f"writable; a test file was saved within {slowest_s * 1e3:.0f} ms ({len(times_s)} tries)"
    fix = "Close programs that write a lot (backups, updates, downloads), or choose --data on a faster disk."
    severity = severity_by(error=slowest_s > ANSWER_S, warning=slowest_s > SLOW_S)
    return Finding(
        "data folder", severity, found, None if severity == "ok" else fix, value=round(slowest_s * 1e3, 2), unit="ms"
    )


def locking(*, held: bool) -> Finding:
    """Whether the system tells that a file is being written."""
    if held:
        return Finding("file locks", "ok", "work", value=True)
    return Finding(
        "file locks", "warning", "do not work: two programs could write to the same session",
        "Choose --data on this computer's own disk. Until then, start each session only once.", value=False,
    )  # fmt: skip


def _refused(reason: str | None) -> Finding:
    fix = "Free disk space, allow this user to write there, or choose another --data."
    return Finding("data folder", "error", f"cannot be written: {reason or 'for an unknown reason'}", fix, value=False)


def _save_s(path: Path) -> list[float]:
    times_s = []
    for number in range(_WRITES):
        content = f"{number}\n".encode() * 2000
        before_s = time.perf_counter()
        write_whole(path, content)
        times_s.append(time.perf_counter() - before_s)
        if path.read_bytes() != content:
            raise OSError(None, "what was read differs from what was written")
    return times_s


def _holds_locks(path: Path) -> bool:
    file = GrowingFile[bytes](path, lambda said, _: said)
    try:
        file.say(b"a line\n", sync=True)
        held = is_written(path)
    finally:
        unsaved = file.close(ANSWER_S)
    if unsaved is not None:
        raise OSError(None, file.trouble or "it does not respond")
    return held
