"""What a participant will see, for the person who may see it: every message's screen, on one picture and one page.

Each screen is composed of the pictures that a session draws, and shown with the SHA-256 that its transcript will hold.
Messages stand in the order of their file, so that nothing tells in which order a session will show them.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from experiment.design.colours import rgb
from experiment.design.message import Message, count_words, hide_digests, practice_message
from experiment.design.message_sets import Sets
from experiment.design.protocol import Protocol
from experiment.design.session import check_subject
from experiment.design.visit import subject_name
from experiment.drawing.composite import Pixels, compose_screen, resize
from experiment.drawing.scripts import LANGUAGE, blank_glyphs, missing_glyphs
from experiment.drawing.stimuli import draw_pictures
from experiment.drawing.typeset import Style, draw_text
from experiment.messages.check import check_set
from experiment.messages.check_message import is_empty
from experiment.messages.legibility import sizes_of
from experiment.record.events import MessageScene
from experiment.storage.atomic_file import write_whole
from experiment.storage.html import fill_template
from experiment.task.layout import Layout

PRIVATE = (
    "Private: these messages are for {participant} only. Do not show to the research assistant. Do not send or keep."
)
COLUMNS, SMALL_PX = 3, 640
GAP_PX, CAPTION_PX = 24, 64
INK, QUIET, PAPER, WARNING = (0x26, 0x23, 0x1F), (0x6E, 0x67, 0x5D), (0xE4, 0xDF, 0xD5), (0xB0, 0x2A, 0x30)


@dataclass(frozen=True, eq=False)
class PreviewScreen:
    """A message's whole screen, pixels (height, width, 3), and what is said about it; as private as the message.

    `sha256` is that of the message's own picture, as the transcript has it under `pictures_sha256`.
    """

    message_id: str
    relationship: str
    words: int
    size_px: float
    sha256: str
    pixels: Pixels = field(repr=False)


def preview(
    subject: str, messages: Sequence[Message], protocol: Protocol, layout: Layout, out: Path, sets: Sets = ()
) -> tuple[Path, Path, list[str]]:
    """Write `sub-<ID>.png` and `sub-<ID>.html`, readable for their owner only, into the folder `out`.

    `sets`: the ids of the messages of each session, where a split was drawn; their type sizes can differ. Messages that
    cannot be drawn are left out, and their ids come with the two files. Raises EquipmentFailure if the files
    cannot be saved.
    """
    shown = drawable(messages, protocol, layout)
    left_out = [message.message_id for message in messages if message not in shown]
    groups = [screens(group, protocol, layout, messages) for group in _groups(shown, sets)]
    found = check_set(check_subject(subject), messages, protocol, layout)
    notice = PRIVATE.format(participant=subject_name(subject))
    html = fill_template(
        Path(__file__).with_name("preview.jinja"), {"data": _data_uri}, subject=subject, notice=notice, groups=groups,
        layout=layout, findings=found, left_out=left_out, undrawn=protocol.message_sets == "split" and not sets,
    )  # fmt: skip
    sheet, page = (out / f"{subject_name(subject)}{ending}" for ending in (".png", ".html"))
    write_whole(sheet, _png(contact_sheet(notice, groups, layout)), private=True)
    write_whole(page, html, private=True)
    return sheet, page, left_out


def drawable(messages: Sequence[Message], protocol: Protocol, layout: Layout) -> list[Message]:
    """The messages that have something to show, which the fonts can draw and which fit on the screen."""
    legible = [message for message in messages if _is_legible(message)]
    too_long = sizes_of(legible, protocol, layout).too_long
    return [message for message in legible if message.message_id not in too_long]


def _is_legible(message: Message) -> bool:
    if is_empty(message.text) or (message.language and not LANGUAGE.fullmatch(message.language)):
        return False
    text = f"{message.writer}\n{message.text}"
    return not (missing_glyphs(text, message.language) or blank_glyphs(text, message.language))


def screens(
    messages: Sequence[Message], protocol: Protocol, layout: Layout, every: Sequence[Message]
) -> list[PreviewScreen]:
    """The screens of messages that one session shows, in the given order, with the button that comes in the end.

    `every`: all messages of the participant, by which their digests are hidden.
    """
    pictures = draw_pictures(protocol, (practice_message(protocol), *messages), layout)
    digests = hide_digests(pictures.message_sha256, every)
    background = rgb(protocol.display.background)
    size_px, button = layout.size(sizes_of(messages, protocol, layout).together), protocol.wording.next_button
    return [
        PreviewScreen(
            message.message_id,
            message.relationship,
            count_words(message.text),
            size_px,
            digests[message.message_id],
            compose_screen(pictures, background, MessageScene(message.message_id, button)),
        )
        for message in messages
    ]


def contact_sheet(notice: str, groups: Sequence[Sequence[PreviewScreen]], layout: Layout) -> Pixels:
    """All screens on one picture, three in a row, each group from a new row; with captions, under a notice."""
    height_px = round(SMALL_PX * layout.height_px / layout.width_px)
    rows = [group[at : at + COLUMNS] for group in groups for at in range(0, len(group), COLUMNS)]
    top_px, row_px = 4 * GAP_PX, height_px + CAPTION_PX + GAP_PX
    sheet = np.empty((top_px + row_px * len(rows), GAP_PX + COLUMNS * (SMALL_PX + GAP_PX), 3), np.uint8)
    sheet[:] = PAPER
    _write(sheet, notice, GAP_PX, GAP_PX, Style(26, WARNING, PAPER, weight=600))
    for number, row in enumerate(rows):
        for column, screen in enumerate(row):
            left_px, at_px = GAP_PX + column * (SMALL_PX + GAP_PX), top_px + number * row_px
            sheet[at_px : at_px + height_px, left_px : left_px + SMALL_PX] = resize(
                screen.pixels, (SMALL_PX, height_px)
            )
            caption = f"{screen.message_id}  ·  {screen.words} words  ·  {screen.size_px:g} px"
            _write(sheet, caption, left_px, at_px + height_px + 2, Style(17, INK, PAPER, weight=600))
            _write(sheet, screen.sha256, left_px, at_px + height_px + 28, Style(13, QUIET, PAPER))
    return sheet


def _groups(messages: Sequence[Message], sets: Sets) -> Iterator[Sequence[Message]]:
    """The sessions' messages in the order of the file, not of the sessions."""
    groups = [[message for message in messages if message.message_id in own] for own in sets] or [list(messages)]
    yield from sorted(filter(None, groups), key=lambda group: messages.index(group[0]))


def _write(sheet: Pixels, text: str, left_px: int, top_px: int, style: Style) -> None:
    drawn = draw_text(text, style).pixels[:, style.side_px :]  # so that lines of different sizes begin below each other
    room = sheet[top_px : top_px + drawn.shape[0], left_px : left_px + drawn.shape[1]]
    room[:] = drawn[: room.shape[0], : room.shape[1]]


def _png(pixels: Pixels) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _data_uri(pixels: Pixels) -> str:
    return f"data:image/png;base64,{b64encode(_png(pixels)).decode('ascii')}"
