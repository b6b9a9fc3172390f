"""The desk on the command line: what the program does without a command."""

from __future__ import annotations

import typer

from experiment import system
from experiment.cli.desk.places import Places
from experiment.cli.options import DATA, PARTICIPANTS, PROTOCOL, DataFolder, MessagesFolder, ProtocolFile
from experiment.errors import BadInput, EquipmentFailure


def desk(
    context: typer.Context,
    protocol: ProtocolFile = PROTOCOL,
    messages: MessagesFolder = PARTICIPANTS,
    data: DataFolder = DATA,
) -> None:
    """Without a command: the desk, a window for the assistant."""
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
