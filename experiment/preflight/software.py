"""Python and the packages, against what the lock says."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from experiment.record.finding import Finding, severity_by

PYTHONS = ((3, 10), (3, 11), (3, 12))  # of PsychoPy 2026.2.5
# On these hang pixels and times; a session with others is not the one that was measured.
DECIDING = {"psychopy", "psychtoolbox", "pyglet", "numpy", "typst", "uharfbuzz"}
FIX = "Start ./dayfour (dayfour on Windows) while online: it installs exactly the locked versions."
_NAMED = 6


def items(root: Path) -> Iterator[Finding]:
    """Python and packages; `root` is the folder with requirements.lock."""
    yield python(sys.version_info[:2])
    lock = root / "requirements.lock"
    if not lock.is_file():
        yield Finding("versions", "note", "requirements.lock is missing", "Copy the whole project again.")
        return
    yield versions(read_lock(lock.read_text(encoding="utf-8")))


def python(found: tuple[int, ...]) -> Finding:
    """Whether PsychoPy runs on it."""
    text = ".".join(str(part) for part in found)
    if found in PYTHONS:
        return Finding("python", "ok", text, value=text)
    return Finding("python", "error", f"{text} is not supported", "Install Python 3.10, 3.11 or 3.12.", value=text)


def read_lock(text: str) -> dict[str, str]:
    """The locked version of each package that this computer needs."""
    from packaging.requirements import Requirement

    lines = (line.rstrip("\\ ") for line in text.splitlines() if line[:1].isalnum())
    wanted = (one for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate())
    return {one.name: str(one.specifier).removeprefix("==") for one in wanted}


def versions(wanted: Mapping[str, str]) -> Finding:
    """Whether what is installed is what was locked; packages that differ, by name."""
    differing = [name for name, wish in wanted.items() if _installed(name) != wish]
    differing.sort(key=lambda name: (name not in DECIDING, name))
    if not differing:
        return Finding("versions", "ok", f"all {len(wanted)} packages as locked", value=0.0, unit="packages")
    named = [f"{name} {_installed(name) or 'missing'} instead of {wanted[name]}" for name in differing[:_NAMED]]
    more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
    severity = severity_by(error=not DECIDING.isdisjoint(differing), warning=True)
    return Finding("versions", severity, "; ".join(named) + more, FIX, value=float(len(differing)), unit="packages")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
