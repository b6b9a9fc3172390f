"""Signals as a stream of the Lab Streaming Layer: text at irregular times, stamped with the event's own time.

By default only programs on this computer can find the stream: liblsl then asks and listens on the loopback alone.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiment.errors import EquipmentFailure

if TYPE_CHECKING:
    from pylsl import StreamOutlet

RESOLVE_S = 3.0
READINGS = 5
_ALONE = "[multicast]\nResolveScope = machine\nListenAddress = 127.0.0.1\n[ports]\nIPv6 = disable\n"
_LAB = "[multicast]\nResolveScope = site\n"
_REST = "[lab]\nKnownPeers = {{{}}}\n[log]\nlevel = -2\n"  # of warnings and errors, the errors


def load_pylsl(machines: Sequence[str]) -> Any:
    """The library, told who may find its streams; the first call in a process decides."""
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:  # RuntimeError: without liblsl itself
        raise EquipmentFailure(
            "The package pylsl for the Lab Streaming Layer is missing. Install it with: pip install pylsl"
        ) from error
    content = (_LAB if machines else _ALONE) + _REST.format(", ".join(machines or ["127.0.0.1"]))
    pylsl.lib.lib.lsl_set_config_content(content.encode())
    return pylsl


class LslStream:
    """An outlet named `stream`, of one text channel."""

    def __init__(self, stream: str, machines: Sequence[str]) -> None:
        self._stream, self._machines = stream, machines
        self._lsl: Any = None
        self._outlet: StreamOutlet | None = None

    @property
    def source(self) -> str:
        """By what a receiver knows the stream again after this program was started anew."""
        return f"{self._stream}@{platform.node()}"

    def open(self) -> None:
        """Make the stream known."""
        self._lsl = load_pylsl(self._machines)
        channel = self._lsl.cf_string
        info = self._lsl.StreamInfo(self._stream, "Markers", 1, self._lsl.IRREGULAR_RATE, channel, self.source)
        self._outlet = self._lsl.StreamOutlet(info)

    def write(self, _code: int, name: str, happened_s: float) -> None:
        """Give it to whoever receives."""
        assert self._outlet  # noqa: S101 - nobody writes before it is open
        self._outlet.push_sample([name], happened_s + self._ahead_s())

    def close(self) -> None:
        """Withdraw the stream."""
        self._outlet = None

    def _ahead_s(self) -> float:
        """The library's clock minus `time.perf_counter`, by the reading in which this thread waited least."""
        readings = [(time.perf_counter(), self._lsl.local_clock(), time.perf_counter()) for _ in range(READINGS)]
        before_s, local_s, after_s = min(readings, key=lambda one: one[2] - one[0])
        return float(local_s - (before_s + after_s) / 2)

    def is_found(self) -> bool:
        """Whether a program on this computer finds the stream; takes up to RESOLVE_S."""
        return bool(self._lsl.resolve_byprop("source_id", self.source, 1, RESOLVE_S))
