"""The study's allocation and register: balance, what can be guessed, and processes that enrol while some are killed.

The best guesser knows the block sizes and all past orders of a stratum, which nobody in the laboratory does; the number
beside is reckoned exactly from the blocks. Kits are guessed from by simple rules, of which the furthest from
chance is shown: of that many, it may well be three standard errors away.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from math import sqrt
from pathlib import Path
from random import Random
from statistics import fmean, stdev

import msgspec
from msgspec.structs import replace

from experiment.errors import DayFourError
from experiment.storage.hash_chain import chain_line
from experiment.storage.readable_code import CHARACTERS
from experiment.study.allocation import Slot, draw
from experiment.study.events import Act, Begun, Dosed, Enrolled, Entry, Recovered
from experiment.study.register import Register
from experiment.study.setup import enrol, set_up
from experiment.study.study_file import Study, read_study
from tests.bench.reporting import ROOT, median, percentile, print_table
from tests.test_study_allocation import best_hits, by_stratum, hits, imbalance, new_block
from tests.test_study_register import killed_once, new_keys, worker

STUDIES, GUESSED = 10_000, 14
PROCESSES, PARTICIPANTS, KILLS, ROUNDS = 10, 200, 20, 10
LARGE, DOSES = 5_000, 8


def main() -> None:
    """Draw, guess, enrol, kill, and print."""
    study = read_study(ROOT / "stimuli" / "study.toml")
    many = [draw(study, sha256(b"bench %d" % number).digest()) for number in range(STUDIES)]
    print_table(f"{STUDIES} studies of {len(many[0])} places", ("", "measured", "expected"), _drawn(study, many))
    with tempfile.TemporaryDirectory() as folder:
        rows = [*_raced(Path(folder), study), *_timed(Path(folder), study)]
    title = f"{ROUNDS} studies, {PROCESSES} processes, {PARTICIPANTS} participants, {KILLS} kills each"
    print_table(title, ("", "measured", "goal"), rows)


def _drawn(study: Study, many: list[tuple[Slot, ...]]) -> list[tuple[str, str, str]]:
    worst = max(imbalance(orders) for slots in many for orders in by_stratum(study, slots))
    hit = [float(hits(orders[:GUESSED])) for slots in many for orders in by_stratum(study, slots)]
    margin = 1.96 * stdev(hit) / sqrt(len(hit)) / GUESSED
    first = fmean(slot.order == "AB" for slots in many for slot in slots)
    return [
        ("greatest difference of the orders, at any time", f"{worst}", f"{max(study.block_sizes) // 2} or less"),
        ("share of AB", f"{first:.2%}", "50%"),
        (
            f"hits of the best guesser, {GUESSED} places (95% +-{margin:.2%})",
            f"{fmean(hit) / GUESSED:.2%}",
            f"{best_hits(new_block(), GUESSED) / GUESSED:.2%}",
        ),
        ("standard errors from chance, furthest of 33 rules from kits", f"{_furthest_rule(many):.1f}", "below 3.5"),
    ]


def _furthest_rule(many: list[tuple[Slot, ...]]) -> float:
    """How far the orders of the kits that a rule picks are from half and half, for the rule that is furthest."""

    def rule(at: int, course: int, mark: int) -> Callable[[Slot], bool]:
        return lambda slot: CHARACTERS.index(slot.kits[course][at]) % (2 + mark) == 0

    rules = [rule(at, course, mark) for at in range(6) for course in (0, 1) for mark in (0, 8)]
    rules += [lambda slot, at=at: slot.kits[0][at:] < slot.kits[1][at:] for at in range(6)]  # type: ignore[misc]
    rules += [lambda slot, at=at: slot.kits[0][at] == slot.kits[1][at] for at in range(3)]  # type: ignore[misc]
    furthest = 0.0
    for one in rules:
        seen = [slot.order == "AB" for slots in many[:2000] for slot in slots if one(slot)]
        furthest = max(furthest, abs(fmean(seen or [0.5]) - 0.5) * 2 * sqrt(len(seen)))
    return furthest


def _raced(folder: Path, study: Study) -> list[tuple[str, str, str]]:
    """What became of the participants in all rounds."""
    random, wrong, torn, elapsed_s, lost = Random(1), 0, 0, 0.0, 0
    for number in range(ROUNDS):
        register = _new(folder / f"round{number}", replace(study, participants=PARTICIPANTS // 2))
        start_s = time.perf_counter()
        told = _enrolled(register, random)
        elapsed_s += time.perf_counter() - start_s
        try:
            acts = [entry.act for entry in register.entries()]
        except DayFourError as error:
            print(error)
            wrong += 1
            continue
        enrolled = [act for act in acts if isinstance(act, Enrolled)]
        rows = [[act.place for act in enrolled if act.stratum == stratum] for stratum in study.strata]
        right = len({act.subject for act in enrolled}) == PARTICIPANTS
        wrong += not (right and all(row == list(range(1, PARTICIPANTS // 2 + 1)) for row in rows))
        lost += len(told - {(act.subject, act.place) for act in enrolled})
        torn += sum(isinstance(act, Recovered) for act in acts)
    return [
        ("studies with a place skipped, given twice or unreadable", f"{wrong}", "0"),
        ("places that were told and are lost", f"{lost}", "0"),
        ("lines torn by a kill, and recovered", f"{torn}", ""),
        ("time of a study with its kills", f"{elapsed_s / ROUNDS:.1f} s", "15 s"),
    ]


def _enrolled(register: Register, random: Random) -> set[tuple[str, int]]:
    shares = [[f"{number:03}" for number in range(at, PARTICIPANTS, PROCESSES)] for at in range(PROCESSES)]
    workers, told = [worker(register.folder, share) for share in shares], list[str]()
    for _ in range(KILLS):
        at = random.randrange(PROCESSES)
        told += killed_once(workers[at], random)
        workers[at] = worker(register.folder, shares[at])
    for process in workers:
        told += process.communicate()[0].splitlines()
    return {(line.split()[0], int(line.split()[1])) for line in told if line.strip()}


def _timed(folder: Path, study: Study) -> list[tuple[str, str, str]]:
    """How long an act takes alone, and how long the register of a large study is to read."""
    register, took_ms = _new(folder / "alone", study), []
    for number in range(40):
        start_s = time.perf_counter()
        enrol(register, f"A{number}", "north", "RA")
        took_ms.append(1000 * (time.perf_counter() - start_s))
    large = _new(folder / "large", replace(study, participants=LARGE, strata=("one",)))
    acts: list[Act] = [Enrolled(f"L{n}", "one", n + 1, place.kits) for n, place in enumerate(large.kits())]
    acts += [Dosed(f"L{n}", "2026-11-23", taken=True) for n in range(LARGE) for _ in range(DOSES)]
    with large.path.open("ab") as file:
        before = large.path.read_bytes()
        for act in acts:
            before = chain_line(before, msgspec.json.encode(Entry("2026-11-23T10:00:00.000+00:00", "RA", act)))
            file.write(before)
    start_s = time.perf_counter()
    lines = len(large.entries())
    return [
        (
            "one enrolment alone, median (95th percentile)",
            f"{median(took_ms):.1f} ({percentile(took_ms, 95):.1f}) ms",
            "",
        ),
        (f"reading and checking {lines} acts of {LARGE} participants", f"{time.perf_counter() - start_s:.2f} s", "1 s"),
    ]


def _new(folder: Path, study: Study) -> Register:
    register = Register(folder)
    set_up(register, study, new_keys().public, new_keys().public, "PI")
    assert isinstance(register.entries()[0].act, Begun)
    return register


if __name__ == "__main__":
    main()
