"""What an input means on a rating scale, and where the marker goes: pure, without a screen or a clock."""

from __future__ import annotations

from dataclasses import dataclass

from experiment.design.protocol import Keys
from experiment.record.events import Click, Input, Key
from experiment.task.layout import Layout


@dataclass(frozen=True)
class SetMarker:
    """Place the marker on a point, counted from 1."""

    point: int


@dataclass(frozen=True)
class MoveMarker:
    """Move the marker by so many points."""

    by: int


@dataclass(frozen=True)
class Confirm:
    """The rating is as marked."""


Action = SetMarker | MoveMarker | Confirm


def interpret(given: Input, points: int, keys: Keys, layout: Layout) -> Action | None:
    """What a press means on a scale of `points`; None if it means nothing there. Releases mean nothing."""
    match given:
        case Key(key=key, down=True) if key.isdecimal() and 1 <= int(key) <= points:
            return SetMarker(int(key))
        case Key(key=key, down=True) if key in keys.left:
            return MoveMarker(-1)
        case Key(key=key, down=True) if key in keys.right:
            return MoveMarker(1)
        case _ if is_confirmation(given, keys, layout):
            return Confirm()
        case Click(x_px=x_px, y_px=y_px, down=True):
            point = layout.scale(points).point_at(x_px, y_px)
            return None if point is None else SetMarker(point)
        case _:
            return None


def is_confirmation(given: Input, keys: Keys, layout: Layout) -> bool:
    """Whether this is a press of a confirming key or of the button."""
    match given:
        case Key(key=key, down=True):
            return key in keys.confirm
        case Click(x_px=x_px, y_px=y_px, down=True):
            return layout.button.holds(x_px, y_px)
        case _:
            return False


def marker_after(marker: int | None, action: SetMarker | MoveMarker, points: int) -> int:
    """Where the marker stands afterwards, from 1 to `points`.

    The first arrow press puts it in the middle, from where both ends are equally far, so that the scale favours neither
    (of an even number of points, on the middle point of the arrow's side).
    """
    if isinstance(action, SetMarker):
        return action.point
    if marker is None:
        return points // 2 if points % 2 == 0 and action.by < 0 else points // 2 + 1
    return max(1, min(points, marker + action.by))
