"""Whether every output for signals takes them, and whether a scanner's pulses can be received."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from experiment.design.protocol import Protocol
from experiment.design.signals import Output
from experiment.errors import EquipmentFailure
from experiment.record.finding import Finding, refusal
from experiment.screens.parallel import ParallelLine
from experiment.signals.devices import make_device
from experiment.signals.lsl import LslStream
from experiment.signals.serial_port import SerialPulses

UNHEARD = (
    "Other programs on this computer cannot find the stream. Allow Python in the firewall (UDP and TCP, ports 16571 to "
    "16604), and check again."
)


def items(protocol: Protocol) -> Iterator[Finding]:
    """A finding for each output and for the scanner; none if the protocol has neither."""
    for output in protocol.signals.outputs if protocol.signals else ():
        if output.to != "file":  # which lies in the data folder
            yield _output(output)
    pulses = protocol.pulses
    if pulses and pulses.port:
        try:
            SerialPulses(pulses.port, pulses.baud, pulses.byte).close()
        except EquipmentFailure as error:
            yield _unready("scanner", error)
        else:
            yield refusal("scanner", None, f"its port {pulses.port} is open; no pulse was waited for")


def _output(output: Output) -> Finding:
    kind, device = f"output {output.title}", make_device(output, Path(), ParallelLine)
    with closing(device):
        try:
            device.open()
            if isinstance(device, LslStream):
                heard = "another program on this computer can find the stream"
                return refusal(kind, None, heard) if device.is_found() else _unready(kind, EquipmentFailure(UNHEARD))
        except Exception as error:  # noqa: BLE001 - drivers raise what they like
            return _unready(kind, error)
    return refusal(kind, None, "it can be opened")


def _unready(kind: str, error: Exception) -> Finding:
    """What is wrong is the error's first sentence, what to do is the rest."""
    found, _, advice = str(error).partition(". ")
    return Finding(kind, "error", found, advice or None)
