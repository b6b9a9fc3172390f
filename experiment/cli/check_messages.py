"""The commands that look at messages before a session: `messages check` and `messages preview`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace
from rich.table import Table

from experiment.cli.messages import STYLES, open_folder
from experiment.cli.options import DATA, FOUND_WANTING, PARTICIPANTS, PROTOCOL, AsJson, AsTsv, DataFolder, ProtocolFile
from experiment.cli.terminal import progress_bar, say, show, show_rows
from experiment.design.changed_texts import describe_changes
from experiment.design.message import Message, read_messages
from experiment.design.protocol import Protocol, read_protocol
from experiment.design.session import check_subject, draw_session
from experiment.drawing.stimuli import check_wording_fits
from experiment.errors import BadInput, DayFourError
from experiment.messages.check import Checked, check_folder, check_participant, check_set
from experiment.messages.preview import preview as write_preview
from experiment.messages.store import PREVIEW, Folder
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding, Severity, count_in_words, worst
from experiment.session.plan import read_begun_sessions, recorded_sets
from experiment.task.layout import MINIMUM_SIZE_PX, Layout

Messages = Annotated[Path, typer.Option("--messages", help="The participants' folder, or one file of messages.")]
NO_MESSAGES = "The task of this protocol shows no messages."
Screen = Annotated[str, typer.Option("--screen", help="The session's screen in pixels: WIDTHxHEIGHT.")]


def check(
    subject: Annotated[str, typer.Option(help="Only this participant's messages.")] = "",
    messages: Messages = PARTICIPANTS,
    screen: Screen = "1920x1080",
    data: DataFolder = DATA,
    protocol: ProtocolFile = PROTOCOL,
    as_json: AsJson = False,
    as_tsv: AsTsv = False,
) -> None:
    """Report problems in messages and what to do about them. Exit status 1 if a session would refuse any."""
    layout, read = layout_of(screen), read_protocol(protocol)
    check_wording_fits(read, layout)
    if not read.messages:
        say(NO_MESSAGES)
        return
    checked = _checked(subject, messages, read, layout, data)
    is_one = bool(subject) or not messages.is_dir()
    listed = [one for one in checked.findings if is_one or one.severity != "note"]
    rows = [(one.severity, one.subject, one.message_id, one.text) for one in listed]
    if not show_rows(("severity", "participant_id", "message_id", "text"), rows, as_json=as_json, as_tsv=as_tsv):
        _show(listed)
        _show_count(checked)
    if not is_one and any(one.severity == "note" for one in checked.findings):
        say("`dayfour messages check --subject ID` also shows the notes.")
    if not checked.messages:
        say(f"There are no messages to check in {messages}: no readable file there has a name like sub-DF017.csv.")
    if worst(checked.findings) == "error" or not checked.messages:
        raise typer.Exit(FOUND_WANTING)


def preview(
    subject: Annotated[str, typer.Option(help="Whose messages.")],
    messages: Messages = PARTICIPANTS,
    screen: Screen = "1920x1080",
    out: Annotated[Path | None, typer.Option(help="The folder for the two files.")] = None,
    seed: Annotated[int, typer.Option(help="The session, if each session has its own messages.")] = 1,
    data: Annotated[
        Path, typer.Option(help="The data set, where a session may have recorded its own protocol.")
    ] = DATA,
    protocol: ProtocolFile = PROTOCOL,
) -> None:
    """Draw what a participant will see, pixel by pixel. Only for people allowed to read the messages."""
    label, layout, read = check_subject(subject), layout_of(screen), read_protocol(protocol)
    if not read.messages:
        raise BadInput(NO_MESSAGES)
    shown = open_folder(messages).read(label) if messages.is_dir() else read_messages(messages)
    recorded = recorded_sets(read, DataSet(data), label)
    is_complete = len(shown) == read.messages_in_all  # else nothing can be shared out yet
    sets = draw_session(read, shown, subject=label, session=1, seed=seed, sets=recorded).sets if is_complete else ()
    folder = messages if messages.is_dir() else PARTICIPANTS
    *written, left_out = write_preview(label, shown, read, layout, out or folder / PREVIEW, sets)
    for path in written:
        say(f"  {path}")
    say("These files are private and not encrypted. Delete them when you have looked at them.")
    if left_out:
        which = ", ".join(left_out)
        say(
            f"NOT in them, because it cannot be shown: {which}. `dayfour messages check --subject {label}` says why.",
            "red",
        )
        raise typer.Exit(FOUND_WANTING)


def layout_of(screen: str) -> Layout:
    """The layout of a screen given as WIDTHxHEIGHT; BadInput if it is none, or smaller than a session can be."""
    least = "x".join(map(str, MINIMUM_SIZE_PX))
    size = re.fullmatch(r"(\d{3,5})[xX](\d{3,5})", screen)
    if size is None:
        raise BadInput(f"--screen is {screen!r}. Please write WIDTHxHEIGHT in pixels, e.g. 1920x1080.")
    width_px, height_px = int(size[1]), int(size[2])
    if width_px < MINIMUM_SIZE_PX[0] or height_px < MINIMUM_SIZE_PX[1]:
        raise BadInput(f"--screen {screen} is too small: a session needs at least {least} pixels.")
    return Layout(width_px, height_px)


def _checked(subject: str, messages: Path, protocol: Protocol, layout: Layout, data: Path) -> Checked:
    folder = open_folder(messages) if messages.is_dir() else None
    if folder and not subject:
        with progress_bar("Checking") as progress:
            checked = check_folder(folder, protocol, layout, progress)
        sets = _of_sessions(folder, protocol, data)
    else:
        label = check_subject(subject or messages.name.partition(".")[0])
        shown = folder.read(label) if folder else read_messages(messages)
        found = (
            check_participant(label, shown, folder, protocol, layout)
            if folder
            else check_set(label, shown, protocol, layout)
        )
        checked, sets = Checked(1, len(shown), tuple(found)), {label: shown}
    return replace(checked, findings=(*checked.findings, *_changed(sets, protocol, data)))


def _of_sessions(folder: Folder, protocol: Protocol, data: Path) -> dict[str, Sequence[Message]]:
    """The messages of those who have been in a session; what cannot be read is found elsewhere."""
    found: dict[str, Sequence[Message]] = {}
    for label in folder.subjects():
        with suppress(DayFourError):
            if read_begun_sessions(protocol, DataSet(data), label):
                found[label] = folder.read(label)
    return found


def _changed(sets: Mapping[str, Sequence[Message]], protocol: Protocol, data: Path) -> Iterator[Finding]:
    """The participants whose messages differ from those that a session in the data set showed."""
    for label, shown in sets.items():
        changes = [list(describe_changes(shown, one)) for one in read_begun_sessions(protocol, DataSet(data), label)]
        # If the last session showed just these, somebody gave a reason for it.
        severity: Severity = "error" if any(changes[-1:]) else "note"
        for change in next(filter(None, changes), []):
            yield Finding("", severity, f"{change} Restore the file from that time.", subject=label)


def _show(findings: Sequence[Finding]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Grade", "Participant", "Message"):
        table.add_column(column, no_wrap=True)
    table.add_column("Problem and what to do")
    for one in findings:
        table.add_row(one.severity, one.subject or "", one.message_id or "", one.text, style=STYLES[one.severity])
    if findings:
        show(table)


def _show_count(checked: Checked) -> None:
    """Where there are messages: of none nothing is right or wrong."""
    people = count_in_words(checked.subjects, "participant")
    if checked.messages:
        show(f"{count_in_words(checked.messages, 'message')} of {people}: {_counted(checked.findings)}.")


def _counted(findings: Sequence[Finding]) -> str:
    return ", ".join(count_in_words(sum(one.severity == severity for one in findings), severity) for severity in STYLES)
