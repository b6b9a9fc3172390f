"""Settings that people write: a TOML file read as what it should be, or all that is wrong with it, in plain words.

msgspec stops at the first mistake and shows patterns; here every setting is looked at by itself. What a setting should
be follows from its type: its limits, its words to choose from, or the `title` and `examples` of its Meta.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from experiment.errors import BadInput
from experiment.storage import limits
from experiment.storage.decoder import decoder
from experiment.storage.read_file import read_text

Kind = TypeVar("Kind")
Content = dict[str, Any]
SHOWN = 60  # characters of a wrong value
_decode = decoder(msgspec.toml.decode)
# More parts in a key than any of ours has: they would take memory by the square.
_DEEP_KEY = re.compile(r"(^|[\[{,])[\w\"' \t-]+(\.[\w\"' \t-]+){30}", re.MULTILINE)


def read_toml(path: Path, kind: type[Kind], name: str, option: str) -> Kind:
    """A TOML file as what it should be; BadInput names the file and every mistake in it.

    `name`: what it is called, as the example `stimuli/NAME.toml` is. `option`: which names the file on a command line.
    """
    return check_content(read_content(path, name, option), path, kind, name)


def check_content(content: Content, path: Path, kind: type[Kind], name: str) -> Kind:
    """What a file holds as what it should be; BadInput as above."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError:
        raise refusal(path, name, find_mistakes(kind, content)) from None


def refusal(path: Path, name: str, mistakes: Iterable[str]) -> BadInput:
    """That a file cannot be used, and why: every mistake on a line."""
    lines = (f"- {mistake}" for mistake in mistakes)
    return BadInput("\n".join((f"The {name} {path} cannot be used:", *lines, f"Compare with stimuli/{name}.toml.")))


def read_content(path: Path, name: str, option: str) -> Content:
    """What a TOML file holds, whatever it should be; BadInput if it cannot be read or is no TOML."""
    try:
        text = read_text(path, limits.TOML_BYTES)
        if _DEEP_KEY.search(text):
            raise BadInput(f"The {name} {path} has a key with too many parts. Compare with stimuli/{name}.toml.")
        content: Content = _decode(text)
    except OSError as error:
        raise BadInput(f"The {name} {path} cannot be read: {error.strerror}. Check {option}.") from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        raise BadInput(
            f"The {name} {path} is not saved as UTF-8 (see line {before.count(10) + 1}). In your editor choose Save "
            "As with the encoding UTF-8."
        ) from error
    except msgspec.DecodeError as error:
        raise BadInput(f"The {name} {path} is not a TOML file: {error}. Compare with stimuli/{name}.toml.") from error
    return content


def find_mistakes(kind: Any, content: Any, place: str = "") -> Iterator[str]:
    """Everything that keeps content from being of a kind, in sentences; none if it is of that kind.

    `place`: the content's own in the file, such as `rating.questions[0]`; empty for the whole file.
    """
    kind = _present(kind)
    section, item = _section(kind), _section(_item(kind))
    if section and isinstance(content, dict):
        yield from _in_section(section, content, place)
    elif item and content and isinstance(content, list | dict):
        inner = [found for one, at in _named(content, place) for found in find_mistakes(item, one, at)]
        yield from inner or _in_value(kind, content, place)
    else:
        yield from _in_value(kind, content, place)


def _named(content: list[Any] | dict[str, Any], place: str) -> Iterator[tuple[Any, str]]:
    """What is in a list or a mapping, each with its place."""
    if isinstance(content, dict):
        yield from ((one, f"{place}.{name}") for name, one in content.items())
    else:
        yield from ((one, f"{place}[{number}]") for number, one in enumerate(content))


def _in_section(section: type[msgspec.Struct], content: Mapping[str, Any], place: str) -> Iterator[str]:
    """Unknown settings, missing ones, wrong ones; if there are none, what does not go together."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(section)}
    found = [_unknown(name, fields, place) for name in content if name not in fields]
    for name, field in fields.items():
        if name in content:
            found += find_mistakes(field.type, content[name], f"{place}.{name}".lstrip("."))
        elif field.required:
            found.append(f"{_where(place)}{name!r} is missing.")
    if not found:
        try:
            msgspec.convert(content, section)
        except msgspec.ValidationError as error:
            found = [_where(place) + line for line in str(error).partition(" - at `")[0].splitlines()]
    yield from found


def _unknown(name: str, known: Mapping[str, Any], place: str) -> str:
    meant = suggest(name, known, f"Possible are {', '.join(known)}.")
    return f"Unknown setting {name!r}{_where(place, ' in ').rstrip(': ')}. {meant}"


def suggest(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Which of the known names was perhaps meant; `otherwise`, if none is like it."""
    near = get_close_matches(name, list(known), 1)
    return f"Did you mean {near[0]!r}?" if near else otherwise


def _in_value(kind: Any, value: Any, place: str) -> Iterator[str]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        section, _, name = place.rpartition(".")
        yield f"{_where(section)}{name} = {_shown(value)}. Please write {describe(kind)}."


def _where(place: str, before: str = "") -> str:
    """A section as the file has it: "[timing]: ", or "[[assistant]] no. 2: "."""
    if not place:
        return ""
    name, number = re.sub(r"\[\d+\]", "", place), re.search(r"\[(\d+)\]$", place)
    return f"{before}[[{name}]] no. {int(number[1]) + 1}: " if number else f"{before}[{name}]: "


def _shown(value: Any) -> str:
    """About as TOML has it, on a line and not too long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def describe(kind: Any) -> str:
    """What a setting should be, after "Please write"."""
    known = inspect.type_info(kind)
    while isinstance(known, inspect.Metadata):
        if title := (known.extra_json_schema or {}).get("title"):
            return str(title)
        known = known.type
    return _described(known)


def _described(known: inspect.Type) -> str:
    match known:
        case inspect.IntType() | inspect.FloatType():
            number = "a whole number" if isinstance(known, inspect.IntType) else "a number"
            words = number + _limits(known.gt if known.ge is None else known.ge, known.le)
        case inspect.LiteralType(values=values):
            words = " or ".join(map(json.dumps, values))
        case inspect.ListType() | inspect.VarTupleType() | inspect.TupleType():
            words = "a list in brackets" + (" that is not empty" if getattr(known, "min_length", None) else "")
        case _:
            simple = {inspect.BoolType: "true or false", inspect.StrType: "some text, in quotes"}
            words = simple.get(type(known), "a section of settings")
    return words


def _limits(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f" of at least {low:g}" if low is not None else f" of at most {high:g}" if high is not None else ""
    return f" from {low:g} to {high:g}"


def _present(kind: Any) -> Any:
    """A kind without None, and without what says that it may be left out: TOML has no nothing."""
    if get_origin(kind) in {Union, UnionType}:
        return next(one for one in get_args(kind) if one not in {NoneType, msgspec.UnsetType})
    return kind


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _section(kind: Any) -> type[msgspec.Struct] | None:
    bare = _bare(kind)
    return bare if isinstance(bare, type) and issubclass(bare, msgspec.Struct) else None


def _item(kind: Any) -> Any:
    """Of what a list or a mapping is; None for what is neither."""
    bare = _bare(kind)
    origin, inner = get_origin(bare), get_args(bare)
    return inner[0] if origin in {tuple, list} else inner[1] if origin in {dict, Mapping} else None
