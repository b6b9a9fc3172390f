"""The transcript: one event a line, written at once, synced between trials, read back with every line checked.

Its lines are linked (`storage.hash_chain`): a changed, lost or moved one is found. A process that dies leaves whole
lines and at most a torn tail.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType

import msgspec
from msgspec import Struct

from experiment.errors import BadInput, EquipmentFailure
from experiment.record.events import SCHEMA, Ended, Event, Mode, Started, StorageCause, TrialEnded, decode, encode
from experiment.record.events_beside import Closing
from experiment.record.rescue import Rescue
from experiment.record.timeline import start_of
from experiment.record.writable import as_written, kind_of
from experiment.storage.append_file import GrowingFile
from experiment.storage.decoder import decoder
from experiment.storage.hash_chain import chain_line, decode_line, read_chain
from experiment.storage.read_file import read_file, read_first_line

SETTLE_S = 0.1  # a sound disk takes it in less than a millisecond; on a busy computer its thread may wait for its turn
CLOSE_S = 10.0
RESCUE_S = 5.0


class NotOurs(BadInput):
    """Another program writes this transcript, or wrote it since: of that session this process knows nothing."""


class _Head(Struct, frozen=True, tag_field="event", tag="started"):
    """As much of `Started` as every version has."""

    schema: int


_decode_head = decoder(msgspec.json.Decoder(_Head).decode)


class Transcript(Struct, frozen=True):
    """A transcript that was read.

    `size_bytes`: of the whole lines. `torn_bytes`: of a last line that a crash cut off, which is left out.
    """

    events: tuple[Event, ...]
    size_bytes: int
    torn_bytes: int

    @property
    def started(self) -> Started:
        """Everything that was known before the session."""
        return start_of(self.events)

    @property
    def ended(self) -> Ended | None:
        """How it ended; None if the process died."""
        last = self.events[-1]
        return last if isinstance(last, Ended) else None


class Writer:
    """A session's transcript file, made with the first event; as a context manager it is closed and synced at the end.

    `after`: the unfinished transcript in that file, which then goes on in the same chain. An event that cannot be
    written is named in its place (`Unwritable`), and the others follow.
    """

    def __init__(self, path: Path, after: Transcript | None = None) -> None:
        self._path, self._after = path, after
        self._file: GrowingFile[Event] | None = None
        self._rescue: Rescue | None = None
        self._unwritable = 0
        self.saved = False  # whether, once closed, the file holds all of it

    @property
    def began(self) -> bool:
        """Whether there is a file."""
        return self._file is not None

    @property
    def cause(self) -> StorageCause | None:
        """Why the file does not hold all of it at the moment, or never will ("unwritable"); None if it does."""
        cause = self._file.cause if self._file else None
        return cause or ("unwritable" if self._unwritable else None)

    def append(self, event: Event) -> None:
        """Hand it on to be written soon, and synced at the joints.

        Raises BadInput rather than overwrite a file or write where somebody else does, EquipmentFailure if none can be
        made, or if the event is a first one that cannot be written.
        """
        if isinstance(event, Started | Closing) and as_written(event) is not event:
            raise EquipmentFailure(
                f"This cannot be recorded, so nothing was started: {kind_of(event)}. Contact the person who maintains "
                "the software."
            )
        if self._file is None:
            self._file = self._opened()
            self._rescue = Rescue(self._file)
        self._file.say(event, sync=isinstance(event, Started | TrialEnded | Ended))

    def settle(self, patience_s: float | None = None) -> bool:
        """Wait until what was told outlives this process; whether it does.

        By default for SETTLE_S, and not at all where the disk has been stuck for longer: it delays one scene, not all.
        """
        if self._file is None:
            return True
        if patience_s is None:
            patience_s = 0.0 if self._file.is_stuck(SETTLE_S) else SETTLE_S
        return self._file.settled(patience_s)

    def _opened(self) -> GrowingFile[Event]:
        after = self._after
        kept, torn = (after.size_bytes, after.torn_bytes) if after else (0, 0)
        try:
            return GrowingFile(self._path, self._line, kept, torn)
        except BlockingIOError as error:
            raise NotOurs(
                f"Another program is writing this transcript, so nothing was started here: {self._path}."
            ) from error
        except FileExistsError as error:
            if self._path.exists():
                what = "This transcript was changed since it was read" if after else "There is a transcript already"
                raise NotOurs(f"{what}, and it is never overwritten: {self._path}.") from error
            where = f"{self._path.parent} cannot be made: a file is in its place"
            raise EquipmentFailure(f"{where}. Choose --data.") from error
        except OSError as error:
            where = f"No data can be saved in {self._path.parent}: {error.strerror}"
            raise EquipmentFailure(f"{where}. Choose --data.") from error

    def _line(self, event: Event, before: bytearray) -> bytes:
        written = as_written(event)
        line = chain_line(before, encode(written))
        self._unwritable += written is not event
        return line

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Close the file; EquipmentFailure if the disk did not take it, with the place where it was saved instead."""
        if self._file is None or self._rescue is None:
            return
        trouble = self._file.trouble
        unsaved = self._file.close(CLOSE_S)
        self.saved = unsaved is None
        rescued = _rescued(self._rescue, unsaved)
        if unsaved is not None:
            reason = trouble or self._file.trouble or "no answer"
            raise EquipmentFailure(not_taken(self._path, reason, rescued))


def _rescued(rescue: Rescue, unsaved: bytes | None) -> Path | None:
    """Where the copy of what is unsaved lies.

    With no room anywhere it waits for some, since this process has the only copy; until somebody stops it.
    """
    try:
        while (copy := rescue.close(unsaved)) is None and unsaved is not None:
            sys.stderr.write(
                "The session cannot be saved anywhere: do not switch off. Free disk space; the program is waiting.\n"
            )
            time.sleep(RESCUE_S)
    except KeyboardInterrupt:
        return None
    return copy


def not_taken(path: Path, reason: str, rescued: Path | None) -> str:
    """What to say of a session that its folder did not take."""
    start = f"Not everything could be saved in the data folder ({reason}): {path.parent}\n"
    if rescued is None:
        return f"{start}It could not be saved anywhere else: what is not in that folder is lost."
    return (
        f"{start}All of it is saved only here instead:\n  {rescued}\n"
        "Fix the folder. Then `dayfour table DATA --remake` on this computer, by this user, restores it; otherwise "
        "copy this file to its place."
    )


def has_begun(path: Path) -> bool:
    """Whether there is a transcript with at least its first line: before that, nothing was shown."""
    try:
        return read_first_line(path).endswith(b"\n")
    except FileNotFoundError:
        return False


def read_start(path: Path) -> Started:
    """How a session started: its transcript's first line, whatever became of the others; BadInput if it is none."""
    try:
        line = read_first_line(path)
    except OSError as error:
        raise BadInput(f"The transcript {path} cannot be read: {error.strerror}.") from error
    _check_schema(path, [line])
    event = read_chain(path, [line.rstrip(b"\n")], decode)[0]
    if not isinstance(event, Started):
        raise BadInput(f"{path} is not a transcript: its first line does not show how a session started.")
    return event


def read(path: Path, *, pilot: bool = False) -> Transcript:
    """The transcript in a file, its chain checked.

    A last line without its newline is left out and reported as torn. Raises BadInput for a broken chain, with the
    line's number, and for a pilot's or a simulated transcript unless `pilot`: neither is taken for data by accident.
    """
    lines, tail = read_lines(path)
    _check_schema(path, lines)
    events = tuple(read_chain(path, lines, decode))
    size_bytes = sum(len(line) + 1 for line in lines)
    transcript = Transcript(events, size_bytes, len(tail))
    check_mode(path, transcript.started.mode, pilot=pilot)
    return transcript


def read_lines(path: Path) -> tuple[list[bytes], bytes]:
    """The whole lines of a transcript, and the torn rest behind them; BadInput if it cannot be read."""
    try:
        *lines, tail = read_file(path).split(b"\n")
    except OSError as error:
        raise BadInput(f"The transcript {path} cannot be read: {error.strerror}.") from error
    return lines, tail


def check_mode(path: Path, mode: Mode, *, pilot: bool) -> None:
    """BadInput for a pilot or a simulation unless `pilot`: neither is taken for data by accident."""
    if mode != "run" and not pilot:
        raise BadInput(f"{path} is not a real session ({mode}). Add --pilot to include it.")


def _check_schema(path: Path, lines: list[bytes]) -> None:
    """Before anything else is decoded: another version's events are no damage, and mean other things."""
    try:
        head = _decode_head(decode_line(lines[0]).event)
    except (IndexError, msgspec.DecodeError) as error:
        raise BadInput(f"{path} is not a transcript: its first line does not show how a session started.") from error
    if head.schema != SCHEMA:
        raise BadInput(
            f"{path} was written with schema {head.schema}, and this version reads {SCHEMA}. "
            "Use the version that wrote it."
        )
