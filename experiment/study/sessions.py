"""A session and the register: let in before it begins, recorded when it has ended, in `participants.tsv` too."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from experiment.design.visit import Visit
from experiment.errors import BadInput, DayFourError
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.resume import is_interrupted
from experiment.record.tsv import MISSING
from experiment.storage.hash_chain import line_digests
from experiment.storage.lock import is_written
from experiment.storage.read_file import read_file
from experiment.study import admission, dates, recording
from experiment.study.events import SessionHeld, Status
from experiment.study.participant import Participant
from experiment.study.register import Register
from experiment.study.snapshot import Snapshot

COLUMNS = {
    "stratum": {"Description": "The stratum, such as the site, within which the participant was allocated."},
    "enrolled": {"Description": "The day of enrolment, where the study is: YYYY-MM-DD."},
    "consented": {"Description": "The day of informed consent; n/a if none is recorded."},
    "withdrawn": {"Description": "The day on which the participant left the study; n/a if they did not."},
}


def session_today(told: Snapshot, subject: str, moment: datetime, *, asked: int | None, override: str | None) -> int:
    """The session that the participant may be in now; admission.Refused says why none, and when. Nothing is recorded.

    `asked`: the session that the assistant named, if any. `override`: why it is to be run against the study's rules
    about days and doses.
    """
    return _decided(told, subject, moment, asked, override)[0]


def admit(
    register: Register,
    subject: str,
    who: str,
    *,
    asked: int | None = None,
    override: str | None = None,
    told: Snapshot | None = None,
) -> int:
    """The same for a session that begins now: an override that is needed is recorded, with the initials `who`.

    `told`: the register, if it has been read for this start.
    """
    session, is_refused = _decided(told or register.read(), subject, register.now(), asked, override)
    if is_refused and override is not None:
        reason = override
        register.act(who, lambda now: recording.override_rules(now, subject, reason, register.now(), asked))
    return session


def _decided(
    told: Snapshot, subject: str, moment: datetime, asked: int | None, override: str | None
) -> tuple[int, bool]:
    """The session, and whether the gate refuses it but for the override."""
    try:
        return admission.session_now(told, subject, moment, asked), False
    except admission.Refused as refused:
        if refused.session is None or override is None:
            raise
        return refused.session, True


def record(
    register: Register, subject: str, session: int, who: str, status: Status, began_utc: str, transcript: Path
) -> Snapshot:
    """A session has ended that began then (ISO 8601): `failed` if it can go on (`resume.is_interrupted`).

    `transcript`: its file, whose last line's digest is recorded too. The register with it.
    """
    last = line_digests(read_file(transcript))[-1]

    def decide(told: Snapshot) -> SessionHeld:
        act = recording.record_session(told, subject, session, status, began_utc, register.now())
        return replace(act, last_line_sha256=last)

    return register.act(who, decide)


def record_end(register: Register, data: DataSet, transcript: Path, who: str) -> Snapshot | None:
    """Let register and `participants.tsv` know how a session ended, as its transcript has it, if it began.

    The register with it; None if the session did not begin.
    """
    if not log.has_begun(transcript):
        return None
    read = log.read(transcript)
    session = read.started.session
    status = "failed" if read.ended is None or is_interrupted(read) else read.ended.status
    told = record(register, session.subject, session.session, who, status, read.started.zero_utc, transcript)
    with suppress(DayFourError, OSError):  # the next act brings it up to date; the register knows already
        update_participants_tsv(data, told)
    return told


def update_participants_tsv(data: DataSet, told: Snapshot) -> None:
    """Bring the data set's `participants.tsv` up to the register; rows and columns that others added stay."""
    data.list_participants({one.name: participant_row(one) for one in told.people.values()}, COLUMNS)


def participant_row(one: Participant) -> dict[str, str]:
    """The participant's cells in the columns of `COLUMNS`: nothing that unblinds."""
    days = {"enrolled": one.enrolled, "consented": one.consented, "withdrawn": one.withdrawn}
    return {"stratum": one.stratum} | {name: day.isoformat() if day else MISSING for name, day in days.items()}


def catch_up(register: Register, told: Snapshot, data: DataSet, subject: str, who: str) -> tuple[Snapshot, list[int]]:
    """Record the subject's sessions that ended while the register could not be told, such as on a lost network.

    Those that go on or were interrupted are left alone. The register with them, and which were recorded.
    """
    one, caught = told.participant(subject), []
    for course in range(1, len(one.starts) + 1):
        path = data.transcript_of(Visit(one.subject, course))
        if path and not one.is_held(course) and log.has_begun(path) and not is_written(path) and _is_over(path):
            told = record_end(register, data, path, who) or told
            caught.append(course)
    return told, caught


def _is_over(transcript: Path) -> bool:
    read = log.read(transcript)
    return read.ended is not None and not is_interrupted(read)


def check_never_held(data: DataSet, visit: Visit) -> None:
    """BadInput if this session did begin: then it was attended."""
    if (path := data.transcript_of(visit)) and log.has_begun(path):
        raise BadInput(
            f"{visit} was interrupted. Resume it with `dayfour run --resume`, or end it with `dayfour run --close`."
        )


def check_open(register: Register, subject: str) -> None:
    """BadInput if nothing more can be asked of this participant: unknown, or the study is locked."""
    if register.participant(subject).locked:
        raise BadInput("The study is locked. Its data can no longer be changed.")


def unknown_doses(told: Snapshot, subject: str, moment: datetime) -> str | None:
    """Which doses before today the register does not know of, in a sentence; None if it knows of all."""
    one = told.participant(subject)
    today = dates.today(told.study.at(one.stratum), moment)
    unknown = admission.unrecorded_doses(one, told.study, today)
    if not unknown:
        return None
    listed = ", ".join(map(dates.short, unknown))
    return f"Whether {one.name} took the dose of {listed} is not recorded. Ask, then run `dayfour study dosed`."
