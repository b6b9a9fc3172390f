"""The commands that begin a study and end it, of the key holder and the pharmacy."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, PLAN, PROTOCOL, DataFolder, Operator, Pilot, ProtocolFile
from experiment.cli.qa import run_qa
from experiment.cli.terminal import hand_over, new_passphrase, say, unlock
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.reports.table import closed_to_reports
from experiment.storage.anchor import anchor_of
from experiment.study import location, unblinding
from experiment.study.agreement import check_nothing_is_there
from experiment.study.location import register_in
from experiment.study.queries import in_words
from experiment.study.register import ALLOCATION, PACKING, REGISTER
from experiment.study.seals import PUBLIC_SUFFIX, open_packing, read_key, read_public, try_key, write_keys
from experiment.study.setup import set_up
from experiment.study.study_file import read_study

KeyFile = Annotated[Path, typer.Option("--key", help="The private key's file; its passphrase is asked for.")]


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
    hand_over(f"{public}\n")


def _try_key(path: Path, data: Path) -> None:
    register = register_in(data)
    told = register.read()
    name = try_key(register, told, unlock("Passphrase of the key", lambda typed: read_key(path, typed)))
    if name is None:
        raise BadInput(f"This key opens nothing in {register.folder}. Nothing was shown or recorded.")
    say(f"This key opens {name}, which belongs to this study. Nothing was shown or recorded.")


def init(
    operator: Operator,
    unblinder: Annotated[str, typer.Option(help="The key holder's public key, or its file.")],
    pharmacy: Annotated[str, typer.Option(help="The pharmacy's public key, or its file.")],
    plan: Annotated[Path, typer.Option(help="The study file.")] = PLAN,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for a register that several computers share; by default in the data set."),
    ] = None,
    with_sessions: Annotated[
        bool, typer.Option("--with-sessions", help="The sessions in the data set were run before the study.")
    ] = False,
    data: DataFolder = DATA,
) -> None:
    """Start a study: draw the allocation at random and seal it for these two keys."""
    check_nothing_is_there(DataSet(data), is_meant=with_sessions)
    read, register = read_study(plan), location.share_register(data, folder) if folder else register_in(data)
    set_up(register, read, read_public(unblinder), read_public(pharmacy), operator)
    if folder:
        join(folder, data)
    say(
        f"{read.name!r} has begun in {register.folder}: {read.participants} places in each stratum "
        f"({', '.join(read.strata)}).\n"
        f"{ALLOCATION} opens only with the key holder's key, {PACKING} only with the pharmacy's. Keep a copy of this "
        "folder elsewhere.\n"
        f"Anchor of the beginning, on paper for the key holder and the pharmacy: {register.read().anchor}"
    )


def join(
    folder: Annotated[Path, typer.Argument(help="The register's folder, e.g. on a network drive.")],
    data: DataFolder = DATA,
) -> None:
    """Let this computer use a register that it shares with other computers."""
    register = location.join(data, folder)
    name = register.read().study.name
    say(f"This data set uses the register of {name!r} in {register.folder} from now on.")


def packing(key: KeyFile, data: DataFolder = DATA) -> None:
    """Print the packing list (CSV), for the pharmacy only: which kit holds which treatment."""
    register = register_in(data)
    told = register.read()
    kits = open_packing(register, unlock("Passphrase of the pharmacy's key", lambda typed: read_key(key, typed)))
    rows = [("kit", "stratum", "course", "treatment"), *((k.kit, k.stratum, k.course, k.treatment) for k in kits)]
    listed = StringIO()
    csv.writer(listed, lineterminator="\n").writerows(rows)
    hand_over(listed.getvalue())
    say(
        f"Before you pack: compare the anchor of the study's beginning, {anchor_of(told.digests[0])}, with the one "
        "you were given on paper. If they differ, this list may have been replaced: do not pack."
    )


def lock(operator: Operator, data: DataFolder = DATA, protocol: ProtocolFile = PROTOCOL, pilot: Pilot = False) -> None:
    """Lock the database: nothing can be changed any more, and the study can be unblinded."""

    def open_issues() -> Sequence[str]:
        return [in_words(one) for one in run_qa(data, protocol, pilot=pilot).open_findings]

    register = register_in(data)
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
    if bool(subject) == bool(out):
        raise BadInput("Please give --out FILE for all treatments after the lock, or --subject ID in an emergency.")
    opened = unlock("Passphrase of the key", lambda typed: read_key(key, typed))
    if out:
        count = unblinding.unblind_all(register_in(data), data, opened, operator, reason or "after the lock", out)
        say(f"The treatments of {count} participants:\n  {out}")
        return
    for course, treatment in enumerate(unblinding.unblind_one(register_in(data), opened, operator, subject, reason), 1):
        hand_over(f"{subject}\tcourse {course}\t{treatment}\n")
    say("The code break is recorded in the register. Tell only those who need to know.")
