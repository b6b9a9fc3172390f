"""The command `timing`: measure this computer from outside, or read what a device measured, and write a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from experiment.cli.options import DATA, FOUND_WANTING, PROTOCOL, DataFolder, ProtocolFile
from experiment.cli.terminal import say
from experiment.design.protocol_files import find_protocol
from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.events import Started
from experiment.timing.capture import read_capture
from experiment.timing.device import GUIDE, device_errors, lacks_outside_view
from experiment.timing.errors import pressed_errors, watched_errors
from experiment.timing.observations import Log, read_log
from experiment.timing.presser import Unheard
from experiment.timing.report import TimingReport, build_report, write
from experiment.timing.session import ROBOT, TimingSession, new_folder, run_alone, run_pressed, run_watched

LEAST_TRIALS, MOST_TRIALS = 8, 900


def timing(
    trials: Annotated[
        int, typer.Option(min=LEAST_TRIALS, max=MOST_TRIALS, help="Number of trials; 300 take 5 minutes.")
    ] = 300,
    windowed: Annotated[bool, typer.Option("--windowed", help="In a window instead of full screen.")] = False,
    out: Annotated[Path | None, typer.Option(help="The report's folder; by default data/timing/COMPUTER_TIME.")] = None,
    read: Annotated[Path | None, typer.Option(help="A light sensor's or Black Box ToolKit's file.")] = None,
    transcript: Annotated[Path | None, typer.Option(help="The transcript of the session it captured.")] = None,
    photodiode_run: Annotated[
        bool,
        typer.Option("--photodiode-run", help="Run a session that answers itself, for a light sensor on the square."),
    ] = False,
    presses_only: Annotated[
        bool,
        typer.Option("--presses-only", help="Measure responses only, as where no other program can see the screen."),
    ] = False,
    protocol: ProtocolFile = PROTOCOL,
    data: DataFolder = DATA,
) -> None:
    """Measure onsets, durations and responses of this computer. Writes a report with a sentence for a paper."""
    if (read is None) != (transcript is None):
        raise BadInput("Please give both --read (the device's file) and --transcript (the session it captured).")
    folder = out or new_folder(data)
    if read is not None and transcript is not None:
        _finish(_read_device(read, transcript), folder)
        return
    if (folder / "sourcedata").exists():
        raise BadInput(f"{folder} already contains a measurement, which is not overwritten. Choose another --out.")
    why_not = lacks_outside_view(os.environ)
    session = TimingSession(str(folder.resolve()), str(find_protocol(protocol).resolve()), trials, not windowed)
    if photodiode_run:
        say(GUIDE)
    if presses_only and why_not is None:
        why_not = "only the presses were asked for"
    if photodiode_run:
        _finish(_unmeasured(session, "this run was for a light sensor, whose file is read with --read"), folder)
    elif why_not is None:
        _finish(_watch(session), folder)
    else:
        _finish(_press(session, why_not), folder)
        say(GUIDE)


def _watch(session: TimingSession) -> TimingReport:
    """Measured from outside."""
    say("Please do not touch keyboard and mouse: another program presses the keys.")
    watch = run_watched(session)
    started, read = _read(session.transcript)
    errors = watched_errors(read, watch)
    return build_report(started, read, session.transcript, how="outside", errors=errors, watch=watch)


def _press(session: TimingSession, why_not: str) -> TimingReport:
    """Only the times of presses, as the system lets a program press keys; nothing if none is heard."""
    say("Please do not touch keyboard and mouse: another program presses the keys.")
    try:
        watch = run_pressed(session)
    except Unheard as unheard:
        by_itself = replace(session, folder=f"{session.folder}/answered-by-itself")
        return _unmeasured(by_itself, f"{why_not}, and {unheard}")
    started, read = _read(session.transcript)
    errors = pressed_errors(read, watch)
    return build_report(started, read, session.transcript, how="presses", errors=errors, watch=watch, why_not=why_not)


def _unmeasured(session: TimingSession, why_not: str) -> TimingReport:
    """Only what a session that answers itself says of itself."""
    session = replace(session, participant=ROBOT)
    run_alone(session)
    say(f"The session's transcript, for --read FILE --transcript:\n  {session.transcript}")
    return build_report(*_read(session.transcript), session.transcript, how="none", errors=None, why_not=why_not)


def _read_device(file: Path, transcript: Path) -> TimingReport:
    started, read = _read(transcript)
    if not started.screen.photodiode:
        raise BadInput(f"{transcript} was run without the square. Run it again with --photodiode-run.")
    capture = read_capture(file)
    measured = device_errors(read, capture)
    lines = ", ".join((f"light on {measured.light}", *(f"presses on {line}" for line in measured.keys)))
    return build_report(
        started, read, transcript, how="device", errors=measured.errors, device=f"{capture.kind}, {lines}",
        stray_s=measured.stray_s,
    )  # fmt: skip


def _read(transcript: Path) -> tuple[Started, Log]:
    """How the session started, and what it logged of its trials."""
    events = log.read(transcript, pilot=True)
    return events.started, read_log(events.events)


def _finish(report: TimingReport, folder: Path) -> None:
    """Write the page and say what it says; end with 1 if problems were found."""
    page = write(report, folder)
    say(f"The report, with all numbers in timing.json beside it:\n  {page}")
    if report.errors is None:
        say(f"Not measured: {report.why_not}.")
        return
    say(report.sentence)
    for one in report.errors.wanting:
        say(one, "red")
    if report.errors.wanting:
        raise typer.Exit(FOUND_WANTING)
