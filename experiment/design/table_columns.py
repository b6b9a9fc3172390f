"""The columns of a session's table: those of its task, those of the ratings, and what happened around the answers."""

from __future__ import annotations

from msgspec.structs import replace

from experiment.design.columns import AROUND_COLUMNS, LATER_COLUMNS, MESSAGE_COLUMNS, TableColumn, rating_columns
from experiment.design.objects import object_columns
from experiment.design.scan import SCAN_COLUMNS
from experiment.design.session import SessionPlan
from experiment.design.sources import LEVELS

SOURCE_COLUMN = TableColumn("source", "text", "Whom the message is from.", LEVELS)
_HANDED_BEFORE = "How often the object was in the hand before the program died and the session went on."


def table_columns(session: SessionPlan) -> tuple[TableColumn, ...]:
    """The columns in order; where the session did not record how many words its messages have, as tables were then."""
    left_out = set() if session.has_words else LATER_COLUMNS
    every = (*_first_columns(session), *rating_columns(session.protocol.rating), *_around_columns(session))
    return tuple(column for column in every if column.name not in left_out)


def _first_columns(session: SessionPlan) -> tuple[TableColumn, ...]:
    """What comes before the ratings."""
    if objects := session.protocol.objects:
        return object_columns(objects)
    source = (SOURCE_COLUMN,) if session.has_sources else ()
    if session.protocol.scan:
        trial, *message = (column for column in MESSAGE_COLUMNS if column.name != "reading_time")
        return (trial, *SCAN_COLUMNS[:2], *message, *source, *SCAN_COLUMNS[2:])
    return (*MESSAGE_COLUMNS, *source)


def _around_columns(session: SessionPlan) -> tuple[TableColumn, ...]:
    """What comes after the ratings; of an object no frames are missed."""
    if not session.protocol.objects:
        return AROUND_COLUMNS
    *kept, last = (column for column in AROUND_COLUMNS if column.name != "missed_frames")
    return (*kept, replace(last, description=_HANDED_BEFORE))
