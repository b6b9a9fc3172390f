"""What will happen in a session: its messages, read and checked, and their order, drawn from the seed.

A `Session` is frozen, holds no message's text and no writer's name, and stands whole in the transcript's first line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from experiment.errors import BadInput
from experiment.protocol import Protocol

PRACTICE = "practice"
COLUMNS = ("message_id", "writer", "relationship", "language", "text")


class Message(Struct, frozen=True):
    """A message as it was written: private, and never in a log, an error or git."""

    message_id: str
    writer: str
    relationship: str
    language: str
    text: str

    @property
    def sha256(self) -> str:
        """The digest of the text's UTF-8 bytes: proves later what was shown, without telling it."""
        return sha256(self.text.encode()).hexdigest()


class Trial(Struct, frozen=True):
    """One message and its questions in the order of asking; trial 0 is the practice."""

    trial: int
    message_id: str
    message_sha256: str
    relationship: str
    questions: tuple[str, ...]


class Session(Struct, frozen=True):
    """All that is decided before a window opens; `subject` and `session` are BIDS labels (`sub-`, `ses-`)."""

    subject: str
    session: int
    seed: int
    protocol: Protocol
    practice: Trial
    trials: tuple[Trial, ...]


def draw_session(protocol: Protocol, messages: Sequence[Message], *, subject: str, session: int, seed: int) -> Session:
    """The session of a subject: the messages and questions in an order that the seed decides.

    Things are sorted by the SHA-256 of seed, subject, session and their own id: the same order on every computer and
    with every version of every library, whatever the order in the file.

    Raises BadInput for a wrong number of messages.
    """
    if len(messages) != protocol.messages:
        found = f"{len(messages)} of sub-{subject}"
        raise BadInput(
            f"The protocol asks for {protocol.messages} messages a session, found {found}. Complete the file."
        )

    def key(*what: object) -> str:
        return sha256("/".join(map(str, (seed, subject, session, *what))).encode()).hexdigest()

    def trial(number: int, message: Message) -> Trial:
        ids = [question.id for question in protocol.rating.questions]
        if protocol.rating.question_order != "listed":
            drawn_for = number if protocol.rating.question_order == "trial" else "session"
            ids.sort(key=lambda question_id: key("question", drawn_for, question_id))
        return Trial(number, message.message_id, message.sha256, message.relationship, tuple(ids))

    ordered = sorted(messages, key=lambda message: key("message", message.message_id))
    trials = tuple(trial(number, message) for number, message in enumerate(ordered, start=1))
    return Session(subject, session, seed, protocol, trial(0, practice_message(protocol)), trials)


def practice_message(protocol: Protocol) -> Message:
    """The protocol's practice message in the form of the others."""
    return Message(PRACTICE, protocol.practice.writer, PRACTICE, protocol.language, protocol.practice.text)


def check_subject(subject: str) -> str:
    """The subject's label; BadInput unless it is letters and digits, as BIDS asks of `sub-<label>`."""
    label = subject.removeprefix("sub-")
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", label):
        raise BadInput(
            f"The subject must be letters and digits only, such as 'DF017', found {subject!r}. Type it again."
        )
    return label


def check_session(session: int, protocol: Protocol) -> int:
    """The session's number; BadInput unless the protocol has it."""
    if not 1 <= session <= protocol.sessions:
        raise BadInput(f"The session must be a number from 1 to {protocol.sessions}, found {session}. Type it again.")
    return session


def read_messages(path: Path) -> tuple[Message, ...]:
    """The messages of a UTF-8 CSV file with the columns of `COLUMNS`, kept to the code point.

    Only line ends are unified, to a newline. BadInput names the file, the row and the column, never a text.
    """
    rows = _rows(path)
    messages = tuple(_message(path, number, row) for number, row in enumerate(rows, start=1))
    ids = [message.message_id for message in messages]
    for number, one in enumerate(ids, start=1):
        if (first := ids.index(one) + 1) < number:
            raise BadInput(
                f"{path}: expected message ids that differ, found that of message {first} again in message {number}. "
                "Correct the column message_id."
            )
    return messages


def _rows(path: Path) -> Iterable[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            for name in COLUMNS:
                if (count := list(reader.fieldnames or ()).count(name)) != 1:
                    wanted = f"expected the columns {', '.join(COLUMNS)}, each once"
                    raise BadInput(f"{path}: {wanted}, found {count} of {name!r}. Correct the first line.")
            return list(reader)
    except OSError as error:
        raise BadInput(
            f"The messages {path} cannot be read: {error.strerror}. Check the subject and --messages."
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path}: expected UTF-8, found another encoding. Save it as 'CSV UTF-8' and try again."
        ) from error
    except csv.Error as error:
        raise BadInput(f"{path}: expected a CSV file, found: {error}. Export it from the spreadsheet again.") from error


def _message(path: Path, number: int, row: dict[str, str]) -> Message:
    if None in row or None in row.values():
        raise BadInput(f"{path}, message {number}: expected one cell a column, found more or fewer. Check its quotes.")
    cells = {name: row[name].replace("\r\n", "\n").replace("\r", "\n") for name in COLUMNS}
    for name, cell in cells.items():
        if not cell.strip():
            raise BadInput(f"{path}, message {number}: expected something in the column {name!r}, found nothing.")
    if cells["message_id"] in ("n/a", PRACTICE):
        raise BadInput(
            f"{path}, message {number}: the id {cells['message_id']!r} has a meaning of its own. Choose another."
        )
    return Message(**cells)
