"""The test set of messages in many writings, drawn by PsychoPy's TextStim and TextBox2 and by us: right or wrong.

Each is drawn black on white, in type of about 28 pixels and 920 pixels wide, in a window of 1280 x 720 on a virtual
display. TextStim and TextBox2 are handed the file of the font that has most of the message's letters, and their
`languageStyle` for Arabic and Hebrew; a process that dies goes on with the next message. The verdict looks at pixels
only, and is the same for all three. A picture is wrong if

- crash: there is none;
- outside: ink leaves the width that was asked for (by more than 1 em), or reaches the window's edge;
- boxes: the box of that font's missing glyph is found;
- words: fewer than 4 of 5 words are found. A word is looked for as HarfBuzz shapes it and FreeType draws it, in the
  same font and size, both blurred a little, by normalised correlation: at least `FOUND`. In Thai and other scripts
  without spaces, a "word" is three clusters. Up to 12 different words that stand only once in the message;
- marks: of the words with accents or vowel signs that were found, more than 1 in 4 look more like the word without;
- order: where one word follows another, it stands above it, or on the same line on the wrong side (words of one
  direction only), for more than 1 pair in 10;
- hyphens: a line ends with one, and the message has none;
- colour: it has emoji, and too few coloured pixels.

Each method's size of type is calibrated on the plain English messages of the examples, which all methods draw right,
and `FOUND` lies below what 19 of 20 words reach there. The verdict is mild: soft hyphens that show, signs that are
missing between words, and marks that stand somewhat off are not seen. Amharic is judged too hard, as its hinted letters
look unlike those that are not. Pictures go to the folder that DAYFOUR_PICTURES
names, with the verdict in the file's name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import freetype  # type: ignore[import-untyped]
import numpy as np
import regex
import uharfbuzz
from numpy.typing import NDArray
from PIL import Image

from experiment.design.message import Message, read_messages
from experiment.drawing import fonts, scripts
from experiment.drawing.typeset import Style, draw_text
from tests.bench.reporting import HEIGHT_PX, ROOT, WIDTH_PX, display, environment, print_table

SIZE_PX, COLUMN_PX = 28, 920
METHODS = ("ours", "TextStim", "TextBox2")
LONG, LONG_SIZE_PX = 1000, 18  # letters of a message that fits the window only in small type
WORDS, FOUND, SHARE_FOUND, SHARE_BARE, SHARE_UNORDERED = 12, 0.88, 0.8, 0.25, 0.1
BOX = 0.95  # how like the missing glyph's box a place must be
COLOURED_PX = 0.05 * SIZE_PX**2  # of an emoji, at least
KINDS = ("crash", "outside", "boxes", "words", "marks", "order", "hyphens", "colour")
BLUR_PX = 1.0
MARKS = regex.compile(r"\p{M}")
EDGES = r"^[\p{P}\p{S}\p{Cf}]+|[\p{P}\p{S}\p{Cf}]+$"
SPACELESS = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Han}\p{Hiragana}\p{Katakana}]")

Pixels = NDArray[np.uint8]


class Match(NamedTuple):
    """How alike the most similar place is (0 to 1), and where: the word's left end and its line's height."""

    score: float
    x_px: int
    y_px: int


# Drawing, in a process of its own


def type_px(message: Message) -> int:
    """The size of type that is asked for."""
    return LONG_SIZE_PX if len(message.text) > LONG else SIZE_PX


def main_font(message: Message) -> str:
    """The family that draws most of a message."""
    known = scripts.families(message.text, message.language)
    drawn = Counter(scripts._drawing(cluster, known) for cluster in scripts.CLUSTER.findall(message.text))
    return max((family for family in drawn if family), key=lambda family: drawn[family])


def family_in_file(family: str) -> str:
    """The name of a file's first face, which is all that PsychoPy opens."""
    return "Noto Sans CJK JP" if family == fonts.CJK_FAMILY else family


def style_of(message: Message) -> str:
    """PsychoPy's name for the direction of a message."""
    if scripts.direction_of(message.text) == "ltr":
        return "LTR"
    return "Arabic" if regex.search(r"\p{Arabic}", message.text) else "RTL"


def draw_ours(_window: Any, message: Message) -> Callable[[], None]:
    """Our own picture, as it is shown."""
    from psychopy.visual import ImageStim

    picture = draw_text(message.text, Style(type_px(message), (0, 0, 0), (255, 255, 255), COLUMN_PX), message.language)
    image = Image.fromarray(picture.pixels)
    size = (picture.width_px, picture.height_px)
    return ImageStim(_window, image, units="pix", size=size, interpolate=False).draw  # type: ignore[no-any-return]


def draw_text_stim(window: Any, message: Message) -> Callable[[], None]:
    """PsychoPy's TextStim."""
    from psychopy.visual import TextStim

    family = main_font(message)
    path, _ = fonts.font_file(family)
    return TextStim(  # type: ignore[no-any-return]
        window, message.text, font=family_in_file(family), fontFiles=[str(path)], height=type_px(message),
        wrapWidth=COLUMN_PX, color="black", units="pix", alignText="left", languageStyle=style_of(message),
    ).draw  # fmt: skip


def draw_text_box(window: Any, message: Message) -> Callable[[], None]:
    """PsychoPy's TextBox2."""
    from psychopy.visual import TextBox2
    from psychopy.visual.textbox2 import textbox2

    family = main_font(message)
    path, _ = fonts.font_file(family)
    textbox2.allFonts.addFontFile(str(path))
    return TextBox2(  # type: ignore[no-any-return]
        window, message.text, font=family_in_file(family), letterHeight=type_px(message), size=(COLUMN_PX, 600),
        color="black", units="pix", alignment="left", languageStyle=style_of(message), lineSpacing=1.2,
    ).draw  # fmt: skip


DRAW = {"ours": draw_ours, "TextStim": draw_text_stim, "TextBox2": draw_text_box}


def draw_all(method: str, folder: Path, start: int) -> None:
    """Draw the messages from this one on, each into a PNG; one that raises has none."""
    from psychopy.visual import Window

    window = Window((WIDTH_PX, HEIGHT_PX), color="white", units="pix", checkTiming=False)
    for number, message in list(enumerate(messages()))[start:]:
        (folder / "at").write_text(str(number), encoding="ascii")
        try:
            draw = DRAW[method](window, message)
            draw()
            window.getMovieFrame("back")
            window.clearBuffer()
        except Exception:  # noqa: BLE001 - whatever PsychoPy raises is a crash
            window.movieFrames = []
            continue
        window.movieFrames[0].convert("RGB").save(folder / f"{method}_{message.message_id}.png")
        window.movieFrames = []
    (folder / "at").write_text("-1", encoding="ascii")


def pictures(method: str, folder: Path) -> dict[str, Pixels | None]:
    """Every message as this method draws it; None where it crashes."""
    start = 0
    while start >= 0:
        code = f"from tests.bench.bench_writing import *; draw_all({method!r}, Path({str(folder)!r}), {start})"
        subprocess.run([sys.executable, "-c", code], env=environment(), cwd=ROOT, capture_output=True, check=False)
        at = int((folder / "at").read_text(encoding="ascii"))
        start = at + 1 if at >= 0 else -1
        if start >= len(messages()):
            break
    paths = {message.message_id: folder / f"{method}_{message.message_id}.png" for message in messages()}
    return {name: np.asarray(Image.open(path)) if path.exists() else None for name, path in paths.items()}


@cache
def messages() -> tuple[Message, ...]:
    """The plain ones for the calibration first, then the test set."""
    plain = [
        Message(f"plain-{one.message_id}", one.writer, one.relationship, one.language, one.text[:400])
        for one in read_messages(ROOT / "stimuli" / "examples" / "english.csv")
    ]
    return (*plain, *read_messages(ROOT / "tests" / "writings" / "messages.csv"))


# Judging


@cache
def reference(word: str, family: str, language: str, size_px: float) -> NDArray[np.float32]:
    """A word as HarfBuzz shapes it and FreeType draws it."""
    buffer = uharfbuzz.Buffer()
    buffer.add_str(word)
    buffer.guess_segment_properties()
    buffer.language = language
    uharfbuzz.shape(fonts._font(family), buffer)
    places = [(one.x_offset, one.y_offset, one.x_advance) for one in buffer.glyph_positions]
    return image([info.codepoint for info in buffer.glyph_infos], places, family, size_px)


def image(numbers: list[int], places: list[tuple[int, int, int]], family: str, size_px: float) -> NDArray[np.float32]:
    """Glyphs with their offsets and advances in the font's units: ink is positive, blurred, with 3 pixels around."""
    path, index = fonts.font_file(family)
    face = freetype.Face(str(path), index)
    if not face.is_scalable:  # emoji are judged by their colour
        return np.zeros((1, 1), np.float32)
    face.set_char_size(round(size_px * 64), hres=72, vres=72)
    scale = size_px / fonts._font(family).face.upem
    page = np.zeros((round(5 * size_px), round(size_px * (2.5 * len(numbers) + 5))), np.float32)
    x, y = 2 * size_px, 3 * size_px
    for number, (right, up, advance) in zip(numbers, places, strict=True):
        face.load_glyph(number, freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING)
        bitmap = face.glyph.bitmap
        marks = np.array(bitmap.buffer, np.float32).reshape(bitmap.rows, bitmap.pitch)[:, : bitmap.width]
        left, top = round(x + right * scale) + face.glyph.bitmap_left, round(y - up * scale) - face.glyph.bitmap_top
        area = page[top : top + bitmap.rows, left : left + bitmap.width]
        np.maximum(area, marks, out=area)
        x += advance * scale
    rows, columns = np.flatnonzero(page.any(axis=1)), np.flatnonzero(page.any(axis=0))
    if not rows.size:
        return np.zeros((1, 1), np.float32)
    cut = page[rows[0] - 3 : rows[-1] + 4, columns[0] - 3 : columns[-1] + 4]
    return blurred(np.asarray(cut, np.float32))


def blurred(marks: NDArray[np.float32]) -> NDArray[np.float32]:
    """So that half a pixel makes no difference."""
    soft: NDArray[np.float32] = cv2.GaussianBlur(marks, (0, 0), BLUR_PX).astype(np.float32)
    return soft


def ink_of(picture: Pixels) -> NDArray[np.float32]:
    """How dark each pixel is, 0 to 255."""
    return np.asarray(255 - picture.min(axis=2), np.float32)


def found(page: NDArray[np.float32], word: str, message: Message, size_px: float) -> Match:
    """Where a word stands in a picture, by the language's forms or the font's own."""
    family = scripts._drawing(scripts.CLUSTER.findall(word)[0], scripts.families(word, message.language)) or ""
    languages = {scripts.typst_language(message.text, message.language)[0], "en"}
    return max(likest(page, reference(word, family, language, size_px)) for language in languages)


def likest(page: NDArray[np.float32], sought: NDArray[np.float32]) -> Match:
    """The place that is most like what is sought."""
    if sought.size == 1 or sought.shape[0] > page.shape[0] or sought.shape[1] > page.shape[1]:
        return Match(0, 0, 0)
    likeness = cv2.matchTemplate(page, sought, cv2.TM_CCOEFF_NORMED)
    rows, columns = likeness.shape
    inked = cv2.boxFilter(page, -1, sought.shape[::-1], anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    likeness[inked[:rows, :columns] < 0.4 * sought.mean()] = 0  # of nothing it is undefined
    _, score, _, (x, y) = cv2.minMaxLoc(likeness)
    return Match(float(score), x, y + sought.shape[0] // 2)


def words_of(message: Message) -> list[str]:
    """Different words, each of one font and standing only once, in the order of the text; at most `WORDS`."""
    text = "".join(run.text if not run.is_emoji else " " for line in scripts.lines_of(message.text) for run in (
        *scripts.runs_of(line), scripts.Run(" ", is_emoji=False)))  # fmt: skip
    pieces: list[str] = []
    for raw in text.split():
        word = regex.sub(EDGES, "", raw)
        clusters = scripts.CLUSTER.findall(word)
        if SPACELESS.search(word):
            pieces += ["".join(clusters[at : at + 3]) for at in range(0, len(clusters) - 2, 3)]
        elif len(clusters) > 2:
            pieces.append(word)
    known = scripts.families(message.text, message.language)
    single = [
        word for word in pieces
        if text.count(word) == 1 and len({scripts._drawing(one, known) for one in scripts.CLUSTER.findall(word)}) == 1
        and not regex.search(r"[\p{P}\p{S}\p{Cf}]", word)
    ]  # fmt: skip
    return [single[round(at)] for at in np.linspace(0, len(single) - 1, min(WORDS, len(single)))]


def faults(picture: Pixels | None, message: Message, size_px: float) -> list[str]:
    """What is wrong with a picture; nothing if it is right."""
    if picture is None:
        return ["crash"]
    size_px *= type_px(message) / SIZE_PX
    ink = ink_of(picture)
    page = blurred(ink)
    words = words_of(message)
    box = image([0], [(0, 0, 0)], main_font(message), size_px)
    matches = [found(page, word, message, size_px) for word in words]
    hits = [(word, match) for word, match in zip(words, matches, strict=True) if match.score >= FOUND]
    checks = {
        "outside": is_outside(ink),
        "boxes": likest(page, box).score > BOX,
        "words": len(hits) < SHARE_FOUND * len(words),
        "marks": lost_marks(page, hits, message, size_px),
        "order": is_unordered(hits, size_px),
        "hyphens": regex.search(r"\p{Pd}", message.text) is None and ends_with_hyphens(ink, size_px),
        "colour": lacks_colour(picture, message),
    }
    return [name for name, is_so in checks.items() if is_so]


def is_outside(ink: NDArray[np.float32]) -> bool:
    """Whether ink leaves the column, or nothing is there."""
    columns, rows = np.flatnonzero((ink > 60).any(axis=0)), np.flatnonzero((ink > 60).any(axis=1))
    side = (WIDTH_PX - COLUMN_PX) // 2 - SIZE_PX
    return (
        not columns.size
        or columns[0] < side
        or columns[-1] >= WIDTH_PX - side
        or rows[0] == 0
        or rows[-1] == HEIGHT_PX - 1
    )


def lost_marks(page: NDArray[np.float32], hits: list[tuple[str, Match]], message: Message, size_px: float) -> bool:
    """Whether words look like themselves without their marks."""
    marked = [(word, match) for word, match in hits if MARKS.search(word)]
    bare = 0
    for word, match in marked:
        without = found(page, MARKS.sub("", word), message, size_px)
        bare += without.score > match.score and abs(without.x_px - match.x_px) < size_px
    return bare > SHARE_BARE * len(marked)


def ends_with_hyphens(ink: NDArray[np.float32], size_px: float) -> bool:
    """Whether something short and flat stands at the end of a line that ends near the column's."""
    _, _, parts, _ = cv2.connectedComponentsWithStats((ink > 60).astype(np.uint8))
    for left, top, width, height, _ in parts[1:]:
        is_flat = 0.18 * size_px < width < 0.5 * size_px and height < 0.16 * size_px
        end, reach = left + width, round(0.5 * size_px)
        is_last = left > 0.8 * WIDTH_PX and not (ink[top - reach : top + reach, end + 1 :] > 60).any()
        lone = (
            not (ink[top - reach : top - 2, left:end] > 60).any()
            and not (ink[top + height + 2 : top + reach, left:end] > 60).any()
        )
        if is_flat and is_last and lone:
            return True
    return False


def is_unordered(hits: list[tuple[str, Match]], size_px: float) -> bool:
    """Whether words follow each other in the wrong order."""
    wrong = pairs = 0
    for (word, at), (following, then) in pairwise(hits):
        direction = scripts.direction_of(word)
        is_same_line = abs(then.y_px - at.y_px) < 0.6 * size_px
        if not is_same_line:
            pairs += 1
            wrong += then.y_px < at.y_px
        elif direction == scripts.direction_of(following) and regex.search(r"\p{L}", word):
            pairs += 1
            wrong += (then.x_px < at.x_px) == (direction == "ltr")
    return wrong > SHARE_UNORDERED * pairs


def lacks_colour(picture: Pixels, message: Message) -> bool:
    """Whether emoji have no colour."""
    clusters = [one for one in scripts.CLUSTER.findall(message.text) if scripts.EMOJI.match(one)]
    coloured = int((np.ptp(picture.astype(int), axis=2) > 25).sum())
    return coloured < COLOURED_PX * len(clusters)


def calibrated(drawn: dict[str, Pixels | None]) -> tuple[float, float]:
    """The size of type at which plain English is most like its reference, and how like 19 of 20 words are then."""
    plain = [one for one in messages() if one.message_id.startswith("plain-")]

    pages = [(one, blurred(ink_of(page))) for one in plain if (page := drawn[one.message_id]) is not None]

    def scores(size_px: float) -> list[float]:
        return [found(page, word, one, size_px).score for one, page in pages for word in words_of(one)]

    sizes = {float(size_px): float(np.mean(scores(float(size_px)))) for size_px in range(18, 36)}
    best = max(sizes, key=lambda size_px: sizes[size_px])
    near = {best + step: float(np.mean(scores(best + step))) for step in (-0.5, 0.0, 0.5)}
    best = max(near, key=lambda size_px: near[size_px])
    return best, float(np.percentile(scores(best), 5))


def main() -> None:
    """Draw, judge and print the tables."""
    with display(), tempfile.TemporaryDirectory() as folder:
        drawn = {method: pictures(method, Path(folder)) for method in METHODS}
    kept = os.environ.get("DAYFOUR_PICTURES")
    rows, calibrations, verdicts = [], [], {}
    judged = [one for one in messages() if not one.message_id.startswith("plain-")]
    for method in METHODS:
        size_px, plain = calibrated(drawn[method])
        calibrations.append((method, f"{size_px:g}", f"{plain:.2f}"))
        found_faults = {one.message_id: faults(drawn[method][one.message_id], one, size_px) for one in judged}
        verdicts[method] = found_faults
        counts = Counter(fault for some in found_faults.values() for fault in some)
        right = sum(not some for some in found_faults.values())
        rows.append((method, str(right), str(len(judged) - right), *(str(counts[kind]) for kind in KINDS)))
    print_table("calibration on plain English", ("", "type px", "5th percentile of likeness"), calibrations)
    print_table(
        f"{len(judged)} messages (a message can have several faults)",
        ("", "right", "wrong", *KINDS),
        rows,
    )
    print_table(
        "faults by message",
        ("", *METHODS),
        [
            (one.message_id, *(" ".join(verdicts[method][one.message_id]) or "-" for method in METHODS))
            for one in judged
        ],
    )
    if kept:
        keep(Path(kept), drawn, verdicts)


def keep(folder: Path, drawn: dict[str, dict[str, Pixels | None]], verdicts: dict[str, dict[str, list[str]]]) -> None:
    """Write every picture under its message, method and verdict."""
    folder.mkdir(parents=True, exist_ok=True)
    for method, some in verdicts.items():
        for message_id, wrong in some.items():
            picture = drawn[method][message_id]
            if picture is not None:
                Image.fromarray(picture).save(folder / f"{message_id}_{method}_{'+'.join(wrong) or 'right'}.png")


if __name__ == "__main__":
    main()
