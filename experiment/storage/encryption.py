"""Encryption in age's format (age-encryption.org/v1): to a public key, whose private key is closed with a passphrase.

Every file is readable with any age program, should this one be gone. Without the passphrase, or without the private
key's file, nobody can read them: there is no way back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from experiment.errors import BadInput

LEAST_PASSPHRASE = 8
MAGIC = b"age-encryption.org/"


class WrongKey(BadInput):
    """This key, or this passphrase, does not open this."""


class KeyPair(NamedTuple):
    """`public` encrypts and may lie anywhere; `closed` is the private key, encrypted with its passphrase."""

    public: str
    closed: bytes


def new_keys(passphrase: str) -> KeyPair:
    """A new pair of keys; BadInput for a short passphrase."""
    import pyrage

    if len(passphrase) < LEAST_PASSPHRASE:
        raise BadInput(f"Expected a passphrase of at least {LEAST_PASSPHRASE} characters. Choose several words.")
    identity = pyrage.x25519.Identity.generate()
    return KeyPair(str(identity.to_public()), pyrage.passphrase.encrypt(str(identity).encode(), passphrase))


def unlock(closed: bytes, passphrase: str) -> Any:
    """The private key; WrongKey for another passphrase. Takes a second, so that guessing does too."""
    import pyrage

    if not closed.startswith(MAGIC):
        raise BadInput("Expected a private key that a passphrase closes, found another file, perhaps the public key's.")
    try:
        return pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(closed, passphrase).decode())
    except (pyrage.DecryptError, pyrage.IdentityError):
        raise WrongKey("This is not the passphrase. Try again.") from None


def encrypt(content: bytes, publics: Iterable[str]) -> bytes:
    """The content, to be opened by any of the keys; BadInput if one is no public key."""
    import pyrage

    try:
        return bytes(pyrage.encrypt(content, [pyrage.x25519.Recipient.from_str(public.strip()) for public in publics]))
    except pyrage.RecipientError as error:
        raise BadInput("Expected a public key of age, which begins with age1. Put it back as it was.") from error


def decrypt(content: bytes, key: Any) -> bytes:
    """What was sealed; WrongKey if it was for another key, or is damaged."""
    import pyrage

    try:
        return bytes(pyrage.decrypt(content, [key]))
    except pyrage.DecryptError:
        raise WrongKey("It was encrypted for another key, or is damaged.") from None
