"""The test set of messages in many writings: each letter leaves ink, and the pictures are those that were looked at.

The contact sheets are written as PNGs into pytest's temporary folder, and into the folder that DAYFOUR_PICTURES names.
After a change that people have looked at, `python -m tests.test_writings` writes the new digests.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
import regex

from experiment.design.colours import rgb
from experiment.design.message import Message, read_messages
from experiment.design.protocol import read_protocol
from experiment.drawing import fonts, scripts
from experiment.drawing.message import TextBox, draw_message, fitting_box, message_sizes_px
from experiment.drawing.scripts import blank_glyphs, missing_glyphs, needs_language
from experiment.drawing.stimuli import MESSAGE_SIZES
from experiment.drawing.typeset import Picture, Style, draw_text
from experiment.task.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
SET = ROOT / "tests" / "writings" / "messages.csv"
GOLDEN = ROOT / "tests" / "writings" / "golden.json"
MESSAGES = {message.message_id: message for message in read_messages(SET)}
SCREENS = (Layout(1280, 720), Layout(1920, 1080))
DISPLAY = read_protocol(ROOT / "stimuli" / "protocol.toml").display
STYLE = Style(24, rgb(DISPLAY.ink), rgb(DISPLAY.background), quiet=rgb(DISPLAY.quiet), accent=rgb(DISPLAY.accent))
SHEET_PX = (1300, 1180)  # height of a sheet, width of one of its two columns
WIDE = (1160, 600)  # units of the room for messages that are too long for the usual one
# Two hundred and fifty words, or as many letters as 250 words have where there are no spaces between them.
WORDY = ("german", "tamil", "malayalam", "arabic", "hindi", "amharic", "korean", "long")
UNSPACED = {"thai": 900, "khmer": 900, "burmese": 900, "chinese-simplified": 450, "japanese": 500}


def room_of(message: Message, layout: Layout) -> TextBox:
    """Where a session of this message alone shows it."""
    box, sizes_px = layout.reading, [layout.size(size) for size in MESSAGE_SIZES]
    rooms = [TextBox(size_px, box.width_px, box.height_px) for size_px in sizes_px]
    return fitting_box([message], [*rooms, TextBox(sizes_px[-1], layout.even(WIDE[0]), layout.even(WIDE[1]))])


def style_of(message: Message, layout: Layout) -> Style:
    """As a session of this message alone shows it."""
    room = room_of(message, layout)
    return replace(STYLE, size_px=room.size_px, width_px=room.width_px)


def drawn(message: Message, layout: Layout) -> Picture:
    """The picture of an invented message."""
    return draw_message(message.text, message.writer, style_of(message, layout), message.language)


class Facts(NamedTuple):
    """What is checked of a picture: its pixels would fill the memory."""

    size_px: tuple[int, int]
    edges_are_free: bool
    sha256: str


@functools.cache
def facts(message_id: str, layout: Layout) -> Facts:
    """The facts of an invented message's picture."""
    picture = drawn(MESSAGES[message_id], layout)
    marks = ink(picture)
    free = not (marks[[0, -1]].any() or marks[:, [0, -1]].any())
    return Facts((picture.width_px, picture.height_px), free, picture.sha256)


def golden(layouts: Sequence[Layout] = SCREENS) -> dict[str, dict[str, str]]:
    """What the pictures depend on, and their digests by screen and message."""
    digests = {
        f"{layout.width_px}x{layout.height_px}": {name: facts(name, layout).sha256 for name in MESSAGES}
        for layout in layouts
    }
    return {"versions": fonts.versions(), **digests}


def kept() -> dict[str, dict[str, str]]:
    """The digests of the pictures that were looked at."""
    read: dict[str, dict[str, str]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return read


def ink(picture: Picture) -> NDArray[np.bool_]:
    """Where a picture (height, width) differs from its background."""
    return np.asarray(np.any(picture.pixels != STYLE.background, axis=2))


def clusters(message: Message) -> list[str]:
    """The grapheme clusters of writer and text that are meant to be seen, once each."""
    found = dict.fromkeys(scripts.CLUSTER.findall(f"{message.writer}\n{message.text}"))
    return [cluster for cluster in found if not scripts.BLANK.fullmatch(cluster)]


def test_the_set_is_as_wide_as_the_world_is() -> None:
    """There are 64 messages or more over 22 scripts or more, from one heart to 250 words, none of them ambiguous."""
    everything = "".join(message.writer + message.text for message in MESSAGES.values())
    found = {name for name in (*fonts.SCRIPTS, "Latin", "Greek", "Cyrillic", "Han", "Hiragana", "Katakana", "Hangul")
             if regex.search(rf"\p{{Script={name}}}", everything)}  # fmt: skip
    counts = [len(message.text.split()) for message in MESSAGES.values()]
    assert len(MESSAGES) >= 64
    assert len(found) == len(fonts.SCRIPTS) + 7
    assert (min(counts), max(counts)) == (1, 250)
    assert not [one.message_id for one in MESSAGES.values() if needs_language(one.text, one.language)]


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_nothing_is_missing(message: Message) -> None:
    """The fonts have every letter of every message, and each leaves ink by their tables."""
    assert missing_glyphs(f"{message.writer}\n{message.text}", message.language) == []
    assert blank_glyphs(f"{message.writer}\n{message.text}", message.language) == []


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_every_cluster_leaves_ink(message: Message) -> None:
    """Every grapheme cluster that is not white space leaves ink when it is drawn, and none is the missing-glyph box.

    Each stands on a line of its own.
    """
    style = replace(STYLE, width_px=None)
    box = ink(draw_text("\U0010fffd", style))
    for some in (clusters(message)[at : at + 40] for at in range(0, len(clusters(message)), 40)):
        picture = draw_text("\n".join(["|", *some]), style, message.language)
        pitch = (picture.height_px - 2 * style.side_px) // (len(some) + 1)
        rows = ink(picture)[style.side_px :]
        for at, cluster in enumerate(some, start=1):
            line = rows[at * pitch : (at + 1) * pitch]
            assert line.any(), f"U+{ord(cluster[0]):04X}"
            assert not _holds(line, box), f"U+{ord(cluster[0]):04X}"


def _holds(line: NDArray[np.bool_], box: NDArray[np.bool_]) -> bool:
    """Whether the ink of a line is the ink of the box."""
    return np.array_equal(_trimmed(line), _trimmed(box))


def _trimmed(marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    return marks[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_the_box_of_a_missing_glyph_is_known() -> None:
    """A character that no font has is drawn as the box that the other tests look for."""
    style = replace(STYLE, width_px=None)
    assert _holds(ink(draw_text("\ue000", style)), ink(draw_text("\U0010fffd", style)))
    assert not _holds(ink(draw_text("a", style)), ink(draw_text("\U0010fffd", style)))


@pytest.mark.parametrize("layout", SCREENS, ids=["1280x720", "1920x1080"])
def test_every_message_is_drawn_whole(layout: Layout) -> None:
    """Every message fits its screen, with nothing on an edge, in the size that was known before it was drawn."""
    for message_id, message in MESSAGES.items():
        size_px, edges_are_free, _ = facts(message_id, layout)
        assert edges_are_free, message_id
        assert size_px[1] <= room_of(message, layout).height_px, message_id
        assert message_sizes_px([message], style_of(message, layout)) == [size_px], message_id


def test_the_digests_hold() -> None:
    """The pictures are, pixel by pixel, those that were looked at, made with the same fonts and typesetter."""
    assert golden() == kept()


def test_the_digests_hold_in_a_bare_process() -> None:
    """A process without any environment, home or system fonts draws the same pixels."""
    code = "import json; from tests.test_writings import SCREENS, golden; print(json.dumps(golden(SCREENS[:1])))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"HOME": "/nonexistent", "FONTCONFIG_FILE": os.devnull, "PYTHONHASHSEED": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {name: kept()[name] for name in ("versions", "1280x720")}


@pytest.mark.parametrize("message_id", [*WORDY, *UNSPACED])
def test_250_words_fit_on_the_smallest_screen(message_id: str) -> None:
    """Two hundred and fifty words fit at 1280 x 720 under a name, also in languages of long words and wide letters."""
    given = MESSAGES[message_id]
    pieces = list(given.text) if message_id in UNSPACED else re.findall(r"\S+\s*", f"{given.text} ")
    wanted = UNSPACED.get(message_id, 250)
    text = "".join((pieces * (wanted // len(pieces) + 1))[:wanted])
    room = room_of(Message("long", "Somebody dear", "friend", given.language, text), SCREENS[0])
    assert room.size_px >= 18


def begins_right(message_id: str) -> list[bool]:
    """Of each line of a message with ink, whether it touches the right side and not the left."""
    message = MESSAGES[message_id]
    style = replace(STYLE, width_px=920)
    marks = ink(draw_text(message.text, style, message.language))[style.side_px :]
    lines = [np.flatnonzero(marks[at : at + 36].any(axis=0)) for at in range(0, len(marks) - 36, 36)]
    return [bool(line[-1] > 860 and line[0] > 60) for line in lines if line.size]


def test_lines_begin_on_the_side_of_their_writing() -> None:
    """In Hebrew, Yiddish and Arabic verse the lines begin on the right, each greeting of a choir on its own side."""
    assert all(begins_right("hebrew-niqqud"))
    assert all(begins_right("arabic-vocalised"))
    assert begins_right("each-line-its-own") == [False, True, True, False, False, False, False, True]


@pytest.mark.parametrize("message_id", list(MESSAGES))
def test_what_is_read_first_stands_first(message_id: str) -> None:
    """A message cut at any of its lines' ends begins with the same lines: they stand from top to bottom as typed."""
    message = MESSAGES[message_id]
    style = replace(STYLE, width_px=920)
    whole = draw_text(message.text, style, message.language).pixels
    start = message.text.lstrip()[: len(message.text) // 2].rsplit(maxsplit=1)[0]
    begun = draw_text(start, style, message.language)
    kept = begun.height_px - style.side_px - 2 * 36  # all its lines but the last, which may hold less
    assert kept <= 0 or (whole[:kept] == begun.pixels[:kept]).all()


def test_the_contact_sheets_are_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every message stands on a sheet that a person can look at."""
    folder = Path(os.environ.get("DAYFOUR_PICTURES") or tmp_path_factory.mktemp("writings"))
    assert sum(write_sheets(folder)) == len(MESSAGES)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.glob("writings_*.png"))


def write_sheets(folder: Path) -> list[int]:
    """Draw all messages onto sheets of two columns, `writings_01.png` and so on; how many are on each."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    counts = []
    for number, columns in enumerate(sheets(), start=1):
        sheet = np.full((SHEET_PX[0], 2 * SHEET_PX[1], 3), 200, np.uint8)
        for at, column in enumerate(columns):
            y = 0
            for picture in column:
                sheet[y : y + picture.height_px, at * SHEET_PX[1] :][:, : picture.width_px] = picture.pixels
                y += picture.height_px + 8
        Image.fromarray(sheet).save(folder / f"writings_{number:02}.png")
        counts.append(sum(len(column) for column in columns))
    return counts


def sheets() -> list[list[list[Picture]]]:
    """The messages in columns, two to a sheet, as high as there is room."""
    columns: list[list[Picture]] = [[]]
    for message in MESSAGES.values():
        picture = drawn(message, SCREENS[0])
        if sum(one.height_px + 8 for one in columns[-1]) + picture.height_px > SHEET_PX[0]:
            columns.append([])
        columns[-1].append(picture)
    return [columns[at : at + 2] for at in range(0, len(columns), 2)]


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), indent=1) + "\n", encoding="utf-8")
