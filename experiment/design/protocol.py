"""The protocol file: all wording, timing, scales, keys and questions of a session, typed and checked when read.

A laboratory changes or translates a session in a file that extends `stimuli/protocol.toml`. What it may say is here;
all mistakes in it are reported at once, before any window opens.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from experiment.design.columns import SESSIONS_COLUMNS
from experiment.design.contradictions import find_contradictions
from experiment.design.daily import Daily
from experiment.design.form_questions import AskedQuestion, Fixed, FormWords, Funnel, Line, find_repeated, refuse
from experiment.design.language import LanguageTag, is_right_to_left
from experiment.design.objects import Objects
from experiment.design.protocol_files import find_protocol, read_extended
from experiment.design.rating import Question, Rating, taken_name
from experiment.design.scale import Scale
from experiment.design.scan import Scan
from experiment.design.scanner import Pulses
from experiment.design.signals import Signals
from experiment.design.thresholds import Thresholds
from experiment.design.wording import Wording
from experiment.errors import BadInput
from experiment.storage.toml import Content, check_content, refusal, suggest

Colour = Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}\Z", title='a colour as "#RRGGBB", e.g. "#26231F"')]
Id = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9]+\Z", title='a name of letters and digits, e.g. "lovedones"')]

Seconds = Annotated[float, Meta(ge=0, le=3600)]
Words = Annotated[int, Meta(ge=1, le=9_999)]
_WORDS = "the fewest and the most words, e.g. [3, 250]"

MODIFIERS = ("ctrl", "shift", "alt")
_NAMED_KEYS = "space return tab backspace left right up down home end pageup pagedown num_enter num_add num_subtract"
KEY_NAMES = frozenset([*"abcdefghijklmnopqrstuvwxyz0123456789", *_NAMED_KEYS.split()])
_KEYS = "Keys are letters, 'space', 'return', 'left', 'num_enter' ..."
REASONS = ("withdrew", "technical", "other")
_REASONS = 'a key for each reason, e.g. { withdrew = "w", technical = "t", other = "o" }'
# Chords that an operating system keeps for itself: the program would never hear them.
TAKEN_CHORDS = [
    set(keys.split("+")) for keys in ("ctrl+shift+escape", "ctrl+alt+delete", "ctrl+alt+backspace", "ctrl+alt+t")
]


class Display(Fixed, frozen=True):
    """How a session looks: colours as #RRGGBB, and whether a message comes with its writer's name.

    `centred`: text stands above the button, else it begins at the left edge of its room. `quiet_button`: the button is
    there from the beginning, and filled once it can be pressed; else it appears then. Older protocols have neither.
    """

    background: Colour
    ink: Colour
    quiet: Colour
    accent: Colour
    show_writer: bool = True
    centred: bool | UnsetType = UNSET
    quiet_button: bool | UnsetType = UNSET


class Keys(Fixed, frozen=True):
    """Which keys do what, by PsychoPy's names; the digits always set the marker.

    `left` and `right` move the marker as seen, `less` and `more` by one towards the low or the high end.
    `resume_at_once`: `resume` ends a pause also on the page that asks whether to end the session; with older protocols
    it leads back to the pause page from there.
    """

    confirm: Annotated[tuple[str, ...], Meta(min_length=1)]
    left: tuple[str, ...]
    right: tuple[str, ...]
    pause: str
    resume: str
    reasons: Annotated[dict[Literal["withdrew", "technical", "other"], str], Meta(title=_REASONS)]
    less: tuple[str, ...] | UnsetType = UNSET
    more: tuple[str, ...] | UnsetType = UNSET
    resume_at_once: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Every key exists and does one thing; only a chord that the system lets through can pause."""
        single = [*self.confirm, *self.moving, self.resume, *self.reasons.values()]
        refuse(
            *(f"Unknown key {key!r}. {suggest(key, KEY_NAMES, _KEYS)}" for key in single if key not in KEY_NAMES),
            *find_repeated("keys", single),
            any(key.isdigit() for key in single) and "The digits set the marker: please choose other keys.",
            set(self.reasons) != set(REASONS) and "'reasons' needs a key for each of withdrew, technical and other.",
            self._wrong_chord(single),
        )

    @property
    def moving(self) -> tuple[str, ...]:
        """Those that move the marker."""
        return (*self.left, *self.right, *(self.less or ()), *(self.more or ()))

    def _wrong_chord(self, single: list[str]) -> str | None:
        *modifiers, key = self.pause.split("+")
        known = [modifier for modifier in MODIFIERS if modifiers.count(modifier) == 1]
        if len(known) < 2 or len(known) < len(modifiers) or key in MODIFIERS:
            return f"'pause' is {self.pause!r}. Please write two of ctrl, shift and alt, and a key: \"ctrl+shift+p\"."
        if {*modifiers, key} in TAKEN_CHORDS:
            return f"'pause' is {self.pause!r}, which the operating system uses. Please choose another."
        if key not in KEY_NAMES or key in single or key.isdigit():
            return f"'pause' ends with {key!r}, which is not a key or is already used. Please choose another letter."
        return None


class Mouse(Fixed, frozen=True):
    """Whether the mouse may answer; if not, its pointer is never seen."""

    enabled: bool = True


class Timing(Fixed, frozen=True):
    """How long things last, in seconds on the screen; without a maximum, a screen waits for its answer."""

    fixation_s: Seconds
    blank_s: Seconds
    page_minimum_s: Seconds
    message_minimum_s: Seconds
    message_maximum_s: Seconds | None = None
    rating_maximum_s: Seconds | None = None

    def __post_init__(self) -> None:
        """A message must be allowed to stay for at least as long as it has to."""
        longest_s, least_s = self.message_maximum_s, self.message_minimum_s
        refuse(
            longest_s is not None and longest_s <= least_s
            and f"'message_maximum_s' must be above 'message_minimum_s' ({least_s:g}).",
            self.rating_maximum_s == 0
            and "'rating_maximum_s' must be above 0. For a rating without a time limit, remove the line.",
        )  # fmt: skip


class Intake(Fixed, frozen=True):
    """`names`: whether a text may hold its writer's or the participant's name. `usual_words`: fewer or more are told.

    `alike`: from which share of common text on (0 to 1) two messages are near-duplicates.
    """

    names: Literal["allowed", "none"] = "allowed"
    usual_words: Annotated[tuple[Words, Words], Meta(title=_WORDS)] = (3, 250)
    alike: Annotated[float, Meta(gt=0, le=1)] = 0.9

    def __post_init__(self) -> None:
        fewest, most = self.usual_words
        refuse(fewest > most and "'usual_words': please write the smaller number first.")


class Practice(Fixed, frozen=True):
    """A message that nobody's loved one wrote, to learn the task with."""

    writer: Line
    text: Line


class Protocol(Fixed, frozen=True):
    """One session's protocol, as `stimuli/protocol.toml` has it.

    `message_sets`: all sessions show the `same` messages, each in an order of its own, or each has its own share of a
    `split` balanced by relationship and length. `guess`: what the participant is asked right after each session.
    `daily`: the daily reports, which are no part of a session: they are in the same file, and in no transcript.
    `scan`: the messages are shown on a schedule in a scanner. `objects`: objects are held in place of messages.
    """

    task: Id
    language: LanguageTag
    sessions: Annotated[int, Meta(ge=1, le=99)]
    messages: Annotated[int, Meta(ge=0, le=999)]
    display: Display
    timing: Timing
    rating: Rating
    keys: Keys
    practice: Practice
    wording: Wording
    message_sets: Literal["same", "split"] = "same"
    mouse: Mouse = Mouse()
    intake: Intake = Intake()
    assistant: tuple[AskedQuestion, ...] = ()
    funnel: Funnel | None = None
    guess: Funnel | UnsetType = UNSET  # as older protocols, whose digests stay what they were
    qa: Thresholds = Thresholds()
    daily: Daily | UnsetType = UNSET
    pulses: Pulses | UnsetType = UNSET
    signals: Signals | UnsetType = UNSET
    scan: Scan | UnsetType = UNSET
    objects: Objects | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Each question to the assistant is a column of its own, and whatever can be asked can be answered by keys."""
        ids = [question.id for question in self.assistant]
        has_line = any(self.scale(question).is_line for question in self.rating.questions)
        refuse(
            has_line
            and not (self.keys.left and self.keys.right)
            and "[keys]: 'left' and 'right' must have a key each, as they move the marker along a line.",
            *find_repeated("ids of questions to the assistant", ids),
            *map(taken_name, sorted(SESSIONS_COLUMNS.keys() & set(ids))),
        )

    @property
    def messages_in_all(self) -> int:
        """How many messages a participant's file holds."""
        return self.messages * (self.sessions if self.message_sets == "split" else 1)

    def questions_after(self, session: int) -> tuple[Funnel | None, Funnel | None]:
        """What the participant is asked after a session: the guess and the closing questions; None for none."""
        guess = self.guess.asked_after(session, self.sessions) if self.guess else None
        return guess, self.funnel if session == self.sessions else None

    def form_words(self, asked: Funnel) -> FormWords:
        """The other words of what is asked after a session; a guess has those of the closing questions."""
        return asked.words or (self.funnel and self.funnel.words) or FormWords()

    def scale(self, question: Question) -> Scale:
        """What a question is rated on."""
        return self.rating.scale(question, is_rtl=is_right_to_left(self.language))

    @property
    def sha256(self) -> str:
        """A digest of all that the protocol says, whatever the file's layout or comments."""
        return sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


def read_protocol(path: Path) -> Protocol:
    """A session's protocol in a TOML file, or one that comes with the program by its name, such as `de`.

    BadInput names the file and every mistake in it.
    """
    return replace(_read(path), daily=UNSET)


def read_daily(path: Path) -> Daily:
    """The daily reports in a protocol's file, in its language; BadInput as above, or if it has no section `[daily]`."""
    daily = find_daily(path)
    if daily is None:
        raise BadInput(f"The protocol {path} has no section [daily]. Copy it from stimuli/protocol.toml.")
    return daily


def find_daily(path: Path) -> Daily | None:
    """The same, or None for a study without daily reports."""
    protocol = _read(path)
    if isinstance(protocol.daily, UnsetType):
        return None
    return replace(protocol.daily, language=protocol.daily.language or protocol.language)


def _read(path: Path) -> Protocol:
    return read_extended(find_protocol(path), _check)


def _check(content: Content, path: Path) -> Protocol:
    protocol = check_content(content, path, Protocol, "protocol")
    if mistakes := list(find_contradictions(protocol)):
        raise refusal(path, "protocol", mistakes)
    return protocol
