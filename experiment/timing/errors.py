"""How far a session's log is from what was seen and done outside: for each trial, and over all of them.

An error is logged minus true. What was not measured is None, and stays so up to the page: an error of durations needs
no common clock, one of onsets does, and one of responses needs presses that somebody outside knows of.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median, stdev

from msgspec import Struct
from msgspec.structs import replace

from experiment.errors import BadInput
from experiment.timing.align import Match, by_pattern, by_time
from experiment.timing.observations import Glow, Log, LoggedTrial, Observation

# Bridges, Pitiot, MacAskill & Peirce 2020 (PeerJ 8:e9414): the best packages have a precision below a millisecond.
RESPONSE_SD_S, RESPONSE_MEDIAN_S, ONSET_SD_S = 0.00035, 0.0007, 0.0003
PRESS_SD_S, PRESS_P99_S = 0.0002, 0.0007  # on each screen, the latter from the median
UNMARKED_S = 0.003


class TrialError(Struct, frozen=True):
    """A trial's errors in seconds; `missed`: the refreshes that the transcript itself says were missed in it.

    `press_s`: of each press on the common clock. `lost` and `doubled`: keys that the log has too few or too many times.
    """

    trial: int
    onset_s: float | None
    duration_s: float | None
    response_s: float | None
    press_s: tuple[float, ...] = ()
    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    missed: int = 0

    def worst_s(self, onset_s: float = 0.0, duration_s: float = 0.0, response_s: float = 0.0) -> float:
        """The largest of its differences from these errors, whatever its sign."""
        pairs = ((self.onset_s, onset_s), (self.duration_s, duration_s), (self.response_s, response_s))
        return max((abs(one - usual) for one, usual in pairs if one is not None), default=0.0)


class Summary(Struct, frozen=True):
    """Errors of one kind: `p99_s` and `largest_s` of their absolute values; `sd_s` needs two.

    `median_s` is None where only their variation is known; the others are then those of the differences from it.
    """

    count: int
    median_s: float | None
    sd_s: float | None
    p99_s: float
    largest_s: float


class ScreenErrors(Summary, frozen=True):
    """Errors of the presses on one kind of screen; `p99_s` and `largest_s`: of the differences from their median."""

    screen: str


class Errors(Struct, frozen=True):
    """What was found; a summary is None if nothing of its kind was measured.

    `doubt_s`: how far the moment of a pixel's change and of a press can be off, as the median over all.
    `with_delays`: those of monitor and keyboard are in the errors, so only what varies is the program's to answer for.
    """

    trials: tuple[TrialError, ...]
    onset: Summary | None
    duration: Summary | None
    response: Summary | None
    press: Summary | None
    unseen: tuple[int, ...]
    stray: int
    doubt_s: float | None
    press_doubt_s: float | None
    drift: float | None = None
    with_delays: bool = False
    screens: tuple[ScreenErrors, ...] = ()

    @property
    def lost(self) -> int:
        """Presses that the log does not have."""
        return sum(len(one.lost) for one in self.trials)

    @property
    def doubled(self) -> int:
        """Presses that the log has more than once."""
        return sum(len(one.doubled) for one in self.trials)

    @property
    def marked(self) -> tuple[TrialError, ...]:
        """The trials that the transcript marks."""
        return tuple(one for one in self.trials if one.missed)

    @property
    def unmarked_beyond(self) -> tuple[TrialError, ...]:
        """The trials with a large error of which the transcript says nothing."""
        kinds = (self.onset, self.duration, self.response) if self.with_delays else (None, None, None)
        usual = [one.median_s or 0.0 if one else 0.0 for one in kinds]
        return tuple(one for one in self.trials if not one.missed and one.worst_s(*usual) > UNMARKED_S)

    @property
    def wanting(self) -> tuple[str, ...]:
        """What is worse than it should be, in words."""
        return tuple(_wanting(self))


def watched_errors(log: Log, watch: Observation) -> Errors:
    """What an onlooker of this computer saw, against the log. BadInput if the two are not of the same session.

    An edge is when the X server's word of it came, shortly after it was drawn.
    """
    seen = [glow.on for glow in watch.glows if glow.on]
    onsets_s, edges_s = [one.onset_s for one in log.trials], [on.latest_s for on in seen]
    match = by_pattern(onsets_s, edges_s) if log.zero_count_s is None else by_time(onsets_s, edges_s, log.zero_count_s)
    common = log.zero_count_s is not None
    trials = tuple(
        _trial_error(log.trials[one], watch.glows[other], match if common else None) for one, other in match.pairs
    )
    presses = [press for glow in watch.glows for press in glow.presses]
    if not common:  # as far as a fitted clock tells: how much later each edge was than expected, with the sign turned
        expected_s = [match.of_onset(onsets_s[one]) - edges_s[other] for one, other in match.pairs]
        trials = tuple(replace(one, onset_s=by_s) for one, by_s in zip(trials, expected_s, strict=True))
    return summarise(
        trials, log, match, absolute=common,
        doubt_s=middle([on.doubt_s for on in seen]),
        press_doubt_s=middle([press.down.doubt_s for press in presses]),
    )  # fmt: skip


def pressed_errors(log: Log, watch: Observation) -> Errors:
    """What was pressed while nobody saw the screen, against the log: the times of presses, lost and doubled ones.

    BadInput if the two are not of the same session, or if the log's clock is not this computer's counter.
    """
    if log.zero_count_s is None or len(log.trials) != len(watch.glows):
        raise BadInput(
            f"The presses do not match this log: it has {len(log.trials)} trials, but {len(watch.glows)} were "
            "answered. Measure again."
        )
    pairs = tuple((number, number) for number in range(len(log.trials)))
    match = Match(pairs, log.zero_count_s, 1.0, (), ())
    trials = [_trial_error(one, glow, match) for one, glow in zip(log.trials, watch.glows, strict=True)]
    presses = [press for glow in watch.glows for press in glow.presses]
    doubt_s = middle([press.down.doubt_s for press in presses])
    return summarise(trials, log, match, absolute=True, press_doubt_s=doubt_s)


def summarise(
    trials: Sequence[TrialError],
    log: Log,
    match: Match,
    *,
    absolute: bool,
    with_delays: bool = False,
    doubt_s: float | None = None,
    press_doubt_s: float | None = None,
) -> Errors:
    """All trials together; `absolute`: the onsets' errors hold more than their variation."""
    return Errors(
        trials=tuple(trials),
        onset=summary([one.onset_s for one in trials], absolute=absolute),
        duration=summary([one.duration_s for one in trials]),
        response=summary([one.response_s for one in trials]),
        press=summary([error_s for one in trials for error_s in one.press_s]),
        unseen=tuple(log.trials[one].trial for one in match.onsets_alone),
        stray=len(match.edges_alone),
        doubt_s=doubt_s,
        press_doubt_s=press_doubt_s,
        drift=None if absolute else match.rate - 1,
        with_delays=with_delays,
        screens=tuple(_by_screen(trials, log.screens)),
    )


def _by_screen(trials: Sequence[TrialError], screens: Sequence[str]) -> Iterator[ScreenErrors]:
    """The errors of presses apart for messages and each scale."""
    whole = [one.press_s for one in trials if len(one.press_s) == len(screens)]
    for name in dict.fromkeys(screens):
        errors_s = [press_s[at] for press_s in whole for at, screen in enumerate(screens) if screen == name]
        if (one := summary(errors_s, absolute=False)) and one.sd_s is not None:
            yield ScreenErrors(one.count, median(errors_s), one.sd_s, one.p99_s, one.largest_s, name)


def summary(errors_s: Sequence[float | None], *, absolute: bool = True) -> Summary | None:
    """Of those that were measured; None if none was."""
    known = [one for one in errors_s if one is not None]
    if not known:
        return None
    middle_s = median(known)
    sizes = sorted(abs(one if absolute else one - middle_s) for one in known)
    return Summary(
        count=len(known),
        median_s=middle_s if absolute else None,
        sd_s=stdev(known) if len(known) > 1 else None,
        p99_s=sizes[math.ceil(0.99 * len(sizes)) - 1],
        largest_s=sizes[-1],
    )


def middle(values: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return median(values) if values else None


def _trial_error(logged: LoggedTrial, glow: Glow, match: Match | None) -> TrialError:
    """`match`: how the log's times lie on the onlooker's clock, if that is known."""
    onset_s = duration_s = response_s = None
    if glow.on is not None:
        on_s = glow.on.latest_s
        onset_s = None if match is None else match.of_onset(logged.onset_s) - on_s
        if glow.off is not None and logged.offset_s is not None:
            duration_s = (logged.offset_s - logged.onset_s) - (glow.off.latest_s - on_s)
        if logged.response_s is not None and glow.presses:
            response_s = (logged.response_s - logged.onset_s) - (glow.presses[0].down.middle_s - on_s)
    made, heard = Counter(press.key for press in glow.presses), Counter(key for key, _ in logged.presses)
    whole = [press.key for press in glow.presses] == [key for key, _ in logged.presses]
    press_s: tuple[float, ...] = ()
    if match is not None and whole:
        pairs = zip(glow.presses, logged.presses, strict=True)
        press_s = tuple(match.of_onset(time_s) - press.down.middle_s for press, (_, time_s) in pairs)
    return TrialError(
        trial=logged.trial,
        onset_s=onset_s,
        duration_s=duration_s,
        response_s=response_s,
        press_s=press_s,
        lost=tuple((made - heard).elements()),
        doubled=tuple((heard - made).elements()),
        missed=logged.missed,
    )


def _wanting(found: Errors) -> list[str]:
    said = []
    response = ("response", found.response) if found.response else ("key press", found.press)
    limits = ((*response, RESPONSE_SD_S), ("onset", found.onset, ONSET_SD_S))
    for name, one, sd_s in limits:
        if one is not None and one.sd_s is not None and one.sd_s > sd_s:
            said.append(f"The {name} error has an SD of {1e3 * one.sd_s:.2f} ms, more than {1e3 * sd_s:.2f} ms.")
    middle_s = found.response.median_s if found.response and not found.with_delays else None
    if middle_s is not None and abs(middle_s) > RESPONSE_MEDIAN_S:
        median_ms = 1e3 * middle_s
        said.append(f"The median response error is {median_ms:.2f} ms, not within {1e3 * RESPONSE_MEDIAN_S} ms.")
    said += [
        f"Presses on the {one.screen} have an SD of {1e3 * one.sd_s:.2f} ms (at most {1e3 * PRESS_SD_S:.2f}), and 99 % "
        f"are within {1e3 * one.p99_s:.2f} ms of their median (at most {1e3 * PRESS_P99_S:.2f})."
        for one in found.screens
        if one.sd_s is not None and (one.sd_s > PRESS_SD_S or one.p99_s > PRESS_P99_S)
    ]
    if found.lost or found.doubled:
        said.append(f"Presses lost: {found.lost}; doubled: {found.doubled}. There should be none.")
    if found.unseen or found.stray:
        said.append(
            f"Onsets never seen: {len(found.unseen)}; seen but not logged: {found.stray}. There should be none."
        )
    if beyond := found.unmarked_beyond:
        numbers = ", ".join(str(one.trial) for one in beyond[:8])
        said.append(
            f"Trials off by more than {1e3 * UNMARKED_S:.0f} ms that the transcript does not mark: {len(beyond)} "
            f"({numbers}). There should be none."
        )
    return said
