"""A whole session whose n-th call to the disk fails, for every n, and what is true afterwards: SQLite's way of testing.

The calls are counted below the data folder by a library that is preloaded (`shim.c`), not chosen by hand: a new one is
tested the day it is written. One process is forked for each position, holds a session of six messages with all its
files (transcript, tables, participants, sessions, closing answers, register) on the simulated screen, and tells what
was confirmed and what was said; then, with a disk that works, that is held against what lies there.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path
from typing import IO, Any, Literal, cast

import msgspec
from msgspec import UNSET, Struct

from experiment.cli import after_run
from experiment.cli.terminal import describe_unexpected, say
from experiment.design.visit import Visit
from experiment.errors import DayFourError
from experiment.record import rescue
from experiment.record import transcript as log
from experiment.record.closing import closing_log, has_answered, record_closing
from experiment.record.dataset import DataSet
from experiment.record.events import Event, Input, Rated, Scene, Storage
from experiment.record.remake import catch_up, remake
from experiment.record.resume import count_rated
from experiment.replay.verify import verify
from experiment.screens.clock import Zero
from experiment.screens.simulated_screen import SimulatedScreen, simulated_info
from experiment.session import run as sessions
from experiment.session.plan import close_as_incomplete, plan_session
from experiment.storage import append_file, lock
from experiment.study.register import Register
from experiment.study.sessions import record_end
from experiment.task.layout import Layout
from tests.faults.tasks import TASKS, task_of
from tests.registers import DAY, MONDAY, noon, one_in_course

SHIM = Path(__file__).with_name("shim.c")
VISIT, UTC = Visit("DF001", 1), "2026-11-26T11:00:00.000+00:00"
PROTOCOL, MESSAGES = task_of(os.environ.get("FAULTS_TASK", TASKS[0]))  # the campaign sets it for its processes
GIVEN: dict[str, str | float | None] = {"purpose": "love", "drug_course": "the first", "certainty": 5.0}
ANSWERS: dict[str, str | float | None] = {"last_dose": "08:30", "symptoms": "none", "notes": None}
ONCE, FOR_EVER = 1, 10**9
LIMIT_S = 60.0
Ending = Literal["resume", "close"]


class Fault(Struct, frozen=True):
    """What the n-th call and those after it do: fail with this error, or hang; `number` 0 is none."""

    number: int
    error: int = 0
    calls: int = ONCE
    hang_ms: int = 0


class Told(Struct):
    """What a session's process told: how many calls it made, which failed first, ratings confirmed, words said."""

    count: int = 0
    struck: str = ""
    rated: list[tuple[str, int | None]] = []
    answered: bool = False
    said: str = ""
    status: str = "died"


class Outcome(Struct, frozen=True):
    """A position and what was wrong there; nothing if all was well."""

    fault: Fault
    told: Told
    wrong: tuple[str, ...]


class Campaign:
    """A laboratory on the day of a session, from which each position starts anew."""

    def __init__(self, folder: Path) -> None:
        """Everything that comes before the session, on a disk that works."""
        self._folder, self._base = folder, folder / "base"
        data = DataSet(self._base / "data")
        data.prepare()
        one_in_course(self._base / "data" / "study", VISIT.subject)

    def tries(self, fault: Fault, ending: Ending = "resume") -> Outcome:
        """A session with this fault, and what is wrong afterwards."""
        place = self._folder / "try"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self._base, place)
        (place / "home").mkdir()
        told = _forked(place, fault)
        return Outcome(fault, told, tuple(_judged(place, told, ending)))


def hurry() -> None:
    """The same waits, shorter: a second attempt after 10 ms, and patience of a few tenths of a second."""
    append_file.RETRY_S, append_file.LOOK_S, append_file.ANSWER_S = 0.01, 0.01, 0.1
    rescue.LOOK_S, log.CLOSE_S, log.RESCUE_S = 0.02, 0.4, 0.05
    lock.WAIT_S, lock.PATIENCE_S = 0.3, 0.1


def register_of(place: Path) -> Register:
    """The study's register in a laboratory's folder, on the day of the session."""
    return Register(place / "data" / "study", lambda: noon(MONDAY + 3 * DAY))


class ConfirmingScreen(SimulatedScreen):
    """The simulated screen with a window's care for the transcript: it waits for it, and tells if it is in trouble."""

    transcript: log.Writer

    def show(self, scene: Scene) -> float:
        """What led here outlives this process, if the disk allows."""
        self.transcript.settle()
        return super().show(scene)

    def wait(self, until_s: float) -> Input | None:
        """News of the disk first."""
        if (cause := self.transcript.cause) != getattr(self, "cause", None):
            self.cause = cause
            return Storage(saved=cause is None, time_s=self._passed / 60, cause=cause or UNSET)
        return super().wait(until_s)


def hold(place: Path, told: Told, *, resume: bool = False) -> None:
    """The session as the commands hold it, with the closing questions after it."""
    data, register = DataSet(place / "data"), register_of(place)
    data.prepare()
    plan = plan_session(
        "run", PROTOCOL, MESSAGES, data, subject=VISIT.subject, session=VISIT.session, seed=1, operator="RA",
        answers=ANSWERS, participant="quick", resume=resume,
    )  # fmt: skip
    with after_run.accounting_for(plan, register):
        info = simulated_info()
        screen = ConfirmingScreen(sessions._participant(plan, Layout(info.width_px, info.height_px)), info)
        with sessions._recording(plan) as transcript:
            screen.transcript = transcript
            ended = sessions._run_task(plan, screen, Zero(UTC, None), cast("log.Writer", _Noting(transcript, told)))
    after_run.finish(ended, plan, after_run.ClosingScreen(full_screen=True))
    if PROTOCOL.funnel and not has_answered(data, VISIT.subject):
        told.answered = True
        record_closing(data, VISIT.subject, UTC, PROTOCOL.funnel.questions, GIVEN)
        say("The answers to the closing questions are saved.")


class _Noting:
    """The transcript, with every rating noted that the participant sees confirmed."""

    def __init__(self, transcript: log.Writer, told: Told) -> None:
        self._transcript, self._told = transcript, told

    def append(self, event: Event) -> None:
        """Hand it on."""
        self._transcript.append(event)
        if isinstance(event, Rated):
            self._told.rated.append((event.question, event.value))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transcript, name)


def _forked(place: Path, fault: Fault) -> Told:
    """What a process tells that holds the session with this fault."""
    report, said = place / "told.json", place / "said.txt"
    child = os.fork()
    if child == 0:
        hurry()  # not what comes afterwards: a busy computer's disk may need more than that
        try:
            _hold_with(place, fault, report, said)
        finally:
            os._exit(0)
    deadline_s = time.monotonic() + LIMIT_S
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline_s:
            os.kill(child, 9)
            os.waitpid(child, 0)
            return Told(status="hung", said=said.read_text(encoding="utf-8") if said.exists() else "")
        time.sleep(0.002)
    return msgspec.json.decode(report.read_bytes(), type=Told) if report.exists() else Told()


def _hold_with(place: Path, fault: Fault, report: Path, said: Path) -> None:
    told, shim = Told(), ctypes.CDLL(None)
    os.environ["HOME"] = str(place / "home")
    with said.open("w", encoding="utf-8") as words, redirect_stderr(words):
        shim.faults_arm(str(place / "data").encode(), fault.number or -1, fault.calls, fault.error, fault.hang_ms)
        told.status = _status(place, told, words)
        told.count = shim.faults_count()
        shim.faults_disarm()
    shim.faults_struck.restype = ctypes.c_char_p
    told.struck, told.said = shim.faults_struck().decode(), said.read_text(encoding="utf-8")
    report.write_bytes(msgspec.json.encode(told))


def _status(place: Path, told: Told, words: IO[str]) -> str:
    """As the command line ends."""
    try:
        hold(place, told)
    except DayFourError as error:
        words.write(f"{error}\n")
        return type(error).__name__
    except Exception as error:  # noqa: BLE001 - as the command line does
        words.write(f"{describe_unexpected(error)}\n{error!r}\n")
        return "unexpected" if "unexpected" in describe_unexpected(error) else "OSError"
    return "done"


def _judged(place: Path, told: Told, ending: Ending) -> Any:
    """What is not as it must be, now that the disk works again."""
    data = DataSet(place / "data")
    if told.status in ("hung", "died", "unexpected"):
        yield f"the program {told.status}"
    os.environ["HOME"] = str(place / "home")
    path = data.transcript(VISIT, PROTOCOL.task)
    yield from _claims(path, told)
    yield from _torn(data)
    with Path(os.devnull).open("w", encoding="utf-8") as nobody, redirect_stderr(nobody):
        try:
            yield from _after(place, data, path, told, ending)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
            yield f"afterwards: {type(error).__name__}: {error}"


def _claims(path: Path, told: Told) -> Any:
    """What was said, against the disk at the moment of saying it; a copy that was rescued is told of by its place."""
    begun = path.exists() and log.has_begun(path)
    copy = rescue.find_rescued(path)
    rated = count_rated(log.read(copy or path))[0] if copy or begun else 0
    said = " ".join(told.said.split())
    for words in ("these ratings are saved", "what was rated is saved"):
        claims = [part.rsplit(". ", 1)[-1].split()[-9:] for part in said.split(words)[:-1]]
        if any(rated < int(next(word for word in claim if word.isdecimal())) for claim in claims):
            yield f"said that more ratings are saved than the {rated} that are: {told.said}"
    if "is complete" in said and not (begun and log.read(path).ended):
        yield "said that the session is complete"
    if "closing questions are saved" in said and not closing_log(DataSet(path.parents[3]), VISIT.subject).exists():
        yield "said that the closing answers are saved"


def _torn(data: DataSet) -> Any:
    """Files that are neither whole nor absent, but for a transcript's last line."""
    for path in data.root.rglob("*"):
        if path.suffix == ".json" and path.is_file():
            try:
                msgspec.json.decode(path.read_bytes())
            except msgspec.DecodeError:
                yield f"torn: {path.name}"
        elif path.suffix == ".tsv" and not path.read_bytes().endswith(b"\n"):
            yield f"torn: {path.name}"


def _after(place: Path, data: DataSet, path: Path, told: Told, ending: Ending) -> Any:
    """Put back what was rescued, then go on with the session or close it: nothing confirmed is missing then."""
    list(catch_up(data, VISIT.subject))
    begun = path.exists() and log.has_begun(path)
    kept = [event for event in log.read(path).events if isinstance(event, Rated)] if begun else []
    missing = told.rated[len(kept) :] if [(one.question, one.value) for one in kept] == told.rated[: len(kept)] else [1]
    if missing and "lost" not in told.said:
        yield f"{len(missing)} confirmed ratings are missing, and nobody was told: {told.said}"
    yield from _finished(place, data, ending)
    failed = [str(one) for one in remake(data) if one.failed]
    if told.answered and not has_answered(data, VISIT.subject) and "lost" not in told.said:
        yield f"the closing answers are missing, and nobody was told: {told.said}"
    record_end(register_of(place), data, path, "RB") if not _is_recorded(place) else None
    wrong = [str(finding) for finding in verify(path).findings]
    yield from (f"not made again: {one}" for one in failed)
    yield from (f"verified: {one}" for one in wrong)
    if not _is_recorded(place):
        yield "the register cannot be told of the session"


def _finished(place: Path, data: DataSet, ending: Ending) -> Any:
    again = Told()
    path = data.transcript(VISIT, PROTOCOL.task)
    if path.exists() and log.has_begun(path) and (ended := log.read(path).ended) and ended.status != "failed":
        return
    try:
        if ending == "close" and path.exists() and log.has_begun(path):
            close_as_incomplete(data, VISIT)
        else:
            hold(place, again, resume=path.exists() and log.has_begun(path))
    except DayFourError as error:
        yield f"cannot be finished: {error}"


def _is_recorded(place: Path) -> bool:
    one = register_of(place).participant(VISIT.subject)
    return one.is_held(VISIT.session)


def build_shim(folder: Path) -> Path:
    """The preloaded library, made by this computer's C compiler."""
    library = folder / "shim.so"
    compiler = shutil.which("cc") or "cc"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    return library


def preloaded(module: str, *arguments: str, task: str = TASKS[0]) -> int:
    """Run a module of the tests with the library and this task; its exit status."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"LD_PRELOAD": str(build_shim(Path(folder))), "FAULTS_TASK": task}
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], check=False).returncode
