"""The keys of the two people who may know the treatments, and what lies sealed for them beside the register.

The key holder and the pharmacy make a pair each, on a computer of their own. The private key never leaves its file,
which a passphrase closes; the public key goes to the person who sets up the study. What a key opens is believed only if
plan, secret, places and kits belong together.

Whoever can write in the register's folder can replace the sealed files and make all digests anew, for anybody can seal
something for a public key. But the kits that were handed out follow from the secret, by a function that nobody turns
round, and the secret was never outside the sealed allocation: a forged one has none that gives these kits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.storage import encryption
from experiment.storage.atomic_file import write_whole
from experiment.storage.decoder import decoder
from experiment.storage.read_file import read_file, read_text
from experiment.study.allocation import Packed, draw
from experiment.study.events import Enrolled
from experiment.study.register import ALLOCATION, KITS, PACKING, Register
from experiment.study.setup import Allocation, places
from experiment.study.snapshot import Snapshot
from experiment.system import no_core_dumps

PUBLIC_SUFFIX = ".public.txt"
Kind = TypeVar("Kind")


class Forged(BadInput):
    """A sealed file does not belong to the study."""

    def __init__(self, register: Register, name: str, why: str) -> None:
        super().__init__(
            f"{register.folder / name} does not belong to this study: {why}. Nothing was shown or recorded. Do not "
            "change any files. Compare them with the copy from the start of the study and tell the person who leads "
            "it: the file may have been replaced."
        )


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
            f"ending in {PUBLIC_SUFFIX} that `dayfour study key` made."
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


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text (a private key must stay with its holder)"
        raise BadInput(f"The public key {path} cannot be read: {why}. Please give the key or its file.") from error


def open_allocation(register: Register, told: Snapshot, key: Any) -> Allocation:
    """The sealed allocation; WrongKey for another key, Forged if it does not belong to the study."""
    allocation = _decoded(register, ALLOCATION, key, Allocation)
    if why := next(_wrong_with_allocation(register, told, allocation), None):
        raise Forged(register, ALLOCATION, why)
    return allocation


def open_packing(register: Register, key: Any) -> tuple[Packed, ...]:
    """The pharmacy's list of all kits; WrongKey for another key, Forged if it is not of this study's kits.

    A list with the right kits and wrong treatments can be forged by whoever writes in the register's folder: only the
    anchor of the study's beginning shows that to the pharmacy, and later the key holder's allocation to everybody.
    """
    packing = _decoded(register, PACKING, key, tuple[Packed, ...])
    kits = [(kit, slot.stratum, course) for slot in register.kits() for course, kit in enumerate(slot.kits, 1)]
    if sorted((one.kit, one.stratum, one.course) for one in packing) != sorted(kits):
        raise Forged(register, PACKING, f"its kits differ from {KITS}")
    if not {one.treatment for one in packing} <= set(register.begun().plan.treatments):
        raise Forged(register, PACKING, "its treatments differ from the study's plan")
    return packing


def try_key(register: Register, told: Snapshot, key: Any) -> str | None:
    """Which sealed file the key opens; None if none. Nothing is shown or recorded. Forged if it is not the study's."""
    for name, opens in ((ALLOCATION, lambda: open_allocation(register, told, key)),
                        (PACKING, lambda: open_packing(register, key))):  # fmt: skip
        with suppress(encryption.WrongKey):
            opens()
            return name
    return None


def _wrong_with_allocation(register: Register, told: Snapshot, sealed: Allocation) -> Iterator[str]:
    begun = register.begun()
    if sealed.plan != begun.plan:
        yield "it was drawn for a plan that is not the register's"
    if draw(sealed.plan, sealed.secret) != sealed.slots:
        yield "its orders and kits do not match its secret"
    if places(sealed.slots) != register.kits():
        yield f"its kits differ from {KITS}"
    if sealed.packing_sha256 not in (None, begun.packing_sha256):
        yield f"another {PACKING} was sealed with it, so the kits may hold other treatments"
    kits = {(slot.stratum, slot.place): slot.kits for slot in sealed.slots}
    enrolled = (entry.act for entry in told.entries if isinstance(entry.act, Enrolled) and entry.act.place)
    if wrong := next((act for act in enrolled if kits.get((act.stratum, act.place)) != act.kits), None):
        yield f"{subject_name(wrong.subject)} was given other kits"


def _decoded(register: Register, name: str, key: Any, kind: type[Kind]) -> Kind:
    content = register.beside(name)
    try:
        plain = encryption.decrypt(content, key)
    except encryption.WrongKey:
        raise encryption.WrongKey(
            f"This is not the key for {register.folder / name}. Nothing was shown or recorded. Ask the person who "
            "holds the key."
        ) from None
    if (count := count_recipients(content)) != 1:
        raise Forged(register, name, f"it is sealed for {count} keys; only one of them is yours")
    try:
        return decoder(msgspec.json.Decoder(kind).decode)(plain)
    except msgspec.DecodeError:
        raise Forged(register, name, "its content cannot be read") from None


def count_recipients(content: bytes) -> int:
    """For how many keys a file is sealed, by its header (age-encryption.org/v1): a line `-> TYPE ...` for each.

    Some programs add lines of a type that ends in `-grease`, which are no keys, so that readers get used to new types.
    """
    header, _, _ = content.partition(b"\n---")
    types: Sequence[bytes] = [line.split(b" ")[1] for line in header.split(b"\n") if line.startswith(b"-> ")]
    return sum(not one.endswith(b"-grease") for one in types)
