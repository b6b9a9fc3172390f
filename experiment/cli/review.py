"""The commands that look at what was recorded: tables, replay and verification, and the page over all sessions."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiment.cli.options import DATA, FOUND_WANTING, PARTICIPANTS, PROTOCOL, AsJson, AsTsv, ProtocolFile
from experiment.cli.terminal import progress_bar, say, show, show_rows, unlock_if_given
from experiment.errors import BadInput
from experiment.system import no_core_dumps

if TYPE_CHECKING:
    from experiment.messages.store import Folder
    from experiment.qa.report import QaReport


def table(
    place: Annotated[Path, typer.Argument(help="A transcript, or a data set for one table of all its sessions.")],
    out: Annotated[Path | None, typer.Option(help="A new file (.tsv, .csv or .parquet) instead of printing.")] = None,
    remake: Annotated[
        bool, typer.Option("--remake", help="Make the data set's own tables again instead of printing.")
    ] = False,
    pilot: Annotated[
        bool, typer.Option("--pilot", help="Read a pilot or simulation; of a data set, its pilots.")
    ] = False,
) -> None:
    """Print the trial table of a transcript, or one long table over all sessions of a data set."""
    if remake:
        _remake(place, pilot=pilot)
        return
    if out is None and not place.is_dir():
        _print_trial_table(place, pilot=pilot)
        return
    from experiment.messages.findings import count_in_words
    from experiment.record.long_table import long_table, read_sessions, save_long_table, table_as_tsv

    with progress_bar("Reading") as progress:
        sessions, unread = read_sessions(place, pilot=pilot, progress=progress)
    for why in unread:
        say(f"Left out: {why}", "red")
    if out is None:
        sys.stdout.write(table_as_tsv(long_table(sessions)))
    else:
        dictionary = save_long_table(sessions, out)
        say(
            f"The table of {count_in_words(len(sessions), 'session')}, and what its columns mean:\n"
            f"  {out}\n  {dictionary}"
        )
    if unread:
        raise typer.Exit(FOUND_WANTING)


def _print_trial_table(transcript: Path, *, pilot: bool) -> None:
    from experiment.record import transcript as log
    from experiment.record.trial_table import table_text

    read = log.read(transcript, pilot=pilot)
    if read.torn_bytes:
        say("The last line is incomplete because the program was stopped while writing it. It is left out.")
    sys.stdout.write(table_text(read.events))


def _remake(place: Path, *, pilot: bool) -> None:
    """Make the tables of a data set again, and say what was done; end with 1 if something could not be."""
    from experiment.record.dataset import DataSet
    from experiment.record.remake import remake

    if not place.is_dir():
        raise BadInput(f"{place} is not a folder. Name the data set with --remake.")
    done = list(remake(DataSet(place).chosen(pilot=pilot)))
    for one in done:
        say(str(one), "yellow")
    if any(one.failed for one in done):
        raise typer.Exit(FOUND_WANTING)
    say("All tables agree with the transcripts.")


def replay(
    transcript: Annotated[Path, typer.Argument(help="A transcript; with --verify also a folder of sessions.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Repeat the session without a window and compare every line.")
    ] = False,
    video: Annotated[
        Path | None, typer.Option(help="Write a video (mp4) instead. It is as private as the messages.")
    ] = None,
    messages: Annotated[Path | None, typer.Option(help="The messages' file, or the folder of sub-<ID>.csv.")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Speed, as a multiple of real time.")] = 1.0,
    pilot: Annotated[bool, typer.Option("--pilot", help="Also read pilots and simulations.")] = False,
    anchor: Annotated[str, typer.Option(help="With --verify: check that the record still leads to this anchor.")] = "",
) -> None:
    """Show what a participant saw, or verify that a session's files agree with its record."""
    if verify:
        _verify(transcript, anchor, pilot=pilot)
        return
    no_core_dumps()  # messages are in this process from here on
    from experiment.record.finding import describe

    source = _source(messages or PARTICIPANTS)
    if video is None:
        from experiment.replay.window import show_again

        show_again(transcript, messages=source, speed=speed, pilot=pilot, tell=lambda finding: say(describe(finding)))
        return
    from experiment.replay.video import write_film

    with progress_bar("Filming") as progress:
        findings = write_film(transcript, video, messages=source, speed=speed, pilot=pilot, progress=progress)
    for finding in findings:
        say(describe(finding))
    say(f"The video, as private as the messages in it:\n  {video}")


def qa(
    data: Annotated[Path, typer.Argument(help="The data set.")] = DATA,
    out: Annotated[
        Path | None, typer.Option(help="The page's folder; by default derivatives/qa in the data set.")
    ] = None,
    pilot: Annotated[bool, typer.Option("--pilot", help="Include pilots, or a simulated data set.")] = False,
    protocol: ProtocolFile = PROTOCOL,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """Write one page about all sessions: which of them need attention, and why."""
    from experiment.record.tsv import MISSING

    done = run_qa(data, protocol, out=out, pilot=pilot)
    others = done.beside
    besides = f", and {others} finding{'' if others == 1 else 's'} about more than one" if others else ""
    summary = f"{done.wanting} of {done.sessions} sessions need attention{besides}:\n  {done.page}\n  {done.table}"
    columns, *rows = csv.reader(done.table.read_text(encoding="utf-8").splitlines(keepends=True), delimiter="\t")
    cells = [[None if cell == MISSING else cell for cell in row] for row in rows]
    if show_rows(columns, cells, as_json=as_json, as_tsv=as_tsv):
        say(summary)
    else:
        show(summary)
    if done.needs_person:
        raise typer.Exit(FOUND_WANTING)


def run_qa(data: Path, protocol: Path, *, out: Path | None = None, pilot: bool = False) -> QaReport:
    """Verify and judge all sessions of a data set, with what its study's register knows; the page is written."""
    from experiment.design.protocol import read_protocol
    from experiment.qa.findings import with_answers
    from experiment.qa.report import build_report
    from experiment.record.closing import find_answered
    from experiment.record.dataset import DataSet
    from experiment.record.finding import describe
    from experiment.replay.verify import verify_all
    from experiment.reports.overview import judge_reports
    from experiment.study import queries
    from experiment.study.location import find_register

    read, register = read_protocol(protocol), find_register(data)
    told = register.read() if register else None
    has_pilots = pilot and DataSet(data).pilot.root.is_dir()  # of which no register knows
    of_study = queries.study_findings(told, data) if told and not has_pilots else ()
    answers = queries.resolutions(told.entries if told else ())
    of_reports, counts = judge_reports(data, told, register.now()) if register and told and not has_pilots else ([], {})
    with progress_bar("Verifying") as progress:
        verified = verify_all(data, pilot=pilot, progress=progress)
    changed = {one.transcript: [describe(finding) for finding in one.findings] for one in verified}
    return build_report(
        data, out=out, thresholds=read.qa, pilot=pilot, changed=changed,
        besides=[*of_study, *with_answers(of_reports, answers)], answers=answers,
        answered=find_answered(DataSet(data)) if read.funnel else None, reports=counts,
    )  # fmt: skip


def _source(messages: Path) -> Path | Folder | None:
    """The messages to show again: a file, or the participants' folder, opened with the passphrase, if it is given."""
    from experiment.messages.store import Folder

    if not messages.is_dir():
        return messages
    folder = Folder(messages)
    if not folder.is_encrypted:
        return folder
    return unlock_if_given("Passphrase of the messages (press Return to show only their ids)", folder.unlocked)


def _verify(place: Path, anchor: str, *, pilot: bool) -> None:
    """Say what was found in a session or a folder of them; end with 1 if anything was."""
    from experiment.record.dataset import DataSet
    from experiment.record.finding import describe
    from experiment.record.strays import find_strays
    from experiment.replay.verify import verify, verify_all

    if place.is_dir():
        with progress_bar("Verifying") as progress:
            verified = verify_all(place, pilot=pilot, progress=progress)
        for stray in find_strays(DataSet(place)):
            say(f"{stray}: not read, because its name is not that of a data file", "yellow")
    else:
        verified = [verify(place, pilot=pilot)]
    wanting = [one for one in verified if one.is_wanting]
    for one in wanting:
        show(f"{one.transcript}: " + ("unfinished" if one.unfinished else "problems found"))
        for finding in one.findings:
            show(f"  {describe(finding)}")
    show(f"{len(verified) - len(wanting)} of {len(verified)} sessions passed the check.")
    if _verify_beside(place, anchor) or wanting:
        raise typer.Exit(FOUND_WANTING)


def _verify_beside(place: Path, anchor: str) -> int:
    """Say what a study's register knows otherwise than its data, and what leads to the anchor; how much is wrong.

    A transcript that lies elsewhere than in a data set is compared with the anchor alone.
    """
    from experiment.cli.study_seals import say_line, say_record, verify_study
    from experiment.record.dataset import DataSet
    from experiment.study.location import find_register

    data = place if place.is_dir() else DataSet.of_transcript(place).root
    if not place.is_dir() and data / "sourcedata" not in place.absolute().parents:
        return say_line(anchor, place) if anchor else 0
    register = find_register(data)
    told = register.read() if register else None
    found = verify_study(data, told) if told else 0
    return found + (say_record(anchor, told, data) if anchor else 0)
