"""How a scanner tells that a volume begins: the protocol's section `[pulses]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from experiment.design.form_questions import Fixed, Line, refuse, wrong_braces

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol

SCANNER = "scanner"  # what its port is called beside the outputs
KeyName = Annotated[
    str, Meta(pattern=r"^([a-z0-9]|equal|minus|quoteleft|space|return|tab)\Z", title='a key, e.g. "5", "t" or "equal"')
]
PortName = Annotated[str, Meta(min_length=1, title='a serial port, e.g. "COM3" or "/dev/ttyUSB0"')]
Baud = Annotated[int, Meta(ge=50, le=4_000_000)]


class Pulses(Fixed, frozen=True):
    """Either a `key` that the scanner's box presses, or a `byte` (0 to 255, any if left out) on a serial `port`.

    `tr_s`: the repetition time, from one pulse to the next. `volumes`: how many pulses come in a row, if that is known.
    `failing`: what the assistant reads on the pause page while the port is gone.
    """

    tr_s: Annotated[float, Meta(gt=0, le=60)]
    key: KeyName | None = None
    port: PortName | None = None
    byte: Annotated[int, Meta(ge=0, le=255)] | None = None
    baud: Baud = 115_200
    volumes: Annotated[int, Meta(ge=1, le=99_999)] | None = None
    failing: Line = (
        "Assistant: the scanner's pulses cannot be received, because their serial port is gone. Check the cable. The "
        "port is opened again as soon as it is back."
    )

    def __post_init__(self) -> None:
        refuse(
            bool(self.key) == bool(self.port) and "Please give either 'key' or 'port'.",
            wrong_braces("failing", self.failing, ()),
        )


def keys_of_two(protocol: Protocol) -> Iterator[str]:
    """That the scanner's key is a person's key too, as a sentence."""
    keys, scales = protocol.keys, map(protocol.scale, protocol.rating.questions)
    key = protocol.pulses.key if protocol.pulses else None
    of_assistant = {keys.resume, keys.pause.split("+")[-1], *keys.reasons.values()}
    if key in {*keys.confirm, *keys.moving, *of_assistant}:
        yield f"[pulses]: key = {key!r} is also in [keys]. Please choose another key for one of them."
    elif protocol.scan:  # where buttons answer, and not the digits
        if key in protocol.scan.buttons:
            yield f"[pulses]: key = {key!r} is also a button of [scan]. Please choose another key for one of them."
    elif scale := next((one for one in scales if key in one.digits), None):
        what = f"[pulses]: key = {key!r} also sets the marker on scales of {scale.points} points."
        yield f"{what} Please set the scanner's box to another key, or use shorter scales."
