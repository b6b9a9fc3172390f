"""What is wrong, and the command that mends it, where there is one: each button runs one as a person would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from msgspec import Struct

from experiment.cli.desk.places import Command, Places
from experiment.design.form_questions import AskedQuestion
from experiment.design.protocol import Protocol
from experiment.design.visit import Visit, bare_label, session_name, subject_name
from experiment.errors import DayFourError
from experiment.record.closing import has_answered
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding
from experiment.record.remake import find_behind
from experiment.record.rescue import find_originals
from experiment.record.saved import on_disk
from experiment.record.tsv import read_rows
from experiment.session.plan import read_interrupted
from experiment.study.status import StatusRow

LOOK_AGAIN, IMPORT, REMAKE = "Look again", "Import messages ...", "Make the tables again"
WHO = AskedQuestion("operator", "Your name or initials", "text", required=True)
REASON = AskedQuestion("reason", "Reason, in words", "text", required=True)
MESSAGE_FILES = "Tables and texts (*.csv *.tsv *.xlsx *.txt);;All files (*)"


class Trouble(Struct, frozen=True):
    """Something that is wrong, and the button that mends it; without a `command` it looks again.

    `asks`: options of the command that are asked for first. `files`: which files are chosen for it, "" for none.
    """

    text: str
    button: str = LOOK_AGAIN
    command: Command = ()
    asks: tuple[AskedQuestion, ...] = ()
    files: str = ""


def no_messages(text: str, places: Places) -> Trouble:
    """Messages are missing that a file may hold."""
    return Trouble(text, IMPORT, places.import_messages, files=MESSAGE_FILES)


def of_register(rows: Iterable[StatusRow], places: Places) -> Iterator[Trouble]:
    """Sessions whose days are over, and of which nobody has said that they did not take place."""
    for row in rows:
        for need in row.needs:
            if need.kind == "close_session":
                subject = bare_label(row.subject)
                yield Trouble(
                    f"{subject_name(subject)}: {need.text}.", "It did not take place ...",
                    places.close_session(subject, need.course), asks=(WHO,),
                )  # fmt: skip


def of_tables(data: DataSet, places: Places) -> Iterator[Trouble]:
    """Tables that do not say what the logs say, and logs of which a part lies elsewhere."""
    count = len(find_originals(data.root)) + len(find_behind(data))
    if count:
        what = "one session are" if count == 1 else f"{count} sessions are"
        yield Trouble(f"The tables of {what} not as the logs have it.", REMAKE, places.remake)


def of_sessions(visits: Iterable[tuple[Visit, bool]], data: DataSet, places: Places) -> Iterator[Trouble]:
    """Of sessions that are due: interrupted ones, and those without messages. `visits`: with whether they lack them."""
    for visit, lacks_messages in visits:
        try:
            if interrupted := read_interrupted(data, visit):
                text = f"{visit} was interrupted. {on_disk(interrupted)}"
                yield Trouble(text, "Resume or close", places.run(visit.subject, visit.session))
            elif lacks_messages:
                yield no_messages(f"{visit} is due, and there are no messages of this participant here.", places)
        except DayFourError as error:  # noqa: PERF203 - of one visit alone
            yield Trouble(str(error))


def of_closing_questions(protocol: Protocol, data: DataSet, places: Places) -> Iterator[Trouble]:
    """Who left the closing questions, or was not asked, after the last session."""
    if protocol.funnel is None:
        return
    last = protocol.sessions
    for subject in sorted(data.labels()):
        with suppress(DayFourError):
            if data.table_of(Visit(subject, last)) and not has_answered(data, subject):
                held = read_rows(data.sessions(subject), "session_id").get(session_name(last), {})
                if held.get("status") == "completed":
                    text = f"{subject_name(subject)} has not answered the closing questions."
                    yield Trouble(text, "Ask them now", places.funnel(subject))


def of_computer(found: Sequence[Finding], places: Places) -> list[Trouble]:
    """What keeps a session from beginning on this computer, such as a full disk."""
    return [
        Trouble(f"{one.kind}: {one.text}. {one.fix or ''}".strip(), "Check this computer", places.check)
        for one in found
        if one.severity == "error"
    ]
