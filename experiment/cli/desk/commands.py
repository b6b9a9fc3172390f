"""The desk on the command line: what the program does without a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiment import system
from experiment.cli.desk.places import Places
from experiment.cli.options import DATA, PARTICIPANTS, PROTOCOL, DataFolder, ProtocolFile
from experiment.errors import BadInput, EquipmentFailure

MessagesFolder = Annotated[Path, typer.Option("--messages", help="The folder with sub-<ID>.csv of each participant.")]


def desk(
    context: typer.Context,
    protocol: ProtocolFile = PROTOCOL,
    messages: MessagesFolder = PARTICIPANTS,
    data: DataFolder = DATA,
) -> None:
    """Without a command: the desk, a window for the assistant.

    Exit status: 0 completed, 1 problems found (check, replay --verify, qa ...), 2 bad input, 3 ended by the assistant,
    4 equipment failure.
    """
    places = Places(protocol, messages, data)
    if context.invoked_subcommand is not None:
        if places != Places(PROTOCOL, PARTICIPANTS, DATA):
            raise BadInput(f"Please write the options after the command: dayfour {context.invoked_subcommand} ...")
        return
    if not system.has_display():
        raise EquipmentFailure(
            "There is no display, so the desk cannot open. Start it from the computer's desktop, or see what can be "
            "done without one: ./dayfour --help"
        )
    from experiment.cli.desk.window import open_desk

    raise typer.Exit(open_desk(places))
