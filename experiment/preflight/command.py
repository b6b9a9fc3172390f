"""The command `check`: everything that a session needs of this computer, measured, and of that session if named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiment.errors import BadInput
from experiment.messages.commands import opened
from experiment.review import DATA, FOUND_WANTING, PARTICIPANTS, PROTOCOL, ROOT, ProtocolFile
from experiment.terminal import console, say

if TYPE_CHECKING:
    from experiment.preflight.checking import SessionItems


def check(
    subject: Annotated[str, typer.Option(help="Also check this participant's messages.")] = "",
    session: Annotated[int, typer.Option(help="With --subject: also check that this session can begin.")] = 0,
    no_press: Annotated[bool, typer.Option("--no-press", help="Do not ask for a key.")] = False,
    windowed: Annotated[bool, typer.Option("--windowed", help="In a window instead of full screen.")] = False,
    protocol: ProtocolFile = PROTOCOL,
    messages: Annotated[Path, typer.Option("--messages", help="The participants' folder.")] = PARTICIPANTS,
    data: Annotated[Path, typer.Option("--data", help="Where the data set lies.")] = DATA,
) -> None:
    """Whether this computer is fit for a session: one line a thing, with what to do."""
    from experiment import system
    from experiment.preflight import report
    from experiment.preflight.checking import checked, session_items, study_items
    from experiment.preflight.items import worst
    from experiment.protocol import read_protocol

    if session and not subject:
        raise BadInput("--session needs --subject: whose session it is.")
    read = read_protocol(protocol)
    of_session: SessionItems = ([], ())
    if subject:
        system.no_core_dumps()  # messages are in this process from here on
        of_session = session_items(read, subject, session, opened(messages), data)
    of_session[0].extend(study_items(data, subject, session))
    found = checked(read, data, ROOT, full_screen=not windowed, with_press=not no_press, of_session=of_session)
    console().print(report.table(found))
    say(report.verdict(found), "bold")
    if worst(found) == "red":
        raise typer.Exit(FOUND_WANTING)
