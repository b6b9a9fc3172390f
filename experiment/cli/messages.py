"""The commands about messages: taken in, checked, looked at, kept encrypted, and forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiment.cli.options import PARTICIPANTS
from experiment.cli.terminal import new_passphrase, say, unlock
from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.messages.findings import count_in_words

if TYPE_CHECKING:
    from experiment.messages.store import Folder

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Messages: from the inbox to the session.")

MessagesFolder = Annotated[Path, typer.Option("--messages", help="The participants' folder.")]


@app.command()
def encrypt(messages: MessagesFolder = PARTICIPANTS) -> None:
    """Encrypt all messages of the folder, and whatever is taken in later; at first a passphrase is asked for."""
    folder = _folder(messages)
    passphrase = "" if folder.is_encrypted else new_passphrase()
    taken = folder.encrypt(passphrase)
    files = f"{count_in_words(len(taken), 'file')} {'was' if len(taken) == 1 else 'were'}"
    people = count_in_words(len(folder.subjects()), "participant")
    say(f"{files} encrypted; the messages of {people} lie encrypted in {messages}.")
    if gone := folder.forget_pictures():
        say("Pictures of messages, which were not encrypted, were removed:\n" + "\n".join(f"  {path}" for path in gone))
    if passphrase:
        say(
            "Sessions, `messages check` and `messages preview` ask for the passphrase. Without it, and without key.age "
            "in that folder, nobody can ever read these messages: keep both, at two places."
        )


@app.command()
def decrypt(messages: MessagesFolder = PARTICIPANTS) -> None:
    """Put all messages of the folder back as they were before, readable by whoever can open it."""
    folder = open_folder(messages)
    if not folder.is_encrypted:
        raise BadInput(f"The messages in {messages} are not encrypted.")
    count = len(folder.decrypt())
    say(f"{count_in_words(count, 'file')} {'was' if count == 1 else 'were'} decrypted.")


@app.command()
def accept(
    subject: Annotated[str, typer.Option(help="Whose messages.")],
    message: Annotated[str, typer.Option(help="The message's id, such as m03.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False,
    messages: MessagesFolder = PARTICIPANTS,
) -> None:
    """Record that a message which seems damaged, or holds a name, is as its writer wrote it: somebody has looked."""
    from msgspec.structs import replace

    from experiment.design.message import YES
    from experiment.design.session import check_subject

    folder, label = open_folder(messages), check_subject(subject)
    here = folder.read(label)
    if message not in [one.message_id for one in here]:
        raise BadInput(
            f"{subject_name(label)} has no message {message!r}. `messages check --subject {label}` names them."
        )
    meant = "You may see it, have looked at it, and its writer wrote it so?"
    if not yes and not typer.confirm(f"Message {message} of {subject_name(label)}. {meant}", err=True):
        say("Nothing was recorded.")
        return
    folder.write(label, [replace(one, as_written=YES) if one.message_id == message else one for one in here])
    say(f"Recorded: message {message} of {subject_name(label)} is shown as it was written.")


@app.command()
def forget(
    subject: Annotated[str, typer.Option(help="Whose messages.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False,
    messages: MessagesFolder = PARTICIPANTS,
) -> None:
    """Remove a participant's messages and their pictures for good; the recorded data stay as they are."""
    from experiment.design.session import check_subject

    folder, label = _folder(messages), check_subject(subject)
    if not folder.has(label):
        raise BadInput(f"There are no messages of {subject_name(label)} in {messages}. Check the subject.")
    if not yes and not typer.confirm(f"Remove the messages of {subject_name(label)} for good?", err=True):
        say("Nothing was removed.")
        return
    gone = folder.forget(label)
    say("Removed:\n" + "\n".join(f"  {path}" for path in gone))
    say("Copies elsewhere are yours to remove: the export they came from, mails, backups, films, other computers.")


def open_folder(messages: Path) -> Folder:
    """The folder, with its key if it is encrypted: then the passphrase is asked for."""
    folder = _folder(messages)
    return unlock("Passphrase of the messages", folder.unlocked) if folder.is_encrypted else folder


def _folder(path: Path) -> Folder:
    from experiment.messages.store import Folder
    from experiment.system import no_core_dumps

    if not path.is_dir():
        raise BadInput(f"The folder {path} is not there. Check --messages.")
    no_core_dumps()  # messages, and perhaps their passphrase, are in this process from here on
    return Folder(path)
