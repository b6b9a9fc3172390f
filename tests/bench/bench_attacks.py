"""A thousand random combinations of two to five edits of a study by an attacker who makes all digests and tables anew.

The attacker has every file and this program: sessions and register entries are changed, exchanged, deleted, held again
and rolled back to older copies, sealed files replaced, and, each other time, the register's digests of the logs put
right at the end. A combination is found if the register is refused, or `qa` (with its verification), `study lock`, the
opening of the seals, or `verify --anchor` with the anchors written down after each visit tell that something is wrong.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

from msgspec import DecodeError

from experiment.design.visit import Visit
from experiment.errors import BadInput
from experiment.record.dataset import DataSet
from experiment.record.events import parse_utc
from experiment.screens.personas import HABITS
from tests.attacker import Attacked, Entry, copy_of, each, events_of, is_act, is_held, new_keys, new_study
from tests.bench.reporting import print_table
from tests.registers import STUDY
from tests.test_attacks import (
    change_kits,
    change_plan,
    delete_of,
    edit_transcript,
    end_early,
    find_seed,
    forge_allocation,
    forge_packing,
    rate_high,
    roll_back,
    swap_files,
    swap_people,
    table_of,
    take_out,
)

COMBINATIONS, MOST = 1000, 5
FAILS = (
    AssertionError,
    AttributeError,
    BadInput,
    DecodeError,
    IndexError,
    KeyError,
    OSError,
    RuntimeError,
    StopIteration,
    ValueError,
)
QA = ("verify", "exchanged", "sealed", "lost_data", "stranger", "other_day", "other_end", "unrecorded", "listed",
      "register_clock")  # fmt: skip
SEVERAL = ("anchor", "seals", "register", "lock", "qa")
Edit = Callable[[Attacked, Random], object]


def visit_of(one: Attacked, random: Random) -> Visit:
    """Any session that is there."""
    return random.choice(one.visits())


def two_visits(one: Attacked, random: Random) -> tuple[Visit, Visit]:
    """Any two sessions."""
    first, second = random.sample(one.visits(), 2)
    return first, second


def hold_again(one: Attacked, random: Random) -> None:
    """Somebody else is in the place of a participant, at the same time, with the same seed."""
    visit = visit_of(one, random)
    utc = str(events_of(one.transcript(visit))[0]["zero_utc"])
    shutil.rmtree(one.transcript(visit).parent)
    shutil.rmtree(one.data / visit.folder)
    one.hold(visit, random.choice(sorted(HABITS)), utc)


def exchange(one: Attacked, random: Random, *, with_seed: bool = False) -> None:
    """Two sessions, of one person or of two, with a seed that fits or their own."""
    visits = two_visits(one, random)
    one.exchange(*visits)
    for visit in visits if with_seed else ():
        told = events_of(one.transcript(visit))
        find_seed(told)
        one.forge(visit, told)


def move_time(one: Attacked, random: Random) -> None:
    """A session began up to three years earlier or later, and the register says so too, or not."""
    visit = visit_of(one, random)
    told = events_of(one.transcript(visit))
    moved = parse_utc(str(told[0]["zero_utc"])) + timedelta(minutes=random.randint(-1_500_000, 1_500_000))
    told[0]["zero_utc"] = moved.isoformat(timespec="milliseconds")
    one.forge(visit, told)
    if random.random() < 0.5:
        one.edit(is_held(visit), lambda entry: entry["act"].update(day=moved.date().isoformat()))


def any_entry(one: Attacked, random: Random, change: Callable[[Entry], object], *acts: str) -> None:
    """One entry of these acts is changed."""
    entries = one.entries()
    change(random.choice([entry for entry in entries if is_act(*acts)(entry)]))
    one.write_register(entries)


def drop_entry(one: Attacked, random: Random, *acts: str) -> None:
    """One entry of these acts is taken out."""
    entries = one.entries()
    entries.remove(random.choice([entry for entry in entries if is_act(*acts)(entry)]))
    one.write_register(entries)


def raise_cell(one: Attacked, random: Random) -> None:
    """A number in a table."""
    path = table_of(one, visit_of(one, random))
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    row = random.choice(rows[1:])
    row[rows[0].index("pleasure")] = "1" if row[rows[0].index("pleasure")] == "7" else "7"
    path.write_text("".join("\t".join(cells) + "\n" for cells in rows), encoding="utf-8")


EDITS: dict[str, Edit] = {
    "ratings raised": lambda one, random: edit_transcript(one, visit_of(one, random), rate_high, anew=True),
    "held again by another": hold_again,
    "sessions exchanged": exchange,
    "sessions exchanged, seed fitted": lambda one, random: exchange(one, random, with_seed=True),
    "log deleted": lambda one, random: delete_of(one, visit_of(one, random)),
    "log and tables deleted": lambda one, random: delete_of(one, visit_of(one, random), tables=True),
    "session deleted without a trace": lambda one, random: delete_of(one, visit_of(one, random), tables=True, row=True),
    "session ended early": lambda one, random: edit_transcript(one, visit_of(one, random), end_early, anew=True),
    "log of half the session": lambda one, random: edit_transcript(
        one, visit_of(one, random), lambda told: told.__delitem__(slice(len(told) // 2, None)), anew=True
    ),
    "time moved": move_time,
    "another assistant": lambda one, random: edit_transcript(
        one, visit_of(one, random), lambda told: told[0].update(operator="RA9"), anew=True
    ),
    "session invented": lambda one, random: one.hold(Visit(f"X{random.randint(1, 9)}", 1)),
    "cell changed": raise_cell,
    "tables exchanged": lambda one, random: swap_files(*(table_of(one, visit) for visit in two_visits(one, random))),
    "register of an older day": lambda one, random: roll_back(one, random.randint(1, len(one.entries()) - 1)),
    "initials changed": lambda one, random: any_entry(one, random, lambda e: e.update(who="RA9"), "dosed", "started"),
    "dose turned over": lambda one, random: any_entry(
        one, random, lambda e: e["act"].update(taken=not e["act"]["taken"]), "dosed"
    ),
    "dose taken out": lambda one, random: drop_entry(one, random, "dosed"),
    "override taken out": lambda one, random: drop_entry(one, random, "overridden"),
    "withdrawal taken out": lambda one, random: drop_entry(one, random, "withdrew"),
    "session's end taken out": lambda one, random: drop_entry(one, random, "session_held"),
    "held becomes never held": lambda one, random: any_entry(
        one, random, lambda e: e["act"].update(status="never_held", last_line_sha256=None), "session_held"
    ),
    "end turned over": lambda one, random: any_entry(
        one, random, lambda e: e["act"].update(status="aborted"), "session_held"
    ),
    "participant taken out": lambda one, random: take_out(one, visit_of(one, random).subject),
    "places exchanged": lambda one, _: swap_people(one),
    "treatments exchanged in the plan": lambda one, _: change_plan(one, treatments=list(STUDY.treatments[::-1])),
    "allocation forged": lambda one, _: forge_allocation(one, real_kits=True),
    "packing list forged": lambda one, _: forge_packing(one, (STUDY.treatments[1], STUDY.treatments[0])),
    "free kits exchanged": lambda one, _: change_kits(one, anew=True),
    "digests made anew": lambda one, _: one.record_digests(),
}


def main() -> None:
    """Attack, look, count and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COMBINATIONS
    with tempfile.TemporaryDirectory() as folder:
        study = new_study(Path(folder) / "study", new_keys())
        before = digest_of(study.data)
        found, edits = Counter[str](), Counter[str]()
        for number in range(count):
            one = copy_of(study, Path(folder) / "copy")
            done = attack(one, Random(number))
            noticed = by_tool(one.noticed_by()) if digest_of(one.data) != before else {"nothing changed"}
            if not noticed:
                print_table("not found", ("combination", ""), [(str(number), ", ".join(done))])
            found.update(noticed or {"nobody"})
            if noticed == {"anchor"}:
                found["the anchor alone"] += 1
                edits.update(set(done))
            shutil.rmtree(one.data)
    rows = [(name, str(found[name])) for name in (*SEVERAL, "the anchor alone", "nothing changed", "nobody")]
    print_table(f"{count} combinations of 2 to {MOST} edits, found by", ("", "combinations"), rows)
    print_table("edits in those that the anchor alone finds", ("edit", "combinations"),
                [(name, str(times)) for name, times in edits.most_common()])  # fmt: skip


def attack(one: Attacked, random: Random) -> list[str]:
    """Two to five edits, of which some may not be possible any more after others; their names."""
    done, wanted = list[str](), random.randint(2, MOST)
    while len(done) < wanted:
        name = random.choice(sorted(EDITS))
        with suppress(*FAILS):
            EDITS[name](one, random)
            done.append(name)
    if random.random() < 0.5:
        with suppress(*FAILS):
            each(Attacked.record_digests)(one)
            done.append("digests made anew")
    return done


def by_tool(noticed: set[str]) -> set[str]:
    """Who notices, with all that `qa` tells as one."""
    return {"qa" if one in QA else one for one in noticed}


def digest_of(data: Path) -> str:
    """Of all files of a data set with their names."""
    files = sorted(path for path in DataSet(data).root.rglob("*") if path.is_file())
    return sha256(b"".join(str(path.relative_to(data)).encode() + path.read_bytes() for path in files)).hexdigest()


if __name__ == "__main__":
    main()
