"""The commands that change the messages that there are: import, encrypt, accept, and remove."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from experiment.cli.options import FOUND_WANTING, PARTICIPANTS, PROTOCOL, ParticipantsFolder, ProtocolFile, Sheet
from experiment.cli.terminal import console, new_passphrase, next_line, progress_bar, say, unlock, unlock_if_given
from experiment.design.message import YES
from experiment.design.protocol import Protocol, read_protocol
from experiment.design.session import check_subject
from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.messages.store import Folder
from experiment.record.finding import count_in_words
from experiment.system import no_core_dumps

STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


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


def import_messages(
    files: Annotated[list[Path], typer.Argument(help="Tables (CSV, TSV, XLSX), text files, or folders of them.")],
    subject: Annotated[str, typer.Option(help="Participant all messages are for, if there is no such column.")] = "",
    writer: Annotated[
        str, typer.Option(help="Write - if one person wrote all messages; you are then asked for the name.")
    ] = "",
    relationship: Annotated[str, typer.Option(help="The writer's relationship to the participant, e.g. mother.")] = "",
    language: Annotated[
        str, typer.Option(help="Language of all messages, e.g. en; guessed from the script if omitted.")
    ] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="NAME=COLUMN, e.g. text=Q3 or writer=2; # stands for a number: text=Q3_#.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of tables that are not Unicode, e.g. cp1252.")] = None,
    sheet: Sheet = None,
    messages: ParticipantsFolder = PARTICIPANTS,
    into: Annotated[Path | None, typer.Option("--into", hidden=True)] = None,  # its name before, in labs' scripts
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be imported.")] = False,
    corrected: Annotated[
        bool, typer.Option("--replace", help="Replace a writer's text that is no longer in the file by the new one.")
    ] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Import damaged texts too.")] = False,
    protocol: ProtocolFile = PROTOCOL,
) -> None:
    """Import messages unchanged. Damaged text is reported (exit status 1)."""
    from experiment.messages.importing import run as importing

    tongue, folder = read_protocol(protocol).language, _folder_to_fill(into or messages)
    same = {"subject": subject, "writer": _name_of(writer), "relationship": relationship, "language": language}
    with progress_bar("Messages") as progress:
        plan = importing.plan(
            files, folder, tongue, given=column or [], constants=same, encoding=encoding, sheet=sheet,
            ask=_ask if sys.stdin.isatty() else None, progress=progress, corrects=corrected,
        )  # fmt: skip
        is_right = importing.finish(plan, folder, _tell, despite_errors=anyway, dry_run=dry_run, progress=progress)
    if not is_right:
        raise typer.Exit(FOUND_WANTING)


def _name_of(writer: str) -> str:
    """The writer's name as typed; BadInput for one in the command, where other users of the computer see it."""
    if writer not in {"", "-"}:
        raise BadInput("Other users of this computer can see commands. Use `--writer -` and enter the name when asked.")
    if not writer:
        return ""
    return typer.prompt("Writer", err=True) if sys.stdin.isatty() else next_line().strip()


def _folder_to_fill(path: Path) -> Folder:
    """The folder, with its key where somebody can be asked for the passphrase."""
    no_core_dumps()  # messages, and perhaps their passphrase, are in this process from here on
    folder = Folder(path)
    if not folder.is_encrypted or not folder.subjects():
        return folder
    prompt = "Passphrase of the messages (press Return if all participants are new)"
    return unlock_if_given(prompt, folder.unlocked) or folder


def _ask(table: str, field: str, listed: Sequence[str]) -> int | None:
    """Which column it is, by its number; nothing of the cells is shown."""
    say(f"{table}: which column is the {field}?", "bold")
    for number, line in enumerate(listed, start=1):
        say(f"  {number}. {line}")
    answer = -1
    while not 0 <= answer <= len(listed):
        answer = typer.prompt("Number (0: none of them)", type=int, err=True)
    return answer - 1 if answer else None


def _tell(what: object) -> None:
    if isinstance(what, str):
        say(what, STYLES.get(what.partition(":")[0]))
    else:
        console().print(what)


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
