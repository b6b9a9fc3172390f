"""The commands that begin a study, let a computer share its register, and resolve findings; and a simulated study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, ROOT, DataFolder
from experiment.cli.terminal import say
from experiment.record.dataset import DataSet
from experiment.study import location
from experiment.study.agreement import check_nothing_is_there
from experiment.study.location import register_in
from experiment.study.register import ALLOCATION, PACKING
from experiment.study.seals import read_public
from experiment.study.setup import set_up
from experiment.study.study_file import read_study

PLAN = ROOT / "stimuli" / "study.toml"

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
