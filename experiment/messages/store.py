"""Where the participants' messages lie: a file each, plain or encrypted, and nothing of them anywhere else.

Files are encrypted to a public key, `recipient.txt`, so that more messages can be taken in without the passphrase; the
private key lies beside it, itself encrypted with the passphrase (`key.age`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from experiment.design.message import Message, messages_csv, parse_messages, read_messages
from experiment.design.session import check_subject
from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.storage import encryption
from experiment.storage.atomic_file import write_whole
from experiment.storage.read_file import is_open_to_others, read_file, read_text

MESSAGES = re.compile(r"sub-([A-Za-z0-9]{1,32})\.csv(\.age)?")
TABLES = {".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".numbers", ".age"}
RECIPIENT, PRIVATE_KEY = "recipient.txt", "key.age"
PREVIEW, IGNORED, CHANGES = "preview", ".gitignore", "changes.log"


@dataclass(frozen=True)
class Folder:
    """The folder of `sub-<ID>.csv`, or of `sub-<ID>.csv.age` where it is encrypted; `key` opens those."""

    path: Path
    key: Any = field(default=None, repr=False)

    @property
    def is_encrypted(self) -> bool:
        """Whether what comes in is encrypted."""
        return (self.path / RECIPIENT).exists()

    def subjects(self) -> tuple[str, ...]:
        """The labels of everybody whose messages are here, sorted."""
        found = (MESSAGES.fullmatch(one.name) for one in self.path.glob("sub-*"))
        return tuple(sorted({match[1] for match in found if match}))

    def strays(self) -> tuple[str, ...]:
        """The names of files that somebody may take for messages of this folder, and that nobody reads."""
        tables = {one.name for one in self.path.glob("*") if one.suffix.lower() in TABLES} - {RECIPIENT, PRIVATE_KEY}
        return tuple(sorted(name for name in tables if not MESSAGES.fullmatch(name)))

    def has(self, subject: str) -> bool:
        """Whether this participant's messages are here."""
        return any(path.exists() for path in self._both(subject))

    def file(self, subject: str) -> Path:
        """Where this participant's messages lie, or will."""
        plain, sealed = self._both(subject)
        return sealed if self.is_encrypted else plain

    def read(self, subject: str) -> tuple[Message, ...]:
        """A participant's messages; BadInput names what is missing or wrong, never a text."""
        plain, sealed = self._both(subject)
        if not self.is_encrypted:
            return read_messages(plain)
        if plain.exists():
            raise BadInput(f"{plain} is not encrypted, unlike the others here. Run `dayfour messages encrypt`.")
        if not sealed.exists():
            raise BadInput(f"The messages {sealed} do not exist. Check the subject.")
        if self.key is None:
            raise BadInput(
                f"The messages in {self.path} are encrypted, and no passphrase was given. Please run the "
                "command again and enter it."
            )
        return parse_messages(_decrypted(sealed, self.key), sealed)

    def write(self, subject: str, messages: Sequence[Message]) -> Path:
        """Keep a participant's messages in place of what was here; where the folder is encrypted, so are they."""
        content, path = messages_csv(messages), self.file(check_subject(subject))
        self._keep_from_git()
        write_whole(path, self._sealed(content) if self.is_encrypted else content, private=True)
        return path

    def note(self, what: str) -> None:
        """Record in a file beside the messages what was done to them, when."""
        path = self.path / CHANGES
        before = read_text(path) if path.exists() else ""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        write_whole(path, f"{before}{now} {what}\n", private=True)

    def forget(self, subject: str) -> list[Path]:
        """Remove a participant's messages and the pictures of them; what was removed."""
        pictures = self._pictures(label := check_subject(subject))
        return _removed(path for path in (*self._both(label), *pictures) if path.exists())

    def forget_pictures(self) -> list[Path]:
        """Remove the pictures of everybody's messages, which nobody encrypts; what was removed."""
        return _removed(self._pictures("*"))

    def encrypt(self, passphrase: str) -> list[str]:
        """Encrypt all that lies here in plain, at first with a new key; the subjects that were taken in.

        A plain file goes only when its encrypted one stands on the disk. Later the passphrase is not needed.
        """
        self._keep_from_git()
        if not self.is_encrypted:
            self._make_key(passphrase)
        taken = []
        for plain in sorted(self.path.glob("sub-*.csv")):
            subject = check_subject(plain.stem)
            if (sealed := self._both(subject)[1]).exists():
                raise BadInput(f"{plain} and {sealed.name} both exist. Remove the wrong one.")
            write_whole(sealed, self._sealed(read_file(plain)), private=True)
            plain.unlink()
            taken.append(subject)
        return taken

    def decrypt(self) -> list[str]:
        """Put all files back as they were before they were encrypted; the subjects. Needs the key."""
        sealed = sorted(self.path.glob("sub-*.csv.age"))
        for path in sealed:
            write_whole(path.with_suffix(""), _decrypted(path, self.key), private=True)
        for path in (*sealed, self.path / RECIPIENT, self.path / PRIVATE_KEY):
            path.unlink()
        return [path.name[4:-8] for path in sealed]

    def unlocked(self, passphrase: str) -> Folder:
        """The same folder with its key; BadInput for another passphrase. Takes a second, so guessing does too.

        Also where the public key beside it belongs to another private key: whoever put it there could read, and nobody
        else, what is encrypted from then on.
        """
        path = self.path / PRIVATE_KEY
        try:
            key = encryption.unlock(read_file(path), passphrase)
        except OSError as error:
            raise BadInput(
                f"{path} cannot be read: {error.strerror}. Without it the messages cannot be decrypted."
            ) from error
        if self.public_key() != (own := encryption.public_key(key)):
            raise BadInput(
                f"{self.path / RECIPIENT} was replaced: it is not the public key of {PRIVATE_KEY}. Messages imported "
                "since then can only be read with another key. Find out who replaced it, restore this line in that "
                f"file, and import those messages again:\n{own}"
            )
        return Folder(self.path, key)

    def public_key(self) -> str:
        """To which what comes in is encrypted; BadInput if the file holds none."""
        path = self.path / RECIPIENT
        try:
            return read_text(path).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{path} does not contain a public key (age). Restore the file.") from error

    def open_to_others(self) -> tuple[Path, ...]:
        """The files of messages and pictures that other users of this computer can read."""
        files = (*(path for one in self.subjects() for path in self._both(one)), *self._pictures("*"))
        return tuple(path for path in files if path.exists() and is_open_to_others(path))

    def _both(self, subject: str) -> tuple[Path, Path]:
        plain = self.path / f"{subject_name(subject)}.csv"
        return plain, plain.with_name(f"{plain.name}.age")

    def _pictures(self, subject: str) -> list[Path]:
        return sorted((self.path / PREVIEW).glob(f"{subject_name(subject)}.*"))

    def _keep_from_git(self) -> None:
        """Wherever the folder lies, also in somebody's repository, nothing in it is ever committed."""
        if not (self.path / IGNORED).exists():
            write_whole(self.path / IGNORED, "*\n")

    def _make_key(self, passphrase: str) -> None:
        """The recipient comes last: while it is not there, the folder is not encrypted."""
        if any(self.path.glob("sub-*.csv.age")):
            raise BadInput(f"{self.path} has encrypted messages but no {RECIPIENT}. Restore that file.")
        keys = encryption.new_keys(passphrase)
        write_whole(self.path / PRIVATE_KEY, keys.closed, private=True)
        write_whole(self.path / RECIPIENT, f"{keys.public}\n")

    def _sealed(self, content: bytes) -> bytes:
        try:
            return encryption.encrypt(content, [self.public_key()])
        except BadInput as error:
            raise BadInput(
                f"{self.path / RECIPIENT} does not contain a public key (age). Restore that file."
            ) from error


def _removed(paths: Iterable[Path]) -> list[Path]:
    gone = list(paths)
    for path in gone:
        path.unlink()
    return gone


def _decrypted(path: Path, key: Any) -> bytes:
    try:
        return encryption.decrypt(read_file(path), key)
    except encryption.WrongKey:
        why = "was not encrypted for this folder, or is damaged"
        raise BadInput(f"{path} {why}. Import its messages again.") from None
