"""Listens to a session's events, sends what they call for, and tells the transcript what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from experiment.design.signals import Signals
from experiment.record.events import Event
from experiment.record.events_beside import Signal, SignalFailure
from experiment.record.timeline import time_of
from experiment.signals.due import DueSignal, DueSignals
from experiment.signals.outlet import Outlet, PendingSignal

Tell = Callable[[Signal], None]


class Announcer:
    """Before real outputs; `tell` is called in their threads."""

    def __init__(self, signals: Signals, outlets: Sequence[Outlet], zero_count_s: float, tell: Tell) -> None:
        """`zero_count_s`: clock zero on `time.perf_counter`."""
        self._signals, self._outlets, self._zero_s, self._tell = signals, outlets, zero_count_s, tell
        self._due = DueSignals(signals)

    def hear(self, event: Event) -> None:
        """Send what this event calls for; returns at once."""
        if (due := self._due.of(event)) is None:
            return
        called, handed_s = self._signals.called(due.name), time.perf_counter()
        happened_s = handed_s if time_of(event) is None else self._zero_s + due.time_s
        for outlet in self._outlets:
            if outlet.output.takes(due.name):
                outlet.send(
                    PendingSignal(due, called, happened_s, handed_s, partial(self._tell_end, outlet.output.title))
                )

    def close(self) -> None:
        """Wait a moment for what is on its way; afterwards all signals have been told of."""
        for outlet in self._outlets:
            outlet.close()

    def _tell_end(self, output: str, signal: PendingSignal, done_s: float, failure: SignalFailure | None) -> None:
        self._tell(_signal(signal.due, output, signal.handed_s - self._zero_s, done_s - self._zero_s, failure))


class SimulatedAnnouncer:
    """Before outputs that are not there, and take everything at once."""

    def __init__(self, signals: Signals, tell: Tell) -> None:
        self._outputs, self._due, self._tell = signals.outputs, DueSignals(signals), tell

    def hear(self, event: Event) -> None:
        """Tell of what this event calls for."""
        due = self._due.of(event)
        for output in self._outputs:
            if due and output.takes(due.name):
                self._tell(_signal(due, output.title, due.time_s, due.time_s, None))

    def close(self) -> None:
        """Nothing is on its way."""


def _signal(due: DueSignal, output: str, handed_s: float, done_s: float, failure: SignalFailure | None) -> Signal:
    return Signal(due.number, output, due.name, due.code, due.time_s, handed_s, done_s, failure)
