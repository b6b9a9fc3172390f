"""Files and folders in a data set that look like data and are none: copies, hidden files, other spellings.

Operating systems and people leave them (`sub-H1 - Copy`, `._sub-H1`, `..._transcript (1).jsonl`). They are never read
as participants, sessions or tables; a person should look, since one of them may hold what was meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from experiment.design.visit import session_number, subject_label
from experiment.record.dataset import TABLE, TRANSCRIPT, DataSet


def find_strays(data: DataSet) -> list[Path]:
    """What is named like data but not exactly so, by its path."""
    sourcedata = data.root / "sourcedata"
    return sorted({*_strays(data.root, "beh"), *_strays(sourcedata, "")})


def _strays(root: Path, below: str) -> Iterator[Path]:
    """Those of a folder of subjects; `below`: the folder within a session's that holds its files."""
    for subject in _entries(root):
        if "sub-" not in subject.name.casefold():
            continue
        if subject_label(subject.name) is None:
            yield subject
            continue
        for session in _entries(subject):
            if session_number(session.name) is not None:
                yield from (path for path in _entries(session / below) if _is_stray_file(path.name))
            elif _looks_like_visit(session.name, subject.name):
                yield session


def _looks_like_visit(name: str, subject: str) -> bool:
    """Whether it is named nearly like a session's folder or the table of sessions."""
    if name in (f"{subject}_sessions.tsv", f"{subject}_sessions.json"):
        return False
    return "ses-" in name.casefold() or "_sessions" in name.casefold()


def _is_stray_file(name: str) -> bool:
    """Whether it is named nearly like a transcript, a trial table or its dictionary."""
    looks = "transcript" in name.casefold() or "_beh" in name.casefold()
    is_own = TRANSCRIPT.fullmatch(name) or TABLE.fullmatch(name.removesuffix(".json") + ".tsv") or TABLE.fullmatch(name)
    return looks and not is_own


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
