"""The words of the transcript: one frozen type for each thing that is shown, comes in, or is decided.

An event becomes one line of JSON and is read back equal. Times are seconds since the session's clock zero, whose UTC
stands in `Started`. Positions are pixels from the screen's centre, y up. What is missing is null. Reaction times,
counts and flags are derived (`trial_table`), never stored; a message's text and the drug never stand here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from experiment.design.scale import Scale
from experiment.design.session import SessionPlan
from experiment.record.events_beside import Answers, Closing, OutputState, SetAside, Signal, Unwritable
from experiment.record.events_of_tasks import Handed, Measured, RunBegan, RunEnded, TakenBack
from experiment.record.finding import Item
from experiment.record.screen_info import ScreenInfo, TimedBy
from experiment.storage.decoder import decoder

SCHEMA = 1

StorageCause = Literal["full", "lost", "silent", "refused", "unwritable"]
PauseCause = Literal["chord", "window_closed", "focus_lost"]
Mode = Literal["run", "pilot", "simulate"]


class TextScene(Struct, frozen=True, tag_field="frame", tag="text"):
    """A page of text, or one large sign (the fixation), with or without the button to go on.

    `typed`: what has been typed of a number, on a page that asks the assistant for one.
    `unready`: the label of a button that is seen but cannot be pressed yet. A text that begins with "# " has a title.
    """

    text: str
    style: Literal["page", "sign"] = "page"
    button: str | None = None
    typed: str | UnsetType = UNSET
    unready: str | UnsetType = UNSET


class MessageScene(Struct, frozen=True, tag_field="frame", tag="message"):
    """A message, by its id; `progress`: what is said above it of its place in the session."""

    message_id: str
    button: str | None = None
    unready: str | UnsetType = UNSET
    progress: str | UnsetType = UNSET


class ScaleScene(Struct, frozen=True, tag_field="frame", tag="scale"):
    """A question with its scale of `points` and the marker on one of their numbers, or nowhere.

    `low`, `between` and `high`: its labels. `hint`: what is said under it. What is unset is as on most scales.
    """

    question: str
    low: str
    high: str
    points: int
    marker: int | None = None
    button: str | None = None
    unready: str | UnsetType = UNSET
    hint: str | UnsetType = UNSET
    between: tuple[str, ...] | UnsetType = UNSET
    first: int | UnsetType = UNSET
    is_line: bool | UnsetType = UNSET
    is_mirrored: bool | UnsetType = UNSET

    @property
    def scale(self) -> Scale:
        """What is rated on."""
        labels, first = (self.low, *(self.between or ()), self.high), 1 if self.first is UNSET else self.first
        return Scale(self.points, first, labels, bool(self.is_line), bool(self.is_mirrored))


class BlankScene(Struct, frozen=True, tag_field="frame", tag="blank"):
    """Nothing but the background."""


Scene = TextScene | MessageScene | ScaleScene | BlankScene


class Key(Struct, frozen=True, tag_field="event", tag="key"):
    """A key of any keyboard went down or up; `key` by PsychoPy's name, the number pad's digits as digits."""

    key: str
    down: bool
    time_s: float
    timed_by: TimedBy


class Click(Struct, frozen=True, tag_field="event", tag="click"):
    """A mouse button went down or up, with the pointer at this place."""

    x_px: float
    y_px: float
    down: bool
    time_s: float
    timed_by: TimedBy


class Drag(Struct, frozen=True, tag_field="event", tag="drag"):
    """The pointer moved with the mouse button down while a line was shown: its last place before a refresh."""

    x_px: float
    y_px: float
    time_s: float
    timed_by: TimedBy


class Focus(Struct, frozen=True, tag_field="event", tag="focus"):
    """The window lost or regained the keyboard."""

    gained: bool
    time_s: float


class PauseAsked(Struct, frozen=True, tag_field="event", tag="pause_asked"):
    """The window was asked to close: a pause, since a session only ends by the assistant's decision."""

    time_s: float


class Pulse(Struct, frozen=True, tag_field="event", tag="pulse"):
    """A scanner began a volume: the `number`-th pulse since clock zero, from 1."""

    number: int
    time_s: float
    timed_by: TimedBy | Literal["serial"]


class Storage(Struct, frozen=True, tag_field="event", tag="storage"):
    """The disk stopped taking the transcript, which is kept in memory meanwhile, or takes it again.

    `cause`: why it does not; "unwritable" if it takes all, but for an event that cannot be written (`Unwritable`).
    """

    saved: bool
    time_s: float
    cause: StorageCause | UnsetType = UNSET


Input = Key | Click | Drag | Focus | PauseAsked | Pulse | OutputState | Storage


class Elapsed(Struct, frozen=True, tag_field="event", tag="elapsed"):
    """No input came until this time."""

    until_s: float


class Shown(Struct, frozen=True, tag_field="event", tag="shown"):
    """A scene came on the screen: `onset_s` is the time of the flip that first showed it."""

    scene: Scene = field(name="frame")
    onset_s: float


class Refreshes(Struct, frozen=True, tag_field="event", tag="refreshes"):
    """Every flip since the last such event: the first, and the intervals after it in microseconds.

    `clock_offset_s`: the session's clock minus a clock that nobody can set, for finding a step of the wall clock.
    """

    first_s: float | None
    intervals_us: tuple[int, ...]
    clock_offset_s: float | None


class Resumption(Struct, frozen=True):
    """That a session goes on which died: from `trial` on (0 is the practice; beyond the last, only the closing page).

    `seen`: the trials whose message was on the screen before and will be again. `gap_s`: since the last line, by the
    wall clock. `torn_bytes`: of a last line that the crash cut off.
    """

    trial: int
    seen: tuple[int, ...]
    gap_s: float
    torn_bytes: int


class Started(Struct, frozen=True, tag_field="event", tag="started"):
    """Everything known before the start; `zero_utc` is the wall clock (ISO 8601) at clock zero.

    `zero_count_s`: Python's `time.perf_counter` then, in seconds, by which another program on this computer can compare
    times (on Linux it is CLOCK_MONOTONIC); null in a simulation. `preflight`: what a check found of this computer just
    before, with the measured numbers; none but real sessions are checked. `override`: why the session was held though
    something of that was red. `answers`: the assistant's, to the form before the session. `begun_before`: digests of
    the last lines of this visit's logs that were set aside (`SetAside`).
    """

    schema: int
    mode: Mode
    session: SessionPlan
    protocol_sha256: str
    operator: str
    participant: str
    screen: ScreenInfo
    zero_utc: str
    resumes: Resumption | None = None
    zero_count_s: float | None = None
    preflight: tuple[Item, ...] = ()
    override: str | None = None
    answers: Answers | UnsetType = UNSET
    begun_before: tuple[str, ...] | UnsetType = UNSET


class TrialBegan(Struct, frozen=True, tag_field="event", tag="trial_began"):
    """Trial 0 is the practice."""

    trial: int


class TrialEnded(Struct, frozen=True, tag_field="event", tag="trial_ended"):
    """A trial is complete; the transcript is synced to disk here."""

    trial: int


class Read(Struct, frozen=True, tag_field="event", tag="read"):
    """The participant went on from a message, or its maximum time passed (`time_s` null)."""

    message_id: str
    time_s: float | None
    timed_by: TimedBy | None


class Marked(Struct, frozen=True, tag_field="event", tag="marked"):
    """The marker was placed or moved."""

    question: str
    value: int
    time_s: float
    timed_by: TimedBy


class Rated(Struct, frozen=True, tag_field="event", tag="rated"):
    """The rating that was confirmed; all null if none was in time."""

    question: str
    value: int | None
    time_s: float | None
    timed_by: TimedBy | None


class Paused(Struct, frozen=True, tag_field="event", tag="paused"):
    """The pause page came on the screen in place of the scene that was there."""

    time_s: float
    cause: PauseCause


class Resumed(Struct, frozen=True, tag_field="event", tag="resumed"):
    """The scene came back."""

    time_s: float


INTERRUPTED = "interrupted"
"""The reason of a session that was stopped from outside, as by Ctrl+C: nobody decided that it ended."""


class Ended(Struct, frozen=True, tag_field="event", tag="ended"):
    """How it ended; without such a line the process died. A failure's reason is the name of its kind."""

    status: Literal["completed", "aborted", "failed"]
    reason: str | None


Event = (
    Started | Shown | Elapsed | Refreshes | Key | Click | Drag | Focus | PauseAsked | Pulse | OutputState | Storage
    | TrialBegan | TrialEnded | Read | Marked | Rated | Paused | Resumed | Ended
    | Unwritable | Signal | Closing | SetAside
    | RunBegan | RunEnded | Measured | Handed | TakenBack
)  # fmt: skip

encode: Callable[[Event], bytes] = msgspec.json.Encoder().encode
"""The event as JSON, without a newline."""

decode: Callable[[bytes | msgspec.Raw], Event] = decoder(msgspec.json.Decoder(Event).decode)
"""The event of a JSON line; msgspec.DecodeError if it is none."""


def parse_utc(utc: str) -> datetime:
    """The time of the wall clock that `Started.zero_utc` or a table names, ISO 8601 with its zone."""
    return datetime.fromisoformat(utc.replace("Z", "+00:00"))
