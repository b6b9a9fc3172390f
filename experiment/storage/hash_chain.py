"""Lines of JSON of which each names the one before: what is changed, lost or moved afterwards is found.

A line is `{"previous": ..., "event": {...}}`, where `previous` is the SHA-256 of the line before it (64 zeros for the
first), without its newline. Transcripts and the study's register are files of such lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from experiment.errors import BadInput
from experiment.storage.decoder import decoder

FIRST = "0" * 64
Kind = TypeVar("Kind")


class Line(Struct, frozen=True):
    """One line of the file, its event still undecoded."""

    previous: str
    event: msgspec.Raw


decode_line = decoder(msgspec.json.Decoder(Line).decode)
"""A line of the file; msgspec.DecodeError if it is none."""


def chain_line(before: bytes | bytearray, event: bytes) -> bytes:
    """The line with an event's JSON that follows what stands in the file, with its newline."""
    return msgspec.json.encode(Line(last_digest(before), msgspec.Raw(event))) + b"\n"


def read_chain(
    path: Path, lines: Iterable[bytes], decode: Callable[[msgspec.Raw], Kind], before: bytes = b""
) -> list[Kind]:
    """The events of a file's lines; BadInput names the first line that is none, or does not follow the one before.

    `decode`: raises msgspec.DecodeError for what is no event. `before`: whole lines that were read earlier, and that
    these follow.
    """
    previous, events = last_digest(before), []
    for number, text in enumerate(lines, start=before.count(b"\n") + 1):
        try:
            line = decode_line(text)
            event = decode(line.event)
        except msgspec.DecodeError as error:
            raise BadInput(f"{path}, line {number}: is not an event: {error}. The file was changed.") from error
        if line.previous != previous:
            raise BadInput(
                f"{path}, line {number}: does not follow the line before it. A line was changed, lost or moved."
            )
        previous = sha256(text).hexdigest()
        events.append(event)
    return events


def line_digests(content: bytes) -> tuple[str, ...]:
    """The SHA-256 of each whole line: it stands for all lines up to there, as each names the one before."""
    return tuple(sha256(line).hexdigest() for line in content.split(b"\n")[:-1])


def last_digest(lines: bytes | bytearray) -> str:
    """The digest of the last of these whole lines; of none, what a first line names."""
    end = len(lines) - 1
    return sha256(lines[lines.rfind(b"\n", 0, end) + 1 : end]).hexdigest() if lines else FIRST
