"""The analysis: connection and pleasure, drug against placebo; before the lock, what it will be able to show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, HELP_OPTIONS, PLAN, DataFolder
from experiment.cli.terminal import hand_over, say
from experiment.errors import BadInput
from experiment.study.study_file import read_study

SIZES = (10, 20, 31, 40, 60, 80, 120, 160)

app = typer.Typer(
    rich_markup_mode=None,
    context_settings=HELP_OPTIONS,
    help="Analysis of connection and pleasure, drug against placebo.",
)


@app.callback(invoke_without_command=True)
def analyse(
    context: typer.Context,
    data: DataFolder = DATA,
    treatments: Annotated[Path | None, typer.Option(help="The table that `study unblind` wrote.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for the results, outside the data set.")] = None,
    blinded: Annotated[
        bool, typer.Option("--blinded", help="Use random treatment labels, to try it before the lock.")
    ] = False,
) -> None:
    """Compute models, tests and figures and write one page. Before the lock only with --blinded."""
    if context.invoked_subcommand:
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is loaded; on small matrices threads wait
    from experiment.analysis.report import write_report
    from experiment.analysis.results import analyse
    from experiment.analysis.study_data import read_study_data
    from experiment.analysis.wording import notices, summary

    if out is None or blinded == bool(treatments):
        raise BadInput("Give --out FOLDER, and either --treatments FILE (after the lock) or --blinded.")
    _check_out(out, data)
    study_data = read_study_data(data, treatments)
    results = analyse(study_data)
    page = write_report(results, out)
    for notice in notices(results):
        say(notice, "yellow")
    hand_over(f"{summary(results)}\n")
    say(f"The page, with all tables and figures beside it:\n  {page}")


@app.command()
def power(
    plan: Annotated[Path, typer.Option(help="The study file.")] = PLAN,
    sd: Annotated[
        float, typer.Option(min=0.01, help="SD, between participants, of the difference between sessions, in points.")
    ] = 0.8,
    effect: Annotated[list[float] | None, typer.Option(help="Effects to detect, in points.")] = None,
) -> None:
    """Print which effects a number of participants can detect, and the power to show that nothing changes."""
    from experiment.analysis.power import EFFECTS, WANTED, plan_power

    study = read_study(plan)
    effects = tuple(effect or EFFECTS)
    bounds = study.analysis.unchanged if study.analysis else {}
    sizes = sorted({*SIZES, study.participants * len(study.strata)})
    head = ["participants", *(f"effect {one:g}" for one in effects), f"least for {WANTED:.0%}"]
    head += [f"{name} unchanged within {bound:g}" for name, bound in bounds.items()]
    lines = [head]
    for row in plan_power(sizes, effects, tuple(bounds.values()), sd):
        cells = [*(f"{one:.2f}" for one in row.found), f"{row.least:.2f}", *(f"{one:.2f}" for one in row.equivalence)]
        lines.append([str(row.participants), *cells])
    hand_over("".join("\t".join(line) + "\n" for line in lines))
    say(
        f"Power of two-sided tests at .05, participants with both sessions, differences with an SD of {sd:g} points "
        "(--sd). Unchanged: power of the equivalence test if nothing changes. Effects are in scale points."
    )


def _check_out(out: Path, data: Path) -> None:
    if out.resolve().is_relative_to(data.resolve()):
        raise BadInput(f"{out} is in the data set, where everyone can see it. Choose --out outside {data}.")
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is not a folder. Choose another --out.")
