"""The daily reports' figures: `python -m tests.bench.bench_reports [hours|evenings|kills|rush|changes] [COUNT]`.

Hours: on every hour of two courses in twelve zones, what is shown as open is accepted. Evenings: random sequences of
opening, answering, retrying, two tabs, the way back, lost answers and restarts. Kills: SIGKILLs of a server to which
participants send. Rush: 80 participants send within one second. Changes: random single changes of log, head and table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.bench.reporting import median, percentile, print_table
from tests.daily_reports import FULL, begin, give, served, tonight
from tests.registers import DAY, MONDAY
from tests.test_reports_log import check_changes
from tests.test_reports_open_times import ZONES, check_grid
from tests.test_reports_survival import all_at_once, kill_and_check, play

PEOPLE = 80
IN_ONE_STUDY = 104  # evenings: of 13 participants with 8 days each
ROUNDS = 5


def hours(_: int) -> list[list[str]]:
    """The grid; an hour that differs is an error."""
    count = sum(check_grid(zone, start) for zone, start in ZONES.items())
    return [["hours looked at (12 zones, two people)", f"{count:,}"], ["shown but not accepted, or the reverse", "0"]]


def evenings(count: int) -> list[list[str]]:
    """Random sequences in studies of some participants; a lost or invented report is an error."""
    reports = 0
    for seed in range(-(-count // IN_ONE_STUDY)):
        with TemporaryDirectory() as folder:
            reports += play(Path(folder), IN_ONE_STUDY, seed)
    played = IN_ONE_STUDY * -(-count // IN_ONE_STUDY)
    return [["random sequences", f"{played:,}"], ["reports", f"{reports:,}"], ["lost, doubled or invented", "0"]]


def kills(count: int) -> list[list[str]]:
    """SIGKILLs at random moments."""
    study, day = tonight()
    with TemporaryDirectory() as folder:
        made = begin(Path(folder), 5, study, monday=day)
        acknowledged, lost = kill_and_check(made, day, count, 1)
    return [["SIGKILLs", str(count)], ["acknowledged sendings", f"{acknowledged:,}"], ["lost", str(lost)]]


def rush(rounds: int) -> list[list[str]]:
    """Everybody within one second, several times."""
    waits = list[float]()
    with TemporaryDirectory() as folder:
        made = begin(Path(folder), PEOPLE)
        for number in range(rounds):
            made.at(MONDAY + number % 4 * DAY, f"{19 + number // 4}:00")
            with served(made) as port:
                waits += all_at_once(made, port, MONDAY + number % 4 * DAY)
    return [
        [f"{PEOPLE} participants in one second, {rounds} rounds", str(len(waits))],
        ["until thanked: median", f"{median(waits):.2f} s"],
        ["99th percentile", f"{percentile(waits, 99):.2f} s"],
        ["longest (goal: 2 s)", f"{max(waits):.2f} s"],
    ]


def changes(count: int) -> list[list[str]]:
    """Random single changes, each verified and put back; one that is not found is an error."""
    with TemporaryDirectory() as folder:
        made = begin(Path(folder), 4)
        with served(made) as port:
            for day in (MONDAY, MONDAY + DAY, MONDAY + 2 * DAY):
                made.at(day, "20:30")
                for subject in made.links:
                    give(port, made.path(subject, day), FULL)
        same = check_changes(made, count, 2)
    return [["random single changes", str(count)], ["that left the bytes as they were", str(same)], ["not found", "0"]]


PARTS: dict[str, tuple[Callable[[int], list[list[str]]], int]] = {
    "hours": (hours, 0), "rush": (rush, ROUNDS), "changes": (changes, 1000), "evenings": (evenings, 10_000),
    "kills": (kills, 300),
}  # fmt: skip


def main() -> None:
    """All parts, or the one that is named."""
    names = sys.argv[1:2] or [*PARTS]
    for name in names:
        part, usual = PARTS[name]
        start_s = perf_counter()
        rows = part(int(sys.argv[2]) if len(sys.argv) > 2 else usual)
        print_table(f"{name}, {perf_counter() - start_s:.0f} s", ["", ""], rows)


if __name__ == "__main__":
    main()
