"""The pictures of a session, and which of them a scene consists of."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from msgspec import UNSET, structs
from numpy.typing import NDArray

from experiment.drawing.typed_number import FIELD
from experiment.drawing.typeset import Picture
from experiment.record.events import BlankScene, MessageScene, ScaleScene, Scene, TextScene
from experiment.task.layout import Layout


@dataclass(frozen=True, eq=False)
class Placed:
    """A picture with its place: the pixels of its centre from the screen's centre, y up.

    The pixels are kept packed, in a twentieth of the memory: a window has them in its textures anyway.
    """

    x_px: int
    y_px: int
    width_px: int
    height_px: int
    sha256: str
    _packed: bytes = field(repr=False)

    @property
    def picture(self) -> Picture:
        """The picture, unpacked at each call."""
        pixels = np.frombuffer(zlib.decompress(self._packed), np.uint8)
        return Picture(pixels.reshape(self.height_px, self.width_px, 3))


def placed(picture: Picture, x_px: int, y_px: int) -> Placed:
    """A picture at its place."""
    packed = zlib.compress(picture.pixels.tobytes(), level=1)
    return Placed(x_px, y_px, picture.width_px, picture.height_px, picture.sha256, packed)


@dataclass(frozen=True, eq=False)
class Pictures:
    """All that a window will show. Messages are in it: as private as they are."""

    layout: Layout
    notice: Placed
    scenes: Mapping[Scene, Placed] = field(repr=False)
    buttons: Mapping[str, Placed] = field(repr=False)
    quiet_buttons: Mapping[str, Placed] = field(repr=False)  # those that cannot be pressed yet
    lines: Mapping[str, Placed] = field(repr=False)  # hints, and what is said of the progress
    marker: NDArray[np.uint8]
    mark: Placed | None
    square: tuple[Placed, Placed] | None  # for a photodiode: black, and white
    typed: Mapping[tuple[int, str], Placed]  # each character of a number at its place from the left; at 0 the field

    def parts(self, scene: Scene) -> list[Placed]:
        """What a scene consists of, in the order of drawing, but for the marker."""
        shown = [] if isinstance(scene, BlankScene) else [self.scenes[without_controls(scene)], *self._controls(scene)]
        if isinstance(scene, TextScene) and scene.typed is not UNSET:
            shown += [self.typed[place] for place in enumerate((FIELD, *scene.typed))]
        if self.mark is not None:
            shown.append(self.mark)
        if self.square is not None:
            shown.append(self.square[isinstance(scene, MessageScene | ScaleScene)])
        return shown

    def _controls(self, scene: TextScene | MessageScene | ScaleScene) -> list[Placed]:
        """What comes and goes on a scene."""
        line = scene.hint if isinstance(scene, ScaleScene) else getattr(scene, "progress", UNSET)
        named = (scene.button, self.buttons), (scene.unready, self.quiet_buttons), (line, self.lines)
        return [pictures[name] for name, pictures in named if isinstance(name, str)]

    def parts_of_all(self) -> list[Placed]:
        """Everything but the notice and the marker."""
        named = (self.scenes, self.buttons, self.quiet_buttons, self.lines, self.typed)
        parts = [part for pictures in named for part in pictures.values()]
        return [*parts, *([self.mark] if self.mark else []), *(self.square or ())]

    def marker_at(self, scene: Scene) -> tuple[int, int] | None:
        """Where the marker stands, if there is one."""
        if not isinstance(scene, ScaleScene) or scene.marker is None:
            return None
        return self.layout.scale(scene.scale).number_place(scene.marker)

    @property
    def message_sha256(self) -> dict[str, str]:
        """The digest of each message's pixels by the message's id."""
        scenes = self.scenes.items()
        return {scene.message_id: placed.sha256 for scene, placed in scenes if isinstance(scene, MessageScene)}


def without_controls(scene: Scene) -> Scene:
    """The scene without what comes and goes on it."""
    match scene:
        case ScaleScene():
            return structs.replace(scene, marker=None, button=None, unready=UNSET, hint=UNSET)
        case MessageScene():
            return structs.replace(scene, button=None, unready=UNSET, progress=UNSET)
        case TextScene():
            return structs.replace(scene, button=None, unready=UNSET, typed=UNSET)
        case BlankScene():
            return scene
