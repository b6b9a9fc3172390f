"""Every picture of a session, drawn before it begins: pages, messages, scales, buttons, marker and marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiment.design.colours import Rgb, rgb
from experiment.design.message import Message
from experiment.design.protocol import Protocol
from experiment.drawing.controls import (
    check_button_fits,
    check_line_fits,
    check_scale_fits,
    draw_button,
    draw_marker,
    draw_scale,
)
from experiment.drawing.message import TextBox, draw_messages, fitting_box
from experiment.drawing.page import TITLE, draw_page
from experiment.drawing.pictures import Pictures, Placed, placed, without_controls
from experiment.drawing.scripts import blank_glyphs, missing_glyphs
from experiment.drawing.typed_number import draw_number
from experiment.drawing.typeset import Drawings, Picture, Style, draw_text
from experiment.errors import BadInput
from experiment.record.events import MessageScene, ScaleScene, Scene, TextScene
from experiment.task.layout import Box, Layout
from experiment.task.scenes import AS_NAMED, Labels, pages, progress_line, question_scene, scenes

PILOT_MARK = "PILOT"
LineKind = Literal["hint", "progress"]
MESSAGE_SIZES = (32, 30, 28, 26, 24, 22, 20, 18)
RED, WHITE, BLACK = (0xB0, 0x2A, 0x30), (0xFF, 0xFF, 0xFF), (0, 0, 0)
PAGE_SIZE, SIGN_SIZE, BUTTON_SIZE, SCALE_SIZE = 28, 64, 20, 28
HINT_SIZE, PROGRESS_SIZE = 20, 16


def draw_pictures(
    protocol: Protocol,
    messages: Sequence[Message],
    layout: Layout,
    mark: str | None = None,
    *,
    photodiode: bool = False,
    labels: Labels = AS_NAMED,
    is_checked: bool = False,
) -> Pictures:
    """Draw everything that a session of these messages can show on a screen of this size; `mark` is a corner's text.

    The practice message is drawn like the others. BadInput names the message (by its id) that does not fit, or has a
    character that no font here can draw. `labels`: what is printed on keys, where it is not their name. `is_checked`:
    it also names a question, a label or a button that has not enough room; a past session's are drawn as they were.
    """
    draughtsman = _StimulusRenderer(protocol, layout, labels)
    if is_checked:
        draughtsman.check_controls()
    _check_glyphs(protocol, messages, labels)
    wording = protocol.wording
    buttons = (wording.next_button, wording.confirm_button)
    return Pictures(
        layout,
        draughtsman.text(TextScene(wording.loading)),
        draughtsman.scenes(messages),
        {label: draughtsman.button(label) for label in buttons},
        {label: draughtsman.button(label, is_ready=False) for label in buttons if protocol.display.quiet_button},
        draughtsman.lines(),
        draughtsman.marker(),
        None if mark is None else draughtsman.mark(mark),
        (draughtsman.square(BLACK), draughtsman.square(WHITE)) if photodiode else None,
        draughtsman.typed(),
    )


def draw_text_page(protocol: Protocol, page: TextScene, layout: Layout) -> Placed:
    """A page alone, as a session of this protocol shows it."""
    return _StimulusRenderer(protocol, layout, AS_NAMED).text(page)


def check_wording_fits(protocol: Protocol, layout: Layout) -> None:
    """BadInput if a page, a question, a label, a button or a line beside them has not enough room for its words."""
    draughtsman = _StimulusRenderer(protocol, layout, AS_NAMED)
    draughtsman.check_controls()
    for page in pages(protocol):
        draughtsman.text(page)


def rooms(layout: Layout, *, has_progress: bool = False) -> list[TextBox]:
    """Where messages may stand and in what type, the best first: at last in the smallest, on wider lines.

    `has_progress`: a line above says how far the session is.
    """
    usual, wide = layout.reading, layout.wide_reading(has_progress=has_progress)
    sizes_px = [layout.size(size) for size in MESSAGE_SIZES]
    best = [TextBox(size_px, usual.width_px, usual.height_px) for size_px in sizes_px]
    return [*best, TextBox(sizes_px[-1], wide.width_px, wide.height_px)]


def _check_glyphs(protocol: Protocol, messages: Sequence[Message], labels: Labels) -> None:
    """A character without a glyph would be a box on the screen, or nothing."""
    wording, own = protocol.wording, list[str]()
    for scene in scenes(protocol, labels):
        own += [scene.text] if isinstance(scene, TextScene) else [scene.question, *scene.scale.labels]
    own += [wording.loading, wording.next_button, wording.confirm_button, *_lines(protocol)]
    texts = [("The protocol's wording", protocol.language, "\n".join(own))]
    texts += [
        (f"Message {message.message_id}", message.language, f"{message.writer}\n{message.text}") for message in messages
    ]
    for what, language, text in texts:
        if clusters := missing_glyphs(text, language) or blank_glyphs(text, language):
            codes = " ".join(f"U+{ord(character):04X}" for character in clusters[0])
            raise BadInput(f"{what}: no font here can draw the character {codes}. Ask the writer for another.")


def _lines(protocol: Protocol) -> dict[str, LineKind]:
    """Every line that stands by a scale or a message."""
    hints = [question_scene(protocol, question).hint for question in protocol.rating.questions]
    progress = [progress_line(protocol, trial) for trial in range(1, protocol.messages + 1)]
    lines: dict[str, LineKind] = {hint: "hint" for hint in hints if isinstance(hint, str)}
    return lines | {line: "progress" for line in progress if line}


class _StimulusRenderer:
    """Draws in a protocol's colours for a screen of one size."""

    def __init__(self, protocol: Protocol, layout: Layout, labels: Labels) -> None:
        self.labels, self.protocol, self.layout, self.language = labels, protocol, layout, protocol.language
        display = protocol.display
        colours = (rgb(display.ink), rgb(display.background))
        self.style = Style(0, *colours, quiet=rgb(display.quiet), accent=rgb(display.accent))

    def scenes(self, messages: Sequence[Message]) -> dict[Scene, Placed]:
        """Every scene that is a picture of its own."""
        bare = dict.fromkeys(map(without_controls, scenes(self.protocol, self.labels)))
        drawn: dict[Scene, Placed] = {
            scene: self.text(scene) if isinstance(scene, TextScene) else self.scale(scene)
            for scene in bare
            if isinstance(scene, TextScene | ScaleScene)
        }
        return drawn | self.messages(messages)

    def messages(self, messages: Sequence[Message]) -> dict[Scene, Placed]:
        """The messages, all in one type size and in one place, so that all look alike."""
        display, drawings, layout = self.protocol.display, Drawings(), self.layout
        has_progress = bool(self.protocol.wording.progress)
        room = fitting_box(
            messages,
            rooms(layout, has_progress=has_progress),
            self.style,
            with_writer=display.show_writer,
            drawings=drawings,
        )
        places = layout.reading, layout.wide_reading(has_progress=has_progress)
        box = next(box for box in places if box.width_px == room.width_px)
        style = replace(self.style, size_px=room.size_px, width_px=room.width_px)
        drawn = draw_messages(
            messages, style, with_writer=display.show_writer, is_trimmed=bool(display.centred), drawings=drawings
        )
        return {
            MessageScene(message.message_id): placed(picture, box.x_px, box.y_px)
            for message, picture in zip(messages, drawn, strict=True)
        }

    def text(self, scene: TextScene) -> Placed:
        """A page in the reading area, or the sign in the middle of the screen."""
        if scene.style == "sign":
            return placed(draw_text(scene.text, self.sized(self.style, SIGN_SIZE), self.language), 0, 0)
        box = self.layout.reading
        style = replace(self.sized(self.style, PAGE_SIZE), width_px=box.width_px)
        picture = draw_page(scene.text, style, self.language, is_trimmed=bool(self.protocol.display.centred))
        if picture.height_px > box.height_px:
            beginning = scene.text.removeprefix(TITLE).split("\n")[0][:40]
            raise BadInput(
                f"The protocol's page {beginning!r} is too long for the screen. Shorten it, or split it in two."
            )
        return placed(picture, box.x_px, box.y_px)

    def scale(self, scene: ScaleScene) -> Placed:
        """A question with its scale."""
        places = self.layout.scale(scene.scale)
        picture = draw_scale(scene.question, places, self.sized(self.style, SCALE_SIZE), self.language)
        return placed(picture, 0, places.centre_y_px)

    def check_controls(self) -> None:
        """BadInput if a scale, a button or a line beside them has not enough room for its words."""
        wording, box, style = self.protocol.wording, self.layout.button, self.sized(self.style, SCALE_SIZE)
        for one in self.protocol.rating.questions:
            check_scale_fits(one.text, self.layout.scale(self.protocol.scale(one)), style, self.language)
        for label in (wording.next_button, wording.confirm_button):
            check_button_fits(label, box.width_px, box.height_px, self.sized(self.style, BUTTON_SIZE), self.language)
        self._check_closing()
        for line, kind in _lines(self.protocol).items():
            room, size = self._line_box(kind)
            check_line_fits(kind, line, (room.width_px, room.height_px), self.sized(self.style, size), self.language)

    def _check_closing(self) -> None:
        """The same for what is asked after the session; answers that need more room can be scrolled to."""
        page, button, protocol = self.layout.reading, self.layout.button, self.protocol
        for asked in [one for one in (protocol.guess, protocol.funnel) if one]:
            labels = (protocol.form_words(asked).next_button, asked.finish_button)
            lines = [("button", label, (button.width_px, button.height_px), BUTTON_SIZE) for label in labels]
            lines.append(("heading", asked.heading, (page.width_px, page.height_px), HINT_SIZE))
            for kind, line, room_px, size in lines:
                check_line_fits(kind, line, room_px, self.sized(self.style, size), self.language)
            style = replace(self.sized(self.style, PAGE_SIZE), width_px=page.width_px)
            for question in asked.questions:
                if draw_text(question.text, style, self.language).height_px > page.height_px / 2:
                    raise BadInput(f"The closing question {question.text[:40]!r} is too long. Shorten it.")

    def button(self, label: str, *, is_ready: bool = True) -> Placed:
        """A button in its place."""
        box, style = self.layout.button, self.sized(self.style, BUTTON_SIZE)
        picture = draw_button(label, box.width_px, box.height_px, style, self.language, is_ready=is_ready)
        return placed(picture, box.x_px, box.y_px)

    def lines(self) -> dict[str, Placed]:
        """Hints below scales, and what is said above messages."""
        quiet, drawn = replace(self.style, colour=rgb(self.protocol.display.quiet)), dict[str, Placed]()
        for line, kind in _lines(self.protocol).items():
            box, size = self._line_box(kind)
            drawn[line] = placed(draw_text(line, self.sized(quiet, size), self.language), box.x_px, box.y_px)
        return drawn

    def _line_box(self, kind: LineKind) -> tuple[Box, float]:
        """Where such a line stands, and its type size."""
        return (self.layout.hint, HINT_SIZE) if kind == "hint" else (self.layout.progress, PROGRESS_SIZE)

    def typed(self) -> dict[tuple[int, str], Placed]:
        """What a number consists of that the assistant types; nothing where none is."""
        style, is_asked = self.sized(self.style, SCALE_SIZE), self.protocol.objects and self.protocol.objects.measures
        drawn = draw_number(self.layout.typed, style, self.layout.even(2)) if is_asked else {}
        return {place: placed(*picture) for place, picture in drawn.items()}

    def marker(self) -> NDArray[np.uint8]:
        """The scale's marker, with its transparency (height, width, 4)."""
        return draw_marker(self.layout.marker_px, self.style)

    def mark(self, text: str) -> Placed:
        """A small mark in the top left corner."""
        picture = draw_text(
            text, replace(self.sized(self.style, BUTTON_SIZE), colour=WHITE, background=RED, weight=600)
        )
        x_px = -self.layout.width_px // 2 + picture.width_px // 2
        return placed(picture, x_px, self.layout.height_px // 2 - picture.height_px // 2)

    def square(self, colour: Rgb) -> Placed:
        """The square for a photodiode."""
        box = self.layout.photodiode
        pixels = np.full((box.height_px, box.width_px, 3), colour, np.uint8)
        return placed(Picture(pixels), box.x_px, box.y_px)

    def sized(self, style: Style, size: float) -> Style:
        """The style in a type size of so many units."""
        return replace(style, size_px=self.layout.size(size))
