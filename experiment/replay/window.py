"""A session shown again in a window, as the participant saw it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from experiment.design.colours import rgb
from experiment.errors import EquipmentFailure
from experiment.messages.store import Folder
from experiment.record import transcript as log
from experiment.record.finding import Finding, discrepancy
from experiment.replay.player import Player, Playhead, check_speed
from experiment.replay.redraw import redraw
from experiment.replay.view import STRIP_PX, View

if TYPE_CHECKING:
    from experiment.screens.viewer import Viewer
    from experiment.task.layout import Layout

REFRESH_S = 1 / 60
ROOM = 0.9  # of the screen: a window that does not fit shares it with the desktop's bars
SMALLEST = 0.4  # of the participant's screen: what is smaller cannot be read
HINT = "space: pause   left, right: screen   digits, page keys: trial   up, down: speed   Esc: leave"


def show_again(
    transcript: Path,
    *,
    messages: Path | Folder | None = None,
    speed: float = 1.0,
    pilot: bool = False,
    tell: Callable[[Finding], None] = lambda _: None,
) -> list[Finding]:
    """Show a session in a window until somebody leaves it; what of it is not as the participant saw it.

    `messages`: a file of messages, or the participants' folder. `tell` hears each finding before the window opens.
    Raises BadInput for a transcript that cannot be read, EquipmentFailure if the screen is too small.
    """
    from experiment.screens.canvas import screen_size_px
    from experiment.screens.viewer import Viewer

    check_speed(speed)
    read = log.read(transcript, pilot=pilot)
    pictures, findings = redraw(read.events, messages)
    scale = fitting_scale(pictures.layout, screen_size_px())
    if scale < 1:
        findings.append(discrepancy("window", "size", "all pixels would need a larger screen", f"shown at {scale:.0%}"))
    for finding in findings:
        tell(finding)
    background, player = rgb(read.started.session.protocol.display.background), Player(read.events)
    view = View(player, pictures, background, scale=scale, hint=HINT)
    with closing(Viewer(view.width_px, view.height_px, background)) as viewer:
        _play(Playhead(player, speed), view, viewer)
    return findings


def fitting_scale(layout: Layout, screen_px: tuple[int, int]) -> float:
    """How large the participant's screen can be shown here, with the time line below it; at most 1."""
    if layout.width_px <= screen_px[0] and layout.height_px + STRIP_PX <= screen_px[1]:
        return 1.0
    width_px, height_px = ROOM * screen_px[0], ROOM * screen_px[1] - STRIP_PX
    scale = min(width_px / layout.width_px, height_px / layout.height_px)
    if scale < SMALLEST:
        raise EquipmentFailure(
            f"The session was shown on {layout.width_px} x {layout.height_px} pixels, and this screen ({screen_px[0]} "
            f"x {screen_px[1]}) is too small for it. Use a larger one, or write a video with --video."
        )
    return scale


def _play(head: Playhead, view: View, viewer: Viewer) -> None:
    """Refresh by refresh, at the pace of the room's clock."""
    before_s = time.perf_counter()
    while not head.left:
        for key in viewer.pressed():
            head.press(key)
        viewer.show(view.pixels(head))
        time.sleep(max(0.0, before_s + REFRESH_S - time.perf_counter()))
        now_s = time.perf_counter()
        head.pass_time(now_s - before_s)
        before_s = now_s
