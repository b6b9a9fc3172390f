"""From a command's options to a session on disk: what the modes have in common, and where they differ.

Every mode draws a `Session`, opens a screen, runs the one task with a transcript, and saves the tables that are read
from that transcript. They differ in who answers, what it is shown on, and where the data go.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from experiment import log, task
from experiment.bids import DataSet
from experiment.design import Message, Session, check_session, draw_session, practice_message
from experiment.disk import is_written
from experiment.errors import BadInput, EquipmentFailure
from experiment.events import SCHEMA, Ended, Event, Mode, Started
from experiment.layout import MINIMUM_SIZE_PX, Layout
from experiment.protocol import Protocol, rgb
from experiment.resume import INCOMPLETE, is_cut_off, rated_messages, resumption
from experiment.screens import Screen
from experiment.screens.clock import Zero
from experiment.screens.participants import HABITS, Participant
from experiment.screens.simulated import SimulatedScreen, simulated_info

if TYPE_CHECKING:
    from experiment.pictures import Pictures
    from experiment.screens.canvas import Canvas
    from experiment.screens.clock import SessionClock
    from experiment.screens.inputs import Inputs

PERSON = "person"
PILOT_MARK = "PILOT"
SIMULATED_UTC = "2000-01-01T09:00:00.000+00:00"
STEADY_SHARE = 0.6


class CutOff(BadInput):
    """This session began before, and the program or the computer died: it can go on, or be closed as it is."""

    def __init__(self, subject: str, session: int, transcript: log.Transcript) -> None:
        rated, of = rated_messages(transcript), len(transcript.started.session.trials)
        super().__init__(
            f"sub-{subject} ses-{session} began before and was cut off; {rated} of its {of} messages are rated, and "
            "nothing of that is lost.\nAdd --resume to go on with the first message that is not rated, or --close to "
            "end the session as it is."
        )


@dataclass(frozen=True)
class Plan:
    """A session that is about to begin: everything checked, nothing opened yet."""

    mode: Mode
    session: Session
    messages: tuple[Message, ...]
    operator: str
    answers: Mapping[str, str | float | None]
    data: DataSet
    participant: str = PERSON
    after: log.Transcript | None = None  # what there is of a session that was cut off

    @property
    def transcript(self) -> Path:
        """Where the session's transcript stands, or will."""
        return self.data.transcript(self.session.subject, self.session.session, self.protocol.task)

    @property
    def is_synthetic(self) -> bool:
        """Whether nobody sits there."""
        return self.participant != PERSON

    @property
    def protocol(self) -> Protocol:
        """The session's."""
        return self.session.protocol


def planned(
    mode: Mode,
    protocol: Protocol,
    messages: Sequence[Message],
    data: DataSet,
    *,
    subject: str,
    session: int,
    seed: int,
    operator: str,
    answers: Mapping[str, str | float | None] | None = None,
    participant: str = PERSON,
    resume: bool = False,
) -> Plan:
    """A session, checked before anything opens: its messages, its number, and that nothing of it was saved before.

    With `resume`, one that was cut off, whose answers to the form are kept. Raises CutOff for such a one without it.
    """
    check_session(session, protocol)
    after = cut_off(data, subject, session, protocol)
    if after is None:
        _forget_unbegun(data.transcript(subject, session, protocol.task))
        data.check_free(subject, session, protocol.task)
        if resume:
            raise BadInput(f"sub-{subject} ses-{session} has not begun yet. Start it without --resume.")
    elif not resume:
        raise CutOff(subject, session, after)
    else:
        seed = after.started.session.seed
    drawn = _drawn(protocol, messages, data, subject=subject, session=session, seed=seed)
    if after is not None and drawn != after.started.session:
        raise BadInput(
            f"sub-{subject} ses-{session} began with another protocol or other messages. Put back the files as they "
            "were, or close the session with --close."
        )
    shown = (practice_message(protocol), *messages)
    return Plan(mode, drawn, shown, operator, answers or {}, data, participant, after)


def _drawn(
    protocol: Protocol, messages: Sequence[Message], data: DataSet, *, subject: str, session: int, seed: int
) -> Session:
    """The session as the seed decides it, of the messages that the subject's other sessions were drawn from."""
    numbers = [number for number in range(1, protocol.sessions + 1) if number != session]
    paths = [data.transcript(subject, number, protocol.task) for number in numbers]
    others = [log.read_start(path).session for path in paths if log.has_begun(path)]
    sets = next((other.sets for other in others if other.sets), ())
    drawn = draw_session(protocol, messages, subject=subject, session=session, seed=seed, sets=sets)
    for other in others:
        if other.sets != drawn.sets or (not sets and _digests(other) != _digests(drawn)):
            raise BadInput(
                f"The messages of sub-{subject}, or the protocol's message_sets, are not as they were in session "
                f"{other.session}. Put back the files as they were then."
            )
    return drawn


def _digests(session: Session) -> dict[str, str]:
    return {trial.message_id: trial.message_sha256 for trial in session.trials}


def cut_off(data: DataSet, subject: str, session: int, protocol: Protocol) -> log.Transcript | None:
    """The transcript of this session if it was cut off, such as by a power cut; None if it ended, or never began.

    Raises BadInput if it is still running.
    """
    path = data.transcript(subject, session, protocol.task)
    if path.exists() and is_written(path):
        raise BadInput(f"sub-{subject} ses-{session} is still running. Go on in its own window, or end it there first.")
    if not log.has_begun(path):
        return None
    transcript = log.read(path, pilot=True)
    return transcript if is_cut_off(transcript) else None


def _forget_unbegun(path: Path) -> None:
    """Take away what a program left that died before its transcript had a line, and so before anything was shown."""
    if path.exists() and not log.has_begun(path):
        path.unlink()


def close_as_incomplete(data: DataSet, subject: str, session: str, protocol: Protocol) -> None:
    """End a session that was cut off as it is; BadInput if there is none."""
    number = check_session(int(session) if session.isdecimal() else 0, protocol)
    transcript = cut_off(data, subject, number, protocol)
    if transcript is None:
        raise BadInput(f"sub-{subject} ses-{session} was not cut off: there is nothing to close.")
    with log.Writer(data.transcript(subject, number, protocol.task), transcript) as writer:
        writer.append(Ended("aborted", INCOMPLETE))
    data.save(writer.told(), {})


def held_in_window(plan: Plan, *, full_screen: bool, photodiode: bool = False) -> Ended:
    """The session in a window: a person answers, or one of the synthetic participants.

    `photodiode`: with a square in the corner that is white exactly while a message or a scale is shown.
    """
    from experiment.screens.canvas import Canvas, screen_size_px
    from experiment.screens.window import Window

    display, pointer = plan.protocol.display, plan.protocol.mouse.enabled
    layout = _layout(screen_size_px(), full_screen=full_screen)
    drawing = _drawn_meanwhile(plan, layout, photodiode=photodiode)
    gc.disable()  # it would look through all that PsychoPy loads, again and again; the window goes on with it
    with _kept(plan) as transcript, closing(Canvas(layout, rgb(display.background), full_screen=full_screen)) as canvas:
        pictures = drawing.result()
        canvas.load(pictures)
        gc.freeze()
        with Window(
            canvas, pictures, lambda clock: _seated(plan, layout, canvas, clock), transcript, pointer=pointer
        ) as window:
            return _held(plan, window, window.zero, transcript)


def _layout(screen_px: tuple[int, int], *, full_screen: bool) -> Layout:
    """The layout for a window on this screen; EquipmentFailure if the screen is too small to read on."""
    (width_px, height_px), (least_width_px, least_height_px) = screen_px, MINIMUM_SIZE_PX
    if width_px < least_width_px or height_px < least_height_px:
        raise EquipmentFailure(
            f"Expected a screen of at least {least_width_px} x {least_height_px} pixels, found {width_px} x "
            f"{height_px}. Choose a higher resolution or another screen."
        )
    return Layout(*screen_px) if full_screen else Layout(*MINIMUM_SIZE_PX)


def _drawn_meanwhile(plan: Plan, layout: Layout, *, photodiode: bool) -> Future[Pictures]:
    """The session's pictures, drawn in a process whose memory is freed, while this one loads PsychoPy."""
    from experiment.pictures import draw_pictures

    pool = ProcessPoolExecutor(1, get_context("spawn"))
    mark = None if plan.mode == "run" else PILOT_MARK
    drawing = pool.submit(draw_pictures, plan.protocol, plan.messages, layout, mark, photodiode=photodiode)
    pool.shutdown(wait=False)
    return drawing


def _seated(plan: Plan, layout: Layout, canvas: Canvas, clock: SessionClock) -> Inputs:
    from experiment.screens.inputs import Person, Robot
    from experiment.screens.keyboard import open_keys

    if plan.is_synthetic:
        return Robot(_participant(plan, layout), clock)
    keys = open_keys(allow_poll=plan.mode != "run", window=canvas.handle)
    return Person(canvas.handle, keys, clock, mouse=plan.protocol.mouse.enabled)


def simulated(plan: Plan) -> Ended:
    """The session without a window, as fast as the computer goes; the same seed gives the same files."""
    info = simulated_info()
    screen = SimulatedScreen(_participant(plan, Layout(info.width_px, info.height_px)), info)
    with _kept(plan) as transcript:
        return _held(plan, screen, Zero(SIMULATED_UTC, None), transcript)


def some_habit(seed: int, number: int) -> str:
    """The habit of a participant of a mixed data set: most are steady, every kind occurs."""
    draw = Random(f"{seed}/{number}")
    return "steady" if draw.random() < STEADY_SHARE else draw.choice(sorted(HABITS))


@contextmanager
def _kept(plan: Plan) -> Iterator[log.Writer]:
    """The session's transcript, and at the end the tables from it; if the disk did not take it, nor will it take them.

    A window that is opened within has closed by then, so that the assistant sees what the disk has to say.
    """
    transcript = log.Writer(plan.transcript, plan.after)
    try:
        with transcript:
            yield transcript
    finally:
        if transcript.saved and transcript.began:
            plan.data.save(transcript.told(), plan.answers)
            if plan.mode != "simulate":  # which lists all its participants at once
                plan.data.list_participants()


def _held(plan: Plan, screen: Screen, zero: Zero, transcript: log.Writer) -> Ended:
    """Run the task on a screen; the tables are saved already at the start, so that the answers outlive a crash."""
    started = Started(
        schema=SCHEMA,
        mode=plan.mode,
        session=plan.session,
        protocol_sha256=plan.protocol.sha256,
        operator=plan.operator,
        participant=plan.participant,
        screen=screen.info,
        zero_utc=zero.utc,
        resumes=resumption(plan.after, zero.utc) if plan.after else None,
        zero_count_s=zero.count_s,
    )

    def emit(event: Event) -> None:
        transcript.append(event)
        if event is started:
            transcript.settle(log.CLOSE_S)  # no table without a transcript
            plan.data.save(transcript.told(), plan.answers)

    return task.run(started, screen, emit)


def _participant(plan: Plan, layout: Layout) -> Participant:
    session = plan.session
    seed = f"{session.seed}/{session.subject}/{session.session}"
    return Participant(session, layout, HABITS[plan.participant], seed)
