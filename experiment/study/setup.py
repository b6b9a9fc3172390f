"""How a study begins, and how a participant comes into it.

The allocation is drawn, sealed and forgotten in one go: it is in this process's memory only, for less than a second.
What lies in the folder afterwards, with all that the assistant's computer has, cannot reveal it: age files for the
unblinder's and for the pharmacy's key, and kits that say nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct

from experiment.design.session import check_subject
from experiment.design.visit import subject_name
from experiment.errors import BadInput, EquipmentFailure
from experiment.storage import encryption
from experiment.storage.atomic_file import sync_folder, write_whole
from experiment.study.allocation import Packed, Slot, draw, packing_rows
from experiment.study.events import SCHEMA, Begun, Consented, Enrolled, Entry, Screened
from experiment.study.participant import Participant
from experiment.study.register import ALLOCATION, KITS, PACKING, AllocationSlot, Register, check_initials
from experiment.study.screening import check_eligible
from experiment.study.snapshot import Snapshot, similar_ids
from experiment.study.study_file import Study
from experiment.system import no_core_dumps

SECRET_BYTES = 32
PADDED_BYTES = 4096


class Allocation(Struct, frozen=True):
    """What is sealed for the key holder: all places, and the secret from which they can be drawn again.

    `packing_sha256`: of the sealed packing list; null in studies that began before it was kept here.
    """

    secret: bytes
    plan: Study
    slots: tuple[Slot, ...]
    packing_sha256: str | None = None

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Allocation(...)"


def set_up(register: Register, study: Study, unblinder: str, pharmacy: str, who: str) -> None:
    """Draw the allocation and seal it to the two public keys; BadInput if a study has begun in this folder.

    The register's first line comes last: an interrupted beginning leaves none, and can be repeated.
    """
    if unblinder == pharmacy:
        raise BadInput("The key holder and the pharmacy need two different keys. Ask each of them for one.")
    check_initials(who)
    no_core_dumps()
    try:
        register.folder.mkdir(parents=True, exist_ok=True)
        sync_folder(register.folder.parent)
    except OSError as error:
        raise EquipmentFailure(f"{register.folder} cannot be made: {error.strerror}. Choose --folder.") from error
    register.begin(who, lambda: _prepared(register, study, unblinder, pharmacy))


def _prepared(register: Register, study: Study, unblinder: str, pharmacy: str) -> Begun:
    """The three files beside the register, with their digests."""
    secret = secrets.token_bytes(SECRET_BYTES)
    slots = draw(study, secret)
    packing = _sealed(packing_rows(study, slots), pharmacy)
    contents = {
        ALLOCATION: _sealed(Allocation(secret, study, slots, sha256(packing).hexdigest()), unblinder),
        PACKING: packing,
        KITS: msgspec.json.format(msgspec.json.encode(places(slots))),
    }
    for name, content in contents.items():
        write_whole(register.folder / name, content)
    digests = {name: sha256(content).hexdigest() for name, content in contents.items()}
    return Begun(SCHEMA, study, digests[ALLOCATION], digests[PACKING], digests[KITS], unblinder, pharmacy)


def places(slots: Sequence[Slot]) -> tuple[AllocationSlot, ...]:
    """The slots without what is hidden."""
    return tuple(AllocationSlot(slot.stratum, slot.place, slot.kits) for slot in slots)


def _sealed(content: Allocation | tuple[Packed, ...], public: str) -> bytes:
    """Encrypted, and padded with blanks, so that the size tells nothing."""
    plain = msgspec.json.encode(content)
    return encryption.encrypt(plain.ljust(-(-len(plain) // PADDED_BYTES) * PADDED_BYTES), [public])


class SimilarId(BadInput):
    """Somebody with an ID that is easily taken for this one is in the study: it may be the same person."""


def enrol(register: Register, subject: str, stratum: str, who: str, *, is_new: bool = False) -> Entry:
    """Give a participant the next place of the stratum; BadInput says what speaks against it, and nothing is given.

    `is_new`: it was asked whether somebody with a similar ID is meant; else SimilarId.
    """
    label, known = check_subject(subject), register.kits()
    for name in (ALLOCATION, PACKING):
        register.beside(name)  # nobody is enrolled into an allocation that cannot be opened any more
    own = [place for place in known if place.stratum == stratum]
    if not own:
        strata = ", ".join(dict.fromkeys(place.stratum for place in known))
        raise BadInput(f"{stratum!r} is not a stratum of this study. Please give one of {strata}.")

    def decide(told: Snapshot) -> Enrolled:
        enrolled = [entry.act for entry in told.entries if isinstance(entry.act, Enrolled) and entry.act.place]
        _check_new(label, told.people.values())
        check_similar(label, told, is_new=is_new)
        check_eligible(label, told)
        taken = sum(act.stratum == stratum for act in enrolled)
        if taken == len(own):
            raise BadInput(
                f"All {taken} places of the stratum {stratum} are taken, and places cannot be added. Ask the person "
                "who leads the study."
            )
        return Enrolled(label, stratum, own[taken].place, own[taken].kits)

    return register.act(who, decide).entries[-1]


def _check_new(label: str, enrolled: Iterable[Participant]) -> None:
    """The participant is not in the study, however the ID is written."""
    for one in enrolled:
        if one.subject == label:
            kits = f"kit {one.kits[0]} in course 1, kit {one.kits[1]} in course 2"
            raise BadInput(f"{one.name} is already enrolled in the stratum {one.stratum}: {kits}. Check the ID.")
        if one.subject.casefold() == label.casefold():
            raise BadInput(
                f"{one.name} is enrolled. IDs must differ in more than capital letters. Use that "
                "spelling, or choose another ID."
            )


def check_similar(label: str, told: Snapshot, *, is_new: bool) -> None:
    """SimilarId if a participant's ID is easily taken for this one, unless that was asked."""
    known = dict.fromkeys(act.subject for act in told.acts if isinstance(act, Enrolled | Consented | Screened))
    if not is_new and label not in known and (near := similar_ids(label, known)):
        raise SimilarId(
            f"{subject_name(near[0])} is already in the study, and {subject_name(label)} is easily confused with it. "
            "Check the ID. If it is another person, add --new."
        )
