"""Participants' messages, joined with what is already there, and kept.

Nothing is written before everything is known to be right, nothing that is there is ever changed, and taking in the
same file again adds nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from experiment.design.message import Message
from experiment.design.visit import subject_name
from experiment.errors import BadInput
from experiment.messages.importing.rows import Messages, same
from experiment.messages.store import Folder
from experiment.record.finding import Finding, message_finding
from experiment.system.processes import Progress

REPLACED = "Its text was replaced by the corrected one of the same writer."


class Merged(Struct, frozen=True):
    """A subject's messages after taking in: those that were there, then the new ones. `missing`: not in the file."""

    subject: str
    messages: tuple[Message, ...]
    new: tuple[str, ...]
    known: tuple[str, ...]
    missing: tuple[str, ...]
    replaced: tuple[str, ...]


class ImportPlan(Struct, frozen=True):
    """What taking in would write, a subject each, and what a person should know before. `used`: which columns."""

    subjects: tuple[Merged, ...]
    findings: tuple[Finding, ...]
    used: tuple[str, ...] = ()


def replace_corrected(existing: Sequence[Message], new: Sequence[Message]) -> tuple[Message, ...]:
    """What is there, with the new text in place of each that is not in the file and whose writer has one new text."""
    arrived, there = {same(message) for message in new}, {same(message) for message in existing}
    added = [message for message in new if same(message) not in there]

    def corrected(old: Message) -> Message:
        of = [one for one in added if one.writer == old.writer]
        gone = [one for one in existing if one.writer == old.writer and same(one) not in arrived]
        return replace(of[0], message_id=old.message_id) if gone == [old] and len(of) == 1 else old

    return tuple(map(corrected, existing))


def merge(subject: str, before: Sequence[Message], new: Sequence[Message], *, corrects: bool = False) -> Merged:
    """What is there stays as it is; texts that are not yet there, by writer and text, come behind with the next ids.

    `corrects`: but for those that a new text corrects.
    """
    existing = replace_corrected(before, new) if corrects else before
    there = {same(message): message.message_id for message in existing}
    arrived = {same(message) for message in new}
    added = [message for message in new if same(message) not in there]
    ids = _next_ids([message.message_id for message in existing])
    numbered = tuple(replace(message, message_id=next(ids)) for message in added)
    return Merged(
        subject,
        (*existing, *numbered),
        new=tuple(message.message_id for message in numbered),
        known=tuple(one for key, one in there.items() if key in arrived),
        missing=tuple(one for key, one in there.items() if key not in arrived),
        replaced=tuple(one.message_id for one, old in zip(existing, before, strict=True) if one != old),
    )


def plan_import(
    gathered: Messages, found: Sequence[Finding], folder: Folder, progress: Progress, *, corrects: bool = False
) -> ImportPlan:
    """What taking these messages into the folder would write; an encrypted one needs its key where it has subjects.

    `found`: what was found in them.
    """
    merged, found = list[Merged](), [*found, *_spellings([*gathered], folder.subjects())]
    for done, (subject, messages) in enumerate(gathered.items(), start=1):
        existing = folder.read(subject) if folder.has(subject) else ()
        merged.append(one := merge(subject, existing, messages, corrects=corrects))
        found = [_of_merged(finding, one, messages) for finding in found]
        found += [message_finding("note", subject, name, REPLACED) for name in one.replaced]
        found += [*_not_there(one), *_otherwise(one, messages)]
        progress(done, len(gathered))
    return ImportPlan(tuple(_with_suspicions(one, found) for one in merged), tuple(found))


def _with_suspicions(merged: Merged, findings: Sequence[Finding]) -> Merged:
    """What was found in the messages that are written now goes with them, until somebody accepts them."""
    told: dict[str, list[str]] = {name: [] for name in (*merged.new, *merged.replaced)}
    for one in findings:
        if one.subject == merged.subject and one.message_id in told and one.severity in {"error", "warning"}:
            told[one.message_id].append(f"{one.severity}: {one.text}")
    suspected = {name: "\n".join(lines) for name, lines in told.items()}
    messages = (replace(one, suspected=suspected.get(one.message_id, one.suspected)) for one in merged.messages)
    return replace(merged, messages=tuple(messages))


def _spellings(arriving: Sequence[str], there: Sequence[str]) -> list[Finding]:
    """IDs that differ only by zeros in front of a number, of which one arrives, are perhaps one participant's.

    BadInput where they differ only by capitals: on many disks they would be one file, and one would be lost.
    """
    by_zeros: dict[str, dict[str, None]] = defaultdict(dict)
    for subject in (*there, *arriving):
        by_zeros[re.sub(r"(?<!\d)0+(?=\d)", "", subject.casefold())][subject] = None
    found = list[Finding]()
    for spellings in (list(one) for one in by_zeros.values() if len(one) > 1 and {*one} & {*arriving}):
        listed = " and ".join(spellings)
        if len({one.casefold() for one in spellings}) < len(spellings):
            where = "the files and the folder" if {*there} & {*spellings} else "the files"
            raise BadInput(f"Nothing was imported: an ID is spelt {listed} in {where}. Spell it the same everywhere.")
        text = f"The IDs {listed} differ only in zeros. If they are the same participant, spell them the same."
        found.append(message_finding("warning", spellings[-1], None, text))
    return found


def write(plan: ImportPlan, folder: Folder, progress: Progress = lambda _done, _all: None) -> int:
    """Keep what is new; how many participants' files were written."""
    changed = [one for one in plan.subjects if one.new or one.replaced]
    for done, one in enumerate(changed, start=1):
        folder.write(one.subject, one.messages)
        if one.replaced:
            folder.note(f"{subject_name(one.subject)}: the texts of {', '.join(one.replaced)} were replaced")
        progress(done, len(changed))
    return len(changed)


def _next_ids(taken: Sequence[str]) -> Iterator[str]:
    numbers = [int(one[1:]) for one in taken if re.fullmatch(r"m\d{1,6}", one)]
    number = max([len(taken), *numbers])
    while True:
        number += 1
        yield f"m{number:02}"


def _of_merged(finding: Finding, merged: Merged, messages: Sequence[Message]) -> Finding:
    """The finding with the id that its message has after taking in; a note where somebody accepted that before."""
    if finding.subject != merged.subject or finding.message_id is None:
        return finding
    found_in = next(one for one in messages if one.message_id == finding.message_id)
    kept = next(one for one in merged.messages if same(one) == same(found_in))
    return replace(finding, message_id=kept.message_id, severity="note" if kept.is_as_written else finding.severity)


def _not_there(merged: Merged) -> Iterator[Finding]:
    """Messages that were taken in earlier and are not in these files."""
    writers = {one.message_id: one.writer for one in merged.messages}
    for message_id in merged.missing:
        again = [one for one in merged.new if writers[one] == writers[message_id]]
        text = "Imported earlier and not in these files; kept."
        if again:
            text += f" The same writer has a new text, {', '.join(again)}: if that is a correction, import the file "
            text += "with --replace."
        yield message_finding("warning" if again else "note", merged.subject, message_id, text)


def _otherwise(merged: Merged, messages: Sequence[Message]) -> Iterator[Finding]:
    """Texts that are here already, but not to the code point."""
    exactly = {(message.writer, message.text) for message in merged.messages}
    ids = {same(message): message.message_id for message in merged.messages}
    for message in messages:
        if (message.writer, message.text) not in exactly:
            what = "not added, as it differs from what is here only in its Unicode form or white space around it."
            yield message_finding("warning", merged.subject, ids[same(message)], f"It is in these files again: {what}")
