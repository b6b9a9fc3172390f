"""From a command's options to a session on disk: what the modes have in common, and where they differ.

Every mode draws a `Session`, opens a screen, runs the one task with a transcript, and saves the tables that are read
from that transcript. They differ in who answers, what it is shown on, and where the data go.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from experiment.design.colours import rgb
from experiment.design.message import hide_digests
from experiment.design.synthetic import Ratings
from experiment.errors import DayFourError, EquipmentFailure
from experiment.record import transcript as log
from experiment.record.events import SCHEMA, Ended, Event, Started
from experiment.record.finding import Finding, recorded_item, worst
from experiment.record.resume import resume_point
from experiment.record.writable import as_declared
from experiment.screens.clock import Zero
from experiment.screens.personas import HABITS, Persona
from experiment.screens.simulated_screen import SimulatedScreen, simulated_info
from experiment.session.devices import find_failing, open_outlets, open_pulses, with_signals
from experiment.session.plan import Plan
from experiment.signals.outlet import Outlet
from experiment.signals.serial_port import SerialPulses
from experiment.storage.hash_chain import line_digests
from experiment.storage.read_file import read_file
from experiment.system import no_garbage_collection, raised_priority
from experiment.system.processes import run_in_process
from experiment.task import procedure
from experiment.task.layout import MINIMUM_SIZE_PX, Layout
from experiment.task.port import Screen
from experiment.task.scenes import AS_NAMED, Labels

if TYPE_CHECKING:
    from experiment.drawing.pictures import Pictures
    from experiment.screens.canvas import Canvas
    from experiment.screens.clock import SessionClock
    from experiment.screens.inputs import Inputs
    from experiment.screens.keynames import KeyNames
    from experiment.screens.refresh import Pace

SIMULATED_UTC = "2000-01-01T09:00:00.000+00:00"
STEADY_SHARE = 0.6


@dataclass(frozen=True)
class Check:
    """What a real session asks of its computer: `look` finds all that needs no window, beside the start of PsychoPy.

    `override`: the assistant's reason to run the session although a check failed.
    """

    look: Callable[[], Sequence[Finding]]
    override: str | None = None


def run_in_window(
    plan: Plan,
    *,
    full_screen: bool,
    photodiode: bool = False,
    check: Check | None = None,
    cover: Callable[[Ended], None] = lambda _: None,
    tell: Callable[[Event], None] | None = None,
) -> Ended:
    """The session in a window: a person answers, or one of the synthetic participants.

    `photodiode`: with a square in the corner that is white exactly while a message or a scale is shown. With a `check`,
    EquipmentFailure says what this computer lacks before anything but "One moment" was on the screen. `cover` is called
    at the end, while the window still shows the last page: what it opens above that hides that the window closes.
    `tell` is told of every event, and holds up the session as long.
    """
    from experiment.screens.canvas import Canvas, screen_size_px
    from experiment.screens.keynames import read_key_names
    from experiment.screens.refresh import BRIEF, THOROUGH, measure_refresh
    from experiment.screens.window import Window

    display, pointer = plan.protocol.display, plan.protocol.mouse.enabled
    layout = fit_layout(screen_size_px(), full_screen=full_screen)
    names = read_key_names()
    labels = AS_NAMED if plan.is_synthetic else names.labels  # nobody looks for keys
    drawing = _start_drawing(plan, layout, labels, photodiode=photodiode)
    looking = _submit(check.look) if check else None
    gc.disable()  # it would look through all that PsychoPy loads, again and again; the window goes on with it
    with (
        _recording(plan) as transcript,
        closing(Canvas(layout, rgb(display.background), full_screen=full_screen)) as canvas,
    ):
        pictures = drawing.result()
        canvas.load(pictures)
        pace = measure_refresh(canvas, THOROUGH if check else BRIEF)
        found = _fit(canvas, pace, looking, check.override) if check and looking else ()
        gc.freeze()
        with (
            raised_priority(),
            no_garbage_collection(),
            open_outlets(plan) as outlets,
            open_pulses(plan) as line,
            closing(Window(
                canvas, pictures, lambda clock: _open_inputs(plan, layout, canvas, clock, names, line), transcript,
                pace, pointer=pointer, labels=labels, failing=lambda: find_failing(outlets, line),
            )) as window,
        ):  # fmt: skip
            override = check.override if check else None
            ended = _run_task(plan, window, window.zero, transcript, outlets, found, override, tell)
        cover(ended)
        return ended


def _start_drawing(plan: Plan, layout: Layout, labels: Labels, *, photodiode: bool) -> Future[Pictures]:
    from experiment.drawing.stimuli import PILOT_MARK, draw_pictures

    mark = None if plan.mode == "run" else PILOT_MARK
    draw = partial(draw_pictures, plan.protocol, plan.messages, layout, mark, is_checked=True)
    return run_in_process(partial(draw, photodiode=photodiode, labels=labels))


def _submit(look: Callable[[], Sequence[Finding]]) -> Future[Sequence[Finding]]:
    pool = ThreadPoolExecutor(1)
    looking = pool.submit(look)
    pool.shutdown(wait=False)
    return looking


def _fit(canvas: Canvas, pace: Pace, looking: Future[Sequence[Finding]], override: str | None) -> tuple[Finding, ...]:
    """What was found of this computer and its screen; EquipmentFailure if it is red and nobody overrides that."""
    from experiment.preflight import open_window
    from experiment.preflight.report import refuse

    found = (*looking.result(), *open_window.items(canvas, pace))
    if (refusal := refuse(found)) and override is None:
        raise refusal
    return found


def fit_layout(screen_px: tuple[int, int], *, full_screen: bool) -> Layout:
    """The layout for a window on this screen; EquipmentFailure if the screen is too small to read on."""
    (width_px, height_px), (least_width_px, least_height_px) = screen_px, MINIMUM_SIZE_PX
    if width_px < least_width_px or height_px < least_height_px:
        raise EquipmentFailure(
            f"This screen has {width_px} x {height_px} pixels, and a session needs at least {least_width_px} x "
            f"{least_height_px}. Choose a higher resolution or another screen."
        )
    return Layout(*screen_px) if full_screen else Layout(*MINIMUM_SIZE_PX)


def _open_inputs(
    plan: Plan, layout: Layout, canvas: Canvas, clock: SessionClock, names: KeyNames, line: SerialPulses | None
) -> Inputs:
    from experiment.screens.inputs import PersonInputs, Robot
    from experiment.screens.keyboard import open_keys

    if plan.is_synthetic:
        return Robot(_participant(plan, layout), clock)
    mouse, pulses = plan.protocol.mouse.enabled, plan.protocol.pulses or None
    keys = open_keys(allow_poll=plan.mode != "run", window=canvas.handle, names=names)
    return PersonInputs(canvas.handle, keys, clock, mouse=mouse, pulse_key=pulses and pulses.key, pulse_line=line)


def run_simulated(plan: Plan, utc: str = SIMULATED_UTC, ratings: Ratings | None = None) -> Ended:
    """The session without a window, as fast as the computer goes; the same seed gives the same files.

    `utc`: when it is said to have been held (ISO 8601). `ratings`: what is rated, if not anything at random.
    """
    info = simulated_info()
    screen = SimulatedScreen(_participant(plan, Layout(info.width_px, info.height_px), ratings), info)
    with _recording(plan) as transcript:
        return _run_task(plan, screen, Zero(utc, None), transcript)


def some_habit(seed: int, number: int) -> str:
    """The habit of a participant of a mixed data set: most are steady, every kind occurs."""
    draw = Random(f"{seed}/{number}")
    return "steady" if draw.random() < STEADY_SHARE else draw.choice(sorted(HABITS))


@contextmanager
def _recording(plan: Plan) -> Iterator[log.Writer]:
    """The session's transcript, and at the end the tables from it; if the disk did not take it, nor will it take them.

    A window that is opened within has closed by then, so that the assistant sees what the disk has to say.
    """
    transcript = log.Writer(plan.transcript, plan.after)
    try:
        with transcript:
            yield transcript
    except BaseException:
        with suppress(DayFourError, OSError):  # the first error is the one to tell
            _save_tables(plan, transcript)
        raise
    _save_tables(plan, transcript)


def _save_tables(plan: Plan, transcript: log.Writer) -> None:
    """The tables of what is read back from the disk."""
    if not transcript.saved:
        return
    read = log.read(plan.transcript, pilot=True)
    try:
        plan.data.save(read.events)
        if plan.mode != "simulate":  # which lists all its participants at once
            plan.data.list_participants()
    except (DayFourError, OSError) as error:
        again = f"`dayfour table {plan.data.root} --remake` makes the tables again from the logs."
        raise EquipmentFailure(f"{error}\n{again}") from error


def _run_task(
    plan: Plan,
    screen: Screen,
    zero: Zero,
    transcript: log.Writer,
    outlets: Sequence[Outlet] = (),
    found: Sequence[Finding] = (),
    override: str | None = None,
    tell: Callable[[Event], None] | None = None,
) -> Ended:
    """Run the task on a screen; nothing is shown before the disk has the start, and tables are there from then on."""
    # As the texts' digests: a guessed text can be drawn and compared.
    hidden = hide_digests(screen.info.pictures_sha256, plan.messages, plan.session.message_digests)
    started = Started(
        schema=SCHEMA,
        mode=plan.mode,
        session=plan.session,
        protocol_sha256=plan.protocol.sha256,
        operator=plan.operator,
        participant=plan.participant,
        screen=replace(screen.info, pictures_sha256=hidden),
        zero_utc=zero.utc,
        resumes=resume_point(plan.after, zero.utc) if plan.after else None,
        zero_count_s=zero.count_s,
        preflight=tuple(as_declared(recorded_item(finding)) for finding in found),
        override=override if worst(found) == "error" else None,
        answers=UNSET if plan.after else dict(plan.answers) or UNSET,
        begun_before=UNSET if plan.after else _begun_before(plan) or UNSET,
    )

    append = with_signals(plan, outlets, zero, transcript.append)

    def emit(event: Event) -> None:
        append(event)
        if tell:
            tell(event)
        if event is started:
            if not transcript.settle(log.CLOSE_S):
                raise EquipmentFailure(
                    f"Data cannot be saved in {plan.transcript.parent}. Nothing was shown. Free disk space, reconnect "
                    "the folder, or choose another --data."
                )
            # The answers are in the transcript; the tables are made again at the end.
            with suppress(DayFourError, OSError):
                plan.data.save(log.read(plan.transcript, pilot=True).events)

    return procedure.run(started, screen, emit)


def _begun_before(plan: Plan) -> tuple[str, ...]:
    """The digests of the last lines of this visit's logs that were set aside."""
    logs = plan.data.logs_set_aside(plan.session.visit)
    return tuple(line_digests(read_file(path))[-1] for path in logs)


def _participant(plan: Plan, layout: Layout, ratings: Ratings | None = None) -> Persona:
    session = plan.session
    seed = f"{session.seed}/{session.subject}/{session.session}"
    return Persona(session, layout, HABITS[plan.participant], seed, ratings)
