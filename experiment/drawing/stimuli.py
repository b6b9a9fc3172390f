"""Every picture of a session, drawn before it begins: pages, messages, scales, buttons, marker and marks."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

import numpy as np
from msgspec import UNSET, structs
from numpy.typing import NDArray

from experiment.design.colours import Rgb, rgb
from experiment.design.message import Message
from experiment.design.protocol import Protocol
from experiment.drawing.controls import check_button_fits, check_scale_fits, draw_button, draw_marker, draw_scale
from experiment.drawing.message import TextBox, draw_messages, fitting_box
from experiment.drawing.scripts import blank_glyphs, missing_glyphs
from experiment.drawing.typed_number import FIELD, draw_number
from experiment.drawing.typeset import Drawings, Picture, Style, draw_text
from experiment.errors import BadInput
from experiment.record.events import BlankScene, MessageScene, ScaleScene, Scene, TextScene
from experiment.system import no_core_dumps
from experiment.task.layout import Layout
from experiment.task.scenes import AS_NAMED, Labels, scenes

PILOT_MARK = "PILOT"
MESSAGE_SIZES = (32, 30, 28, 26, 24, 22, 20, 18)
RED, WHITE, BLACK = (0xB0, 0x2A, 0x30), (0xFF, 0xFF, 0xFF), (0, 0, 0)
PAGE_SIZE, SIGN_SIZE, BUTTON_SIZE, SCALE_SIZE = 28, 64, 20, 28


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


def _placed(picture: Picture, x_px: int, y_px: int) -> Placed:
    packed = zlib.compress(picture.pixels.tobytes(), level=1)
    return Placed(x_px, y_px, picture.width_px, picture.height_px, picture.sha256, packed)


@dataclass(frozen=True, eq=False)
class Pictures:
    """All that a window will show. Messages are in it: as private as they are."""

    layout: Layout
    notice: Placed
    scenes: Mapping[Scene, Placed] = field(repr=False)
    buttons: Mapping[str, Placed] = field(repr=False)
    marker: NDArray[np.uint8]
    mark: Placed | None
    square: tuple[Placed, Placed] | None  # for a photodiode: black, and white
    typed: Mapping[tuple[int, str], Placed]  # each character of a number at its place from the left; at 0 the field

    def parts(self, scene: Scene) -> list[Placed]:
        """What a scene consists of, in the order of drawing, but for the marker."""
        shown = [] if isinstance(scene, BlankScene) else [self.scenes[without_controls(scene)]]
        if not isinstance(scene, BlankScene) and scene.button is not None:
            shown.append(self.buttons[scene.button])
        if isinstance(scene, TextScene) and scene.typed is not UNSET:
            shown += [self.typed[place] for place in enumerate((FIELD, *scene.typed))]
        if self.mark is not None:
            shown.append(self.mark)
        if self.square is not None:
            shown.append(self.square[isinstance(scene, MessageScene | ScaleScene)])
        return shown

    def parts_of_all(self) -> list[Placed]:
        """Everything but the notice and the marker."""
        return [
            *self.scenes.values(),
            *self.buttons.values(),
            *self.typed.values(),
            *([self.mark] if self.mark else []),
            *(self.square or ()),
        ]

    def marker_at(self, scene: Scene) -> tuple[int, int] | None:
        """Where the marker stands, if there is one."""
        if not isinstance(scene, ScaleScene) or scene.marker is None:
            return None
        return self.layout.scale(scene.points).point_place(scene.marker)

    @property
    def message_sha256(self) -> dict[str, str]:
        """The digest of each message's pixels by the message's id."""
        return {
            scene.message_id: placed.sha256 for scene, placed in self.scenes.items() if isinstance(scene, MessageScene)
        }


def without_controls(scene: Scene) -> Scene:
    """The scene without what comes and goes on it."""
    match scene:
        case ScaleScene():
            return structs.replace(scene, marker=None, button=None)
        case TextScene():
            return structs.replace(scene, button=None, typed=UNSET)
        case MessageScene():
            return structs.replace(scene, button=None)
        case BlankScene():
            return scene


def draw_pictures(
    protocol: Protocol,
    messages: Sequence[Message],
    layout: Layout,
    mark: str | None = None,
    *,
    photodiode: bool = False,
    labels: Labels = AS_NAMED,
) -> Pictures:
    """Draw everything that a session of these messages can show on a screen of this size; `mark` is a corner's text.

    The practice message is drawn like the others. BadInput names the message (by its id) that does not fit, or has a
    character that no font here can draw. `labels`: what is printed on keys, where it is not their name.
    """
    _check_glyphs(protocol, messages, labels)
    draughtsman = _StimulusRenderer(protocol, layout, labels)
    wording = protocol.wording
    return Pictures(
        layout,
        draughtsman.text(TextScene(wording.loading)),
        draughtsman.scenes(messages),
        {label: draughtsman.button(label) for label in (wording.next_button, wording.confirm_button)},
        draughtsman.marker(),
        None if mark is None else draughtsman.mark(mark),
        (draughtsman.square(BLACK), draughtsman.square(WHITE)) if photodiode else None,
        draughtsman.typed(),
    )


def draw_in_background(
    protocol: Protocol,
    messages: Sequence[Message],
    layout: Layout,
    mark: str | None = None,
    *,
    photodiode: bool = False,
    labels: Labels = AS_NAMED,
) -> Future[Pictures]:
    """The same for a session, in a process of its own whose memory is freed, and which delays nothing here.

    BadInput also names a question, a label or a button that has not enough room.
    """
    pool = ProcessPoolExecutor(1, get_context("spawn"), no_core_dumps)  # it holds the messages too
    drawing = pool.submit(draw_checked, protocol, messages, layout, mark, photodiode=photodiode, labels=labels)
    pool.shutdown(wait=False)
    return drawing


def draw_checked(
    protocol: Protocol,
    messages: Sequence[Message],
    layout: Layout,
    mark: str | None = None,
    *,
    photodiode: bool = False,
    labels: Labels = AS_NAMED,
) -> Pictures:
    """The pictures of a session to come; those of a past one are drawn as they were, whether all fits or not."""
    _StimulusRenderer(protocol, layout, labels).check_controls()
    return draw_pictures(protocol, messages, layout, mark, photodiode=photodiode, labels=labels)


def rooms(layout: Layout) -> list[TextBox]:
    """Where messages may stand and in what type, the best first: at last in the smallest, on wider lines."""
    usual, wide, sizes_px = layout.reading, layout.wide_reading, [layout.size(size) for size in MESSAGE_SIZES]
    best = [TextBox(size_px, usual.width_px, usual.height_px) for size_px in sizes_px]
    return [*best, TextBox(sizes_px[-1], wide.width_px, wide.height_px)]


def _check_glyphs(protocol: Protocol, messages: Sequence[Message], labels: Labels) -> None:
    """A character without a glyph would be a box on the screen, or nothing."""
    wording, own = protocol.wording, list[str]()
    for scene in scenes(protocol, labels):
        own += [scene.text] if isinstance(scene, TextScene) else [scene.question, scene.low, scene.high]
    own += [wording.loading, wording.next_button, wording.confirm_button]
    texts = [("The protocol's wording", protocol.language, "\n".join(own))]
    texts += [
        (f"Message {message.message_id}", message.language, f"{message.writer}\n{message.text}") for message in messages
    ]
    for what, language, text in texts:
        if clusters := missing_glyphs(text, language) or blank_glyphs(text, language):
            codes = " ".join(f"U+{ord(character):04X}" for character in clusters[0])
            raise BadInput(f"{what}: no font here can draw the character {codes}. Ask the writer for another.")


class _StimulusRenderer:
    """Draws in a protocol's colours for a screen of one size."""

    def __init__(self, protocol: Protocol, layout: Layout, labels: Labels) -> None:
        self.labels, self.protocol, self.layout, self.language = labels, protocol, layout, protocol.language
        display = protocol.display
        colours = (rgb(display.ink), rgb(display.background))
        self.style = Style(0, *colours, quiet=rgb(display.quiet), accent=rgb(display.accent))

    def scenes(self, messages: Sequence[Message]) -> dict[Scene, Placed]:
        """Every scene that is a picture of its own."""
        drawn: dict[Scene, Placed] = {
            scene: self.text(scene) if isinstance(scene, TextScene) else self.scale(scene)
            for scene in scenes(self.protocol, self.labels)
        }
        return drawn | self.messages(messages)

    def messages(self, messages: Sequence[Message]) -> dict[Scene, Placed]:
        """The messages, all in one type size and in one place, so that all look alike."""
        with_writer = self.protocol.display.show_writer
        drawings: Drawings = {}
        room = fitting_box(messages, rooms(self.layout), self.style, with_writer=with_writer, drawings=drawings)
        box = next(box for box in (self.layout.reading, self.layout.wide_reading) if box.width_px == room.width_px)
        style = replace(self.style, size_px=room.size_px, width_px=room.width_px)
        drawn = draw_messages(messages, style, with_writer=with_writer, drawings=drawings)
        return {
            MessageScene(message.message_id): _placed(picture, box.x_px, box.y_px)
            for message, picture in zip(messages, drawn, strict=True)
        }

    def text(self, scene: TextScene) -> Placed:
        """A page in the reading area, or the sign in the middle of the screen."""
        if scene.style == "sign":
            return _placed(draw_text(scene.text, self.sized(self.style, SIGN_SIZE), self.language), 0, 0)
        box = self.layout.reading
        style = replace(self.sized(self.style, PAGE_SIZE), width_px=box.width_px)
        picture = draw_text(scene.text, style, self.language)
        if picture.height_px > box.height_px:
            beginning = scene.text.split("\n")[0][:40]
            raise BadInput(
                f"The protocol's page {beginning!r} is too long for the screen. Shorten it, or split it in two."
            )
        return _placed(picture, box.x_px, box.y_px)

    def scale(self, scene: ScaleScene) -> Placed:
        """A question with its scale."""
        places, style = self.layout.scale(scene.points), self.sized(self.style, SCALE_SIZE)
        picture = draw_scale(scene.question, (scene.low, scene.high), places, style, self.language)
        return _placed(picture, 0, places.centre_y_px)

    def check_controls(self) -> None:
        """BadInput if a scale or a button has not enough room for its words."""
        rating, wording, box = self.protocol.rating, self.protocol.wording, self.layout.button
        places, style = self.layout.scale(rating.points), self.sized(self.style, SCALE_SIZE)
        for one in rating.questions:
            check_scale_fits(one.text, (one.low, one.high), places, style, self.language)
        for label in (wording.next_button, wording.confirm_button):
            check_button_fits(label, box.width_px, box.height_px, self.sized(self.style, BUTTON_SIZE), self.language)

    def button(self, label: str) -> Placed:
        """A button in its place."""
        box = self.layout.button
        picture = draw_button(label, box.width_px, box.height_px, self.sized(self.style, BUTTON_SIZE), self.language)
        return _placed(picture, box.x_px, box.y_px)

    def typed(self) -> dict[tuple[int, str], Placed]:
        """What a number consists of that the assistant types; nothing where none is."""
        style, is_asked = self.sized(self.style, SCALE_SIZE), self.protocol.objects and self.protocol.objects.measures
        drawn = draw_number(self.layout.typed, style, self.layout.even(2)) if is_asked else {}
        return {place: _placed(*picture) for place, picture in drawn.items()}

    def marker(self) -> NDArray[np.uint8]:
        """The scale's marker, with its transparency (height, width, 4)."""
        return draw_marker(self.layout.marker_px, self.style)

    def mark(self, text: str) -> Placed:
        """A small mark in the top left corner."""
        picture = draw_text(
            text, replace(self.sized(self.style, BUTTON_SIZE), colour=WHITE, background=RED, weight=600)
        )
        x_px = -self.layout.width_px // 2 + picture.width_px // 2
        return _placed(picture, x_px, self.layout.height_px // 2 - picture.height_px // 2)

    def square(self, colour: Rgb) -> Placed:
        """The square for a photodiode."""
        box = self.layout.photodiode
        pixels = np.full((box.height_px, box.width_px, 3), colour, np.uint8)
        return _placed(Picture(pixels), box.x_px, box.y_px)

    def sized(self, style: Style, size: float) -> Style:
        """The style in a type size of so many units."""
        return replace(style, size_px=self.layout.size(size))
