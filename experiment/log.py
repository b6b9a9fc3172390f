"""The transcript: one event a line, written at once, synced between trials, read back with every line checked.

A line is `{"previous": ..., "event": {...}}`, where `previous` is the SHA-256 of the line before it (64 zeros for the
first): a changed, lost or moved line breaks the chain. A process that dies leaves whole lines and at most a torn tail.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from experiment.errors import BadInput, EquipmentFailure
from experiment.events import SCHEMA, Ended, Event, Started, TrialEnded, decode, encode

FIRST = "0" * 64


class Line(Struct, frozen=True):
    """One line of the file, its event still undecoded."""

    previous: str
    event: msgspec.Raw


class _Head(Struct, frozen=True, tag_field="event", tag="started"):
    """As much of `Started` as every version has."""

    schema: int


class Transcript(Struct, frozen=True):
    """A transcript that was read: its events, and whether the last line was torn off by a crash."""

    events: tuple[Event, ...]
    torn: bool

    @property
    def started(self) -> Started:
        """Everything that was known before the session."""
        first = self.events[0]
        assert isinstance(first, Started)  # noqa: S101 - `read` lets no other through
        return first


class Writer:
    """A new transcript file; as a context manager it is closed, and synced, at the end."""

    def __init__(self, path: Path) -> None:
        """Create the file; EquipmentFailure if the folder cannot be written, BadInput if the file is there already."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb")
        except FileExistsError as error:
            if not path.exists():
                raise EquipmentFailure(
                    f"{path.parent} cannot be made: a file is in its place. Choose --data."
                ) from error
            raise BadInput(f"There is a transcript already, and it is never overwritten: {path}.") from error
        except OSError as error:
            raise EquipmentFailure(
                f"No data can be saved in {path.parent}: {error.strerror}. Choose --data."
            ) from error
        self._previous = FIRST

    def append(self, event: Event) -> None:
        """Hand the line to the operating system at once, so that it outlives this process; sync at the joints."""
        line = msgspec.json.encode(Line(self._previous, msgspec.Raw(encode(event))))
        self._file.write(line + b"\n")
        self._file.flush()
        self._previous = sha256(line).hexdigest()
        if isinstance(event, Started | TrialEnded | Ended):
            os.fsync(self._file.fileno())

    def __enter__(self) -> Writer:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Close the file."""
        self._file.close()


def read(path: Path, *, pilot: bool = False) -> Transcript:
    """The transcript in a file, its chain checked.

    A last line without its newline is left out and reported as torn. Raises BadInput for a broken chain, with the
    line's number, and for a pilot's or a simulated transcript unless `pilot`: neither is taken for data by accident.
    """
    try:
        *lines, tail = path.read_bytes().split(b"\n")
    except OSError as error:
        raise BadInput(f"The transcript {path} cannot be read: {error.strerror}.") from error
    _check_schema(path, lines)
    transcript = Transcript(tuple(_events(path, lines)), torn=bool(tail))
    if transcript.started.mode != "run" and not pilot:
        mode = transcript.started.mode
        raise BadInput(f"{path} is no real session but a {mode}. Add --pilot if you want to read it all the same.")
    return transcript


def _check_schema(path: Path, lines: list[bytes]) -> None:
    """Before anything else is decoded: another version's events are no damage, and mean other things."""
    try:
        head = msgspec.json.decode(msgspec.json.decode(lines[0], type=Line).event, type=_Head)
    except (IndexError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no transcript: expected its first line to tell how the session started.") from error
    if head.schema != SCHEMA:
        raise BadInput(
            f"{path} was written with schema {head.schema}, and this version reads {SCHEMA}. "
            "Use the version that wrote it."
        )


def _events(path: Path, lines: list[bytes]) -> list[Event]:
    previous, events = FIRST, []
    for number, text in enumerate(lines, start=1):
        try:
            line = msgspec.json.decode(text, type=Line)
            event = decode(line.event)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(
                f"{path}, line {number}: expected an event, found: {error}. The file was changed."
            ) from error
        if line.previous != previous:
            raise BadInput(
                f"{path}, line {number}: does not follow the line before it. A line was changed, lost or moved."
            )
        previous = sha256(text).hexdigest()
        events.append(event)
    return events
