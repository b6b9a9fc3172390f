"""Whether messages can be shown as they are: one participant's set, and a whole folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, combinations

from msgspec import Struct
from msgspec.structs import replace

from experiment.design.message import PRACTICE, Message
from experiment.design.protocol import Protocol
from experiment.design.scan import describe_uneven
from experiment.design.sources import CLOSE, STRANGER
from experiment.drawing.scripts import LANGUAGE
from experiment.drawing.stimuli import MESSAGE_SIZES
from experiment.errors import BadInput, DayFourError
from experiment.messages.across import check_across, check_against_others, cut_alike
from experiment.messages.check_message import findings_of, is_empty
from experiment.messages.duplicates import fold, similarity
from experiment.messages.legibility import COMFORTABLE, sizes_of
from experiment.messages.store import Folder
from experiment.record.finding import Finding, Severity, by_severity, describe, list_first, message_finding
from experiment.system.processes import Progress, map_on_all_cores
from experiment.task.layout import Layout

FEW = 30  # participants whose messages are checked sooner than further processes start
CHUNK = 8  # participants that a process is given at a time
TOLD = 12  # errors that a refusal lists


class Checked(Struct, frozen=True):
    """What was found in a folder, the gravest first, and in how many participants' messages."""

    subjects: int
    messages: int
    findings: tuple[Finding, ...]


def check_set(subject: str, messages: Sequence[Message], protocol: Protocol, layout: Layout) -> tuple[Finding, ...]:
    """What is wrong with a participant's messages; `layout`: of the screen on which they will be shown."""
    known = next((one.participant_name for one in messages if one.participant_name.strip()), "")
    messages = [one if one.participant_name.strip() else replace(one, participant_name=known) for one in messages]
    found = [*_count(subject, messages, protocol), *_given_names(subject, messages, protocol)]
    for message in messages:
        found += findings_of(subject, message, protocol)
    written = [message for message in messages if not is_empty(message.text)]
    found += _twice(subject, written, protocol.intake.alike)
    found += cut_alike((subject, message) for message in written)
    found += _sizes(subject, written, protocol, layout)
    return by_severity(found)


def check_participant(
    subject: str, messages: Sequence[Message], folder: Folder, protocol: Protocol, layout: Layout
) -> tuple[Finding, ...]:
    """What is wrong with a participant's messages, also with regard to those of everybody else in the folder."""
    return by_severity(
        [*check_set(subject, messages, protocol, layout), *check_against_others(subject, messages, folder)]
    )


def check_folder(
    folder: Folder, protocol: Protocol, layout: Layout, progress: Progress = lambda _done, _all: None
) -> Checked:
    """Check all messages of a folder, on all cores; what cannot be read is a finding, and the others go on.

    Texts go to other processes through pipes and nowhere else. `progress` is told how many participants of how many
    are done. An encrypted folder needs its key.
    """
    sets, found = _read(folder)
    found += [*_strays(folder), *_open_to_others(folder)]
    check = partial(_check_one, protocol=protocol, layout=layout)
    found += chain.from_iterable(map_on_all_cores(check, [*sets.items()], few=FEW, chunk=CHUNK, progress=progress))
    found += check_across(sets, protocol.intake.alike)
    return Checked(len(sets), sum(map(len, sets.values())), by_severity(found))


def refuse_errors(findings: Sequence[Finding]) -> None:
    """BadInput, with what is wrong, if any finding is an error: such messages are not shown to a participant."""
    errors = [one for one in findings if one.severity == "error"]
    if not errors:
        return
    lines = list_first([describe(one) for one in errors], TOLD)
    option = f" --subject {errors[0].subject}" if errors[0].subject else ""
    raise BadInput(
        f"These messages cannot be shown as they are:{lines}\nCorrect them. `dayfour messages check{option}` "
        "lists all problems."
    )


def _count(subject: str, messages: Sequence[Message], protocol: Protocol) -> Iterator[Finding]:
    if (found := len(messages)) != (wanted := protocol.messages_in_all):
        each = f" ({protocol.messages} for each session)" if protocol.message_sets == "split" else ""
        do = "Add the missing ones" if found < wanted else "Remove the extra ones"
        yield message_finding("error", subject, None, f"There are {found} messages; {wanted} are needed{each}. {do}.")
    elif protocol.scan and (uneven := describe_uneven(protocol.scan, [one.source or CLOSE for one in messages])):
        yield message_finding("error", subject, None, f"{uneven} Correct the column source.")


def _given_names(subject: str, messages: Sequence[Message], protocol: Protocol) -> Iterator[Finding]:
    judged = [one for one in messages if protocol.intake.names == "none" or one.source == STRANGER]
    if any(not message.participant_name.strip() for message in judged):
        what = "The participant's name is unknown, so messages were not checked for it."
        yield message_finding("warning", subject, None, f"{what} Fill in the column participant_name.")


def _twice(subject: str, messages: Sequence[Message], share: float) -> Iterator[Finding]:
    """Texts of one set that are the same, or nearly."""
    texts = [fold(message.text) for message in messages]
    for (earlier, one), (later, other) in combinations(zip(messages, texts, strict=True), 2):
        if one == other:
            text = f"The text is that of message {earlier.message_id} again. Add the missing one."
            yield message_finding("error", subject, later.message_id, text)
        elif (found := similarity(one, other)) >= share:
            what = f"The text is {found:.0%} that of message {earlier.message_id}."
            yield message_finding("warning", subject, later.message_id, f"{what} Check whether it is a second version.")


def _sizes(subject: str, messages: Sequence[Message], protocol: Protocol, layout: Layout) -> Iterator[Finding]:
    """Which messages are too long for the screen, or make all type small."""
    readable = [one if LANGUAGE.fullmatch(one.language) else replace(one, language="") for one in messages]
    sizes = sizes_of(readable, protocol, layout)
    screen = f"a screen of {layout.width_px} x {layout.height_px}"
    comfortable = f"from {layout.size(COMFORTABLE):g} on, reading is comfortable"
    for message_id in sizes.too_long:
        says = f"does not fit on {screen}, even in the smallest legible type"
        yield _long("error", subject, message_id, says)
    for message_id, size in sizes.small.items():
        says = f"fits on {screen} only at {layout.size(size):g} px; then all others have that size too"
        yield _long("warning", subject, message_id, f"{says}; {comfortable}")
    largest = f"the largest is {layout.size(MESSAGE_SIZES[0]):g}"
    text = f"All messages will be shown at {layout.size(sizes.together):g} px on {screen} ({largest})."
    yield message_finding("note", subject, None, text)


def _long(severity: Severity, subject: str, message_id: str, says: str) -> Finding:
    if message_id == PRACTICE:
        return message_finding(severity, subject, None, f"The protocol's practice message {says}. Shorten it there.")
    return message_finding(severity, subject, message_id, f"The text {says}. Ask its writer for a shorter one.")


def _strays(folder: Folder) -> Iterator[Finding]:
    for name in folder.strays():
        what = f"The file {name} is not used, because its name is not like sub-DF017.csv."
        yield Finding("", "warning", f"{what} Rename it, or run `messages import`.")


def _open_to_others(folder: Folder) -> Iterator[Finding]:
    if paths := folder.open_to_others():
        names = ", ".join(path.name for path in paths[:TOLD]) + (" ..." if len(paths) > TOLD else "")
        text = f"Other users of this computer can read {names}. Run `dayfour messages encrypt`, or chmod 600 them."
        yield Finding("", "warning", text)


def _read(folder: Folder) -> tuple[dict[str, tuple[Message, ...]], list[Finding]]:
    sets, found = {}, []
    for subject in folder.subjects():
        try:
            sets[subject] = folder.read(subject)
        except Exception as error:  # noqa: BLE001, PERF203 - whatever it is, the others go on
            found.append(_failed(subject, error))
    return sets, found


def _check_one(item: tuple[str, Sequence[Message]], *, protocol: Protocol, layout: Layout) -> tuple[Finding, ...]:
    try:
        return check_set(*item, protocol, layout)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
        return (_failed(item[0], error),)


def _failed(subject: str, error: Exception) -> Finding:
    """Of an error that nobody foresaw only its kind is told, as its text could hold a message."""
    if isinstance(error, DayFourError):
        return message_finding("error", subject, None, str(error))
    text = f"The check itself failed ({type(error).__name__}). Contact the person who maintains the software."
    return message_finding("error", subject, None, text)
