"""The type size that messages get in one place: what tests and benchmarks ask, where a session tries several places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from experiment.design.message import Message
from experiment.drawing.message import TextBox, fitting_box


def fitting_size(
    messages: Iterable[Message],
    width_px: int,
    height_px: int,
    sizes_px: Sequence[float],
    *,
    with_writer: bool = True,
) -> float:
    """Find the largest type size with which every message fits, so that all of a session look alike.

    BadInput names the message that does not fit with the smallest size.
    """
    rooms = [TextBox(size_px, width_px, height_px) for size_px in sorted(sizes_px, reverse=True)]
    return fitting_box(messages, rooms, with_writer=with_writer).size_px
