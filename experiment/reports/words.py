"""The page's words with what is put into them: dates and times as the language writes them, and its direction. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from experiment.design.daily import Daily
from experiment.design.language import is_right_to_left
from experiment.errors import BadInput


def said(daily: Daily, name: str, *, on: date | None = None, at: datetime | None = None, **values: object) -> str:
    """The words of this name about a day (`on`) or a moment (`at`, in the zone in which it is said)."""
    told = dict(values)
    if (day := on or at) is not None:
        told["date"] = format_date(day, daily.wording.date, locale=_locale(daily))
    if at is not None:
        told["time"] = format_time(at, daily.wording.time, tzinfo=at.tzinfo, locale=_locale(daily))
    text: str = getattr(daily.wording, name)
    return text.format(**told)


def direction(daily: Daily) -> Literal["ltr", "rtl"]:
    """Which way the language is written."""
    return "rtl" if is_right_to_left(_tag(daily)) else "ltr"


def check_language(daily: Daily) -> None:
    """BadInput unless it is known how the language writes dates."""
    _locale(daily)


def _locale(daily: Daily) -> str:
    """The language as babel calls it: the tag itself, or as much of it as babel knows."""
    parts = _tag(daily).split("-")
    known = (_known("-".join(parts[:count])) for count in range(len(parts), 0, -1))
    if locale := next(filter(None, known), None):
        return locale
    raise BadInput(f"Nothing is known of the language {daily.language!r}, so that no date can be written. Correct it.")


def _tag(daily: Daily) -> str:
    return daily.language or "en"


def _known(tag: str) -> str | None:
    try:
        return str(Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        return None
