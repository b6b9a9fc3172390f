"""How desk, form, closing questions and the last page look, on three screens and in three languages.

Nothing is compared with an earlier picture: what is asked of a screenshot is what a person would ask of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from pyvirtualdisplay.display import Display

from experiment.design.colours import contrast, rgb
from experiment.design.protocol import read_protocol
from experiment.design.protocol_files import find_protocol
from experiment.drawing.stimuli import draw_text_page
from experiment.task.layout import Layout
from experiment.task.scenes import participant_page
from tests.assistant import WHITE, Area, areas
from tests.places import ROOT

if TYPE_CHECKING:
    from tests.lab import Pixels, Place

SIZES = ((1280, 720), (1920, 1080), (3840, 2160))
LANGUAGES = ("en", "de", "ar")
WINDOWS = ("desk", "form", "unfit", "interrupted", *(f"closing{number}" for number in range(1, 6)))
SCROLLED = ("unfit", "interrupted")  # which have more to say than the smallest screen has room for
CHOICES, LAST = ("closing2", "closing3"), "closing5"
LEAST_CONTRAST = 4.5  # WCAG 2.2, of text of this size


class Look:
    """A screenshot, and what Qt says of the words on it."""

    def __init__(self, folder: Path, window: str) -> None:
        self.pixels: Pixels = np.asarray(Image.open(folder / f"{window}.png"))
        self.words: list[dict[str, Any]] = json.loads((folder / f"{window}.json").read_text(encoding="utf-8"))

    def crop(self, words: dict[str, Any], inset_px: int) -> Pixels:
        """What is within a widget's place."""
        left, top, right, bottom = words["place"]
        return self.pixels[top + inset_px : bottom - inset_px, left + inset_px : right - inset_px]


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures for each screen and language."""
    folder = tmp_path_factory.mktemp("looks")
    for width_px, height_px in SIZES:
        with Display(size=(width_px, height_px), manage_global_env=False, extra_args=["-noreset"]) as server:
            for language in LANGUAGES:
                place = folder / f"{width_px}" / language
                place.mkdir(parents=True)
                environment = os.environ | {"DISPLAY": str(server.new_display_var)}
                command = [sys.executable, "-m", "tests.looks", language, str(place)]
                subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return folder


@pytest.fixture(params=SIZES, ids=lambda size_px: f"{size_px[0]}x{size_px[1]}")
def size_px(request: pytest.FixtureRequest) -> Place:
    """Each screen."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """Each language."""
    return str(request.param)


@pytest.fixture
def folder(looks: Path, size_px: Place, language: str) -> Path:
    """The pictures of a screen in a language."""
    return looks / str(size_px[0]) / language


@pytest.mark.parametrize("window", WINDOWS)
def test_all_words_have_room(folder: Path, size_px: Place, window: str) -> None:
    """No word is cut but at the end of a page that scrolls, none lies outside the screen, and no two overlap."""
    found = Look(folder, window).words
    assert found or window == LAST
    assert [one for one in found if not (one["has_room"] and one["is_across"])] == []
    assert all(one["is_whole"] for one in found) or (window in SCROLLED and size_px == SIZES[0])
    places = [Area(*one["place"]) for one in found]
    screen = Area(0, 0, *size_px)
    assert [place for place in places if not screen.holds(place)] == []
    assert [pair for pair in combinations(places, 2) if overlap(*pair)] == []


@pytest.mark.parametrize("window", WINDOWS)
def test_all_words_can_be_read(folder: Path, size_px: Place, window: str) -> None:
    """In the pixels of every label, field and button, the writing's contrast with its ground is at least 4.5 : 1."""
    look, inset_px = Look(folder, window), max(3, 4 * size_px[1] // 720)
    pale = {
        one["text"]: found
        for one in look.words
        if one["text"] and one["is_whole"] and (found := best_contrast(look.crop(one, inset_px))) < LEAST_CONTRAST
    }
    assert pale == {}


@pytest.mark.parametrize("window", CHOICES)
def test_answers_and_button_stand_on_one_axis(folder: Path, size_px: Place, window: str) -> None:
    """The choices and the button below have their middle in the middle of the screen, within a pixel."""
    look = Look(folder, window)
    boxes = [Area(*one["place"]) for one in look.words if one["kind"] in {"OptionButton", "QPushButton"}]
    assert len(boxes) == 4
    assert [one for one in boxes if abs(one.left + one.right - size_px[0]) > 2] == []
    seen = areas(look.pixels, WHITE, (size_px[0] // 2, 20))
    assert len(seen) == 3
    assert [one for one in seen if abs(one.left + one.right + 1 - size_px[0]) > 2] == []


@pytest.mark.parametrize("window", CHOICES)
def test_right_to_left_is_mirrored(folder: Path, size_px: Place, language: str, window: str) -> None:
    """A choice's ring, and the words beside it, stand where lines begin: in Arabic on the right."""
    look, corner_px = Look(folder, window), size_px[1] // 60
    for box in areas(look.pixels, WHITE, (size_px[0] // 2, 20)):
        within = look.pixels[box.top + corner_px : box.bottom - corner_px, box.left + corner_px : box.right - corner_px]
        ink = (within != WHITE).any(axis=2).any(axis=0)
        left_px, right_px = int(np.argmax(ink)), int(np.argmax(ink[::-1]))
        assert (right_px < left_px) is (language == "ar")
        assert min(left_px, right_px) < 40 * size_px[1] / 720


def test_the_last_page_is_the_tasks_own(folder: Path, size_px: Place, language: str) -> None:
    """After the questions, the page of words is the picture that the task draws, pixel by pixel and in its place."""
    protocol = read_protocol(find_protocol(Path(language)))
    layout = Layout(*size_px)
    drawn = draw_text_page(protocol, participant_page(protocol, protocol.wording.closing), layout)
    expected = np.full((size_px[1], size_px[0], 3), rgb(protocol.display.background), np.uint8)
    picture = drawn.picture
    top_px = layout.height_px // 2 - drawn.y_px - picture.height_px // 2
    left_px = layout.width_px // 2 + drawn.x_px - picture.width_px // 2
    expected[top_px:, left_px:][: picture.height_px, : picture.width_px] = picture.pixels
    assert int((Look(folder, LAST).pixels != expected).any(axis=2).sum()) == 0


def overlap(one: Area, other: Area) -> bool:
    """Whether two places have a pixel in common."""
    across = min(one.right, other.right) - max(one.left, other.left)
    return across > 0 and min(one.bottom, other.bottom) - max(one.top, other.top) > 0


def best_contrast(pixels: Pixels) -> float:
    """Of the most frequent colour with any other that more than two pixels have: the writing's full strokes."""
    packed = pixels.astype(np.uint32) @ np.array([0x10000, 0x100, 1], np.uint32)
    colours, counts = np.unique(packed, return_counts=True)
    named = [f"#{colour:06x}" for colour in colours.tolist()]
    ground = named[int(counts.argmax())]
    return max((contrast(ground, one) for one, count in zip(named, counts, strict=True) if count > 2), default=1.0)
