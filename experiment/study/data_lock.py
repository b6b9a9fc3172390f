"""The digest of all data that unblinding and analysis read: what was changed, added or deleted since is named.

Beside the register, `locked_sha256.txt` lists every file with its digest, in the form that `sha256sum --check` reads;
the register holds the digest of that list. Whoever reads data of another kind after the lock adds their pattern here.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from experiment.errors import BadInput
from experiment.storage.atomic_file import write_whole
from experiment.storage.read_file import read_file
from experiment.study.events import Locked

LEAST = ("sub-*/**/*.tsv", "phenotype/*.tsv")
LISTED = "locked_sha256.txt"
PATTERNS = (
    "sourcedata/**/*.jsonl",  # transcripts, and the log of daily reports
    "sub-*/**/*.tsv",
    "sub-*/**/*.json",
    "phenotype/*.tsv",
    "phenotype/*.json",
    "participants.tsv",
)
MOST_NAMED = 10


def lock_data(data: Path, beside: Path, sessions: int) -> Locked:
    """The act that locks the data as they are; their list is written into the folder `beside`, that of the register."""
    text = _listing(data, PATTERNS)
    write_whole(beside / LISTED, text)
    return Locked(sessions, _digest(text), PATTERNS)


def check_locked(data: Path, beside: Path, locked: Locked) -> None:
    """BadInput names what is not as it was when it was locked, or if the lock leaves out what every lock covers."""
    if not set(LEAST) <= set(locked.patterns):
        raise BadInput("The study's lock does not cover all tables. Restore the register from a copy.")
    text = _listing(data, locked.patterns)
    if _digest(text) != locked.data_sha256:
        named = _changes(text, _listed(beside, locked))
        raise BadInput(
            f"The data in {data} differ from the locked data:\n{listed(named)}\nRestore them from a copy. Nothing was "
            "shown or recorded."
        )


def _listing(data: Path, patterns: Sequence[str]) -> str:
    """Names and digests of the files, the same on every computer."""
    found = {path.relative_to(data).as_posix(): path for pattern in patterns for path in data.glob(pattern)}
    files = {name: path for name, path in found.items() if path.is_file()}
    return "".join(f"{sha256(read_file(files[name])).hexdigest()}  {name}\n" for name in sorted(files))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _listed(beside: Path, locked: Locked) -> str | None:
    """The list as it was written at the lock; None if it is not there, or was changed."""
    path = beside / LISTED
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return text if _digest(text) == locked.data_sha256 else None


def _changes(now: str, then: str | None) -> list[str]:
    if then is None:
        return [f"(which files is unknown, because {LISTED} is missing or was changed too)"]
    lists = ({name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}
             for text in (now, then))  # fmt: skip
    present, before = lists
    words = {
        name: "deleted" if name not in present else "added" if name not in before else "changed"
        for name in sorted({*present, *before})
        if present.get(name) != before.get(name)
    }
    return [f"{name}: {word}" for name, word in words.items()]


def listed(lines: Sequence[str]) -> str:
    """A line each, of many the first."""
    more = [f"... and {len(lines) - MOST_NAMED} more"] if len(lines) > MOST_NAMED else []
    return "\n".join(f"  {line}" for line in [*lines[:MOST_NAMED], *more])
