"""A transcript's lines, also damaged ones: what each holds, how they follow each other, and what was done to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct, to_builtins

from experiment.record.events import Ended, Event, decode, encode
from experiment.record.finding import Finding, discrepancy
from experiment.storage.hash_chain import FIRST, Line, decode_line

SHORT = 8  # digits of a digest that tell it from others


class RecordedLine(Struct, frozen=True):
    """A line of the file; `event` is null if it cannot be read, and `fault` then says why."""

    number: int
    text: bytes
    previous: str | None
    event: Event | None
    fault: str | None = None


def parse_line(number: int, text: bytes) -> RecordedLine:
    """What stands in a line."""
    previous = None
    try:
        line = decode_line(text)
        previous = line.previous
        return RecordedLine(number, text, previous, decode(line.event))
    except msgspec.DecodeError as error:
        return RecordedLine(number, text, previous, None, str(error))


def unreadable(lines: Sequence[RecordedLine], tail: bytes) -> Iterator[Finding]:
    """Lines that are no events, or that this program would have written in other bytes."""
    for line in lines:
        where = f"line {line.number}"
        if line.event is None:
            yield discrepancy(where, "line", "expected an event", f"found {line.fault}")
        elif not _is_own(line.text, line.previous or "", line.event):
            yield discrepancy(where, "line", "replayed in other bytes", "recorded with the same meaning")
    if tail:
        yield discrepancy(f"line {len(lines) + 1}", "end", "expected a newline", f"torn off after {len(tail)} bytes")


def _is_own(text: bytes, previous: str, event: Event) -> bool:
    """Whether this program writes the event so: the last line, too, has to be what it was byte for byte.

    A number that a program gave as whole, such as a pointer's place, stands without its decimal point.
    """
    if msgspec.json.encode(Line(previous, msgspec.Raw(encode(event)))) == text:
        return True
    try:
        content = msgspec.json.decode(text)
    except UnicodeDecodeError:  # in a field that nobody reads
        return False
    return bool(msgspec.json.encode(content) == text and content == {"previous": previous, "event": to_builtins(event)})


def check_chain(lines: Sequence[RecordedLine]) -> Iterator[Finding]:
    """Each line names the digest of the one before it; one that names another's has moved."""
    digests = [FIRST, *(sha256(line.text).hexdigest() for line in lines)]
    numbers = {digest: number for number, digest in enumerate(digests)}
    for before, line in enumerate(lines):
        if line.previous is None or line.previous == digests[before] or (before and lines[before - 1].event is None):
            continue
        if (moved_from := numbers.get(line.previous)) is not None:
            came_after = f"line {moved_from}" if moved_from else "nothing"
            yield discrepancy(
                f"line {line.number}", "previous", f"it follows line {before}", f"it was after {came_after}"
            )
        else:
            named = f"line {line.number} names {line.previous[:SHORT]}"
            found = f"changed, or a line after it lost: it has {digests[before][:SHORT]}"
            yield discrepancy(f"line {before}" if before else "line 1", "digest", named, found)


def in_order(lines: Sequence[RecordedLine]) -> list[RecordedLine]:
    """The lines as they were written: the chain tells, however they stand now; where it is broken, as they stand.

    A line that is there twice, or was added after the end, has no place.
    """
    followers = {line.previous: line for line in reversed(lines)}
    left = {line.number: line for line in lines}
    ordered, line = [], followers.get(FIRST, lines[0])
    while True:
        ordered.append(left.pop(line.number))
        follower = followers.get(sha256(line.text).hexdigest())
        if follower is None or follower.number not in left:
            if isinstance(line.event, Ended) or not left:
                return ordered
            follower = next((other for number, other in left.items() if number > line.number), None)
        if follower is None:
            return ordered
        line = follower
