"""A session's outputs for signals: opened before the window, fed from the transcript, closed before its last line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from experiment.record.events import Ended, Event
from experiment.screens.clock import Zero
from experiment.screens.parallel import ParallelLine
from experiment.signals.announcer import Announcer, SimulatedAnnouncer
from experiment.signals.devices import make_device
from experiment.signals.outlet import Outlet

if TYPE_CHECKING:
    from experiment.session.plan import Plan

Emit = Callable[[Event], None]
OPEN_S = 1.0  # for all of them; what opens later is reported as failing until then


@contextmanager
def open_outlets(plan: Plan) -> Iterator[tuple[Outlet, ...]]:
    """An outlet for each output of the protocol, also for those whose device cannot be opened."""
    file = plan.transcript.with_name(plan.transcript.name.replace("_transcript.jsonl", "_signals.tsv"))
    outputs = plan.protocol.signals.outputs if plan.protocol.signals else ()
    outlets = tuple(Outlet(output, make_device(output, file, ParallelLine)) for output in outputs)
    try:
        for outlet in outlets:
            outlet.settle(OPEN_S)
        yield outlets
    finally:
        for outlet in outlets:
            outlet.close()


def failing_of(outlets: Sequence[Outlet]) -> frozenset[str]:
    """The names of those that take nothing at the moment."""
    return frozenset(outlet.output.title for outlet in outlets if outlet.fails)


def with_signals(plan: Plan, outlets: Sequence[Outlet], zero: Zero, append: Emit) -> Emit:
    """What adds an event to the transcript, and sends the signals that it calls for; what became of them is added too.

    A simulation sends nothing, and says that it did.
    """
    signals = plan.protocol.signals
    if not signals:
        return append
    announcer: Announcer | SimulatedAnnouncer
    if zero.count_s is None:
        announcer = SimulatedAnnouncer(signals, append)
    else:
        announcer = Announcer(signals, outlets, zero.count_s, append)

    def emit(event: Event) -> None:
        if isinstance(event, Ended):  # the transcript's last line
            announcer.hear(event)
            announcer.close()
            append(event)
        else:
            append(event)
            announcer.hear(event)

    return emit
