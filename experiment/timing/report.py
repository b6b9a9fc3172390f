"""One page on a computer's timing, for the laboratory's folder and a paper's methods section; its numbers beside it.

The page is HTML with small SVG pictures, and loads nothing. It shows what was measured and says what was not.
"""

from __future__ import annotations

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
from experiment.timing.charts import WIDTH_PX, Distribution, distribution
from experiment.timing.device import GUIDE
from experiment.timing.errors import (
    ONSET_SD_S,
    PRESS_P99_S,
    PRESS_SD_S,
    RESPONSE_MEDIAN_S,
    RESPONSE_SD_S,
    Errors,
    ScreenErrors,
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
        """For a paper; only measured numbers."""
        return methods_sentence(self)


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
        measured=_measured(report),
        not_measured=_not_measured(report),
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
    if errors.with_delays:
        return [
            ("Response time, with monitor and keyboard", errors.response, f"SD at most {ms(RESPONSE_SD_S)}"),
            ("Onset", errors.onset, f"SD at most {ms(ONSET_SD_S)}"),
            ("Duration", errors.duration, ""),
        ]
    response = f"median within ±{ms(RESPONSE_MEDIAN_S, 1)}, SD at most {ms(RESPONSE_SD_S)}"
    expected = f"SD at most {ms(PRESS_SD_S)}, 99 % within ±{ms(PRESS_P99_S)} of the median"
    screens = [(f"Key press on the {one.screen}", _from_median(one), expected) for one in errors.screens]
    return [
        ("Response time", errors.response, response),
        ("Onset", errors.onset, f"SD at most {ms(ONSET_SD_S)}"),
        ("Duration", errors.duration, ""),
        ("Time of a key press", errors.press, "" if errors.response else f"SD at most {ms(RESPONSE_SD_S)}"),
        *screens,
    ]


def _from_median(one: ScreenErrors) -> Summary:
    return Summary(one.count, one.median_s, one.sd_s, one.p99_s, one.largest_s)


def _pictures(errors: Errors | None) -> list[Distribution]:
    if errors is None:
        return []
    kinds = (("Response time", "response_s"), ("Onset", "onset_s"), ("Duration", "duration_s"))
    pictures = []
    for title, name in kinds:
        known = [(getattr(one, name), one.missed > 0) for one in errors.trials]
        errors_ms = [(1e3 * error_s, marked) for error_s, marked in known if error_s is not None]
        if errors_ms:
            pictures.append(distribution(title, errors_ms))
    if not pictures:
        errors_ms = [(1e3 * error_s, one.missed > 0) for one in errors.trials for error_s in one.press_s]
        pictures += [distribution("Time of a key press", errors_ms)] if errors_ms else []
    return pictures


def _measured(report: TimingReport) -> list[str]:
    if report.how == "outside":
        return [
            (
                "Onset, duration: when the pixels of the square changed in the X server's screen memory, seen by "
                "another process, to which the server reports every change after drawing it."
            ),
            (
                "Response time, key press: presses made by that process through the server's XTEST extension at known "
                "times after the pixels changed, against the logged press and the logged onset."
            ),
            "Both processes use the same clock, so errors are absolute.",
        ]
    if report.how == "presses":
        return [
            (
                "Key press: presses made by another process at known times, as the system lets programs press keys, "
                "against the logged press. Both processes use the same clock."
            ),
            (
                "The times of the session's own flips, as the program itself recorded them. They were not checked from "
                "outside."
            ),
        ]
    if report.how == "device":
        some = [
            (
                "Duration: how long the light was on, against the logged times; corrected for drift of the device's "
                "clock."
            ),
            (
                "Onset: how it varies from trial to trial. A constant delay is not measured, because the offset of "
                "the device's clock is fitted."
            ),
        ]
        if report.errors and report.errors.response:
            some.append(
                "Response time: from light to press by the device, against the log, including monitor and keyboard."
            )
        return some
    return [
        "The times of the session's own flips, as the program itself recorded them. They were not checked from outside."
    ]


def _not_measured(report: TimingReport) -> list[str]:
    keyboard = "The keyboard's own delay and its variation: no real key was pressed."
    if report.how == "outside":
        screen = "The monitor's own delay (scan-out, processing, pixels): only a light sensor can measure it."
        virtual = ["A real screen: flips had no vertical sync here, as on a virtual display."]
        return [*(virtual if report.screen.vsync is False else []), screen, keyboard]
    if report.how == "device":
        said = [] if report.errors and report.errors.response else [f"Response times. {keyboard}"]
        return ["The constant delay between logged and real onset.", *said]
    if report.how == "presses":
        return [f"Onset, duration and response errors: {report.why_not}.", "The monitor's own delay.", keyboard]
    return [f"Onset, duration and response errors: {report.why_not}.", "The monitor's own delay.", keyboard]


def methods_sentence(report: TimingReport) -> str:
    """What can be pasted into a methods section."""
    errors, screen = report.errors, report.screen
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
        "outside": "a second process that watched the pixels on the X server's screen and pressed keys through XTEST",
        "presses": "a second process that pressed keys as the system lets programs press them",
        "device": f"a light sensor on the screen ({report.device})",
    }[report.how]
    kinds = [("response time", errors.response), ("onset", errors.onset), ("duration", errors.duration)]
    if report.how == "presses":
        kinds = [("time of a key press", errors.press)]
    parts = [words for name, one in kinds if (words := _in_words(name, one))]
    made = errors.press.count if errors.press else 0
    if errors.response or report.how == "presses":
        parts.append(f"{errors.lost} presses were lost and {errors.doubled} doubled" if made else "")
    delays = {
        "outside": "The delays of monitor and keyboard themselves are not included.",
        "presses": "Onsets, durations and the keyboard's own delay were not measured.",
        "device": "The delays of monitor and keyboard themselves are included in response times."
        if errors.response
        else "",
    }[report.how]
    return (
        f"The timing of the testing computer ({place}) was measured over {len(errors.trials)} trials by {by}. "
        f"Errors (logged minus true): {'; '.join(filter(None, parts))}. {delays}"
    ).strip()


def _in_words(name: str, one: Summary | None) -> str:
    if one is None:
        return ""
    middle = "" if one.median_s is None else f"median {ms(one.median_s)} ms, "
    return f"{name} {middle}SD {ms(one.sd_s)} ms, largest {ms(one.largest_s)} ms"
