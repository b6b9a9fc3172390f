"""The command `check`: everything that a session needs of this computer, measured, and of that session if named."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiment import system
from experiment.cli.messages import needed_folder, with_key
from experiment.cli.options import DATA, FOUND_WANTING, PARTICIPANTS, PROTOCOL, ROOT, AsJson, AsTsv, ProtocolFile
from experiment.cli.terminal import show, show_rows
from experiment.design.protocol import read_protocol
from experiment.errors import BadInput, DayFourError
from experiment.preflight import report
from experiment.record.finding import Finding, refusal, worst
from experiment.session.readiness import SessionItems, check_readiness, session_items
from experiment.study import admission
from experiment.study.clock import clock_trouble
from experiment.study.location import find_register


def check(
    subject: Annotated[str, typer.Option(help="Also check this participant's messages.")] = "",
    session: Annotated[int, typer.Option(help="With --subject: also check that this session can begin.")] = 0,
    no_press: Annotated[bool, typer.Option("--no-press", help="Do not ask for a key.")] = False,
    windowed: Annotated[bool, typer.Option("--windowed", help="In a window instead of full screen.")] = False,
    protocol: ProtocolFile = PROTOCOL,
    messages: Annotated[Path, typer.Option("--messages", help="The participants' folder.")] = PARTICIPANTS,
    data: Annotated[Path, typer.Option("--data", help="The data set's folder.")] = DATA,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """Check whether this computer is ready for a session: one line per item, with what to do."""
    if session and not subject:
        raise BadInput("Please give --subject with --session.")
    read = read_protocol(protocol)
    of_session: SessionItems = ([], ())
    if subject:
        system.no_core_dumps()  # messages are in this process from here on
        folder = needed_folder(messages, read)
        of_session = session_items(read, subject, session, folder and with_key(folder), data)
    of_session[0].extend(study_items(data, subject, session))
    found = check_readiness(read, data, ROOT, full_screen=not windowed, with_press=not no_press, of_session=of_session)
    rows = [(one.kind, one.severity, one.text, one.value, one.unit, one.fix) for one in found]
    if not show_rows(("name", "severity", "found", "value", "unit", "fix"), rows, as_json=as_json, as_tsv=as_tsv):
        show(report.table(found))
        show(report.verdict(found))
    if worst(found) == "error":
        raise typer.Exit(FOUND_WANTING)


def study_items(data: Path, subject: str, session: int) -> list[Finding]:
    """Whether the study's register can be reached, and whether it lets this participant in today; nothing without one.

    `subject`: nobody if empty. `session`: the one that is asked for; 0 for whichever is due.
    """
    try:
        register = find_register(data)
        if register is None:
            return []
        told = register.read()
        if trouble := clock_trouble(told.entries, register.now()):
            raise BadInput(trouble)
        if not subject:
            return [refusal("study", None, f"its register is intact, with {len(told.entries)} entries")]
        due = admission.session_now(told, subject, register.now(), session or None)
    except DayFourError as error:
        return [refusal("study", error)]
    return [refusal("study", None, f"session {due} may be run today")]
