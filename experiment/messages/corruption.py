"""What a spreadsheet or a form spoiled on the way: found and named by its place and code points, never repaired. Pure.

An error is what nobody writes on purpose; a warning is what somebody might. Nothing here holds a word of a message.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from html.entities import html5

import regex

from experiment.messages import corruption_patterns as patterns
from experiment.record.finding import Severity, name_first

Told = tuple[Severity, str]
Key = tuple[str, str]
"""Whose message, and its id."""

AGAIN = "Export it again, or copy it from its source."
COPY = "Copy the text again from where it was written."
ASK = "Ask what was meant, such as an emoji."
BREAKS = "Check whether they were line breaks or emoji."
BELONGS, THEY_BELONG = (f"Check whether {one} to the message." for one in ("it belongs", "they belong"))
LOST = "Save the file as 'CSV UTF-8' or .xlsx where the text is undamaged."
TOLD = 5  # different places that are listed
LIMITS = (255, 256, 32_767)  # of a cell in old formats, of many forms' fields, of a cell in Excel
SEVERAL = 3  # texts of the same, largest length are no accident
LONG = 80  # characters, from which on they may have been cut


def find_refused(text: str) -> Iterator[str]:
    """What no file of messages can hold: each lone surrogate and control character, by its code point and place."""
    for match in re.finditer(f"{patterns.CONTROL.pattern}|{patterns.SURROGATE.pattern}", text):
        kind = "half of a character" if patterns.SURROGATE.match(match[0]) else "a control character"
        yield f"{code_points(match[0])} at character {match.start() + 1}, {kind}, which is not text"


def findings(text: str) -> Iterator[Told]:
    """What is wrong with a text by itself, as a severity and a sentence."""
    yield from _simple(text)
    yield from _misread(text)
    yield from _unpaired(text)
    yield from _entities(text)
    yield from _sheet(text)
    yield from _question_marks(text)
    yield from _length(text)


SIMPLE: tuple[tuple[Severity, re.Pattern[str], str, str], ...] = (
    ("error", re.compile("\ufffd"), "Characters were lost and replaced", AGAIN),
    ("error", re.compile("\ufffc"), "A picture or sticker was lost here", "Ask its writer what it was."),
    ("error", patterns.UNFILLED, "The text contains a form field that was not filled in", "Ask what belongs there."),
    ("error", patterns.HALF_FLAG, "The text contains half a flag", AGAIN),
    ("error", patterns.ESCAPED_UNIT, "The text contains Excel's escape codes", COPY),
    ("error", patterns.TAG, "The text contains tags of a web page", AGAIN),
    ("error", patterns.QUOTED_PRINTABLE, "The text contains escape codes of an e-mail (quoted-printable)", AGAIN),
    ("error", patterns.OLD_CONTROL, "Control characters replace quotes or letters of another encoding", AGAIN),
    ("warning", patterns.LITERAL, "The text contains a program's escape codes", BREAKS),
    ("warning", patterns.PRIVATE, "The text contains characters of one manufacturer's font", ASK),
    ("warning", patterns.NONCHARACTER, "The text contains code points that are not characters", AGAIN),
    ("warning", patterns.CHAT_HEAD, "The text contains the header of a chat message", BELONGS),
    ("note", patterns.STRAY, "The text contains invisible characters", "They are not displayed."),
    ("note", patterns.REPLY, "Lines begin with the mark of a quoted e-mail", THEY_BELONG),
    ("note", patterns.SIGNATURE, "The text contains a line added by a mail program", BELONGS),
)


def _simple(text: str) -> Iterator[Told]:
    for severity, pattern, what, do in SIMPLE:
        if matches := list(pattern.finditer(text)):
            yield severity, f"{what} ({_places(matches)}). {do}"


def of_label(cell: str) -> Iterator[Told]:
    """What is wrong with a writer's name or a relationship."""
    yield from (told for told in _simple(cell) if told[0] == "error")
    yield from _misread(cell)
    yield from _entities(cell)
    if patterns.SHEET_ERROR.fullmatch(cell.strip()):
        yield "error", "The cell contains a spreadsheet error. Type it again."
    if patterns.IN_WORD.search(cell) or patterns.WORD_OF_MARKS.search(cell):
        yield "error", "Letters were replaced by question marks. Type it again, and save the file as 'CSV UTF-8'."


def of_subject(cell: str) -> str | None:
    """What a spreadsheet made of a participant's ID, or None."""
    plain = cell.strip()
    kinds = {
        "a number in scientific notation": patterns.SCIENTIFIC.fullmatch(plain),
        "a date": patterns.DATE.fullmatch(plain),
        "a spreadsheet's error": patterns.SHEET_ERROR.fullmatch(plain),
        "a number with decimals": patterns.DECIMAL.fullmatch(plain),
    }
    return next((what for what, found in kinds.items() if found), None)


def cut(texts: Mapping[Key, str]) -> Iterator[tuple[Key, Told]]:
    """Which texts may have been cut at the same place, by their keys: several that have the largest length."""
    lengths: tuple[Callable[[str], int], ...] = (len, _units, lambda text: len(text.encode("utf-8", "surrogatepass")))
    for length in lengths:
        counts = Counter({key: length(text) for key, text in texts.items()})
        longest = max(counts.values(), default=0)
        same = [key for key, one in counts.items() if one == longest]
        unended = [key for key in same if not patterns.ENDING.search(texts[key])]
        if longest >= LONG and unended and len({texts[key] for key in same}) >= SEVERAL:
            severity: Severity = "error" if longest in LIMITS else "warning"
            what = f"{len(same)} texts have the same length ({longest}) and none is longer: they may have been cut."
            yield from ((key, (severity, f"{what} {AGAIN}")) for key in same)
            return


def _misread(text: str) -> Iterator[Told]:
    """UTF-8 that was read in another encoding, once or twice (mojibake)."""
    if text.isascii() or patterns.OLD_CONTROL.search(text):  # the latter was named already
        return
    matches = next((found for one in patterns.MISREADINGS if (found := list(one.finditer(text)))), [])
    if not matches:
        plan = _plan(text)
        if not plan:
            return
        from ftfy.badness import BADNESS_RE

        matches = list(BADNESS_RE.finditer(text)) or list(regex.finditer(r"[^\x00-\x7f]+", text))
    what = f"Characters were read in a wrong encoding ({_places(matches)}). {AGAIN}"
    yield "error", f"{what} If it came as CSV, try --encoding utf-8."


def _unpaired(text: str) -> Iterator[Told]:
    """Marks of direction that begin something and do not end it within their line, or end what did not begin."""
    wrong = list[re.Match[str]]()
    for line in re.finditer(r"[^\n]+", text):
        opened = list[re.Match[str]]()
        for mark in patterns.DIRECTION.finditer(text, line.start(), line.end()):
            if mark[0] not in patterns.ENDS:
                opened.append(mark)
            elif opened and (opened[-1][0] in patterns.ISOLATES) == (patterns.ENDS[mark[0]] == "isolate"):
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
    matches = [one for one in patterns.ENTITY.finditer(text) if one[1].startswith("#") or f"{one[1]};" in html5]
    if matches:
        yield "error", f"Codes of a web page (such as &amp;) are in the text ({_places(matches)}). {AGAIN}"


def _sheet(text: str) -> Iterator[Told]:
    plain = text.strip()
    if patterns.SHEET_ERROR.fullmatch(plain):
        yield "error", f"The cell contains a spreadsheet error instead of a text. {AGAIN}"
    elif plain.startswith("=") and len(plain) > 1 and not plain.startswith(("==", "=)", "=D", "=(")):
        yield "warning", "The text begins with '=' like a formula. Check whether a spreadsheet changed it."
    if patterns.SCIENTIFIC.fullmatch(plain) and not plain.isdigit():
        yield "warning", "The text is a number in scientific notation. Check whether a spreadsheet changed it."


def _question_marks(text: str) -> Iterator[Told]:
    """Where a program without Unicode wrote a question mark for each character that it did not have."""
    plain = patterns.LINK.sub(lambda match: "x" * len(match[0]), text)
    alone, is_ascii = list(patterns.WORD_OF_MARKS.finditer(plain)), plain.isascii()
    are_many = is_ascii and len(alone) > 2 and sum(len(one[0]) for one in alone) >= plain.count("?") / 2
    if are_many and not patterns.IN_WORD.search(plain):
        yield "error", f"Question marks replace words ({_places(alone)}). {LOST}"
        return
    for severity, pattern, what, do in QUESTION_MARKS:
        matches = list(pattern.finditer(plain)) if is_ascii or pattern is not patterns.BETWEEN_WORDS else []
        if matches:
            yield severity, f"{what} ({_places(matches)}). {do}"
            return


# The gravest first: only the first that is found is told.
QUESTION_MARKS: tuple[tuple[Severity, re.Pattern[str], str, str], ...] = (
    ("error", patterns.IN_WORD, "Question marks replace letters in words", LOST),
    ("warning", patterns.WORD_OF_MARKS, "There are single question marks, perhaps in place of emoji", LOST),
    ("warning", patterns.BETWEEN_WORDS, "There are question marks between words, perhaps in place of emoji", LOST),
    ("warning", patterns.BEFORE_WORD, "There are question marks before words, perhaps in place of a letter", LOST),
    ("note", patterns.MARKS_BEHIND, "Several question marks follow a word", "Check whether they were emoji."),
)


def _length(text: str) -> Iterator[Told]:
    """Whether a text ends where a cell or a field ends."""
    found = next((limit for limit in LIMITS if limit in {len(text), _units(text)}), None)
    if found is None:
        return
    severity: Severity = "warning" if found < LIMITS[-1] else "error"
    ends = "" if patterns.ENDING.search(text) else ", and it does not end with punctuation"
    what = f"The text has exactly {found} characters, where many programs cut{ends}."
    yield severity, f"{what} Check whether the end is missing."


def _units(text: str) -> int:
    """The length in UTF-16, as spreadsheets and web forms count."""
    return len(text) + sum(character > "\uffff" for character in text)


def _places(matches: Sequence[re.Match[str]]) -> str:
    """The first of them with code points and places; what is written in ASCII is only counted by its length."""
    return name_first([_place(match) for match in matches], TOLD)


def _place(match: re.Match[str]) -> str:
    """Codes and escapes as they are, signs by their code points, letters by their number."""
    at = f"at character {match.start() + 1}"
    if match.re in {patterns.ESCAPED_UNIT, patterns.ENTITY, patterns.LITERAL}:
        return f"{match[0]} {at}"
    if match[0].isascii():
        return f"{len(match[0])} signs {at}" if len(match[0]) > 1 else at
    strange = "".join(one for one in match[0] if not one.isascii())
    return f"{code_points(strange)} {at}"


def code_points(text: str) -> str:
    """Each character by its code point."""
    return " ".join(f"U+{ord(character):04X}" for character in text)
