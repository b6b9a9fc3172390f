"""One visit of one participant, the day four of a course: the identity of a session in paths, tables and messages.

The task's name is a property of what was done on that visit and never part of its identity: the same session with a
translated protocol is the same visit.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from msgspec import Struct

LABEL = r"[A-Za-z0-9]{1,32}"  # of a subject, as BIDS asks of `sub-<label>`
NUMBER = r"[1-9][0-9]{0,2}"
_SUBJECT = re.compile(rf"sub-({LABEL})")
_SESSION = re.compile(rf"ses-({NUMBER})")
_STEM = re.compile(rf"sub-({LABEL})_ses-({NUMBER})(?=_)")


class Visit(Struct, frozen=True, order=True):
    """`subject` without the prefix `sub-`; `session` from 1, in time."""

    subject: str
    session: int

    def __str__(self) -> str:
        """As messages call it, such as `sub-DF001 ses-1`."""
        return f"{subject_name(self.subject)} {session_name(self.session)}"

    @property
    def folder(self) -> str:
        """Its folder within a data set, such as `sub-DF001/ses-1`."""
        return f"{subject_name(self.subject)}/{session_name(self.session)}"

    @property
    def stem(self) -> str:
        """How the names of its files begin, such as `sub-DF001_ses-1`."""
        return f"{subject_name(self.subject)}_{session_name(self.session)}"


def subject_name(subject: str) -> str:
    """The subject's label with its prefix: the folder's name and `participant_id`."""
    return f"sub-{subject}"


def session_name(session: int) -> str:
    """The session with its prefix: the folder's name and `session_id`."""
    return f"ses-{session}"


def bare_label(typed: str) -> str:
    """What somebody typed as a subject, without the prefix if they typed it too."""
    return typed.removeprefix("sub-")


def subject_label(name: str) -> str | None:
    """The label in a name such as `sub-DF001`; None if it is no such name, as `sub-DF001 - Copy` or `._sub-DF001`."""
    found = _SUBJECT.fullmatch(name)
    return found[1] if found else None


def session_number(name: str) -> int | None:
    """The session in a name such as `ses-1`; None if it is no such name."""
    found = _SESSION.fullmatch(name)
    return int(found[1]) if found else None


def visit_of_file(path: PurePath) -> Visit | None:
    """The visit that a file's name begins with; None if it names none."""
    found = _STEM.match(path.name)
    return Visit(found[1], int(found[2])) if found else None
