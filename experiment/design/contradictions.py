"""What a protocol's settings say against each other, though each is right by itself: unreadable colours, wrong numbers.

Only files are judged so: what was recorded with an earlier protocol is read as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import UNSET

from experiment.design.colours import contrast
from experiment.design.objects import find_object_mistakes
from experiment.design.scan import find_scan_mistakes
from experiment.design.scanner import keys_of_two
from experiment.design.signals import find_signal_mistakes

if TYPE_CHECKING:
    from experiment.design.protocol import Protocol

LEAST_CONTRAST = 4.5  # of text: WCAG 2.2, success criterion 1.4.3
MISSING = "n/a"  # what a table has where there is no answer
_SCALE = re.compile(
    r"(?<![\d.,])([01])\s?(?:\w{1,4}|[-\u2013\u2014~\u301c\uff5e]|\.\.\.?|\u2026)\s?(\d{1,3})(?![\d.,]?\d)"
)
_NAME = re.compile(r"\{\w*\}")


def find_contradictions(protocol: Protocol) -> Iterator[str]:
    """Each as a sentence, with its section."""
    yield from _colours(protocol)
    yield from _choices(protocol)
    yield from _numbers(protocol)
    yield from keys_of_two(protocol)
    yield from _tasks(protocol)


def _colours(protocol: Protocol) -> Iterator[str]:
    """All three are text, or under text in the colour of the background, as on a button."""
    display = protocol.display
    for name in ("ink", "quiet", "accent"):
        colour = getattr(display, name)
        if (found := contrast(colour, display.background)) < LEAST_CONTRAST:
            yield (
                f'[display]: {name} = "{colour}" is hard to read on background = "{display.background}" (contrast '
                f"{found:.1f} to 1). Please choose colours with at least {LEAST_CONTRAST:g} to 1."
            )


def _choices(protocol: Protocol) -> Iterator[str]:
    funnel = protocol.funnel.questions if protocol.funnel else ()
    guess = protocol.guess.questions if protocol.guess else ()
    for question in (*protocol.assistant, *funnel):
        if question.after is not UNSET:
            yield f"Question {question.id!r}: 'after' is for [[guess.questions]] only. Please remove it."
    for question in (*protocol.assistant, *funnel, *guess):
        if any(choice.strip().casefold() in {MISSING, ""} for choice in question.choices):
            what = f"a choice cannot be blank or {MISSING!r}, which means that there is no answer"
            yield f"Question {question.id!r}: {what}. Please use another word."


def scale_numbers(protocol: Protocol) -> dict[str, str]:
    """What may stand in braces in a page for the participant, and what it becomes; nothing where scales differ."""
    scales = _scales(protocol)
    if len(scales) > 1:
        return {}
    ((first, last),) = scales
    return {"{points}": str(last - first + 1), "{first}": str(first), "{last}": str(last)}


def _scales(protocol: Protocol) -> set[tuple[int, int]]:
    scales = map(protocol.scale, protocol.rating.questions)
    return {(scale.first, scale.last) for scale in scales}


def _numbers(protocol: Protocol) -> Iterator[str]:
    """Pages that name another scale than there is, or something in braces that would be shown as it is."""
    wording, known, scales = protocol.wording, scale_numbers(protocol), _scales(protocol)
    pages = {"welcome": wording.welcome, "practice": wording.practice, "begin": wording.begin,
             "resumed": wording.resumed, "closing": wording.closing,
             "before_questions": wording.before_questions or ""}  # fmt: skip
    pages |= {f"instructions no. {number}": text for number, text in enumerate(wording.instructions, start=1)}
    for name, text in pages.items():
        if unknown := set(_NAME.findall(text)) - known.keys():
            yield f"[wording]: {name!r} has {min(unknown)}. {_possible(known)}"
        for found in _SCALE.finditer(text):
            if (int(found[1]), int(found[2])) not in scales:
                are = " and ".join(f"from {first} to {last}" for first, last in sorted(scales))
                yield (
                    f"[wording]: {name!r} says {found[0]!r}, but the scales are {are}. Please write "
                    + ("'{first} to {last}', which is filled in." if known else "the right numbers.")
                )


def _possible(known: Mapping[str, str]) -> str:
    if not known:
        return "Nothing can be filled in there, as the scales differ: please write the numbers."
    return f"Only {', '.join(known)} are filled in there."


def _tasks(protocol: Protocol) -> Iterator[str]:
    """What the section of a task and the others say against each other."""
    yield from find_signal_mistakes(protocol)
    if protocol.scan and protocol.objects:
        yield "[scan] and [objects] are two tasks. Please write a protocol for each."
    elif protocol.scan:
        yield from find_scan_mistakes(protocol, protocol.scan)
    elif protocol.objects:
        yield from find_object_mistakes(protocol, protocol.objects)
    elif protocol.messages == 0:
        yield "'messages' must be at least 1."
