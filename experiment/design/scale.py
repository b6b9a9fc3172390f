"""What a rating is given on: numbered points, or a line from 0 to 100 (a visual analogue scale)."""

from __future__ import annotations

from msgspec import Struct

LINE_POINTS = 101
LINE_STEP = 5  # of the keys that move the marker to the left and right


class Scale(Struct, frozen=True):
    """`points` numbers from `first` on. A line has 101 from 0 on, and shows none of them.

    `labels`: of the two ends, low before high; of the ends and the middle between them; or of each point.
    `is_mirrored`: the low end is on the right.
    """

    points: int = 7
    first: int = 1
    labels: tuple[str, ...] = ("", "")
    is_line: bool = False
    is_mirrored: bool = False

    @property
    def last(self) -> int:
        """The number at the high end."""
        return self.first + self.points - 1

    @property
    def extent(self) -> str:
        """From where to where, in words."""
        return f"from {self.first} to {self.last}{' on a line' if self.is_line else ''}"

    @property
    def step(self) -> int:
        """How far a key moves the marker to the left or right."""
        return LINE_STEP if self.is_line else 1

    @property
    def label_step(self) -> int:
        """How far it is from a label to the next one."""
        return (self.points - 1) // (len(self.labels) - 1)

    @property
    def labelled(self) -> dict[int, str]:
        """The label of each number that has one."""
        return {self.first + number * self.label_step: label for number, label in enumerate(self.labels)}

    @property
    def digits(self) -> frozenset[str]:
        """The digits that its numbers are typed with; of a line, none."""
        numbers = () if self.is_line else range(self.first, self.last + 1)
        return frozenset("".join(map(str, numbers)))

    def holds(self, number: int) -> bool:
        """Whether it is a number of the scale."""
        return self.first <= number <= self.last

    def nearest(self, number: int) -> int:
        """The number itself, or the end that it lies beyond."""
        return max(self.first, min(self.last, number))

    def wrong_labels(self) -> str | None:
        """What is wrong with the number of labels; None if nothing is."""
        possible = {2, *([] if self.is_line else [self.points]), *([3] if self.points % 2 else [])}
        if len(self.labels) in possible:
            return None
        middle = ", 3 (with the middle)" if self.points % 2 else ""
        each = "" if self.is_line else f" or {self.points} (of each point)"
        found = f"'labels' are {len(self.labels)}" if self.labels else "there are no labels"
        return f"{found}. Please write 2 (of the ends){middle}{each}."
