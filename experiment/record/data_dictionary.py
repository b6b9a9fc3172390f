"""What every column of every table means: the BIDS data dictionaries."""

from __future__ import annotations

from typing import Any

from experiment.design.protocol import Protocol, Question
from experiment.design.questions import AskedQuestion

SECONDS = ("_onset", "_rt", "_time")
"""How the names of columns end that hold seconds."""


def data_dictionary(protocol: Protocol) -> dict[str, Any]:
    """The table's BIDS sidecar: the task, then each column with its meaning, units and levels."""
    wording = protocol.wording
    instructions = (wording.welcome, *wording.instructions, wording.practice, wording.begin)
    questions = protocol.rating.questions
    ratings = {name: meaning for question in questions for name, meaning in _explained(question).items()}
    levels = {question.id: {"Levels": _levels(question, protocol.rating.points)} for question in questions}
    return {
        "TaskName": protocol.task,
        "TaskDescription": _TASK.format(messages=protocol.messages, points=protocol.rating.points),
        "Instructions": "\n\n".join(text.strip() for text in instructions),
        "ProtocolSHA256": protocol.sha256,
        **{
            name: {"Description": meaning} | ({"Units": "s"} if name.endswith(SECONDS) else levels.get(name, {}))
            for name, meaning in (_FIRST_COLUMNS | ratings | _LAST_COLUMNS).items()
        },
    }


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


SESSIONS_COLUMNS: dict[str, Any] = {
    "session_id": {"Description": "The visit: the day fours of a participant in time. It does not tell the drug."},
    "acq_time": {"Description": "The session's clock zero, UTC: all onsets in its table count from there."},
    "operator": {"Description": "The research assistant."},
    "seed": {"Description": "From this number the order of messages and questions was drawn."},
    "status": {
        "Description": "How the session ended; n/a while it is running, or if the program or the computer died.",
        "Levels": {
            "completed": "The participant saw the closing page to its end",
            "aborted": "The assistant ended the session",
            "failed": "The program stopped with an error",
        },
    },
    "end_reason": {
        "Description": "Why a session was not completed: withdrew, technical or other as the assistant chose, "
        "interrupted if somebody stopped the program, or the kind of the error; n/a if it was completed."
    },
}
PARTICIPANTS_COLUMNS = {"participant_id": {"Description": "The participant's ID, with the prefix sub-."}}
_TASK = (
    "The participant reads {messages} messages from loved ones, one at a time, and answers after each of them on "
    "scales of {points} points. A row is a message, in the order of showing. n/a: something did not happen, "
    "such as a rating that was not given in time, or a message that an ended session did not reach."
)
_ZERO = "since the session's clock zero (acq_time in the sessions file)"
_FIRST_COLUMNS = {
    "trial": "Position of the message in the session, from 1.",
    "message_id": "The message's id in the file of messages.",
    "message_sha256": "SHA-256 of the message's text as UTF-8.",
    "relationship": "What the writer is to the participant, as in the file of messages.",
    "message_onset": f"When the message was first on the screen, {_ZERO}.",
    "reading_time": "From message_onset to the press that went on, without pauses; n/a if its maximum time ended it.",
}
_LAST_COLUMNS = {
    "question_order": "The questions' ids in the order of asking, with a comma between them.",
    "pauses": "How often the session was paused within the trial.",
    "focus_losses": "How many of these pauses came because another window took the keyboard.",
    "paused_time": "Length of these pauses in all; a pause in which the session ended adds nothing.",
    "missed_frames": "Refreshes without a flip while the message was on the screen; n/a if flips were not recorded.",
    "timed_by": (
        "What took the times of the answers, with a plus between several. queue: psychtoolbox's raw event queue, when "
        "the key moved. iohub: ioHub, when the key moved. poll: the window, once a refresh, so up to one refresh late. "
        "robot: a synthetic participant."
    ),
    "shown_before": "How often the message had been on the screen before the program died and the session went on.",
}


def _explained(question: Question) -> dict[str, str]:
    """A rating's five columns."""
    name = question.id
    return {
        name: f'The confirmed answer to "{question.text}"; n/a if none was confirmed in time.',
        f"{name}_onset": f"When the scale of {name} was first on the screen, {_ZERO}.",
        f"{name}_rt": f"From {name}_onset to the first choice, without pauses, even if never confirmed.",
        f"{name}_confirm_rt": f"From {name}_onset to the press that made the answer final, without pauses.",
        f"{name}_changes": "How often the marker moved after the first choice; n/a if there was none.",
    }


def _levels(question: Question, points: int) -> dict[str, str]:
    between = {str(point): f"{point} of {points}, without a label" for point in range(2, points)}
    return {"1": question.low, **between, str(points): question.high}
