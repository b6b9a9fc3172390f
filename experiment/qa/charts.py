"""Numbers as the outlines of pictures: pure, in the language of SVG paths, where the template gives colour and place.

One path holds all marks of a kind, so that thousands of small pictures stay small.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from experiment.qa.session_summary import SessionSummary

MANY = 20  # ticks, of which only each twentieth is told
LEAST_PX = 0.6  # narrower, a mark is not seen
TICKS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
CHART_PX, CHART_HEIGHT_PX = 540, 130
LONG_SCALE = 20


class Axis(Struct, frozen=True):
    """From numbers to pixels, evenly or by their logarithm; what lies outside is drawn at the edge."""

    low: float
    high: float
    length_px: float
    logarithmic: bool = False

    def px(self, value: float) -> float:
        """Where a value stands."""
        low, high, at = (math.log(max(one, 1e-3)) if self.logarithmic else one for one in (self.low, self.high, value))
        return round(self.length_px * min(1.0, max(0.0, (at - low) / (high - low))), 1)

    @property
    def ticks(self) -> tuple[float, ...]:
        """The round numbers along it."""
        if self.logarithmic:
            return tuple(one for one in TICKS_S if self.low <= one <= self.high)
        step = 1 if self.high - self.low < MANY else MANY
        return tuple(float(one) for one in range(math.ceil(self.low), math.floor(self.high) + 1, step))


def times_scale(times_s: Sequence[float], length_px: float) -> Axis:
    """A logarithmic one from a round number below all times to one above."""
    low = max((one for one in TICKS_S if one <= min(times_s, default=1.0)), default=TICKS_S[0])
    high = min((one for one in TICKS_S if one >= max(times_s, default=10.0) and one > low), default=TICKS_S[-1] * 2)
    return Axis(low, high, length_px, logarithmic=True)


def blocks(reading: SessionSummary, scale: Axis, middle_px: float) -> dict[str, str]:
    """The session as a band round `middle_px`: a path for each kind of screen, to be drawn as thick as the band."""
    paths: dict[str, str] = {}
    for one in reading.screens:
        start_px, end_px = scale.px(one.start_s), scale.px(one.end_s)
        width_px = max(LEAST_PX, round(end_px - start_px, 1))
        paths[one.kind] = paths.get(one.kind, "") + f"M{start_px:g} {middle_px:g}h{width_px:g}"
    return paths


def strokes(values: Iterable[float], scale: Axis, top_px: int, height_px: int) -> str:
    """An upright stroke at each value."""
    return "".join(f"M{scale.px(value):g} {top_px}v{height_px}" for value in values)


def line(values: Sequence[float | None], across_px: float, scale: Axis) -> str:
    """A line from value to value, from left to right; a missing one interrupts it."""
    path, pen = "", "M"
    for number, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        # A point without neighbours is a line of no length, which round ends make visible.
        path += f"{pen}{number * across_px:g} {scale.length_px - scale.px(value):g}" + ("h0" if pen == "M" else "")
        pen = "L"
    return path


def dots(points: Iterable[tuple[float, float]]) -> str:
    """A dot at each place; drawn with round line ends."""
    return "".join(f"M{x_px:g} {y_px:g}h0" for x_px, y_px in points)


def columns(counts: Sequence[int], most: int, left_px: float, step_px: float, height_px: float) -> str:
    """Columns of a histogram, standing on `height_px`, each a third of a step wide."""
    width_px = round(step_px / 3, 1)
    tall_px = [round(height_px * count / max(1, most), 1) for count in counts]
    return "".join(
        f"M{left_px + step_px * number:g} {height_px:g}v-{tall:g}h{width_px:g}v{tall:g}z"
        for number, tall in enumerate(tall_px)
        if tall
    )


class Histogram(Struct, frozen=True):
    """How often each number of a scale was chosen, by session; `most`: in per cent, of the highest column.

    `numbers`: below each column; of a long scale, the first of ten.
    """

    title: str
    numbers: tuple[int, ...]
    columns: dict[int, str]
    most: float


def draw_histograms(readings: Sequence[SessionSummary]) -> list[Histogram]:
    """One for each question."""
    counts: dict[str, dict[int, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for one in readings:
        for answer in one.answers:
            if answer.value is not None:
                counts[answer.question][one.session][answer.value] += 1
    ends = ends_of(readings)
    return [_histogram(question, by_session, *ends[question]) for question, by_session in counts.items()]


def _histogram(question: str, by_session: dict[int, Counter[int]], first: int, last: int) -> Histogram:
    """`first`, `last`: of the scale. A long one is shown in tens, the last of which has its end too."""
    width = 1 if last - first < LONG_SCALE else 10
    numbers = tuple(range(first, max(first + 1, last + 2 - width), width))

    def in_group(value: int) -> int:
        return min((value - first) // width, len(numbers) - 1)

    shares: dict[int, list[int]] = {}
    for session, count in sorted(by_session.items()):
        grouped = Counter(in_group(value) for value in count.elements())
        shares[session] = [1000 * grouped[group] // max(1, count.total()) for group in range(len(numbers))]
    most, step_px = max(map(max, shares.values())), CHART_PX / len(numbers)
    paths = {
        session: columns(own, most, step_px * (0.15 + number / 3), step_px, CHART_HEIGHT_PX)
        for number, (session, own) in enumerate(shares.items())
    }
    return Histogram(f"How often each point was chosen: {question}", numbers, paths, most / 10)


def ends_of(readings: Sequence[SessionSummary]) -> dict[str, tuple[int, int]]:
    """From where to where the scales of each question go."""
    found: dict[str, tuple[int, int]] = {}
    for one in readings:
        for question, (first, last) in one.ends.items():
            low, high = found.get(question, (first, last))
            found[question] = min(low, first), max(high, last)
    return found
