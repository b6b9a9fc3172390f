"""A film of a display: whether any pixel of the desktop lay open, and what was at the screen's edges at every change.

The desktop is a window of its own below all others. The X server itself tells when any of it is uncovered (an event of
its visibility), so that not even what is gone before somebody can look is missed. The edges are looked at whenever the
server tells (DAMAGE) that pixels have changed: the task draws nothing there, so that a title bar, a panel or a window
that is not yet painted is another colour.
"""

from __future__ import annotations

import select
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
from Xlib import X
from Xlib.display import Display
from Xlib.ext import damage

if TYPE_CHECKING:
    from collections.abc import Iterator

Colour = tuple[int, int, int]
DESKTOP: Colour = (0xFF, 0x00, 0xFF)
LOOK_S = 0.05  # at least so often it is looked whether the film is over


class Film:
    """As a context: a desktop in a colour of its own, and a film of it from then on."""

    def __init__(self, display: str) -> None:
        self._display = Display(display)
        screen = self._display.screen()
        self._root, self._size_px = screen.root, (screen.width_in_pixels, screen.height_in_pixels)
        self._is_over, self._thread = threading.Event(), threading.Thread(target=self._watch)
        self._uncovered, self._edges = list[tuple[float, bool]](), list[tuple[float, frozenset[Colour]]]()

    def __enter__(self) -> Film:
        colour = int.from_bytes(bytes(DESKTOP), "big")
        desktop = self._root.create_window(
            0, 0, *self._size_px, 0, X.CopyFromParent, X.InputOutput, X.CopyFromParent,
            background_pixel=colour, override_redirect=True, event_mask=X.VisibilityChangeMask,
        )  # fmt: skip
        desktop.configure(stack_mode=X.Below)
        desktop.map()
        self._display.damage_query_version()
        self._root.damage_create(damage.DamageReportRawRectangles)
        self._display.sync()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._display.close()

    def desktop_since(self, start_s: float) -> list[float]:
        """When any of the desktop was uncovered since a moment of `time.monotonic`, or was so then."""
        at_start = [is_open for at_s, is_open in self._uncovered if at_s <= start_s][-1:]
        since = [at_s for at_s, is_open in self._uncovered if at_s > start_s and is_open]
        return [start_s] * (at_start != [False]) + since

    def edges_since(self, start_s: float) -> set[Colour]:
        """Every colour that was seen at the screen's edges since a moment; there must have been something to see."""
        looks = [colours for at_s, colours in self._edges if at_s > start_s]
        assert looks, "nothing changed"
        return {*frozenset[Colour]().union(*looks)}

    def _watch(self) -> None:
        while not self._is_over.is_set():
            if not self._display.pending_events():
                select.select([self._display], [], [], LOOK_S)
            if self._has_changed():
                self._edges.append((time.monotonic(), frozenset(self._seen_at_edges())))

    def _has_changed(self) -> bool:
        """Whether pixels have changed; it notes what the server tells of the desktop."""
        has_changed = False
        while self._display.pending_events():
            event = self._display.next_event()
            if event.type == X.VisibilityNotify:
                self._uncovered.append((time.monotonic(), event.state != X.VisibilityFullyObscured))
            has_changed = has_changed or event.type == self._display.extension_event.DamageNotify
        return has_changed

    def _seen_at_edges(self) -> Iterator[Colour]:
        (width_px, height_px), whole = self._size_px, 0xFFFFFFFF
        lines = [(0, row, width_px, 1) for row in (0, height_px - 1)]
        lines += [(column, 0, 1, height_px) for column in (0, width_px - 1)]
        for line in lines:
            data = self._root.get_image(*line, X.ZPixmap, whole).data
            for pixel in np.unique(np.frombuffer(data, "<u4")):
                yield int(pixel) >> 16 & 255, int(pixel) >> 8 & 255, int(pixel) & 255
