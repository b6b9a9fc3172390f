"""The commands that look at what was recorded: tables, replay and verification, and the page over all sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from experiment.cli.options import DATA, FOUND_WANTING, PARTICIPANTS, AsJson, AsTsv, DataFolder
from experiment.cli.terminal import hand_over, progress_bar, say, show, show_rows, unlock_if_given
from experiment.errors import BadInput
from experiment.messages.store import Folder
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.find_sessions import find_sessions
from experiment.record.finding import count_in_words, describe
from experiment.record.long_table import columns_and_rows, long_table, read_sessions, save_long_table, table_as_tsv
from experiment.record.remake import remake as remake_tables
from experiment.record.strays import find_strays
from experiment.record.trial_table import table_text, trial_rows
from experiment.replay.verify import verify as verify_session
from experiment.replay.verify import verify_all
from experiment.replay.video import write_film
from experiment.replay.window import show_again
from experiment.reports.table import verify as verify_reports
from experiment.storage.anchor import find_anchor
from experiment.storage.hash_chain import line_digests
from experiment.storage.read_file import read_file
from experiment.study import queries
from experiment.study.anchors import find_record
from experiment.study.clock import is_simulated
from experiment.study.location import find_register, is_shared, register_in
from experiment.study.snapshot import Snapshot
from experiment.system import no_core_dumps


def table(
    place: Annotated[Path, typer.Argument(help="A transcript, or a data set for one table of all its sessions.")],
    out: Annotated[Path | None, typer.Option(help="A new file (.tsv, .csv or .parquet) instead of printing.")] = None,
    remake: Annotated[
        bool, typer.Option("--remake", help="Make the data set's own tables again instead of printing.")
    ] = False,
    pilot: Annotated[
        bool, typer.Option("--pilot", help="Read a pilot or simulation; of a data set, its pilots.")
    ] = False,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """Print the trial table of a transcript, or one long table over all sessions of a data set (as TSV, or JSON)."""
    if remake:
        _remake(place, pilot=pilot)
        return
    if as_json and (as_tsv or out):
        raise BadInput("--json prints JSON, so leave --tsv and --out out.")
    if out is None and not place.is_dir():
        _print_trial_table(place, pilot=pilot, as_json=as_json)
        return

    with progress_bar("Reading") as progress:
        sessions, unread = read_sessions(place, pilot=pilot, progress=progress)
    for why in unread:
        say(f"Left out: {why}", "red")
    if out is None and not show_rows(*columns_and_rows(sessions), as_json=as_json):
        hand_over(table_as_tsv(long_table(sessions)))
    elif out:
        dictionary = save_long_table(sessions, out)
        say(
            f"The table of {count_in_words(len(sessions), 'session')}, and what its columns mean:\n"
            f"  {out}\n  {dictionary}"
        )
    if unread:
        raise typer.Exit(FOUND_WANTING)


def _print_trial_table(transcript: Path, *, pilot: bool, as_json: bool) -> None:
    read = log.read(transcript, pilot=pilot)
    if read.torn_bytes:
        say("The last line is incomplete because the program was stopped while writing it. It is left out.")
    rows = trial_rows(read.events)
    if not show_rows(list(rows[0]), [list(row.values()) for row in rows], as_json=as_json):
        hand_over(table_text(read.events))


def _remake(place: Path, *, pilot: bool) -> None:
    """Make the tables of a data set again, and say what was done; end with 1 if something could not be."""
    if not place.is_dir():
        raise BadInput(f"{place} is not a folder. Name the data set with --remake.")
    data = DataSet(place).chosen(pilot=pilot)
    done = list(remake_tables(data))
    if not done and not data.transcripts_of_all():
        find_sessions(place, pilot=pilot)  # which says what is there instead
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

    has_messages = bool(log.read(transcript, pilot=pilot).started.session.trials)
    source = _source(messages or PARTICIPANTS) if has_messages or messages else None
    if video is None:
        show_again(transcript, messages=source, speed=speed, pilot=pilot, tell=lambda finding: say(describe(finding)))
        return

    with progress_bar("Filming") as progress:
        findings = write_film(transcript, video, messages=source, speed=speed, pilot=pilot, progress=progress)
    for finding in findings:
        say(describe(finding))
    say(f"The video, as private as the messages in it:\n  {video}")


def _source(messages: Path) -> Path | Folder | None:
    """The messages to show again: a file, or the participants' folder, opened with the passphrase, if it is given."""
    if not messages.is_dir():
        return messages
    folder = Folder(messages)
    if not folder.is_encrypted:
        return folder
    return unlock_if_given("Passphrase of the messages (press Return to show only their ids)", folder.unlocked)


def _verify(place: Path, anchor: str, *, pilot: bool) -> None:
    """Say what was found in a session or a folder of them; end with 1 if anything was."""
    wanting = _verify_sessions(place, pilot=pilot)
    if _verify_beside(place, anchor) or wanting:
        raise typer.Exit(FOUND_WANTING)


def _verify_beside(place: Path, anchor: str) -> int:
    """Say what a study's register knows otherwise than its data, and what leads to the anchor; how much is wrong.

    A transcript that lies elsewhere than in a data set is compared with the anchor alone.
    """
    data = place if place.is_dir() else DataSet.of_transcript(place).root
    if not place.is_dir() and data / "sourcedata" not in place.absolute().parents:
        return _say_line(anchor, place) if anchor else 0
    register = find_register(data)
    told = register.read() if register else None
    found = _verify_study(data, told) if told else 0
    return found + (_say_record(anchor, told, data) if anchor else 0)


def verify(
    anchor: Annotated[
        str, typer.Option(help="An anchor from a paper form: check that the records still lead to it.")
    ] = "",
    data: DataFolder = DATA,
) -> None:
    """Check the register, every session, whether both agree, and that they still lead to an anchor."""
    told = register_in(data).read()
    say(f"The register is intact: {len(told.entries)} entries, {len(told.people)} participants.")
    has_sessions = DataSet(data).transcripts_of_all() or DataSet(data).tables_of_all()
    found = _verify_sessions(data, pilot=is_simulated(told.entries)) if has_sessions else 0
    found += _verify_study(data, told)
    if anchor:
        found += _say_record(anchor, told, data)
    if found:
        raise typer.Exit(FOUND_WANTING)


def _verify_sessions(place: Path, *, pilot: bool) -> int:
    """Say what was found in a session or a folder of them, each repeated from its log; in how many is anything."""
    if place.is_dir():
        with progress_bar("Verifying") as progress:
            verified = verify_all(place, pilot=pilot, progress=progress)
        for stray in find_strays(DataSet(place)):
            say(f"{stray}: not read, because its name is not that of a data file", "yellow")
    else:
        verified = [verify_session(place, pilot=pilot)]
    wanting = [one for one in verified if one.is_wanting]
    for one in wanting:
        show(f"{one.transcript}: " + ("unfinished" if one.unfinished else "problems found"))
        for finding in one.findings:
            show(f"  {describe(finding)}")
    show(f"{len(verified) - len(wanting)} of {len(verified)} sessions passed the check.")
    return len(wanting)


def _verify_study(data: Path, told: Snapshot) -> int:
    """Say what of the study does not fit together: sealed files, times, and the data; how much of it is unresolved."""
    found = queries.integrity_findings(told, data)
    for one in found:
        show(f"{queries.place_of(one)}: {one.text}")
    changed = verify_reports(data, told, register_in(data).now())
    for text in changed:
        show(text)
    unresolved = sum(one.needs_person for one in found) + len(changed)
    show(f"Register and data: {unresolved or 'no'} problem{'' if unresolved == 1 else 's'} found.")
    return unresolved


def _say_line(anchor: str, transcript: Path) -> int:
    """Say which line of a transcript leads to an anchor; 1 if none does."""
    number = find_anchor(anchor, line_digests(read_file(transcript)))
    if number is None:
        say(f"No line of {transcript.name} leads to this anchor.", "red")
        return 1
    show(f"The anchor fits {transcript.name} up to line {number}.")
    return 0


def _say_record(anchor: str, told: Snapshot | None, data: Path) -> int:
    """Say which record leads to an anchor, and what of it is not as it was; how much that is."""
    record = find_record(anchor, told, DataSet(data), is_shared=is_shared(data))
    if record is None:
        say(
            "No record leads to this anchor any more. Its record was changed or rolled back, or it belongs to another "
            "study. Compare with a copy.",
            "red",
        )
        return 1
    show(f"The anchor fits {record.words}: nothing in it up to there has changed since.")
    for visit in record.differing:
        say(f"{visit}: its log was changed or is missing. Compare with a copy.", "red")
    return len(record.differing)
