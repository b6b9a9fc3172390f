"""A session's outputs for signals, fed from its transcript, and its line from a scanner: opened before the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from experiment.design.scanner import SCANNER
from experiment.record.events import Ended, Event
from experiment.screens.clock import Zero
from experiment.screens.parallel import ParallelLine
from experiment.signals.announcer import Announcer, SimulatedAnnouncer
from experiment.signals.devices import make_device
from experiment.signals.outlet import Outlet
from experiment.signals.serial_port import SerialPulses

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


@contextmanager
def open_pulses(plan: Plan) -> Iterator[SerialPulses | None]:
    """The serial line on which the scanner's pulses come, if there is one; a synthetic participant has its own scanner.

    EquipmentFailure if it cannot be opened: without pulses there is nothing to record.
    """
    pulses = plan.protocol.pulses
    if plan.is_synthetic or not (pulses and pulses.port):
        yield None
        return
    with closing(SerialPulses(pulses.port, pulses.baud, pulses.byte)) as line:
        yield line


def find_failing(outlets: Sequence[Outlet], line: SerialPulses | None) -> frozenset[str]:
    """The names of those that take or bring nothing at the moment."""
    scanner = {SCANNER} if line and line.is_lost else set()
    return frozenset({outlet.output.title for outlet in outlets if outlet.fails} | scanner)


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
