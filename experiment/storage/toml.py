"""What is wrong with a file's content, in the file's own terms: key, what was expected, what was found."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from experiment.errors import BadInput

Kind = TypeVar("Kind")
WHOLE = "the whole file"


def read_toml(path: Path, kind: type[Kind], name: str, option: str) -> Kind:
    """A TOML file as what it should be; BadInput names the file, the key, what was expected and what was found.

    `name`: what it is called, as the example `stimuli/NAME.toml` is. `option`: which names the file on a command line.
    """
    try:
        content = msgspec.toml.decode(path.read_bytes())
    except OSError as error:
        raise BadInput(f"The {name} {path} cannot be read: {error.strerror}. Check {option}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"The {name} {path} is not a TOML file: {error}. Compare with stimuli/{name}.toml.") from error
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        wrong = format_validation_error(str(error), content)
        raise BadInput(
            f"The {name} {path} cannot be used.\n{wrong}\nCorrect the file, or copy stimuli/{name}.toml again."
        ) from error


def format_validation_error(message: str, content: Any) -> str:
    """A sentence of msgspec about content that is of the wrong kind, as three lines for whoever wrote the file.

    The key is as in the file, such as `rating.questions[0].id`; what stands there is shortened to a line.
    """
    expected, _, place = message.partition(" - at ")
    key = place.removeprefix("`key` in ").strip("`").removeprefix("$").removeprefix(".")
    if named := re.fullmatch(r"Object (contains unknown|missing required) field `(\w+)`", expected):
        key = f"{key}.{named[2]}".lstrip(".")
        expected = "Expected no such key" if named[1] == "contains unknown" else "Expected a value"
    elif expected.startswith("Invalid enum value"):
        expected = f"Expected one of the words that stimuli/protocol.toml names here, got {expected.split()[-1]}"
    return f"  key: {key or WHOLE}\n  {expected}\n  found: {_value_at(content, key)}"


def _value_at(content: Any, key: str) -> str:
    try:
        for name, index in re.findall(r"(\w+)|\[(\d+)\]", key):
            content = content[name] if name else content[int(index)]
    except (KeyError, IndexError, TypeError):
        return "(nothing)"
    shown = repr(content)
    return shown if len(shown) <= 80 else shown[:77] + "..."
