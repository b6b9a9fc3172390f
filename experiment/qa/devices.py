"""What became of a session's signals, and whether its scanner's pulses came as they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from experiment.design.scan import volumes_of_run
from experiment.design.scanner import Pulses
from experiment.design.signals import Output, Signals
from experiment.record.events import Pulse
from experiment.record.events_beside import Signal
from experiment.record.events_of_tasks import RunBegan, RunEnded
from experiment.record.timeline import Attempt, last_s
from experiment.signals.due import due_signals

GAP_ERROR_S = 0.002  # a stamp is off by less than half a millisecond, a scanner by less than that
STOPPED = 5  # so many repetition times without a pulse: the scanner itself stopped
WHY = {
    "full": "too many were waiting",
    "late": "they would have come too late",
    "lost": "it could not be reached",
    "unwritten": "the session ended first",
    "unknown": "the program died first",
}


class SentSignals(Struct, frozen=True):
    """What an output was due, and how many of these it did not get for which reason (a key of WHY).

    `slowest_s`: from the flip or press to when the output had taken it, at most.
    """

    output: str
    due: int
    failed: dict[str, int]
    slowest_s: float | None

    @property
    def taken(self) -> int:
        """How many it got."""
        return self.due - sum(self.failed.values())

    @property
    def wrong(self) -> str | None:
        """What a person should know; None if it got all."""
        why = ", ".join(f"{count} because {WHY[reason]}" for reason, count in self.failed.items())
        number = self.due - self.taken
        return f"{number} of {self.due} signals did not reach {self.output}: {why}." if number else None


class RunPulses(Struct, frozen=True):
    """How many pulses came in a run of the scanner, from the first one kept to its end, and how many it needs."""

    run: int
    number: int
    needed: int


class PulseCount(Struct, frozen=True):
    """`series`: how many pulses came in each row that the scanner itself ended. `lost`, `doubled`: by their gaps.

    `irregular`: gaps that are no multiple of the repetition time, within GAP_ERROR_S. `volumes`: how many were to come
    in a row, if that is known. `runs`: those that no pause ended.
    """

    number: int
    series: tuple[int, ...]
    lost: int
    doubled: int
    irregular: int
    volumes: int | None
    runs: tuple[RunPulses, ...]

    @property
    def wrong(self) -> str | None:
        """What a person should know; None if all came in time."""
        if not self.number:
            return "No pulse of the scanner came."
        counts = {"lost": self.lost, "doubled": self.doubled, "at irregular times": self.irregular}
        gaps = ", ".join(f"{count} {how}" for how, count in counts.items() if count)
        rows = [number for number in self.series if self.volumes not in {None, number}]
        wrong = [
            *([f"by their gaps {gaps}"] if gaps else []),
            *(f"{number} in a row instead of {self.volumes}" for number in rows),
            *(f"{one.number} of {one.needed} in run {one.run}" for one in self.runs if one.number < one.needed),
        ]
        return f"{self.number} pulses came: {'; '.join(wrong)}." if wrong else None


def sent_signals(attempts: Sequence[Attempt]) -> tuple[SentSignals, ...]:
    """Of each output, over all attempts."""
    signals = attempts[0].started.session.protocol.signals
    return tuple(_sent(signals, output, attempts) for output in signals.outputs) if signals else ()


def _sent(signals: Signals, output: Output, attempts: Sequence[Attempt]) -> SentSignals:
    due, failed, slowest_s = 0, Counter[str](), list[float]()
    for attempt in attempts:
        told = [one for one in attempt.events if isinstance(one, Signal) and one.output == output.title]
        wanted = sum(output.takes(one.name) for one in due_signals(signals, attempt.events))
        due += wanted
        failed.update(one.failure for one in told if one.failure)
        failed["unknown"] += max(0, wanted - len(told))
        slowest_s += [one.done_s - one.time_s for one in told if one.failure is None]
    return SentSignals(output.title, due, dict(+failed), max(slowest_s, default=None))


def count_pulses(attempts: Iterable[Attempt]) -> PulseCount | None:
    """The pulses of all attempts; None if the protocol has no scanner."""
    parts = [_counted(one, pulses) for one in attempts if (pulses := one.started.session.protocol.pulses)]
    if not parts:
        return None
    number, lost, doubled, irregular = (sum(getattr(one, name) for one in parts) for name in _SUMS)
    series, runs = (tuple(one for part in parts for one in getattr(part, name)) for name in ("series", "runs"))
    return PulseCount(number, series, lost, doubled, irregular, parts[0].volumes, runs)


_SUMS = ("number", "lost", "doubled", "irregular")


def _counted(attempt: Attempt, pulses: Pulses) -> PulseCount:
    times_s = sorted(event.time_s for event in attempt.events if isinstance(event, Pulse))
    series, kinds, single_s = [0], Counter[str](), list[float]()
    before_s: float | None = None
    for time_s in times_s:
        gap_s = None if before_s is None else time_s - before_s
        if gap_s is not None and gap_s > STOPPED * pulses.tr_s:
            series.append(0)
            gap_s = None
        found = dict(_judged(gap_s, pulses.tr_s))
        kinds.update(found)
        series[-1] += 1
        if not found.get("doubled"):
            single_s.append(time_s)
            before_s = time_s
    still_on = before_s is None or last_s(attempt.events) - before_s < STOPPED * pulses.tr_s
    ended = series[:-1] if still_on else series
    counts = kinds["lost"], kinds["doubled"], kinds["irregular"]
    return PulseCount(len(times_s), tuple(ended), *counts, pulses.volumes, tuple(_in_runs(attempt, single_s)))


def _in_runs(attempt: Attempt, times_s: Sequence[float]) -> Iterator[RunPulses]:
    """Of each run that came to the end of its schedule."""
    protocol, began_s = attempt.started.session.protocol, dict[int, float]()
    if not (protocol.scan and protocol.pulses):
        return
    needed = volumes_of_run(protocol, protocol.scan) - protocol.scan.first_pulse + 1
    length_s = (needed - 0.5) * protocol.pulses.tr_s
    for event in attempt.events:
        if isinstance(event, RunBegan):
            began_s[event.run] = event.time_s
        elif isinstance(event, RunEnded) and event.whole:
            number = sum(0 <= time_s - began_s[event.run] < length_s for time_s in times_s)
            yield RunPulses(event.run, number, needed)


def _judged(gap_s: float | None, tr_s: float) -> Iterator[tuple[str, int]]:
    """What a gap means, and how often."""
    if gap_s is None:
        return
    passed = round(gap_s / tr_s)
    if passed == 0:
        yield "doubled", 1
        return
    yield "lost", passed - 1
    yield "irregular", int(abs(gap_s - passed * tr_s) > GAP_ERROR_S)
