"""What `check` measures: all of this computer, an open window, a key, and the session that is named."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from experiment import system
from experiment.design.colours import Rgb, rgb
from experiment.design.message import Message, practice_message
from experiment.design.protocol import Protocol
from experiment.design.session import check_subject
from experiment.errors import DayFourError, EquipmentFailure
from experiment.messages.check import check_set, refuse_errors
from experiment.preflight import computer, devices, open_window
from experiment.record.dataset import DataSet
from experiment.record.finding import Finding, refusal
from experiment.session.doubts import Doubtful, find_doubts, waive_doubts
from experiment.session.plan import Interrupted, plan_session
from experiment.session.run import fit_layout
from experiment.system.processes import run_in_process
from experiment.task.layout import MINIMUM_SIZE_PX, Layout

if TYPE_CHECKING:
    from experiment.drawing.pictures import Pictures
    from experiment.messages.store import Folder
    from experiment.screens.canvas import Canvas

SessionItems = tuple[list[Finding], tuple["Message", ...]]
"""What was found of a session, and the messages that it will show."""
PLEASE_PRESS = "Please press any key once."


def check_readiness(
    protocol: Protocol, data: Path, root: Path, *, full_screen: bool, with_press: bool, of_session: SessionItems
) -> list[Finding]:
    """Everything, in the order in which a person reads it. `of_session`: what was found of the session's messages."""
    found, shown = of_session
    every = [*computer.items(data, root), *devices.items(protocol), *found]
    try:
        drawing = _drawing(protocol, shown, full_screen=full_screen) if system.has_display() else None
    except EquipmentFailure as error:  # a small screen is the computer's fault, and not the protocol's
        return [*every, refusal("screen", error)]
    if drawing is not None:
        every += _window(drawing, rgb(protocol.display.background), full_screen=full_screen, with_press=with_press)
    return every


def _drawing(protocol: Protocol, shown: tuple[Message, ...], *, full_screen: bool) -> Future[Pictures]:
    """The pictures of a session on this screen, with the request for a key in the notice's place."""
    from experiment.drawing.stimuli import draw_pictures
    from experiment.screens.canvas import screen_size_px

    layout = fit_layout(screen_size_px(), full_screen=full_screen)
    asking = replace(protocol, wording=replace(protocol.wording, loading=PLEASE_PRESS))
    return run_in_process(
        partial(draw_pictures, asking, shown or (practice_message(protocol),), layout, is_checked=True)
    )


def _window(drawing: Future[Pictures], background: Rgb, *, full_screen: bool, with_press: bool) -> Iterator[Finding]:
    """Everything that needs a window: pixels, refreshes, and a key."""
    from experiment.screens.canvas import Canvas
    from experiment.screens.refresh import measure_refresh

    try:
        pictures = drawing.result()
        canvas = Canvas(pictures.layout, background, full_screen=full_screen)
    except DayFourError as error:
        yield refusal("pictures", error)
        return
    with closing(canvas):
        try:
            canvas.load(pictures)
        except DayFourError as error:
            yield refusal("pictures", error)
            return
        yield refusal("pictures", None, f"all {len(pictures.parts_of_all())} are on the screen as prepared")
        yield from open_window.items(canvas, measure_refresh(canvas))
        if with_press:
            canvas.draw([pictures.notice])
            canvas.flip()
            yield _press(canvas)


def _press(canvas: Canvas) -> Finding:
    from experiment.screens.keyboard import open_keys

    try:
        with closing(open_keys(allow_poll=True, window=canvas.handle)) as keys:
            return open_window.press(canvas, keys)
    except DayFourError as error:
        return refusal("press", error)


def session_items(protocol: Protocol, subject: str, session: int, messages: Folder | None, data: Path) -> SessionItems:
    """Whether the messages are there, and whether this session is the one to hold now; what it will show.

    `messages`: None if the task shows none.
    """
    try:
        label = check_subject(subject)
        shown = messages.read(label) if messages else ()
        refuse_errors(check_set(label, shown, protocol, Layout(*MINIMUM_SIZE_PX)))
    except DayFourError as error:
        return [refusal("messages", error)], ()
    ready = refusal("messages", None, f"{len(shown)} are there, without errors" if messages else "the task shows none")
    if not session:
        return [ready], shown
    return [ready, _turn(protocol, shown, data, subject, session)], shown


def _turn(protocol: Protocol, shown: tuple[Message, ...], data: Path, subject: str, session: int) -> Finding:
    """Whether it is this session's turn: it has not begun, and those before it have."""
    data_set = DataSet(data)
    try:
        plan = plan_session(
            "run", protocol, shown, data_set, subject=subject, session=session, seed=1, operator="check"
        )
        waive_doubts(plan, find_doubts(plan, datetime.now(timezone.utc), has_register=False), None)
    except (Interrupted, Doubtful) as error:
        return replace(refusal("session", error), severity="warning")
    except DayFourError as error:
        return refusal("session", error)
    return refusal("session", None, f"session {session} can begin")
