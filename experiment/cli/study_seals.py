"""The commands of those who hold the study's keys, and of whoever verifies that nothing was changed."""

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
Anchor = Annotated[str, typer.Option("--anchor", help="From a paper form: do the records still lead to it?")]


def key(
    out: Annotated[Path | None, typer.Option(help="The private key's new file, on your own computer or stick.")] = None,
    trial: Annotated[
        Path | None, typer.Option("--try", help="A private key's file: see whether it opens what is sealed for it.")
    ] = None,
    data: DataFolder = DATA,
) -> None:
    """Make the keys of the key holder or the pharmacy, or try one: nothing is shown or recorded then."""
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
        raise BadInput(f"{out.parent} holds the study's register, and no key belongs beside it. Choose another --out.")
    public = write_keys(out, new_passphrase())
    say(
        f"Your private key is {out}. Keep it and the passphrase at two places, and give neither to anybody: without "
        "them nobody can ever open what is sealed for you.\n"
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
        "that you were given on paper. If they differ, this list may have been exchanged: pack nothing."
    )


def lock(operator: Operator, data: DataFolder = DATA, protocol: ProtocolFile = PROTOCOL, pilot: Pilot = False) -> None:
    """End the study: nothing in it changes any more, and it may be unblinded."""
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
    reason: Annotated[str, typer.Option(help="Of the emergency, for everybody to read.")] = "",
    out: Annotated[Path | None, typer.Option(help="The table of all, outside of the data set.")] = None,
    data: DataFolder = DATA,
) -> None:
    """Show the treatments to the key holder: all after the lock, or one participant's in an emergency."""
    from experiment.study import unblinding
    from experiment.study.keys import read_key

    if bool(subject) == bool(out):
        raise BadInput("Please give --out FILE for everybody after the lock, or --subject ID in an emergency.")
    opened = unlock("Passphrase of the key", lambda typed: read_key(key, typed))
    if out:
        count = unblinding.unblind_all(register_for(data), data, opened, operator, reason or "after the lock", out)
        say(f"The treatments of {count} participants:\n  {out}")
        return
    for course, treatment in enumerate(
        unblinding.unblind_one(register_for(data), opened, operator, subject, reason), 1
    ):
        sys.stdout.write(f"{subject}\tcourse {course}\t{treatment}\n")
    say("This is in the register now, for everybody to see. Tell nobody who does not need to know.")


def verify(anchor: Anchor = "", data: DataFolder = DATA) -> None:
    """Whether the register is whole and agrees with the data, and whether it still leads to an anchor."""
    told = register_for(data).read()
    say(f"The register is whole: {len(told.entries)} entries, {len(told.people)} participants.")
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
            "No record leads to this anchor any more: what it was given for has been changed or rolled back since, or "
            "it belongs to another study. Compare with a copy.",
            "red",
        )
        return 1
    show(f"The anchor fits {record.words}: nothing in it up to there has changed since.")
    for visit in record.differing:
        say(f"{visit}: its log is not the one that was recorded then, or is missing. Compare with a copy.", "red")
    return len(record.differing)
