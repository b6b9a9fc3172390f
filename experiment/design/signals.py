"""What a session tells an EEG amplifier, an eye tracker, a recorder: the protocol's section `[signals]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from experiment.design.form_questions import Fixed, Line, find_repeated, refuse, wrong_braces
from experiment.design.scanner import SCANNER, Baud, PortName

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol

SignalName = Literal[
    "message_onset", "scale_onset", "choice", "confirmation", "run_begin", "run_end", "handed", "taken_back", "pause",
    "resume", "end",
]  # fmt: skip
Name = Annotated[str, Meta(min_length=1, max_length=20, title='a name of at most 20 characters, e.g. "EEG"')]
Code = Annotated[int, Meta(ge=1, le=255)]
OUTPUTS = "outputs"  # in braces: the outputs that fail


class Codes(Fixed, frozen=True):
    """The code of each event that is sent; one that has none is not sent.

    A `choice` is each place of the marker, a `confirmation` the press that made a rating final. `run_begin`: the pulse
    from which a scanner's run counts. `handed`, `taken_back`: the assistant's word of an object. `pause`, `resume`: the
    pause page came, the scene came back.
    """

    message_onset: Code | None = None
    scale_onset: Code | None = None
    choice: Code | None = None
    confirmation: Code | None = None
    run_begin: Code | None = None
    run_end: Code | None = None
    handed: Code | None = None
    taken_back: Code | None = None
    pause: Code | None = None
    resume: Code | None = None
    end: Code | None = None


class Names(Fixed, frozen=True):
    """What an event is called in a stream or a file."""

    message_onset: Line = "message_onset"
    scale_onset: Line = "scale_onset"
    choice: Line = "choice"
    confirmation: Line = "confirmation"
    run_begin: Line = "run_begin"
    run_end: Line = "run_end"
    handed: Line = "handed"
    taken_back: Line = "taken_back"
    pause: Line = "pause"
    resume: Line = "resume"
    end: Line = "end"


class Output(Fixed, frozen=True):
    """Where signals go: to other programs by the Lab Streaming Layer, to a serial or parallel port, or to a file.

    `name`: what the assistant calls it, such as "EEG". `events`: only these; all if left out. `port`: "COM3",
    "/dev/ttyUSB0", "/dev/parport0", "0x378". `pulse_ms`: how long a port shows the code before it is 0 again.
    `machines`: names or addresses of the computers that may receive the stream; this one only, if left out.
    """

    to: Literal["lsl", "serial", "parallel", "file"]
    name: Name | None = None
    events: tuple[SignalName, ...] = ()
    port: PortName | None = None
    baud: Baud = 115_200
    pulse_ms: Annotated[float, Meta(ge=0.1, le=1000)] = 5.0
    stream: Line = "DayFour"
    machines: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        is_port = self.to in {"serial", "parallel"}
        refuse(
            is_port and not self.port and f"An output to a {self.to} port needs 'port'.",
            not is_port and self.port and "'port' is for outputs to a serial or parallel port only.",
            self.to != "lsl" and self.machines and "'machines' is for outputs to \"lsl\" only.",
        )

    @property
    def title(self) -> str:
        """What it is called where people read of it: by its name, or by the end of its port's."""
        return self.name or f"{self.to} {(self.port or '').rpartition('/')[2][-20:]}".strip()

    def takes(self, name: str) -> bool:
        """Whether this event goes there."""
        return not self.events or name in self.events


class Signals(Fixed, frozen=True):
    """`failing`: what the assistant reads on the pause page while outputs fail; {outputs} become their names."""

    codes: Codes
    outputs: Annotated[tuple[Output, ...], Meta(min_length=1, max_length=4)]
    names: Names = Names()
    failing: Line = (
        "Assistant: signals are not reaching {outputs}. Check the device and its cable. The session can continue "
        "without it, but that recording will lack them."
    )

    def __post_init__(self) -> None:
        """Something is sent, and each output is named once."""
        codes = {name for name in self.codes.__struct_fields__ if getattr(self.codes, name)}
        asked = {name for output in self.outputs for name in output.events}
        refuse(
            not codes and "[signals.codes] is empty. Please give at least one event a code.",
            *(f"{name!r} has no code in [signals.codes]." for name in sorted(asked - codes)),
            *find_repeated("outputs", [SCANNER, *(output.title for output in self.outputs)]),
            wrong_braces("failing", self.failing, (OUTPUTS,)),
        )

    def code(self, name: SignalName) -> int | None:
        """The code of an event; None if it is not sent."""
        code: int | None = getattr(self.codes, name)
        return code

    def called(self, name: SignalName) -> str:
        """What it is called in a stream or file."""
        called: str = getattr(self.names, name)
        return called


def find_signal_mistakes(protocol: Protocol) -> Iterator[str]:
    """What cannot be sent, as a sentence."""
    if protocol.scan and protocol.signals and protocol.signals.codes.confirmation:
        why = "in a scanner's run nothing is confirmed: the last choice is the answer"
        yield f"[signals.codes]: {why}. Please remove 'confirmation'."
