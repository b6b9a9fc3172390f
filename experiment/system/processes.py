"""Work that is shared among all cores, in processes or threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from experiment.system import no_core_dumps

Item = TypeVar("Item")
Result = TypeVar("Result")


Progress = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


THREADS = 4  # at most: a thread that draws holds the pixels of one picture several times


def run_in_process(work: Callable[[], Result]) -> Future[Result]:
    """The result to come of a process of its own, which delays nothing here and leaves no memory or dump of it behind.

    What is to be done goes there through a pipe: a function of a module, or a `functools.partial` of one.
    """
    pool = ProcessPoolExecutor(1, get_context("spawn"), no_core_dumps)
    begun = pool.submit(work)
    pool.shutdown(wait=False)
    return begun


def map_in_threads(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The results in the order of the items, of work that other libraries do beside Python: several at a time."""
    if not items:
        return []
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))


def map_on_all_cores(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    few: int,
    chunk: int,
    progress: Progress = lambda _done, _all: None,
) -> list[Result]:
    """The results in the order of the items; `few` of them are done here, sooner than further processes start.

    `chunk`: how many items a process is given at a time. Function, items and results go through pipes, so the function
    is one of a module; and they are nowhere else, as no dump is made of a process that dies.
    """
    if len(items) <= few:
        return list(_count(map(work, items), len(items), progress))
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), no_core_dumps) as pool:
        return list(_count(pool.map(work, items, chunksize=chunk), len(items), progress))


def _count(results: Iterable[Result], of: int, progress: Progress) -> Iterator[Result]:
    for done, result in enumerate(results, start=1):
        progress(done, of)
        yield result
