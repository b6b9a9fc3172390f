"""The commands that begin a study, let a computer share its register, and end it; and a study that nobody was in."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiment.cli import review
from experiment.cli.options import DATA, PROTOCOL, ROOT, DataFolder, ProtocolFile
from experiment.cli.terminal import ask_passphrase, console, new_passphrase, say
from experiment.errors import BadInput, DayFourError

if TYPE_CHECKING:
    from experiment.study.register import Register
    from experiment.study.snapshot import Snapshot

PLAN = ROOT / "stimuli" / "study.toml"
SIMULATED_PASSPHRASE = "simulated study"  # noqa: S105 - it keeps nothing from anybody

KeyFile = Annotated[Path, typer.Option("--key", help="The private key's file; its passphrase is asked for.")]
Operator = Annotated[str, typer.Option("--operator", help="Your initials, which stand in the register.")]
Subject = Annotated[str, typer.Option("--subject", help="The participant's ID.")]
Pilot = Annotated[bool, typer.Option("--pilot", help="The data set is a synthetic one.")]


def key(out: Annotated[Path, typer.Option(help="The private key's new file, on your own computer or stick.")]) -> None:
    """Make the keys of whoever may unblind, or of the pharmacy: on their own computer, by themselves."""
    from experiment.study.keys import PUBLIC_SUFFIX, write_keys
    from experiment.study.register import REGISTER

    if (out.parent / REGISTER).exists():
        raise BadInput(f"{out.parent} holds the study's register, and no key belongs beside it. Choose another --out.")
    public = write_keys(out, new_passphrase())
    say(
        f"Your private key is {out}: keep it and the passphrase, at two places, and give neither to anybody. Without "
        "them nobody can ever open what is sealed for you.\n"
        f"For whoever sets up the study, in {out.name}{PUBLIC_SUFFIX}:"
    )
    sys.stdout.write(f"{public}\n")


def init(
    operator: Operator,
    unblinder: Annotated[str, typer.Option(help="The public key, or its file, of whoever may unblind.")],
    pharmacy: Annotated[str, typer.Option(help="The public key, or its file, of the pharmacy.")],
    plan: Annotated[Path, typer.Option(help="The study file.")] = PLAN,
    folder: Annotated[
        Path | None, typer.Option(help="For a register that several computers share: where; else in the data set.")
    ] = None,
    data: DataFolder = DATA,
) -> None:
    """Begin a study: the allocation is drawn, sealed for these two keys, and known to nobody here."""
    from experiment.study import location
    from experiment.study.keys import read_public
    from experiment.study.plan import read_study
    from experiment.study.register import ALLOCATION, PACKING
    from experiment.study.setup import set_up

    read, register = read_study(plan), location.share_register(data, folder) if folder else register_for(data)
    set_up(register, read, read_public(unblinder), read_public(pharmacy), operator)
    if folder:
        join(folder, data)
    say(
        f"{read.name!r} has begun in {register.folder}: {read.participants} places in each stratum "
        f"({', '.join(read.strata)}).\n"
        f"{ALLOCATION} opens only with the key of whoever may unblind, {PACKING} only with the pharmacy's. Keep a copy "
        "of this folder elsewhere."
    )


def join(
    folder: Annotated[Path, typer.Argument(help="Where the register lies, such as on a network folder.")],
    data: DataFolder = DATA,
) -> None:
    """Let this computer use a register that lies elsewhere and that other computers use too."""
    from experiment.study import location, participants

    register = location.join(data, folder)
    name = participants.study_of(register.entries()).name
    say(f"The sessions of this data set are held by the register of {name!r} in {register.folder} from now on.")


def packing(key: KeyFile, data: DataFolder = DATA) -> None:
    """Print the packing list (CSV), for the pharmacy only: which kit holds which treatment."""
    from experiment.study.keys import read_key
    from experiment.study.unblinding import packing_list

    kits = packing_list(register_for(data), read_key(key, ask_passphrase("Passphrase of the pharmacy's key")))
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerows(
        [("kit", "stratum", "course", "treatment"), *((k.kit, k.stratum, k.course, k.treatment) for k in kits)]
    )


def answer(
    finding: Annotated[str, typer.Option(help="Its kind, as the table of findings has it.")],
    reason: Annotated[str, typer.Option(help="What it turned out to be.")],
    operator: Operator,
    subject: Annotated[str, typer.Option(help="The participant, if it is about one.")] = "",
    session: Annotated[int, typer.Option(help="The session, if it is about one.")] = 0,
    data: DataFolder = DATA,
    protocol: ProtocolFile = PROTOCOL,
    pilot: Pilot = False,
) -> None:
    """Say what something turned out to be that the quality assurance found: then nobody has to look any more."""
    from experiment.study import queries

    found = review.run_qa(data, protocol, pilot=pilot).open_findings
    given = queries.resolved_findings(found, finding, subject.removeprefix("sub-") or None, session or None, reason)
    register = register_for(data)
    register.act(operator, lambda _: given)
    say("The answer stands in the register, and on the page of `dayfour qa`.")


def lock(operator: Operator, data: DataFolder = DATA, protocol: ProtocolFile = PROTOCOL, pilot: Pilot = False) -> None:
    """End the study: nothing of it changes any more, and it may be unblinded."""
    from experiment.study import unblinding

    register = register_for(data)
    unblinding.lock(register, data, operator, lambda: _open_issues(data, protocol, pilot=pilot))
    update_participants(data, register.read())
    say("The study is locked. `dayfour study unblind` shows all treatments to whoever has the key.")


def unblind(
    operator: Operator,
    key: KeyFile,
    subject: Annotated[str, typer.Option(help="In an emergency: this participant only.")] = "",
    reason: Annotated[str, typer.Option(help="Of the emergency, for everybody to read.")] = "",
    out: Annotated[Path | None, typer.Option(help="The table of all, outside of the data set.")] = None,
    data: DataFolder = DATA,
) -> None:
    """Show the treatments to whoever has the key: all after the lock, or one participant's in an emergency."""
    from experiment.study import unblinding
    from experiment.study.keys import read_key

    if bool(subject) == bool(out):
        raise BadInput("Expected --out FILE for everybody after the lock, or --subject ID in an emergency.")
    opened = read_key(key, ask_passphrase("Passphrase of the key"))
    if out:
        count = unblinding.unblind_all(register_for(data), data, opened, operator, reason or "after the lock", out)
        say(f"The treatments of {count} participants:\n  {out}")
        return
    for course, treatment in enumerate(
        unblinding.unblind_one(register_for(data), opened, operator, subject, reason), 1
    ):
        sys.stdout.write(f"{subject}\tcourse {course}\t{treatment}\n")
    say("This stands in the register now, for everybody to see. Tell nobody who does not need to know.")


def register_for(data: Path) -> Register:
    """The register of a data set, begun or not."""
    from experiment.study.location import register_in

    return register_in(data)


def update_participants(data: Path, told: Snapshot) -> None:
    """Bring `participants.tsv` up to the register. What hinders that undoes no act, and is said."""
    from experiment.record.dataset import DataSet
    from experiment.study.participants_tsv import update_participants_tsv

    try:
        update_participants_tsv(DataSet(data), told.entries)
    except DayFourError as error:
        say(f"It is recorded, but participants.tsv does not show it yet: {error}", "yellow")


def simulate_study(subjects: int, out: Path, plan: Path, protocol: Path, messages: Path, seed: int) -> None:
    """A synthetic study in the new data set `out`, its register in `study/` there, with the keys to unblind it."""
    from rich.progress import track

    from experiment.design.message import read_messages
    from experiment.design.protocol import read_protocol
    from experiment.record.dataset import DataSet
    from experiment.study.clock import SIMULATOR
    from experiment.study.keys import write_keys
    from experiment.study.location import FOLDER
    from experiment.study.plan import read_study
    from experiment.study.register import Register
    from experiment.study.setup import set_up
    from experiment.study.simulated import simulate_study

    read, folder = read_study(plan), out / FOLDER

    def begun(clock: Callable[[], datetime]) -> Register:
        register = Register(folder, clock)
        unblinder, pharmacy = (
            write_keys(folder / f"{holder}.key", SIMULATED_PASSPHRASE) for holder in ("unblinder", "pharmacy")
        )
        set_up(register, read, unblinder, pharmacy, SIMULATOR)
        return register

    simulate_study(
        begun, DataSet(out), subjects, seed=seed, protocol=read_protocol(protocol), messages=read_messages(messages),
        watched=lambda steps: track(steps, "Simulating", console=console()),
    )  # fmt: skip
    say(
        f"A study with {subjects} participants is in {out}, its register in {folder}. The keys there open it with the "
        f"passphrase {SIMULATED_PASSPHRASE!r}."
    )


def _open_issues(data: Path, protocol: Path, *, pilot: bool) -> Sequence[str]:
    """What the quality assurance found and nobody answered."""
    from experiment.study.queries import place_of

    found = review.run_qa(data, protocol, pilot=pilot).open_findings
    return [f"{place_of(one)}: {one.title} ({one.kind})" for one in found]
