"""In which type size messages would be shown together, and which of them make it small."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from experiment.design.message import Message, practice_message
from experiment.design.protocol import Protocol
from experiment.drawing.message import fitting_box
from experiment.drawing.stimuli import MESSAGE_SIZES, rooms
from experiment.errors import BadInput
from experiment.task.layout import Layout

# Units of 1/720 of the screen's height. On the smallest screen that is used, a laptop's of 13 inches (16.2 cm high) at
# 60 cm, capitals of Noto Sans (0.714 em) are 20 minutes of arc high in type of 22 units: ISO 9241-303 prefers 20 to 22
# and asks for 16, which the smallest type has. Its x-height (0.536 em) is 0.21 degrees there, just above the 0.2 from
# which people read as fast as they can (Legge & Bigelow 2011, J Vision 11(5):8).
COMFORTABLE = 22


class Sizes(Struct, frozen=True):
    """Type sizes in units of 1/720 of the screen's height (of 1/1280 of its width, where that is less).

    `together`: of all messages, but for those that are too long. `small`: the size of each that alone would fit only
    in one below `COMFORTABLE`, by its id. `too_long`: those that fit in none.
    """

    together: int
    small: dict[str, int]
    too_long: tuple[str, ...]


def sizes_of(messages: Sequence[Message], protocol: Protocol, layout: Layout) -> Sizes:
    """The sizes of messages that one session shows, with the protocol's practice message among them."""
    shown = (practice_message(protocol), *messages)
    together = _largest(shown, protocol, layout)
    if together is not None and together >= COMFORTABLE:
        return Sizes(together, {}, ())
    each = {message.message_id: _largest([message], protocol, layout) for message in shown}
    fitting = {message_id: size for message_id, size in each.items() if size is not None}
    small = {message_id: size for message_id, size in fitting.items() if size < COMFORTABLE}
    return Sizes(min(fitting.values()), small, tuple(one for one in each if one not in fitting))


def _largest(messages: Sequence[Message], protocol: Protocol, layout: Layout) -> int | None:
    """The largest size in which all of these fit."""
    units = {layout.size(size): size for size in MESSAGE_SIZES}
    try:
        room = fitting_box(messages, rooms(layout), with_writer=protocol.display.show_writer)
    except BadInput:
        return None
    return units[room.size_px]
