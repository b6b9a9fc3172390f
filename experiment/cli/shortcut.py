"""The command `shortcut`: an icon of the desk on this computer's desktop."""

from __future__ import annotations

from pathlib import Path

from experiment.cli.options import DATA, PARTICIPANTS, PROTOCOL, ROOT, DataFolder, ParticipantsFolder, ProtocolFile
from experiment.cli.terminal import say
from experiment.system.shortcut import make_shortcut


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
