"""Which columns a session's table has, and what every column of every table means: the BIDS data dictionaries."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from experiment.design.columns import (
    AROUND_COLUMNS,
    LATER_COLUMNS,
    MESSAGE_COLUMNS,
    SESSIONS_COLUMNS,
    TableColumn,
    rating_columns,
)
from experiment.design.form_questions import AskedQuestion
from experiment.design.message import KEYED
from experiment.design.objects import object_columns
from experiment.design.protocol import Protocol
from experiment.design.scan import SCAN_COLUMNS
from experiment.design.session import SessionPlan
from experiment.design.sources import LEVELS

SOURCE_COLUMN = TableColumn("source", "text", "Whom the message is from.", LEVELS)
_HANDED_BEFORE = "How often the object was in the hand before the program died and the session went on."


def table_columns(session: SessionPlan) -> tuple[TableColumn, ...]:
    """The columns in order; where the session did not record how many words its messages have, as tables were then."""
    left_out = set() if session.has_words else LATER_COLUMNS
    every = (*_first_columns(session), *rating_columns(session.protocol.rating), *_around_columns(session))
    return tuple(column for column in every if column.name not in left_out)


def _first_columns(session: SessionPlan) -> tuple[TableColumn, ...]:
    """What comes before the ratings."""
    if objects := session.protocol.objects:
        return object_columns(objects)
    source = (SOURCE_COLUMN,) if session.has_sources else ()
    if session.protocol.scan:
        trial, *message = (column for column in MESSAGE_COLUMNS if column.name != "reading_time")
        return (trial, *SCAN_COLUMNS[:2], *message, *source, *SCAN_COLUMNS[2:])
    return (*MESSAGE_COLUMNS, *source)


def _around_columns(session: SessionPlan) -> tuple[TableColumn, ...]:
    """What comes after the ratings; of an object no frames are missed."""
    if not session.protocol.objects:
        return AROUND_COLUMNS
    *kept, last = (column for column in AROUND_COLUMNS if column.name != "missed_frames")
    return (*kept, replace(last, description=_HANDED_BEFORE))


def data_dictionary(session: SessionPlan) -> dict[str, Any]:
    """The table's BIDS sidecar: the task, then each column with its meaning, units and levels."""
    protocol = session.protocol
    wording = protocol.wording
    practice = () if protocol.scan or protocol.objects else (wording.practice, wording.begin)
    instructions = (wording.welcome, *wording.instructions, *practice)
    return {
        "TaskName": protocol.task,
        "TaskDescription": _describe_task(protocol),
        "Instructions": "\n\n".join(text.strip() for text in instructions),
        "ProtocolSHA256": protocol.sha256,
        **{column.name: column.entry for column in table_columns(session)},
        **(KEYED_COLUMN if session.message_digests == KEYED and session.trials else {}),
    }


def _describe_task(protocol: Protocol) -> str:
    scales, messages = _scales(protocol), protocol.messages
    if objects := protocol.objects:
        return _OBJECTS.format(things=len(objects.things), repeats=objects.repeats, scales=scales)
    return (_SCAN if protocol.scan else _TASK).format(messages=messages, scales=scales)


def sessions_dictionary(protocol: Protocol) -> dict[str, Any]:
    """The sessions file's columns: those of every session, then the protocol's questions to the assistant."""
    return SESSIONS_COLUMNS | {question.id: describe_question(question) for question in protocol.assistant}


def describe_question(question: AskedQuestion, who: str = "assistant") -> dict[str, Any]:
    """What a column with the answers to a form's question means; `who`: who answers it."""
    limits = {"Minimum": question.minimum, "Maximum": question.maximum, "Units": question.units or None}
    form = " Local time of day, HH:MM." if question.kind == "time" else ""
    levels = {"Levels": {choice: choice for choice in question.choices}} if question.choices else {}
    description = {"Description": f'The {who}\'s answer to "{question.text}".{form} n/a if there was none.'}
    return description | levels | {name: value for name, value in limits.items() if value is not None}


def _scales(protocol: Protocol) -> str:
    """What is answered on, in words."""
    scales = map(protocol.scale, protocol.rating.questions)
    kinds = (
        "a line from 0 to 100" if one.is_line
        else f"scales of {one.points} points" if one.first else f"scales {one.extent}"
        for one in scales
    )  # fmt: skip
    return " and ".join(dict.fromkeys(kinds))


PARTICIPANTS_COLUMNS = {"participant_id": {"Description": "The participant's ID, with the prefix sub-."}}
_TASK = (
    "The participant reads {messages} messages from loved ones, one at a time, and answers after each of them on "
    "{scales}. A row is a message, in the order of showing. n/a: something did not happen, "
    "such as a rating that was not given in time, or a message that an ended session did not reach."
)
_SCAN = (
    "In a scanner the participant reads {messages} messages in blocks, each message for a fixed time, on a schedule "
    "that counts from a pulse of the scanner. A row is a message, in the order of showing; ratings on "
    "{scales}, if any, are asked for after the last message of a block. n/a: something did not happen, such as "
    "a rating that was not given in time, or a message after a pause, which ends a run."
)
_OBJECTS = (
    "With closed eyes the participant holds {things} objects {repeats} times each, and answers after each holding on "
    "{scales}. A row is a holding, in the order of holding. n/a: something did not happen, such as a "
    "rating that was not given in time."
)
KEYED_COLUMN = {
    "message_sha256": {
        "Description": "HMAC-SHA256 of the SHA-256 (as 64 hexadecimal digits) of the message's text as UTF-8. It tells "
        "that a text is the same in two sessions; nobody who lacks one of the texts can try a guess by "
        "it. The key is scrypt (N = 4096, r = 8, p = 1, 32 bytes, salt: Day Four) of the SHA-256 of all of the "
        "participant's texts, sorted, as a JSON list."
    }
}
