"""What can be written into a transcript: values of the types that an event declares, and else a line in its place."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from experiment.record.events import Event, decode, encode
from experiment.record.events_beside import Unwritable

Kind = TypeVar("Kind", bound=Struct)


def as_written(event: Event) -> Event:
    """The event if it will be read back as it is, else an `Unwritable` in its place."""
    try:
        if decode(encode(event)) == event:
            return event
        why = "Unequal"
    except MemoryError:  # which passes
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one event, the others have to be written
        why = type(error).__name__
    return Unwritable(kind_of(event), why)


def kind_of(event: object) -> str:
    """An event's tag."""
    return str(event.__struct_config__.tag) if isinstance(event, Struct) else type(event).__name__


def as_declared(event: Kind) -> Kind:
    """The event with each value of the type that it is declared to be: a window's numbers may be numpy's."""
    try:
        return msgspec.convert(msgspec.to_builtins(event, enc_hook=_plain), type(event))
    except (msgspec.ValidationError, TypeError, AttributeError):  # it will be named as unwritable
        return event


def _plain(value: Any) -> object:
    return value.item()
