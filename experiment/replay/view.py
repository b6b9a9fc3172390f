"""What a replay looks like: the participant's screen, and below it the presses and a time line. Pixels, no window."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from experiment.drawing.composite import Pixels, compose_screen, resize
from experiment.drawing.pictures import Pictures
from experiment.drawing.typeset import Colour, Style, draw_text
from experiment.record.events import Scene
from experiment.record.timeline import Press
from experiment.replay.player import Moment, Player, Playhead, ShownSpan

STRIP_PX = 92
DARK, LIGHT, DIM, GREY = (30, 30, 32), (236, 234, 228), (72, 74, 78), (150, 150, 150)
TRIAL, OTHER_TRIAL, PAUSE, LATE = (64, 104, 112), (84, 132, 140), (190, 150, 60), (226, 80, 70)
EDGE_PX, LINE_PX = 16, 26
BAR_TOP_PX, BAR_HEIGHT_PX = 64, 18
RING_PX, RING_S = 14, 0.3
ROOM_FOR_HINT_PX = 960
MEMORY_S = 5.0  # of the replay, in which a press stays


class View:
    """A session's moments as pixels (height, width, 3); what was larger than the place for it is shown smaller."""

    def __init__(
        self, player: Player, pictures: Pictures, background: Colour, *, scale: float = 1.0, hint: str = ""
    ) -> None:
        """`scale`: at most 1, of the participant's screen. `hint`: what stands in the corner of the strip."""
        self._hint = hint
        self._player, self._pictures, self._background = player, pictures, background
        layout = pictures.layout
        self._screen_px = _even(layout.width_px * scale), _even(layout.height_px * scale)
        self.width_px, self.height_px = self._screen_px[0], self._screen_px[1] + STRIP_PX
        self._bar = self._time_line()
        self._scene: Scene | None = None
        self._pixels = np.empty((self.height_px, self.width_px, 3), np.uint8)

    def pixels(self, head: Playhead) -> Pixels:
        """What is seen at a moment of the replay; good until the next call."""
        moment = self._player.at(head.time_s, MEMORY_S * max(1.0, head.speed))
        clicks = [press for press in moment.presses if press.place_px and head.time_s - press.time_s < RING_S]
        if self._scene != moment.scene or clicks:
            screen = compose_screen(self._pictures, self._background, moment.scene)
            for press in clicks:
                _ring(screen, press)
            self._pixels[:-STRIP_PX] = resize(screen, self._screen_px)
            self._scene = None if clicks else moment.scene
        self._pixels[-STRIP_PX:] = self._strip(moment, head)
        return self._pixels

    def _strip(self, moment: Moment, head: Playhead) -> Pixels:
        """Where one is, what was pressed, and the time line with its cursor."""
        strip: Pixels = self._bar.copy()
        trial = {None: "", 0: "Practice"}.get(moment.trial, f"Trial {moment.trial}")
        _write(strip, f"{_clock(head.time_s)} / {_clock(self._player.end_s)}", EDGE_PX, 6, LIGHT)
        _write(strip, trial, EDGE_PX + 170, 6, LIGHT)
        _write(strip, f"x {head.speed:g}" + ("" if head.playing else "   paused"), EDGE_PX + 290, 6, LIGHT)
        if self.width_px >= ROOM_FOR_HINT_PX:
            _write(strip, self._hint, -EDGE_PX, 6, GREY)
        x_px = EDGE_PX
        for press in reversed(moment.presses):
            shade = LIGHT if head.time_s - press.time_s < 1.0 else GREY
            x_px += _write(strip, f"{press.name} {press.time_s:.3f} s", x_px, 6 + LINE_PX, shade) + EDGE_PX
        at_px = self._x_px(head.time_s)
        strip[BAR_TOP_PX - 5 : BAR_TOP_PX + BAR_HEIGHT_PX + 5, at_px - 1 : at_px + 2] = LIGHT
        return strip

    def _time_line(self) -> Pixels:
        """Trials with their numbers, pauses over them, and late frames as ticks."""
        strip = np.empty((STRIP_PX, self.width_px, 3), np.uint8)
        strip[:] = DARK
        self._fill(strip, [ShownSpan(0.0, self._player.end_s)], DIM)
        for span in self._player.trials:
            self._fill(strip, [span], _shade(span))
            left_px = self._x_px(span.start_s) + 4
            _write(strip, str(span.trial), left_px, BAR_TOP_PX - 2, LIGHT, size_px=13, under=_shade(span))
        self._fill(strip, self._player.pauses, PAUSE)
        for late_s in self._player.late_s:
            strip[BAR_TOP_PX - 4 : BAR_TOP_PX + 5, self._x_px(late_s)] = LATE
        return strip

    def _fill(self, strip: Pixels, spans: Sequence[ShownSpan], colour: Colour) -> None:
        for span in spans:
            start_px, end_px = self._x_px(span.start_s), self._x_px(span.end_s)
            strip[BAR_TOP_PX : BAR_TOP_PX + BAR_HEIGHT_PX, start_px : max(end_px, start_px + 2)] = colour

    def _x_px(self, time_s: float) -> int:
        share = time_s / self._player.end_s if self._player.end_s else 0.0
        return EDGE_PX + round(share * (self.width_px - 2 * EDGE_PX))


def _shade(span: ShownSpan) -> Colour:
    return TRIAL if span.trial % 2 else OTHER_TRIAL


def _write(
    strip: Pixels, text: str, left_px: int, top_px: int, colour: Colour, *, size_px: int = 15, under: Colour = DARK
) -> int:
    """Words in the strip, as far as there is room; a negative left counts from the right. Their width in pixels."""
    if not text:
        return 0
    words = _words(text, colour, size_px, under)
    height, width = words.shape[:2]
    left_px = strip.shape[1] + left_px - width if left_px < 0 else left_px
    room = strip[top_px : top_px + height, left_px : left_px + width]
    over = words[: room.shape[0], : room.shape[1]]
    ink = (over != under).any(axis=2)
    room[ink] = over[ink]
    return int(width)


@lru_cache(512)
def _words(text: str, colour: Colour, size_px: int, under: Colour) -> Pixels:
    """Never a message's: what is written here is kept."""
    return draw_text(text, Style(size_px, colour, under)).pixels


def _ring(screen: Pixels, press: Press) -> None:
    """Where the mouse was pressed."""
    x_px, y_px = press.place_px or (0.0, 0.0)
    height, width = screen.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    distance_px = np.hypot(columns + 0.5 - width / 2 - x_px, height / 2 - rows - 0.5 - y_px)
    screen[abs(distance_px - RING_PX) < 2] = LATE


def _even(length: float) -> int:
    return 2 * round(length / 2)


def _clock(time_s: float) -> str:
    return f"{int(time_s) // 60}:{int(time_s) % 60:02}"
