"""The commands of the key holder and the pharmacy, and the check that nothing was changed."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiment.cli.options import DATA, FOUND_WANTING, PROTOCOL, DataFolder, ProtocolFile
from experiment.cli.review import run_qa
from experiment.cli.study_setup import Operator, Pilot, register_for
from experiment.cli.terminal import new_passphrase, say, show, unlock
from experiment.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiment.study.snapshot import Snapshot

KeyFile = Annotated[Path, typer.Option("--key", help="The private key's file; its passphrase is asked for.")]
Anchor = Annotated[
    str, typer.Option("--anchor", help="An anchor from a paper form: check that the records still lead to it.")
]


def key(
    out: Annotated[
        Path | None, typer.Option(help="The new file for the private key, on your own computer or USB stick.")
    ] = None,
    trial: Annotated[
        Path | None, typer.Option("--try", help="A private key's file: check that it opens what is sealed for it.")
    ] = None,
    data: DataFolder = DATA,
) -> None:
    """Make a key pair for the key holder or the pharmacy, or try a key (nothing is shown or recorded)."""
    if bool(out) == bool(trial):
        raise BadInput("Please give either --out FILE, for new keys, or --try FILE, to try a key.")
    if out:
        _make_key(out)
    if trial:
        _try_key(trial, data)


def _make_key(out: Path) -> None:
    from experiment.study.keys import PUBLIC_SUFFIX, write_keys
    from experiment.study.register import REGISTER

    if (out.parent / REGISTER).exists():
        raise BadInput(
            f"{out.parent} contains the study's register. A key must not be stored there. Choose another --out."
        )
    public = write_keys(out, new_passphrase())
    say(
        f"Your private key is {out}. Keep it and the passphrase in two places and give them to no one: without them, "
        "what is sealed for you can never be opened.\n"
        f"For the person who sets up the study, in {out.name}{PUBLIC_SUFFIX}:"
    )
    sys.stdout.write(f"{public}\n")


def _try_key(path: Path, data: Path) -> None:
    from experiment.study.keys import read_key
    from experiment.study.seals import try_key

    register = register_for(data)
    told = register.read()
    tried = try_key(register, told, unlock("Passphrase of the key", lambda typed: read_key(path, typed)))
    if tried is None:
        raise BadInput(f"This key opens nothing in {register.folder}. Nothing was shown or recorded.")
    if tried.trouble:
        raise BadInput(tried.trouble)
    say(f"This key opens {tried.name}, which belongs to this study. Nothing was shown or recorded.")


def packing(key: KeyFile, data: DataFolder = DATA) -> None:
    """Print the packing list (CSV), for the pharmacy only: which kit holds which treatment."""
    from experiment.storage.anchor import anchor_of
    from experiment.study.keys import read_key
    from experiment.study.seals import open_packing

    register = register_for(data)
    told = register.read()
    kits = open_packing(register, unlock("Passphrase of the pharmacy's key", lambda typed: read_key(key, typed)))
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerows(
        [("kit", "stratum", "course", "treatment"), *((k.kit, k.stratum, k.course, k.treatment) for k in kits)]
    )
    say(
        f"Before you pack: compare the anchor of the study's beginning, {anchor_of(told.digests[0])}, with the one "
        "you were given on paper. If they differ, this list may have been replaced: do not pack."
    )


def lock(operator: Operator, data: DataFolder = DATA, protocol: ProtocolFile = PROTOCOL, pilot: Pilot = False) -> None:
    """Lock the database: nothing can be changed any more, and the study can be unblinded."""
    from experiment.reports.table import closed_to_reports
    from experiment.study import unblinding
    from experiment.study.queries import in_words

    def open_issues() -> Sequence[str]:
        return [in_words(one) for one in run_qa(data, protocol, pilot=pilot).open_findings]

    register = register_for(data)
    unblinding.lock(register, data, operator, open_issues, lambda: closed_to_reports(data, register))
    say(f"The study is locked. Anchor, for your records: {register.read().anchor}")
    say("`dayfour study unblind` shows all treatments to the key holder.")


def unblind(
    operator: Operator,
    key: KeyFile,
    subject: Annotated[str, typer.Option(help="In an emergency: this participant only.")] = "",
    reason: Annotated[str, typer.Option(help="Reason for the emergency code break; everyone can read it.")] = "",
    out: Annotated[Path | None, typer.Option(help="A file for all treatments, outside the data set.")] = None,
    data: DataFolder = DATA,
) -> None:
    """Break the code: all treatments after the lock, or one participant's in an emergency (key holder only)."""
    from experiment.study import unblinding
    from experiment.study.keys import read_key

    if bool(subject) == bool(out):
        raise BadInput("Please give --out FILE for all treatments after the lock, or --subject ID in an emergency.")
    opened = unlock("Passphrase of the key", lambda typed: read_key(key, typed))
    if out:
        count = unblinding.unblind_all(register_for(data), data, opened, operator, reason or "after the lock", out)
        say(f"The treatments of {count} participants:\n  {out}")
        return
    for course, treatment in enumerate(
        unblinding.unblind_one(register_for(data), opened, operator, subject, reason), 1
    ):
        sys.stdout.write(f"{subject}\tcourse {course}\t{treatment}\n")
    say("The code break is recorded in the register. Tell only those who need to know.")


def verify(anchor: Anchor = "", data: DataFolder = DATA) -> None:
    """Check that the register is intact and agrees with the data, and that it still leads to an anchor."""
    told = register_for(data).read()
    say(f"The register is intact: {len(told.entries)} entries, {len(told.people)} participants.")
    found = verify_study(data, told)
    if anchor:
        found += say_record(anchor, told, data)
    if found:
        raise typer.Exit(FOUND_WANTING)


def verify_study(data: Path, told: Snapshot) -> int:
    """Say what of the study does not fit together: sealed files, times, and the data; how much of it is unresolved."""
    from experiment.reports.verify import verify as verify_reports
    from experiment.study import queries

    found = queries.integrity_findings(told, data)
    for one in found:
        show(f"{queries.place_of(one)}: {one.text}")
    changed = verify_reports(data, told, register_for(data).now())
    for text in changed:
        show(text)
    unresolved = sum(one.needs_person for one in found) + len(changed)
    show(f"Register and data: {unresolved or 'no'} problem{'' if unresolved == 1 else 's'} found.")
    return unresolved


def say_line(anchor: str, transcript: Path) -> int:
    """Say which line of a transcript leads to an anchor; 1 if none does."""
    from experiment.storage.anchor import find_anchor
    from experiment.storage.hash_chain import line_digests
    from experiment.storage.read_file import read_file

    number = find_anchor(anchor, line_digests(read_file(transcript)))
    if number is None:
        say(f"No line of {transcript.name} leads to this anchor.", "red")
        return 1
    show(f"The anchor fits {transcript.name} up to line {number}.")
    return 0


def say_record(anchor: str, told: Snapshot | None, data: Path) -> int:
    """Say which record leads to an anchor, and what of it is not as it was; how much that is."""
    from experiment.record.dataset import DataSet
    from experiment.study.anchors import find_record
    from experiment.study.location import is_shared

    record = find_record(anchor, told, DataSet(data), is_shared=is_shared(data))
    if record is None:
        say(
            "No record leads to this anchor any more. Its record was changed or rolled back, or it belongs to another "
            "study. Compare with a copy.",
            "red",
        )
        return 1
    show(f"The anchor fits {record.words}: nothing in it up to there has changed since.")
    for visit in record.differing:
        say(f"{visit}: its log was changed or is missing. Compare with a copy.", "red")
    return len(record.differing)
