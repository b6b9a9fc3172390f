"""What answers need of the study: its register, read again when it grew, and who stands behind a link.

Requests that come together are written together: one lock and one sync of the disk for all that wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from experiment.design.daily import Daily
from experiment.errors import BadInput
from experiment.reports.log import Journal, LogLine, asked, digest, journal, links
from experiment.reports.open_times import check_hours
from experiment.reports.replies import Asker, Reply
from experiment.reports.table import refresh_table
from experiment.reports.words import check_language
from experiment.study.location import register_in
from experiment.study.participant import Participant
from experiment.study.register import Register
from experiment.study.snapshot import Snapshot

Decide = Callable[[tuple[LogLine, ...]], Reply]


class Service:
    """The daily reports of a data set: which are asked, and the register that knows their days; it is never written."""

    def __init__(self, data: Path, daily: Daily, register: Register | None = None) -> None:
        """BadInput if the study has not begun, or if its reminders and the reports' hours do not fit together."""
        self.data, self.daily = data, daily
        self.register = register or register_in(data)
        self.now = self.register.now
        self.journal: Journal = journal(data)
        self._told = self.register.read()
        check_hours(self._told.study, daily)
        check_language(daily)

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

    def asker(self, one: Participant) -> Asker:
        """The participant who asks now."""
        return Asker(one, self.roster().study, self.daily, self.now())

    def asker_with(self, token: str, entries: Sequence[LogLine]) -> Asker | None:
        """Whoever has this link, now; None if it is not valid."""
        one = self.roster().people.get(links(entries).get(digest(token), ""))
        return self.asker(one) if one else None

    def update_table(self) -> None:
        """Write the table as the log and the register have it now."""
        with self.journal.held():  # nor does a table change that is being locked
            refresh_table(self.data, self.roster(), self.now())


class Batches:
    """`written` is told whenever a batch with lines is on the disk."""

    def __init__(self, journal: Journal, written: Callable[[], None]) -> None:
        self._journal, self._written = journal, written
        self._waiting: list[tuple[Decide, asyncio.Future[Reply]]] = []
        self._task: asyncio.Task[None] | None = None

    async def decide(self, decide: Decide) -> Reply:
        """What `decide` gives after a look at all lines, once its own are on the disk; raises what it raises.

        It is asked in another thread, under the lock. EquipmentFailure or BadInput if the log cannot be written.
        """
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((decide, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                answers = await asyncio.to_thread(self._append, [decide for decide, _ in batch])
            except Exception as error:  # noqa: BLE001 - each request has to hear of it
                answers = [error] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.cancelled():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
            if any(isinstance(answer, Reply) and answer.events for answer in answers):
                self._written()

    def _append(self, decisions: list[Decide]) -> list[Reply | Exception]:
        answers = list[Reply | Exception]()

        def decide_all(entries: tuple[LogLine, ...]) -> tuple[LogLine, ...]:
            before = len(entries)
            for decide in decisions:
                answers.append(answer := _tried(decide, entries))
                entries += answer.events if isinstance(answer, Reply) else ()
            return entries[before:]

        self._journal.append(decide_all)
        return answers


def _tried(decide: Decide, entries: tuple[LogLine, ...]) -> Reply | Exception:
    """What a request decides, or why it cannot: the others of its batch go on."""
    try:
        return decide(entries)
    except Exception as error:  # noqa: BLE001 - it is that request's own
        return error
