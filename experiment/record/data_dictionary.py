"""What every column of every table means: the BIDS data dictionaries."""

from __future__ import annotations

from typing import Any

from experiment.design.columns import SESSIONS_COLUMNS
from experiment.design.form_questions import AskedQuestion
from experiment.design.message import KEYED
from experiment.design.protocol import Protocol
from experiment.design.session import SessionPlan
from experiment.design.table_columns import table_columns


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
