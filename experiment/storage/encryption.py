"""Encryption in age's format (age-encryption.org/v1): to a public key, whose private key is closed with a passphrase.

Every file is readable with any age program, should this one be gone. Without the passphrase, or without the private
key's file, nobody can read them: there is no way back.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple
from unicodedata import normalize

from experiment.errors import BadInput, EquipmentFailure

LEAST_PASSPHRASE, LEAST_DIFFERENT = 8, 4  # characters
LEAST_WORK = 15  # 2 ** 15 rounds of scrypt take 0.1 s and 32 MiB for each guess; age chooses what takes a second
TRIES = 20  # age looks each time how fast the computer is; a busy one has faster moments
PAUSE_S = 0.1


class WrongKey(BadInput):
    """This key, or this passphrase, does not open this."""


class KeyPair(NamedTuple):
    """`public` encrypts and may lie anywhere; `closed` is the private key, encrypted with its passphrase."""

    public: str
    closed: bytes


def new_keys(passphrase: str) -> KeyPair:
    """A new pair of keys; BadInput for a passphrase that is soon guessed, EquipmentFailure if scrypt got no time."""
    import pyrage

    passphrase = normalize("NFC", passphrase)
    if len("".join(passphrase.split())) < LEAST_PASSPHRASE or len({*passphrase}) < LEAST_DIFFERENT:
        raise BadInput(
            f"The passphrase must have at least {LEAST_PASSPHRASE} characters besides spaces, {LEAST_DIFFERENT} of "
            "them different. We suggest several words."
        )
    identity = pyrage.x25519.Identity.generate()
    for _ in range(TRIES):
        closed = bytes(pyrage.passphrase.encrypt(str(identity).encode(), passphrase))
        if work_factor(closed) >= LEAST_WORK:
            return KeyPair(str(identity.to_public()), closed)
    raise EquipmentFailure("This computer is too busy to make a secure key. Close other programs and try again.")


def work_factor(closed: bytes) -> int:
    """How often scrypt mixes a passphrase before it opens this, as a power of two; 0 where no passphrase does."""
    stanza = re.match(rb"age-encryption\.org/v1\n-> scrypt [\w+/]+ (\d{1,2})\n", closed)
    return int(stanza[1]) if stanza else 0


def unlock(closed: bytes, passphrase: str) -> Any:
    """The private key; WrongKey for another passphrase, EquipmentFailure if scrypt got no time for any.

    Takes a second, so that guessing does too. Keyboards give accented letters in one piece or in two: both are tried.
    """
    import pyrage

    if not work_factor(closed):
        raise BadInput("This is not a private key with a passphrase. It may be the public key's file.")
    for typed in dict.fromkeys((passphrase, normalize("NFC", passphrase), normalize("NFD", passphrase))):
        with suppress(pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError):
            return pyrage.x25519.Identity.from_str(_decrypt_with(typed, closed).decode())
    raise WrongKey("Wrong passphrase. Please enter it again.")


def _decrypt_with(passphrase: str, closed: bytes) -> bytes:
    """What it closed. Age refuses work that it takes for more than 16 seconds'; a busy computer is asked again."""
    import pyrage

    for _ in range(TRIES):
        try:
            return bytes(pyrage.passphrase.decrypt(closed, passphrase))
        except pyrage.DecryptError as error:
            if "Excessive work" not in str(error):
                raise
        time.sleep(PAUSE_S)
    raise EquipmentFailure(
        "The passphrase was not tried: this computer is too busy, or far slower than the one that made the key. Close "
        "other programs and try again."
    )


def public_key(key: Any) -> str:
    """The public key that belongs to a private one."""
    return str(key.to_public())


def encrypt(content: bytes, publics: Iterable[str]) -> bytes:
    """The content, to be opened by any of the keys; BadInput if one is no public key."""
    import pyrage

    try:
        return bytes(pyrage.encrypt(content, [pyrage.x25519.Recipient.from_str(public.strip()) for public in publics]))
    except pyrage.RecipientError as error:
        raise BadInput("This is not a public key (those begin with age1). Restore the right one.") from error


def decrypt(content: bytes, key: Any) -> bytes:
    """What was encrypted; WrongKey if it was for another key, or is damaged."""
    import pyrage

    try:
        return bytes(pyrage.decrypt(content, [key]))
    except pyrage.DecryptError:
        raise WrongKey("It was encrypted for another key, or is damaged.") from None
