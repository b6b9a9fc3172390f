"""A session's log as the register wants it: when it began, how it ended, its last line. Quick with thousands."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.events import Ended, decode, parse_utc
from experiment.record.resume import is_interrupted
from experiment.storage.decoder import decoder
from experiment.storage.hash_chain import decode_line, line_digests
from experiment.storage.read_file import read_file, read_first_line
from experiment.study.events import Status

TAIL_BYTES = 16_384  # more than a log's last line has


class _Start(Struct, frozen=True, tag_field="event", tag="started"):
    """As much of `Started` as the register wants."""

    zero_utc: str


_decode_start = decoder(msgspec.json.Decoder(_Start).decode)


@dataclass(frozen=True)
class RecordedSession:
    """`began_utc`: ISO 8601. `status`: `failed` if it was interrupted or still runs. `last_sha256`: its last line's."""

    path: Path
    began_utc: str
    status: Status
    last_sha256: str

    def has_line(self, line_sha256: str) -> bool:
        """Whether one of its lines has this digest; the file is read whole only if it is not the last."""
        return self.last_sha256 == line_sha256 or line_sha256 in line_digests(read_file(self.path))


def read_recorded_session(path: Path) -> RecordedSession:
    """The session in a transcript; BadInput if its first or last line is none."""
    try:
        first, last = _ends(path)
        began_utc = parse_utc(_decode_start(decode_line(first).event).zero_utc).isoformat()
        event = decode(decode_line(last).event)
    except (ValueError, OSError, IndexError) as error:  # a DecodeError is a ValueError
        raise BadInput(
            f"The first or the last line of {path} is not an event. Restore the file from a copy."
        ) from error
    interrupted = is_interrupted(log.Transcript((event,), 0, 0))
    status: Status = event.status if isinstance(event, Ended) and not interrupted else "failed"
    return RecordedSession(path, began_utc, status, sha256(last).hexdigest())


def _ends(path: Path) -> tuple[bytes, bytes]:
    """The first and the last whole line, without their newlines; IndexError if there is none."""
    first = read_first_line(path)  # which opens no pipe
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        lines = file.read().split(b"\n")
    last = lines[-2] if len(lines) > 2 else read_file(path).split(b"\n")[-2]
    return first, last
