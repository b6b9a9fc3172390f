"""Daily reports for tests: a study whose clock a test sets, the pages served for real, and a browser's least."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from experiment.design.daily import Daily
from experiment.design.protocol import read_daily
from experiment.reports.http import listen, web_server
from experiment.reports.links import make_links
from experiment.reports.log import LogLine
from experiment.reports.server import build_app
from experiment.reports.service import Service
from experiment.study import recording, setup
from experiment.study.events import Enrolled
from experiment.study.register import Register, utc_now
from experiment.study.simulated_study import SettableClock
from experiment.study.study_file import Study
from tests.registers import MONDAY, PUBLIC_KEYS, STUDY

ROOT = Path(__file__).parents[1]
PROTOCOL = ROOT / "stimuli" / "protocol.toml"
DAILY = read_daily(PROTOCOL)
FULL = {f"item_{item.id}": str(1 + at % item.points) for at, item in enumerate(DAILY.items)}
FORM = "application/x-www-form-urlencoded"
LOCAL = "127.0.0.1"
BASE = "https://daily.example.edu"


def local(day: date, clock_time: str, study: Study = STUDY) -> datetime:
    """The moment at which the study's clocks show this."""
    return datetime.combine(day, datetime.strptime(clock_time, "%H:%M").time(), ZoneInfo(study.clock.zone))  # noqa: DTZ007


@dataclass
class Evenings:
    """A study with participants whose course 1 begins on MONDAY; `clock` is the study's and the server's."""

    service: Service
    clock: SettableClock
    links: dict[str, str]

    @property
    def entries(self) -> tuple[LogLine, ...]:
        """The log."""
        return self.service.journal.entries()

    def at(self, day: date, clock_time: str) -> None:
        """Set the clock."""
        self.clock.moment = local(day, clock_time, self.service.roster().study)

    def path(self, subject: str = "DF001", day: date | None = None) -> str:
        """Where a participant's pages are."""
        return urlsplit(self.links[subject]).path + (f"/{day}" if day else "")


def begin(
    data: Path, subjects: int = 1, study: Study = STUDY, daily: Daily = DAILY, monday: date = MONDAY,
    keys: tuple[str, str] = PUBLIC_KEYS,
) -> Evenings:  # fmt: skip
    """A study with so many participants, each with a link, at noon of the day on which their course 1 begins."""
    clock = SettableClock()
    clock.moment = local(monday, "12:00", study)
    register = Register(data / "study", clock)
    setup.set_up(register, study, *keys, "PI")
    for number in range(1, subjects + 1):
        enrol(register, f"DF{number:03}")
    service = Service(data, daily, register)
    service.begin()
    return Evenings(service, clock, make_links(service, BASE, [], renew=False))


def enrol(register: Register, subject: str) -> None:
    """Take somebody in whose course 1 begins now."""
    now, strata = register.now(), register.begun().plan.strata
    stratum = strata[int(subject[-3:]) % len(strata)]
    place = cast("Enrolled", setup.enrol(register, subject, stratum, "RA").act)
    register.act("RA", lambda told: recording.consent(told, subject, None, "v1", now))
    register.act("RA", lambda told: recording.start_course(told, subject, 1, None, place.kits[0], now))


def start_second(evenings: Evenings, subject: str, day: date) -> None:
    """Course 2 begins on this day."""
    evenings.at(day, "08:00")
    register = evenings.service.register
    kit = register.participant(subject).kits[1]
    register.act("RA", lambda told: recording.start_course(told, subject, 2, None, kit, register.now()))


def withdraw(evenings: Evenings, subject: str = "DF001") -> None:
    """Somebody leaves the study now."""
    register = evenings.service.register
    register.act("RA", lambda told: recording.withdraw(told, subject, "moved away", register.now()))


@contextmanager
def served(
    evenings: Evenings, tell: Callable[[str], None] = lambda _: None, per_link: int = 10**6, port: int = 0
) -> Iterator[int]:
    """The port at which the pages are served, for real, in a thread of this process."""
    server = web_server(build_app(evenings.service, tell, per_link), behind_proxy=False)
    with listen(LOCAL, port, behind_proxy=False) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True)
class HttpAnswer:
    """What a server answered."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def form(self) -> str:
        """The random name of the form on the page."""
        found = re.search(r'name="form" value="([^"]*)"', self.text)
        return found[1] if found else ""


def ask(
    port: int, path: str, fields: Mapping[str, str] | None = None, method: str | None = None, kind: str = FORM
) -> HttpAnswer:
    """One request, as a browser without JavaScript makes it; a redirection is not followed."""
    body = urlencode(fields) if fields is not None else None
    headers = {"Content-Type": kind} if body is not None else {}
    with closing(http.client.HTTPConnection(LOCAL, port, timeout=30)) as connection:
        connection.request(method or ("POST" if body is not None else "GET"), path, body, headers)
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return HttpAnswer(response.status, response.read().decode(), named)


def give(port: int, path: str, answers: Mapping[str, str] = FULL) -> HttpAnswer:
    """Open a form and send it."""
    return ask(port, path, {**answers, "form": ask(port, path).form})


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as free:
        free.bind((LOCAL, 0))
        return int(free.getsockname()[1])


def wait_for_port(process: subprocess.Popen[Any], port: int) -> None:
    """Until the process listens there; AssertionError with what it said if it ends before."""
    while process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex((LOCAL, port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(process.communicate())


@contextmanager
def serving(data: Path, port: int, protocol: Path = PROTOCOL) -> Iterator[subprocess.Popen[bytes]]:
    """The command `reports serve`, once it answers; it may be killed meanwhile."""
    command = [sys.executable, "-I", "-m", "experiment", "reports", "serve", "--data", data, "--protocol", protocol]
    process = subprocess.Popen([*map(str, command), "--port", str(port)], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        wait_for_port(process, port)
        ask(port, "/")
        yield process
    finally:
        process.terminate()
        process.wait()
        if process.stderr:
            process.stderr.close()


def in_zone(zone: str) -> Study:
    """The example study elsewhere, without a washout of its own."""
    return replace(STUDY, clock=replace(STUDY.clock, zone=zone))


def tonight() -> tuple[Study, date]:
    """The study where it is about nine in the evening by the real clock, so that a report is open; and the date."""
    offset = (21 - utc_now().hour + 11) % 24 - 11
    zone = "UTC" if offset == 0 else f"Etc/GMT{-offset:+d}"  # POSIX counts the other way
    return in_zone(zone), utc_now().astimezone(ZoneInfo(zone)).date()


def without_a_clock(evenings: Evenings) -> Evenings:
    """The same study by the real clock."""
    register = Register(evenings.service.register.folder)
    return Evenings(Service(evenings.service.data, evenings.service.daily, register), evenings.clock, evenings.links)


DAY = timedelta(days=1)
