"""What is measured where nobody can look and press from outside, and what a device with a light sensor adds.

Without X11 no other program can see a pixel at a known time, nor press a key as hardware does; so nothing about the
screen or the keyboard is claimed there before a device has measured it.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiment.errors import BadInput
from experiment.timing.align import LEAST, Match, by_pattern
from experiment.timing.capture import Capture, OnPeriod
from experiment.timing.errors import Errors, TrialError, summarise
from experiment.timing.observations import Log, LoggedTrial

PRESS_LINES = ("keypad", "key", "press", "button")

GUIDE = """\
With a light sensor (photodiode, Black Box ToolKit), onsets and durations are measured on the screen itself:

1. Full screen, native resolution, other programs closed; brightness as in the study.
2. Fix the sensor flat on the square in the lower right corner (80 pixels): black on pages and between trials, white
   while a message or a scale is shown. Shield it from other light.
3. Set the threshold halfway between black and white, and start the device's capture, long enough for
   all trials (about 1.5 s each).
4. Start: dayfour timing --photodiode-run
   The program answers by itself. Afterwards it shows where its transcript is.
5. Save the device's capture as a file, and compare:
   dayfour timing --read FILE --transcript TRANSCRIPT

For response times, let the device press: run any pilot or timing session by hand with a Black Box ToolKit keypad, or
key pad lines wired to the keyboard, in the same capture (lines Keypad1 to Keypad4), and read it the same way."""


NEEDED = {"XTEST": "to press keys with", "DAMAGE": "to tell when pixels have changed"}


def lacks_outside_view(environment: Mapping[str, str], platform: str = sys.platform) -> str | None:
    """Why nobody can look and press from outside on this computer, in words; None if they can."""
    if platform == "win32":
        return "Windows does not report when a pixel reached the screen"
    if platform == "darwin":
        return "macOS does not report when a pixel reached the screen"
    if environment.get("XDG_SESSION_TYPE") == "wayland" or "WAYLAND_DISPLAY" in environment:
        return "on Wayland, programs cannot see each other's pixels; log in to an X11 (Xorg) session to measure"
    if not environment.get("DISPLAY"):
        return "there is no X11 display"
    return _lacks_x11(environment["DISPLAY"])


def _lacks_x11(name: str) -> str | None:
    from Xlib.display import Display
    from Xlib.error import DisplayError

    try:
        display = Display(name)
    except DisplayError:
        return f"the display {name} does not respond"
    lacking = [extension for extension in NEEDED if not display.has_extension(extension)]
    display.close()
    return f"the display {name} has no {lacking[0]} extension {NEEDED[lacking[0]]}" if lacking else None


@dataclass(frozen=True)
class DeviceErrors:
    """A device's errors, by which of its lines, and the device's edges that belong to no onset (its own seconds)."""

    errors: Errors
    light: str
    keys: tuple[str, ...]
    stray_s: tuple[float, ...]


def device_errors(log: Log, capture: Capture) -> DeviceErrors:
    """A device's capture against the log, of which it knows nothing: matched by the pattern of onsets.

    The light's line is the one that fits. Offset and drift of the device's clock are fitted, so an error of onsets is
    known up to a constant; durations and responses need no offset. BadInput if no line fits.
    """
    light, match = _light(log, capture)
    stays = capture.lines[light]
    keys = tuple(line for line in capture.lines if line != light and line.casefold().startswith(PRESS_LINES))
    presses_s = sorted(stay.on_s for line in keys for stay in capture.lines[line])
    trials = [_trial_error(log.trials[onset], stays[edge], match, presses_s) for onset, edge in match.pairs]
    stray_s = tuple(stays[edge].on_s for edge in match.edges_alone)
    return DeviceErrors(summarise(trials, log, match, absolute=False, with_delays=True), light, keys, stray_s)


def _light(log: Log, capture: Capture) -> tuple[str, Match]:
    """The line of the light sensor: the one with most edges that fit the onsets."""
    onsets_s = [trial.onset_s for trial in log.trials]
    fits: dict[str, Match] = {}
    why: BadInput | None = None
    for line, stays in sorted(capture.lines.items(), key=lambda one: len(one[1])):
        try:
            fits[line] = by_pattern(onsets_s, [stay.on_s for stay in stays])
        except BadInput as error:  # noqa: PERF203 - a device has few lines
            why = error if why is None or len(stays) >= LEAST else why
    if not fits:
        counts = ", ".join(f"{line} {len(stays)}" for line, stays in capture.lines.items())
        raise BadInput(f"No line of the device matches the transcript. Edges by line: {counts}. {why}")
    light = max(fits, key=lambda line: (len(fits[line].pairs), -len(fits[line].edges_alone)))
    return light, fits[light]


def _trial_error(trial: LoggedTrial, stay: OnPeriod, match: Match, presses_s: Sequence[float]) -> TrialError:
    duration_s = None
    if stay.off_s is not None and trial.offset_s is not None:
        duration_s = (trial.offset_s - trial.onset_s) - (stay.off_s - stay.on_s) / match.rate
    response_s = None
    place = bisect_left(presses_s, stay.on_s)
    end_s = stay.off_s if stay.off_s is not None else match.of_onset(trial.offset_s or trial.onset_s)
    if trial.response_s is not None and place < len(presses_s) and presses_s[place] < end_s:
        response_s = (trial.response_s - trial.onset_s) - (presses_s[place] - stay.on_s) / match.rate
    onset_s = match.of_onset(trial.onset_s) - stay.on_s
    return TrialError(trial.trial, onset_s, duration_s, response_s, missed=trial.missed)
