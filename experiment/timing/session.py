"""The session whose timing is measured: the real code from plan to transcript, with short times and many messages.

It runs in a process of its own, since whoever watches it must not share an interpreter with it.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from experiment.design.message import Message
from experiment.design.protocol import Protocol, read_protocol
from experiment.design.visit import Visit
from experiment.errors import DayFourError, EquipmentFailure
from experiment.record.dataset import DataSet
from experiment.session import plan as plans
from experiment.session import run as sessions
from experiment.system import key_presser
from experiment.timing.observations import Observation
from experiment.timing.presser import Presser, draw_schedules
from experiment.timing.watcher import Watcher

ROOT = Path(__file__).resolve().parents[2]
SUBJECT, OPERATOR, TITLE = "timing", "timing", "Day Four"
ROBOT = "quick"
START_S = 120.0
SHOWN = b'"event":"shown"'
SAID = "session.log"


class TimingSession(Struct, frozen=True):
    """What the session's process is told: a `folder` for its data, and how many messages; who answers, and where."""

    folder: str
    protocol: str
    trials: int
    full_screen: bool
    participant: str = plans.PERSON

    @property
    def data(self) -> DataSet:
        """Its data set."""
        return DataSet(Path(self.folder))

    @property
    def transcript(self) -> Path:
        """Its transcript."""
        return self.data.transcript(Visit(SUBJECT, 1), read_protocol(Path(self.protocol)).task)


def new_folder(data: Path) -> Path:
    """Where the evidence of this measurement goes: a folder for each computer and time."""
    computer = re.sub(r"[^A-Za-z0-9-]", "-", platform.node()) or "computer"
    return data / "timing" / f"{computer}_{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"


def timing_protocol(protocol: Protocol, trials: int) -> Protocol:
    """The study's protocol with its scales as they are, without instructions, in which a trial takes about a second."""
    timing = replace(
        protocol.timing, fixation_s=0.1, blank_s=0.15, page_minimum_s=0.0, message_minimum_s=0.0,
        message_maximum_s=None, rating_maximum_s=None,
    )  # fmt: skip
    return replace(
        protocol,
        sessions=1,
        messages=trials,
        message_sets="same",
        timing=timing,
        mouse=replace(protocol.mouse, enabled=False),
        wording=replace(protocol.wording, instructions=(), progress=UNSET),
        assistant=(),
        scan=UNSET,
        objects=UNSET,
        pulses=UNSET,
    )


def timing_messages(trials: int) -> tuple[Message, ...]:
    """So many messages that nobody wrote."""
    return tuple(
        Message(f"t{number:03}", "Timing", "timing", "en", "A short message, to be answered at once.")
        for number in range(1, trials + 1)
    )


def run_session(session: TimingSession) -> None:
    """The session, in this process."""
    session.data.prepare()
    plan = plans.plan_session(
        "pilot", timing_protocol(read_protocol(Path(session.protocol)), session.trials),
        timing_messages(session.trials), session.data, subject=SUBJECT, session=1, seed=1, operator=OPERATOR,
        participant=session.participant,
    )  # fmt: skip
    sessions.run_in_window(plan, full_screen=session.full_screen, photodiode=True)


def run_watched(session: TimingSession, display: str | None = None) -> Observation:
    """Hold the session in another process, and watch and answer it from this one, on an X11 display.

    EquipmentFailure, with what the session said, if it did not come to its end.
    """
    return _answered(session, display, lambda: Watcher(display, TITLE).watch)


def run_pressed(session: TimingSession, display: str | None = None) -> Observation:
    """The same where nobody can see the screen: only the presses are known from outside. Unheard if none arrives."""
    with key_presser(display) as press:
        return _answered(session, display, lambda: Presser(session.transcript, press).watch)


def _answered(
    session: TimingSession, display: str | None, come: Callable[[], Callable[..., Observation]]
) -> Observation:
    """`come`: once the session is shown, gives whoever answers it (`Watcher.watch`, `Presser.watch`)."""
    scripts = draw_schedules(session.trials + 1, "timing", read_protocol(Path(session.protocol)))
    with start_session(session, display) as process:
        _wait_until_shown(session, process)
        watch = come()(scripts, lives=lambda: process.poll() is None)
    _check_ended(session, process)
    (Path(session.folder) / "watch.json").write_bytes(msgspec.json.encode(watch))
    return watch


def run_alone(session: TimingSession, display: str | None = None) -> None:
    """Hold the session in another process, and wait for its end."""
    with start_session(session, display) as process:
        process.wait()
    _check_ended(session, process)


@contextmanager
def start_session(session: TimingSession, display: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The session's process; it has ended, one way or the other, when the context does."""
    Path(session.folder).mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({} if display is None else {"DISPLAY": display})
    command = [sys.executable, "-m", "experiment.timing.session", msgspec.json.encode(session).decode()]
    with (Path(session.folder) / SAID).open("wb") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said)  # noqa: S603 - ourselves
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()


def _wait_until_shown(session: TimingSession, process: subprocess.Popen[bytes]) -> None:
    """Until the session's first page is on the screen: a key pressed before would go to another program."""
    path, deadline_s = session.transcript, time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline_s:
        if path.exists() and SHOWN in path.read_bytes():
            return
        time.sleep(0.05)
    process.terminate()
    process.wait()
    raise EquipmentFailure(f"The session to be timed did not start.\n{_said(session)}")


def _check_ended(session: TimingSession, process: subprocess.Popen[bytes]) -> None:
    if process.returncode:
        raise EquipmentFailure(f"The session to be timed ended early (status {process.returncode}).\n{_said(session)}")


def _said(session: TimingSession) -> str:
    return (Path(session.folder) / SAID).read_text(encoding="utf-8", errors="replace")[-2000:]


def main() -> None:
    """The session that the first argument tells; an error in words, and its exit status."""
    try:
        run_session(msgspec.json.decode(sys.argv[1], type=TimingSession))
    except DayFourError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
