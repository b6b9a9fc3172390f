"""The timed task: what the protocol's section `[scan]` says, and the schedule of a session, drawn from the seed.

All is decided beforehand: which message comes in which run and block, and when, counted from the run's first pulse that
is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from experiment.design.columns import TableColumn
from experiment.design.form_questions import Fixed, Line, find_repeated, refuse, wrong_braces
from experiment.design.orders import Key, draw_new_order, draw_order, rotate
from experiment.design.sources import Source
from experiment.errors import BadInput

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol

Length = Annotated[float, Meta(gt=0, le=600)]
Interval = Annotated[float, Meta(ge=0.1, le=600)]
Count = Annotated[int, Meta(ge=1, le=99)]
Button = Annotated[str, Meta(pattern=r"^[a-z0-9]\Z", title='a letter or a digit, e.g. "1"')]


class ScheduleSlot(Struct, frozen=True):
    """When a message comes: `onset_s` from the first pulse kept of its run; blocks count from 1 through a session."""

    run: int
    block: int
    onset_s: float


class Scan(Fixed, frozen=True):
    """Runs of blocks, each of `block_messages` messages of one source, on a schedule that nothing stretches.

    A run starts with the `first_pulse`-th pulse after the assistant was `ready`; the volumes before it are thrown away.
    `interval_s`: the shortest and the longest time of the fixation before a message; those of a run are spread evenly
    between the two, in an order that is drawn, so that all runs last equally long. With `rating_s` each question is
    asked for so long after each block, and answered with `buttons`, the one for point 1 first.
    """

    runs: Count
    first_pulse: Count
    sources: Annotated[tuple[Source, ...], Meta(min_length=1)]
    block_messages: Count
    message_s: Length
    interval_s: tuple[Interval, Interval]
    rest_s: Length
    ready: Line
    waiting: Line
    rating_s: Length | UnsetType = UNSET
    buttons: tuple[Button, ...] = ()

    def __post_init__(self) -> None:
        """Sources and buttons are there once each, and what cannot be filled in is found now."""
        refuse(
            *find_repeated("sources", self.sources),
            *find_repeated("buttons", self.buttons),
            self.interval_s[0] > self.interval_s[1] and "'interval_s': please write the shorter time first.",
            wrong_braces("ready", self.ready, ("run", "runs", "resume", "volumes")),
            wrong_braces("waiting", self.waiting, ("run", "runs")),
        )

    @property
    def multiple(self) -> int:
        """A session's messages are a multiple of this number: a block of each source in each run."""
        return len(self.sources) * self.runs * self.block_messages

    def intervals_s(self, messages: int) -> list[float]:
        """The times of fixation before so many messages of a run, the shortest first."""
        shortest_s, longest_s = self.interval_s
        return [shortest_s + (longest_s - shortest_s) * (number + 0.5) / messages for number in range(messages)]

    def run_s(self, messages: int, questions: int) -> float:
        """How long a run of so many messages lasts, from the first pulse that is kept to the end of the last rest."""
        blocks = messages // self.block_messages
        shown_s = math.fsum(self.intervals_s(messages)) + messages * self.message_s
        return round(self.rest_s + shown_s + blocks * self.after_block_s(questions), 3)

    def after_block_s(self, questions: int) -> float:
        """From the end of a block's last message to the end of the rest."""
        return (self.rating_s or 0.0) * questions + self.rest_s


def find_scan_mistakes(protocol: Protocol, scan: Scan) -> Iterator[str]:
    """What `[scan]` and the other sections say against each other, as sentences."""
    if protocol.messages == 0 or protocol.messages % scan.multiple:
        yield (
            f"[scan]: {scan.runs} runs with blocks of {scan.block_messages} messages from {len(scan.sources)} sources "
            f"need {scan.multiple} messages or a multiple of that, but 'messages' is {protocol.messages}."
        )
    for points in {protocol.scale(question).points for question in protocol.rating.questions}:
        if scan.rating_s and len(scan.buttons) != points:
            yield f"[scan]: the scales have {points} points. Please give as many 'buttons'."
    if not protocol.pulses:
        yield "[scan] needs a section [pulses], which says how the scanner's pulses arrive."
    elif (protocol.pulses.volumes or math.inf) < (least := volumes_of_run(protocol, scan)):
        yield f"[pulses]: volumes = {protocol.pulses.volumes} are too few. A run needs {least}."
    keys = protocol.keys
    taken = {*keys.confirm, *keys.left, *keys.right, keys.resume, *keys.reasons.values(), keys.pause.split("+")[-1]}
    yield from (
        f"[scan]: the button {key!r} is also in [keys]. Please choose another." for key in scan.buttons if key in taken
    )


def volumes_of_run(protocol: Protocol, scan: Scan) -> int:
    """How many volumes the scanner has to take in a run, those that are thrown away too."""
    run_s = scan.run_s(protocol.messages // scan.runs, len(protocol.rating.questions))
    tr_s = protocol.pulses.tr_s if protocol.pulses else math.inf
    return scan.first_pulse - 1 + math.ceil(run_s / tr_s)


def describe_uneven(scan: Scan, sources: Sequence[str]) -> str | None:
    """What is wrong with the sources of a session's messages; None if there are equally many of each of the scan's."""
    each = len(sources) // len(scan.sources)
    counts = {source: list(sources).count(source) for source in (*scan.sources, *sorted(set(sources)))}
    if counts == dict.fromkeys(scan.sources, each) and len(sources) % scan.multiple == 0:
        return None
    found = ", ".join(f"{count} {source}" for source, count in counts.items())
    wanted = " and ".join(f"{each} {source}" for source in scan.sources)
    return f"The scan needs {wanted} messages (column source), but there are {found}."


def draw_slots(
    scan: Scan, sources: Mapping[str, str], keys: Sequence[Key], *, questions: int
) -> dict[str, ScheduleSlot]:
    """By id each message's place in the schedule, in the order of showing. `sources`: of the messages, in their order.

    `keys`: of this session and those before it. The sources of a run's blocks are rows of a Latin square, and each run
    begins with the next row, so that none comes earlier than another on the whole; a later session has another square.
    BadInput for messages of other sources.
    """
    if uneven := describe_uneven(scan, list(sources.values())):
        raise BadInput(f"{uneven} Complete the file.")
    left: dict[str, Iterator[str]] = {
        source: iter([one for one, of in sources.items() if of == source]) for source in scan.sources
    }
    first, in_run = draw_new_order(scan.sources, keys, "source"), len(sources) // scan.runs
    rounds, slots = len(sources) // scan.multiple, dict[str, ScheduleSlot]()
    for run in range(scan.runs):
        blocks = [source for number in range(rounds) for source in rotate(first, run + number)]
        ids = [next(left[source]) for source in blocks for _ in range(scan.block_messages)]
        slots |= zip(ids, _schedule(scan, run, in_run, keys[-1], questions), strict=True)
    return slots


def _schedule(scan: Scan, run: int, count: int, key: Key, questions: int) -> Iterator[ScheduleSlot]:
    """The slots of a run with so many messages: rest, then blocks, each with its ratings and a rest."""
    drawn = draw_order(list(map(str, range(count))), key, "interval", run)
    intervals_s, time_s = scan.intervals_s(count), scan.rest_s
    for number in range(count):
        time_s += intervals_s[int(drawn[number])]
        yield ScheduleSlot(run + 1, (run * count + number) // scan.block_messages + 1, round(time_s, 3))
        is_last = (number + 1) % scan.block_messages == 0
        time_s += scan.message_s + (scan.after_block_s(questions) if is_last else 0.0)


SCAN_COLUMNS = (
    TableColumn("run", "count", "The scanner's run, from 1."),
    TableColumn("block", "count", "The block of messages from one source, from 1 through the session."),
    TableColumn("planned_onset", "seconds", "When the message was to come, since the first pulse kept of its run."),
    TableColumn("run_onset", "seconds", "When it came, since that pulse."),
    TableColumn("shown_time", "seconds", "How long it was on the screen."),
)
