"""The register and the quality assurance: what of it a person should see, and what was resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from experiment.design.visit import session_name, subject_name
from experiment.errors import BadInput
from experiment.qa.findings import KINDS, Answers, qa_finding, with_answers
from experiment.qa.resolutions import RESOLUTION, Resolution
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding, list_first
from experiment.study.agreement import disagreements, lost_register
from experiment.study.clock import clock_steps, future_entry, moment_of
from experiment.study.events import Answered, BegunAgain, Entry, Overridden, Unblinded
from experiment.study.location import is_shared, register_in
from experiment.study.recording import meaningful
from experiment.study.register import ALLOCATION, KITS, PACKING, Register, check_initials
from experiment.study.snapshot import Snapshot

MAX_NAMED = 10
Key = tuple[str, str | None, int | None]


def findings_of(told: Snapshot | None, data: Path) -> tuple[Finding, ...]:
    """What the quality assurance should see of a study; where there is no register, whether there should be one."""
    if told:
        return study_findings(told, data)
    lost = lost_register(DataSet(data))
    return (qa_finding("no_register", lost),) if lost else ()


def study_findings(told: Snapshot, data: Path) -> tuple[Finding, ...]:
    """All that the quality assurance should see of a study beside its sessions, with what was said of it."""
    return (*_of_acts(told.entries), *integrity_findings(told, data))


def integrity_findings(told: Snapshot, data: Path) -> tuple[Finding, ...]:
    """What does not fit together: times in the register, and what it and the data tell; with what was said of it."""
    between = (*disagreements(told, DataSet(data), is_shared=is_shared(data)), *_of_sealed_files(told, data))
    return (*_of_clocks(told.entries, register_in(data).now()), *with_answers(between, resolutions(told.entries)))


def _of_sealed_files(told: Snapshot, data: Path) -> Iterator[Finding]:
    """Sealed files that were changed or lost, and kits that were given otherwise than they lie ready."""
    try:
        register = register_in(data)
        for name in (ALLOCATION, PACKING):
            register.beside(name)
        ready = {(slot.stratum, slot.place): slot.kits for slot in register.kits()}
    except BadInput as error:
        yield qa_finding("sealed", str(error))
        return
    every = {kit for kits in ready.values() for kit in kits}
    for one in told.people.values():
        if ready.get((one.stratum, one.place)) != one.kits if one.place else every & {*one.kits}:
            yield qa_finding("sealed", f"{one.name} has different kits in the register and in {KITS}.", one.subject)


def _of_acts(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Every override and every emergency unblinding, for a person to see until it is resolved afterwards."""
    last = _last_answers(entries)
    for at, entry in enumerate(entries):
        match entry.act:
            case Overridden(subject=subject, session=session, refused=refused, reason=reason):
                text = f"{entry.who} ran a session despite this: {refused} The reason given: {reason}"
                one = qa_finding("let_in", text, subject, session)
            case BegunAgain(subject=subject, session=session, reason=reason):
                text = f"{entry.who} had this session started again, since no message was shown. The reason: {reason}"
                one = qa_finding("begun_again", text, subject, session)
            case Unblinded(subject=str() as subject, reason=reason):
                text = f"{entry.who} saw this participant's treatments on {entry.utc[:10]}. The reason given: {reason}"
                one = qa_finding("unblinded", text, subject)
            case _:
                continue
        yield from _answered_since(one, at, last)


def _of_clocks(entries: Sequence[Entry], now: datetime) -> Iterator[Finding]:
    last = _last_answers(entries)
    if text := future_entry(entries, moment_of(entries, now)):
        yield qa_finding("register_clock", text)
    for step in clock_steps(entries):
        yield from _answered_since(qa_finding("register_clock", step.text), step.number, last)


def _last_answers(entries: Sequence[Entry]) -> dict[Key, tuple[int, str]]:
    """The latest word on each finding, by its key: at which entry, counted from 0, and what."""
    return {
        (entry.act.kind, entry.act.subject, entry.act.session): (at, f"{entry.who}: {entry.act.reason}")
        for at, entry in enumerate(entries)
        if isinstance(entry.act, Answered)
    }


def _answered_since(one: Finding, at: int, last: Mapping[Key, tuple[int, str]]) -> tuple[Finding, ...]:
    """The finding, with what was said of it at this entry or later."""
    answered_at, words = last.get(one.key, (-1, ""))
    return with_answers([one], {one.key: words} if answered_at >= at else {})


def open_disagreements(told: Snapshot, data: Path) -> tuple[Finding, ...]:
    """What register and data tell differently, wherever the data of the study should be by now, and nobody resolved."""
    between = (*disagreements(told, DataSet(data)), *_of_sealed_files(told, data))
    found = with_answers(between, resolutions(told.entries))
    return tuple(one for one in found if one.needs_person)


def in_words(finding: Finding) -> str:
    """A finding in a list of what is to be done."""
    return f"{place_of(finding)}: {KINDS[finding.kind]} ({finding.kind})"


def resolutions(entries: Sequence[Entry]) -> Answers:
    """What was said of findings, the latest word on each."""
    return {key: words for key, (_, words) in _last_answers(entries).items()}


def resolved_findings(
    open_findings: Sequence[Finding], kind: str, subject: str | None, session: int | None, reason: str
) -> Answered:
    """The answer to a finding that is open; BadInput if there is none such, or for no reason."""
    if (kind, subject, session) not in [one.key for one in open_findings]:
        near = [one for one in open_findings if one.subject == subject or one.kind == kind]
        listed = "".join(f"\n  {place_of(one)}: --finding {one.kind}" for one in near) or " No findings are open there."
        raise BadInput(f"There is no open finding {kind!r} for this participant and session. Open findings:{listed}")
    return Answered(kind, subject, session, meaningful(reason))


def resolve_all(
    path: Path, written: Sequence[Resolution], open_findings: Sequence[Finding], known: Answers, who: str
) -> list[tuple[str, Answered]]:
    """What is to be recorded of a table of findings that people filled in, each with the initials of who looked.

    `known`: what was said before; a row that only repeats it is left out. `who`: for rows that name nobody. BadInput
    names every row that is wrong, and then nothing is to be recorded.
    """
    if not written:
        raise BadInput(f"{path}: the column {RESOLUTION!r} is empty. Enter what you found and save the table.")
    acts, wrong = list[tuple[str, Answered]](), list[str]()
    still_open = {one.key for one in open_findings}
    for one in written:
        by = one.who or who
        is_recorded = known.get(one.key) == f"{by}: {one.reason}"
        if one.key not in still_open and (is_recorded or not one.needs_person):
            continue
        try:
            check_initials(by)
            if one.key not in still_open:
                raise BadInput("This finding is not open. Clear the resolution, or copy it to the right row.")  # noqa: TRY301 - told with its row
            acts.append((by, resolved_findings(open_findings, *one.key, one.reason)))
        except BadInput as error:
            wrong.append(f"row {one.row}: {error}")
    if wrong:
        listed = list_first(wrong, MAX_NAMED)
        raise BadInput(f"{path}: nothing was recorded because of errors in these rows:{listed}")
    return acts


def record_resolutions(register: Register, given: Sequence[tuple[str, Answered]]) -> None:
    """Add them to the register, one after the other; what was recorded before an error is left out next time."""
    for who, act in given:
        register.act(who, partial(_given, act))


def _given(act: Answered, _: Snapshot) -> Answered:
    """The act, whatever else is in the register."""
    return act


def place_of(one: Finding) -> str:
    """Whose finding it is, and of which session."""
    parts = (subject_name(one.subject) if one.subject else "", session_name(one.session) if one.session else "")
    return " ".join(part for part in parts if part) or "the study"
