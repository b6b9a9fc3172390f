"""A synthetic study from nothing, and the command that closes a session to which nobody came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from experiment.study.commands import STUDY, Operator, StudyFolder, Subject
from experiment.terminal import console, say

SIMULATED_PASSPHRASE = "simulated study"  # noqa: S105 - it keeps nothing from anybody


def close(
    subject: Subject,
    operator: Operator,
    session: Annotated[int, typer.Option(min=1, max=2, help="1 or 2.")],
    study: StudyFolder = STUDY,
) -> None:
    """Record that a session never took place, once its day is over: only then can the study be locked."""
    from experiment.study import recording
    from experiment.study.register import Register

    register = Register(study)
    register.act(operator, lambda entries: recording.closed(entries, subject, session, register.now()))
    say(f"Session {session} of sub-{subject.removeprefix('sub-')} is closed: it was never held.")


def simulate_study(subjects: int, out: Path, plan: Path, protocol: Path, messages: Path, seed: int) -> None:
    """A synthetic study in the new data set `out`, its register in `study/` there, with the keys to unblind it."""
    from rich.progress import track

    from experiment.bids import DataSet
    from experiment.design import read_messages
    from experiment.protocol import read_protocol
    from experiment.study.keys import write_keys
    from experiment.study.plan import read_study
    from experiment.study.register import Register
    from experiment.study.setting_up import begin
    from experiment.study.simulated import simulated_study

    read, folder = read_study(plan), out / "study"

    def begun(clock: Callable[[], datetime]) -> Register:
        register = Register(folder, clock)
        unblinder, pharmacy = (
            write_keys(folder / f"{holder}.key", SIMULATED_PASSPHRASE) for holder in ("unblinder", "pharmacy")
        )
        begin(register, read, unblinder, pharmacy, "simulate")
        return register

    simulated_study(
        begun, DataSet(out), subjects, seed=seed, protocol=read_protocol(protocol), messages=read_messages(messages),
        watched=lambda steps: track(steps, "Simulating", console=console()),
    )  # fmt: skip
    say(
        f"A study with {subjects} participants is in {out}, its register in {folder}. The keys there open it with the "
        f"passphrase {SIMULATED_PASSPHRASE!r}."
    )
