"""Whether a transcript tells what became of every signal that its events call for, and of no other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from experiment.record.events import Ended, Event, Started
from experiment.record.events_beside import Signal
from experiment.record.finding import Finding, discrepancy
from experiment.record.resume import INCOMPLETE
from experiment.replay.lines import RecordedLine
from experiment.signals.due import DueSignal, due_signals

Due = dict[tuple[int, str], DueSignal]
"""What is due at each output, by its number and the output's name."""


def signal_findings(run: Sequence[RecordedLine], replayed: Sequence[Event]) -> Iterator[Finding]:
    """The signals of a run of the task against those that the repeated run calls for."""
    due = _due(replayed)
    for line in run:
        if isinstance(signal := line.event, Signal):
            wanted = due.pop((signal.number, signal.output), None)
            where = f"line {line.number}"
            if wanted is None:
                yield discrepancy(where, "too much", "replayed nothing", f"recorded signal {signal.number}")
            elif not _tells(signal, wanted):
                yield discrepancy(where, "signal", f"replayed {_words(wanted)}", f"recorded {_words(signal)}")
    if _came_to_its_end(run):
        for (number, output), wanted in due.items():
            what = f"expected what became of signal {number} ({wanted.name}) at {output}"
            yield discrepancy("signals", "lost", what, "recorded nothing")


def _due(replayed: Sequence[Event]) -> Due:
    started = replayed[0] if replayed else None
    signals = started.session.protocol.signals if isinstance(started, Started) else None
    if not signals:
        return {}
    every = due_signals(signals, replayed)
    return {(one.number, output.title): one for one in every for output in signals.outputs if output.takes(one.name)}


def _tells(signal: Signal, due: DueSignal) -> bool:
    """Whether it tells of this one; a time that a damaged line left unknown is not compared."""
    same_time = signal.time_s == due.time_s or not math.isfinite(due.time_s)
    return (signal.name, signal.code) == (due.name, due.code) and same_time


def _came_to_its_end(run: Iterable[RecordedLine]) -> bool:
    """Whether the program itself ended the run: if it died, what was on its way is unknown."""
    return any(isinstance(line.event, Ended) and line.event.reason != INCOMPLETE for line in run)


def _words(one: Signal | DueSignal) -> str:
    return f"{one.name} with code {one.code} at {one.time_s:.6f} s"
