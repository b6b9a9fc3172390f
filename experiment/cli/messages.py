"""The commands about messages: import, check, preview, encrypt, accept, and remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from experiment.cli.options import PARTICIPANTS, ParticipantsFolder
from experiment.cli.terminal import new_passphrase, say, unlock
from experiment.design.message import YES
from experiment.design.protocol import Protocol
from experiment.design.session import check_subject
from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.messages.store import Folder
from experiment.record.finding import count_in_words
from experiment.system import no_core_dumps


def encrypt(messages: ParticipantsFolder = PARTICIPANTS) -> None:
    """Encrypt all messages of the folder, and all that are imported later. Asks for a new passphrase the first time."""
    folder = folder_of(messages)
    passphrase = "" if folder.is_encrypted else new_passphrase()
    taken = folder.encrypt(passphrase)
    files = f"{count_in_words(len(taken), 'file')} {'was' if len(taken) == 1 else 'were'}"
    people = count_in_words(len(folder.subjects()), "participant")
    say(f"{files} encrypted; the messages of {people} are encrypted in {messages}.")
    if gone := folder.forget_pictures():
        say("Pictures of messages, which were not encrypted, were removed:\n" + "\n".join(f"  {path}" for path in gone))
    if passphrase:
        say(
            "Sessions, `messages check` and `messages preview` ask for the passphrase. Without it, and without key.age "
            "in that folder, these messages can never be read again. Keep both in two places."
        )


def decrypt(messages: ParticipantsFolder = PARTICIPANTS) -> None:
    """Decrypt all messages of the folder. Anyone who can open the folder can then read them."""
    folder = open_folder(messages)
    if not folder.is_encrypted:
        raise BadInput(f"The messages in {messages} are not encrypted.")
    count = len(folder.decrypt())
    say(f"{count_in_words(count, 'file')} {'was' if count == 1 else 'were'} decrypted.")


def accept(
    subject: Annotated[str, typer.Option(help="Whose messages.")],
    message: Annotated[str, typer.Option(help="The message's id, such as m03.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    messages: ParticipantsFolder = PARTICIPANTS,
) -> None:
    """Record that a message which looks damaged or contains a name is as its writer wrote it."""
    folder, label = open_folder(messages), check_subject(subject)
    here = folder.read(label)
    if message not in [one.message_id for one in here]:
        raise BadInput(
            f"{subject_name(label)} has no message {message!r}. `messages check --subject {label}` lists them."
        )
    meant = "Are you allowed to read it, have you looked at it, and did its writer write it like this?"
    if not yes and not typer.confirm(f"Message {message} of {subject_name(label)}. {meant}", err=True):
        say("Nothing was recorded.")
        return
    folder.write(label, [replace(one, as_written=YES) if one.message_id == message else one for one in here])
    say(f"Recorded: message {message} of {subject_name(label)} is shown as it was written.")


def forget(
    subject: Annotated[str, typer.Option(help="Whose messages.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    messages: ParticipantsFolder = PARTICIPANTS,
) -> None:
    """Permanently remove a participant's messages and their pictures; recorded data are kept."""
    folder, label = folder_of(messages), check_subject(subject)
    if not folder.has(label):
        raise BadInput(f"There are no messages of {subject_name(label)} in {messages}. Check the subject.")
    if not yes and not typer.confirm(f"Permanently remove the messages of {subject_name(label)}?", err=True):
        say("Nothing was removed.")
        return
    gone = folder.forget(label)
    say("Removed:\n" + "\n".join(f"  {path}" for path in gone))
    say("Please delete any other copies yourself: exports, e-mails, backups, videos, other computers.")


def open_folder(messages: Path) -> Folder:
    """The folder, with its key if it is encrypted: then the passphrase is asked for."""
    return with_key(folder_of(messages))


def with_key(folder: Folder) -> Folder:
    """The same, opened."""
    return unlock("Passphrase of the messages", folder.unlocked) if folder.is_encrypted else folder


def needed_folder(messages: Path, protocol: Protocol) -> Folder | None:
    """The folder as a session needs it, still without its key; None if its task shows no messages."""
    return folder_of(messages) if protocol.messages else None


def folder_of(path: Path) -> Folder:
    """The folder; where it is encrypted, still without its key."""
    if not path.is_dir():
        raise BadInput(f"The folder {path} does not exist. Check --messages.")
    no_core_dumps()  # messages, and perhaps their passphrase, are in this process from here on
    return Folder(path)
