"""Whether a session's files still tell what happened: the transcript repeated line by line, its table derived again.

A changed, lost or moved line breaks the transcript's chain of digests; the repeated task has to tell the recorded
events in the recorded bytes; the order of its messages and questions has to be the one that seed, subject and session
decide; and the table, its data dictionary and the row of the sessions file have to follow from them. All that differs
is found and named, not only the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from experiment.design.visit import visit_of_file
from experiment.errors import BadInput
from experiment.record import transcript as log
from experiment.record.dataset import DataSet
from experiment.record.events import SCHEMA, Ended, Event, Started, TrialBegan
from experiment.record.events_beside import Signal, Unwritable
from experiment.record.find_sessions import find_sessions
from experiment.record.finding import Finding, discrepancy, quote
from experiment.record.session_files import session_files
from experiment.record.timeline import start_of, starts
from experiment.replay.first_line import between_sessions, check_drawn, check_known_before
from experiment.replay.lines import RecordedLine, check_chain, in_order, parse_line, unreadable
from experiment.replay.recorded import Difference, RecordedScreen, RecordEnds, changes
from experiment.replay.signals import signal_findings
from experiment.replay.tables import row_findings, sidecar_findings, table_findings
from experiment.storage.hash_chain import line_digests
from experiment.storage.lock import is_written
from experiment.storage.read_file import read_file
from experiment.system.processes import Progress, map_on_all_cores
from experiment.task import procedure

CHUNK = 16  # sessions that a process is given at a time
FEW = 8  # sessions that are verified sooner than a second process starts


class Verification(Struct, frozen=True):
    """What came of a transcript: `unfinished` if it has no end, so that its program died or still runs."""

    transcript: Path
    unfinished: bool
    findings: tuple[Finding, ...]

    @property
    def is_wanting(self) -> bool:
        """Whether a person has to look."""
        return self.unfinished or bool(self.findings)


class _Repeated(Struct, frozen=True):
    """A run of the task once more: what it told, what differs, and the trials in which an answer is unknown."""

    events: tuple[Event, ...]
    findings: tuple[Finding, ...]
    unsure: frozenset[int | None]


def verify(path: Path, *, pilot: bool = False) -> Verification:
    """Verify a session by its transcript, which lies in its data set.

    Raises BadInput if there is no such file, and for a pilot or a simulated session unless `pilot`.
    """
    running = is_written(path)  # before it is read, so that of a session that ends meanwhile the end is read
    texts, tail = log.read_lines(path)
    lines = [parse_line(number, text) for number, text in enumerate(texts, start=1)]
    ordered = in_order(lines) if lines else []
    started = ordered[0].event if lines else None
    if isinstance(started, Started):
        log.check_mode(path, started.mode, pilot=pilot)
    findings = [*unreadable(lines, tail), *check_chain(lines)]
    if not isinstance(started, Started) or started.schema != SCHEMA:
        findings.append(_beginning(started))
        return Verification(path, unfinished=False, findings=tuple(findings))
    ends = [*starts([line.event for line in ordered]), len(ordered)]
    runs = [_repeated(ordered[start:end]) for start, end in pairwise(ends)]
    events = [event for run in runs for event in run.events]
    findings += [finding for run in runs for finding in run.findings]
    findings += check_known_before(started)
    findings += check_drawn(started.session)
    findings += _of_another_session(runs)
    if not running:  # the files beside it follow at its end
        findings += _beside(path, ordered[-1].number, events, frozenset().union(*(run.unsure for run in runs)))
    last = ordered[-1].event
    return Verification(path, last is not None and not isinstance(last, Ended), tuple(findings))


def verify_all(
    folder: Path, *, pilot: bool = False, progress: Progress = lambda _done, _all: None
) -> list[Verification]:
    """Verify every session of the data set in a folder, on all cores; with `pilot`, of its pilots instead.

    A data set of simulated sessions, or the folder `pilot` itself, needs `pilot` too. `progress` is told how many
    sessions of how many are done. BadInput if there is none.
    """
    data, paths = find_sessions(folder, pilot=pilot)
    verified = map_on_all_cores(partial(_verify, pilot=pilot), paths, few=FEW, chunk=CHUNK, progress=progress)
    between = between_sessions(paths)
    together = [replace(one, findings=(*one.findings, *between.get(one.transcript, ()))) for one in verified]
    return [*together, *_without_transcript(data, paths)]


def _verify(path: Path, *, pilot: bool) -> Verification:
    """One of many: what cannot be verified is a finding, and the others go on."""
    try:
        return verify(path, pilot=pilot)
    except BadInput as error:
        return Verification(
            path, unfinished=False, findings=(discrepancy(path.name, "file", "expected a session", str(error)),)
        )


def _without_transcript(data: DataSet, paths: Sequence[Path]) -> Iterator[Verification]:
    """A table whose transcript is gone."""
    told = {visit_of_file(path) for path in paths}
    for table in data.tables_of_all():
        visit = visit_of_file(table)
        if visit and visit not in told:
            transcript = data.transcript(visit, table.stem.split("_task-")[1].removesuffix("_beh"))
            missing = discrepancy(transcript.name, "file", f"expected, as there is {table.name}", "missing")
            yield Verification(transcript, unfinished=False, findings=(missing,))


def _beginning(first: Event | None) -> Finding:
    if isinstance(first, Started):
        older = f"written with schema {first.schema}: use the version that wrote it"
        return discrepancy("line 1", "started.schema", f"this version reads {SCHEMA}", older)
    return discrepancy(
        "line 1", "started", "expected how the session started", "unreadable, so that nothing can be replayed"
    )


def _repeated(run: Sequence[RecordedLine]) -> _Repeated:
    """Run the task again."""
    started = start_of([run[0].event])
    # What was never written is as unknown as what a damaged line held.
    known = [(line.number, None if isinstance(line.event, Unwritable) else line.event) for line in run
             if not isinstance(line.event, Signal)]  # fmt: skip
    screen = RecordedScreen(started, known)
    findings = [
        discrepancy(f"line {line.number}", event.kind, "expected it", f"unwritable: {event.why}")
        for line in run
        if isinstance(event := line.event, Unwritable)
    ]
    try:
        procedure.run(started, screen, screen.emit)
    except RecordEnds:
        pass
    except Exception as error:  # noqa: BLE001 - damaged events can lead anywhere, and the other sessions go on
        if not (screen.replayed and screen.replayed[-1] == Ended("failed", type(error).__name__)):
            where = f"line {screen.next_line}"
            findings.append(discrepancy(where, "replay", "expected to go on", f"stopped: {type(error).__name__}"))
    screen.close()
    findings += _differences(screen.differences)
    findings += signal_findings(run, screen.replayed)
    return _Repeated(tuple(screen.replayed), tuple(findings), frozenset(screen.unsure) | _trials_with_losses(run))


def _trials_with_losses(run: Sequence[RecordedLine]) -> frozenset[int | None]:
    trial: int | None = None
    trials = set()
    for line in run:
        if isinstance(line.event, TrialBegan):
            trial = line.event.trial
        elif isinstance(line.event, Unwritable):
            trials.add(trial)
    return frozenset(trials)


def _differences(differences: Sequence[Difference]) -> Iterator[Finding]:
    """Field by field where both have the line; lines in a row that only one has are told together."""

    def kind(one: Difference) -> str:
        return "lost" if one.recorded is None else "too much" if one.replayed is None else "changed"

    for what, group in groupby(differences, kind):
        several = list(group)
        if what == "changed":
            for one in several:
                yield from _fields(one)
            continue
        first, last = several[0], several[-1]
        lines = f"line {first.line}" if first.line == last.line else f"lines {first.line} to {last.line}"
        tag = _tag(first.recorded or first.replayed) + (f" and {len(several) - 1} more" if several[1:] else "")
        if what == "lost":
            yield discrepancy(f"before {lines}", "lost", f"replayed {tag}", "recorded nothing")
        else:
            yield discrepancy(lines, what, "replayed nothing", f"recorded {tag}")


def _fields(one: Difference) -> Iterator[Finding]:
    for field, recorded, replayed in changes(to_builtins(one.recorded), to_builtins(one.replayed)):
        where, what = f"line {one.line}", f"{_tag(one.recorded)}.{field}"
        yield discrepancy(where, what, f"replayed {quote(replayed)}", f"recorded {quote(recorded)}")


def _tag(event: Event | None) -> str:
    return str(type(event).__struct_config__.tag) if event else "nothing"


def _of_another_session(runs: Sequence[_Repeated]) -> Iterator[Finding]:
    """A later sitting goes on with the session of the first."""
    first, *later = [run.events[0] for run in runs if isinstance(run.events[0], Started)]
    for event in later:
        if event.resumes is None or event.session != first.session:
            yield discrepancy("later sitting", "started.session", "that of line 1", f"{event.session.subject}, another")


def _set_aside(data: DataSet, started: Started) -> Iterator[Finding]:
    """The logs of this visit from before it was begun again."""
    kept = {line_digests(read_file(path))[-1]: path for path in data.logs_set_aside(started.session.visit)}
    for digest in started.begun_before or ():
        if digest not in kept:
            where = data.set_aside(started.session.visit)
            yield discrepancy("line 1", "started.begun_before", f"expected that log in {where}", "missing or changed")
    for path in kept.values():
        try:
            log.read(path, pilot=True)
        except BadInput as error:  # noqa: PERF203 - each of them is looked at
            yield discrepancy(path.name, "file", "expected a whole log that was set aside", str(error))


def _beside(path: Path, last_line: int, events: Sequence[Event], unsure: frozenset[int | None]) -> Iterator[Finding]:
    """The data set's files of this session."""
    started, data = start_of(events), DataSet.of_transcript(path)
    session = started.session
    who = session.visit, session.protocol.task
    if (place := data.transcript(*who)) != path.absolute():
        here = place.relative_to(data.root)
        yield discrepancy(path.name, "place", f"log says {here}", "elsewhere: no table is compared")
        return
    yield from _set_aside(data, started)
    ended = events[-1] if isinstance(events[-1], Ended) else None
    try:
        files = session_files(data, events)
        for table in (path for path in files if path.suffix == ".tsv"):
            yield from table_findings(table, files[table], session_files(data, events[:1]).get(table), ended, unsure)
    except Exception as error:  # noqa: BLE001 - as above
        yield discrepancy(data.table(*who).name, "table", "expected to be derived", f"stopped: {type(error).__name__}")
        return
    for sidecar in (path for path in files if path.suffix == ".json"):
        yield from sidecar_findings(sidecar, files[sidecar])
    yield from row_findings(data.sessions(session.subject), started, ended, last_line)
