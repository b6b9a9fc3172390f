"""What a spreadsheet or a form spoiled on the way: found and named by its place and code points, never repaired. Pure.

An error is what nobody writes on purpose; a warning is what somebody might. Nothing here holds a word of a message.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from html.entities import html5

import regex

from experiment.messages.corruption_patterns import (
    BEFORE_WORD,
    BETWEEN_WORDS,
    CHAT_HEAD,
    CONTROL,
    DATE,
    DECIMAL,
    DIRECTION,
    ENDING,
    ENDS,
    ENTITY,
    ESCAPED_UNIT,
    HALF_FLAG,
    IN_WORD,
    ISOLATES,
    LINK,
    LITERAL,
    MARKS_BEHIND,
    MISREADINGS,
    NONCHARACTER,
    OLD_CONTROL,
    PRIVATE,
    QUOTED_PRINTABLE,
    REPLY,
    SCIENTIFIC,
    SHEET_ERROR,
    SIGNATURE,
    STRAY,
    SURROGATE,
    TAG,
    UNFILLED,
    WORD_OF_MARKS,
)
from experiment.record.finding import Severity

Told = tuple[Severity, str]
Key = tuple[str, str]
"""Whose message, and its id."""

AGAIN = "Export it again, or copy it from its source."
TOLD = 5  # different places that are listed
LIMITS = (255, 256, 32_767)  # of a cell in old formats, of many forms' fields, of a cell in Excel
SEVERAL = 3  # texts of the same, largest length are no accident
LONG = 80  # characters, from which on they may have been cut


def find_refused(text: str) -> Iterator[str]:
    """What no file of messages can hold: each lone surrogate and control character, by its code point and place."""
    for match in re.finditer(f"{CONTROL.pattern}|{SURROGATE.pattern}", text):
        kind = "half of a character" if SURROGATE.match(match[0]) else "a control character"
        yield f"{_code(match[0])} at character {match.start() + 1}, {kind}, which is not text"


def findings(text: str) -> Iterator[Told]:
    """What is wrong with a text by itself, as a severity and a sentence."""
    for severity, pattern, what, do in SIMPLE:
        if matches := list(pattern.finditer(text)):
            yield severity, f"{what} ({_places(matches)}). {do}"
    yield from _misread(text)
    yield from _unpaired(text)
    yield from _entities(text)
    yield from _sheet(text)
    yield from _question_marks(text)
    yield from _length(text)


SIMPLE: tuple[tuple[Severity, re.Pattern[str], str, str], ...] = (
    ("error", re.compile("\ufffd"), "Characters were lost and replaced", AGAIN),
    ("error", re.compile("\ufffc"), "A picture or sticker was lost here", "Ask its writer what it was."),
    ("error", UNFILLED, "The text contains a form field that was not filled in", "Ask what belongs there."),
    ("error", HALF_FLAG, "The text contains half a flag", AGAIN),
    ("error", ESCAPED_UNIT, "The text contains Excel's escape codes", "Copy the text again from where it was written."),
    ("error", TAG, "The text contains tags of a web page", AGAIN),
    ("error", QUOTED_PRINTABLE, "The text contains escape codes of an e-mail (quoted-printable)", AGAIN),
    ("error", OLD_CONTROL, "Control characters replace quotes or letters of another encoding", AGAIN),
    ("warning", LITERAL, "The text contains a program's escape codes", "Check whether they were line breaks or emoji."),
    ("warning", PRIVATE, "The text contains characters of one manufacturer's font", ("Ask what was meant, such as an "
    "emoji.")),
    ("warning", NONCHARACTER, "The text contains code points that are not characters", AGAIN),
    ("warning", CHAT_HEAD, "The text contains the header of a chat message", ("Check whether it belongs to the "
    "message.")),
    ("note", STRAY, "The text contains invisible characters", "They are not displayed."),
    ("note", REPLY, "Lines begin with the mark of a quoted e-mail", "Check whether they belong to the message."),
    ("note", SIGNATURE, "The text contains a line added by a mail program", "Check whether it belongs to the message."),
)  # fmt: skip


def of_label(cell: str) -> Iterator[Told]:
    """What is wrong with a writer's name or a relationship."""
    for severity, pattern, what, do in SIMPLE:
        if severity == "error" and (matches := list(pattern.finditer(cell))):
            yield severity, f"{what} ({_places(matches)}). {do}"
    yield from _misread(cell)
    yield from _entities(cell)
    if SHEET_ERROR.fullmatch(cell.strip()):
        yield "error", "The cell contains a spreadsheet error. Type it again."
    if IN_WORD.search(cell) or WORD_OF_MARKS.search(cell):
        yield "error", "Letters were replaced by question marks. Type it again, and save the file as 'CSV UTF-8'."


def of_subject(cell: str) -> str | None:
    """What a spreadsheet made of a participant's ID, or None."""
    plain = cell.strip()
    if SCIENTIFIC.fullmatch(plain):
        return "a number in scientific notation"
    if DATE.fullmatch(plain):
        return "a date"
    if SHEET_ERROR.fullmatch(plain):
        return "a spreadsheet's error"
    return "a number with decimals" if DECIMAL.fullmatch(plain) else None


def cut(texts: Mapping[Key, str]) -> Iterator[tuple[Key, Told]]:
    """Which texts may have been cut at the same place, by their keys: several that have the largest length."""
    lengths: tuple[Callable[[str], int], ...] = (len, _units, lambda text: len(text.encode("utf-8", "surrogatepass")))
    for length in lengths:
        counts = Counter({key: length(text) for key, text in texts.items()})
        longest = max(counts.values(), default=0)
        same = [key for key, one in counts.items() if one == longest]
        unended = [key for key in same if not ENDING.search(texts[key])]
        if longest >= LONG and unended and len({texts[key] for key in same}) >= SEVERAL:
            severity: Severity = "error" if longest in LIMITS else "warning"
            text = (
                f"{len(same)} texts have the same length ({longest}) and none is longer: they may have been cut. "
                f"{AGAIN}"
            )
            yield from ((key, (severity, text)) for key in same)
            return


def _misread(text: str) -> Iterator[Told]:
    """UTF-8 that was read in another encoding, once or twice (mojibake)."""
    if text.isascii() or OLD_CONTROL.search(text):  # the latter was named already
        return
    matches = next((found for one in MISREADINGS if (found := list(one.finditer(text)))), [])
    if not matches:
        plan = _plan(text)
        if not plan:
            return
        from ftfy.badness import BADNESS_RE

        matches = list(BADNESS_RE.finditer(text)) or list(regex.finditer(r"[^\x00-\x7f]+", text))
    where = _places(matches)
    yield (
        "error",
        f"Characters were read in a wrong encoding ({where}). {AGAIN} If it came as CSV, try --encoding utf-8.",
    )


def _unpaired(text: str) -> Iterator[Told]:
    """Marks of direction that begin something and do not end it within their line, or end what did not begin."""
    wrong = list[re.Match[str]]()
    for line in re.finditer(r"[^\n]+", text):
        opened = list[re.Match[str]]()
        for mark in DIRECTION.finditer(text, line.start(), line.end()):
            if mark[0] not in ENDS:
                opened.append(mark)
            elif opened and (opened[-1][0] in ISOLATES) == (ENDS[mark[0]] == "isolate"):
                opened.pop()
            else:
                wrong.append(mark)
        wrong += opened
    if wrong:
        where = _places(sorted(wrong, key=lambda mark: mark.start()))
        yield "warning", f"Text direction marks are not in pairs ({where}). Check whether a part was lost."


def _plan(text: str) -> bool:
    """Whether ftfy would read the text's bytes in another encoding."""
    from ftfy import TextFixerConfig, fix_encoding_and_explain

    config = TextFixerConfig(replace_lossy_sequences=False, fix_c1_controls=False)
    steps = fix_encoding_and_explain(text, config).explanation or []
    return any(step.action in {"decode", "transcode"} for step in steps)


def _entities(text: str) -> Iterator[Told]:
    matches = [one for one in ENTITY.finditer(text) if one[1].startswith("#") or f"{one[1]};" in html5]
    if matches:
        yield "error", f"Codes of a web page (such as &amp;) are in the text ({_places(matches)}). {AGAIN}"


def _sheet(text: str) -> Iterator[Told]:
    plain = text.strip()
    if SHEET_ERROR.fullmatch(plain):
        yield "error", f"The cell contains a spreadsheet error instead of a text. {AGAIN}"
    elif plain.startswith("=") and len(plain) > 1 and not plain.startswith(("==", "=)", "=D", "=(")):
        yield "warning", "The text begins with '=' like a formula. Check whether a spreadsheet changed it."
    if SCIENTIFIC.fullmatch(plain) and not plain.isdigit():
        yield "warning", "The text is a number in scientific notation. Check whether a spreadsheet changed it."


def _question_marks(text: str) -> Iterator[Told]:
    """Where a program without Unicode wrote a question mark for each character that it did not have."""
    plain = LINK.sub(lambda match: "x" * len(match[0]), text)
    lost = "Save the file as 'CSV UTF-8' or .xlsx where the text is undamaged."
    alone = list(WORD_OF_MARKS.finditer(plain))
    if matches := list(IN_WORD.finditer(plain)):
        yield "error", f"Question marks replace letters in words ({_places(matches)}). {lost}"
    elif len(alone) > 2 and plain.isascii() and sum(len(one[0]) for one in alone) >= plain.count("?") / 2:
        yield "error", f"Question marks replace words ({_places(alone)}). {lost}"
    elif alone:
        yield "warning", f"There are single question marks, perhaps in place of emoji ({_places(alone)}). {lost}"
    elif plain.isascii() and (matches := list(BETWEEN_WORDS.finditer(plain))):
        yield "warning", f"There are question marks between words, perhaps in place of emoji ({_places(matches)}). "
        f"{lost}"
    elif matches := list(BEFORE_WORD.finditer(plain)):
        yield "warning", f"There are question marks before words, perhaps in place of a letter ({_places(matches)}). "
        f"{lost}"
    elif matches := list(MARKS_BEHIND.finditer(plain)):
        yield "note", f"Several question marks follow a word ({_places(matches)}). Check whether they were emoji."


def _length(text: str) -> Iterator[Told]:
    """Whether a text ends where a cell or a field ends."""
    found = next((limit for limit in LIMITS if limit in {len(text), _units(text)}), None)
    if found is None:
        return
    severity: Severity = "warning" if found < LIMITS[-1] else "error"
    ends = "" if ENDING.search(text) else ", and it does not end with punctuation"
    yield (
        severity,
        f"The text has exactly {found} characters, where many programs cut{ends}. Check whether the end is missing.",
    )


def _units(text: str) -> int:
    """The length in UTF-16, as spreadsheets and web forms count."""
    return len(text) + sum(character > "\uffff" for character in text)


def _places(matches: Sequence[re.Match[str]]) -> str:
    """The first of them with code points and places; what is written in ASCII is only counted by its length."""
    listed = [_place(match) for match in matches[:TOLD]]
    more = f" and {len(matches) - TOLD} more" if len(matches) > TOLD else ""
    return ", ".join(listed) + more


def _place(match: re.Match[str]) -> str:
    """Codes and escapes as they are, signs by their code points, letters by their number."""
    at = f"at character {match.start() + 1}"
    if match.re in {ESCAPED_UNIT, ENTITY, LITERAL}:
        return f"{match[0]} {at}"
    if match[0].isascii():
        return f"{len(match[0])} signs {at}" if len(match[0]) > 1 else at
    return f"{' '.join(_code(one) for one in match[0] if not one.isascii())} {at}"


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
