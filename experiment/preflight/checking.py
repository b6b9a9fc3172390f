"""What `check` measures: all of this computer, an open window, a key, and the session that is named."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from experiment import system
from experiment.errors import DayFourError
from experiment.preflight import computer
from experiment.preflight.items import Item, of_refusal
from experiment.protocol import Protocol, rgb

if TYPE_CHECKING:
    from experiment.design import Message
    from experiment.messages.store import Folder
    from experiment.pictures import Pictures
    from experiment.protocol import Rgb
    from experiment.screens.canvas import Canvas

SessionItems = tuple[list[Item], tuple["Message", ...]]
"""What was found of a session, and the messages that it will show."""
PLEASE_PRESS = "Please press any key, once."


def checked(
    protocol: Protocol, data: Path, root: Path, *, full_screen: bool, with_press: bool, of_session: SessionItems
) -> list[Item]:
    """Everything, in the order in which a person reads it. `of_session`: what was found of the session's messages."""
    found, shown = of_session
    drawing = _drawing(protocol, shown, full_screen=full_screen) if system.has_display() else None
    every = [*computer.items(data, root), *found]
    if drawing is not None:
        every += _window(drawing, rgb(protocol.display.background), full_screen=full_screen, with_press=with_press)
    return every


def _drawing(protocol: Protocol, shown: tuple[Message, ...], *, full_screen: bool) -> Future[Pictures]:
    """The pictures of a session on this screen, with the request for a key in the notice's place."""
    from msgspec.structs import replace

    from experiment.design import practice_message
    from experiment.layout import MINIMUM_SIZE_PX, Layout
    from experiment.pictures import drawn_meanwhile
    from experiment.screens.canvas import screen_size_px

    layout = Layout(*(screen_size_px() if full_screen else MINIMUM_SIZE_PX))
    asking = replace(protocol, wording=replace(protocol.wording, loading=PLEASE_PRESS))
    return drawn_meanwhile(asking, shown or (practice_message(protocol),), layout)


def _window(drawing: Future[Pictures], background: Rgb, *, full_screen: bool, with_press: bool) -> Iterator[Item]:
    """Everything that needs a window: pixels, refreshes, and a key."""
    from experiment.screens import fitness
    from experiment.screens.canvas import Canvas

    try:
        pictures = drawing.result()
        canvas = Canvas(pictures.layout, background, full_screen=full_screen)
    except DayFourError as error:
        yield of_refusal("pictures", error)
        return
    with closing(canvas):
        try:
            canvas.load(pictures)
        except DayFourError as error:
            yield of_refusal("pictures", error)
            return
        yield of_refusal("pictures", None, f"all {len(pictures.parts_of_all())} stand on the screen as prepared")
        yield from fitness.items(canvas, fitness.measured(canvas))
        if with_press:
            canvas.draw([pictures.notice])
            canvas.flip()
            yield _press(canvas)


def _press(canvas: Canvas) -> Item:
    from experiment.screens import fitness
    from experiment.screens.keyboard import open_keys

    try:
        with closing(open_keys(allow_poll=True, window=canvas.handle)) as keys:
            return fitness.press(canvas, keys)
    except DayFourError as error:
        return of_refusal("press", error)


def study_items(data: Path, subject: str, session: int) -> list[Item]:
    """Whether the study's register can be reached, and whether it lets this participant in today; nothing without one.

    `subject`: nobody if empty. `session`: the one that is asked for; 0 for whichever is due.
    """
    from experiment.study import gate
    from experiment.study.place import register_of

    try:
        register = register_of(data)
        if register is None:
            return []
        entries = register.entries()
        if not subject:
            return [of_refusal("study", None, f"its register is whole, with {len(entries)} entries")]
        due = gate.session_at(entries, subject, register.now(), session or None)
    except DayFourError as error:
        return [of_refusal("study", error)]
    return [of_refusal("study", None, f"session {due} may be held today")]


def session_items(protocol: Protocol, subject: str, session: int, messages: Folder, data: Path) -> SessionItems:
    """Whether the messages are there, and whether this session is the one to hold now; what it will show."""
    from experiment.design import check_subject
    from experiment.layout import MINIMUM_SIZE_PX, Layout
    from experiment.messages.check import check_participant, refuse_errors

    try:
        shown = messages.read(label := check_subject(subject))
        refuse_errors(check_participant(label, shown, messages, protocol, Layout(*MINIMUM_SIZE_PX)))
    except DayFourError as error:
        return [of_refusal("messages", error)], ()
    ready = of_refusal("messages", None, f"{len(shown)} are there, without errors")
    if not session:
        return [ready], shown
    return [ready, _turn(protocol, shown, data, subject, session)], shown


def _turn(protocol: Protocol, shown: tuple[Message, ...], data: Path, subject: str, session: int) -> Item:
    """Whether it is this session's turn: it has not begun, and those before it have."""
    from msgspec.structs import replace

    from experiment import log
    from experiment.bids import DataSet
    from experiment.plans import CutOff, planned

    data_set = DataSet(data)
    try:
        planned("run", protocol, shown, data_set, subject=subject, session=session, seed=1, operator="check")
    except CutOff as error:
        return replace(of_refusal("session", error), grade="amber")
    except DayFourError as error:
        return of_refusal("session", error)
    earlier = [number for number in range(1, session)
               if not log.has_begun(data_set.transcript(subject, number, protocol.task))]  # fmt: skip
    if earlier:
        found = f"session {session}, though session {earlier[0]} was not held on this computer"
        return Item("session", "amber", found, "Check the number; ask where the earlier session was held.")
    return of_refusal("session", None, f"session {session} can begin")
