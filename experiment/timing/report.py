"""One page on a computer's timing, for the laboratory's folder and a paper's methods section; its numbers beside it.

The page is HTML with small SVG pictures, and loads nothing. It shows what was measured and says what was not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from statistics import median, stdev
from typing import Literal

import msgspec
from msgspec import Struct

from experiment.record.events import Started
from experiment.record.screen_info import ScreenInfo
from experiment.storage.atomic_file import write_whole
from experiment.storage.html import fill_template
from experiment.timing.device import GUIDE
from experiment.timing.errors import (
    ONSET_SD_S,
    PRESS_P99_S,
    PRESS_SD_S,
    RESPONSE_MEDIAN_S,
    RESPONSE_SD_S,
    Errors,
    Summary,
)
from experiment.timing.observations import Log, Observation

How = Literal["outside", "presses", "device", "none"]
KEYBOARDS = {
    "queue": "psychtoolbox's event queue",
    "iohub": "ioHub",
    "poll": "a poll once a frame",
    "robot": "none: the program answered by itself",
}
DASH, MINUS, TIMES = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
SOURCE = "Bridges, Pitiot, MacAskill & Peirce (2020), PeerJ 8:e9414"
WIDTH_PX, HEIGHT_PX, DOTS_PX = 420, 110, 64
BINS = 42
STEPS_MS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0)
TICKS = 6


class Flips(Struct, frozen=True):
    """What the session says of its own refreshes; nobody else saw them."""

    count: int
    missed: int
    interval_s: float | None
    interval_sd_s: float | None


class TimingReport(Struct, frozen=True):
    """All that the page tells; times in seconds.

    `errors` is None where nothing was measured, `why_not` says why; with `how` "presses", why nothing but presses was.
    `device`: kind of file and lines. `changes_seen`, `latency_s`: of whoever watched.
    """

    how: How
    made_utc: str
    transcript: str
    screen: ScreenInfo
    started_utc: str
    flips: Flips
    errors: Errors | None
    why_not: str | None = None
    device: str | None = None
    stray_s: tuple[float, ...] = ()
    changes_seen: int | None = None
    latency_s: float | None = None

    @property
    def sentence(self) -> str:
        """For a paper's methods section; only measured numbers."""
        errors, screen = self.errors, self.screen
        if errors is None or not errors.trials:
            return "Timing was not measured from outside the program on this computer."
        versions = screen.versions
        place = (
            f"{versions.get('system', 'unknown system')}, PsychoPy {versions.get('psychopy', 'unknown')}, "
            f"{screen.width_px} {TIMES} {screen.height_px} pixels at {screen.refresh_hz:.1f} Hz"
            f"{'' if screen.full_screen else ', in a window'}"
            f"{', without vertical synchronisation' if screen.vsync is False else ''}"
        )
        by = {
            "outside": "a second process that watched the pixels on the X server's screen and pressed keys through "
            "XTEST",
            "presses": "a second process that pressed keys as the system lets programs press them",
            "device": f"a light sensor on the screen ({self.device})",
        }[self.how]
        kinds = [("response time", errors.response), ("onset", errors.onset), ("duration", errors.duration)]
        if self.how == "presses":
            kinds = [("time of a key press", errors.press)]
        parts = [words for name, one in kinds if (words := _in_words(name, one))]
        made = errors.press.count if errors.press else 0
        if errors.response or self.how == "presses":
            parts.append(f"{errors.lost} presses were lost and {errors.doubled} doubled" if made else "")
        delays = {
            "outside": "The delays of monitor and keyboard themselves are not included.",
            "presses": "Onsets, durations and the keyboard's own delay were not measured.",
            "device": "The delays of monitor and keyboard themselves are included in response times."
            if errors.response
            else "",
        }[self.how]
        return (
            f"The timing of the testing computer ({place}) was measured over {len(errors.trials)} trials by {by}. "
            f"Errors (logged minus true): {'; '.join(filter(None, parts))}. {delays}"
        ).strip()


class Distribution(Struct, frozen=True):
    """A histogram over a strip of dots by trial, on one axis; what lies beyond it is drawn at its ends.

    `marked`: the dots of the trials that the transcript marks.
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


def build_report(
    started: Started, log: Log, transcript: Path, *, how: How, errors: Errors | None, watch: Observation | None = None,
    why_not: str | None = None, device: str | None = None, stray_s: tuple[float, ...] = (),
) -> TimingReport:  # fmt: skip
    """Everything in one place."""
    waits_s = log.intervals_s
    flips = Flips(
        len(log.flips_s),
        log.missed,
        median(waits_s) if waits_s else None,
        stdev(waits_s) if len(waits_s) > 1 else None,
    )
    return TimingReport(
        how=how,
        made_utc=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        transcript=transcript.name,
        screen=started.screen,
        started_utc=started.zero_utc,
        flips=flips,
        errors=errors,
        why_not=why_not,
        device=device,
        stray_s=stray_s,
        changes_seen=watch.changes if watch else None,
        latency_s=watch.latency_s if watch else None,
    )


def write(report: TimingReport, folder: Path) -> Path:
    """`timing.html` and `timing.json` in the folder; the page's path."""
    page = folder / "timing.html"
    numbers = msgspec.json.format(msgspec.json.encode(report), indent=2)
    write_whole(folder / "timing.json", numbers + b"\n")
    write_whole(page, render(report))
    return page


def render(report: TimingReport) -> str:
    """The page's HTML."""
    return fill_template(
        Path(__file__).with_name("report.html.jinja"),
        {"ms": ms},
        report=report,
        errors=report.errors,
        rows=_rows(report.errors),
        pictures=_pictures(report.errors),
        width_px=WIDTH_PX,
        keyboard=KEYBOARDS[report.screen.timed_by],
        guide=GUIDE,
        source=SOURCE,
    )


def ms(time_s: float | None, digits: int = 2) -> str:
    """A time in milliseconds, or a dash."""
    return DASH if time_s is None else f"{round(1e3 * time_s, digits) + 0.0:.{digits}f}".replace("-", MINUS)


def _rows(errors: Errors | None) -> list[tuple[str, Summary | None, str]]:
    """The table: what, its summary, and what is expected."""
    if errors is None:
        return []
    sd = f"SD at most {ms(RESPONSE_SD_S)}"
    rows = [("Onset", errors.onset, f"SD at most {ms(ONSET_SD_S)}"), ("Duration", errors.duration, "")]
    if errors.with_delays:
        return [("Response time, with monitor and keyboard", errors.response, sd), *rows]
    expected = f"SD at most {ms(PRESS_SD_S)}, 99 % within ±{ms(PRESS_P99_S)} of the median"
    return [
        ("Response time", errors.response, f"median within ±{ms(RESPONSE_MEDIAN_S, 1)}, {sd}"),
        *rows,
        ("Time of a key press", errors.press, "" if errors.response else sd),
        *((f"Key press on the {one.screen}", one, expected) for one in errors.screens),
    ]


def _pictures(errors: Errors | None) -> list[Distribution]:
    """A picture for each kind of error that was measured; of single presses where nothing else was."""
    trials = errors.trials if errors else ()
    found = {
        title: [(1e3 * error_s, one.missed > 0) for one in trials if (error_s := getattr(one, name)) is not None]
        for title, name in (("Response time", "response_s"), ("Onset", "onset_s"), ("Duration", "duration_s"))
    }
    if not any(found.values()):
        found["Time of a key press"] = [(1e3 * error_s, one.missed > 0) for one in trials for error_s in one.press_s]
    return [_distribution(title, errors_ms) for title, errors_ms in found.items() if errors_ms]


def _in_words(name: str, one: Summary | None) -> str:
    if one is None:
        return ""
    middle = "" if one.median_s is None else f"median {ms(one.median_s)} ms, "
    return f"{name} {middle}SD {ms(one.sd_s)} ms, largest {ms(one.largest_s)} ms"


def _distribution(title: str, errors_ms: Sequence[tuple[float, bool]]) -> Distribution:
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
