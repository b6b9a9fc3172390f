"""What can go wrong, by whose fault it is: two leaves under one root.

A message says what is wrong, where, what was expected and found, and what to do, for an assistant with a participant
waiting. It never holds a participant's message.
"""


class DayFourError(Exception):
    """The root: shown without a traceback, and `exit_status` ends the command."""

    exit_status = 2


class BadInput(DayFourError):
    """A file, an ID or an option needs a change by the person at the keyboard."""


class EquipmentFailure(DayFourError):
    """This computer, screen, keyboard or disk cannot do what a session needs."""

    exit_status = 4
