"""Which file a protocol is in, and the whole that it makes with the protocol that it extends.

A file that extends another gives only what differs: tables are merged key by key, all else is replaced, lists too.
`without` names what the other has and this one has not. What is extended must be a right protocol by itself, so that a
mistake is always one of the file in which it is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from experiment.errors import BadInput
from experiment.storage.toml import Content, read_content, refusal, suggest

Kind = TypeVar("Kind")
Check = Callable[[Content, Path], Kind]

STIMULI = Path(__file__).resolve().parents[2] / "stimuli"
DEFAULT, DEFAULT_NAME = STIMULI / "protocol.toml", "en"
MOST_FILES = 5  # that extend each other in a row
EXTEND, WITHOUT = "extend", "without"


def find_shipped() -> dict[str, Path]:
    """The protocols that come with the program, by name."""
    return {DEFAULT_NAME: DEFAULT} | {path.stem: path for path in sorted((STIMULI / "protocols").glob("*.toml"))}


def find_protocol(named: Path) -> Path:
    """The file of a protocol that comes with the program, if that is named, else the path itself.

    BadInput for a name without an ending that is neither.
    """
    if len(named.parts) != 1 or named.suffix or named.exists():
        return find_shipped().get(str(named), named)
    if file := find_shipped().get(named.name):
        return file
    sentences = (
        f"There is no protocol {named.name!r}.",
        suggest(named.name, find_shipped()),
        f"These come with the program: {', '.join(find_shipped())}.",
        "For another one, please give its file's path, e.g. --protocol ours.toml.",
    )
    raise BadInput(" ".join(filter(None, sentences)))


def read_extended(path: Path, check: Check[Kind]) -> Kind:
    """The protocol in a file, whole and checked; BadInput names the file that has the mistake."""
    return _read(path, check, ())[1]


def _read(path: Path, check: Check[Kind], below: tuple[Path, ...]) -> tuple[Content, Kind]:
    """What a file and those that it extends say together, and what that is; `below`: who extends it."""
    content = read_content(path, "protocol", "--protocol")
    if EXTEND not in content:
        return content, check(content, path)
    base = _find_base(path, content.pop(EXTEND), (*below, path))
    try:
        extended, _ = _read(base, check, (*below, path))
    except BadInput as error:
        raise BadInput(f"{error}\n(It is extended by {path}.)") from error
    left_out = content.pop(WITHOUT, [])
    if mistakes := list(_leave_out(extended, left_out)):
        raise refusal(path, "protocol", mistakes)
    merged = merge(extended, content)
    return merged, check(merged, path)


def _find_base(path: Path, named: Any, chain: tuple[Path, ...]) -> Path:
    """The file that is extended; BadInput if there is none, or if it leads back to one that extends it."""
    shipped = find_shipped()
    if not isinstance(named, str) or not named:
        mistake = f' = {named!r}. Please write a protocol\'s name or path, e.g. "en".'
    elif not (base := shipped.get(named) or path.parent / named).is_file():
        known = ", ".join(shipped)
        mistake = f' = "{named}", and there is no file {base}. Please write a path from here, or one of {known}.'
    elif base.resolve() in {one.resolve() for one in chain}:
        mistake = f' = "{named}", which extends this file itself. Remove one of them.'
    elif len(chain) >= MOST_FILES:
        mistake = f' = "{named}": more than {MOST_FILES} files extend each other. Put some of them together.'
    else:
        return base
    raise refusal(path, "protocol", [EXTEND + mistake])


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Content:
    """Tables key by key; what is no table in both is replaced."""
    merged = dict(base)
    for name, value in changes.items():
        before = merged.get(name)
        both = isinstance(before, dict) and isinstance(value, dict)
        merged[name] = merge(before, value) if both else value  # type: ignore[arg-type]
    return merged


def _leave_out(content: Content, names: Any) -> Iterable[str]:
    """Take settings such as `daily.yesterday_until` out; what cannot be, in sentences."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        yield f'{WITHOUT} = {names!r}. Please write a list of settings, e.g. ["guess"].'
        return
    for name in names:
        *sections, last = name.split(".")
        place: Any = content
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if isinstance(place, dict) and last in place:
            del place[last]
        else:
            yield f"{WITHOUT} names {name!r}, which the extended protocol does not have."
