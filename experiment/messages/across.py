"""What messages of several participants have in common: most likely, one of them was filed under the wrong name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from experiment.design.message import Message
from experiment.design.sources import CLOSE
from experiment.design.visit import subject_name
from experiment.errors import DayFourError
from experiment.messages import corruption
from experiment.messages.check_message import accept_as_written, is_empty
from experiment.messages.duplicates import alike, fold
from experiment.messages.store import Folder
from experiment.record.finding import Finding, by_severity, message_finding

FIND_OUT = "Find out whom it was written for."
Sets = Mapping[str, Sequence[Message]]


def check_across(sets: Sets, share: float) -> tuple[Finding, ...]:
    """What participants' messages have in common: whole sets, texts, and texts alike by at least this share."""
    every = [(subject, one, fold(one.text)) for subject in sorted(sets) for one in sets[subject] if is_own(one)]
    whole = _same_sets((subject, text) for subject, _, text in every)
    found = [_whole(later, earlier) for later, earlier in whole.items()]
    owned = [one for one in every if one[0] not in whole and not is_empty(one[1].text)]
    found += cut_alike((subject, message) for subject, message, _ in owned)
    first: dict[str, tuple[str, Message]] = {}
    for subject, message, text in owned:
        other, same = first.setdefault(text, (subject, message))
        if other != subject:
            found.append(_one(subject, message.message_id, other, same.message_id))
    different = list(first.values())
    for at, later, common in alike(list(first), share):
        (other, near), (subject, message) = different[at], different[later]
        if other != subject:
            what = f"The text is {common:.0%} that of message {near.message_id} of {subject_name(other)}."
            do = "Check whether it was adapted on purpose or copied by mistake."
            found.append(message_finding("warning", subject, message.message_id, f"{what} {do}"))
    return by_severity(found)


def check_against_others(subject: str, messages: Sequence[Message], folder: Folder) -> Iterator[Finding]:
    """Which of a participant's messages are also somebody else's in the folder; others that nobody can read are not."""
    own = _texts(messages)
    for other in folder.subjects():
        theirs = _of(other, folder) if other != subject else {}
        common = own.keys() & theirs.keys()
        if len(common) > 1 and len(common) == len(own):
            yield _whole(subject, other)
        else:
            yield from (_one(subject, own[text], other, theirs[text]) for text in own if text in common)


def _of(subject: str, folder: Folder) -> dict[str, str]:
    try:
        return _texts(folder.read(subject))
    except DayFourError:  # it is told where that one is checked
        return {}


def _texts(messages: Sequence[Message]) -> dict[str, str]:
    """The ids of messages by their folded texts."""
    return {fold(one.text): one.message_id for one in messages if is_own(one) and not is_empty(one.text)}


def is_own(message: Message) -> bool:
    """Whether it was written for the participant alone: those of strangers and neutral ones may be everybody's."""
    return message.source in {"", CLOSE}


def _whole(subject: str, other: str) -> Finding:
    return message_finding("error", subject, None, f"All texts are also those of {subject_name(other)}. {FIND_OUT}")


def _one(subject: str, message_id: str, other: str, same: str) -> Finding:
    return message_finding(
        "error", subject, message_id, f"The text is also message {same} of {subject_name(other)}. {FIND_OUT}"
    )


def cut_alike(owned: Iterable[tuple[str, Message]]) -> Iterator[Finding]:
    """Texts that end where a form or a spreadsheet cuts."""
    messages = {(subject, message.message_id): message for subject, message in owned}
    for key, told in corruption.cut({key: message.text for key, message in messages.items()}):
        yield from (
            message_finding(severity, *key, text) for severity, text in accept_as_written(messages[key], [told])
        )


def _same_sets(owned: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Who has just the texts that somebody before has: later subject -> earlier."""
    sets: dict[str, set[str]] = defaultdict(set)
    for subject, text in owned:
        sets[subject].add(text)
    first: dict[frozenset[str], str] = {}
    earlier = {subject: first.setdefault(frozenset(own), subject) for subject, own in sets.items()}
    return {subject: other for subject, other in earlier.items() if subject != other}
