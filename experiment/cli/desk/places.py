"""Where the desk looks, and the commands that its buttons run: the same program, as a person would start it."""

from __future__ import annotations

import sys
from pathlib import Path

from msgspec import Struct

Command = tuple[str, ...]
SESSIONS = ("run", "funnel", "pilot")  # the commands that a participant sees


class Places(Struct, frozen=True):
    """The protocol's file, the participants' folder of messages, and the data set's folder."""

    protocol: Path
    messages: Path
    data: Path

    def run(self, subject: str, session: int | None) -> Command:
        """A real session; the form asks for what is not known. `session`: None where it is asked or the register's."""
        known = ("--subject", subject) if subject else ()
        number = ("--session", str(session)) if session else ()
        return ("run", *known, *number, *self._protocol, "--messages", str(self.messages), *self._data)

    def pilot(self, *, full_screen: bool) -> Command:
        """A whole session with the example messages."""
        return ("pilot", *(("--full-screen",) if full_screen else ()), *self._protocol, *self._data)

    def funnel(self, subject: str) -> Command:
        """The closing questions alone."""
        return ("funnel", "--subject", subject, *self._protocol, *self._data)

    def close_session(self, subject: str, session: int) -> Command:
        """In the register: the session did not take place."""
        return ("study", "close", "--subject", subject, "--session", str(session), *self._data)

    @property
    def confirm_clock(self) -> Command:
        """In the register: this computer's clock is right."""
        return ("study", "clock", *self._data)

    @property
    def import_messages(self) -> Command:
        """Messages from files, which follow."""
        return ("messages", "import", *self._protocol, "--messages", str(self.messages))

    @property
    def remake(self) -> Command:
        """The tables from the logs."""
        return ("table", str(self.data), "--remake")

    @property
    def check(self) -> Command:
        """Everything that a session needs of this computer."""
        return ("check", "--json", *self._protocol, "--messages", str(self.messages), *self._data)

    @property
    def qa(self) -> Command:
        """The page over all sessions."""
        return ("qa", str(self.data), *self._protocol)

    @property
    def overview(self) -> Command:
        """The coordinator's page."""
        return ("study", "overview", *self._protocol, *self._data)

    def page_of(self, command: Command) -> Path:
        """The page that `qa` or `overview` writes."""
        name = "qa" if command == self.qa else "overview"
        return self.data / "derivatives" / name / f"{name}.html"

    def replay(self, transcript: Path) -> Command:
        """A session again; its messages are shown where they are not encrypted."""
        return ("replay", str(transcript), "--messages", str(self.messages))

    @property
    def _protocol(self) -> Command:
        return "--protocol", str(self.protocol)

    @property
    def _data(self) -> Command:
        return "--data", str(self.data)


def process_of(command: Command) -> list[str]:
    """The program with its arguments that runs a command as this one was started."""
    return [sys.executable, *(["-I"] if sys.flags.isolated else []), "-X", "utf8", "-m", "experiment", *command]
