"""What preparing messages costs, once a session has started: checked, fitted into one type size, and drawn.

Six messages of 100 words each, in one language, made of the test set's (Thai, Khmer, Chinese and Japanese: of as many
letters as 100 words have). Each turn has new words at the front, so that nothing is remembered from the turn before.
Drawing takes up to four threads. The numbers are medians of several turns. Then the type size of 500 participants' six
messages (English, of 20 to 120 words), as `messages check` asks for it, and how long the same answer takes by drawing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from experiment.design.message import Message, read_messages
from experiment.drawing.message import draw_message, draw_messages, fitting_box
from experiment.drawing.scripts import blank_glyphs, missing_glyphs
from experiment.drawing.stimuli import MESSAGE_SIZES, rooms
from experiment.drawing.typeset import Drawings, Style
from experiment.task.layout import Layout
from tests.bench.reporting import HEIGHT_PX, ROOT, WIDTH_PX, median, print_table
from tests.type_size import fitting_size

TURNS = 15
WORDS = 100
UNSPACED = {"thai": 400, "chinese-simplified": 170, "japanese": 200}
LANGUAGES = ("german", "greek", "russian", "arabic", "hebrew", "hindi", "tamil", "korean", *UNSPACED)
SUBJECTS, COMPARED = 500, 50
LAYOUT = Layout(WIDTH_PX, HEIGHT_PX)
Job = Callable[[Sequence[Message]], float]
STYLE = Style(0, (0x26, 0x23, 0x1F), (0xF5, 0xF2, 0xEC), LAYOUT.reading.width_px)


def main() -> None:
    """Measure and print the tables."""
    written = {one.message_id: one for one in read_messages(Path(ROOT / "tests" / "writings" / "messages.csv"))}
    rows = []
    for name in LANGUAGES:
        turns = [prepared([hundred(written[name], f"{turn}.{at}") for at in range(6)]) for turn in range(TURNS + 2)][2:]
        parts = [median([turn[part] for turn in turns]) * 1e3 for part in range(3)]
        whole = median([sum(turn) for turn in turns]) * 1e3
        rows.append((name, *(f"{part:.1f}" for part in parts), f"{whole:.1f}", "100"))
    print_table(
        f"six messages of {WORDS} words, ms, {TURNS} turns", ("", "check", "fit", "draw", "in all", "goal"), rows
    )
    sets = [some_set(subject, written["long"]) for subject in range(SUBJECTS)]
    quick_s, quick = timed([(fitted, one) for one in sets])
    drawn_s, drawn = timed([(fitted_by_drawing, one) for one in sets[:COMPARED]])
    print_table(
        f"the type size of {SUBJECTS} participants' six messages, for {COMPARED} also by drawing; both ways give the "
        f"same: {quick[:COMPARED] == drawn}",
        ("", "s", "ms a message"),
        (("measured", f"{quick_s:.2f}", f"{quick_s / SUBJECTS / 6 * 1e3:.2f}"),
         ("drawn", f"{drawn_s * SUBJECTS / COMPARED:.2f} (est.)", f"{drawn_s / COMPARED / 6 * 1e3:.2f}")),
    )  # fmt: skip


def hundred(message: Message, new: str) -> Message:
    """A message of 100 words, or of as many letters, that begins with something new."""
    wanted = UNSPACED.get(message.message_id, WORDS)
    pieces = list(message.text) if message.message_id in UNSPACED else [f"{word} " for word in message.text.split()]
    text = new + "".join((pieces * (wanted // len(pieces) + 1))[:wanted])
    return Message(new, message.writer, message.relationship, message.language, text)


def some_set(subject: int, letter: Message) -> list[Message]:
    """Six messages of 20 to 120 words, the same at every run."""
    chance, words = random.Random(subject), letter.text.split()
    texts = (" ".join(chance.choices(words, k=chance.randint(20, 120))) for _ in range(6))
    return [Message(f"m{at}", "Mum", "mother", "en", text) for at, text in enumerate(texts)]


def prepared(messages: Sequence[Message]) -> tuple[float, float, float]:
    """Seconds for checking, fitting and drawing."""
    start_s = time.perf_counter()
    for message in messages:
        if missing_glyphs(message.text, message.language) or blank_glyphs(message.text, message.language):
            raise ValueError("a glyph is missing")
    checked_s = time.perf_counter()
    drawings: Drawings = {}
    size_px = fitting_box(messages, rooms(LAYOUT), STYLE, drawings=drawings).size_px
    fitted_s = time.perf_counter()
    draw_messages(messages, replace(STYLE, size_px=size_px), drawings=drawings)
    return checked_s - start_s, fitted_s - checked_s, time.perf_counter() - fitted_s


def fitted(messages: Sequence[Message]) -> float:
    """The largest type size in which these messages fit."""
    return fitting_size(messages, LAYOUT.reading.width_px, LAYOUT.reading.height_px, MESSAGE_SIZES)


def fitted_by_drawing(messages: Sequence[Message]) -> float:
    """The same, by drawing each message in each size until it fits."""
    sizes_px = list(MESSAGE_SIZES)
    for message in messages:
        while not fits_drawn(message, sizes_px[0]):
            del sizes_px[0]
    return sizes_px[0]


def fits_drawn(message: Message, size_px: float) -> bool:
    """Whether a message's picture fits."""
    picture = draw_message(message.text, message.writer, replace(STYLE, size_px=size_px), message.language)
    return picture.width_px <= LAYOUT.reading.width_px and picture.height_px <= LAYOUT.reading.height_px


def timed(jobs: Sequence[tuple[Job, list[Message]]]) -> tuple[float, list[float]]:
    """Seconds for all, and what each gave."""
    start_s = time.perf_counter()
    given = [work(messages) for work, messages in jobs]
    return time.perf_counter() - start_s, given


if __name__ == "__main__":
    main()
