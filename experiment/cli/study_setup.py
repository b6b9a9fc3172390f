"""The commands that begin a study, let a computer share its register, and resolve findings; and a simulated study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiment.cli import review
from experiment.cli.options import DATA, PROTOCOL, ROOT, DataFolder, ProtocolFile
from experiment.cli.terminal import console, say
from experiment.design.visit import bare_label
from experiment.errors import BadInput, DayFourError

if TYPE_CHECKING:
    from experiment.study.register import Register
    from experiment.study.snapshot import Snapshot
    from experiment.study.study_file import Study

PLAN = ROOT / "stimuli" / "study.toml"
SIMULATED_PASSPHRASE = "simulated study"  # noqa: S105 - it keeps nothing from anybody

Operator = Annotated[str, typer.Option("--operator", help="Your initials, which are recorded in the register.")]
Subject = Annotated[str, typer.Option("--subject", help="The participant's ID.")]
Pilot = Annotated[bool, typer.Option("--pilot", help="The data set is synthetic.")]


def init(
    operator: Operator,
    unblinder: Annotated[str, typer.Option(help="The key holder's public key, or its file.")],
    pharmacy: Annotated[str, typer.Option(help="The pharmacy's public key, or its file.")],
    plan: Annotated[Path, typer.Option(help="The study file.")] = PLAN,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for a register that several computers share; by default in the data set."),
    ] = None,
    data: DataFolder = DATA,
) -> None:
    """Start a study: draw the allocation at random and seal it for these two keys."""
    from experiment.study import location
    from experiment.study.keys import read_public
    from experiment.study.register import ALLOCATION, PACKING
    from experiment.study.setup import set_up
    from experiment.study.study_file import read_study

    read, register = read_study(plan), location.share_register(data, folder) if folder else register_for(data)
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
    from experiment.study import location, participants

    register = location.join(data, folder)
    name = participants.study_of(register.entries()).name
    say(f"This data set uses the register of {name!r} in {register.folder} from now on.")


def answer(
    operator: Operator,
    finding: Annotated[str, typer.Option(help="The kind of finding, from the table of findings.")] = "",
    reason: Annotated[str, typer.Option(help="What the cause was.")] = "",
    subject: Annotated[str, typer.Option(help="The participant, if the finding is about one.")] = "",
    session: Annotated[int, typer.Option(help="The session, if the finding is about one.")] = 0,
    table: Annotated[
        Path | None,
        typer.Option(help="Instead, the table of `qa` with resolution and resolved_by filled in."),
    ] = None,
    data: DataFolder = DATA,
    protocol: ProtocolFile = PROTOCOL,
    pilot: Pilot = False,
) -> None:
    """Resolve a finding of `dayfour qa`, or all findings of a table, by giving the cause."""
    from experiment.qa.resolutions import read_resolutions
    from experiment.study import queries

    if bool(table) == bool(finding):
        raise BadInput("Give either --finding KIND with --reason, or --table FILE.")
    register = register_for(data)
    written = read_resolutions(table) if table else []
    found = review.run_qa(data, protocol, pilot=pilot).open_findings
    if table:
        known = queries.resolutions(register.entries())
        given = queries.resolve_all(table, written, found, known, operator)
    else:
        label = bare_label(subject) or None
        given = [(operator, queries.resolved_findings(found, finding, label, session or None, reason))]
    queries.record_resolutions(register, given)
    say(f"{len(given)} findings are resolved. Register and QA page show by whom and why.")


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
        say(f"Recorded, but participants.tsv does not show it yet: {error}", "yellow")


def simulate_study(
    subjects: int, out: Path, plan: Path, protocol: Path, messages: Path, seed: int, effects: Sequence[str]
) -> None:
    """A synthetic study in the new data set `out`, its register in `study/` there, with the keys to unblind it."""
    from rich.progress import track

    from experiment.design.message import read_messages
    from experiment.design.protocol import find_daily, read_protocol
    from experiment.record.dataset import DataSet
    from experiment.reports.service import Service
    from experiment.reports.simulated_reports import simulate_reports
    from experiment.study.clock import SIMULATOR
    from experiment.study.keys import read_key, write_keys
    from experiment.study.location import FOLDER
    from experiment.study.register import Register
    from experiment.study.seals import open_packing
    from experiment.study.setup import set_up
    from experiment.study.simulated_study import simulate_study
    from experiment.study.study_file import read_study

    read, asked, folder = read_study(plan), read_protocol(protocol), out / FOLDER
    daily = find_daily(protocol)
    blocks = {item.block for item in daily.items} if daily else set[str]()
    added = _effects(effects, blocks | {question.id for question in asked.rating.questions}, read)

    def begun(clock: Callable[[], datetime]) -> Register:
        register = Register(folder, clock)
        unblinder, pharmacy = (
            write_keys(folder / f"{holder}.key", SIMULATED_PASSPHRASE) for holder in ("unblinder", "pharmacy")
        )
        set_up(register, read, unblinder, pharmacy, SIMULATOR)
        return register

    def drug_kits(register: Register) -> set[str]:
        key = read_key(folder / "pharmacy.key", SIMULATED_PASSPHRASE)
        return {one.kit for one in open_packing(register, key) if one.treatment == read.treatments[0]}

    simulate_study(
        begun, DataSet(out), subjects, seed=seed, protocol=asked, messages=read_messages(messages), effects=added,
        drug_kits=drug_kits, watched=lambda steps: track(steps, "Simulating", console=console()),
    )  # fmt: skip
    if daily:
        register = Register(folder)
        simulate_reports(Service(out, daily, register), seed, added, drug_kits(register))
    say(
        f"A study with {subjects} participants is in {out}, its register in {folder}. The passphrase of its keys is "
        f"{SIMULATED_PASSPHRASE!r}."
    )


def _effects(given: Sequence[str], rated: set[str], study: Study) -> dict[str, float]:
    """What the drug adds by outcome, from OUTCOME=POINTS; BadInput for an outcome that nothing rates."""
    known = rated | ({*study.analysis.changed, *study.analysis.unchanged} if study.analysis else set())
    effects = {}
    for one in given:
        outcome, _, points = one.partition("=")
        try:
            effects[outcome] = float(points)
        except ValueError:
            raise BadInput(f"--effect {one}: write OUTCOME=POINTS, such as connection=-0.5.") from None
        if outcome not in known:
            raise BadInput(f"--effect {one}: unknown outcome {outcome!r}. Choose from {', '.join(sorted(known))}.")
    return effects
