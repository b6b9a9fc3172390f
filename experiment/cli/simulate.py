"""The command that makes synthetic data sets and whole synthetic studies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from experiment.cli.options import PROTOCOL, ProtocolFile
from experiment.cli.run import EXAMPLE, MessagesFile, Seed, SyntheticName, example_messages, habit_of
from experiment.cli.terminal import console, say
from experiment.design.protocol import find_daily, read_protocol
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.reports.service import Service
from experiment.reports.simulated_reports import simulate_reports
from experiment.session import plan as plans
from experiment.session import run as sessions
from experiment.study import simulated_study
from experiment.study.clock import SIMULATOR, moment_of
from experiment.study.dates import parse_day
from experiment.study.location import FOLDER
from experiment.study.register import Register
from experiment.study.seals import open_packing, read_key, write_keys
from experiment.study.setup import set_up
from experiment.study.study_file import Study, read_study

SIMULATED_PASSPHRASE = "simulated study"  # noqa: S105 - it keeps nothing from anybody


def simulate(
    subjects: Annotated[int, typer.Option(min=1, max=99_999, help="How many participants, each with all sessions.")],
    out: Annotated[Path, typer.Option(help="The folder of the new data set.")],
    participant: SyntheticName = "mixed",
    protocol: ProtocolFile = PROTOCOL,
    messages: MessagesFile = EXAMPLE,
    seed: Seed = 1,
    study: Annotated[
        Path | None,
        typer.Option(help="A study file: also simulate its register, with courses, drop-outs and late visits."),
    ] = None,
    effect: Annotated[
        list[str] | None, typer.Option(help="With --study: effect of the drug in points, e.g. connection=-0.5.")
    ] = None,
    until: Annotated[
        str, typer.Option(help="With --study: a study under way, until this day (it begins on 2000-01-03).")
    ] = "",
) -> None:
    """Make synthetic data sets at full speed, without a window."""
    if study:
        last = parse_day(until) if until else None
        simulate_study(subjects, out, study, protocol, messages, seed, effect or [], last)
        return
    if effect or until:
        raise BadInput("--effect and --until need a study. Add --study FILE.")
    read, data_set = read_protocol(protocol), DataSet(out)
    shown = example_messages(read, messages)
    data_set.prepare()
    habit = participant if participant == "mixed" else habit_of(participant)
    for number in track(range(1, subjects + 1), "Simulating", console=console(), transient=True):
        for session in range(1, read.sessions + 1):
            plan = plans.plan_session(
                "simulate", read, shown, data_set, subject=f"sim{number:05}", session=session, seed=seed,
                operator="simulate", participant=sessions.some_habit(seed, number) if habit == "mixed" else habit,
            )  # fmt: skip
            sessions.run_simulated(plan)
    data_set.list_participants()
    say(f"{subjects * read.sessions} sessions in {out}")


def simulate_study(
    subjects: int,
    out: Path,
    plan: Path,
    protocol: Path,
    messages: Path,
    seed: int,
    effects: Sequence[str],
    until: date | None = None,
) -> None:
    """A synthetic study in the new data set `out`, its register in `study/` there, with the keys to unblind it."""
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

    simulated_study.simulate_study(
        begun, DataSet(out), subjects, seed=seed, protocol=asked, messages=example_messages(asked, messages),
        effects=added, drug_kits=drug_kits, until=until or date.max,
        watched=lambda steps: track(steps, "Simulating", console=console(), transient=True),
    )  # fmt: skip
    if daily:
        register = Register(folder)
        last = moment_of(register.entries(), register.now()) if until else None
        simulate_reports(Service(out, daily, register), seed, added, drug_kits(register), last)
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
