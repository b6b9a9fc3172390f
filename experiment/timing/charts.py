"""A distribution of errors as the outlines of a picture: pure, in the language of SVG paths, in milliseconds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

WIDTH_PX, HEIGHT_PX, DOTS_PX = 420, 110, 64
BINS = 42
STEPS_MS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0)
TICKS = 6


class Distribution(Struct, frozen=True):
    """A histogram over a strip of dots by trial, on one axis; what lies beyond it is drawn at its ends.

    `marked`: the dots of the trials that the transcript marks. `goal`: the band that is expected, as x and width.
    """

    title: str
    columns: str
    most: int
    dots: str
    marked: str
    ticks: tuple[tuple[float, str], ...]
    zero_px: float | None
    median_px: float
    beyond: int


def distribution(title: str, errors_ms: Sequence[tuple[float, bool]]) -> Distribution:
    """Of errors in the order of trials, each with whether the transcript marks its trial; at least one."""
    values = sorted(error_ms for error_ms, _ in errors_ms)
    low_ms, high_ms, step_ms = _axis(values)

    def px(error_ms: float) -> float:
        return round(WIDTH_PX * min(1.0, max(0.0, (error_ms - low_ms) / (high_ms - low_ms))), 1)

    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int(px(value) / WIDTH_PX * BINS))] += 1
    across = DOTS_PX / max(1, len(errors_ms) - 1)
    places = [(px(error_ms), round(number * across, 1), marked) for number, (error_ms, marked) in enumerate(errors_ms)]
    first = math.ceil(low_ms / step_ms - 1e-9)
    ticks = [step_ms * number for number in range(first, math.floor(high_ms / step_ms + 1e-9) + 1)]
    return Distribution(
        title=title,
        columns=_columns(counts),
        most=max(counts),
        dots="".join(f"M{x:g} {y:g}h0" for x, y, marked in places if not marked),
        marked="".join(f"M{x:g} {y:g}h0" for x, y, marked in places if marked),
        ticks=tuple((px(tick), f"{tick:g}" if tick else "0") for tick in (round(one, 6) for one in ticks)),
        zero_px=px(0.0) if low_ms <= 0 <= high_ms else None,
        median_px=px(values[len(values) // 2]),
        beyond=sum(not low_ms <= value <= high_ms for value in values),
    )


def _axis(values: Sequence[float]) -> tuple[float, float, float]:
    """From and to, with the distance of ticks: nearly all values and zero between round numbers."""
    cut = len(values) // 100
    least, most = min(0.0, values[cut]), max(0.0, values[len(values) - 1 - cut])
    room = max(most - least, 0.1) * 0.06
    step = next((one for one in STEPS_MS if (most - least + 2 * room) / one <= TICKS), STEPS_MS[-1])
    low, high = math.floor((least - room) / step * 2) / 2 * step, math.ceil((most + room) / step * 2) / 2 * step
    return low, high, step


def _columns(counts: Sequence[int]) -> str:
    """Columns that stand on the axis."""
    width_px, most = WIDTH_PX / len(counts), max(counts)
    return "".join(
        f"M{width_px * number:g} {HEIGHT_PX}v-{round(HEIGHT_PX * count / most, 1):g}h{width_px - 1:g}V{HEIGHT_PX}z"
        for number, count in enumerate(counts)
        if count
    )
