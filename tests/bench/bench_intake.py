"""Taking in and checking a whole study's messages: 500 participants with six each, by the two commands as typed.

One spreadsheet (CSV), 3,000 messages of 60 to 110 words drawn from those of the English example, no two alike. Each
command is a process of its own, from its start to its end.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from experiment.design.message import read_messages
from tests.bench.reporting import ROOT, environment, print_table

SUBJECTS, EACH, GOAL_S = 500, 6, 20


def main() -> None:
    """Write the spreadsheet, run both commands, and print how long they took."""
    with tempfile.TemporaryDirectory() as folder:
        sheet, into = Path(folder, "letters.csv"), Path(folder, "participants")
        into.mkdir()
        with sheet.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(letters(Random(1)))
        taken_in_s = took("import", str(sheet), "--into", str(into))
        checked_s = took("check", "--messages", str(into))
    rows = (
        ("messages import", f"{taken_in_s:.1f}", ""),
        ("messages check", f"{checked_s:.1f}", ""),
        ("both", f"{taken_in_s + checked_s:.1f}", f"at most {GOAL_S}"),
    )
    print_table(f"{SUBJECTS} participants with {EACH} messages each", ("", "s", "goal"), rows)


def letters(random: Random) -> list[tuple[str, ...]]:
    """The spreadsheet's rows, its columns named."""
    example = read_messages(ROOT / "stimuli" / "examples" / "english.csv")
    words = " ".join(message.text for message in example).split(" ")
    rows: list[tuple[str, ...]] = [("subject", "writer", "relationship", "message")]
    for number in range(SUBJECTS):
        texts = [" ".join(random.sample(words, random.randint(60, 110))) for _ in range(EACH)]
        rows += [(f"DF{number:03}", f"Writer {at}", "friend", text) for at, text in enumerate(texts)]
    return rows


def took(*command: str) -> float:
    """The seconds of a command about messages, which has to end well."""
    began_s = time.perf_counter()
    arguments = [sys.executable, "-m", "experiment", "messages", *command]
    subprocess.run(arguments, cwd=ROOT, env=environment(), check=True, capture_output=True)
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
