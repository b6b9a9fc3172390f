"""What cannot be decoded is one kind of error, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from msgspec import DecodeError

Given = TypeVar("Given")
Kind = TypeVar("Kind")


def decoder(decode: Callable[[Given], Kind]) -> Callable[[Given], Kind]:
    """The function, whose errors are all DecodeErrors: also for bytes that are no UTF-8, and for too deep a nesting."""

    @wraps(decode)
    def decoded(text: Given) -> Kind:
        try:
            return decode(text)
        except DecodeError:
            raise
        except (ValueError, RecursionError) as error:
            raise DecodeError(str(error)) from error

    return decoded
