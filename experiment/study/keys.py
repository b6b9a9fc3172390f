"""The keys of the two people who may know the treatments: the key holder, and the pharmacy.

Each makes a pair on a computer of their own. The private key never leaves its file, which a passphrase closes; the
public key goes to the person who sets up the study.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiment.errors import BadInput
from experiment.storage import encryption
from experiment.storage.atomic_file import write_whole
from experiment.storage.read_file import read_file, read_text
from experiment.system import no_core_dumps

PUBLIC_SUFFIX = ".public.txt"


def write_keys(path: Path, passphrase: str) -> str:
    """A new pair: the private key in `path`, for its owner only, and the public one beside it; the public key.

    A key is never overwritten: what it sealed could never be opened again.
    """
    beside = path.with_name(path.name + PUBLIC_SUFFIX)
    for one in (path, beside):
        if one.exists():
            raise BadInput(f"{one} already exists, and a key is never overwritten. Choose another --out.")
    no_core_dumps()
    pair = encryption.new_keys(passphrase)
    write_whole(path, pair.closed, private=True)
    write_whole(beside, f"{pair.public}\n")
    return pair.public


def read_public(given: str) -> str:
    """A public key, given as such or by its file; BadInput if it is none."""
    text = given if given.startswith("age1") else _text(Path(given))
    try:
        encryption.encrypt(b"", [text])
    except BadInput:
        # What stands there is not shown: it could be a private key.
        shown = "the key" if text is given else given
        raise BadInput(
            f"{shown[:1].upper()}{shown[1:]} is not a public key (those begin with age1). Please give the file "
            f"{_ENDING}."
        ) from None
    return text.strip()


def read_key(path: Path, passphrase: str) -> Any:
    """The private key in a file; BadInput if it cannot be read, WrongKey for another passphrase."""
    no_core_dumps()
    try:
        return encryption.unlock(read_file(path), passphrase)
    except OSError as error:
        raise BadInput(
            f"The key {path} cannot be read: {error.strerror}. It is needed to break the code. Ask the key holder."
        ) from error


_ENDING = f"ending in {PUBLIC_SUFFIX} that `dayfour study key` made"


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text (a private key must stay with its holder)"
        raise BadInput(f"The public key {path} cannot be read: {why}. Please give the key or its file.") from error
