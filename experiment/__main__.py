"""The command line: a command is run, and whatever goes wrong is told in words."""

from __future__ import annotations

import sys
from typing import NoReturn

from experiment.cli.commands import COMMANDS, build
from experiment.cli.desk.commands import desk
from experiment.cli.terminal import describe_unexpected, end_as_interrupted, say, speak_utf8
from experiment.errors import DayFourError, EquipmentFailure

app = build(COMMANDS, desk)


def main() -> NoReturn:
    """Run a command; errors are told in words, and with `--debug` also with a traceback."""
    debug = "--debug" in sys.argv
    end_as_interrupted()
    speak_utf8()
    try:
        app([argument for argument in sys.argv[1:] if argument != "--debug"], prog_name="dayfour")
    except DayFourError as error:
        say(str(error), "red")
        status = error.exit_status
    except Exception as error:  # noqa: BLE001 - whatever it is, an assistant is waiting and has to know what to do
        say(describe_unexpected(error), "red")
        if "study" in sys.argv[1:2]:
            say("It may have been recorded: look with `dayfour study history` before you repeat it.", "red")
        status = EquipmentFailure.exit_status
        if debug:
            sys.excepthook(type(error), error, error.__traceback__)
    sys.exit(status)


if __name__ == "__main__":
    main()
