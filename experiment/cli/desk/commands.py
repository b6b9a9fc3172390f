"""The desk on the command line: what the program does without a command, and an icon that starts it."""

from __future__ import annotations

from pathlib import Path

import typer

from experiment import system
from experiment.cli.desk.places import Places
from experiment.cli.options import (
    DATA,
    PARTICIPANTS,
    PROTOCOL,
    ROOT,
    DataFolder,
    MessagesFolder,
    ParticipantsFolder,
    ProtocolFile,
)
from experiment.cli.terminal import say
from experiment.errors import BadInput, EquipmentFailure
from experiment.system.shortcut import make_shortcut


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


def shortcut(
    protocol: ProtocolFile = PROTOCOL,
    messages: ParticipantsFolder = PARTICIPANTS,
    data: DataFolder = DATA,
) -> None:
    """Put an icon on the desktop that opens the desk, with the folders that are named here."""
    named = (("--protocol", protocol, PROTOCOL), ("--messages", messages, PARTICIPANTS), ("--data", data, DATA))
    options = [part for option, path, usual in named if path != usual for part in (option, _whole(path))]
    say(f"The icon is on the desktop:\n  {make_shortcut(ROOT, options)}")


def _whole(path: Path) -> str:
    """The path from the root, as the icon starts elsewhere; a protocol's name stays one."""
    return str(path.absolute()) if path.exists() or len(path.parts) > 1 else str(path)
