"""What an input means on a rating scale, and where the marker goes: pure, without a screen or a clock."""

from __future__ import annotations

from dataclasses import dataclass

from experiment.design.protocol import Keys
from experiment.design.scale import Scale
from experiment.record.events import Click, Drag, Input, Key
from experiment.task.layout import Layout, ScaleLayout

SECOND_DIGIT_S = 1.0
"""Within this time a second digit makes a number of two digits, such as 10, of the two."""


@dataclass(frozen=True)
class SetMarker:
    """Place the marker on a number."""

    number: int


@dataclass(frozen=True)
class MoveMarker:
    """Move the marker by so many numbers, towards the high end if they are above 0."""

    by: int


@dataclass(frozen=True)
class Confirm:
    """The rating is as marked."""


Action = SetMarker | MoveMarker | Confirm


def interpret(given: Input, scale: Scale, keys: Keys, layout: Layout, before: Input | None = None) -> Action | None:
    """What an input means on a scale; None if it means nothing there. `before`: the last one, if it meant something.

    Releases mean nothing, but that of the mouse where it dragged the marker along a line.
    """
    match given:
        case Key(key=key, down=True) if key.isdecimal() and not scale.is_line:
            number = _number(given, scale, before)
            return None if number is None else SetMarker(number)
        case Key(key=key, down=True) if key in keys.moving:
            return MoveMarker(_step(key, scale, keys))
        case _ if is_confirmation(given, keys, layout):
            return Confirm()
        case Click(x_px=x_px, y_px=y_px, down=True):
            pointed = layout.scale(scale).number_at(x_px, y_px)
            return None if pointed is None else SetMarker(pointed)
        case Click(x_px=x_px) | Drag(x_px=x_px) if scale.is_line and _holds_marker(before, layout.scale(scale)):
            return SetMarker(layout.scale(scale).nearest_number(x_px))
        case _:
            return None


def _number(typed: Key, scale: Scale, before: Input | None) -> int | None:
    """The number of the scale that a digit means, maybe as the second of two; 0 is ten where there is no 0."""
    digit = int(typed.key)
    if isinstance(before, Key) and before.key.isdecimal() and typed.time_s - before.time_s <= SECOND_DIGIT_S:
        both = 10 * int(before.key) + digit
        if both >= 10 and scale.holds(both):
            return both
    number = 10 if digit == 0 and not scale.holds(0) else digit
    return number if scale.holds(number) else None


def _step(key: str, scale: Scale, keys: Keys) -> int:
    """How far a key moves the marker, towards the high end if above 0."""
    if key in (keys.less or ()) or key in (keys.more or ()):
        return 1 if key in (keys.more or ()) else -1
    return scale.step if (key in keys.right) != scale.is_mirrored else -scale.step


def _holds_marker(before: Input | None, places: ScaleLayout) -> bool:
    """Whether the mouse has hold of the marker since the input before."""
    match before:
        case Drag():
            return True
        case Click(x_px=x_px, y_px=y_px, down=True):
            return places.number_at(x_px, y_px) is not None
    return False


def is_confirmation(given: Input, keys: Keys, layout: Layout) -> bool:
    """Whether this is a press of a confirming key or of the button."""
    match given:
        case Key(key=key, down=True):
            return key in keys.confirm
        case Click(x_px=x_px, y_px=y_px, down=True):
            return layout.button.holds(x_px, y_px)
        case _:
            return False


def marker_after(marker: int | None, action: SetMarker | MoveMarker, scale: Scale) -> int:
    """Where the marker stands afterwards.

    The first press of a key that moves it puts it in the middle, from where both ends are equally far, so that the
    scale favours neither (of an even number of points, on the middle point of the key's side).
    """
    if isinstance(action, SetMarker):
        return action.number
    if marker is None:
        upper = scale.first + scale.points // 2
        return upper - 1 if scale.points % 2 == 0 and action.by < 0 else upper
    return scale.nearest(marker + action.by)
