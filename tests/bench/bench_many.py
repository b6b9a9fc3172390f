"""What Start costs in a small study and in a large one: 1 or 2,000 participants with encrypted messages and a register.

Measured is all that is done at Start: the register, this participant's messages (decrypted and checked), the session
drawn, and its pictures' process begun; the passphrase, which takes a second on purpose, is typed before. Both studies
take turns. The second line is the same with the register read for the first time, every line checked.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from experiment.cli.form import Answers
from experiment.cli.lab import Lab
from experiment.design.message import messages_csv, read_messages
from experiment.design.protocol import read_protocol
from experiment.messages.store import Folder
from experiment.record.dataset import DataSet
from experiment.storage import encryption
from experiment.storage.hash_chain import chain_line
from experiment.study import recording
from experiment.study.events import Consented, Enrolled, Entry
from experiment.study.register import Register, utc_now
from experiment.study.setup import enrol, set_up
from experiment.study.study_file import read_study
from tests.bench.reporting import ROOT, median, print_table, ratio
from tests.places import EXAMPLES
from tests.registers import PUBLIC_KEYS

MANY, TURNS, SUBJECT = 2_000, 11, "DF1"
GOAL = "1.2"


def main() -> None:
    """Make both studies, take turns, print."""
    with tempfile.TemporaryDirectory() as folder:
        labs = [lab(Path(folder, str(count)), count) for count in (1, MANY)]
        times = [[start_s(one) for one in labs] for _ in range(TURNS + 1)][1:]
        firsts = [[first_s(one) for one in labs] for _ in range(TURNS)]
    rows = [row("Start", times, GOAL), row("with the register's first reading", firsts, "")]
    print_table(f"Start with 1 and {MANY} participants, {TURNS} turns", ("", "1", f"{MANY}", "ratio", "goal"), rows)


def row(what: str, turns: list[list[float]], goal: str) -> tuple[str, ...]:
    """Both medians in milliseconds, and the median of their ratios."""
    one, many = ([turn[at] for turn in turns] for at in (0, 1))
    return (what, f"{median(one) * 1e3:.1f} ms", f"{median(many) * 1e3:.1f} ms", f"{ratio(many, one):.2f}", goal)


def lab(folder: Path, count: int) -> Lab:
    """So many participants with encrypted messages, all in the register; the first is on day four."""
    protocol, data = read_protocol(ROOT / "stimuli" / "protocol.toml"), DataSet(folder / "data")
    data.prepare()
    messages = Folder(folder / "messages")
    messages.write(SUBJECT, read_messages(EXAMPLES / "english.csv"))
    messages.encrypt("a passphrase of several words")
    opened = messages.unlocked("a passphrase of several words")
    sealed = encryption.encrypt(messages_csv(read_messages(EXAMPLES / "scripts.csv")), [opened.public_key()])
    for number in range(2, count + 1):
        (messages.path / f"sub-DF{number}.csv.age").write_bytes(sealed)
    kept = register(data.root, count)
    return Lab(protocol, data, opened, kept, kept.read(), seed=1, with_session=False)


def register(data: Path, count: int) -> Register:
    """The first participant started course 1 three days ago; the others gave their consent then."""
    first = utc_now() - timedelta(days=3)
    then = Register(data / "study", lambda: first)
    study = replace(read_study(ROOT / "stimuli" / "study.toml"), participants=count, strata=("one",))
    set_up(then, study, *PUBLIC_KEYS, "PI")
    enrolled = enrol(then, SUBJECT, "one", "RA").act
    assert isinstance(enrolled, Enrolled)
    before = then.path.read_bytes().splitlines(keepends=True)[-1]
    with then.path.open("ab") as file:
        for slot in then.kits()[1:count]:
            subject = f"DF{slot.place}"
            for act in (
                Enrolled(subject, "one", slot.place, slot.kits),
                Consented(subject, f"{first:%Y-%m-%d}", "v1"),
            ):
                before = chain_line(
                    before, msgspec.json.encode(Entry(first.isoformat(timespec="milliseconds"), "RA", act))
                )
                file.write(before)
    then.act("RA", lambda told: recording.consent(told, SUBJECT, None, "v1", first))
    then.act("RA", lambda told: recording.start_course(told, SUBJECT, 1, None, enrolled.kits[0], first))
    return Register(then.folder)


def start_s(one: Lab) -> float:
    """Wall time of one press of Start."""
    begin_s = time.perf_counter()
    one.plan(Answers(SUBJECT, None, "RA", {}), {})
    return time.perf_counter() - begin_s


def first_s(one: Lab) -> float:
    """Wall time of the same with the register read and understood for the first time."""
    assert one.register
    begin_s = time.perf_counter()
    told = one.register.read()
    read_s = time.perf_counter() - begin_s
    return read_s + start_s(dataclasses.replace(one, told=told))


if __name__ == "__main__":
    main()
