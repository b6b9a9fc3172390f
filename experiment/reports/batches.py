"""Requests that come together are written together: one lock and one sync of the disk for all that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from experiment.reports.events import Journal, LogLine
from experiment.reports.replies import Reply

Decide = Callable[[tuple[LogLine, ...]], Reply]


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
