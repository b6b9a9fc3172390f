"""The one list of the tables' columns: their names, order, types and meaning.

A protocol's questions add columns of their own; none may be named like one that is always there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from experiment.design.rating import Rating
    from experiment.design.scale import Scale

Kind = Literal["text", "count", "seconds", "number"]

RATING_ENDINGS = ("_onset", "_rt", "_time", "_changes")
"""How the names of a rating's columns, or of columns with seconds, end: no question's id ends so."""
ZERO = "since the session's clock zero (acq_time in the sessions file)"


class TableColumn(Struct, frozen=True):
    """A column: a text, a whole number, seconds or a number in `units`; `levels`: what each value means."""

    name: str
    kind: Kind
    description: str
    levels: dict[str, str] = {}
    units: str = ""

    @property
    def entry(self) -> dict[str, Any]:
        """Its entry in a BIDS data dictionary."""
        named = "s" if self.kind == "seconds" else self.units
        units = {"Units": named} if named else {}
        return {"Description": self.description} | units | ({"Levels": self.levels} if self.levels else {})


MESSAGE_COLUMNS = (
    TableColumn("trial", "count", "Position of the message in the session, from 1."),
    TableColumn("message_id", "text", "The message's id in the file of messages."),
    TableColumn("message_sha256", "text", "SHA-256 of the message's text as UTF-8."),
    TableColumn("relationship", "text", "What the writer is to the participant, as in the file of messages."),
    TableColumn("message_words", "count", "How many words the message has; where words stand without spaces, as in "
                "Chinese or Thai, two characters count as one."),
    TableColumn("message_onset", "seconds", f"When the message was first on the screen, {ZERO}."),
    TableColumn("reading_time", "seconds", "From message_onset to the press that went on, without pauses; n/a if its "
                "maximum time ended it."),
)  # fmt: skip
AROUND_COLUMNS = (
    TableColumn("question_order", "text", "The questions' ids in the order of asking, with a comma between them."),
    TableColumn("pauses", "count", "How often the session was paused within the trial."),
    TableColumn("focus_losses", "count", "How many of these pauses came because another window took the keyboard."),
    TableColumn("paused_time", "seconds", "Length of these pauses in all; a pause in which the session ended adds "
                "nothing."),
    TableColumn("missed_frames", "count", "Refreshes without a flip while the message was on the screen; n/a if flips "
                "were not recorded."),
    TableColumn("timed_by", "text", "What took the times of the answers, with a plus between several. queue: "
                "psychtoolbox's raw event queue, when the key moved. iohub: ioHub, when the key moved. poll: the "
                "window, once a refresh, so up to one refresh late. robot: a synthetic participant."),
    TableColumn("answered_with", "text", "With what the participant went on from the message, moved the marker and "
                "confirmed: keyboard, mouse, or keyboard+mouse."),
    TableColumn("shown_before", "count", "How often the message had been on the screen before the program died and "
                "the session went on."),
)  # fmt: skip
TRIAL_COLUMNS = frozenset(column.name for column in (*MESSAGE_COLUMNS, *AROUND_COLUMNS))
"""Those that the table of the self-paced task has, whatever is asked."""
LATER_COLUMNS = frozenset({"message_words", "answered_with"})
"""Those that tables have since the number of words is recorded."""

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
        "interrupted if somebody stopped the program, incomplete if an interrupted session was closed as it was, or "
        "the kind of the error; n/a if it was completed."
    },
}
"""The columns that every sessions file has, with their entries in its data dictionary."""


def rating_columns(rating: Rating) -> Iterator[TableColumn]:
    """Five for each question."""
    for question in rating.questions:
        name, scale = question.id, rating.scale(question)
        extent = "" if scale.first else f", {scale.extent}"
        answer = f'The confirmed answer to "{question.text}"{extent}; n/a if none was confirmed in time.'
        confirmed = f"From {name}_onset to the press that made the answer final, without pauses."
        changes = "How often the marker moved after the first choice; n/a if there was none."
        yield TableColumn(name, "count", answer, _levels(scale))
        yield TableColumn(f"{name}_onset", "seconds", f"When the scale of {name} was first on the screen, {ZERO}.")
        yield TableColumn(
            f"{name}_rt", "seconds", f"From {name}_onset to the first choice, without pauses, even if never confirmed."
        )
        yield TableColumn(f"{name}_confirm_rt", "seconds", confirmed)
        yield TableColumn(f"{name}_changes", "count", changes)


def _levels(scale: Scale) -> dict[str, str]:
    """What the numbers of a scale mean; of a line, those that have labels."""
    labelled = {str(number): label for number, label in scale.labelled.items()}
    if scale.is_line:
        return labelled
    of = f" of {scale.points}" if scale.first else ""
    numbers = map(str, range(scale.first, scale.last + 1))
    return {number: f"{number}{of}, without a label" for number in numbers} | labelled
