"""How often each number of a scale was chosen, as the outlines of columns. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec import Struct

from experiment.qa.charts import columns
from experiment.qa.session_summary import SessionSummary

CHART_PX, CHART_HEIGHT_PX = 540, 130
LONG_SCALE = 20


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
