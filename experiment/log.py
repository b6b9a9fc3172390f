"""The transcript: one event a line, written at once, synced between trials, read back with every line checked.

A line is `{"previous": ..., "event": {...}}`, where `previous` is the SHA-256 of the line before it (64 zeros for the
first): a changed, lost or moved line breaks the chain. A process that dies leaves whole lines and at most a torn tail.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType

import msgspec
from msgspec import Struct

from experiment.disk import GrowingFile
from experiment.errors import BadInput, EquipmentFailure
from experiment.events import SCHEMA, Ended, Event, Started, TrialEnded, decode, encode

FIRST = "0" * 64
SETTLE_S = 0.005
CLOSE_S = 10.0


class Line(Struct, frozen=True):
    """One line of the file, its event still undecoded."""

    previous: str
    event: msgspec.Raw


class _Head(Struct, frozen=True, tag_field="event", tag="started"):
    """As much of `Started` as every version has."""

    schema: int


class Transcript(Struct, frozen=True):
    """A transcript that was read.

    `torn_bytes`: of a last line that a crash cut off, which is left out. `size_bytes`, `last_sha256`: of the whole
    lines and of the last one of them, from where the chain can go on.
    """

    events: tuple[Event, ...]
    torn_bytes: int
    size_bytes: int
    last_sha256: str

    @property
    def started(self) -> Started:
        """Everything that was known before the session."""
        first = self.events[0]
        assert isinstance(first, Started)  # noqa: S101 - `read` lets no other through
        return first

    @property
    def ended(self) -> Ended | None:
        """How it ended; None if the process died."""
        last = self.events[-1]
        return last if isinstance(last, Ended) else None


class Writer:
    """A session's transcript file, made with the first event; as a context manager it is closed and synced at the end.

    `after`: the unfinished transcript in that file, which then goes on in the same chain.
    """

    def __init__(self, path: Path, after: Transcript | None = None) -> None:
        """Open nothing yet."""
        self._path, self._after = path, after
        self._file: GrowingFile | None = None
        self._previous = after.last_sha256 if after else FIRST

    @property
    def trouble(self) -> str | None:
        """Why the disk does not take the transcript at the moment, in the system's words, or None."""
        return self._file.trouble if self._file else None

    def append(self, event: Event) -> None:
        """Hand the line on to be written at once, and synced at the joints.

        Raises BadInput rather than overwrite a file, EquipmentFailure if none can be made.
        """
        line = msgspec.json.encode(Line(self._previous, msgspec.Raw(encode(event))))
        self._previous = sha256(line).hexdigest()
        self._file = self._file or self._opened()
        self._file.say(line + b"\n", sync=isinstance(event, Started | TrialEnded | Ended))

    def settle(self) -> None:
        """Wait until what was told outlives this process, but no longer than a part of a frame."""
        if self._file:
            self._file.settled(SETTLE_S)

    def _opened(self) -> GrowingFile:
        try:
            return GrowingFile(self._path, self._after.size_bytes if self._after else 0)
        except FileExistsError as error:
            if self._path.exists():
                raise BadInput(f"There is a transcript already, and it is never overwritten: {self._path}.") from error
            where = f"{self._path.parent} cannot be made: a file is in its place"
            raise EquipmentFailure(f"{where}. Choose --data.") from error
        except OSError as error:
            where = f"No data can be saved in {self._path.parent}: {error.strerror}"
            raise EquipmentFailure(f"{where}. Choose --data.") from error

    def __enter__(self) -> Writer:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Close the file; EquipmentFailure if the disk did not take it, with the place where it was saved instead."""
        unsaved = self._file.close(CLOSE_S) if self._file else None
        if unsaved is not None:
            rescued = Path(mkdtemp(prefix="dayfour-")) / self._path.name
            rescued.write_bytes(unsaved)
            raise EquipmentFailure(
                f"The data folder did not take the session ({self.trouble or 'no answer'}): {self._path.parent}\n"
                f"All of it is saved here instead, and nowhere else:\n  {rescued}\n"
                "Make the folder work again, and copy this file to its place before anything else is run."
            )


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
    events = tuple(_events(path, lines))
    size_bytes = sum(len(line) + 1 for line in lines)
    transcript = Transcript(events, len(tail), size_bytes, sha256(lines[-1]).hexdigest())
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
