"""Whether register and data tell the same, both ways: who, which visit, which day, how it ended, and which log it was.

The register keeps the digest of each log's last line, so a log that was exchanged, forged or rolled back is found even
if all its own digests were made anew. What an earlier version recorded has no digest: that is said once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from experiment.design.visit import Visit, subject_label, subject_name, visit_of_file
from experiment.errors import BadInput
from experiment.qa.findings import qa_finding
from experiment.record.closing import find_answered
from experiment.record.dataset import DataSet
from experiment.record.events import Ended, decode, parse_utc
from experiment.record.finding import Finding, count_in_words
from experiment.record.resume import is_interrupted
from experiment.record.transcript import Transcript
from experiment.record.tsv import MISSING, read_rows
from experiment.storage.decoder import decoder
from experiment.storage.hash_chain import decode_line, line_digests
from experiment.storage.read_file import read_file, read_first_line
from experiment.study import dates
from experiment.study.events import Entry, SessionHeld, Status
from experiment.study.sessions import participant_row
from experiment.study.snapshot import Snapshot

Held = Mapping[Visit, Entry]
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


def disagreements(told: Snapshot, data: DataSet, *, is_shared: bool = False) -> tuple[Finding, ...]:
    """All that register and data tell differently, each with what to do.

    `is_shared`: several data sets use the register, so that sessions of other computers need not be in this one.
    """
    held, logs = told.sessions_held, _logs(data)
    return (
        *(one for visit, entry in held.items() for one in _of_entry(told, visit, entry, logs.get(visit), is_shared)),
        *(one for visit, log in logs.items() if visit not in held for one in _unrecorded(told, visit, log)),
        *_strangers(told, data),
        *(() if is_shared else _participants_tsv(told, data)),
        *_unproven(told, held),
    )


def _logs(data: DataSet) -> dict[Visit, RecordedSession | None]:
    """The log of each visit; None for one that cannot be read, which `qa` tells by itself."""
    return {visit: _log(path) for path in data.transcripts_of_all() if (visit := visit_of_file(path))}


def _log(path: Path) -> RecordedSession | None:
    try:
        first, last = _ends(path)
        began_utc = parse_utc(_decode_start(decode_line(first).event).zero_utc).isoformat()
        event = decode(decode_line(last).event)
    except (ValueError, OSError, IndexError):  # a DecodeError is a ValueError
        return None
    interrupted = is_interrupted(Transcript((event,), 0, 0))
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


def _of_entry(
    told: Snapshot,
    visit: Visit,
    entry: Entry,
    log: RecordedSession | None,
    is_shared: bool,  # noqa: FBT001 - internal
) -> Iterator[Finding]:
    act = entry.act
    assert isinstance(act, SessionHeld)  # noqa: S101 - `Snapshot.sessions_held` takes no other
    if act.elsewhere and log is None:
        return
    recorded = f"The register says since {entry.utc[:10]}, by {entry.who}, that {visit}"
    if act.status == "never_held":
        if log:
            text = f"{recorded} did not take place, but its log is here. Ask the person who recorded that."
            yield _finding("unrecorded", visit, text)
    elif log is None:
        there = f"{recorded} took place on {act.day} ({act.status})"
        computer = f" of {entry.computer}" if entry.computer else ""
        if is_shared:
            text = f"{there}; its data are not here. They may be on another computer{computer}."
            yield _finding("lost_data", visit, text, needs_person=False)
        else:
            text = f"{there}, but there is no readable log of it here. Restore it from a copy."
            yield _finding("lost_data", visit, text)
    else:
        yield from _compared(told, visit, act, log, recorded)


def _compared(told: Snapshot, visit: Visit, act: SessionHeld, log: RecordedSession, recorded: str) -> Iterator[Finding]:
    day = dates.day_of(told.study.at(told.participant(visit.subject).stratum), log.began_utc).isoformat()
    if day != act.day:
        yield _finding("other_day", visit, f"{recorded} took place on {act.day}; its log began on {day}. {_COPY}")
    if act.last_line_sha256 and not log.has_line(act.last_line_sha256):
        yield _finding("exchanged", visit, f"{recorded} ended with a last line that its log does not have. {_COPY}")
    elif act.status not in {log.status, "failed"}:
        yield _finding("other_end", visit, f"{recorded} ended as {act.status}; its log says {log.status}. {_COPY}")
    elif act.last_line_sha256 and act.status != "failed" and log.last_sha256 != act.last_line_sha256:
        yield _finding("exchanged", visit, f"{recorded} ended, but lines were added to its log afterwards. {_COPY}")
    if act.status == "failed" and log.status != "failed":
        yield _unknown_end(visit, log)


_COPY = "If the data were changed, restore them from a copy; otherwise find out what happened."


def _unrecorded(told: Snapshot, visit: Visit, log: RecordedSession | None) -> Iterator[Finding]:
    """A log of which the register knows nothing; one that was interrupted before its end is no news."""
    if visit.subject not in told.people:
        text = (
            f"{visit} has a log, but {subject_name(visit.subject)} is not enrolled. Was the register replaced by "
            "an older copy?"
        )
        yield _finding("stranger", visit, text)
    elif visit.session > len(told.people[visit.subject].starts):
        yield _finding("stranger", visit, f"{visit} has a log, but course {visit.session} has not started. {_COPY}")
    elif log and log.status != "failed":
        yield _unknown_end(visit, log)


def _unknown_end(visit: Visit, log: RecordedSession) -> Finding:
    text = f"How {visit} ended is not in the register (its log says {log.status})."
    close = f"`dayfour study close --subject {visit.subject} --session {visit.session}` records it."
    return _finding("unrecorded", visit, f"{text} {close}")


def _strangers(told: Snapshot, data: DataSet) -> Iterator[Finding]:
    """Who answered the closing questions, or is listed as enrolled, and is not in the register."""
    for subject in sorted((_listed(data) | find_answered(data)) - set(told.people)):
        text = (
            f"{subject_name(subject)} is in this data set's tables, but is not enrolled. Was the register replaced by "
            "an older copy?"
        )
        yield qa_finding("stranger", text, subject)


def _participants_tsv(told: Snapshot, data: DataSet) -> Iterator[Finding]:
    """Who has data is listed there, with what the register knows."""
    rows = read_rows(data.root / "participants.tsv", "participant_id")
    with_data = (one for one in told.people.values() if (data.root / one.name).is_dir())
    for one in with_data:
        expected = participant_row(one)
        if (row := rows.get(one.name)) is None or any(row.get(name, cell) != cell for name, cell in expected.items()):
            words = "says otherwise of" if row else "does not list"
            text = f"participants.tsv {words} {one.name}. The next entry in the register corrects it."
            yield qa_finding("listed", text, one.subject)


def _listed(data: DataSet) -> set[str]:
    """Whom a register has had enrolled, as `participants.tsv` has it."""
    rows = read_rows(data.root / "participants.tsv", "participant_id").items()
    return {label for name, row in rows if (label := subject_label(name)) and row.get("enrolled", MISSING) != MISSING}


def check_nobody_is_lost(told: Snapshot, data: DataSet) -> None:
    """BadInput if a register has enrolled somebody who is not in it any more: their kits would be given again."""
    if lost := sorted(_listed(data) - set(told.people)):
        raise BadInput(
            f"participants.tsv lists {', '.join(map(subject_name, lost))} as enrolled, but they are not in the "
            "register. It may have lost entries and could hand out kits twice. Restore it from a copy; until then, "
            "enrolment is blocked."
        )


def lost_register(data: DataSet) -> str | None:
    """What is wrong with a data set that has no register, though people were enrolled; None if nobody was."""
    if not (enrolled := sorted(_listed(data))):
        return None
    return (
        f"participants.tsv lists {count_in_words(len(enrolled), 'enrolled participant')}, such as "
        f"{subject_name(enrolled[0])}, but there is no study register. Restore the folder `study` from a copy; a new "
        "register would hand out kits again."
    )


def check_nothing_is_there(data: DataSet, *, is_meant: bool) -> None:
    """BadInput before a study begins in a data set that has been in use, unless that `is_meant`."""
    if lost := lost_register(data):
        raise BadInput(lost)
    if not is_meant and (count := len(data.transcripts_of_all())):
        raise BadInput(
            f"{data.root} already holds {count_in_words(count, 'recorded session')}. If a study's register was "
            "lost, restore its folder `study` from a copy. If these sessions were run before the study began, add "
            "--with-sessions."
        )


def _unproven(told: Snapshot, held: Held) -> Iterator[Finding]:
    """Sessions without the digest of a log: said once, if an earlier version recorded them, and else of each."""
    bare = [(visit, entry) for visit, entry in held.items() if _lacks_digest(entry)]
    first_utc = min((entry.utc for entry in told.entries if _has_digest(entry)), default=None)
    for visit, entry in bare:
        if entry.computer or (first_utc and entry.utc > first_utc):
            text = f"The entry about {visit} lacks the digest of its log, which this version records. {_COPY}"
            yield _finding("exchanged", visit, text)
    if old := len(bare):
        text = (
            f"{old} of {len(held)} sessions were recorded by an earlier version, which kept no digest of their logs: "
            "for these the register proves the day and how they ended, but not the answers."
        )
        yield qa_finding("unproven", text, needs_person=False)


def _has_digest(entry: Entry) -> bool:
    return isinstance(entry.act, SessionHeld) and entry.act.last_line_sha256 is not None


def _lacks_digest(entry: Entry) -> bool:
    act = entry.act
    return isinstance(act, SessionHeld) and act.status != "never_held" and not (_has_digest(entry) or act.elsewhere)


def _finding(kind: str, visit: Visit, text: str, *, needs_person: bool = True) -> Finding:
    return qa_finding(kind, text, visit.subject, visit.session, needs_person=needs_person)
