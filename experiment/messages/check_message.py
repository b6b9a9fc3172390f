"""What is wrong with a single message: its writer, language, length, names in it, and what no font here can draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import regex

from experiment.design.message import Message, count_words
from experiment.design.protocol import Protocol
from experiment.design.sources import STRANGER
from experiment.design.visit import bare_label
from experiment.drawing.scripts import (
    CLUSTER,
    INVISIBLE,
    LANGUAGE,
    blank_glyphs,
    is_endless,
    missing_glyphs,
    needs_language,
)
from experiment.messages import corruption
from experiment.messages.corruption import Told, code_points
from experiment.messages.duplicates import fold
from experiment.messages.names import Place, places, words_before
from experiment.record.finding import Finding, message_finding, name_first

LONGEST_LABEL = 60  # letters of a writer's name or a relationship; more is a sentence
IF_WRITTEN_SO = "If it was written like this, run `messages accept`."
TOLD = 5  # different characters that are listed
MANY_MARKS = 9  # on one letter; no writing has more than four or five
MARK = regex.compile(r"(?!\p{Variation_Selector})\p{Mn}")


def is_empty(text: str) -> bool:
    """Whether a text is nothing but white space and invisible characters."""
    return not text or INVISIBLE.fullmatch(text) is not None


def findings_of(subject: str, message: Message, protocol: Protocol) -> Iterator[Finding]:
    """All that is found in a message by itself, and what import suspected that it does not show."""
    found = list(_found(subject, message, protocol))
    unseen = [one for one in _suspected(message) if not any(text.startswith(one[1]) for _, text in found)]
    for severity, text in (*found, *accept_as_written(message, unseen)):
        yield message_finding(severity, subject, message.message_id, text)


def find_endless(message: Message) -> Iterator[Told]:
    """Whether a text, or what is shown above it, is such that nothing should try to draw it."""
    if long := [name for name in ("writer", "relationship", "text") if is_endless(getattr(message, name))]:
        yield "error", f"The {' and the '.join(long)} cannot be shown: too long for any screen, or too many marks."


def _suspected(message: Message) -> Iterator[Told]:
    """What import wrote down; `messages accept` says that somebody has looked at it."""
    for line in message.suspected.splitlines():
        severity, _, text = line.partition(": ")
        if text:
            yield "error" if severity == "error" else "warning", text


def accept_as_written(message: Message, found: Iterable[Told]) -> Iterator[Told]:
    """What a person can see to be as it was written, and is then no more than a note."""
    for severity, text in found:
        if message.is_as_written:
            yield "note", text
        else:
            yield severity, f"{text} {IF_WRITTEN_SO}" if severity == "error" else text


def _found(subject: str, message: Message, protocol: Protocol) -> Iterator[Told]:
    if message.subject and bare_label(message.subject.strip()) != subject:
        yield "error", "The file says it was written for another participant. Find out whose it is."
    if endless := list(find_endless(message)):  # before any pattern or typesetter sees it
        yield from endless
        return
    for column, content in (("writer", message.writer), ("relationship", message.relationship)):
        yield from _label(column, content)
        found = ((severity, f"Column {column}: {text}") for severity, text in corruption.of_label(content))
        yield from accept_as_written(message, found)
    if fold(message.writer) == fold(message.relationship) != "":
        yield "note", "The writer's name is only the relationship, which is what the screen will show."
    yield from _language(message)
    if is_empty(message.text):
        yield "error", "The text is empty or invisible. Import it again from its source."
        return
    yield from accept_as_written(message, corruption.findings(message.text))
    yield from _length(message.text, *protocol.intake.usual_words)
    if protocol.intake.names == "none":
        yield from accept_as_written(message, _names(message))
    elif message.source == STRANGER:
        whose, why = "the participant's", "a stranger does not know it"  # else it seems to be written for them
        named = _find_name(message.text, whose, message.participant_name, why, "Choose another message")
        yield from accept_as_written(message, named)
    yield from _marks(message.text)
    yield from _undrawn("The text", message.text, message.language)
    yield from _undrawn("The writer's name", message.writer, message.language)


def _label(column: str, content: str) -> Iterator[Told]:
    """Who wrote it, and who that is to the participant."""
    if is_empty(content):
        yield "error", f"The column {column} is empty. Fill it in."
    elif column == "relationship" and content.lstrip("'")[:1] in tuple("=+-@\t"):
        yield "error", "The relationship begins like a spreadsheet formula. Type it again."
    elif len(content) > LONGEST_LABEL or "\n" in content:
        found = f"{len(content)} characters in {content.count(chr(10)) + 1} lines"
        yield "warning", f"The column {column} has {found}. Check that it is the right column."


def _language(message: Message) -> Iterator[Told]:
    tag = message.language
    if tag and not LANGUAGE.fullmatch(tag):
        yield "error", "The language is not a tag such as en, ar, zh, zh-Hant, ja or ko. Correct the column language."
    elif needs_language(message.text, tag):
        text = "The text has Chinese characters, which Chinese and Japanese draw differently, and its language is "
        yield "error", f"{text}neither. Write zh, zh-Hant or ja into the column language."
    elif needs_language(message.writer, tag):
        text = "The writer's name has Chinese characters, which Chinese and Japanese draw differently"
        yield "warning", f"{text}: it is drawn as in zh. If that is wrong, write ja or zh-Hant as the language."


def _length(text: str, least: int, most: int) -> Iterator[Told]:
    count = count_words(text)
    if not max(least, 1) <= count <= most:
        shown = {0: "no words", 1: "one word"}.get(count, f"{count} words")
        do = "Check whether the rest was lost" if count < least else "Check whether it is one message"
        yield "warning", f"The text has {shown} ({least} to {most} are usual). {do}."


def _names(message: Message) -> Iterator[Told]:
    allows, ask = "the protocol does not allow names", "Ask the writer for another wording"
    yield from _find_name(message.text, "its writer's", message.writer, allows, ask)
    yield from _find_name(message.text, "the participant's", message.participant_name, allows, ask)


def _find_name(text: str, whose: str, name: str, why: str, ask: str) -> Iterator[Told]:
    found = set(places(text, name))
    if surely := [place for place in found if not place.is_small]:
        holds = f"The text holds {whose} name, or a part of it ({_words(surely, text)})"
        yield "error", f"{holds}, and {why}. {ask}."
    if perhaps := [place for place in found if place.is_small]:
        holds = f"The text has {whose} name, or a part of it, written small ({_words(perhaps, text)})"
        yield "warning", f"{holds}. Check whether it is the name; {why}."


def _words(found: Iterable[Place], text: str) -> str:
    numbers = sorted({words_before(text, place.at) + 1 for place in found})
    return f"word {', '.join(map(str, numbers[:TOLD]))}{' ...' if len(numbers) > TOLD else ''}"


def _marks(text: str) -> Iterator[Told]:
    """Letters under or over which so many marks are stacked that they cover other lines, or leave the screen."""
    stacks = [one for one in CLUSTER.finditer(text) if len(MARK.findall(one[0])) >= MANY_MARKS]
    places = [f"U+{ord(one[0][0]):04X} with {len(one[0]) - 1} (character {one.start() + 1})" for one in stacks]
    if places:
        named = name_first(places, TOLD, "others")
        yield "warning", f"Letters have too many marks: {named}. Ask the writer to leave them out."


def _undrawn(what: str, text: str, language: str) -> Iterator[Told]:
    """Grapheme clusters that would be a box or another placeholder, and such as leave no ink at all."""
    tag = language if LANGUAGE.fullmatch(language) else ""
    if missing := missing_glyphs(text, tag):
        where = _where(missing, text)
        yield "error", f"{what} has characters that no font here can draw: {where}. Ask the writer for another."
    if blank := [one for one in blank_glyphs(text, tag) if one not in missing]:
        yield "error", f"{what} has letters that are invisible: {_where(blank, text)}. Remove them, or ask the writer."


def _where(wrong: Sequence[str], text: str) -> str:
    """Grapheme clusters by their code points, with the place where each first stands."""
    clusters = CLUSTER.findall(text)
    places = [f"{code_points(one)} (character {clusters.index(one) + 1})" for one in wrong]
    return name_first(places, TOLD, "others")
