"""What answers need of the study: its register, read again when it grew, and who stands behind a link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from experiment.design.daily import Daily
from experiment.errors import BadInput
from experiment.reports.events import Journal, LogLine, journal
from experiment.reports.open_times import check_hours
from experiment.reports.record import asked, digest, links
from experiment.reports.replies import Asker
from experiment.reports.table import refresh_table
from experiment.reports.words import check_language
from experiment.study.location import register_in
from experiment.study.register import Register
from experiment.study.snapshot import Snapshot


class Service:
    """The daily reports of a data set: which are asked, and the register that knows their days; it is never written."""

    def __init__(self, data: Path, daily: Daily, register: Register | None = None) -> None:
        """BadInput if the study has not begun, or if its reminders and the reports' hours do not fit together."""
        self.data, self.daily = data, daily
        self.register = register or register_in(data)
        self.journal: Journal = journal(data)
        self._told = self.register.read()
        check_hours(self._told.study, daily)
        check_language(daily)

    @property
    def now(self) -> Callable[[], datetime]:
        """The wall clock."""
        return self.register.now

    def begin(self) -> None:
        """Record what is asked, if that is new, and bring the table up to the log; BadInput after the lock."""
        self.append(lambda entries: asked(entries, self.daily, self.now()))
        self.update_table()

    def append(self, decide: Callable[[tuple[LogLine, ...]], Sequence[LogLine]]) -> None:
        """Add lines to the log, which is part of what is locked: BadInput after the lock."""

        def decide_unlocked(entries: tuple[LogLine, ...]) -> Sequence[LogLine]:
            self._check_unlocked()  # again: `study lock` holds the log, and whoever waited finds the study locked
            return decide(entries)

        self._check_unlocked()  # before a log is made
        self.journal.append(decide_unlocked)

    def _check_unlocked(self) -> None:
        if self.roster().locked_at:
            raise BadInput("The study is locked: nothing about its daily reports can change any more.")

    def roster(self) -> Snapshot:
        """The register, read again only if it has another size than before."""
        self._told = self.register.refresh(self._told)
        return self._told

    def asker(self, entries: Sequence[LogLine], token: str) -> Asker | None:
        """Whoever has this link, now; None if it is not valid."""
        roster = self.roster()
        one = roster.people.get(links(entries).get(digest(token), ""))
        return Asker(one, roster.study, self.daily, self.now()) if one else None

    def update_table(self) -> None:
        """Write the table as the log and the register have it now."""
        with self.journal.held():  # nor does a table change that is being locked
            refresh_table(self.data, self.roster(), self.now())
