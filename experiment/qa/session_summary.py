"""A session in numbers: all that the quality assurance wants of one transcript, and small enough to keep thousands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from experiment.design.objects import Holding
from experiment.design.session import Step, Waiver
from experiment.design.visit import Visit, visit_of_file
from experiment.errors import BadInput
from experiment.qa.devices import PulseCount, SentSignals, count_pulses, sent_signals
from experiment.record import transcript as log
from experiment.record.events import Ended, Event, Mode
from experiment.record.events_of_tasks import RunEnded
from experiment.record.screen_info import ScreenInfo
from experiment.record.shown_scenes import ShownScene, first_unplanned, shown_scenes
from experiment.record.timeline import Attempt, attempts, clock_steps, focus_losses, last_s, pauses, storage_losses
from experiment.record.transcript import check_mode
from experiment.record.trial_table import trial_rows
from experiment.storage.lock import is_written

if TYPE_CHECKING:
    from experiment.record.refreshes import RefreshSummary

Ending = Literal["completed", "aborted", "failed", "died", "running"]


class Answer(Struct, frozen=True):
    """A rating, its times in seconds since the scale was first on the screen, without pauses."""

    question: str
    value: int | None
    first_s: float | None
    confirm_s: float | None
    changes: int | None


class RatedMessage(Struct, frozen=True):
    """A message, or an object, with its ratings as in the table; `reading_s` is None if nobody went on from it."""

    trial: int
    message_id: str
    reading_s: float | None
    answers: tuple[Answer, ...]
    missed: int | None
    timed_by: str | None
    shown_before: int
    words: int | None

    @property
    def words_per_minute(self) -> float | None:
        """How fast it was read; None if that is not known, or it had been on the screen before."""
        if self.words is None or not self.reading_s or self.shown_before:
            return None
        return 60 * self.words / self.reading_s


class PlacedPause(Struct, frozen=True):
    """`length_s` is None if the session ended in it; `place`: what it interrupted."""

    time_s: float
    length_s: float | None
    cause: str
    place: str


class SessionSummary(Struct, frozen=True):
    """What a transcript tells. Times are seconds of the attempts one after another (`timeline.py`).

    `unfit`: what the check before the session found red. `override`: why it was run anyway. `waived`: what spoke
    against the visit. `begun_before`: how many logs of the visit were set aside.
    `clock_steps`: when the wall clock was found to be set, and by how much. `gaps_s`: between attempts. `strayed`: the
    first place that is not as planned. `runs_ended`: the scanner's runs that a pause ended. `ends`: the numbers at the
    two ends of each question's scale.
    """

    path: Path
    subject: str
    session: int
    mode: Mode
    operator: str
    computer: str
    zero_utc: str
    seed: int
    protocol_sha256: str
    sessions: int
    questions: tuple[str, ...]
    ends: dict[str, tuple[int, int]]
    message_minimum_s: float
    screen: ScreenInfo
    unfit: tuple[str, ...]
    override: str | None
    waived: tuple[Waiver, ...]
    begun_before: int
    ending: Ending
    reason: str | None
    torn: bool
    duration_s: float
    gaps_s: tuple[float, ...]
    trials: tuple[RatedMessage, ...]
    screens: tuple[ShownScene, ...]
    strayed: str | None
    refreshes: RefreshSummary
    clock_steps: tuple[tuple[float, float], ...]
    pauses: tuple[PlacedPause, ...]
    focus_losses: int
    unsaved: int
    runs_ended: tuple[int, ...] = ()
    signals: tuple[SentSignals, ...] = ()
    pulses: PulseCount | None = None

    @property
    def things(self) -> str:
        """What is rated."""
        return f"{self.screens[0].step}s" if self.screens else "messages"

    @property
    def asked(self) -> list[RatedMessage]:
        """Those after which there are questions: in a scanner, the last ones of blocks."""
        return [one for one in self.trials if one.answers]

    @property
    def rated(self) -> int:
        """How many of them have all their ratings."""
        return sum(all(answer.value is not None for answer in one.answers) for one in self.asked)

    @property
    def has_words(self) -> bool:
        """Whether it is known how many words the messages have."""
        return any(one.words is not None for one in self.trials)

    @property
    def answers(self) -> list[Answer]:
        """All ratings of the session."""
        return [answer for one in self.trials for answer in one.answers]

    @property
    def reading_times_s(self) -> list[float]:
        """Those that are known."""
        return [one.reading_s for one in self.trials if one.reading_s is not None]

    @property
    def last_place(self) -> str:
        """Where in the session it ended, the pause in which an assistant ends it left aside."""
        return next((one.place for one in reversed(self.screens) if one.kind != "pause"), "the start")


class UnreadableSession(Struct, frozen=True):
    """A transcript that cannot be read, and why; subject and session by its name."""

    path: Path
    subject: str
    session: int
    why: str


def read_session(path: Path, *, pilot: bool = False) -> SessionSummary | UnreadableSession:
    """The reading of a transcript; BadInput for a pilot or a simulation unless `pilot`."""
    running = is_written(path)  # before it is read, so that of a session that ends meanwhile the end is read
    try:
        transcript = log.read(path, pilot=True)
    except BadInput as error:
        return unreadable(path, _without_path(str(error), path))
    check_mode(path, transcript.started.mode, pilot=pilot)
    return summarise(path, transcript.events, torn=transcript.torn_bytes > 0, running=running)


def _without_path(text: str, path: Path) -> str:
    """The page says whose log it is; a folder's name is nobody's business there."""
    short = text.replace(f"{path}, ", "").replace(f"{path} ", "The file ").replace(str(path), path.name)
    return short[:1].upper() + short[1:]


def unreadable(path: Path, why: str) -> UnreadableSession:
    """A transcript that cannot be read; session 0 if its name tells none."""
    visit = visit_of_file(path) or Visit(path.name, 0)
    return UnreadableSession(path, visit.subject, visit.session, why)


def summarise(path: Path, events: Sequence[Event], *, torn: bool = False, running: bool = False) -> SessionSummary:
    """What a session's events tell; pure."""
    from experiment.record.refreshes import summarise_refreshes  # with numpy, which only this needs

    parts = attempts(events)
    by_part = [shown_scenes(part) for part in parts]
    shown = [one for several in by_part for one in several]
    started, ended = parts[0].started, events[-1]
    session, protocol, screen = started.session, started.session.protocol, parts[-1].started.screen
    questions = tuple(question.id for question in protocol.rating.questions)
    stray = next(filter(None, map(first_unplanned, parts, by_part)), None)
    return SessionSummary(
        path=path,
        subject=session.subject,
        session=session.session,
        mode=started.mode,
        operator=started.operator,
        computer=_computer(screen),
        zero_utc=started.zero_utc,
        seed=session.seed,
        protocol_sha256=started.protocol_sha256,
        sessions=protocol.sessions,
        questions=questions,
        ends={one.id: (protocol.scale(one).first, protocol.scale(one).last) for one in protocol.rating.questions},
        message_minimum_s=protocol.timing.message_minimum_s,
        screen=screen,
        unfit=tuple(item.name for item in started.preflight if item.grade == "red"),
        override=started.override,
        waived=session.waived or (),
        begun_before=len(started.begun_before or ()),
        ending=ended.status if isinstance(ended, Ended) else "running" if running else "died",
        reason=ended.reason if isinstance(ended, Ended) else None,
        torn=torn,
        duration_s=parts[-1].later_s + last_s(parts[-1].events),
        gaps_s=tuple(part.started.resumes.gap_s for part in parts if part.started.resumes),
        trials=tuple(map(_rated, trial_rows(events), session.steps)),
        screens=tuple(shown),
        strayed=stray.place if stray else None,
        refreshes=summarise_refreshes(parts, shown),
        clock_steps=tuple(step for part in parts for step in clock_steps(part)),
        pauses=tuple(pause for part in parts for pause in _placed_pauses(part, shown)),
        focus_losses=focus_losses(events),
        unsaved=storage_losses(events),
        runs_ended=tuple(one.run for one in events if isinstance(one, RunEnded) and not one.whole),
        signals=sent_signals(parts),
        pulses=count_pulses(parts),
    )


def _computer(screen: ScreenInfo) -> str:
    """Its name, or what tells it from others."""
    size = f"{screen.width_px} x {screen.height_px}, {screen.refresh_hz:.0f} Hz"
    return screen.computer or f"{screen.versions.get('system', 'unknown system')}, {size}"


def _rated(row: dict[str, str | int | float | None], step: Step) -> RatedMessage:
    answers = tuple(
        Answer(
            question,
            _whole(row[question]),
            _number(row[f"{question}_rt"]),
            _number(row[f"{question}_confirm_rt"]),
            _whole(row[f"{question}_changes"]),
        )
        for question in sorted(step.questions, key=list(row).index)
    )
    timed_by = row["timed_by"]
    return RatedMessage(
        trial=_whole(row["trial"]) or 0,
        message_id=step.object if isinstance(step, Holding) else step.message_id,
        reading_s=_number(row.get("reading_time")),
        answers=answers,
        missed=_whole(row.get("missed_frames")),
        timed_by=None if timed_by is None else str(timed_by),
        shown_before=_whole(row.get("shown_before")) or 0,
        words=_whole(row.get("message_words")),
    )


def _number(cell: str | float | None) -> float | None:
    return None if cell is None else float(cell)


def _whole(cell: str | float | None) -> int | None:
    return None if cell is None else int(cell)


def _placed_pauses(attempt: Attempt, shown: Sequence[ShownScene]) -> Iterator[PlacedPause]:
    for pause in pauses(attempt.events):
        start_s = pause.start_s + attempt.later_s
        before = [one for one in shown if one.start_s < start_s and one.kind != "pause"]
        yield PlacedPause(start_s, pause.length_s, pause.cause, before[-1].place if before else "the start")
