"""How long an assistant waits at the desk: until it is open, and from the participant to the session's first page.

The desk with 2,000 participants in the register counts from before the process is made until the list is on the screen.
From the desk to the first page are two waits, without what the assistant types between them: from Return at the desk to
the form, and from Return in the form to the welcome page's line in the transcript. Against them stands `dayfour run`
with everything given, from before its process is made to the same line; both take turns. The check of the computer is
overridden in both, as the display is a virtual one. `python -m tests.bench.bench_desk [TURNS]`, by default 7.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from experiment.cli.form_widgets import INK
from experiment.record.events import Shown
from tests.assistant import Desk, end
from tests.bench.bench_status import register
from tests.bench.reporting import display, median, print_table, ratio
from tests.lab import SUBJECT, Lab
from tests.xtest import Hands

MANY = 2_000
OVERRIDE = ("--override", "a virtual screen")
ROWS = slice(300, 600), slice(40, 600)  # of the screen, where the list stands
DARK = tuple(bytes.fromhex(INK.removeprefix("#")))
LEAST_INK = 300  # pixels: a few rows of text


def main(turns: int) -> None:
    """Measure both and print the table."""
    with display() as name, Hands(name) as hands:
        opened = [opening_s(name, hands) for _ in range(turns)]
        pairs = [(from_desk_s(name, hands), alone_s(name)) for _ in range(turns)]
    desk, alone = ([pair[at] for pair in pairs] for at in (0, 1))
    print_table(
        f"the desk, {turns} turns",
        ("", "s", "ratio", "goal"),
        [("open, with 2,000 participants", f"{median(opened):.2f}", "", "2 s"),
         ("dayfour run to the first page", f"{median(alone):.2f}", "1", ""),
         ("desk to form to the first page", f"{median(desk):.2f}", f"{ratio(desk, alone):.2f}", "1.3")],
    )  # fmt: skip


def opening_s(name: str, hands: Hands) -> float:
    """From the start of the desk to its list."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(name, Path(folder))
        lab.messages()
        register(lab.data / "study", MANY)
        start_s = time.monotonic()
        with Desk(lab, hands) as desk:
            desk.shows(lambda screen: int((screen[ROWS] == DARK).all(axis=2).sum()) > LEAST_INK)
            took_s = time.monotonic() - start_s
    return took_s


def from_desk_s(name: str, hands: Hands) -> float:
    """From the desk to the form, and from there to the first page."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(name, Path(folder))
        lab.messages()
        with Desk(lab, hands, script=OVERRIDDEN) as desk:
            desk.finds(SUBJECT)
            time.sleep(3.0)  # it looks at the computer when it opens
            start_s = time.monotonic()
            desk.type("return")
            desk.waits_for("Day Four")
            form_s = time.monotonic() - start_s
            desk.type(*"ta", "tab", *"0830", "tab", *"no", "tab")
            start_s = time.monotonic()
            desk.type("return")
            desk.sitting.next(Shown)
            took_s = form_s + time.monotonic() - start_s
    return took_s


def alone_s(name: str) -> float:
    """From the start of `dayfour run` to the first page."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(name, Path(folder))
        lab.messages()
        start_s = time.monotonic()
        sitting = lab.runs()
        sitting.next(Shown)
        took_s = time.monotonic() - start_s
        end(sitting)
    return took_s


OVERRIDDEN = f"""
import sys
from experiment.cli.desk.places import Places
usual = Places.run
Places.run = lambda self, subject, session: (*usual(self, subject, session), *{OVERRIDE!r})
from experiment.__main__ import main
main()
"""

if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 7)
